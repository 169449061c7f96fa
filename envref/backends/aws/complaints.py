"""Complaints of `aws` and of AWS's services in our words, with a cure for where the credentials came from."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from envref.backends.program import Complaint, plain, understood
from envref.backends.throttling import TRIES, Throttled
from envref.errors import printable
from envref.store_errors import BackendDenied, BackendError, BackendInvalid, BackendLocked, BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envref.backends.aws.credentials import Origin

# botocore.exceptions of 1.44.5: nobody there, silence before and after the request, and an end in the middle.
_UNREACHED = (
    "Could not connect to the endpoint URL",
    "Connect timeout on endpoint URL",
    "Read timeout on endpoint URL",
    "Connection was closed before we received a valid response from endpoint URL",
)
# How the names begin under which AWS limits rates (botocore/retries/standard.py). LimitExceededException is not among
# them: Secrets Manager says so of a quota that is used up.
_THROTTLING = ("Throttling", "Throttled", "TooMany", "RequestLimitExceeded", "RequestThrottled", "SlowDown")
_THROTTLED = re.compile(rf"An error occurred \((?:{'|'.join(_THROTTLING)})")
# What services say of keys that were revoked, have ended, or are not those of a session any more.
_KEYS = re.compile(
    r"An error occurred \((?:ExpiredToken|RequestExpired|UnrecognizedClientException|InvalidClientTokenId"
    r"|InvalidSignatureException|SignatureDoesNotMatch)"
)
_TOO_OFTEN = "AWS limits how often it is asked; try again in a moment"

# The program's own line, among its notes and warnings.
_SAID = re.compile(r"(?:An error occurred \(|aws: error: ).*")
_OTHER_NAME = "choose another key, or another prefix of the backend"
_NOTE = re.compile(r"^(?:Warning: |usage: Note: ).*$", re.MULTILINE)
_TRIED = " (reached max retries: 0)"  # envref tries again, not `aws`
_REFUSED = re.compile(r"not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z]+) on resource: (\S+)")
_CLOCK = "set this machine's clock: AWS takes no request that is minutes old, or ahead"
_SECOND_FACTOR = "the profile's role needs an MFA code"
_SERVICE_ERROR = re.compile(r"An error occurred \(([^)]+)\) when calling the (\w+) operation")


class Refusal:
    """What `aws` says on stderr, or would say."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def is_about_keys(self) -> bool:
        """Whether the keys have ended, or AWS knows none like them: others may do."""
        return _KEYS.search(self.text) is not None

    def pause(self) -> float | None:
        """The seconds to wait before another try; None for a refusal about something else."""
        return throttled(self.text)


class Complaints:
    """What one service says, to a store with this label and profile. `actions` are the permissions that it needs, `own`
    the service's words.
    """

    def __init__(
        self, label: str, service: str, profile: str, *, actions: Sequence[str], own: Sequence[Complaint]
    ) -> None:
        self.label = label
        self._service = service
        self._profile = profile
        self._actions = actions
        self._own = own

    def error(self, text: str, about: str) -> BackendError:
        """The error that the program's text on stderr stands for (commands.md 13, rows 12 and 13)."""
        said = _line(text)
        # Reads the files of `aws`, for an error alone.
        from envref.backends.aws.credentials import Origin

        error = understood(self.label, said, (*self._own, *_complaints(Origin(self._profile))))
        service_error = _SERVICE_ERROR.search(said)
        if not isinstance(error, BackendDenied) or error.run or not service_error:
            return error
        code, operation = service_error.groups()
        action, resource = f"{self._service}:{operation}", about
        refused = _REFUSED.search(said)
        if refused:
            # The permission may be another service's: reading a parameter needs kms:Decrypt too.
            action, resource = refused[1], about if refused[1].startswith(f"{self._service}:") else refused[2]
        message = f'{self.label}: denied: {code} for {action} on "{printable(resource)}"'
        return BackendDenied(message, hint=error.hint or self._needed(action))

    def second_factor(self) -> BackendLocked:
        """The error where `aws` asks the person: it does so for a code of MFA alone."""
        from envref.backends.aws.credentials import Origin

        run, hint = Origin(self._profile).second_factor()
        return BackendLocked(f"{self.label}: {_SECOND_FACTOR}", run=run, hint=hint)

    def of_role(self, stderr: str, role: str) -> BackendError:
        """The error of a role that was not assumed."""
        error = self.error(stderr, role)
        if isinstance(error, BackendDenied) and not error.run:
            return BackendDenied(
                f'{self.label}: denied: the role "{printable(role)}" may not be assumed',
                hint="its trust policy has to allow you, and yours sts:AssumeRole on it",
            )
        return error

    def _needed(self, action: str) -> str:
        if not action.startswith(f"{self._service}:"):
            return f"the role needs {action} on it"
        *others, last = [f"{self._service}:{action}" for action in self._actions]
        return f"the role needs {', '.join(others)} and {last}"


