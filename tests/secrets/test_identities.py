"""Which of the user's keys fit an age file: read from its header, whatever stands there."""

from __future__ import annotations

import pyrage
import pytest

from envref.secrets.identities import fitting

ARMOUR = b"-----BEGIN AGE ENCRYPTED FILE-----\n"


@pytest.fixture
def key(home):
    """A file of age keys, where people keep one."""
    path = home / ".config" / "sops" / "age" / "keys.txt"
    path.parent.mkdir(parents=True)
    path.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    return str(path)


@pytest.mark.parametrize("armored", [False, True])
def test_a_file_of_age_keys_fits_a_file_for_one(key, armored):
    """Binary, or armored."""
    recipient = pyrage.x25519.Identity.generate().to_public()
    assert fitting(pyrage.encrypt(b"v", [recipient], armored=armored)) == [key]


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\n--- ",
        b"-> ",
        b"-> X25519",
        ARMOUR,
        ARMOUR + b"\xff" * 99,
        ARMOUR + b"A=B" * 4,
        ARMOUR + b"A\x00BCD" * 3,
    ],
)
def test_a_file_that_is_none_fits_no_key_and_stops_nothing(key, hostile):
    """A clone's file may hold anything."""
    assert fitting(hostile) in ([], [key])
