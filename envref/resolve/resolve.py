"""resolve(): references x chain -> one outcome each. The search itself: which store is asked for what, and who wins."""

from __future__ import annotations

from envref.refs.address import Address
from envref.refs.outcome import Failed, Found, Missing
from envref.secret import Secret, Unread
from envref.store_errors import BackendInvalid, FieldNotFound, HoldsBytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from envref.project.project import Project
    from envref.refs.outcome import Answer, Outcome
    from envref.refs.reference import Reference
    from envref.resolve.store import Store, Stores
    from envref.store_errors import BackendError

    Places = dict[Reference, list["Place"]]

_ENCODE = "store the value as base64, or leave ?encoding=base64 out"


class Scope:
    """Whose secrets are meant: a project's, with a profile's own before them when `profile` is set.

    With a profile that `is_closed` only its own.
    """

    __slots__ = ("is_closed", "profile", "project")

    def __init__(self, project: str, profile: str | None = None) -> None:
        self.project = project
        self.profile = profile
        self.is_closed = False

    @classmethod
    def of(cls, project: Project) -> Scope:
        """That of a project with the profile in effect."""
        scope = cls(project.config.project, project.profile)
        scope.is_closed = project.profile in project.config.closed
        return scope

    def levels(self) -> tuple[str | None, ...]:
        """The profile, then the project."""
        if self.profile is None or self.is_closed:
            return (self.profile,)
        return (self.profile, None)


class Place:
    """Where a reference's secret may be: a store, the address there, and the field that envref takes out of it.

    `answer` is what the reference makes of the store's answer, once `is_asked`. None: the secret is not there, or
    `lack` says which field it lacks.
    """

    __slots__ = ("address", "answer", "field", "is_asked", "lack", "store")

    def __init__(self, store: Store, address: Address, field: str | None, refusal: Answer | None = None) -> None:
        self.store = store
        self.address = address
        self.field = field
        self.answer = refusal
        self.lack: FieldNotFound | None = None
        self.is_asked = False


def resolve(
    references: Iterable[Reference], chain: Stores, scope: Scope, until: float | None = None
) -> dict[Reference, Outcome]:
    """One outcome per reference; never raises for a store's error.

    Each store is asked at most once, with everything that it may answer and that no earlier store has settled.
    A store that fails ends the search for the references it was asked: falling through to the next would turn an
    outage into a different secret. `until`, a time of `time.monotonic()`, takes the place of the stores' own limits.
    """
    places = {reference: chain.narrowed(reference, places_of(reference, chain, scope)) for reference in references}
    stores = list(chain)
    while stores:
        # In order while a reference waits to see whether the first of them has it; then all the others at once.
        together = stores[:1] if len(stores) > 1 and _depend_on_order(places.values()) else stores
        _ask(together, places, until)
        stores = stores[len(together) :]
    return {reference: _outcome(reference, candidates, chain) for reference, candidates in places.items()}


def _depend_on_order(places: Iterable[list[Place]]) -> bool:
    """Whether some reference may still be answered by more than one store, and so must ask them one by one."""
    return any(len({place.store for place in _open(candidates)}) > 1 for candidates in places)


def _open(candidates: list[Place]) -> Iterator[Place]:
    """The places that were not asked yet and may still decide."""
    for place in candidates:
        if place.answer is not None:
            return
        if not place.is_asked:
            yield place


def _ask(stores: list[Store], places: Places, until: float | None) -> None:
    """Asks each of these stores for everything open there; several stores at the same time."""
    asked = {store: list(_open_there(store, places)) for store in stores}
    wanted = {
        store: list(dict.fromkeys(place.address for _, place in pairs)) for store, pairs in asked.items() if pairs
    }
    for store, answers in _answers(wanted, until).items():
        for reference, place in asked[store]:
            _settle(place, _read(reference, place, answers.get(place.address)))


def _settle(place: Place, answer: Answer | None) -> None:
    place.is_asked = True
    if isinstance(answer, FieldNotFound):
        place.lack = answer
        return
    place.answer = answer


def _open_there(store: Store, places: Places) -> Iterator[tuple[Reference, Place]]:
    for reference, candidates in places.items():
        yield from ((reference, place) for place in _open(candidates) if place.store is store)


def _answers(wanted: Mapping[Store, list[Address]], until: float | None) -> Mapping[Store, Mapping[Address, Answer]]:
    if len(wanted) < 2:
        return {store: store.ask(addresses, until) for store, addresses in wanted.items()}
    from concurrent.futures import ThreadPoolExecutor

    from envref.backends import children

    children.watch()
    with ThreadPoolExecutor(len(wanted)) as pool:
        running = {store: pool.submit(store.ask, addresses, until) for store, addresses in wanted.items()}
    return {store: future.result() for store, future in running.items()}


def places_of(reference: Reference, chain: Stores, scope: Scope) -> list[Place]:
    """Every place where it may be, in the order of precedence: the profile's in any store, then the project's."""
    if reference.store is None:
        stores = list(chain)
    else:
        named = chain.get(reference.store)
        stores = [named] if named else []
    if reference.foreign is not None:
        return [_foreign(store, reference, reference.foreign, reference.field) for store in stores]
    return [_place(store, reference, scope.project, level) for level in scope.levels() for store in stores]


