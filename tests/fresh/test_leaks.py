"""Nothing of a value in ENVREF_SEEN, envref.lock or what is printed of revisions: neither it nor a digest of it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import zlib

import pytest

from tests.cli.conftest import config
from tests.fresh.test_stale import a_vault, export  # noqa: F401  # a fixture
from tests.nightly import at_night
from tests.requirements import first_python

pytestmark = first_python

VALUE = "hunter2-marker-of-a-value"
OTHER = "tr0ub4dor-marker-of-another"
_ENOUGH = 8  # characters of a digest with which a guess can be tried
ASKING = [
    ("stale", "--json"),
    ("stale", "--json", "--read"),
    ("-v", "stale"),
    ("lock", "--check", "--json"),
    ("lock", "--check"),
    ("lock", "--update"),
    ("status", "--format", "json"),
    ("doctor",),
    ("secret", "list", "--revisions", "--format", "json"),
]


def digests(data):
    """By every function of this Python, in hex and base64, and a checksum."""
    for name in sorted(hashlib.algorithms_guaranteed):
        made = hashlib.new(name, data)
        raw = made.digest(32) if name.startswith("shake") else made.digest()
        yield raw.hex()[:_ENOUGH]
        yield base64.b64encode(raw).decode()[:_ENOUGH]
    yield f"{zlib.crc32(data):08x}"
    yield hashlib.sha1(b"blob %d\0%b" % (len(data), data)).hexdigest()[:_ENOUGH]  # as git names a content


def traces(text, value):
    """What of a value is in the text."""
    data = [value.encode(), f"{value}\n".encode(), json.dumps(value).encode(), json.dumps({"value": value}).encode()]
    forms = [value, value.encode().hex(), base64.b64encode(value.encode()).decode()[:-4], value[:6]]
    return [form for form in [*forms, *(digest for each in data for digest in digests(each))] if form in text]


@pytest.mark.parametrize(
    "kind",
    ["a_vault", "entries", *(pytest.param(kind, marks=at_night) for kind in ("parameters", "managed", "passes"))],
)
def test_nothing_of_a_value_is_told(project, request, monkeypatch, trusted, kind):
    """Before and after a rotation, in every command that asks for revisions; the value is read, so it could be."""
    made = request.getfixturevalue(kind)
    project.write(".envref.yaml", config(made.entry))
    project.write(".env", "A=ref://secrets/a\nB=x-${ref://secrets/b}-${A}\n")
    made.put("a", VALUE)
    made.put("b", VALUE)
    export(project, monkeypatch)
    assert os.environ["A"] == VALUE
    told = [os.environ["ENVREF_SEEN"]]
    assert project.envref("lock").returncode == 0
    made.put("a", OTHER)
    for words in ASKING:
        done = project.envref(*words)
        assert done.returncode in (0, 1, 3), (words, done.stderr)
        told += [done.stdout, done.stderr, project.read("envref.lock")]
    for value in (VALUE, OTHER, f"x-{VALUE}-{VALUE}"):
        assert traces("\n".join(told), value) == []


def test_what_is_looked_for_is_found():
    """A digest anywhere in a line, cut to what still tells."""
    for name in ("md5", "sha1", "sha256", "blake2b"):
        assert traces(f"A=store@{hashlib.new(name, VALUE.encode()).hexdigest()[:12]}", VALUE)
    blob = subprocess.run(
        ["git", "hash-object", "--stdin"], input=VALUE.encode(), capture_output=True, check=True, env={**os.environ}
    ).stdout.decode()
    assert traces(f"blob-{blob}", VALUE)


def test_a_plugin_that_takes_the_value_for_a_revision_tells_none(project, monkeypatch, trusted):
    """Neither as it is, nor with something around it."""
    project.write(".envref.yaml", config({"name": "store", "type": "plugin", "config": {"command": "./store"}}))
    project.write(".env", "A=ref://store/a\n")
    for revision in (VALUE, f"v1 {VALUE}!"):
        answer = json.dumps({"value": VALUE, "revision": revision})
        project.write("store", f"#!{sys.executable} -IS\nprint('''{answer}''')\n").chmod(0o755)
        export(project, monkeypatch)
        assert re.fullmatch(r"1 \w+ - A=store@ \.", os.environ["ENVREF_SEEN"])
