"""Patterns: they mean what they mean to Python's `re`, and none takes for ever or fills the memory."""

from __future__ import annotations

import re
import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envref.checks import pattern
from envref.checks.pattern import InvalidPattern, Patience, TooSlow
from tests.nightly import count


def is_found(written, text):
    pattern.check(written, Patience())
    return pattern.is_found(written, text, Patience())


@pytest.mark.parametrize(
    ("written", "text", "found"),
    [
        ("b", "abc", True),
        ("^a", "ba", False),
        (r"^\d+$", "1\n", False),
        (r"^[$]\$$", "$$", True),
        (r"^\\$", "\\", True),
        ("(?m)^a$", "a\nb", True),
        ("(?i)^A$", "a", True),
        ("(?i)^k$", "\u212a", False),
        (r"^\d$", "\u0661", False),
        ("^a{2,}$", "aaa", True),
        ("^a{,2}$", "aaa", False),
        ("^a{e}$", "a{e}", True),
        ("^a{e}$", "b", False),
        ("^a{1e}$", "a{1e}", True),
        ("^(?:abc){e<=1}$", "abd", False),
        ("^[{]{e}$", "{{e}", True),
        ("(?x) ^ a {2} $ # two {e}", "aa", True),
        ("^(?=.*[0-9])(?!.*x).{3,}$", "ab1", True),
        (r"^(?P<q>['\"]).*(?P=q)$", "'a'", True),
    ],
)
def test_what_a_pattern_means(written, text, found):
    """As in Python, with ASCII classes, and no line end after `$`."""
    assert is_found(written, text) is found


_ATOMS = st.sampled_from(
    ["a", "b", ".", r"\d", r"\w", r"\s", r"\b", "[ab]", "[^a]", "[{$]", "{", "}", r"\{", "{e}", "{,}", "^", "1"]
)
_COUNTS = st.sampled_from(["", "", "*", "+", "?", "*?", "+?", "?+", "{2}", "{1,2}", "{,1}", "{2,}", "{e<=1}", "{i}"])


def _wrapped(inner):
    group = st.builds(
        "{}{}){}".format, st.sampled_from(["(", "(?:", "(?=", "(?!", "(?>", "(?i:", "(?s:"]), inner, _COUNTS
    )
    return st.lists(st.one_of(group, inner), min_size=1, max_size=3).flatmap(
        lambda parts: st.sampled_from(["", "|"]).map(lambda between: between.join(parts))
    )


_PATTERNS = st.recursive(st.builds("{}{}".format, _ATOMS, _COUNTS), _wrapped, max_leaves=8)


@settings(max_examples=count(200, 4_000), deadline=None)
@given(_PATTERNS, st.text("abA1 {}e\n$", max_size=8))
def test_the_library_finds_what_python_finds(written, text):
    """The same answer for any pattern that Python takes, `$` aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            expected = re.search(written, text, re.ASCII) is not None
        except (re.error, Warning):
            return
    assert is_found(written, text) is expected


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("(", "missing ), unterminated subpattern at position 0"),
        ("[[:alpha:]]", "possible nested set at position 1"),
        (r"\p{L}", r"bad escape \p at position 0"),
        ("(?<n>a)", "unknown extension ?<n at position 1"),
        ("(?R)", "unknown extension ?R at position 1"),
        (r"a$\R", r"bad escape \R at position 2"),
        ("a" * 1001, "longer than 1000 characters"),
        ("(?:(?:a{1000}){1000}){1000}", "its repeats multiply to more than 100000"),
        ("(?x)((a{1000}) {1000})#\n{1000}", "its repeats multiply to more than 100000"),
        ("(?:" * 20 + "a" + "){2}" * 20, "its repeats multiply to more than 100000"),
        ("(?:" + "a" * 91 + "){1000}", "its repeats multiply to more than 100000"),
    ],
)
def test_what_is_refused(written, reason):
    """What Python refuses, in its words, although the library would take it; and what would fill the memory."""
    with pytest.raises(InvalidPattern) as caught:
        pattern.check(written, Patience())
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "written",
    [
        "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        "^([0-9]{1,3}[.]){3}[0-9]{1,3}$",
        "^(?:.{1000}|x{1000})$",
        "(a*)*(b{0,9}){0,9}",
        "a" * 1000,
        "(?:" + "a" * 90 + "){1000}",
    ],
)
def test_ordinary_repeats_are_not_refused(written):
    """Counts add up beside each other, and multiply only behind a group; what is just as long as allowed is allowed."""
    pattern.check(written, Patience())


@pytest.mark.parametrize("written", ["^(a|aa)*$", "^(a|a)*$"])
def test_a_search_that_never_ends_is_stopped(written, monkeypatch):
    """TooSlow, once the processor time is used up."""
    monkeypatch.setattr(pattern, "LIMIT", 0.2)
    before = time.process_time()
    with pytest.raises(TooSlow):
        is_found(written, "a" * 3000 + "!")
    assert time.process_time() - before < 0.2 + 0.2


def test_the_time_is_shared(monkeypatch):
    """What one pattern has used up, the next has not; nor is one more read."""
    monkeypatch.setattr(pattern, "LIMIT", 0.1)
    patience = Patience()
    with pytest.raises(TooSlow):
        pattern.is_found("^(a|aa)*$", "a" * 3000 + "!", patience)
    with pytest.raises(TooSlow):
        pattern.is_found("a", "a", patience)
    with pytest.raises(TooSlow):
        pattern.check("a", patience)
    assert is_found("a", "a")


def test_no_time_is_none(monkeypatch):
    """At the very end; before it some is left."""
    now = [10.0]
    monkeypatch.setattr(pattern.time, "process_time", lambda: now[0])
    monkeypatch.setattr(pattern, "LIMIT", 2)
    patience = Patience()
    now[0] = 11.5
    assert patience.left() == 0.5
    now[0] = 12.0
    with pytest.raises(TooSlow):
        patience.left()


def test_a_count_of_one_multiplies_nothing():
    """Nor does a count of none take away what the others make."""
    pattern.check("(a){1}" * 60, Patience())
    pattern.check("(a){0}", Patience())
    with pytest.raises(InvalidPattern, match="multiply"):
        pattern.check("(a){0}(?:(?:a{1000}){1000}){1000}", Patience())


@pytest.mark.parametrize(
    ("module", "error", "reason"),
    [
        ("re", RecursionError(), "nested too deeply"),
        ("regex", RecursionError(), "nested too deeply"),
        ("regex", "Bad thing", "bad thing"),
    ],
)
def test_what_a_library_can_t_read_is_refused(monkeypatch, module, error, reason):
    """Whichever of the two it is."""

    import regex

    def compile_(*_):
        raise error if isinstance(error, Exception) else regex.error(error)

    monkeypatch.setattr({"re": pattern.re, "regex": regex}[module], "compile", compile_)
    with pytest.raises(InvalidPattern) as refused:
        (pattern.check if module == "re" else lambda *words: pattern.is_found(words[0], "a", words[1]))("a", Patience())
    assert str(refused.value) == reason
