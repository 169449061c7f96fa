"""Every console block of the README and the docs does what it shows."""

from __future__ import annotations

import pytest

from tests import transcripts
from tests.requirements import first_python, need


@first_python
@pytest.mark.parametrize("page", transcripts.PAGES, ids=lambda page: str(page.relative_to(transcripts.ROOT)))
def test_a_page_shows_what_happens(page, tmp_path):
    """Each command of the page, run in one shell, prints the lines below it."""
    need("bash")
    directory = tmp_path / "my-app"
    directory.mkdir()
    wrong = [
        f"{page.name}:{step.line}: $ {step.command}\nexpected:\n"
        + "\n".join(step.expected)
        + "\nprinted:\n"
        + "\n".join(printed)
        for step, printed in transcripts.replay(page, directory)
        if not transcripts.matches(step.expected, printed)
    ]
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        (["a"], ["a"], True),
        (["a"], ["b"], False),
        (["a"], ["a", "b"], False),
        ([], ["a"], False),
        (["a…c"], ["abc"], True),
        (["a…c"], ["abd"], False),
        (["…", "z"], ["x", "y", "z"], True),
        (["…", "z"], ["x", "y"], False),
        (["(.*)"], ["(x)"], False),
    ],
)
def test_the_comparison_can_fail(expected, printed, same):
    """`…` is the only wildcard."""
    assert transcripts.matches(expected, printed) is same
