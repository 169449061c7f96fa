"""The cursor of a command line that a shell completes: the command before it, and what the word there may be.

It reads `vocabulary`, which `make reference` makes from the commands, so no command and no click is imported.
"""

from __future__ import annotations

from envref.cli import candidates
from envref.cli.candidates import LIST, SEVERAL
from envref.cli.summaries import SECTIONS
from envref.cli.vocabulary import COMMANDS, EVERYWHERE, GROUPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Option = tuple[str, str, str]  # its words, the kind of its value, its help; hidden without help
    Words = Mapping[str, Option]

FLAG, COMMAND, OPTION = "", "command", "option"


class Cursor:
    """`command` is its words without `envref`; `options` are its values so far, by each of the option's words.

    `kind` says what `word` may be. `prefix` stands before `word` in what the shell replaces. `place` is the number of
    the word that begins another program's command line, 0 without one.
    """

    __slots__ = ("_given", "command", "kind", "options", "place", "prefix", "word")

    def __init__(self) -> None:
        self.command = ""
        self.kind = COMMAND
        self.word = self.prefix = ""
        self.options: dict[str, str] = {}
        self.place = 0
        self._given: set[str] = set()

    def commands(self) -> Iterator[tuple[str, str]]:
        """The commands that may stand here, and what each is for."""
        if self.command:
            yield from GROUPS[self.command].items()
            return
        for summaries in SECTIONS.values():
            yield from summaries.items()

    def words(self) -> Iterator[tuple[str, str]]:
        """The options that may stand here, and what each is for."""
        for words, kind, text in _options(self.command):
            each = words.split(" ")
            if text and (kind.endswith(SEVERAL) or self._given.isdisjoint(each)):
                yield from ((word, text) for word in each)

    def option(self, word: str) -> str | None:
        """The value that the option of this word has."""
        return self.options.get(word)

    def give(self, option: Option, value: str) -> None:
        """Takes an option that is before the cursor."""
        words = option[0].split(" ")
        self._given.update(words)
        if value:
            self.options |= dict.fromkeys(words, value)

    def stand(self, kind: str, word: str, prefix: str = "") -> Cursor:
        """Ends at a word of this kind."""
        kind = kind.removesuffix(SEVERAL)
        if kind.startswith(LIST):
            kind = kind.removeprefix(LIST)
            before, comma, word = word.rpartition(",")
            prefix += before + comma
        self.kind, self.word, self.prefix = kind, word, prefix
        return self


def read(line: Sequence[str]) -> Cursor:
    """The cursor in the last of the words, of which the first is the program."""
    reader = _LineReader()
    words = list(_joined(line))
    for place, word, _ in words[:-1]:
        if not reader.take(place, word):
            return reader.cursor
    return reader.stand(*words[-1]) if words else reader.cursor


class _LineReader:
    """Takes the words before the cursor one by one.

    `_arguments` are the kinds that are still to come, None for a group; `_value` is the option whose value comes next.
    """

    __slots__ = ("_arguments", "_closed", "_options", "_value", "cursor")

    def __init__(self) -> None:
        self.cursor = Cursor()
        self._options = _by_word("")
        self._arguments: list[str] | None = None
        self._closed = False  # by `--`
        self._value: Option | None = None

    def take(self, place: int, word: str) -> bool:
        """Takes the word; False where the cursor is settled by it."""
        if self._value:
            self.cursor.give(self._value, word)
            self._value = None
        elif word[:1] == "-" and word[1:] and not self._closed:
            self._closed = word == "--"
            self._value = None if self._closed else _read_option(self.cursor, self._options, word)
        elif self._arguments is None:
            return self._enter(f"{self.cursor.command} {word}".strip())
        elif _is_program(self._kind()):
            self.stand(place, word, "")
            return False
        elif not self._kind().endswith(SEVERAL):
            self._arguments = self._arguments[1:]
        return True

    def stand(self, place: int, word: str, cut: str) -> Cursor:
        """The cursor in this word."""
        if self._value:
            return self.cursor.stand(self._value[1], word)
        if word[:1] == "-" and not self._closed:
            return _on_option(self.cursor, self._options, word, cut)
        if self._arguments is None:
            return self.cursor.stand(COMMAND, word)
        if _is_program(self._kind()):
            self.cursor.place = place
        return self.cursor.stand(self._kind(), word)

    def _kind(self) -> str:
        """Of the next argument."""
        return self._arguments[0] if self._arguments else candidates.text.name

    def _enter(self, path: str) -> bool:
        if path not in COMMANDS:
            self.cursor.stand(candidates.text.name, "")
            return False
        self.cursor.command, self._options = path, _by_word(path)
        if path not in GROUPS:
            self._arguments = [kind for words, kind, _ in COMMANDS[path] if not words]
        return True


def _is_program(kind: str) -> bool:
    return kind.removesuffix(SEVERAL) == candidates.program.name


def _options(command: str) -> Iterator[Option]:
    """The options of a command, its own and those that every command takes."""
    own = [entry for entry in COMMANDS[command] if entry[0]]
    yield from own
    taken = {word for words, _, _ in own for word in words.split(" ")}
    for words, kind, text in EVERYWHERE:
        left = [word for word in words.split(" ") if word not in taken]
        if left:
            yield " ".join(left), kind, text


def _by_word(command: str) -> dict[str, Option]:
    return {word: option for option in _options(command) for word in option[0].split(" ")}


def _joined(line: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Number and text of each word behind the program, and what bash has cut from it: it makes `--o=v` three words."""
    place = 1
    while place < len(line):
        word = line[place]
        if word[:2] == "--" and word[2:] and line[place + 1 : place + 2] == ["="] and place + 2 < len(line):
            place += 2
            yield place, f"{word}={line[place]}", f"{word}="
        else:
            yield place, word, ""
        place += 1


def _on_option(cursor: Cursor, options: Words, word: str, cut: str) -> Cursor:
    name, equals, value = word.partition("=")
    option = options.get(name)
    if not equals:
        return cursor.stand(OPTION, word)
    if not name.startswith("--") or option is None or option[1] == FLAG:
        return cursor.stand(candidates.text.name, value)
    return cursor.stand(option[1], value, "" if cut else f"{name}=")


def _read_option(cursor: Cursor, options: Words, word: str) -> Option | None:
    """Takes the option; returns it if its value is the next word."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        option = options.get(name)
        if option is None:
            return None
        cursor.give(option, value)
        return None if equals or option[1] == FLAG else option
    for place, letter in enumerate(word[1:], 2):
        option = options.get(f"-{letter}")
        if option is None:
            return None
        cursor.give(option, "" if option[1] == FLAG else word[place:])
        if option[1] != FLAG:
            return None if word[place:] else option
    return None
