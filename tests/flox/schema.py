"""Flox's own JSON Schema as a judge of every manifest that the tests make: an oracle, never a part of envref.

The file is Flox's, under GPL version 2, and lies beside the checkout: `../shared/data/flox-manifest-v1.schema.json`;
ENVREF_TESTS_SHARED names another `shared`. It covers versions up to 1.15.0. Where it is absent the tests of the oracle
are skipped with that reason, and others judge manifests without it; in CI both fail.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import tomllib

from tests.conftest import ROOT
from tests.requirements import missing

# Read before a test's environment is cleared.
SHARED = pathlib.Path(os.environ.get("ENVREF_TESTS_SHARED") or ROOT.parent / "shared")
FILE = SHARED / "data" / "flox-manifest-v1.schema.json"


def errors(text):
    """What the schema of the version that the manifest declares says against it, one text a fault.

    Without the schema the test is skipped, or fails in CI: silence would be taken for consent.
    """
    manifest = tomllib.loads(text)
    return [
        f"{error.json_path}: {error.message[:200]}" for error in _validator(_variant(manifest)).iter_errors(manifest)
    ]


def accepted(text):
    """The text of a manifest, which the schema accepts where it is at hand: for tests of something else as well."""
    assert not is_covered(text) or errors(text) == []
    return text


def is_covered(text):
    """Whether the schema knows the version that the manifest declares. False without the schema, a failure in CI."""
    if not _text() and os.environ.get("CI") != "true":
        return False
    return f"Manifest{_variant(tomllib.loads(text))}" in _schema()["$defs"]


def need():
    """Skips the test where the schema is absent, or fails it in CI."""
    _schema()


def _variant(manifest):
    return "V1" if manifest.get("version") == 1 else "V" + manifest["schema-version"].replace(".", "_")


@functools.cache
def _validator(variant):
    import jsonschema

    schema = _schema()
    root = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/Manifest{variant}"}
    return jsonschema.Draft202012Validator(root)


@functools.cache
def _text():
    return FILE.read_text(encoding="utf-8") if FILE.is_file() else ""


def _schema():
    return json.loads(_text() or missing(f"Flox's JSON Schema is not at {FILE}"))
