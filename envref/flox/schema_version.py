"""Schema version: which of Flox's manifest schemas a manifest is written for, and what each allows (flox.md 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# The known schemas. envref warns about a newer one; any other is an error to Flox too.
_KNOWN = tuple((1, minor, 0) for minor in range(10, 20))
V1 = (1, 0, 0)  # stands for `version = 1`
NEWEST = _KNOWN[-1]
UNDO_SINCE = (1, 13, 0)
PLUGINS_SINCE = (1, 14, 0)
GOODBYE_SINCE = (1, 15, 0)


class UnusableVersion(Exception):
    """A version that Flox does not accept; `key` is the key that sets it, empty if there is none."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key
        self.text = text


def version_of(data: Mapping[str, Any]) -> tuple[int, ...]:
    """The schema version of a manifest's data. Raises UnusableVersion."""
    version, schema = data.get("version"), data.get("schema-version")
    if version is not None and schema is not None:
        raise UnusableVersion("version", "both version and schema-version; delete one, version = 1 is the older")
    if version is None and schema is None:
        raise UnusableVersion("", 'neither version nor schema-version; add version = 1 or schema-version = "1.12.0"')
    if schema is not None:
        return _numbers(schema)
    if version != 1 or isinstance(version, bool):
        raise UnusableVersion("version", "version is always 1; newer manifests have schema-version instead")
    return V1


def written(version: tuple[int, ...]) -> str:
    """The version as a manifest says it."""
    return ".".join(map(str, version))


def _numbers(schema: object) -> tuple[int, ...]:
    numbers = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", schema) if isinstance(schema, str) else None
    found = tuple(map(int, numbers.groups())) if numbers else ()
    if found not in _KNOWN and found <= NEWEST:
        known = ", ".join(map(written, _KNOWN))
        raise UnusableVersion("schema-version", f"schema-version that Flox does not know (it knows {known})")
    return found
