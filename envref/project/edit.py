"""Edits of a project's config, and of the user's: one at a time, the file replaced whole, and trust kept."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from envref import atomic, streams
from envref.errors import EnvrefError
from envref.paths import NO_HOME, configuration_path, make_private, shown
from envref.project.config.document import Document
from envref.project.config.files import FILE, Sources, own_bytes
from envref.project.config.load import of
from envref.project.project import configured
from envref.project.trust import record
from envref.project.trust.gate import grant
from envref.project.trust.meaning import digests, meaning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from envref.project.config.model import Config


def edit(path: str, change: Callable[[Document], Document]) -> Config:
    """Changes the project's config at `path`, and returns the new one. Every edit of a config goes through here.

    Only a config that is valid takes its place. EnvrefError says what is wrong.
    """
    root = os.path.dirname(path)
    with atomic.lock(path, inside=root), trust_kept(root, path):
        sources = Sources(path, os.environ)
        before = Document(sources.project_bytes, FILE)
        config = _changed(sources, change)
        if sources.project_bytes != before.source:
            atomic.write(path, sources.project_bytes, inside=root)
    _warn_of_shadow(before, Document(sources.project_bytes, FILE), sources)
    return config


def edit_own(change: Callable[[Document], Document]) -> str:
    """Changes the user's own config, which is made if it is not there; returns its path. EnvrefError as `edit`."""
    path = configuration_path("config.yaml")
    if not path:
        raise EnvrefError("there is no home directory for your own config", hint=NO_HOME)
    foreign = make_private(os.path.dirname(path))
    if foreign:
        raise EnvrefError(f"{shown(foreign)} belongs to another user", subject=shown(path), hint="set HOME to yours")
    with atomic.lock(path):
        before, name = own_bytes(os.environ)
        atomic.write(path, change(Document(before, name)).source, mode=0o600)
    return path


def preview(path: str, change: Callable[[Document], Document]) -> Config:
    """The config that `edit` would make; nothing is written."""
    return _changed(Sources(path, os.environ), change)


@contextmanager
def trust_kept(root: str, path: str, environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """A context for an edit of the config or an env file by envref itself, or in its user's editor.

    A project that was trusted as it was before is trusted as it is afterwards, if nothing but the file at `path` has
    changed: an editor is open for a while, and a pull brings what nobody has agreed to (security.md 5.4).
    """
    before = _trusted(root, environment)
    yield
    if before is None:
        return
    try:
        project = configured(root, environment=environment)
        meant = meaning(project, environment)
        if _is_alone(os.path.realpath(path), before, digests(project, environment)):
            grant(project, meant, environment)
    except EnvrefError:
        return  # whoever reads the config next says what is wrong with it


def _trusted(root: str, environment: Mapping[str, str]) -> Mapping[str, str] | None:
    """The project's files if its user trusts it as it is, else None.

    An unreadable config is not trusted, but the edit may mend it.
    """
    try:
        project = configured(root, environment=environment)
    except EnvrefError:
        return None
    kept = record.read(project.root, environment)
    trusted = kept is not None and kept.allows(meaning(project, environment))
    return digests(project, environment) if trusted else None


def _is_alone(edited: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether the edited file is the only one that differs.

    A file that the config names for the first time was there; one that counts by its name alone is new.
    """
    others = after.keys() - {edited}
    come = [path for path in others - before.keys() if after[path] and os.path.basename(path).startswith(".env.")]
    return not come and all(before[path] == after[path] for path in others & before.keys())


def _warn_of_shadow(before: Document, after: Document, sources: Sources) -> None:
    """Warns that a key in the project's config hides the same key of the user's config (commands.md 3.4)."""
    own = Document(sources.global_bytes, sources.shown_global_path)
    for key in ("profiles", "team"):
        if before.get(key) is None and after.get(key) is not None and own.get(key):
            streams.warn(f"{key} of {sources.shown_global_path} no longer counts here: the project has its own now")


def _changed(sources: Sources, change: Callable[[Document], Document]) -> Config:
    sources.project_bytes = change(Document(sources.project_bytes, FILE)).source
    return of(sources)
