"""The public age test vectors against what envref reads age files with: pyrage, and its own scrypt reader."""

from __future__ import annotations

import base64
import hashlib

import pyrage
import pytest

from envref.backends.vault import age
from envref.store_errors import BackendDenied, BackendError, BackendInvalid
from tests.backends.vault import age_kit
from tests.requirements import first_python

pytestmark = first_python

# Where the outcome is not the kit's, and why. What envref writes is none of these, and a value's MAC is checked first.
POST_QUANTUM = "neither pyrage nor envref knows the post-quantum recipients of age 1.3; envref refuses such keys"
STRICTER = {
    "armor_whitespace_outside": "pyrage wants no blanks around an armored file; envref removes them first",
}
LAXER = {
    "stanza_missing_body": "the Rust age takes a stanza without the short line that ends it",
    "stanza_missing_final_line": "as stanza_missing_body",
}
COSTLY = {
    "scrypt_work_factor_23": "pyrage stretches it for minutes; envref's own reader, tried below, refuses it at once"
}
OURS_STRICTER = {"armor_crlf": "a vault's identity is written with LF, and has one spelling only"}
NAMES = age_kit.names() or ["armor_scrypt"]  # without the kit one test that says so


def is_post_quantum(vector):
    return any(identity.startswith("AGE-SECRET-KEY-PQ-") for identity in vector.fields.get("identity", ()))


def outcome(read):
    """What the reading gives, by its hash; None for a refusal."""
    try:
        return hashlib.sha256(read()).hexdigest()
    except (pyrage.DecryptError, pyrage.IdentityError, BackendError):
        return None


def wanted(vector):
    return vector.fields["payload"][0] if vector.expected == "success" else None


def test_the_kit_is_whole():
    """All 143 vectors, of every kind of failure."""
    kinds = {age_kit.vector(name).expected for name in NAMES}
    assert len(NAMES) == 143
    assert kinds == {"success", "no match", "HMAC failure", "header failure", "armor failure", "payload failure"}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in COSTLY])
def test_pyrage_makes_of_each_vector_what_it_should(name):
    """A success has exactly the payload, everything else is refused; the differences are those of the tables."""
    vector = age_kit.vector(name)
    passphrases, identities = vector.fields.get("passphrase", []), vector.fields.get("identity", [])
    if passphrases and not identities:
        found = outcome(lambda: pyrage.passphrase.decrypt(vector.file, passphrases[0]))
    else:
        found = outcome(lambda: pyrage.decrypt(vector.file, list(map(pyrage.x25519.Identity.from_str, identities))))
    if is_post_quantum(vector) or name in STRICTER:
        assert found is None
    elif name in LAXER:
        assert found is not None
    else:
        assert found == wanted(vector)


def test_blanks_around_armor_are_removed_before_pyrage_sees_them():
    """The one vector that pyrage refuses and should not is read as envref reads it."""
    vector = age_kit.vector("armor_whitespace_outside")
    identities = [pyrage.x25519.Identity.from_str(text) for text in vector.fields["identity"]]
    assert outcome(lambda: pyrage.decrypt(vector.file.strip(), identities)) == wanted(vector)


def armored(data):
    text = base64.b64encode(data).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN AGE ENCRYPTED FILE-----", *lines, "-----END AGE ENCRYPTED FILE-----", ""])


def text_of(vector):
    return vector.file.decode("latin-1") if vector.armored else armored(vector.file)


@pytest.mark.parametrize("name", [name for name in NAMES if "scrypt" in name])
def test_the_own_reader_makes_of_each_passphrase_vector_what_it_should(name):
    """The right payload, a wrong passphrase where nothing matches, and damage for everything malformed."""
    vector = age_kit.vector(name)
    passphrase = vector.fields["passphrase"][0].encode()
    if vector.expected == "success":
        assert outcome(lambda: age.unwrap(text_of(vector), passphrase)) == wanted(vector)
        return
    # "SCRYPT" is another kind of recipient, which no vault holds, and so more than a passphrase that does not fit.
    denied = vector.expected == "no match" and name != "scrypt_uppercase"
    with pytest.raises(BackendDenied if denied else BackendInvalid):
        age.unwrap(text_of(vector), passphrase)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("armor_")])
def test_the_own_reader_takes_no_armor_that_the_kit_refuses(name):
    """Armor has one spelling; where the kit allows another one, envref is stricter and says why in the table."""
    vector = age_kit.vector(name)
    if vector.expected == "armor failure" or name in OURS_STRICTER:
        with pytest.raises(BackendInvalid, match="armor"):
            age._unarmored(text_of(vector))
    else:
        assert (b"age-encryption.org/v1" in age._unarmored(text_of(vector))) == (name != "armor_empty")