def _place(store: Store, reference: Reference, project: str, profile: str | None) -> Place:
    """The key's place in the store; applies the store's `names:` (commands.md 6.5)."""
    mapped = store.mapped(reference.key, profile)
    if mapped is not None:
        name, _, field = mapped.partition("#")
        return _foreign(store, reference, name, reference.field or field or None)
    own, ours = (reference.field, None) if store.reads_fields else (None, reference.field)
    address = Address(project, reference.key, profile=profile, field=own, version=reference.version)
    return Place(store, address, ours, store.refusal(reference))


def _foreign(store: Store, reference: Reference, name: str, field: str | None) -> Place:
    own, ours = (field, None) if store.reads_fields else (None, field)
    address = Address("", "", foreign=name, field=own, version=reference.version)
    return Place(store, address, ours, store.refusal(reference))


def _outcome(reference: Reference, candidates: list[Place], chain: Stores) -> Outcome:
    """The first place that does not say "not there" decides."""
    if not candidates:
        return Failed(chain.unplaced(reference))
    for place in candidates:
        if isinstance(place.answer, Secret):
            return Found(place.answer, place.store.name, place.address.profile, place.address)
        if place.answer is not None and not place.store.forgives(place.answer):
            return Failed(place.answer, place.store.name)
        if place.answer is not None:
            return _default(reference) or _unknown(place.store, place.answer)
    return _default(reference) or _missing(reference, candidates)


def _unknown(store: Store, error: BackendError) -> Missing:
    """Missing, as the user wants it: the store gave no answer, and the cure is the store's."""
    return Missing(f'backend "{store.name}": {error.message}', error.run, is_there=True)


def _default(reference: Reference) -> Found | None:
    return None if reference.default is None else Found(Secret(reference.default))


def _read(reference: Reference, place: Place, answer: Answer | None) -> Answer | None:
    """What the reference makes of the store's answer: its field, decoded. None: the secret is not there."""
    if isinstance(answer, HoldsBytes) and reference.encoding:
        return _of_bytes(reference, place, answer)
    if not isinstance(answer, Secret) or isinstance(answer, Unread):
        return answer
    if place.field is None and reference.encoding is None:
        return answer
    text: str | None = answer.reveal()
    try:
        if text is not None and place.field is not None:
            text = _member(text, place.field, reference)
        if text is not None and reference.encoding:
            text = _decoded(text, reference)
    except (BackendInvalid, FieldNotFound) as error:
        return error
    return None if text is None else Secret(text, answer.revision)


def _of_bytes(reference: Reference, place: Place, answer: HoldsBytes) -> Answer:
    """The decoded bytes are the value: a field is taken out of them."""
    try:
        text = _decoded(answer.encoded.reveal(), reference)
        text = text if place.field is None else _member(text, place.field, reference)
        return Secret(text, answer.encoded.revision)
    except (BackendInvalid, FieldNotFound) as error:
        return error


def _member(text: str, field: str, reference: Reference) -> str:
    from envref.refs.field import NotStructured, absent, member, names

    try:
        found = member(text, field)
    except NotStructured:
        raise BackendInvalid(
            f'field "{field}": value of {reference} is not a JSON object',
            hint="leave #FIELD out, or store a JSON object",
        ) from None
    if found is None:
        raise absent(field, reference.foreign or reference.key, names(text))
    return found


def _decoded(text: str, reference: Reference) -> str:
    from base64 import b64decode

    try:
        # A file may hold any bytes; what is not UTF-8 of them is written as it came.
        errors = "surrogateescape" if reference.is_file else "strict"
        decoded = b64decode("".join(text.split()), validate=True).decode(errors=errors)
    except ValueError:
        raise BackendInvalid(f"value of {reference} is not the base64 of UTF-8 text", hint=_ENCODE) from None
    if "\0" in decoded and not reference.is_file:
        raise BackendInvalid(f"value of {reference} contains NUL once it is decoded", hint=_ENCODE)
    return decoded


def _missing(reference: Reference, candidates: list[Place]) -> Missing:
    for place in candidates:
        if place.lack is not None:
            return Missing(f'backend "{place.store.name}": {place.lack.message}', is_there=True)
    name = reference.foreign or reference.key
    version = "" if reference.version is None else f", version {reference.version},"
    # Setting it would not bring an earlier version back.
    run = () if reference.foreign or version else _setting(reference, candidates)
    if reference.store is not None:
        called = name if reference.foreign or run or version else f"{candidates[-1].address.foreign}"
        reason = f'secret "{called}"{version} not found in backend "{reference.store}"'
    else:
        notes = dict.fromkeys(place.store.absence(place.address) for place in candidates)
        reason = f'secret "{name}"{version} not found in any backend ({"; ".join(notes)})'
    return Missing(reason, run, is_there=bool(version))


def _setting(reference: Reference, candidates: list[Place]) -> tuple[str, ...]:
    """The command that sets it, in the first store that envref may write it to; none where `names:` maps it in all.

    It sets the project's, or the profile's where that has nothing of the project's.
    """
    ours = [place for place in candidates if place.address.foreign is None]
    is_closed = len(ours) == len(candidates) and all(place.address.profile for place in ours)
    profile = ours[0].address.profile if is_closed and ours else None
    own = [place.store for place in ours if place.address.profile == profile]
    if not own:
        return ()
    named = ("--backend", own[0].name) if reference.store or own[0] is not candidates[0].store else ()
    level = ("--profile", profile) if profile else ()
    return ("envref", "secret", "set", reference.key, *level, *named)
