"""Services: each with its own secrets, its command started by `envref run --only NAMES --` (commands.md 2.24)."""

from __future__ import annotations

import shlex
import tomllib
from typing import TYPE_CHECKING, Any

import tomlkit

from envref.env.file import is_name
from envref.errors import EnvrefError, meant
from envref.flox import toml_text
from envref.paths import open_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from envref.flox.toml_text import Path

_BEFORE = ["envref", "run", "--only"]
_AFTER = ["--", "sh", "-c"]
# A single quote between single quotes of sh: with double quotes, so that three single quotes never follow each other.
_QUOTED = {"'": "'\"'\"'", '"': "'\\\"'\\\"'"}  # by the quote of the TOML string around it


def wrapped(text: str, services: Mapping[str, tuple[str, ...]], *, known: Collection[str] | None = None) -> str:
    """The manifest's text in which envref starts each service with its variables; updates services it already starts.

    `known` are the project's variables. Raises EnvrefError for a service that the manifest lacks, and for a variable
    that is not known.
    """
    present = _services(text)
    faults = [fault for name, variables in services.items() for fault in _faults(present, name, variables, known)]
    if faults:
        raise EnvrefError("; ".join(faults), hint="correct services: in .envref.yaml, or the manifest's [services]")
    for name, variables in services.items():
        text = _restored(text, name)
        text = _with_command(text, name, _wrapped(_literal(text, name), ",".join(variables)))
    return text


def unwrapped(text: str) -> str:
    """The manifest's text in which every service that envref starts has its own command again."""
    for name in _services(text):
        text = _restored(text, name)
    return text


def _faults(
    present: Mapping[str, Any], name: str, variables: tuple[str, ...], known: Collection[str] | None
) -> Iterable[str]:
    service = present.get(name)
    if service is None:
        yield f'services: the manifest has no service "{name}"{_suggestion(name, present)}'
    elif not isinstance(service.get("command"), str):
        yield f'services: service "{name}" of the manifest has no command'
    if not variables:
        yield f"services.{name}: no variable is named"
    for variable in variables:
        if not is_name(variable):
            yield f'services.{name}: "{variable}" is not a variable name'
        elif known is not None and variable not in known:
            yield f'services.{name}: no env file sets "{variable}"{_suggestion(variable, known)}'


def _suggestion(name: str, names: Iterable[str]) -> str:
    near = meant(name, names)
    return f" (did you mean {near}?)" if near else ""


def names_in(path: str) -> list[str]:
    """The services of the manifest in a file; none where it can't be read."""
    try:
        with open_file(path) as file:
            return list(_services(file.read().decode("utf-8")))
    except (OSError, ValueError):
        return []


def _services(text: str) -> dict[str, dict[str, Any]]:
    """The services by name, without the other settings of the table."""
    table = toml_text.table_at(tomllib.loads(text), ("services",))
    return {name: service for name, service in table.items() if isinstance(service, dict)}


def _literal(text: str, name: str) -> str:
    """The command as the manifest writes it, quotes included."""
    start, end = toml_text.span(text, _path(name)) or (0, 0)
    return text[start:end]


def _restored(text: str, name: str) -> str:
    """The text with the service's own command, if envref starts it."""
    command = _services(text)[name].get("command")
    own = _own_command(command) if isinstance(command, str) else None
    return text if own is None else _with_command(text, name, _unwrapped(_literal(text, name), own))


def _with_command(text: str, name: str, literal: str) -> str:
    changed = toml_text.replaced(text, _path(name), literal)
    if changed is None:
        raise EnvrefError(
            f'services: the command of "{name}" can\'t be changed in the manifest', hint="change it by hand"
        )
    return changed


def _path(name: str) -> Path:
    return ("services", name, "command")


def _own_command(command: str | None) -> str | None:
    """The command that `wrap` wrapped; None for any other command."""
    try:
        words = shlex.split(command or "")
    except ValueError:
        return None
    names = words[3:4]
    return words[7] if len(words) == 8 and words == [*_BEFORE, *names, *_AFTER, words[7]] else None


def _wrapped(literal: str, names: str) -> str:
    """The literal of the wrapped command, in quotes that show which quotes the command itself had.

    A literal string of one line can't hold what sh needs: it gets three quotes, on one line. A text that contains three
    quotes gets a line end at its end.
    """
    command = toml_text.value_of(literal)
    quotes, body = _parts(literal)
    start = _start(names)
    outer, lead, end = (quotes, *_margins(body)) if len(quotes) == 3 else (quotes, "", "")
    if quotes == "'":
        outer = "'''"
    inner = body[len(lead) :].replace("'", _QUOTED[quotes[0]])
    made = f"{outer}{lead}{start}'{inner}'{end}{outer}"
    if _own_command(toml_text.value_of(made)) == command:
        return made
    # A single quote, written as \u0027.
    text = start + "'" + command.replace("'", _QUOTED["'"]) + "'"
    return tomlkit.string(text).as_string()


def _unwrapped(literal: str, command: str) -> str:
    """The literal of the command that `_wrapped` was given."""
    quotes, body = _parts(literal)
    lead, end = _margins(body) if len(quotes) == 3 else ("", "")
    is_single = quotes == "'''" and not body.endswith(end)
    inner = body[len(lead) :] if is_single else body[len(lead) :].removesuffix(end)
    own = inner.partition("'")[2].removesuffix("'").replace(_QUOTED[quotes[0]], "'")
    made = f"'{own}'" if is_single else f"{quotes}{lead}{own}{quotes}"
    return made if toml_text.value_of(made) == command else tomlkit.string(command).as_string()


def _start(names: str) -> str:
    return " ".join([*_BEFORE, names, *_AFTER, ""])


def _parts(literal: str) -> tuple[str, str]:
    """The quotes around a string, and the text between them."""
    quotes = literal[:3] if literal.startswith(("'''", '"""')) else literal[:1]
    return quotes, literal[len(quotes) : -len(quotes)]


def _margins(body: str) -> tuple[str, str]:
    """The line end after the opening quotes, which is not part of the value, and the one to put before the closing."""
    for newline in ("\r\n", "\n"):
        if body.startswith(newline):
            return newline, newline
    return "", "\n"
