"""Program: the vendor's program behind one store, with the errors that its absence and its complaints become.

`command` and `programs` are loaded where a program starts: a store that is asked directly starts none.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from envref.backends.answer import excerpt
from envref.backends.throttling import TRIES, patiently
from envref.errors import pasted, printable
from envref.store_errors import BackendError, BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envref.backends import command
    from envref.backends.base import Package

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


def _never(_stderr: str) -> None:
    """The store has no such signal."""


class Installation(NamedTuple):
    """How to install a program, and the command that makes it ready afterwards; a command is a list of words."""

    brew: tuple[str, ...]
    packages: tuple[Package, ...]
    then: tuple[str, ...] = ()

    def command(self) -> tuple[str, ...]:
        """The command to paste: Flox's in a Flox environment, elsewhere Homebrew's (commands.md 13, row 8)."""
        if os.environ.get("FLOX_ENV"):
            return ("flox", "install", *(package.path for package in self.packages))
        return ("brew", "install", *self.brew)


_SIGN_IN = "HTTPS_PROXY and HTTP_PROXY may hold one, as http://USER:PASSWORD@HOST:PORT"


class Complaint(NamedTuple):
    """A phrase of a program, and the error it stands for.

    `says` is our sentence; without one the program's own line is quoted. `run` and `hint` are the cure.
    """

    phrase: str
    error: type[BackendError]
    says: str = ""
    run: tuple[str, ...] = ()
    hint: str = ""

    def about(self, label: str, text: str) -> BackendError:
        """The error; it quotes the program's text if we have no sentence of our own."""
        return self.error(f"{label}: {self.says or excerpt(text)}", run=self.run, hint=self.hint)


# How a proxy's 407 reaches us: Go's words for HTTPS, and for HTTP those of doppler 3.77.1, OpenBao 2.7.2, aws 1.46.3
# and oci 3.95.1. For HTTPS aws says only the last one, and that of a proxy which is not there too.
_REFUSED_BY_PROXY = ("Proxy Authentication Required", "with HTTP 407", "Code: 407.", "(407) when", "error code 407")
_NO_PROXY = "Failed to connect to proxy URL"
_OF_PROXIES = (
    *(
        Complaint(said, BackendUnavailable, "unavailable: the proxy wants a sign-in", hint=_SIGN_IN)
        for said in _REFUSED_BY_PROXY
    ),
    Complaint(_NO_PROXY, BackendUnavailable, hint=f"check that proxy, and its sign-in: {_SIGN_IN}"),
)


# Certificates, in the words of Go (doppler, vault) and Python (aws); oci hides what was wrong.
EXPIRED = "certificate has expired"
RENEW = "have the server's certificate renewed, or set this machine's clock"
_OTHER_HOST = "the certificate is for another host: check the address, or what stands between"
_UNTRUSTED = "name a file with the authority that signed it in"
_OF_CERTIFICATES = (
    Complaint(EXPIRED, BackendUnavailable, hint=RENEW),
    Complaint("x509: certificate is valid for ", BackendUnavailable, hint=_OTHER_HOST),
    Complaint("x509: cannot validate certificate for ", BackendUnavailable, hint=_OTHER_HOST),
    Complaint("' doesn't match '", BackendUnavailable, hint=_OTHER_HOST),
    Complaint("x509: ", BackendUnavailable, hint="add the authority that signed it to the system's"),
    Complaint("SSL validation failed for ", BackendUnavailable, hint=f"{_UNTRUSTED} AWS_CA_BUNDLE"),
    Complaint("SSLException: ", BackendUnavailable, hint=f"{_UNTRUSTED} OCI_CLI_CERT_BUNDLE, or renew the certificate"),
)


class Program:
    """A program that a store delegates to.

    `label` begins every message; a relative path starts at `root`; the program never gets the variables in `unset`,
    because they change the output that the store parses. `throttled` finds in its stderr that the store is asked too
    often, and the seconds to wait at least (`throttling.patiently`); then it runs again, `tries` times in all.
    """

    def __init__(
        self,
        label: str,
        name: str,
        installation: Installation,
        *,
        root: str = "",
        unset: Sequence[str] = (),
        throttled: Callable[[str], float | None] = _never,
        tries: int = TRIES,
    ) -> None:
        self._throttled = throttled
        self._tries = tries
        self.label = label
        self.name = name
        self.installation = installation
        self._root = root
        self._unset = unset
        self._path = ""

    def path(self) -> str:
        """Its absolute path, looked up once. BackendUnavailable where there is no such program."""
        if not self._path:
            from envref.backends.programs import find

            self._path = find(self.name, root=self._root) or ""
        if not self._path:
            name = printable(os.path.basename(self.name))
            message = f"{self.label}: start {name}: executable file not found in $PATH"
            raise BackendUnavailable(message, run=self.installation.command(), hint=pasted(self.installation.then))
        return self._path

    def run(
        self,
        arguments: Sequence[str],
        deadline: float,
        *,
        payload: bytes | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> command.Finished:
        """Runs the program to its end with `extra` in its environment. Raises BackendError as `command.run` does."""
        from envref.backends import command

        (outcome,) = self._run([command.Call([self.path(), *arguments], payload)], deadline, extra)
        if isinstance(outcome, BackendError):
            raise outcome
        return outcome

    def run_many(
        self, calls: Iterable[Sequence[str]], deadline: float, *, extra: Mapping[str, str] | None = None
    ) -> list[command.Finished | BackendError]:
        """One run for each list of arguments, four at a time; the outcomes in their order."""
        from envref.backends import command

        path = self.path()
        return self._run([command.Call([path, *arguments]) for arguments in calls], deadline, extra)

    def _run(
        self, calls: Sequence[command.Call], deadline: float, extra: Mapping[str, str] | None
    ) -> list[command.Finished | BackendError]:
        from envref.backends import command

        environment = self.environment(extra)

        def ask(some: Sequence[command.Call]) -> list[command.Finished | BackendError]:
            return command.run_many(some, deadline=deadline, label=self.label, environment=environment)

        return patiently(ask, calls, deadline, self._pause, tries=self._tries)

    def _pause(self, outcome: command.Finished | BackendError) -> float | None:
        if isinstance(outcome, BackendError) or outcome.status == 0:
            return None
        return self._throttled(plain(outcome.stderr))

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """What the program gets: the caller's environment, in English, with `extra` on top."""
        from envref.backends import command

        return command.child_environment(extra, unset=self._unset)


def plain(text: str) -> str:
    """A program's text without colour codes: some programs print them into pipes too."""
    return _ANSI.sub("", text)


def understood(label: str, text: str, complaints: Iterable[Complaint]) -> BackendError:
    """The error that a program's text stands for: the first complaint whose phrase is in it.

    Unknown text is BackendUnavailable with its first line, and never "missing" (stores.md 0).
    """
    cleaned = plain(text)
    for complaint in (*complaints, *_OF_PROXIES, *_OF_CERTIFICATES):
        if complaint.phrase in cleaned:
            return complaint.about(label, cleaned)
    return BackendUnavailable(
        f"{label}: {excerpt(cleaned) or 'failed without a message'}",
        hint="run the store's own program by hand; envref -v shows which store was asked",
    )
