"""`envref backend`: the project's backends, the types there are, whether each store is ready; and one more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypedDict

import click

from envref import streams
from envref.backends.table import BUILTIN, backend_class
from envref.cli import candidates
from envref.cli.consent import require
from envref.cli.grammar import Command, Group, directory
from envref.cli.options import format_option
from envref.cli.output import MASK
from envref.cli.timeout import timeout_of_environment
from envref.errors import FAILED, OK, EnvrefError, UsageError, printable
from envref.formats import shells
from envref.paths import shown
from envref.project.config.backends import check_bare, name_fault, options_of
from envref.project.config.document import Document
from envref.project.config.files import FILE
from envref.project.config.model import BackendConfig, is_masked
from envref.project.edit import edit, edit_own
from envref.project.project import NoProject, Project, configured, find
from envref.project.tokens import committed_tokens
from envref.resolve import readiness
from envref.resolve.chain import Chain
from envref.resolve.store import Store
from envref.store_errors import BackendError

_OTHER_NAME = "move its lines up or down (envref edit --config), or give --name for one more of the type"
_NOT_READY = {"locked": "locked", "denied": "denied"}  # anything else that goes wrong is "unavailable"


class ListedBackend(TypedDict, total=False):
    """A configured backend in `--format json`."""

    name: str
    type: str
    default: bool
    options: dict[str, str | bool]
    optional: bool | str
    status: str
    reason: str
    cure: str


class BackendType(TypedDict):
    """A backend type in `--format json`."""

    type: str
    description: str
    options: list[str]


@click.group(cls=Group)
def backend() -> None:
    """See and change where the project's secrets are kept."""


@backend.command("list", cls=Command)
@click.option("--all", "types", is_flag=True, help="Also the types that a backend can have.")
@click.option("--check", is_flag=True, help="Ask each store whether it is ready.")
@format_option("plain", "json")
def list_(format_: str, *, types: bool, check: bool) -> int:
    """List the project's backends in the order in which they are asked.

    Example: envref backend list --check
    """
    project = _project()
    chain = Chain(project, timeout_of_environment(), require) if project and check else None
    rows = [_row(backend, project, chain) for backend in project.config.backends] if project else []
    supported = [_type(kind) for kind in BUILTIN] if types or project is None else []
    streams.write(shells.json_text(_report(rows, supported)) if format_ == "json" else _text(rows, supported, project))
    return FAILED if any(row.get("status", "ok") != "ok" and not row["optional"] for row in rows) else OK


@backend.command(cls=Command)
@click.argument("kind", metavar="TYPE", shell_complete=candidates.types)
@click.option("--first", is_flag=True, help="Ask it before the others; without it, after them.")
@click.option("--name", metavar="NAME", help="The backend's name; by default its type.")
@click.option("--own", is_flag=True, help="Add it to your own config, for each project that lists none.")
def add(kind: str, name: str | None, *, first: bool, own: bool) -> None:
    """Add a backend to the project's config.

    Example: envref backend add vault --first
    """
    check_bare(kind)
    added = kind if name is None else name
    fault = name_fault(added)
    if fault:
        raise UsageError(fault, hint="--name takes letters, digits, _ and -")

    def change(document: Document) -> Document:
        if added in _names(document):
            raise EnvrefError(f'backend "{added}" is in {"your own config" if own else FILE} already', hint=_OTHER_NAME)
        return document.with_item("backends", {"name": added, "type": kind}, first=first)

    if own:
        _add_to_own(added, kind, change)
        return
    path, before = find(directory()), configured(directory())
    edit(path, change)
    streams.inform(f'added backend "{added}" of type {kind} to {shown(path)}')
    kept = {each.name for each in configured(directory()).config.backends}
    for each in before.config.backends:
        if each.name not in kept:  # it counted only as long as the project listed none
            streams.inform(f'backend "{each.name}" no longer counts here: the project has a list of its own now')
    streams.inform("  run: envref backend list --check")


def _add_to_own(added: str, kind: str, change: Callable[[Document], Document]) -> None:
    streams.inform(f'added backend "{added}" of type {kind} to {shown(edit_own(change))}')
    project = _project()
    if project and "backends" in project.config.from_project:
        streams.warn(f"it does not count here: {shown(project.config.path)} lists backends of its own")


def _names(document: Document) -> list[str]:
    listed = document.get("backends")
    named = listed if isinstance(listed, list) else []
    return [str(each.get("name")) for each in named if isinstance(each, dict)]


def _project() -> Project | None:
    try:
        project = configured(directory())
    except NoProject:
        return None
    streams.warn_each((*project.warnings, *committed_tokens(project)))
    return project


def _row(backend: BackendConfig, project: Project, chain: Chain | None) -> ListedBackend:
    row: ListedBackend = {
        "name": backend.name,
        "type": backend.type,
        "default": project.config.has_implied_backend,
        "options": {name: MASK if is_masked(name, value) else value for name, value in backend.options.items()},
        "optional": backend.optional,
    }
    return row if chain is None else row | _readiness(chain.store(backend.name))


def _type(kind: str) -> BackendType:
    described = (backend_class(kind).__doc__ or "").strip().partition("\n")[0].rstrip(".")
    return {"type": kind, "description": described, "options": list(options_of(kind).names)}


def _readiness(store: Store) -> ListedBackend:
    """What the store answers when it is asked for a secret that does not exist."""
    complaint = readiness.complaint(store)
    return _unready(complaint) if complaint else {"status": "ok"}


def _unready(error: BackendError) -> ListedBackend:
    status = _NOT_READY.get(error.outcome, "unavailable")
    return {"status": status, "reason": error.message, "cure": "".join(error.cure())}


def _report(rows: list[ListedBackend], types: list[BackendType]) -> dict[str, object]:
    return {"configured": rows, "supported": types} if types else {"configured": rows}


def _text(rows: list[ListedBackend], types: list[BackendType], project: Project | None) -> str:
    parts = []
    if project is not None:
        shown = [line for row in rows for line in _lines(row)] or ["  (none)"]
        parts.append(["Configured backends:", *shown])
    if types:
        parts.append(["Supported backend types:", *(line for each in types for line in _about(each))])
    return "\n".join("".join(f"{printable(line)}\n" for line in part) for part in parts)


def _lines(row: ListedBackend) -> Iterable[str]:
    default = " (default)" if row["default"] else ""
    status = f" {row['status']}" if "status" in row else ""
    yield f"  {row['name']:<20} type={row['type']}{default}{status}"
    if streams.level >= streams.VERBOSE:
        yield from (f"    {name}: {value}" for name, value in row["options"].items())
    yield from (f"    {text}" for text in (row.get("reason"), row.get("cure")) if text)


def _about(each: BackendType) -> Iterable[str]:
    yield f"  {each['type']:<20} {each['description']}"
    if streams.level >= streams.VERBOSE and each["options"]:
        yield f"    options: {', '.join(each['options'])}"
