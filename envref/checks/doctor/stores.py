"""What can be wrong with the stores that references use, as far as they can say without giving a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref import streams
from envref.checks.doctor.finding import Finding, from_error
from envref.refs.reference import Reference
from envref.store_errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envref.checks.doctor.case import Case
    from envref.resolve.store import Store

_SHOWN = 3  # keys that a message names


def unready_stores(case: Case) -> Iterator[Finding]:
    """A program that is missing, nobody signed in, a keychain that can't be reached, a vault that others can read."""
    for store, faults in case.stores.items():
        if store.way:
            streams.detail(f"{_subject(store)}: asked {store.way}")
        for fault in faults:
            yield from_error(_subject(store), fault)


def misplaced_secrets(case: Case) -> Iterator[Finding]:
    """Secrets in the layout of envref 1, which an explicit prefix no longer means (commands.md 8.2)."""
    for store, faults in case.stores.items():
        if not faults and _could_be_misplaced(store):
            keys = _misplaced(store, case)
            if keys:
                yield _misplacement(store, keys, case.project.config.project)


def _subject(store: Store) -> str:
    return f'backend "{store.name}"'


def _could_be_misplaced(store: Store) -> bool:
    """Whether the store has a prefix of its own, below which envref 1 put the project's name."""
    return "prefix" in store.options and not store.backend.carries_project


def _misplaced(store: Store, case: Case) -> list[str]:
    """The keys that are not below the prefix, but below the project's name there. One listing shows both."""
    wanted = [key for key in _keys(store, case) if not store.mapped(key, None)]
    try:
        listed = set(store.opened(store.deadline).list(case.project.config.project, store.deadline))
    except BackendError:
        return []  # a user who may read may still not be allowed to list
    return [key for key in wanted if key not in listed and f"{case.project.config.project}/{key}" in listed]


def _keys(store: Store, case: Case) -> list[str]:
    """The keys, or PROFILE/KEY, that references may read in the store."""
    profile = case.project.profile
    own = [
        reference.key
        for _, reference in case.references()
        if isinstance(reference, Reference) and reference.foreign is None and reference.store in (None, store.name)
    ]
    return list(dict.fromkeys([*own, *(f"{profile}/{key}" for key in own if profile)]))


def _misplacement(store: Store, keys: list[str], project: str) -> Finding:
    names = ", ".join(keys[:_SHOWN]) + (", …" if len(keys) > _SHOWN else "")
    prefix = str(store.options["prefix"]).rstrip("/")
    message = f"{len(keys)} secret(s) below {prefix}/{project}, where envref 1 kept them, are not read: {names}"
    return Finding(
        _subject(store),
        message,
        hint=f"write {store.backend.namespace_option}: project into the config of this backend",
    )
