"""Complaints of `oci` and of the service behind it, in our words, with a cure for how the user signs in (ST-F5)."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from envref.backends.program import Complaint, plain, understood
from envref.backends.throttling import Throttled
from envref.store_errors import BackendDenied, BackendInvalid, BackendLocked, BackendUnavailable

if TYPE_CHECKING:
    from envref.backends.command import Finished
    from envref.store_errors import BackendError

LABEL = "oci-vault"
SET_UP = ("oci", "setup", "config")
SESSION = "security_token"  # the `auth` of a profile that `oci session authenticate` made
UNREACHED = "The connection to endpoint"  # how `oci` begins when a service is not there
READING = "the policy has to allow read secret-bundles and inspect secrets in the compartment of the vault"
WRITING = "the policy has to allow manage secret-family and use keys in the compartment of the vault"

_SIGN_IN = ("oci", "session", "authenticate")
_KEY = "check user, tenancy, fingerprint and key_file of the oci profile"
_INSTANCE = "run on an instance of Oracle Cloud, or leave the option auth out"
_GROUP = "a dynamic group has to hold this instance, and a policy allow the group"
_CLOCK = "set this machine's clock: Oracle takes no request that is minutes old, or ahead"
_TOO_OFTEN = "Oracle limits how often it is asked; try again in a moment"
_NO_USER = re.compile(r"\|\s*user\s*\|\s*missing")
_USER = "OCI_CLI_USER"


class AbsentOrDenied(BackendDenied):
    """The service gives the same answer for an absent secret and for one that the user may not see."""


class SignIn:
    """How `oci` signs in: the backend's `auth` and `profile`, else those of the environment."""

    def __init__(self, auth: str, profile: str) -> None:
        self._auth = auth or os.environ.get("OCI_CLI_AUTH", "")
        self._profile = profile or os.environ.get("OCI_CLI_PROFILE", "")

    def session(self) -> tuple[str, ...]:
        """The command that begins a session of the profile."""
        return (*_SIGN_IN, *(("--profile-name", self._profile) if self._profile else ()))

    def refused(self) -> Complaint:
        """What to do where the service does not take the signature."""
        said = "denied: NotAuthenticated"
        if self._auth == SESSION:
            return Complaint("NotAuthenticated:", BackendDenied, said, run=self.session())
        if self._auth and self._auth != "api_key":
            return Complaint("NotAuthenticated:", BackendDenied, said, hint=_GROUP)
        given = [name for name in os.environ if name.startswith(_KEYS)]
        hint = f"check {', '.join(sorted(given))} of the environment" if _USER in given else _KEY
        return Complaint("NotAuthenticated:", BackendDenied, said, hint=hint)

    def incomplete(self, text: str) -> Complaint:
        """A profile without a user is one of a session, which `oci` takes for one with a key."""
        said = "oci: its configuration is incomplete"
        if not _NO_USER.search(text):
            return Complaint("config file at", BackendLocked, said, run=SET_UP)
        from envref.backends.ini import sections

        path = os.environ.get("OCI_CLI_CONFIG_FILE") or "~/.oci/config"
        if "security_token_file" in sections(path).get(self._profile or "DEFAULT", {}):
            said = "oci: the profile is one of oci session authenticate"
            return Complaint("config file at", BackendLocked, said, hint=f"set auth: {SESSION} in the backend's config")
        hint = f"set auth: {SESSION} if oci session authenticate made the profile; else run oci setup config"
        return Complaint("config file at", BackendLocked, said, hint=hint)


_KEYS = ("OCI_CLI_USER", "OCI_CLI_TENANCY", "OCI_CLI_FINGERPRINT", "OCI_CLI_KEY_")


def _complaints(text: str, sign_in: SignIn, policy: str) -> tuple[Complaint, ...]:
    session = sign_in.session()
    return (
        Complaint("NotAuthorizedOrNotFound:", AbsentOrDenied, "denied: NotAuthorizedOrNotFound", hint=policy),
        Complaint("NotAuthorized:", BackendDenied, "denied: NotAuthorized", hint=policy),
        # Of NotAuthenticated too (oracle/terraform-provider-oci#474): the key is right.
        Complaint("not within allowed clock skew", BackendDenied, hint=_CLOCK),
        sign_in.refused(),
        Complaint("TooManyRequests:", Throttled, hint=_TOO_OFTEN),
        Complaint("IncorrectState:", BackendInvalid, hint="try again in a moment: the secret is being changed"),
        Complaint("InvalidParameter:", BackendInvalid, hint="check the OCIDs of the backend"),
        Complaint(
            UNREACHED,
            BackendUnavailable,
            "unavailable: no connection to the service",
            hint="check the network, and region of the oci profile",
        ),
        Complaint("Could not find config file", BackendLocked, "oci: not configured", run=SET_UP),
        sign_in.incomplete(text),
        Complaint("not found in config file", BackendLocked, "oci: no such profile", run=SET_UP),
        Complaint("session has expired", BackendLocked, "oci: the session has expired", run=session),
        Complaint(
            "'security_token_file' does not exist", BackendLocked, "oci: the session's token is gone", run=session
        ),
        Complaint("'security_token_file' must be", BackendLocked, "oci: the profile has no session", run=session),
        Complaint(
            "only possible from OCI compute", BackendLocked, "oci: this machine is not an OCI instance", hint=_INSTANCE
        ),
        Complaint(
            "Private key passphrase",
            BackendLocked,
            "oci: the private key needs a passphrase",
            hint="add pass_phrase to the oci profile, or sign in with oci session authenticate",
        ),
        Complaint(
            "No such command", BackendInvalid, "oci: this version is too old: it lacks a command", hint="update oci-cli"
        ),
        Complaint(
            "No such option", BackendInvalid, "oci: this version is too old: it lacks an option", hint="update oci-cli"
        ),
    )


def failure(finished: Finished, sign_in: SignIn, policy: str) -> BackendError:
    """The error that a failed call stands for. In stdout only known phrases count: it may hold a value.

    `policy` is the cure where a permission is missing.
    """
    stderr = plain(finished.stderr)
    complaints = _complaints(stderr, sign_in, policy)
    printed = plain(finished.stdout.decode("utf-8", "replace"))
    known = [complaint.phrase for complaint in complaints if complaint.phrase in printed]
    return understood(LABEL, "\n".join([_summary(stderr), *known]), complaints)


def refused(text: str, sign_in: SignIn) -> BackendError:
    """The error of a read that a service refused: `CODE: message`, as `failure` makes it of what `oci` printed."""
    return understood(LABEL, text, _complaints(text, sign_in, READING))


def throttled(stderr: str) -> float | None:
    """Whether the service limits how often it is asked; `oci` does not print for how long."""
    return 0.0 if _summary(stderr).startswith("TooManyRequests:") else None


def _summary(stderr: str) -> str:
    """`CODE: message` of the JSON that oci writes after a line of its own; the text itself if there is no JSON."""
    head, brace, rest = stderr.partition("{")
    try:
        told = json.loads(brace + rest)
        code = "TooManyRequests" if told.get("status") == _TOO_MANY else told.get("code")
        return f"{code or head.strip().rpartition(chr(10))[2].rstrip(':')}: {told['message']}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return stderr


_TOO_MANY = 429  # whatever code the service gives it
