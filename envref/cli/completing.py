"""The door of completion: what a script of `envref completion` asks, and the answer in the form that its shell reads.

The script asks by two variables: `_ENVREF_COMPLETE`, and in `COMP_WORDS` the words up to the cursor, one a line.
Scripts that click made for older releases ask with `COMP_CWORD` too, and their answers are read the same way.
"""

from __future__ import annotations

from envref import streams
from envref.cli import candidates, cursor
from envref.errors import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from envref.cli.cursor import Cursor

VARIABLE = "_ENVREF_COMPLETE"
_PLAIN, _OPEN = "plain", "part"  # what ends the word, and what is only its beginning
_OF_SHELL = ("file", "directory", "program")  # what the shell itself completes
_CALLED = {"directory": "dir"}  # as click's scripts call it


def answer(environment: Mapping[str, str]) -> Callable[[], int] | None:
    """What the door does for this environment; None where it asks for nothing that is known here."""
    shell, _, what = environment.get(VARIABLE, "").partition("_")
    if shell not in _FORMS or what not in ("complete", "source"):
        return None
    if what == "source":
        return lambda: _source(shell)
    return lambda: _complete(shell, _words(environment))


def _source(shell: str) -> int:
    from envref.cli.scripts import SCRIPTS

    streams.write(SCRIPTS[shell])
    return OK


def _complete(shell: str, words: list[str]) -> int:
    at = cursor.read(words)
    streams.write("".join(_FORMS[shell](*item) for item in _items(at)))
    return OK


def _items(at: Cursor) -> Iterable[tuple[str, str, str]]:
    """Sort, text and help of all that may stand at the cursor."""
    if at.kind in (cursor.COMMAND, cursor.OPTION):
        found = sorted(at.commands() if at.kind == cursor.COMMAND else at.words())
        return [(_PLAIN, word, text) for word, text in found if word.startswith(at.word)]
    if at.kind in _OF_SHELL:
        return [(_CALLED.get(at.kind, at.kind), str(at.place) if at.place else at.word, "")]
    from envref.cli import project_names

    sort = _OPEN if at.kind == candidates.assignments.name else _PLAIN
    return [(sort, at.prefix + name, "") for name in project_names.found(at)]


def _bash(sort: str, text: str, _help: str) -> str:
    return f"{sort},{text}\n"


def _zsh(sort: str, text: str, about: str) -> str:
    return f"{sort}\n{text}\n{about or '_'}\n"


def _fish(sort: str, text: str, about: str) -> str:
    return f"{sort},{text}\t{about}\n" if about else f"{sort},{text}\n"


_FORMS = {"bash": _bash, "zsh": _zsh, "fish": _fish}


def _words(environment: Mapping[str, str]) -> list[str]:
    """The words up to the cursor, the last of them the one to complete."""
    text, place = environment.get("COMP_WORDS", ""), environment.get("COMP_CWORD")
    if place is None:
        return [_unquoted(word) for word in text.split("\n")]
    from envref.cli.shell_words import words

    return words(text, place, environment[VARIABLE])


def _unquoted(word: str) -> str:
    """The word without the quotes and backslashes that bash leaves in it."""
    if not {"'", '"', "\\"} & set(word):
        return word
    from envref.cli.shell_words import split

    return "".join(split(word)[:1])
