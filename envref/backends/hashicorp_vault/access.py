"""Access: by which program the server is reached, with which variables, and as whom."""

from __future__ import annotations

import os

from envref.backends import command
from envref.backends.base import Package
from envref.backends.hashicorp_vault.complaints import LABEL, THROTTLED, Login
from envref.backends.program import Installation, Program
from envref.secret import Secret
from envref.store_errors import BackendInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from envref.backends.command import Finished
    from envref.backends.hashicorp_vault.endpoint import Endpoint
    from envref.backends.http.pool import Connections
    from envref.store_errors import BackendError

PACKAGES = (Package("vault-bin", group="vault", unfree=True, also="vault"),)
PROGRAMS = ("vault", "bao")
_INSTALLATION = Installation(("hashicorp/tap/vault",), PACKAGES, ("vault", "login"))


class ServerAccess:
    """`command` names the program, or is empty; `settings` and the token are what the options say of the server."""

    def __init__(self, command: str, root: str, settings: Mapping[str, str], token: str) -> None:
        if not token.isprintable():
            raise BackendInvalid(
                f"{LABEL}: the token is not one line of text", hint="keep nothing else beside the token"
            )
        self._command = command
        self._root = root
        self._settings = settings
        self._token = Secret(token) if token else None
        self._found: Program | None = None
        self._connections: Connections | None = None  # they last as long as a backend of this host has them

    def run(self, arguments: Sequence[str], deadline: float, *, payload: bytes | None = None) -> Finished:
        return self._program.run(arguments, deadline, payload=payload, extra=self._variables())

    def run_many(self, calls: Sequence[Sequence[str]], deadline: float) -> Sequence[Finished | BackendError]:
        return self._program.run_many(calls, deadline, extra=self._variables())

    @property
    def _program(self) -> Program:
        """The configured program; else `vault`, or `bao` where only `bao` is installed."""
        if self._found is None:
            names = (self._command,) if self._command else PROGRAMS
            name = next((name for name in names if command.find(name, root=self._root)), names[0])
            self._found = Program(
                LABEL, name, _INSTALLATION, root=self._root, unset=("VAULT_FORMAT",), throttled=_throttled
            )
        return self._found

    def _variables(self) -> dict[str, str]:
        """The variables that configure the program. OpenBao reads its own names first, so both are set."""
        # No retries: they outlast a time-out. DETAILED changes the shape of a listing.
        given = {**self._settings, "MAX_RETRIES": "0", "DETAILED": "false"}
        if self._token:
            given["TOKEN"] = self._token.reveal()
        return {f"{maker}_{name}": value for maker in ("VAULT", "BAO") for name, value in given.items() if value}

    def login(self, renewal: Mapping[str, Any] | None) -> Login:
        """Where the token comes from; `renewal` replaces one that another store lent."""
        program = os.path.basename(self._program.name)
        makers = ("BAO", "VAULT") if program == "bao" else ("VAULT", "BAO")
        variables = (f"{maker}_TOKEN" for maker in makers)
        set_one = next((variable for variable in variables if os.environ.get(variable)), "")
        return Login(
            "bao" if program == "bao" else "vault",
            "option token" if self._token else set_one,
            renewal,
        )

    def server(self, deadline: float) -> Endpoint:
        """Where the program would connect to, with the token that it would send. Raises Unusual."""
        from envref.backends.hashicorp_vault.endpoint import endpoint
        from envref.backends.http.connection import Unusual, is_sendable

        server = endpoint(self._program.environment(self._variables()), os.path.basename(self._program.path()))
        if server is None:
            raise Unusual
        if not server.token:
            # Only the program knows where `vault login` left it: in a file, or with a token helper.
            printed = self.run(["print", "token"], deadline)
            server.token = printed.stdout.decode("utf-8", "replace").strip()
            if printed.status or not is_sendable(server.token):
                raise Unusual
        Secret(server.token)  # registers it, so that messages hide it
        self._connections = server.connections
        return server


def _throttled(stderr: str) -> float | None:
    """Whether the server limits how often it is asked; the program does not say for how long."""
    return 0.0 if THROTTLED in stderr else None
