"""Edits of the project's own config: one at a time, the file replaced whole, and what was trusted stays trusted."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from envref import atomic, streams
from envref.errors import EnvrefError
from envref.project.config.document import Document
from envref.project.config.files import FILE, Sources
from envref.project.config.load import of
from envref.project.project import configured
from envref.project.trust import record
from envref.project.trust.gate import grant
from envref.project.trust.meaning import meaning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from envref.project.config.model import Config


def edit(path: str, change: Callable[[Document], Document]) -> Config:
    """Changes the project's config at `path`, and returns the new one. Every edit of a config goes through here.

    Only a config that is valid takes its place. EnvrefError says what is wrong.
    """
    root = os.path.dirname(path)
    with atomic.lock(path, inside=root), trust_kept(root):
        sources = Sources(path, os.environ)
        before = Document(sources.project_bytes, FILE)
        config = _changed(sources, change)
        if sources.project_bytes != before.source:
            atomic.write(path, sources.project_bytes, inside=root)
    _warn_of_shadow(before, Document(sources.project_bytes, FILE), sources)
    return config


def preview(path: str, change: Callable[[Document], Document]) -> Config:
    """The config that `edit` would make; nothing is written."""
    return _changed(Sources(path, os.environ), change)


@contextmanager
def trust_kept(root: str, environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """A context for an edit of the config or an env file by envref itself, or in its user's editor.

    A project that was trusted as it was before is trusted as it is afterwards (security.md 5.4).
    """
    trusted = _is_recorded(root, environment)
    yield
    if not trusted:
        return
    try:
        project = configured(root, environment=environment)
    except EnvrefError:
        return  # whoever reads the config next says what is wrong with it
    grant(project, environment)


def _is_recorded(root: str, environment: Mapping[str, str]) -> bool:
    """Whether the user trusts the project as it is. An unreadable config is not trusted, but the edit may mend it."""
    try:
        project = configured(root, environment=environment)
    except EnvrefError:
        return False
    kept = record.read(project.root, environment)
    return kept is not None and kept.allows(meaning(project, environment))


def _warn_of_shadow(before: Document, after: Document, sources: Sources) -> None:
    """Warns that a key in the project's config hides the same key of the user's config (commands.md 3.4)."""
    own = Document(sources.global_bytes, sources.shown_global_path)
    for key in ("profiles", "team"):
        if before.get(key) is None and after.get(key) is not None and own.get(key):
            streams.warn(f"{key} of {sources.shown_global_path} no longer counts here: the project has its own now")


def _changed(sources: Sources, change: Callable[[Document], Document]) -> Config:
    sources.project_bytes = change(Document(sources.project_bytes, FILE)).source
    return of(sources)
