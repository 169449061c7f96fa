"""envref.lock: the writing of each secret that a project is pinned to, as a committed file (docs/lock.md).

After a first line with the format come lines `NAME STORE ADDRESS PIN`, and below `[PROFILE]` those of a profile. A pin
is `@REVISION`, `unpinned` where the store keeps no versions, or `absent` where no store had it. It holds no value and
nothing made of one. Where a secret is asked for never comes from it: an address is compared with the project's own.
"""

from __future__ import annotations

import os

from envref import atomic
from envref.backends.revision import is_revision
from envref.env.file import is_name
from envref.errors import EnvrefError, MalformedFile, Problem
from envref.paths import open_file
from envref.project.config.model import is_profile_name
from envref.project.project import env_path, words_of
from envref.refs.reference import IN_NAME, escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from envref.refs.address import Address

    Sections = Mapping[str | None, Iterable["Pin"]]

FILE = "envref.lock"
UNPINNED, ABSENT = "unpinned", "absent"
_AT = "@"
_FORMAT = "envref-lock"
_VERSION = "1"
_NOTE = "# Written by `envref lock`, to be committed. It names versions of secrets and holds no value."
_LARGEST = 4 << 20  # bytes
_MOST_PROBLEMS = 20
_CONFLICT = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")  # how git marks what it could not merge
_ADDRESS = frozenset(IN_NAME | frozenset("%?=#"))
_STORE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


class Pin:
    """One line: a variable, and where one of the secrets in its own value is. `state` is the pin as it is written."""

    __slots__ = ("address", "name", "state", "store")

    def __init__(self, name: str, store: str, address: str, state: str) -> None:
        self.name = name
        self.store = store
        self.address = address
        self.state = state

    @property
    def place(self) -> tuple[str, str]:
        return self.store, self.address

    @property
    def revision(self) -> str:
        """What it is pinned to; empty for one that is not."""
        return self.state[1:] if self.state.startswith(_AT) else ""

    def words(self) -> tuple[str, ...]:
        return self.name, self.store, self.address, self.state

    def at(self, state: str) -> Pin:
        return Pin(self.name, self.store, self.address, state)


def pinned(revision: str) -> str:
    """The state of a pin to a revision."""
    return _AT + revision


def shown_place(address: Address) -> str:
    """An address as a line has it: `PROJECT/KEY`, or `//NAME` for a name of the store's own; with version and field."""
    name = address.full_key if address.foreign is None else f"//{address.foreign}"
    version = "" if address.version is None else f"?version={escaped(address.version)}"
    field = "" if address.field is None else f"#{escaped(address.field)}"
    return escaped(name, IN_NAME) + version + field


def read(root: str) -> dict[str | None, list[Pin]]:
    """The sections of a project's lock by profile; none without the file.

    MalformedFile, which quotes nothing of it, for one that can't be used; EnvrefError for one that can't be read.
    """
    try:
        with open_file(env_path(root, FILE)) as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise EnvrefError((error.strerror or "unreadable").lower(), subject=f"reading {FILE}") from None
    if len(data) > _LARGEST:
        raise EnvrefError(f"larger than {_LARGEST >> 20} MiB", subject=f"reading {FILE}")
    return parse(data)


def section(root: str, profile: str | None) -> list[Pin]:
    """The lines for a profile. EnvrefError where the lock has none for it, or is not there."""
    sections = read(root)
    if profile in sections:
        return sections[profile]
    fact = f'{FILE} has no section for profile "{profile}"' if sections else f"no {FILE} in the project"
    raise EnvrefError(fact, run=("envref", "lock", *words_of(profile)))


def write(root: str, sections: Sections) -> None:
    """Replaces the file, or makes it."""
    atomic.write(os.path.join(root, FILE), text(sections).encode(), inside=root)


def edited(root: str) -> atomic.Lock:
    """A context in which nobody else changes the file."""
    return atomic.lock(os.path.join(root, FILE), inside=root)


