"""Intake: a team's file into one's own store: what it has stays, unless it is told otherwise."""

from __future__ import annotations

import pytest

from envref.errors import UsageError
from envref.secret import Secret
from envref.secrets import audit_log, intake
from envref.secrets.sync import Bundle

BUNDLE = {"new": "1", "same": "2", "other": "3"}


def bundle(secrets):
    return Bundle({key: Secret(value) for key, value in secrets.items()}, None)


@pytest.fixture
def filled(texts):
    texts.update({"app/same": "2", "app/other": "mine", "app/else": "4"})
    return texts


def logged(project):
    return [(entry["operation"], entry["key"], entry["detail"]) for entry in audit_log.entries(str(project.path))]


def test_what_is_new_is_taken_and_what_differs_is_kept(target, filled, project, capfd):
    """One line for each that is kept, and what was done in the log."""
    assert intake.take(bundle(BUNDLE), "team.age", target()) == intake.Taken(3, 1)
    assert filled == {"app/same": "2", "app/other": "mine", "app/else": "4", "app/new": "1"}
    assert logged(project) == [("import", "new", "from team.age")]
    assert capfd.readouterr().err == (
        'warning: other: kept; backend "store" has another value (--force overwrites it)\n'
        "pulled 3 secrets from team.age (1 imported, 2 skipped)\n"
    )


def test_force_replaces_what_differs_and_leaves_what_is_the_same(target, filled, project, capfd):
    assert intake.take(bundle(BUNDLE), "team.age", target(), force=True) == intake.Taken(3, 2)
    assert filled == {"app/same": "2", "app/other": "3", "app/else": "4", "app/new": "1"}
    assert sorted(key for _, key, _ in logged(project)) == ["new", "other"]
    assert "kept" not in capfd.readouterr().err


def test_a_key_that_is_not_written_stops_all(target, filled, project):
    """Before anything is."""
    with pytest.raises(UsageError, match="reserved"):
        intake.take(bundle({**BUNDLE, "k.__history.1": "x"}), "team.age", target())
    assert "app/new" not in filled
    assert logged(project) == []
