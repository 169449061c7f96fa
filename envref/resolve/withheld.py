"""Withheld: the variables that `tools:` keeps for some program, and those that are made of them (docs/tools.md).

Only a project with `tools:` loads this file.
"""

from __future__ import annotations

from envref.env.file import appends
from envref.env.template import Interpolation, TemplateError, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from envref.env.environment import Environment, Variable
    from envref.env.file import Entry
    from envref.env.template import Part
    from envref.project.config.model import Config
    from envref.project.project import Project


def for_shells(project: Project, environment: Environment, keeping: Container[str] = ()) -> list[Variable]:
    """The variables that every program may see, in merged order. `keeping` are names whose lines don't count."""
    kept = set(withheld(project, environment.variables, keeping))
    return [variable for name, variable in environment.variables.items() if name not in kept]


def withheld(project: Project, variables: Mapping[str, Variable], keeping: Container[str] = ()) -> list[str]:
    """The variables that no shell gets, in merged order: those under `tools:`, and what interpolates one.

    It counts where any of its lines that have a part in the value names one, also in an alternative that is not taken.
    """
    kept = kept_names(project.config)
    for name in variables:
        if name not in kept and name not in keeping and not kept.isdisjoint(_interpolated(project, name, variables)):
            kept.add(name)
    return [name for name in variables if name in kept]


def kept_names(config: Config) -> set[str]:
    """Every name under `tools:`."""
    return {name for ways in config.tools.values() for names in ways.values() for name in names}


def _lines(project: Project, name: str) -> Iterator[Entry]:
    """The lines that have a part in the value, the highest first: down to the first that does not use its own name."""
    for entry in reversed([entry for file in project.files for entry in file.entries if entry.name == name]):
        yield entry
        if not (entry.interpolated and appends(entry)):
            return


def _interpolated(project: Project, name: str, known: Mapping[str, Variable]) -> Iterator[str]:
    for line in _lines(project, name):
        if line.interpolated and "$" in line.text:
            try:
                yield from _names(parse(line.template, known, line.name))
            except TemplateError:
                continue  # it made no value either


def _names(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Interpolation):
            yield part.name
            yield from _names(part.alternative)
