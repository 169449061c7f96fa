"""How old each secret is: in `status`, `doctor` and `secret list`, without a value where that can be."""

from __future__ import annotations

import json
import re

import pytest

from envref.fresh import ages
from envref.fresh.ages import words
from envref.refs.outcome import Found, Missing
from envref.secret import Secret
from tests.cli.conftest import config
from tests.requirements import first_python


@pytest.mark.parametrize(
    ("revision", "shown", "written"),
    [
        ("7.1795725041000", "ssm 7 (", "2026-11-26T20:30:41Z"),
        (".1795725041000", "ssm 2026-11-26T20:30:41Z (", "2026-11-26T20:30:41Z"),
        ("7d0f1c4e-0a1b-aaaa", "ssm 7d0f1c4e", None),
    ],
)
def test_a_row_has_version_and_date(revision, shown, written):
    """As far as the store tells them."""
    row = ages.age("A", "ssm", revision)
    assert (row["revision"], row["written"]) == (revision, written)
    assert words(row).startswith(shown)


def test_what_has_no_revision_has_no_row():
    """A default, an absent secret, and one of a store that tells none; a secret that stands twice has one."""
    told = Found(Secret("v", "7"), "ssm")
    silent = [Found(Secret("v")), Missing("no"), Found(Secret("v"), "doppler")]
    assert ages.ages([("A", each) for each in (*silent, told, told)]) == [ages.age("A", "ssm", "7")]


@first_python
def test_every_command_shows_it(project, parameters, trusted):
    """In the same words; `secret list` and `doctor` ask for no value."""
    project.write(".envref.yaml", config(parameters.entry))
    project.write(".env", "A=ref://secrets/a\nURL=x://${A}@${ref://store/b}/\nD=ref://secrets/d?default=x\n")
    parameters.put("a", "value-a")
    parameters.put("b", "value-b")
    parameters.put("b", "value-b2")
    age = r" \((just now|\d+ \w+ ago)\)\n"
    listed = project.envref("secret", "list", "--revisions")
    assert re.fullmatch(f"a  store 1{age}b  store 2{age}", listed.stdout)
    assert re.search(f"  Revisions:\n    A  store 1{age}    URL  store 2{age}\n", project.envref("status").stdout)
    looked = project.envref("doctor")
    assert re.fullmatch(f"A  store 1{age}URL  store 2{age}OK: no issues found\n", looked.stdout)
    assert project.envref("doctor", "-q").stdout == ""
    rows = json.loads(project.envref("doctor", "--format", "json").stdout)["secrets"]
    assert [(row["name"], row["backend"], row["revision"].partition(".")[0]) for row in rows] == [
        ("A", "store", "1"),
        ("URL", "store", "2"),
    ]
    assert json.loads(project.envref("status", "--format", "json").stdout)["secrets"]["revisions"] == rows
    offline = json.loads(project.envref("status", "--offline", "--format", "json").stdout)
    assert offline["secrets"]["revisions"] == []
    names = json.loads(project.envref("secret", "list", "--revisions", "--format", "json").stdout)
    assert [row["name"] for row in names] == ["a", "b"]
    assert "value" not in listed.stdout + looked.stdout + str(rows)


@first_python
def test_a_store_that_tells_none_says_so(project, trusted):
    """`secret list` was asked for it; `doctor` and `status` were not."""
    entry = {"name": "store", "type": "plugin", "config": {"command": "./store"}}
    project.write(".envref.yaml", config(entry))
    answer = """case $(cat) in *list*) echo '{"keys": ["app/a"]}' ;; *) echo '{"value": "v"}' ;; esac"""
    project.write("store", f"#!/bin/sh\n{answer}\n").chmod(0o755)
    project.write(".env", "A=ref://store/a\n")
    done = project.envref("secret", "list", "--revisions")
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.startswith("error: asking for revisions: ")
    assert project.envref("doctor").stdout == "OK: no issues found\n"
    assert "Revisions" not in project.envref("status").stdout
