"""The cursor of a command line that a shell completes: the command before it, and what the word there may be.

It reads `vocabulary`, which `make reference` makes from the commands, so no command and no click is imported.
"""

from __future__ import annotations

from envref.cli.candidates import LIST, SEVERAL, program
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
    words = _joined(line)
    cursor = Cursor()
    options = _by_word(cursor.command)
    arguments: list[str] | None = None  # of a command, none for a group
    closed = False
    value: Option | None = None
    for place, word, prefix in words:
        is_last = place == len(line) - 1
        if value:
            if is_last:
                return cursor.stand(value[1], word)
            cursor.give(value, word)
            value = None
        elif word.startswith("-") and not closed and (len(word) > 1 or is_last):
            if is_last:
                return _on_option(cursor, options, word, prefix)
            closed = word == "--"
            value = None if closed else _read_option(cursor, options, word)
        elif arguments is None:
            if is_last:
                return cursor.stand(COMMAND, word)
            path = f"{cursor.command} {word}".strip()
            if path not in COMMANDS:
                return cursor.stand("text", "")
            cursor.command, options = path, _by_word(path)
            arguments = None if path in GROUPS else [kind for words, kind, _ in COMMANDS[path] if not words]
        else:
            kind = arguments[0] if arguments else "text"
            if kind.removesuffix(SEVERAL) == program.name:
                cursor.place = place
                return cursor.stand(kind, word)
            if is_last:
                return cursor.stand(kind, word)
            arguments = arguments if kind.endswith(SEVERAL) else arguments[1:]
    return cursor


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
        return cursor.stand("text", value)
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
