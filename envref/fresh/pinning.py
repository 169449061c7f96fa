"""Pinning: the lines that a lock of the project would have now, and how two locks differ."""

from __future__ import annotations

import time
from itertools import zip_longest
from typing import TYPE_CHECKING

from envref import streams
from envref.backends.revision import is_same, version_of
from envref.fresh.chain import RevisionChain, RevisionStore
from envref.fresh.lock import ABSENT, UNPINNED, Pin, pinned, shown_place
from envref.fresh.stale import FRESH, STALE, Verdict, shown, since
from envref.project.project import committed_layers, with_files
from envref.refs.outcome import Failed, Found
from envref.refs.reference import Reference
from envref.resolve.chain import ProjectStores, VariableChain
from envref.resolve.resolution import answers, fill
from envref.resolve.resolve import Scope, places_of
from envref.resolve.store import Store

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from envref.env.environment import Answered, Environment, Variable
    from envref.project.project import Project
    from envref.refs.address import Address
    from envref.refs.outcome import Outcome
    from envref.resolve.resolution import Gate
    from envref.store_errors import BackendError


class _Unforgiving(Store):
    """A store that is locked today, or missing on this machine, must not be written down as one that has nothing."""

    __slots__ = ()

    def allows(self, error: BackendError) -> bool:  # noqa: ARG002
        return False

    def forgives(self, error: BackendError) -> bool:  # noqa: ARG002
        return False


class _AskedStore(_Unforgiving, RevisionStore):
    __slots__ = ()


class _AskedChain(RevisionChain):
    __slots__ = ()

    kind = _AskedStore


class _ReadChain(VariableChain):
    __slots__ = ()

    kind = _Unforgiving


def shared(project: Project) -> Project:
    """The project as its committed files have it: what is personal locks nothing for others."""
    names = committed_layers(project)
    return with_files(project, [file for file in project.files if file.name in names], project.unread)


class Now:
    """`pins` are the lines of a lock that is made now, for `asked` of these variables and what they interpolate, by
    default for all; `faults` the references that can have none. `names` are all that could have lines.

    Stores are asked for revisions without values. Only one that does not tell them so is asked for values, which are
    dropped. Raises EnvrefError, Untrusted among them.
    """

    def __init__(
        self,
        project: Project,
        environment: Environment,
        timeout: float | None,
        gate: Gate,
        asked: Container[str] | None = None,
    ) -> None:
        self._places = ProjectStores(project), Scope.of(project)
        every = [variable for variable in environment.variables.values() if variable.plain is None]
        self.names = [variable.name for variable in every]
        waiting = [variable for variable in every if asked is None or variable.name in asked]
        needed = environment.closure(waiting)  # a name means what it is composed of, too
        references = [each for variable in needed for each in variable.references() if isinstance(each, Reference)]
        outcomes, lasting = _asked(project, references, timeout, gate) if references else ({}, set())
        filled = fill(needed, outcomes)
        pins: list[Pin] = []
        self.faults: list[tuple[str, Answered]] = []
        for variable in needed:
            for reference, outcome in _answered(variable, outcomes):
                answered = reference, outcome
                is_fault = isinstance(outcome, Failed) or answered in filled[variable.name].failures
                if is_fault or not isinstance(reference, Reference):
                    self.faults.append((variable.name, answered))
                else:
                    pins.append(self._pin(variable.name, reference, outcome, lasting))
        self.pins = _agreed(pins)

    def _pin(self, name: str, reference: Reference, outcome: Outcome, lasting: set[tuple[str, Address]]) -> Pin:
        if isinstance(outcome, Found) and outcome.backend is not None and outcome.address is not None:
            is_lasting = (outcome.backend, outcome.address) in lasting
            state = pinned(outcome.secret.revision) if is_lasting else UNPINNED
            return Pin(name, outcome.backend, shown_place(outcome.address), state)
        place = places_of(reference, *self._places)[-1]  # the most general of those where it may be
        return Pin(name, place.store.name, shown_place(place.address), ABSENT)


def _agreed(pins: Iterable[Pin]) -> list[Pin]:
    """One state for each secret: one that lacks a field is there, and one may be written between two questions."""
    states: dict[tuple[str, str], str] = {}
    for pin in sorted(pins, key=lambda each: (bool(each.revision), each.state == UNPINNED)):
        states[pin.place] = pin.state
    return [pin.at(states[pin.place]) for pin in pins]


def _answered(variable: Variable, outcomes: Mapping[Reference, Outcome]) -> Iterable[Answered]:
    for each in dict.fromkeys(variable.references()):
        yield each, outcomes[each] if isinstance(each, Reference) else Failed(each)


