"""What people read about a `$` that stands for nothing: usually a `$` that was meant as it is."""

from __future__ import annotations

from envref.env.source import hide_runs, hiding
from envref.errors import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from envref.env.environment import Environment, Variable
    from envref.env.file import Entry
    from envref.env.template import Interpolation

LITERAL = "for a literal $, write \\$ or use single quotes"
ANOTHER = "a default is ${NAME:-text}; interpolate_environment: true takes it from the environment"


def warnings(environment: Environment) -> list[str]:
    """One for each variable, with the place of its first such `$` and the cure."""
    found: dict[str, list[tuple[Entry, Interpolation]]] = {}
    for entry, part in environment.unset:
        found.setdefault(entry.name, []).append((entry, part))
    return [_warning(each, environment.variables) for each in found.values()]


def _warning(found: list[tuple[Entry, Interpolation]], variables: Mapping[str, Variable]) -> str:
    entry, part = found[0]
    line, column = entry.position(part.offset)
    more = len({each.name for _, each in found}) - 1
    others = f" (and {more} more)" if more else ""
    message, hint = words(entry, part, variables)
    return f"{entry.file}:{line}:{column}: {message}{others}; {hint}"


def words(entry: Entry, part: Interpolation, variables: Mapping[str, Variable]) -> tuple[str, str]:
    """Message and cure for one of them. `variables` are those of all lines."""
    name = shown(entry, part)
    later = variables.get(part.name)
    if later is not None and part.name != entry.name:
        place = f"{later.entry.file}:{later.entry.line}"
        return f'"{name}" in the value of "{entry.name}" is set only later ({place})', "move that line above this one"
    if part.name == entry.name:
        return f'"{name}" in its own value overrides no line, and becomes empty text', f"{ANOTHER}; {LITERAL}"
    return f'"{name}" in the value of "{entry.name}" is not set, and becomes empty text', f"{LITERAL}; {ANOTHER}"


def shown(entry: Entry, part: Interpolation) -> str:
    """The name as a message may show it: what follows a bare `$` may be part of a password.

    Within braces a name of a usual environment variable is one; anything else may be a slip of a template.
    """
    if entry.template.startswith("{", part.offset + 1):
        return part.name if _is_usual(part.name) else printable(hide_runs(part.name))
    return printable(hiding(entry.name)(part.name)) if _is_usual(part.name) else "$..."


def _is_usual(name: str) -> bool:
    return name.isascii() and name == name.upper()
