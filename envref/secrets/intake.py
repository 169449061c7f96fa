"""Intake: the secrets of a team's file into one's own store (commands.md 2.22). What the store has already stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envref import streams
from envref.secrets.scoped import ScopedStore, doing

if TYPE_CHECKING:
    from envref.secret import Secret
    from envref.secrets.sync import Bundle
    from envref.secrets.target import Target


class Taken(NamedTuple):
    """How many secrets a file had, and how many of them were new or replaced."""

    found: int
    written: int


def take(bundle: Bundle, name: str, target: Target, *, force: bool = False) -> Taken:
    """Stores the secrets of the file called `name`. EnvrefError before anything is written, or from the store."""
    for key in bundle.secrets:
        target.check_writable(key)
    store = target.store()
    changes, kept = _changes(bundle.secrets, store, force=force)
    if changes:
        with doing("storing secret"):
            store.change_and_verify(changes)
    for key in changes:
        target.log("import", key, f"from {name}")
    for key in kept:
        streams.warn(f"{key}: kept; {target} has another value (--force overwrites it)")
    taken = Taken(len(bundle.secrets), len(changes))
    counts = f"{taken.written} imported, {taken.found - taken.written} skipped"
    streams.inform(f"pulled {taken.found} secrets from {name} ({counts})")
    return taken


def _changes(secrets: dict[str, Secret], store: ScopedStore, *, force: bool) -> tuple[dict[str, Secret], list[str]]:
    """The values to write, and the keys that keep another value. Raises before anything is written."""
    with doing("retrieving secret"):
        present = store.get_many(list(secrets))
    different = [key for key in secrets if key in present and present[key] != secrets[key]]
    wanted = [key for key in secrets if key not in present or (force and key in different)]
    return {key: secrets[key] for key in wanted}, [] if force else different