def text(sections: Sections) -> str:
    """The file's text: sections and lines in their order, so that git merges what two people changed."""
    lines = [f"{_FORMAT} {_VERSION}", _NOTE, ""]
    for profile in sorted(sections, key=lambda each: each or ""):
        lines += ["", f"[{profile}]"] if profile else []
        lines += sorted({" ".join(pin.words()) for pin in sections[profile]})
    return "".join(f"{line}\n" for line in lines)


def parse(data: bytes) -> dict[str | None, list[Pin]]:
    """The sections in the text of a lock. Raises MalformedFile with every problem."""
    reading = _Parsing()
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        reading.take(number, line.removesuffix("\r"))
        if reading.is_over:
            break
    if reading.problems:
        raise MalformedFile(reading.problems)
    return reading.sections


class _Parsing:
    """A lock, line by line."""

    def __init__(self) -> None:
        self.sections: dict[str | None, list[Pin]] = {None: []}
        self.problems: list[Problem] = []
        self.profile: str | None = None
        self.states: dict[tuple[str | None, str, str], str] = {}
        self.is_foreign = False

    @property
    def is_over(self) -> bool:
        return self.is_foreign or len(self.problems) >= _MOST_PROBLEMS

    def take(self, number: int, line: str) -> None:
        fault = self._first(line) if number == 1 else self._fault(line)
        if fault:
            column, fact = fault
            self.problems.append(Problem(FILE, number, column, fact))

    def _first(self, line: str) -> tuple[int, str] | None:
        word, _, version = line.partition(" ")
        self.is_foreign = word != _FORMAT or version != _VERSION
        if line.startswith(_CONFLICT):
            return 1, _OPEN_CONFLICT
        if word != _FORMAT:
            return 1, f'not a lock of envref: its first line is "{_FORMAT} {_VERSION}"; delete it and run: envref lock'
        return None if version == _VERSION else (len(word) + 2, "of a format that this envref does not know; update it")

    def _fault(self, line: str) -> tuple[int, str] | None:
        """Takes a line. Column and fact of what is wrong with it, or None."""
        if line.startswith(_CONFLICT):
            return 1, _OPEN_CONFLICT
        if not line or line.startswith("#"):
            return None
        return self._header(line) if line.startswith("[") else self._line(line)

    def _header(self, line: str) -> tuple[int, str] | None:
        name = line[1:].removesuffix("]")
        if not line.endswith("]") or not is_profile_name(name):
            return 2, "not the name of a profile, as in [staging]"
        if name in self.sections:
            return 2, "a second section of this profile"
        self.profile = name
        self.sections[name] = []
        return None

    def _line(self, line: str) -> tuple[int, str] | None:
        column, words = 1, line.split(" ")
        for word, (what, is_good) in zip(words, _WORDS, strict=False):
            if not is_good(word):
                return column, f"not {what}"
            column += len(word) + 1
        if len(words) != len(_WORDS):
            return min(column, len(line) + 1), "not a line of NAME STORE ADDRESS PIN"
        pin = Pin(*words)
        known = self.states.setdefault((self.profile, *pin.place), pin.state)
        if known != pin.state:
            return column - len(pin.state) - 1, f"a second pin of the same secret; {_AGAIN}"
        self.sections[self.profile].append(pin)
        return None


_AGAIN = "keep one of the lines, then run: envref lock"
_OPEN_CONFLICT = f"a conflict that git left open; {_AGAIN}"


def _is_pin(word: str) -> bool:
    return word in (UNPINNED, ABSENT) or (word.startswith(_AT) and len(word) > 1 and is_revision(word[1:]))


def _is_store(word: str) -> bool:
    return bool(word) and _STORE.issuperset(word)


def _is_address(word: str) -> bool:
    return bool(word) and _ADDRESS.issuperset(word)


_WORDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("the name of a variable", is_name),
    ("the name of a backend", _is_store),
    ("an address", _is_address),
    (f"a pin: {_AT}REVISION, {UNPINNED} or {ABSENT}", _is_pin),
)
