"""EarlierChain: the stores asked for the versions that a shell was given, to tell a value that was changed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.backends.revision import is_same, version_of
from envref.backends.table import backend_class
from envref.fresh.seen import split
from envref.refs.outcome import Found
from envref.resolve.chain import VariableChain
from envref.resolve.store import Store
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envref.backends.base import Backend
    from envref.env.environment import Filled
    from envref.fresh.seen import Sources
    from envref.refs.address import Address
    from envref.refs.outcome import Answer

    Pins = dict[tuple[str, Address], str]


class EarlierStore(Store):
    """A store whose `pins` say the revision of each address. Without one, or where it is no more, nothing is there."""

    __slots__ = ()

    pins: Pins = {}  # noqa: RUF012  # each chain has a class of its own

    def _question(self, backend: Backend, addresses: Sequence[Address], until: float) -> Mapping[Address, Answer]:
        known = {address: self.pins[self.name, address] for address in addresses if (self.name, address) in self.pins}
        asked = {address.at(version_of(revision)): address for address, revision in known.items()}
        answers = backend.get_many(list(asked), until) if asked else {}
        return {
            asked[each]: answer
            for each, answer in answers.items()
            if isinstance(answer, Secret) and is_same(answer.revision, known[asked[each]]) is not False
        }


def chain(pins: Pins) -> type[VariableChain]:
    """The chain that asks for these versions."""
    store = type("PinnedStore", (EarlierStore,), {"pins": pins, "__slots__": ()})
    return type("EarlierChain", (VariableChain,), {"kind": store, "__slots__": ()})


def pins(seen: Mapping[str, Sources], filled: Mapping[str, Filled], types: Mapping[str, str]) -> Pins:
    """The places of the names whose every source can be read at the revision that the shell was given."""
    found = [_pinned(old, filled[name], types) for name, old in seen.items() if name in filled]
    return {place: revision for each in found for place, revision in each}


def _pinned(old: Sources, filled: Filled, types: Mapping[str, str]) -> list[tuple[tuple[str, Address], str]]:
    pinned = []
    for source, (_, outcome) in zip(old, filled.sources, strict=False):
        store, revision = split(source)
        if not isinstance(outcome, Found) or outcome.address is None or outcome.backend != store:
            return []
        if not backend_class(types[store]).versions or not version_of(revision):
            return []
        pinned.append(((store, outcome.address.at(None)), revision))
    return pinned


def is_told(old: Sources, filled: Filled | None, known: Pins) -> bool:
    """Whether the value of this name is the one that the shell was given: every source was read at its revision."""
    if filled is None or filled.value is None or len(filled.sources) != len(old):
        return False
    outcomes = [outcome for _, outcome in filled.sources]
    return all(isinstance(each, Found) and (each.backend, each.address) in known for each in outcomes)
