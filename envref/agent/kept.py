"""Kept: what stores gave, who uses it, and who asks a store now while others wait. Knows no socket and no clock.

A shelf is a store as one environment sees it; its key is a digest of what that means. An address is a digest too: no
name of a secret is here. What keeps an entry is its owners; each is a process number, looked after by the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from envref.client import ABSENT, ALONE, ERROR, HITS, LEAD, UNKEPT, UNKNOWN, VALUE, WAIT
from envref.client import LARGEST as LARGEST_FRAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

LARGEST = 16 * 1024 * 1024  # bytes in all, with what Python needs for each entry
_OVERHEAD = 512  # bytes of an entry beside its text
_MOST_ADDRESSES = 4096  # of one wish
_LONGEST = 30 * 86400.0  # seconds, of a vault's unlock session
_MOST_SHELVES = 1000


class Caller(Protocol):
    """Who asks: the owner of what he is given, for which use, and how he is answered."""

    owner: int
    use: bytes

    def say(self, *fields: bytes) -> None: ...


class Asking:
    """What a caller wants: addresses on a shelf, not older than `age` seconds."""

    __slots__ = ("addresses", "age", "caller")

    def __init__(self, caller: Caller, addresses: Sequence[bytes], age: float) -> None:
        self.caller = caller
        self.addresses = addresses
        self.age = age


class Holding:
    """An answer that is kept: a value, or that there is none."""

    __slots__ = ("answer", "born", "end", "owners")

    def __init__(self, answer: bytes, born: float, end: float) -> None:
        self.answer = answer
        self.born = born
        self.end = end
        self.owners: set[tuple[int, bytes]] = set()  # processes, each with a use


class Shelf:
    """One store. `leader` is the caller who asks it now, with those who wait for him."""

    __slots__ = ("entries", "kind", "leader", "name", "waiting")

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        self.entries: dict[bytes, Holding] = {}
        self.leader: Asking | None = None
        self.waiting: list[Asking] = []

    @property
    def is_idle(self) -> bool:
        return not (self.entries or self.leader or self.waiting)


class Kept:
    """All shelves. `clock` counts seconds, those of a suspended machine too."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._shelves: dict[bytes, Shelf] = {}
        self._writers: dict[Caller, str] = {}
        self._size = 0

    def get(
        self, caller: Caller, key: bytes, names: tuple[str, str], seconds: float, addresses: Sequence[bytes]
    ) -> None:
        """Answers what is here, makes the caller the leader, or lets him wait. `names`: the store's type and name."""
        kind, name = names
        addresses = list(dict.fromkeys(addresses))
        is_odd = not 0 < seconds <= _LONGEST or not addresses or len(addresses) > _MOST_ADDRESSES
        if is_odd or kind in self._writers.values() or self._is_crowded(key):
            caller.say(ALONE)
            return
        shelf = self._shelves.setdefault(key, Shelf(kind, name))
        self._serve(shelf, self._wish_of(shelf, caller) or Asking(caller, addresses, seconds), {})

    def put(self, caller: Caller, answers: Mapping[bytes, bytes], seconds: float = _LONGEST) -> None:
        """What the store said, of which nothing lasts longer than so. Only a leader may tell, and only what he was to
        ask.
        """
        for shelf in self._led(caller):
            wish = shelf.leader
            told = {address: answers[address] for address in wish.addresses if address in answers} if wish else {}
            for address, answer in told.items():
                if wish and answer[:1] in (VALUE, ABSENT):
                    self._keep(shelf, address, answer, wish, min(seconds, wish.age))
            self._next(shelf, told)

    def refuse(self, caller: Caller, error: bytes) -> None:
        """The store refused its leader: each who waits gets this error, once."""
        for shelf in self._led(caller):
            waiting, shelf.leader, shelf.waiting = shelf.waiting, None, []
            for wish in waiting:
                self._answer(shelf, HITS, wish, dict.fromkeys(wish.addresses, ERROR + error))

    def release(self, caller: Caller) -> None:
        """The store failed its leader in a way that others may not meet: they ask at once, each for himself."""
        for shelf in self._led(caller):
            self._release(shelf)

    def left(self, caller: Caller) -> None:
        """The caller is gone, or done: the next who waits leads in his place."""
        self._writers.pop(caller, None)
        for shelf in list(self._shelves.values()):
            shelf.waiting = [wish for wish in shelf.waiting if wish.caller is not caller]
            if shelf.leader and shelf.leader.caller is caller:
                self._next(shelf, {})

    def writing(self, caller: Caller, kind: str) -> None:
        """Until this caller leaves, nothing of stores of that type is here; what is being asked will not be kept."""
        self._writers[caller] = kind
        self.forget(kind)

    def forget(self, kind: str | None = None) -> None:
        """Drops what stores of this type gave, or all; nobody waits for a leader who may have asked before."""
        for shelf in list(self._shelves.values()):
            if kind in (None, shelf.kind):
                for address in list(shelf.entries):
                    self._drop(shelf, address)
                self._release(shelf)
        self._tidy()

    def end_owner(self, owner: int) -> None:
        """Drops what nobody else uses."""
        self._disown(lambda process, _: process == owner)

    def end_use(self, use: bytes) -> None:
        """The same for a use, in whatever sessions it was."""
        self._disown(lambda _, each: each == use)

    def _disown(self, is_over: Callable[[int, bytes], bool]) -> None:
        for shelf in self._shelves.values():
            for address, entry in list(shelf.entries.items()):
                entry.owners = {owner for owner in entry.owners if not is_over(*owner)}
                if not entry.owners:
                    self._drop(shelf, address)
        self._tidy()

    def expire(self) -> None:
        """Drops what is too old."""
        now = self._clock()
        for shelf in self._shelves.values():
            for address, entry in list(shelf.entries.items()):
                if now >= entry.end:
                    self._drop(shelf, address)
        self._tidy()

    def owners(self) -> set[int]:
        shelves = self._shelves.values()
        return {process for shelf in shelves for entry in shelf.entries.values() for process, _ in entry.owners}

    def __bool__(self) -> bool:
        return any(shelf.entries for shelf in self._shelves.values())

    def report(self) -> Iterator[tuple[str, str, int, int, int, int, int]]:
        """Of each shelf: type, name, values, absent ones, owners, who waits, and the seconds since the oldest came."""
        now = self._clock()
        for shelf in self._shelves.values():
            entries = shelf.entries.values()
            values = sum(entry.answer[:1] == VALUE for entry in entries)
            owners = {process for entry in entries for process, _ in entry.owners}
            oldest = int(now - min((entry.born for entry in entries), default=now))
            yield shelf.kind, shelf.name, values, len(entries) - values, len(owners), len(shelf.waiting), oldest

    def _is_crowded(self, key: bytes) -> bool:
        return key not in self._shelves and len(self._shelves) >= _MOST_SHELVES

    def _wish_of(self, shelf: Shelf, caller: Caller) -> Asking | None:
        """The wish of a caller who asks again whether he still has to wait."""
        wishes = [shelf.leader, *shelf.waiting]
        return next((wish for wish in wishes if wish and wish.caller is caller), None)

    def _led(self, caller: Caller) -> Iterable[Shelf]:
        return [each for each in self._shelves.values() if each.leader and each.leader.caller is caller]

    def _serve(self, shelf: Shelf, wish: Asking, told: Mapping[bytes, bytes]) -> None:
        """Everything, if it is here or was just told; else the lead; else the order to wait."""
        lacking = any(self._have(shelf, wish, address, told) == UNKNOWN for address in wish.addresses)
        if not lacking:
            self._answer(shelf, HITS, wish, told)
        elif shelf.leader in (None, wish):
            shelf.leader = wish
            self._answer(shelf, LEAD if wish.caller.owner else UNKEPT, wish, told)
        else:
            shelf.waiting += [] if wish in shelf.waiting else [wish]
            wish.caller.say(WAIT)

    def _have(self, shelf: Shelf, wish: Asking, address: bytes, told: Mapping[bytes, bytes]) -> bytes:
        """What to say of an address: what the store just told, what is kept and young enough, or UNKNOWN."""
        answer = told.get(address, UNKNOWN)
        if answer[:1] in (VALUE, ABSENT, ERROR):
            return answer
        entry, now = shelf.entries.get(address), self._clock()
        return entry.answer if entry and now < min(entry.end, entry.born + wish.age) else UNKNOWN

    def _answer(self, shelf: Shelf, word: bytes, wish: Asking, told: Mapping[bytes, bytes]) -> None:
        for address in wish.addresses:
            entry = shelf.entries.get(address)
            if entry and wish.caller.owner:
                entry.owners.add((wish.caller.owner, wish.caller.use))
        answers = [self._have(shelf, wish, address, told) for address in wish.addresses]
        if sum(map(len, [word, *answers])) + len(answers) > LARGEST_FRAME:
            word, answers, shelf.leader = ALONE, [], None if shelf.leader is wish else shelf.leader
        wish.caller.say(word, *answers)

    def _next(self, shelf: Shelf, told: Mapping[bytes, bytes]) -> None:
        """The leader is done: serves those who wait, the first of whom may have to lead."""
        waiting, shelf.leader, shelf.waiting = shelf.waiting, None, []
        for wish in waiting:
            self._serve(shelf, wish, told)
        self._tidy()

    def _release(self, shelf: Shelf) -> None:
        waiting, shelf.leader, shelf.waiting = shelf.waiting, None, []
        for wish in waiting:
            wish.caller.say(ALONE)

    def _keep(self, shelf: Shelf, address: bytes, answer: bytes, wish: Asking, seconds: float) -> None:
        self._drop(shelf, address)
        size = _size(address, answer)
        if not wish.caller.owner or self._size + size > LARGEST:
            return
        now = self._clock()
        shelf.entries[address] = entry = Holding(answer, now, now + seconds)
        entry.owners.add((wish.caller.owner, wish.caller.use))
        self._size += size

    def _drop(self, shelf: Shelf, address: bytes) -> None:
        entry = shelf.entries.pop(address, None)
        self._size -= _size(address, entry.answer) if entry else 0

    def _tidy(self) -> None:
        for key in [key for key, shelf in self._shelves.items() if shelf.is_idle]:
            del self._shelves[key]


def _size(address: bytes, answer: bytes) -> int:
    return len(address) + len(answer) + _OVERHEAD
