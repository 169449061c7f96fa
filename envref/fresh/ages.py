"""Ages: which writing of a secret its store has, and how old that is, for people and JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypedDict

from envref.backends.revision import written_at
from envref.fresh.stale import shown, since
from envref.refs.outcome import Found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envref.refs.outcome import Outcome


class Age(TypedDict):
    """`revision` is as in ENVREF_SEEN; `written` is its date in ISO 8601, None where the store tells none."""

    name: str
    backend: str
    revision: str
    written: str | None


def age(name: str, backend: str, revision: str) -> Age:
    written = written_at(revision)
    date = None if written is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(written))
    return {"name": name, "backend": backend, "revision": revision, "written": date}


def ages(outcomes: Iterable[tuple[str, Outcome]]) -> list[Age]:
    """A row for each secret of a variable, given by name and outcome; none where its store told no revision."""
    rows = []
    for name, outcome in outcomes:
        if isinstance(outcome, Found) and outcome.backend is not None and outcome.secret.revision:
            rows.append(age(name, outcome.backend, outcome.secret.revision))
    return [row for number, row in enumerate(rows) if row not in rows[:number]]


def words(row: Age) -> str:
    """`ssm 7 (3 days ago)`; a date alone is said once."""
    version = shown(row["revision"])
    return f"{row['backend']} {version}{since(row['revision'])}"
