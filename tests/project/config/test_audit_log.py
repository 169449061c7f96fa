"""audit_log: whether reads are logged; a project's file may only say yes."""

from __future__ import annotations

import pytest

from envref.errors import EnvrefError
from envref.project.config.load import load


@pytest.fixture
def logs(project, home):
    """Whether reads are logged with these two configs."""

    def logs(text, mine=""):
        path = home / ".config/envref/config.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(mine)
        return load(str(project.write(".envref.yaml", f"project: app\n{text}"))).logs_reads

    return logs


YES, NO = "audit_log: {reads: true}\n", "audit_log: {reads: false}\n"


@pytest.mark.parametrize(
    ("text", "mine", "found"), [("", "", False), (YES, "", True), ("", YES, True), ("", NO, False), (YES, NO, True)]
)
def test_either_may_want_it(logs, text, mine, found):
    assert logs(text, mine) is found


def test_a_project_cannot_switch_it_off(logs):
    """The log is the user's."""
    with pytest.raises(EnvrefError, match="a project's file may only say true; your own config says false"):
        logs(NO)


@pytest.mark.parametrize("text", ["audit_log: true\n", "audit_log: {writes: true}\n", "audit_log: {}\n"])
def test_anything_else_is_refused(logs, text):
    with pytest.raises(EnvrefError, match=r"audit_log must be \{reads: true\}"):
        logs(text)


def test_what_is_neither_yes_nor_no_is_refused(logs):
    with pytest.raises(EnvrefError, match="audit_log: reads must be true or false"):
        logs("audit_log: {reads: maybe}\n")
