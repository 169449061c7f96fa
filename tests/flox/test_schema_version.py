"""Which versions of a manifest's schema there are, and which key is at fault for any other."""

from __future__ import annotations

import pytest

from envref.flox.schema_version import NEWEST, PLUGINS_SINCE, UNDO_SINCE, V1, UnusableVersion, version_of, written

# flox-manifest of Flox 1.15: version = 1, then 1.10.0 to 1.19.0; undo since 1.13.0, plugins since 1.14.0.
KNOWN = [f"1.{minor}.0" for minor in range(10, 20)]


def test_the_versions_that_something_came_with():
    """As a manifest writes them."""
    assert [written(each) for each in (V1, UNDO_SINCE, PLUGINS_SINCE, NEWEST)] == [
        "1.0.0",
        "1.13.0",
        "1.14.0",
        "1.19.0",
    ]


@pytest.mark.parametrize("text", [*KNOWN, "1.19.1", "1.20.0", "2.0.0"])
def test_a_known_schema_or_a_newer_one_is_its_numbers(text):
    """In order of age."""
    assert written(version_of({"schema-version": text})) == text
    assert version_of({"schema-version": text}) > version_of({"version": 1}) == V1


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({}, ""),
        ({"version": 1, "schema-version": "1.12.0"}, "version"),
        *(({"version": version}, "version") for version in (0, 2, True, "1", 1.5)),
        *(
            ({"schema-version": text}, "schema-version")
            for text in ("1.9.0", "1.0.0", "1.10.1", "1.18.9", "1.20", "1.20.0 ", "x", "", 1, ["1.12.0"])
        ),
    ],
)
def test_any_other_version_is_refused_by_its_key(data, key):
    """None has no key."""
    with pytest.raises(UnusableVersion) as caught:
        version_of(data)
    assert caught.value.key == key
    assert str(caught.value) == caught.value.text
