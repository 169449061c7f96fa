"""The public age test vectors (C2SP's CCTV, npm package cctv-age), as `make test` puts them below .venvs/."""

from __future__ import annotations

import base64
import functools
import re
import zlib
from typing import NamedTuple

from tests.requirements import ENVIRONMENTS, missing

_FILE = ENVIRONMENTS / "age-kit" / "index.js"


class Vector(NamedTuple):
    """What an implementation must make of one file: `fields` are the vector's own words about it."""

    fields: dict[str, list[str]]
    file: bytes

    @property
    def expected(self):
        return self.fields["expect"][0]

    @property
    def armored(self):
        return self.fields.get("armored") == ["yes"]


def names():
    """The names of all vectors; none where they are not installed."""
    return sorted(_vectors())


def vector(name):
    """One of them; without the kit the test is skipped, or fails in CI."""
    return _vectors()[name] if name in _vectors() else missing(f"the age test kit is not installed in {_FILE.parent}")


@functools.cache
def _vectors():
    if not _FILE.exists():
        return {}
    text = _FILE.read_text(encoding="utf-8")
    found = re.findall(r'^var (\w+)_default = __toBinary\("([^"]*)"\);$', text, re.MULTILINE)
    return {name: _parsed(base64.b64decode(encoded)) for name, encoded in found}


def _parsed(data):
    head, _, file = data.partition(b"\n\n")
    fields = {}
    for line in head.decode().splitlines():
        name, _, value = line.partition(": ")
        fields.setdefault(name, []).append(value)
    return Vector(fields, zlib.decompress(file) if fields.get("compressed") == ["zlib"] else file)
