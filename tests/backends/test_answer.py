"""What a store said, made fit for a message."""

from __future__ import annotations

import pytest

from envref.backends.answer import answered, as_bytes, as_secret, excerpt, no_answer, not_found, there
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendInvalid, SecretNotFound

EXCERPTS = {
    "first_line": ("\n\n  permission denied  \nmore\n", "permission denied"),
    "nothing": (" \n\t\n", ""),
    "escapes": ("\x1b[31mred\x1b[0m \u202e \x9b", "\\x1b[31mred\\x1b[0m \\u202e \\x9b"),
    "traceback": ("Traceback (most recent call last):\n  File x\nValueError: no\n", "ValueError: no"),
    "long": ("x" * 400, "x" * 299 + "…"),
    "longest": ("x" * 300, "x" * 300),
}


@pytest.mark.parametrize("kind", EXCERPTS)
def test_an_excerpt_is_one_inert_line(kind):
    """A store's text becomes one short line that can't steer a terminal."""
    text, shown = EXCERPTS[kind]
    assert excerpt(text) == shown


def test_an_excerpt_has_no_value_in_it():
    """A value is hidden before the text is cut to a line: also one of several lines."""
    Secret("first half\nsecond half")
    assert excerpt("bad value: first half\nsecond half, sorry") == "bad value: ***, sorry"


@pytest.mark.parametrize(("left", "limit"), [(9.93, "10"), (2.46, "2.5"), (0.48, "0.5"), (0.05, "0.1")])
def test_the_limit_told_is_the_one_that_was_set(left, limit):
    """What was used up before the call is rounded away."""
    assert no_answer("op", 100.0, 100.0 + left).message == (
        f"op: no answer within {limit} s; raise --timeout or the backend's timeout"
    )


def test_a_store_that_had_no_time_is_not_blamed():
    """The backends before it took all of it."""
    assert no_answer("op", 100.0, 97.0).message == (
        "op: it was not asked: its time was used up before; raise --timeout or the backend's timeout"
    )


@pytest.mark.parametrize("value", ["", "text", "line\n", "ключ", "\x1b\r\n"])
def test_text_is_a_value(value):
    """Every text without NUL is read and written exactly."""
    assert as_secret("op", value.encode()) == as_secret("op", value) == Secret(value)
    assert as_bytes("op", Secret(value)) == value.encode()


@pytest.mark.parametrize("raw", [b"marker\xff", "marker\ud800", b"marker\0", "marker\0"])
def test_what_no_variable_can_hold_is_an_error_without_the_value(raw):
    """NUL and bytes that are not UTF-8 are refused, the cure is base64, and nothing of the value is shown."""
    with pytest.raises(BackendInvalid) as caught:
        as_secret("op", raw)
    assert caught.value.message.endswith("; store it as base64 and add ?encoding=base64")
    assert "marker" not in caught.value.message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_error_is_the_answer_of_its_address():
    """What a store's reading raises is returned, whatever its class; any other exception is a fault of ours."""
    denied = BackendDenied("kv: denied")

    def read(answer):
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert [answered(read, each) for each in ("v", None, denied)] == ["v", None, denied]
    with pytest.raises(ZeroDivisionError):
        answered(read, ZeroDivisionError())


def test_only_absence_is_left_out():
    """None and SecretNotFound are "not there"; every other error is an answer."""
    denied = BackendDenied("kv: denied")
    assert there({1: "v", 2: None, 3: SecretNotFound("kv: no"), 4: denied, 5: ""}) == {1: "v", 4: denied, 5: ""}


def test_a_store_that_was_not_asked_any_more_says_so():
    """Its time went to others: no hint about what it may have waited for."""
    late, slow = no_answer("op", 100.0, 100.0), no_answer("op", 100.0, 101.0)
    assert (late.is_asked, slow.is_asked) == (False, True)
    assert late.message.startswith("op: it was not asked: its time was used up before; ")


def test_an_absent_secret_is_told_with_and_without_its_key():
    """A report that says the key itself does not say it again."""
    error = not_found("op", "k\x1b", "look there")
    assert error.message == 'op: secret not found: "k\\x1b"; look there'
    assert error.note == "op: secret not found; look there"