def _asked(
    project: Project, references: Sequence[Reference], timeout: float | None, gate: Gate
) -> tuple[dict[Reference, Outcome], set[tuple[str, Address]]]:
    """What became of each reference, and the places whose version can be read again later; prints stores' warnings."""
    chain: VariableChain = _AskedChain(project, timeout, gate)
    scope = Scope.of(project)
    outcomes = answers(references, chain, scope)
    warnings = chain.warnings()
    untold = [reference for reference, outcome in outcomes.items() if _is_untold(reference, outcome)]
    if untold:
        chain = _ReadChain(project, timeout, gate)
        outcomes |= answers(untold, chain, scope)
        warnings += chain.warnings()
    streams.warn_each(dict.fromkeys(warnings))
    return outcomes, _lasting(chain, outcomes.values())


def _is_untold(reference: Reference, outcome: Outcome) -> bool:
    """Whether only reading tells: the store's question was refused, or the reference names a version, maybe a label."""
    return isinstance(outcome, Failed) or (isinstance(outcome, Found) and reference.version is not None)


def _lasting(chain: VariableChain, outcomes: Iterable[Outcome]) -> set[tuple[str, Address]]:
    told: dict[str, dict[Address, str]] = {}
    for outcome in outcomes:
        if isinstance(outcome, Found) and outcome.backend and outcome.address and version_of(outcome.secret.revision):
            told.setdefault(outcome.backend, {})[outcome.address] = outcome.secret.revision
    found = set()
    for name, revisions in told.items():
        store = chain.store(name)
        until = time.monotonic() + store.limit
        found |= {(name, address) for address in store.opened(until).lasting(revisions, until)}
    return found


def merged(before: Iterable[Pin], now: Iterable[Pin]) -> list[Pin]:
    """The lines to write: what is pinned keeps its pin, and the rest is as it is now."""
    kept = {pin.place: pin.state for pin in before if pin.revision}
    return [pin.at(kept[pin.place]) if pin.revision and pin.place in kept else pin for pin in now]


def renewed(before: Iterable[Pin], now: Iterable[Pin], names: Container[str]) -> list[Pin]:
    """The lines to write: those of `now` for the names that it is about, and of the other `names` those of before.

    One secret has one pin, whichever of its names is renewed.
    """
    new = list(now)
    taken, states = {pin.name for pin in new}, {pin.place: pin.state for pin in new}
    others = [pin for pin in before if pin.name in names and pin.name not in taken]
    return [*new, *(pin.at(states.get(pin.place, pin.state)) for pin in others)]


def differences(before: Iterable[Pin], after: Iterable[Pin]) -> list[Verdict]:
    """How each name of either stands, by name; fresh where both have the same of it."""
    old, new = _by_name(before), _by_name(after)
    return [_verdict(name, old.get(name, []), new.get(name, [])) for name in sorted({*old, *new})]


def _by_name(pins: Iterable[Pin]) -> dict[str, list[Pin]]:
    found: dict[str, list[Pin]] = {}
    for pin in sorted(pins, key=Pin.words):
        found.setdefault(pin.name, []).append(pin)
    return found


def _verdict(name: str, old: list[Pin], new: list[Pin]) -> Verdict:
    places = {pin.place: pin for pin in new}
    pairs: list[tuple[Pin | None, Pin | None]] = [(pin, places[pin.place]) for pin in old if pin.place in places]
    known = {pin.place for pin in old}
    left = [pin for pin in old if pin.place not in places], [pin for pin in new if pin.place not in known]
    changed = [pair for pair in [*pairs, *zip_longest(*left)] if not _is_kept(*pair)]
    steps = ", ".join(_step(*pair) for pair in changed)
    return Verdict(name, STALE if changed else FRESH, _sources(old), _sources(new), steps)


def _is_kept(old: Pin | None, new: Pin | None) -> bool:
    if old is None or new is None or old.place != new.place:
        return False
    return old.state == new.state or (
        bool(old.revision and new.revision) and is_same(old.revision, new.revision) is True
    )


def _step(old: Pin | None, new: Pin | None) -> str:
    """`ssm 7 -> 8 (2 minutes ago)`; with stores and addresses where they changed."""
    when = since(new.revision) if new else ""
    if old and new and old.place == new.place:
        return f"{old.store} {_state(old)} -> {_state(new)}{when}"
    moved = bool(old and new)
    return f"{_shown(old, moved=moved)} -> {_shown(new, moved=moved)}{when}"


def _shown(pin: Pin | None, *, moved: bool) -> str:
    if pin is None:
        return "nothing"
    return f"{pin.store} {pin.address} {_state(pin)}" if moved else f"{pin.store} {_state(pin)}"


def _state(pin: Pin) -> str:
    return shown(pin.revision) if pin.revision else pin.state


def _sources(pins: Iterable[Pin]) -> tuple[str, ...]:
    """As ENVREF_SEEN has them."""
    return tuple([f"{pin.store}@{pin.revision or pin.state}" for pin in pins])
