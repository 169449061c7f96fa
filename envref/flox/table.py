"""The table of a Flox plugin that replaces the env files: a JSON object of names and references (flox.md 6.5)."""

from __future__ import annotations

import json

from envref.env.file import SHELL_ALLOWED, Entry, EnvFile, is_shell_name, reserved
from envref.env.source import BOM, Source
from envref.errors import EnvrefError, MalformedFile, Problem, printable
from envref.project.project import Project, configured
from envref.refs.reference import SCHEME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

STDIN = "-"
LARGEST = 1024 * 1024  # bytes; a thousand references take a tenth of it
_MOST_PROBLEMS = 20
_LONGEST_SHOWN = 40  # characters of an invalid name
_BLANKS = " \t\n\r"
_SHAPE = 'expected a JSON object of "NAME": "ref://STORE/KEY", as flox_plugin_data envref prints it'
# Numbers only have to differ from strings; Python refuses to read an int of many digits.
_DECODER = json.JSONDecoder(parse_int=float)


def load(start: str, profile: str | None, path: str) -> Project:
    """The project around `start` with the variables of the table at `path`; `-` is standard input.

    Raises NoProject, EnvrefError for a config or a table that can't be used.
    """
    project = configured(start, profile)
    return Project(project.root, project.config, project.profile, files=[read(path)], warnings=project.warnings)


def read(path: str) -> EnvFile:
    """The table as a file whose entries are references. Raises EnvrefError, also as MalformedFile."""
    name = "standard input" if path == STDIN else path or '""'
    try:
        data = _bytes(path)
    except OSError as error:
        raise EnvrefError(f"{name}: {(error.strerror or 'unreadable').lower()}") from None
    if len(data) > LARGEST:
        raise EnvrefError(f"{name}: more than {LARGEST // 1024 // 1024} MiB; {_SHAPE}")
    return parse(data.decode("utf-8", "surrogateescape"), name)


def parse(text: str, name: str) -> EnvFile:
    """The table that `text` holds. No message repeats a value: what is not a reference may be a secret."""
    source = Source(text.removeprefix(BOM), name)
    _check_shape(source)
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    for entry, value in _members(source):
        fault = f"{entry.name}: defined twice" if entry.name in entries else _fault(entry.name, value)
        entries[entry.name] = entry
        if fault and len(problems) < _MOST_PROBLEMS:
            problems.append(Problem(name, entry.line, entry.column, fault))
    if problems:
        raise MalformedFile(problems)
    return EnvFile(source, list(entries.values()), [])


def _bytes(path: str) -> bytes:
    """All bytes, or a little more than is allowed. A pipe is fine: the caller names it, not the project."""
    with open(0 if path == STDIN else path, "rb", closefd=path != STDIN) as file:
        return file.read(LARGEST + 1)


def _check_shape(source: Source) -> None:
    text = source.text
    if not text.strip(_BLANKS):
        raise EnvrefError(f"{source.file}: empty; {_SHAPE}")
    try:
        table = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _malformed(source, error.pos, f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except RecursionError:
        table = None
    if not isinstance(table, dict):
        raise _malformed(source, 0, "not an object")


def _malformed(source: Source, at: int, text: str) -> MalformedFile:
    return MalformedFile([Problem(source.file, *source.position(at), f"{text}; {_SHAPE}")])


def _members(source: Source) -> Iterator[tuple[Entry, object]]:
    """Each member of a well-formed object as an assignment, with its JSON value."""
    text = source.text
    at = _next(text, _next(text, 0) + 1)
    while text[at] != "}":
        name, end = _DECODER.raw_decode(text, at)
        start = _next(text, _next(text, end) + 1)
        value, end = _DECODER.raw_decode(text, start)
        reference = value if isinstance(value, str) else ""
        yield Entry(source, name, at, start=start, end=end, text=reference, quote="'"), value
        at = _next(text, end)
        if text[at] == ",":
            at = _next(text, at + 1)


def _next(text: str, at: int) -> int:
    """The offset of the first character from `at` on that is not a blank."""
    while text[at] in _BLANKS:
        at += 1
    return at


def _fault(name: str, value: object) -> str:
    if not is_shell_name(name):
        shown = printable(name[:_LONGEST_SHOWN])
        return f'invalid name "{shown}" ({SHELL_ALLOWED})'
    own = reserved(name)
    if own:
        return f"{name}: names starting with {own} are reserved and can't be set from a table"
    if not isinstance(value, str):
        return f'{name}: not a string; write {name} = "ref://STORE/KEY" (one reference a variable)'
    if not value.startswith(SCHEME):
        return f"{name}: not a reference; write ref://STORE/KEY, and what is not a secret in [vars] of the manifest"
    if not value.isprintable():
        return f"{name}: the reference holds a character that is not text; write it as %XX"
    return ""
