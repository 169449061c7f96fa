"""Complaints of `op` in our words, with a cure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from envref.backends.onepassword.meaning import LABEL
from envref.backends.program import Complaint, plain, understood
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendLocked,
    BackendUnavailable,
    SecretNotFound,
)

if TYPE_CHECKING:
    from envref.backends.command import Finished

_SIGN_IN: Any = {"says": "not signed in", "run": ("op", "signin")}
_LIMITS = "op service-account ratelimit shows the limits"
_START = "start and unlock the 1Password app; Settings > Developer has its integration with op"
_APPROVE = "run it again and approve it in 1Password; op signin asks beforehand"
_ACCOUNT = "option account names one; op account list shows them"


class Ambiguous(BackendInvalid):
    """More than one item has the name."""


# The last row counts only if no other matches: an item may have any name.
_COMPLAINTS = (
    Complaint("isn't a vault", BackendDenied, hint="op vault list shows the vaults of the account"),
    Complaint("not currently signed in", BackendLocked, **_SIGN_IN),
    Complaint("account is not signed in", BackendLocked, **_SIGN_IN),
    Complaint("could not find session token", BackendLocked, **_SIGN_IN),
    Complaint("No accounts configured", BackendLocked, **_SIGN_IN),
    Complaint("session expired", BackendLocked, **_SIGN_IN),
    Complaint("multiple accounts found", BackendInvalid, says="op is signed in to several accounts", hint=_ACCOUNT),
    Complaint("found multiple accounts for filter", BackendInvalid, hint=_ACCOUNT),
    Complaint("found no accounts for filter", BackendLocked, hint=_ACCOUNT),
    Complaint("authorization timeout", BackendLocked, hint=_APPROVE),
    Complaint("authorization prompt dismissed", BackendLocked, hint=_APPROVE),
    Complaint("authorization denied", BackendLocked, hint=_APPROVE),
    Complaint("connecting to desktop app timed out", BackendLocked, hint=_START),
    Complaint("DecodeSACredentials", BackendDenied, hint="check OP_SERVICE_ACCOUNT_TOKEN"),
    Complaint("(401) Unauthorized", BackendDenied, hint="check the token in the environment"),
    Complaint("(403) Forbidden", BackendDenied, hint="the account needs access to the vault and its items"),
    Complaint("Too many requests", BackendUnavailable, hint=_LIMITS),
    Complaint("(429)", BackendUnavailable, hint=_LIMITS),
    Complaint("rate limit", BackendUnavailable, hint=_LIMITS),
    Complaint("cannot connect to 1Password app", BackendUnavailable, hint=_START),
    Complaint("connecting to desktop app", BackendUnavailable, hint=_START),
    Complaint("More than one item matches", Ambiguous),
    Complaint("isn't an item", SecretNotFound),
)
_STAMP = re.compile(r"^\[ERROR\] \d+/\d+/\d+ \d+:\d+:\d+ (?:unable to process line \d+: )?", re.MULTILINE)


def refuse(finished: Finished) -> None:
    """Raises the error of a failed call."""
    error = error_of(finished)
    if error is not None:
        raise error


def error_of(finished: Finished) -> BackendError | None:
    """The error of a failed call; None for one that succeeded."""
    if finished.status == 0:
        return None
    first, *stamped = _STAMP.split(plain(finished.stderr))
    return understood(f"{LABEL}: op", "".join(stamped) or first, _COMPLAINTS)


def says_absent(finished: Finished, name: str) -> bool:
    return finished.status != 0 and f'"{name}" isn\'t an item' in plain(finished.stderr)
