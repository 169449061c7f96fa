"""The passphrase's age file: written so that age reads it, read no laxer than age."""

from __future__ import annotations

import base64
import functools
import subprocess

import pyrage
import pytest

from envref.backends.vault import age
from envref.backends.vault.format import Keys, new_identity
from envref.store_errors import BackendDenied, BackendInvalid, BackendUnavailable
from tests.requirements import need, others_at_night

PASSPHRASE = "correct horse battery"
# Written by Debian's age 1.1.1, `age -p -a`, work factor 18.
DEBIANS = """\
-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBrSGM1bVNHTzVEU0ROZ25D
M0xVcVZRIDE4CkFDLzNzc2k3RUJ1YktyWlFSRzNsZzBmbTZrazUwMXI1a2Q3VTM1
aU4xbEkKLS0tIEgvS0tIelVQMG44ZlY3VDluT2F5RnN4RnovdnYrcjQvcUFYN1R5
SWZZc1EK3hJDHNzrTkIfBb4r7Bu1hnvUh46UZ03El/nJa/hfOZrL5g8m88OuKBki
LG0=
-----END AGE ENCRYPTED FILE-----
"""


@pytest.fixture(scope="module")
def wrapped():
    """`content`, as `wrap` writes it."""
    return age.wrap(b"content", PASSPHRASE.encode(), 15)


def raw(armored):
    return base64.b64decode("".join(armored.splitlines()[1:-1]))


def armored(data):
    text = base64.b64encode(data).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN AGE ENCRYPTED FILE-----", *lines, "-----END AGE ENCRYPTED FILE-----", ""])


