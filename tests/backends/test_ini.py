"""Configuration files of vendors' programs, as far as a cure depends on them."""

from __future__ import annotations

import pytest

from envref.backends.ini import sections
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python


def test_sections_inherit_the_default(home):
    """Names in lower case, values as they are; what is said twice counts the last time."""
    (home / "config").write_text("[DEFAULT]\nRegion = a\n[p]\nkey = 50%%\nkey = %(x)s ä\n[q]\nregion = b\n", "utf-8")
    assert sections("~/config") == {
        "DEFAULT": {"region": "a"},
        "p": {"region": "a", "key": "%(x)s ä"},
        "q": {"region": "b"},
    }


@pytest.mark.parametrize("content", [b"no section\n", b"[a]\n\xff\n", None])
def test_a_file_that_its_program_can_t_read_holds_nothing(home, content):
    """The program says what is wrong with it; a file that is not there has no section of its own."""
    if content is not None:
        (home / "config").write_bytes(content)
    assert sections("~/config") == ({} if content else {"DEFAULT": {}})
