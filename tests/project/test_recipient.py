"""Recipients: which keys a secret can be encrypted to, and what is said of the others."""

from __future__ import annotations

import subprocess

import pyrage
import pytest

from envref.errors import UsageError
from envref.project.recipient import Recipient
from tests.requirements import need

KEY = pyrage.x25519.Identity.generate()
PUBLIC = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
# Made by ssh-keygen -t ed25519; nobody has the other half.
SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINMSwr8Cq74bH3SFEhtctlkT5tRTgEE7NF+hkDF9+dKq"


@pytest.mark.parametrize(
    "text",
    [
        "junk",
        "",
        "age1",
        PUBLIC.upper(),
        PUBLIC[:-1] + "q",
        PUBLIC + " ",
        "ssh-ed25519 AAAA",
        "ssh-ed25519",
        "age1/../../bin/sh1qqqq",
        'command="id" ssh-ed25519 AAAA',
    ],
)
def test_anything_else_is_no_recipient(text):
    """No plugin's key, no wrong checksum, no key with options."""
    with pytest.raises(UsageError) as refused:
        Recipient(text)
    assert refused.value.message == f'invalid age public key "{text}"'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "age1yubikey1qwt50d05nh5vutpdzmlg5wn80",
            'a key of the age plugin "yubikey", which envref never starts',
        ),
        ("age1se1qgg72x2qfk9wg3wh0qg9u0v7l5dkq4jx69fv80p6", 'a key of the age plugin "se", which envref never starts'),
        ("age1pq1qwerty", "a post-quantum key of age, which envref can't encrypt to yet"),
        ("age1tag1qwerty", "a tagged key of age for hardware, which envref can't encrypt to yet"),
        ("ssh-dss AAAA me", "an SSH key of type ssh-dss; age takes ssh-ed25519 and ssh-rsa"),
        (
            "sk-ssh-ed25519@openssh.com AAAA",
            "an SSH key of type sk-ssh-ed25519@openssh.com; age takes ssh-ed25519 and ssh-rsa",
        ),
    ],
)
def test_a_key_of_another_kind_is_called_what_it_is(text, what):
    """It is no invalid key: age or OpenSSH takes it, and envref says why it does not (ST-PK8)."""
    with pytest.raises(UsageError) as refused:
        Recipient(text)
    assert refused.value.lines() == [
        f'error: "{text}" is {what}',
        "  hint: ask for age1…, or the line of ~/.ssh/id_ed25519.pub",
    ]


def test_a_real_ecdsa_key_is_called_what_it_is(tmp_path):
    """As ssh-keygen writes it."""
    subprocess.run([need("ssh-keygen"), "-q", "-t", "ecdsa", "-N", "", "-f", tmp_path / "key"], check=True, timeout=60)
    with pytest.raises(UsageError, match="is an SSH key of type ecdsa-sha2-nistp256"):
        Recipient((tmp_path / "key.pub").read_text().strip())


def test_a_private_key_is_refused_and_not_repeated():
    """The mistake is named without the key, in either letter case."""
    for text in (str(KEY), str(KEY).lower(), "-----BEGIN OPENSSH PRIVATE KEY-----"):
        with pytest.raises(UsageError) as refused:
            Recipient(text)
        assert "private key" in refused.value.message
        assert text not in "".join(refused.value.lines())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (PUBLIC, PUBLIC[:20]),
        (f"{SSH} bob@host", "bob@host"),
        (f"{SSH} two words ", "two words"),
        (SSH, f"ssh-ed25519 …{SSH[-20:]}"),
    ],
)
def test_a_recipient_shows_enough_to_recognise_it(text, shown):
    """An age key by its beginning, an SSH key by its comment, or by its end without one."""
    assert str(Recipient(text)) == shown
    assert Recipient(text).text == text
    assert pyrage.encrypt(b"v", [Recipient(text).key])