def of_operation(code: str, operation: str, message: str) -> str:
    """A service's refusal in the words of `aws` (botocore's ClientError)."""
    return f"An error occurred ({code}) when calling the {operation} operation: {message}"


def throttled(stderr: str) -> float | None:
    """Whether AWS limits how often it is asked; it does not say for how long."""
    return 0.0 if _THROTTLED.search(stderr) else None


def tries() -> int:
    """How often the user wants AWS to be asked, as `aws` itself reads it."""
    attempts = os.environ.get("AWS_MAX_ATTEMPTS", "")
    return int(attempts) if attempts.isascii() and attempts.isdecimal() else TRIES


def _line(text: str) -> str:
    cleaned = _NOTE.sub("", plain(text))
    said = _SAID.search(cleaned)
    return said[0].replace(_TRIED, "") if said else cleaned


def usual_sign_in(profile: str) -> tuple[str, ...]:
    """The command that signs in most people: single sign-on at a profile, or the keys of an account."""
    named = profile or os.environ.get("AWS_PROFILE", "")
    return ("aws", "sso", "login", "--profile", named) if named else ("aws", "configure")


def _complaints(origin: Origin) -> tuple[Complaint, ...]:
    """What `aws` says for every service. Its exit status tells nothing: v1 has 255 for all (stores.md 7)."""
    no_session = "the single sign-on session has expired"
    expired = "the credentials have expired"
    sign_in, renewal, keys = origin.sign_in(), origin.renewal(), origin.keys()
    return (
        Complaint("Enter MFA code for", BackendLocked, _SECOND_FACTOR, *origin.second_factor()),
        Complaint("Unable to locate credentials", BackendLocked, "no credentials", *renewal),
        Complaint("Partial credentials found", BackendLocked, "incomplete credentials", *keys),
        Complaint("The config profile (", BackendLocked, run=keys.run),
        Complaint("Error loading SSO Token", BackendLocked, no_session, *sign_in),
        Complaint("Error when retrieving token from sso", BackendLocked, no_session, *sign_in),
        Complaint("The SSO session associated with this profile", BackendLocked, no_session, *sign_in),
        Complaint("Error when retrieving credentials from custom-process", BackendLocked, "", *origin.process()),
        Complaint("Error when retrieving credentials from", BackendLocked, "", *renewal),
        Complaint("(ExpiredToken", BackendLocked, expired, *renewal),
        Complaint("(RequestExpired)", BackendLocked, expired, *renewal),
        # Of both codes of a signature (aws/aws-cli#6676, aws/aws-sdk-js#2565): the keys are right.
        *(Complaint(f"Signature {when}: ", BackendDenied, hint=_CLOCK) for when in ("expired", "not yet current")),
        Complaint("(UnrecognizedClientException)", BackendDenied, "", *renewal),
        Complaint("(InvalidClientTokenId)", BackendDenied, "", *renewal),
        Complaint("(InvalidSignatureException)", BackendDenied, "", *renewal),
        Complaint("(SignatureDoesNotMatch)", BackendDenied, "", *renewal),
        Complaint("(IncompleteSignature", BackendDenied, "", *renewal),
        Complaint("(AccessDenied", BackendDenied),
        Complaint("(403)", BackendDenied),
        *(Complaint(f"({code}", Throttled, hint=_TOO_OFTEN) for code in _THROTTLING),
        Complaint("(ValidationException)", BackendInvalid, hint=_OTHER_NAME),
        Complaint("You must specify a region", BackendInvalid, "no region; set the backend's option region", *keys),
        Complaint("doesn't match a supported format", BackendInvalid, hint=_OTHER_NAME),
        Complaint(
            "Invalid choice", BackendInvalid, "this aws does not know the operation", hint="update the aws program"
        ),
        Complaint("aws: error: ", BackendInvalid, hint="update the aws program, or correct the options of the backend"),
        *(Complaint(each, BackendUnavailable, hint="check the network and the region") for each in _UNREACHED),
    )