def converse(script):
    """Runs an expect script; what the terminal showed."""
    result = subprocess.run([need("expect")], input=script, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.mark.parametrize("content", [b"", b"x", b"line\n", bytes(range(256)) * 256])
def test_what_is_wrapped_comes_back(content):
    """Any content up to a whole chunk of 64 KiB."""
    assert age.unwrap(age.wrap(content, b"pass", 15), b"pass") == content


def test_pyrage_reads_it(wrapped):
    """Another implementation opens what this one wrote."""
    assert pyrage.passphrase.decrypt(wrapped.encode(), PASSPHRASE) == b"content"


def test_a_file_of_debians_age_is_read():
    """A file that age made is opened, its higher work factor included."""
    assert age.work_factor_of(DEBIANS) == 18
    assert age.unwrap(DEBIANS, PASSPHRASE.encode()) == b"independent\n"


def test_age_reads_the_identity_and_with_it_a_row(tmp_path):
    """By hand, with age alone: the passphrase opens the identity, the identity a value (security.md 4.3)."""
    debians = need("age")
    line = new_identity()
    identity, row = tmp_path / "identity.age", tmp_path / "row.age"
    identity.write_text(age.wrap(f"{line}\n".encode(), PASSPHRASE.encode(), 15))
    row.write_text(Keys("5f" * 16, identity.read_text(), line).seal("app/key", b"the value\n").value)
    converse(
        f"set timeout 30\nspawn {debians} -d -o {tmp_path}/identity {identity}\n"
        f'expect "passphrase" {{ send "{PASSPHRASE}\\r" }} timeout {{ exit 1 }}\nexpect eof\n'
        "lassign [wait] pid spawned os status\nexit $status\n"
    )
    decrypted = subprocess.run(
        [debians, "-d", "-i", tmp_path / "identity", row], capture_output=True, check=True
    ).stdout
    header, _, value = decrypted.partition(b"\n")
    assert header == b'envref/2 ["' + b"5f" * 16 + b'","app/key"]'
    assert value == b"the value\n"


@others_at_night
def test_an_identity_that_age_wrapped_is_read(tmp_path):
    """The other way round: `age -p` wraps, envref opens."""
    debians = need("age")
    plain, target = tmp_path / "plain", tmp_path / "wrapped.age"
    plain.write_text("AGE-SECRET-KEY-PLACEHOLDER\n")
    converse(
        f"set timeout 30\nspawn {debians} -p -a -o {target} {plain}\n"
        f'expect "Enter passphrase" {{ send "{PASSPHRASE}\\r" }} timeout {{ exit 1 }}\n'
        f'expect "Confirm passphrase" {{ send "{PASSPHRASE}\\r" }} timeout {{ exit 1 }}\nexpect eof\n'
        "lassign [wait] pid spawned os status\nexit $status\n"
    )
    assert age.unwrap(target.read_text(), PASSPHRASE.encode()) == plain.read_bytes()


def test_a_wrong_passphrase_is_denied(wrapped):
    """Only the stanza's own tag says that a passphrase is wrong."""
    with pytest.raises(BackendDenied, match="vault: wrong passphrase"):
        age.unwrap(wrapped, b"another")


def test_two_files_share_nothing(wrapped):
    """Salt, file key and nonce are random: the same content never looks the same."""
    again = age.wrap(b"content", PASSPHRASE.encode(), 15)
    assert set(raw(wrapped).split(b"\n")) & set(raw(again).split(b"\n")) == {b"age-encryption.org/v1"}


def stanza(salt=b"A" * 22, factor=b"15", body=b"A" * 43, mac=b"A" * 43, before=b"", after=b"", payload=bytes(40)):
    return (
        b"age-encryption.org/v1\n" + before + b"-> scrypt " + salt + b" " + factor + b"\n" + body + b"\n"
        + after + b"--- " + mac + b"\n" + payload
    )  # fmt: skip


MALFORMED = {
    "no age": b"hello\n\n\n\n" + bytes(40),
    "empty": b"",
    "version": stanza().replace(b"/v1", b"/v2", 1),
    "carriage return": stanza().replace(b"\n", b"\r\n"),
    "no stanza": b"age-encryption.org/v1\n--- " + b"A" * 43 + b"\n" + bytes(40),
    "second stanza": stanza(after=b"-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n"),
    "stanza before": stanza(before=b"-> grease\n\n"),
    "other stanza": stanza().replace(b"scrypt", b"X25519"),
    "extra argument": stanza(factor=b"15 x"),
    "leading zero": stanza(factor=b"015"),
    "signed": stanza(factor=b"+15"),
    "no factor": stanza(factor=b""),
    "zero": stanza(factor=b"0"),
    "factor too large": stanza(factor=b"23"),
    "factor huge": stanza(factor=b"99999999999"),
    "letters": stanza(factor=b"0x0f"),
    "short salt": stanza(salt=b"A" * 20),
    "long salt": stanza(salt=b"A" * 24),
    "padded salt": stanza(salt=b"A" * 22 + b"=="),
    "salt of other alphabet": stanza(salt=b"-" * 22),
    "salt not canonical": stanza(salt=b"A" * 21 + b"B"),
    "short body": stanza(body=b"A" * 42),
    "long body": stanza(body=b"A" * 64),
    "short mac": stanza(mac=b"A" * 42),
    "no mac": stanza(mac=b""),
    "mac not canonical": stanza(mac=b"A" * 42 + b"B"),
    "no payload": stanza(payload=b""),
    "short payload": stanza(payload=bytes(31)),
    "long payload": stanza(payload=bytes(16 + 65536 + 16 + 1)),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_anything_else_is_refused_before_it_costs(kind, monkeypatch):
    """Exactly one scrypt stanza, canonical and of the right lengths; a malformed one never reaches scrypt."""
    monkeypatch.setattr(age, "_scrypt", lambda *_: pytest.fail("the passphrase was stretched"))
    with pytest.raises(BackendInvalid, match="the stored identity is damaged"):
        age.unwrap(armored(MALFORMED[kind]), b"pass")


def test_every_bit_counts(wrapped, monkeypatch):
    """No bit of the file can change and the content still come out."""
    stretch = functools.cache(age._scrypt)
    # Another salt or factor gives another key, which needs no proof at 0.1 s each.
    right = age._parsed(wrapped)[0]
    monkeypatch.setattr(
        age,
        "_scrypt",
        lambda passphrase, salt, factor: (
            stretch(passphrase, salt, factor) if (salt, factor) == (right.salt, 15) else bytes(32)
        ),
    )
    data = raw(wrapped)
    assert age.unwrap(armored(data), PASSPHRASE.encode()) == b"content"
    for position in range(len(data)):
        changed = data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1 :]
        with pytest.raises((BackendInvalid, BackendDenied)):
            age.unwrap(armored(changed), PASSPHRASE.encode())


ARMOR = {
    "blank inside": lambda text: text.replace("\n", "\n ", 2),
    "short line": lambda text: text[:60] + "\n" + text[60:],
    "no footer": lambda text: text.rsplit("\n", 2)[0],
    "no header": lambda text: text.split("\n", 1)[1],
    "text after": lambda text: text + "more",
    "one line": lambda text: text.splitlines()[0] + "\n" + "".join(text.splitlines()[1:-1]) + "\n" + text[-35:],
    "not base64": lambda text: text.replace("Y", "!"),
}


@pytest.mark.parametrize("kind", ARMOR)
def test_armor_has_one_spelling(wrapped, kind):
    """64 columns, padding, both marker lines; blanks are allowed around it only."""
    assert age.unwrap(f"\n{wrapped}\n", PASSPHRASE.encode()) == b"content"
    with pytest.raises(BackendInvalid, match="armor"):
        age.unwrap(ARMOR[kind](wrapped), PASSPHRASE.encode())


def test_a_factor_the_memory_can_not_hold_is_refused(monkeypatch):
    """Half of the free memory is the limit; the refusal says how much is needed."""
    monkeypatch.setattr(age, "_available_memory", lambda: 1 << 30)
    with pytest.raises(BackendUnavailable, match="work factor 20 needs 1024 MiB of memory, 1024 MiB are free"):
        age.unwrap(armored(stanza(factor=b"20")), b"pass")


def test_the_free_memory_is_known():
    """The refusal above measures something."""
    assert age._available_memory() > 1 << 20


def test_scrypt_is_the_same_on_both_sides_of_hashlibs_limit(monkeypatch):
    """Above 2^20 another library stretches; it gives the same key."""
    ours = age._scrypt(b"pass", bytes(16), 12)
    monkeypatch.setattr(age, "_LARGEST_HASHLIB", 11)
    assert age._scrypt(b"pass", bytes(16), 12) == ours


def test_what_a_guess_costs_by_default():
    """2^17, 128 MiB a guess (security.md P5); from 2^15 to 2^20 may be chosen."""
    assert age.DEFAULT_WORK_FACTOR == 17
    assert list(age.WORK_FACTORS) == [15, 16, 17, 18, 19, 20]


@pytest.mark.parametrize(("free", "is_refused"), [(64 << 20, False), ((64 << 20) - 2, True), (None, False)])
def test_half_of_the_free_memory_may_be_taken(monkeypatch, free, is_refused):
    """To the byte; where nobody knows how much there is, it is tried."""
    monkeypatch.setattr(age, "_available_memory", lambda: free)
    if is_refused:
        with pytest.raises(BackendUnavailable) as caught:
            age._refuse_memory(15)
        assert caught.value.lines() == [
            "error: vault: its work factor 15 needs 32 MiB of memory, 63 MiB are free",
            "  hint: free some memory, or lower the work factor on a larger machine",
        ]
    else:
        age._refuse_memory(15)
