"""`envref onboard`: what it asks for, what it only tells, and how it ends."""

from __future__ import annotations

import pytest

from envref.store_errors import BackendLocked
from tests.requirements import first_python

pytestmark = first_python

NOTHING = "[ok] All secrets are resolved and no missing keys found.\n"
SHUT = BackendLocked("kept: locked")
BROKEN = 'error: C: failed to resolve ref://two/c: backend "two": kept: locked\n'


@pytest.fixture
def clone(shelf):
    """A project that was just cloned: one store has nothing yet, the other is in `shelf.values["two"]`."""
    shelf.write(".env", "A=ref://secrets/a\nLONGER=ref://one/b\n")
    return shelf


@pytest.mark.parametrize(
    ("text", "example", "two", "printed", "told"),
    [
        ("A=1\n", "A=\n", {}, NOTHING, ""),
        ("A=1\nC=ref://two/c\n", "A=\n", SHUT, "", BROKEN),
        ("A=1\n", "A=\nK=\nL=\n", {}, "Missing keys (defined in .env.example but not set):\n  - K\n  - L\n", ""),
        ("A=1\nC=ref://two/c\n", "K=\n", SHUT, "Missing keys (defined in .env.example but not set):\n  - K\n", BROKEN),
        (
            "A=ref://one/a\nLONGER=ref://one/b\nC=ref://two/c\n",
            "A=\n",
            SHUT,
            "Unresolved references:\n  1. A       ref://one/a\n  2. LONGER  ref://one/b\n",
            BROKEN,
        ),
    ],
    ids=["nothing", "only a broken store", "keys", "keys beside a broken store", "secrets beside a broken store"],
)
def test_a_dry_run_lists_what_it_would_ask_for(clone, text, example, two, printed, told):
    """On stdout; a store that gives no answer is an error on stderr, and alone it leaves nothing to list."""
    clone.values["two"] = two
    clone.write(".env", text)
    clone.write(".env.example", example)
    done = clone.said("onboard", "--dry-run")
    ends = "[dry-run] Use envref onboard to set them interactively.\n" if printed not in ("", NOTHING) else ""
    assert (done.returncode, done.stdout, done.stderr) == (1 if told else 0, printed + ends, told)


def test_it_asks_for_one_secret_after_the_other(clone):
    """A value counts without the blanks around it; an empty line skips; each goes where its reference says."""
    done = clone.said("onboard", "-b", "two", stdin="\t one two \r\n \n")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        "[1/2] A\n  ref: ref://secrets/a\n  Enter value (or press Enter to skip): \n  stored\n"
        "[2/2] LONGER\n  ref: ref://one/b\n  Enter value (or press Enter to skip): \n  skipped\n"
        "Summary:\n  Configured: 1\n  Skipped:    1\n"
    )
    assert clone.values == {"one": {}, "two": {"app/a": "one two"}}
    assert clone.logged() == [("set", "a", "two", "onboard")]
    clone.said("onboard", "-b", "two", stdin="b")
    assert clone.values == {"one": {"app/b": "b"}, "two": {"app/a": "one two"}}


def test_what_was_stored_counts_even_where_another_store_is_broken(clone):
    """The status says that something is left to mend."""
    clone.write(".env", "A=ref://one/a\nC=ref://two/c\n")
    clone.values["two"] = SHUT
    done = clone.said("onboard", stdin="a\n")
    assert (done.returncode, done.stderr.startswith(BROKEN)) == (1, True)
    assert done.stderr.endswith("  stored\nSummary:\n  Configured: 1\n  Skipped:    0\n")
    done = clone.said("onboard")
    assert (done.returncode, done.stderr) == (1, BROKEN)


def test_a_value_that_can_t_be_stored_fails_and_the_next_is_asked_for(clone):
    """It counts neither as configured nor as skipped."""
    clone.configure({"name": "memory", "type": "kept", "names": {"m": "Theirs"}})
    clone.write(".env", "A=ref://memory//foreign\nM=ref://memory/m\nB=ref://one/b\n")
    clone.values["memory"] = {}
    done = clone.said("onboard", stdin="m\nb\n")
    assert done.returncode == 1
    assert '  skipped: add it in backend "memory" itself\n[2/3] M\n' in done.stderr
    assert '\n  error: key "m" is mapped' in done.stderr
    assert done.stderr.endswith("  stored\nSummary:\n  Configured: 1\n  Skipped:    1\n")
    assert clone.values["one"] == {"app/b": "b"}


def test_names_of_the_example_are_left_to_the_person(clone):
    """With the command for each."""
    clone.write(".env", "A=1\n")
    clone.write(".env.example", "K=\n")
    done = clone.said("onboard")
    told = "Missing keys:\n  - K; run: envref set K=…\nSummary:\n  Configured: 0\n  Skipped:    0\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", told)


@pytest.mark.parametrize(("words", "told"), [((), NOTHING), (("-q",), "")])
def test_nothing_is_left(clone, words, told):
    clone.write(".env", "A=1\n")
    done = clone.said("onboard", *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", told)
