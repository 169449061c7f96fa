"""Stale: which names of a shell are old, by what it was given (`seen`) and what the stores have now."""

from __future__ import annotations

import time

from envref.backends.revision import is_same, version_of, written_at
from envref.fresh.seen import NOTHING, PINNED, split
from envref.fresh.seen import sources as sources_of
from envref.refs.outcome import Failed, Missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envref.env.environment import Filled
    from envref.fresh.seen import Sources
    from envref.refs.outcome import Outcome

FRESH, STALE, GONE, UNKNOWN = "fresh", "stale", "gone", "unknown"
_LATER = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_SHORT = 8  # characters of a version that is no number


class Verdict:
    """How one name of the shell stands. `seen` and `now` are its sources; `cure` is a line for people, or none."""

    __slots__ = ("cure", "name", "now", "reason", "seen", "status")

    def __init__(
        self, name: str, status: str, seen: Sources, now: Sources = (), reason: str = "", cure: Iterable[str] = ()
    ) -> None:
        self.name = name
        self.status = status
        self.seen = seen
        self.now = now
        self.reason = reason
        self.cure = list(cure)

    def line(self) -> str:
        """`DB_PASSWORD  ssm 7 -> 8 (2 minutes ago)`."""
        words = {STALE: self.reason or _change(self.seen, self.now), GONE: f"gone: {self.reason}", FRESH: "fresh"}
        return f"{self.name}  {words.get(self.status, f'can not be told: {self.reason}')}"


def verdicts(seen: Mapping[str, Sources], filled: Mapping[str, Filled]) -> list[Verdict]:
    """How each name stands that the shell was given; `filled` is what became of the project's variables now."""
    return [verdict(name, old, filled.get(name)) for name, old in seen.items()]


def verdict(name: str, old: Sources, filled: Filled | None) -> Verdict:
    if filled is None:
        return Verdict(name, GONE, old, reason="no file of the project sets it")
    now = sources_of(filled)
    if len(now) != len(old):
        return Verdict(name, STALE, old, now, reason="its line has other references now")
    found = [_compared(*each) for each in zip(old, now, (outcome for _, outcome in filled.sources), strict=True)]
    for status in (GONE, STALE, UNKNOWN):
        for each in found:
            if each[0] == status:
                return Verdict(name, status, old, now, *each[1:])
    return Verdict(name, FRESH, old, now)


def _compared(old: str, now: str, outcome: Outcome) -> tuple[str, str, Iterable[str]]:
    """Status, reason and cure for one source."""
    if isinstance(outcome, Failed):
        return UNKNOWN, outcome.reason, outcome.error.cure()
    if isinstance(outcome, Missing) and outcome.is_there:
        return UNKNOWN, outcome.reason, ()
    if isinstance(outcome, Missing) and old != NOTHING:
        return GONE, outcome.reason, ()
    if old == PINNED:
        return FRESH, "", ()
    (old_store, old_revision), (store, revision) = split(old), split(now)
    if old_store != store:
        return STALE, "", ()
    if not store:
        return FRESH, "", ()
    same = is_same(old_revision, revision)
    if same is None:
        return UNKNOWN, f'backend "{store}" tells no revision', ["hint: compare by reading: envref stale --read"]
    return (FRESH if same else STALE), "", ()


def by_value(now: Verdict, *, is_value: bool) -> Verdict:
    """A verdict after reading, where no store tells a revision. `is_value`: the shell has what is there now."""
    status = FRESH if is_value else STALE
    return Verdict(now.name, status, now.seen, now.now, "" if is_value else "has another value now")


def _change(old: Sources, now: Sources) -> str:
    """Of each source that changed: the store, from which revision to which, and since when."""
    changed = [(one, other) for one, other in zip(old, now, strict=True) if one != other]
    return ", ".join(_step(*each) for each in changed)


def _step(old: str, now: str) -> str:
    (old_store, old_revision), (store, revision) = split(old), split(now)
    if not store:
        return f"{_written(old_store, old_revision)} -> default"
    if old_store == store:
        return f"{store} {shown(old_revision)} -> {shown(revision)}{since(revision)}"
    return f"{_written(old_store, old_revision) or 'nothing'} -> {_written(store, revision)}{since(revision)}"


def _written(store: str, revision: str) -> str:
    """Where a value is from, and which; a store may keep no revisions."""
    return f"{store} {shown(revision)}".strip()


def shown(revision: str) -> str:
    """A revision for people: its version, short, or else its date."""
    version, written = version_of(revision), written_at(revision)
    if not version and written is not None:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(written))
    known = "".join(each if each.isascii() and each.isprintable() else "?" for each in version)
    return known if known.isdecimal() or len(known) <= _SHORT else known.removeprefix("blob-")[:_SHORT]


def since(revision: str) -> str:
    """` (2 minutes ago)`, or nothing where it has no date."""
    written = written_at(revision)
    return "" if written is None else f" ({age(written)})"


def age(written: float) -> str:
    """How long ago a time was, in its largest unit: `2 minutes ago`."""
    passed = max(0, int(time.time() - written))
    for unit, seconds in _LATER:
        count = passed // seconds
        if count:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
