"""Edits of an env file: the characters of one place are replaced, so whatever an edit doesn't touch stays as it was."""

from __future__ import annotations

from envref.env.file import ALLOWED, ESCAPES, LITERAL_DOLLAR, RESERVED, EnvFile, name_fault
from envref.env.source import BOM, newline
from envref.errors import EnvrefError, UsageError, printable

# commands.md 12: what is written without quotes
_INERT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./~^-")


_INERT_BEFORE_BACKSLASH = _INERT | {"\\"}  # then other readers take it as it stands, and no closing quote


def with_value(file: EnvFile, name: str, value: str, *, expand: bool = False, exported: bool = False) -> EnvFile:
    """The file with `name` set to exactly `value`, or to the template `value` when `expand` is set.

    Replaces the last assignment of the name, or appends one. `exported` puts `export` before it. Raises UsageError for
    a name that no file may set, MalformedFile for a value that no text file can hold.
    """
    _check_name(name)
    old = file.get(name)
    quote = '"' if expand else _quote_for(value, old.quote if old else "")
    live = quote == '"' and not expand
    written = quote + _escaped(value, quote, live=live).replace("\n", newline(file.source.text)) + quote
    edited = EnvFile.parse(_edited(file, name, written, exported=exported), file.name)
    new = edited.get(name)
    if new is None or new.text != (value.replace("$", "$$") if live else value):
        raise EnvrefError(
            f"{file.name}: {name} would not read back as given; nothing was changed",
            hint="store it as a secret instead: envref secret set",
        )
    return edited


def without(file: EnvFile, name: str) -> EnvFile:
    """The file without the lines of every assignment of `name`."""
    source = file.source
    text = source.text
    for entry in reversed(file.entries):
        if entry.name == name:
            after = source.line_end(entry.end) + 1
            text = text[: source.line_start(entry.at)] + text[after:]
    return EnvFile.parse(text, file.name)


def _edited(file: EnvFile, name: str, written: str, *, exported: bool) -> str:
    text = file.source.text
    old = file.get(name)
    if old:
        prefix = "export " if exported and not old.exported else ""
        return text[: old.at] + prefix + text[old.at : old.start] + written + text[old.end :]
    line = ("export " if exported else "") + name + "=" + written
    if text in ("", BOM) or text.endswith("\n"):
        return text + line + newline(text)
    return text + newline(text) + line  # a missing final newline stays missing


def _check_name(name: str) -> None:
    fault = name_fault(name)
    if fault and name.startswith(RESERVED):
        raise UsageError(fault[1])
    if fault:
        raise UsageError(f'invalid name "{printable(name)}"', hint=ALLOWED)


def _quote_for(value: str, old: str) -> str:
    """The quote to write a literal value with: the old one if possible, else the simplest one.

    Single quotes before double ones: node's dotenv and Docker read other escapes in those than we do.
    """
    if old and _holds(old, value):
        return old
    if (_INERT_BEFORE_BACKSLASH if value.endswith("\\") else _INERT).issuperset(value):
        return ""
    return "'" if _holds("'", value) else '"'


def _holds(quote: str, value: str) -> bool:
    """Whether the value can stand between these quotes as it is, and reads back the same here and elsewhere.

    To python-dotenv and node's dotenv, a backslash before the closing quote takes that along (both were run).
    """
    return (
        not any(each in value for each in '$\\"\r')
        if quote == '"'
        else not value.endswith("\\") and quote not in value and "\r" not in value
    )


def _escaped(text: str, quote: str, *, live: bool) -> str:
    if quote != '"':
        return text
    for pair, character in ESCAPES.items():
        text = text.replace(character, pair)
    return text.replace("$", LITERAL_DOLLAR) if live else text
