"""LockedChain: the project's stores in their order and behind the gate, asked for what envref.lock pins and no more."""

from __future__ import annotations

from envref.backends.revision import is_same, version_of
from envref.backends.table import backend_class
from envref.errors import EnvrefError
from envref.fresh import lock
from envref.fresh.lock import ABSENT, FILE, UNPINNED, shown_place
from envref.fresh.stale import shown
from envref.project.project import committed_layers, words_of
from envref.refs.reference import Reference
from envref.resolve.chain import VariableChain
from envref.resolve.store import Store
from envref.secret import Unread
from envref.store_errors import BackendError, BackendInvalid, HoldsBytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from envref.backends.base import Backend
    from envref.env.environment import Variable
    from envref.fresh.lock import Pin
    from envref.project.project import Project
    from envref.refs.address import Address
    from envref.refs.outcome import Answer
    from envref.resolve.resolve import Place


class LockedStore(Store):
    """A store of which some addresses have a version that is pinned: `pins` has the line of each."""

    __slots__ = ("pins",)

    profile: str | None = None  # of the lock's section; each lock has a class of its own

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.pins: dict[Address, Pin] = {}

    def pin(self, address: Address, pin: Pin) -> Address:
        """The address at the version of that line."""
        pinned = address.at(version_of(pin.revision))
        self.pins[pinned] = pin
        return pinned

    def allows(self, error: BackendError) -> bool:  # noqa: ARG002
        """What is locked comes from where it is locked, whatever the backend's `optional` says."""
        return False

    def forgives(self, error: BackendError) -> bool:  # noqa: ARG002
        return False

    def _answers(self, addresses: Sequence[Address], until: float) -> Mapping[Address, Answer]:
        answers = dict(super()._answers(addresses, until))
        wrong = [each for each in addresses if each in self.pins and self._fault(each, answers.get(each))]
        if wrong and self.memory:  # which may have the same version of a secret that was made again since
            told = self.told(wrong, until)
            answers = {each: answer for each, answer in answers.items() if each not in wrong} | dict(told)
        faults = {each: self._fault(each, answers.get(each)) for each in wrong}
        return {**answers, **{each: fault for each, fault in faults.items() if fault}}

    def _fault(self, address: Address, answer: Answer | None) -> BackendError | None:
        """Why the answer is not the writing that is pinned."""
        pin = self.pins[address]
        update = ("envref", "lock", "--update", pin.name, *words_of(self.profile))
        if isinstance(answer, BackendError) and not isinstance(answer, HoldsBytes):
            if isinstance(answer, BackendInvalid) and not answer.cure():  # such a version can't be there
                return BackendInvalid(f"{answer.message}, as {FILE} names it", run=update)
            return answer
        told = answer.encoded if isinstance(answer, HoldsBytes) else answer
        if told is not None and is_same(told.revision, pin.revision):
            return None
        place = f'version {shown(pin.revision)} of "{address}", which {FILE} names,'
        fact = f"{place} is no more" if told is None else f"{place} is another writing now"
        return BackendInvalid(fact, subject=self.label, run=update)


class LockedChain(VariableChain):
    """Each secret is looked for in the one place that the lock has for it."""

    __slots__ = ()

    kind = LockedStore
    locked: Locked

    def narrowed(self, reference: Reference, places: list[Place]) -> list[Place]:
        if self.locked.is_personal(reference):
            return places
        found = self.locked.place(reference, places)
        return [found] if found else []

    def unplaced(self, reference: Reference) -> EnvrefError:
        if reference.store is not None and self.get(reference.store) is None:
            return super().unplaced(reference)
        return self.locked.complaint()


class Locked:
    """The lock's lines for a project's profile, and the variables that ask for each reference."""

    def __init__(self, project: Project, variables: Iterable[Variable], pins: Iterable[Pin]) -> None:
        self._project = project
        self._committed = committed_layers(project)
        self._askers: dict[Reference, list[Variable]] = {}
        for variable in variables:
            for reference in variable.references():
                if isinstance(reference, Reference):
                    self._askers.setdefault(reference, []).append(variable)
        self._pins = {(pin.name, *pin.place): pin for pin in pins}

    def is_personal(self, reference: Reference) -> bool:
        """Whether only a person's own files ask for it: what those say is not the team's to pin."""
        return all(each.entry.file not in self._committed for each in self._askers[reference])

    def place(self, reference: Reference, places: list[Place]) -> Place | None:
        """Where the lock has the secret for a name that asks for it, at its version; None where it has not."""
        names = [variable.name for variable in self._askers[reference]]
        found = [
            (place, self._pins.get((name, place.store.name, shown_place(place.address))))
            for name in names
            for place in places
        ]
        pinned = [(place, pin) for place, pin in found if pin]
        # What one reference notes as absent in a store, another has from the next one.
        pinned.sort(key=lambda each: each[1].state == ABSENT)
        return _settled(reference, *pinned[0]) if pinned else None

    def complaint(self) -> EnvrefError:
        """The error for a reference that the lock does not have."""
        run = ("envref", "lock", *words_of(self._project.profile))
        return EnvrefError(f"{FILE} does not have it as it is here", run=run)


def _settled(reference: Reference, place: Place, pin: Pin) -> Place | None:
    """The place as it is asked for; None where such a store, or such a reference, can't have the pin."""
    if pin.state == ABSENT:
        place.is_asked = True
        return place if reference.optional or reference.default is not None else None
    if pin.state == UNPINNED:
        return place
    if not backend_class(place.store.type).versions or not version_of(pin.revision):
        return None
    if isinstance(place.store, LockedStore):
        place.address = place.store.pin(place.address, pin)
    return place


def chain(project: Project, variables: Iterable[Variable]) -> type[VariableChain]:
    """The chain that gives these variables what the project's lock has. Raises EnvrefError for a lock of no use."""
    return _chain(project, variables, LockedStore)


def revision_chain(project: Project, variables: Iterable[Variable]) -> type[VariableChain]:
    """The chain that says which revisions that would be, without values. Raises EnvrefError for a lock of no use."""
    from envref.fresh.chain import RevisionStore

    class RevisionStoreOfLock(LockedStore, RevisionStore):
        """What is pinned is known; what the lock only names is asked for."""

        __slots__ = ()

        def _question(self, backend: Backend, addresses: Sequence[Address], until: float) -> Mapping[Address, Answer]:
            others = [address for address in addresses if address not in self.pins]
            known: dict[Address, Answer] = {
                each: Unread(self.pins[each].revision) for each in addresses if each in self.pins
            }
            return {**known, **super()._question(backend, others, until)}

    return _chain(project, variables, RevisionStoreOfLock)


def _chain(project: Project, variables: Iterable[Variable], kind: type[LockedStore]) -> type[VariableChain]:
    waiting = [variable for variable in variables if variable.plain is None]
    pins = lock.section(project.root, project.profile) if waiting else ()
    store = type("StoreOfLock", (kind,), {"profile": project.profile, "__slots__": ()})
    members = {"kind": store, "locked": Locked(project, waiting, pins), "__slots__": ()}
    return type("ChainOfLock", (LockedChain,), members)
