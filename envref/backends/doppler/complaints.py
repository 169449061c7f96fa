"""Complaints of `doppler` in our words, with a cure for where its token came from (ST-F5)."""

from __future__ import annotations

import json
import os
import re
from typing import NamedTuple

from envref.backends.program import Complaint, plain, understood
from envref.backends.throttling import Throttled
from envref.store_errors import BackendDenied, BackendError, BackendInvalid, BackendLocked, BackendUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.backends.command import Finished

LABEL = "doppler"

_GIVEN = "DOPPLER_TOKEN"


class DopplerRefusal(NamedTuple):
    """What the service said instead; `pause` is how many seconds it wants to be left alone, None if it is not about
    that.
    """

    text: str
    pause: float | None


if TYPE_CHECKING:
    Downloaded = bytes | DopplerRefusal | BackendError


class NoSuchConfig(BackendInvalid):
    """The project has no config of that name. For a profile that means absent: nothing was ever stored there."""


_TOO_OFTEN = re.compile(r"rate limit|too many requests|\b429\b", re.IGNORECASE)
_OFFLINE = "unavailable: no connection to the service"
_NETWORK = "check the network, and DOPPLER_API_HOST if it is set"
_COMPLAINTS = (
    Complaint("Could not find requested config", NoSuchConfig, hint="doppler configs lists those that there are"),
    Complaint("Could not find requested project", BackendInvalid, hint="doppler projects lists those that there are"),
    Complaint("you must provide a token", BackendLocked, says="not signed in", run=("doppler", "login")),
    Complaint(
        "does not have access to requested",
        BackendDenied,
        hint="a service token sees one config: set the backend's config, or run doppler login",
    ),
    Complaint("You must specify a", BackendInvalid, hint="set project and config of the backend, or run doppler setup"),
    # The words of Go's network library, behind the address that it asked.
    *(
        Complaint(phrase, BackendUnavailable, says=_OFFLINE, hint=_NETWORK)
        for phrase in ("dial tcp", "no such host", "connection refused", "i/o timeout", "network is unreachable")
    ),
)


def output(outcome: Finished | Downloaded) -> bytes:
    """What a run printed, or the service said. Raises the error that it ended with."""
    if isinstance(outcome, BackendError):
        raise outcome
    if isinstance(outcome, bytes):
        return outcome
    if isinstance(outcome, DopplerRefusal):
        raise _error(outcome.text)
    if outcome.status:
        raise _error(_complaint(outcome.stderr))
    return outcome.stdout


def _error(said: str) -> BackendError:
    if throttled(said) is not None:
        hint = "Doppler limits how often it is asked; try again in a moment"
        return Complaint("", Throttled, hint=hint).about(LABEL, said)
    return understood(LABEL, said, (_refused(), *_COMPLAINTS))


def _refused() -> Complaint:
    """The variable comes before what `doppler login` stores: with it, signing in changes nothing."""
    run, hint = (("unset", _GIVEN), "doppler login") if os.environ.get(_GIVEN) else (("doppler", "login"), "")
    return Complaint("Invalid Auth token", BackendDenied, says="denied: Invalid Auth token", run=run, hint=hint)


def throttled(stderr: str) -> float | None:
    """Whether Doppler limits how often it is asked. Its program prints the service's sentence, or the status (its
    `http.go`), and not for how long; the service's own sentence was not seen.
    """
    return 0.0 if _TOO_OFTEN.search(stderr) else None


def _complaint(stderr: str) -> str:
    """The sentence that says what happened, from the line before it or from the JSON around it."""
    try:
        return str(json.loads(stderr)["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return plain(stderr).rpartition("Doppler Error: ")[2]
