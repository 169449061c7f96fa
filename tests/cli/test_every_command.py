"""What holds for every command that there is."""

from __future__ import annotations

import re

import pytest

from tests.cli.subcommands import leaves
from tests.transcripts import PAGES, steps

EVERY = pytest.mark.parametrize("words", list(leaves()))
SESSIONS = "\n".join(step.command for page in PAGES for step in steps(page))


@EVERY
def test_a_transcript_shows_it(words):
    """Some page of the documentation or of the tests runs it and shows what it prints."""
    assert re.search(rf"envref (-\S+ )*{re.escape(words)}\b", SESSIONS)


@EVERY
def test_its_help_has_an_example(words, project):
    """`--help` says what it does, and one use of it to copy."""
    done = project.envref(*words.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"envref {words}" in done.stdout.partition("Example:")[2]
