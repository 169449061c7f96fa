"""The names of a project that a shell may complete: never a store's, and no name that a shell would evaluate."""

from __future__ import annotations

from envref.cli import candidates
from envref.errors import EnvrefError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from envref.cli.cursor import Cursor
    from envref.project.project import Project

# What no shell reads as anything else: a project chooses names, and what is completed is run next.
_INERT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=,./-")


def found(cursor: Cursor) -> list[str]:
    """The names of the cursor's kind that begin with its word, sorted."""
    names = _words(cursor)
    return [name for name in sorted(set(names)) if name.startswith(cursor.word) and is_inert(name)]


def is_inert(name: str) -> bool:
    return _INERT.issuperset(name) and name[:1] != "-"


def _words(cursor: Cursor) -> Iterable[str]:
    if cursor.kind.startswith(candidates.CHOICE):
        return cursor.kind.removeprefix(candidates.CHOICE).split(" ")
    if cursor.kind == candidates.types.name:
        from envref.backends.table import BUILTIN

        return BUILTIN
    return _of_project(cursor) if cursor.kind in _KINDS else ()


def _of_project(cursor: Cursor) -> Iterable[str]:
    """Nothing without a project, or with a broken one: a completion can't report an error."""
    from envref.paths import expanded
    from envref.project.project import configured

    try:
        directory = cursor.option("-C")
        project = configured(expanded(directory) if directory else ".", cursor.option("-P"))
        return list(_KINDS[cursor.kind](project, cursor))
    except (EnvrefError, OSError):
        return []


def _profiles(project: Project, _cursor: Cursor) -> Iterable[str]:
    """Those configured, and those that have a file."""
    from envref.project.project import profiles

    return profiles(project.root, project.config)


def _members(project: Project, _cursor: Cursor) -> Iterable[str]:
    return project.config.team


def _backends(project: Project, _cursor: Cursor) -> Iterable[str]:
    return (backend.name for backend in project.config.backends)


def _variables(project: Project, _cursor: Cursor) -> Iterable[str]:
    """What the env files set."""
    from envref.project.project import env_files

    return (entry.name for file in env_files(project) for entry in file.entries)


def _assignments(project: Project, cursor: Cursor) -> Iterable[str]:
    return (f"{name}=" for name in _variables(project, cursor))


def _keys(project: Project, cursor: Cursor) -> Iterable[str]:
    """What the env files refer to: whatever store, or the one that `-b` names."""
    from envref.env.environment import Environment
    from envref.project.project import env_files
    from envref.refs.reference import Reference

    store = cursor.option("-b")
    # Each file by itself: what one file overrides is a reference too.
    found = [Environment([file]).variables.values() for file in env_files(project)]
    pieces = (piece for variables in found for variable in variables for piece in variable.references())
    references = [piece for piece in pieces if isinstance(piece, Reference)]
    return [each.key for each in references if not each.foreign and store in (None, each.store or store)]


_KINDS: dict[str, Callable[[Project, Cursor], Iterable[str]]] = {
    candidates.assignments.name: _assignments,
    candidates.backends.name: _backends,
    candidates.keys.name: _keys,
    candidates.members.name: _members,
    candidates.profiles.name: _profiles,
    candidates.variables.name: _variables,
}
