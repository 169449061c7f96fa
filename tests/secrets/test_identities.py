"""Which of the user's keys fit an age file: read from its header, whatever stands there."""

from __future__ import annotations

import subprocess

import pyrage
import pytest

from envref.secrets.identities import fitting
from tests.requirements import need

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


def test_the_ssh_key_that_a_file_names_fits(home):
    """By its public half; another key does not, and none where its private half is elsewhere."""
    (home / ".ssh").mkdir()
    for name in ("one", "other"):
        make = [need("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(home / ".ssh" / name)]
        subprocess.run(make, check=True)
    public = (home / ".ssh/one.pub").read_text()
    sealed = pyrage.encrypt(b"v", [pyrage.ssh.Recipient.from_str(public)])
    assert fitting(sealed) == [str(home / ".ssh/one")]
    assert fitting(sealed, {"HOME": str(home), "AGE_IDENTITY": "~/mine"}) == [
        str(home / "mine"),
        str(home / ".ssh/one"),
    ]
    (home / ".ssh/one").unlink()
    assert fitting(sealed) == []
