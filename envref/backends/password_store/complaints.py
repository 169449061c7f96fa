"""Complaints of `pass`, and of the gpg that it starts, in our words and with a cure."""

from __future__ import annotations

from envref.backends.program import Complaint
from envref.store_errors import BackendDenied, BackendInvalid, BackendLocked, BackendUnavailable, SecretNotFound

HISTORY = "take it from the history of the store: pass git log"
_KEYS = "gpg --list-keys shows them: import a missing key, extend an expired one with --quick-set-expire"
_AGENT = "let gpg start gpg-agent: gpg-connect-agent /bye says why it can't"
_UNLOCK = "unlock the key by reading an entry with pass show; if gpg --list-secret-keys lacks it, import it"


# The last row counts only if no other matches: an entry may have any name.
COMPLAINTS = (
    Complaint("gpg: command not found", BackendUnavailable, says="pass can't start gpg", hint="install gnupg"),
    Complaint("You must run:", BackendUnavailable, says="not initialized", run=("pass", "init", "YOUR-GPG-ID")),
    Complaint("gpg-agent", BackendUnavailable, hint=_AGENT),
    Complaint("No secret key", BackendLocked, says="locked: gpg has no secret key that it may use", hint=_UNLOCK),
    Complaint("cannot open '/dev/tty'", BackendLocked, says="locked: gpg can't ask for the passphrase", hint=_UNLOCK),
    Complaint("Permission denied", BackendDenied, hint="pass ls says more"),
    Complaint(
        "File name too long",
        BackendInvalid,
        says="a part of the name is too long for a file",
        hint="choose another key",
    ),
    Complaint("Is a directory", BackendInvalid, says="the name is taken by a directory", hint="choose another key"),
    Complaint(
        "Not a directory", BackendInvalid, says="a part of the name is taken by an entry", hint="choose another key"
    ),
    Complaint(
        "encryption failed: ",
        BackendUnavailable,
        says="gpg lacks a usable public key of a recipient in .gpg-id",
        hint=_KEYS,
    ),
    Complaint("decrypt_message failed", BackendInvalid, says="the entry is damaged", hint=HISTORY),
    Complaint("has been manipulated", BackendInvalid, says="the entry is damaged", hint=HISTORY),
    Complaint("is not in the password store", SecretNotFound),
)
