"""baseline: what an earlier report has is left out."""

from __future__ import annotations

import json

import pytest

from envref.checks.audit import PlainSecret
from envref.checks.baseline import new
from envref.errors import EnvrefError


def finding(file, key, line=1):
    return PlainSecret(file, line, key, "reason")


def test_a_known_variable_is_left_out_wherever_its_line_is():
    """By file and variable; one entry stands for one finding."""
    report = json.dumps([finding(".env", "A")._asdict(), finding(".env", "GONE")._asdict()]).encode()
    found = [finding(".env", "A", 7), finding(".env", "A", 8), finding(".env", "B"), finding("x/.env", "A")]
    assert new(found, report, "b.json") == found[1:]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (b"[\n{]", "b.json:2:2: not JSON: "),
        (b"", "b.json:1:1: not JSON: "),
        (b"\xff", "b.json: not a report of envref audit"),
        (b"{}x", "b.json:1:3: not JSON: "),
        (b"3", "b.json: not a report of envref audit"),
        (b'[{"file": 1}]', "b.json: not a report of envref audit"),
    ],
)
def test_what_is_no_report_is_refused(text, fact):
    """An empty baseline would be believed; the cure names the command that writes one."""
    with pytest.raises(EnvrefError) as caught:
        new([], text, "b.json")
    assert caught.value.message.startswith(fact)
    assert "envref audit --format json" in caught.value.hint
