"""Services that get their own secrets: each one's command behind `envref run --only NAMES --` (commands.md 2.24)."""

from __future__ import annotations

import copy
import difflib
import shlex
import tomllib
from typing import TYPE_CHECKING, Any

import tomlkit

from envref.env.file import is_name
from envref.errors import EnvrefError
from envref.flox.document import become

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_BEFORE = ["envref", "run", "--only"]
_AFTER = ["--", "sh", "-c"]
# A single quote between single quotes of sh: with double quotes, so that never three of a kind are in a row.
_QUOTED = {"'": "'\"'\"'", '"': "'\\\"'\\\"'"}  # by the quote of the TOML string around it


def wrap(
    document: tomlkit.TOMLDocument, services: Mapping[str, tuple[str, ...]], *, known: Collection[str] | None = None
) -> None:
    """Has envref start each service, with its variables; one that is started so already gets the new names.

    `known` are the project's variables. Raises EnvrefError for a service that the manifest lacks, and for a variable
    that is not known; the document is then as before.
    """
    faults = [fault for name, variables in services.items() for fault in _faults(document, name, variables, known)]
    if faults:
        raise EnvrefError("; ".join(faults), hint="correct services: in .envref.yaml, or the manifest's [services]")
    for name, variables in services.items():
        _restore(document, name)
        literal = _literal(document, name)
        _replace(document, name, literal, _wrapped(literal, ",".join(variables)))


def unwrap(document: tomlkit.TOMLDocument) -> None:
    """Gives every service that envref starts its own command back."""
    for name, service in _services(document).items():
        if isinstance(service, dict):
            _restore(document, name)


def _faults(
    document: tomlkit.TOMLDocument, name: str, variables: tuple[str, ...], known: Collection[str] | None
) -> Iterable[str]:
    services = {key: value for key, value in _services(document).items() if isinstance(value, dict)}
    service = services.get(name)
    if service is None:
        yield f'services: the manifest has no service "{name}"{_suggestion(name, services)}'
    elif not isinstance(service.get("command"), str):
        yield f'services: service "{name}" of the manifest has no command'
    if not variables:
        yield f"services.{name}: no variable is named"
    for variable in variables:
        if not is_name(variable):
            yield f'services.{name}: "{variable}" is no name of a variable'
        elif known is not None and variable not in known:
            yield f'services.{name}: no env file sets "{variable}"{_suggestion(variable, known)}'


def _suggestion(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), 1, 0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def _services(document: tomlkit.TOMLDocument) -> dict[str, Any]:
    services: dict[str, Any] = tomllib.loads(document.as_string()).get("services", {})
    return services


def _literal(document: tomlkit.TOMLDocument, name: str) -> str:
    """The command as the manifest writes it, quotes included."""
    literal: str = document["services"][name]["command"].as_string()
    return literal


def _restore(document: tomlkit.TOMLDocument, name: str) -> None:
    """Gives the service its own command back, if envref starts it."""
    command = _services(document)[name].get("command")
    own = _own_command(command) if isinstance(command, str) else None
    if own is None:
        return
    literal = _literal(document, name)
    _replace(document, name, literal, _unwrapped(literal, own))


def _own_command(command: str | None) -> str | None:
    """What sh is to run in a command that `wrap` made; None for any other command."""
    try:
        words = shlex.split(command or "")
    except ValueError:
        return None
    names = words[3:4]
    return words[7] if len(words) == 8 and words == [*_BEFORE, *names, *_AFTER, words[7]] else None


def _wrapped(literal: str, names: str) -> str:
    """The literal of the wrapped command, in quotes that tell which ones the command itself had.

    A literal string of one line can't hold what sh needs: it gets three quotes, on one line. A text that has three
    quotes itself ends in a line end.
    """
    command = _value(literal) or ""
    quotes, body = _parts(literal)
    start = _start(names)
    outer, lead, end = (quotes, *_margins(body)) if len(quotes) == 3 else (quotes, "", "")
    if quotes == "'":
        outer = "'''"
    inner = body[len(lead) :].replace("'", _QUOTED[quotes[0]])
    made = f"{outer}{lead}{start}'{inner}'{end}{outer}"
    if _own_command(_value(made)) == command:
        return made
    # A quote that is written as \u0027.
    text = start + "'" + command.replace("'", _QUOTED["'"]) + "'"
    return tomlkit.item(text).as_string()


def _unwrapped(literal: str, command: str) -> str:
    """The literal of the command that `_wrapped` was given."""
    quotes, body = _parts(literal)
    lead, end = _margins(body) if len(quotes) == 3 else ("", "")
    is_single = quotes == "'''" and not body.endswith(end)
    inner = body[len(lead) :] if is_single else body[len(lead) :].removesuffix(end)
    own = inner.partition("'")[2].removesuffix("'").replace(_QUOTED[quotes[0]], "'")
    made = f"'{own}'" if is_single else f"{quotes}{lead}{own}{quotes}"
    return made if _value(made) == command else tomlkit.item(command).as_string()


def _start(names: str) -> str:
    return " ".join([*_BEFORE, names, *_AFTER, ""])


def _parts(literal: str) -> tuple[str, str]:
    """The quotes around a string, and what is between them."""
    quotes = literal[:3] if literal.startswith(("'''", '"""')) else literal[:1]
    return quotes, literal[len(quotes) : -len(quotes)]


def _margins(body: str) -> tuple[str, str]:
    """The line end after the opening quotes, which is no part of the value, and the one to put before the closing."""
    for newline in ("\r\n", "\n"):
        if body.startswith(newline):
            return newline, newline
    return "", "\n"


def _value(literal: str) -> str | None:
    """The string that a literal stands for; None for text that is none."""
    try:
        value = tomllib.loads(f"x = {literal}")["x"]
    except tomllib.TOMLDecodeError:
        return None
    return value if isinstance(value, str) else None


def _replace(document: tomlkit.TOMLDocument, name: str, old: str, new: str) -> None:
    """Puts one literal in the place of the other as the service's command, and changes no other byte."""
    text = document.as_string()
    wanted = copy.deepcopy(tomllib.loads(text))
    wanted["services"][name]["command"] = _value(new)
    at = text.find(old)
    while at >= 0:
        changed = text[:at] + new + text[at + len(old) :]
        if _read(changed) == wanted:
            become(document, changed)
            return
        at = text.find(old, at + 1)
    raise EnvrefError(f'services: the command of "{name}" can\'t be changed in the manifest', hint="change it by hand")


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
