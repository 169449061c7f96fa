"""example: what `.env.example` promises, and what the project sets."""

from __future__ import annotations

from envref.checks.example import Comparison, names_in


def test_names_that_either_lacks_are_told_in_their_order():
    """Each once."""
    found = Comparison(["C", "A", "B", "A"], ["B", "Z", "Y", "Z"])
    assert (found.promised, found.missing, found.extra) == (["C", "A", "B"], ["C", "A"], ["Z", "Y"])


def test_the_names_of_the_file(project):
    """In its order; another file may be meant."""
    project.write(".env.example", "B=\nA=x\n")
    project.write(".env.sample", "C=\n")
    assert names_in(str(project.path)) == ["B", "A"]
    assert names_in(str(project.path), ".env.sample") == ["C"]
