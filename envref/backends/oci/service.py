"""OCI's services of secrets, asked by envref's own requests where it can (ADR 34), and else through `oci`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, TypeVar

from envref.backends.answer import MAYBE_A_PROXY, answered
from envref.backends.base import Package
from envref.backends.direct import COMMAND, Direct
from envref.backends.oci.complaints import LABEL, READING, SET_UP, SignIn, failure, refused, throttled
from envref.backends.oci.questions import ANSWERING, CONNECTING, Misunderstood, OciRefusal
from envref.backends.program import Installation, Program
from envref.store_errors import BackendError, BackendInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envref.backends.command import Finished
    from envref.backends.oci.direct.client import OciClient
    from envref.backends.oci.questions import OciQuestion

_Told = TypeVar("_Told")

PACKAGES = (Package("oci-cli"),)
_INSTALLATION = Installation(("oci-cli",), PACKAGES, SET_UP)

# Every option of the output is given: a user's own oci settings may name another format, or a query.
_GLOBAL = (
    "--no-retry",
    f"--connection-timeout={CONNECTING}",
    f"--read-timeout={ANSWERING}",
    "--output=json",
    "--query=@",
)
# Warnings that most people get from oci at every call; envref would quote one instead of what went wrong.
_QUIET = {"SUPPRESS_LABEL_WARNING": "True", "OCI_CLI_SUPPRESS_FILE_PERMISSIONS_WARNING": "True"}


class Oci:
    """The services as one profile sees them, signed in to as `auth` says."""

    def __init__(self, *, profile: str, auth: str, command: str, root: str, reason: str = "") -> None:
        """`reason` is why `oci` is asked, whatever the settings are."""
        self._profile = profile
        self._auth = auth
        self._direct = Direct("oci", self._client, reason or (COMMAND if command not in ("", "oci") else ""))
        given = {"--profile": profile, "--auth": auth}
        self._global = (*_GLOBAL, *(f"{option}={value}" for option, value in given.items() if value))
        self._sign_in = SignIn(auth, profile)
        self._program = Program(LABEL, command or "oci", _INSTALLATION, root=root, throttled=throttled)

    @property
    def way(self) -> str:
        """How it was asked, and why through the program."""
        return self._direct.way

    def ask(self, questions: Sequence[OciQuestion[_Told]], deadline: float) -> list[_Told | BackendError]:
        """An answer for each question, several asked at once. Raises BackendError where nothing can be asked."""
        if not questions:
            return []
        answers = self._direct.ask(
            lambda client: client.ask(questions, deadline), lambda: self._printed(questions, deadline)
        )
        return [refused(answer.text, self._sign_in) if isinstance(answer, OciRefusal) else answer for answer in answers]

    def ask_one(self, question: OciQuestion[_Told], deadline: float) -> _Told:
        """The answer. Raises BackendError."""
        (answer,) = self.ask([question], deadline)
        if isinstance(answer, BackendError):
            raise answer
        return answer

    def run(self, arguments: Sequence[str], deadline: float, *, policy: str, payload: bytes | None = None) -> Any:
        """What a command printed as `data`. Raises BackendError; `policy` is the cure where a permission is missing."""
        finished = self._program.run([*self._global, *arguments], deadline, payload=payload, extra=_QUIET)
        if finished.status:
            raise failure(finished, self._sign_in, policy)
        return _data(finished.stdout) if finished.stdout.strip() else None

    def _client(self) -> OciClient:
        from envref.backends.oci.direct.client import OciClient

        return OciClient(os.environ, profile=self._profile, auth=self._auth)

    def _printed(
        self, questions: Sequence[OciQuestion[_Told]], deadline: float
    ) -> list[_Told | OciRefusal | BackendError]:
        """The answers through the program: one process each, four at a time."""
        calls = [(*self._global, *question.arguments()) for question in questions]
        outcomes = self._program.run_many(calls, deadline, extra=_QUIET)
        pairs = zip(questions, outcomes, strict=True)
        return [answered(self._read, question, outcome) for question, outcome in pairs]

    def _read(self, question: OciQuestion[_Told], outcome: Finished | BackendError) -> _Told:
        if isinstance(outcome, BackendError):
            raise outcome
        if outcome.status:
            raise failure(outcome, self._sign_in, READING)
        # For an empty list oci prints nothing at all.
        is_empty = question.operation.is_listing and not outcome.stdout.strip()
        return understood(question.read, [] if is_empty else _data(outcome.stdout))


def understood(read: Callable[[Any], _Told], data: Any) -> _Told:
    """What `read` makes of what `oci` printed. BackendInvalid for what it does not understand."""
    try:
        return read(data)
    except Misunderstood:
        raise _unknown_answer() from None


def _data(stdout: bytes) -> Any:
    """Member `data` of what oci printed."""
    try:
        return json.loads(stdout.decode())["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _unknown_answer() from None


def _unknown_answer() -> BackendInvalid:
    return BackendInvalid(
        f"{LABEL}: oci printed an answer that envref does not know", hint=f"{MAYBE_A_PROXY}; else update oci-cli"
    )
