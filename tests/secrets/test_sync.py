"""sync: the plain text of a pushed file, and what is refused of one that comes back."""

from __future__ import annotations

import json

import pytest

from envref.errors import EnvrefError
from envref.resolve.resolve import Scope
from envref.secret import Secret
from envref.secrets.sync import document, read

SCOPE = Scope("app", "staging")


def test_a_document_is_read_back():
    """Values to the byte, project and profile."""
    values = {"a": Secret('é\n\x1b"\\'), "b/c": Secret("")}
    bundle = read(document(values, SCOPE).reveal().encode(), "f")
    assert (bundle.secrets, bundle.scope) == (values, ("app", "staging"))
    bundle.check(SCOPE, "f")


def test_a_document_says_what_it_is():
    """The members of commands.md 2.22, in their order."""
    data = json.loads(document({"a": Secret("1")}, Scope("app")).reveal())
    assert list(data) == ["version", "project", "profile", "created", "secrets"]
    assert (data["version"], data["project"], data["profile"], data["secrets"]) == (2, "app", None, {"a": "1"})


def test_the_ancestors_plain_object_is_read():
    """It binds nothing, so every project may take it; its keys may be called `version`."""
    bundle = read(b'{"a": "1", "version": "2"}', "f")
    assert bundle.secrets == {"a": Secret("1"), "version": Secret("2")}
    bundle.check(SCOPE, "f")


@pytest.mark.parametrize(
    ("plain", "reason"),
    [
        (b"s3cret", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'["s3cret"]', "not an object"),
        (b'{"version": 3, "secrets": {"a": "s3cret"}}', "version 3 (this envref reads 2)"),
        (b'{"version": 2, "secrets": {"a": "s3cret"}}', "it does not say whose secrets these are"),
        (b'{"version": 2, "project": "p", "profile": 1, "secrets": {}}', "it does not say whose secrets these are"),
        (b'{"version": 2, "project": "p"}', "its secrets are not a mapping of keys to text"),
        (b'{"a": 1}', "its secrets are not a mapping of keys to text"),
        (b'{"-a": "s3cret"}', 'key "-a" must not start with "-"'),
        (b'{"a/../b": "s3cret"}', 'key "a/../b" must not have "." or ".." as a segment'),
        (b'{"a.__history.1": "s3cret"}', 'key "a.__history.1" is reserved for the values that rotation keeps'),
    ],
)
def test_anything_else_is_refused_without_a_value(plain, reason):
    """One line with the file and the reason; the content stays unspoken, in causes too."""
    with pytest.raises(EnvrefError) as caught:
        read(plain, "f.age")
    assert caught.value.message == f"reading f.age: {reason}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("scope", "cure"),
    [
        (Scope("other", "staging"), "  hint: --any-project takes them anyway"),
        (Scope("app"), "  run: envref sync pull --profile staging"),
        (Scope("app", "prod"), "  run: envref sync pull --profile staging"),
    ],
)
def test_a_file_of_another_scope_is_refused_with_the_cure(scope, cure):
    """Bound to project and profile."""
    bundle = read(document({}, SCOPE).reveal().encode(), "f")
    with pytest.raises(EnvrefError) as caught:
        bundle.check(scope, "f")
    assert caught.value.lines()[1] == cure
