"""Sharing: which keys are recipients, and that they, and they only, can read."""

from __future__ import annotations

import os
import subprocess

import pyrage
import pytest

from envref.errors import EnvrefError, UsageError
from envref.secret import Secret
from envref.secrets.sharing import Recipient, encrypt, identities_of, recipients_of
from tests.requirements import need

ALICE = pyrage.x25519.Identity.generate()
BOB = pyrage.x25519.Identity.generate()
VALUE = "línea 1\nline 2\r\n"


@pytest.fixture
def ssh_key(tmp_path):
    """Makes a key pair of a type; the path of its private half."""

    def make(kind):
        path = tmp_path / kind
        subprocess.run([need("ssh-keygen"), "-q", "-t", kind, "-N", "", "-C", "bob@host", "-f", path], check=True)
        return path

    return make


def test_each_recipient_reads_the_exact_value_and_nobody_else():
    """One ciphertext for several keys."""
    sealed = encrypt(Secret(VALUE), [Recipient(str(ALICE.to_public())), Recipient(str(BOB.to_public()))])
    assert sealed.startswith("-----BEGIN AGE ENCRYPTED FILE-----\n")
    assert sealed.endswith("-----END AGE ENCRYPTED FILE-----\n")
    for reader in (ALICE, BOB):
        assert pyrage.decrypt(sealed.encode(), [reader]) == VALUE.encode()
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed.encode(), [pyrage.x25519.Identity.generate()])


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_the_age_program_reads_it_with_an_ssh_key(ssh_key, kind):
    """ssh-ed25519 and ssh-rsa keys are recipients, with their comment."""
    private = ssh_key(kind)
    sealed = encrypt(Secret(VALUE), [Recipient(private.with_suffix(".pub").read_text().strip())])
    opened = subprocess.run([need("age"), "-d", "-i", private], input=sealed.encode(), capture_output=True, check=True)
    assert opened.stdout == VALUE.encode()


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
@pytest.mark.parametrize("form", [(), ("-m", "PEM"), ("-m", "PKCS8")])
def test_an_ssh_key_with_a_passphrase_has_a_cure(tmp_path, monkeypatch, kind, form):
    """The error says what is wrong, and the command it gives makes the key usable (ST-PK7)."""
    if kind == "ed25519" and form:
        pytest.skip("OpenSSH has one form for those")
    key = tmp_path / "my key"
    make = [need("ssh-keygen"), "-q", "-t", kind, *form, "-N", "secret phrase", "-f", key]
    subprocess.run(make, check=True, timeout=60)
    with pytest.raises(EnvrefError) as refused:
        identities_of(str(key))
    assert refused.value.message.startswith("my key: this SSH key has a passphrase, ")
    command = (
        refused.value.cure()[0].removeprefix("run: ").partition(" and name that copy")[0].replace(", then ", " && ")
    )
    ask = tmp_path / "ask"
    ask.write_text("#!/bin/sh\necho secret phrase\n")
    ask.chmod(0o755)
    asked = {**os.environ, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
    subprocess.run(["sh", "-c", command], check=True, timeout=60, env=asked, stdin=subprocess.DEVNULL)
    assert len(identities_of(f"{key}.open")) == 1


def test_a_file_lists_a_recipient_a_line(tmp_path):
    """Blank lines and comments don't count."""
    path = tmp_path / "team.pub"
    path.write_text(f"# the team\n\n{ALICE.to_public()}\r\n  # bob\n  {BOB.to_public()}  \n")
    assert [each.text for each in recipients_of(str(path))] == [str(ALICE.to_public()), str(BOB.to_public())]


def test_a_wrong_line_is_named(tmp_path):
    """File and line stand before the message."""
    path = tmp_path / "team.pub"
    path.write_text(f"{ALICE.to_public()}\njunk\n")
    with pytest.raises(UsageError, match=r'^team.pub:2:1: invalid age public key "junk"$'):
        recipients_of(str(path))


def test_a_file_without_a_recipient_is_refused(tmp_path):
    """A secret for nobody is a mistake."""
    path = tmp_path / "team.pub"
    path.write_text("# nobody\n")
    with pytest.raises(UsageError, match="no recipients") as refused:
        recipients_of(str(path))
    assert refused.value.cure() == ["hint: write one public key a line"]
    with pytest.raises(EnvrefError, match="No such file"):
        recipients_of(str(tmp_path / "missing"))
