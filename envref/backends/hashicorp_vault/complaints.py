"""Complaints of HashiCorp Vault in our words: one table for the program's text and for the server's own answer."""

from __future__ import annotations

import os
import re
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from envref.backends.answer import excerpt
from envref.backends.program import Complaint, plain, understood
from envref.errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendTimeout,
    BackendUnavailable,
    SecretNotFound,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

LABEL = "hashicorp-vault"

_SERVER = re.compile(r"(https?://)(?:[^/@\s\"]*@)?([^/@\s\"]+)")
# Cases that only the server's own words distinguish, whatever the status is.
_WORDED = ("no namespace", "no access", "no token", "sealed")


def failure(text: str, mount: str, path: str) -> BackendError:
    """The error that a text of the program stands for. `path` is what was asked for."""
    # Joined to one line, because the first line of a server's error says nothing: "Error making API request."
    words = " ".join(plain(text).split())
    found = _SERVER.search(words)
    server = f" ({''.join(found.groups())})" if found else ""
    return understood(LABEL, words, _complaints(mount, path, server).values())


def refusal(
    server: str, target: str, status: int, errors: Sequence[str] | None, *, mount: str, path: str
) -> BackendError:
    """The error that an answer of the server stands for. `path` is empty where the mount itself was looked up.

    `errors` are the server's words; None where the answer is not the server's own.
    """
    if status == HTTPStatus.NOT_FOUND and path and errors == []:
        return SecretNotFound(f"{LABEL}: secret not found")
    reading = f"Error reading {mount}/data/{path}: " if path else ""
    listed = "".join(f" * {error}" for error in errors or ())
    sentence = " ".join(f"{reading}URL: GET {server}{target} Code: {status}. Errors:{listed}".split())
    known = _complaints(mount, path, f" ({server})")
    cause = _cause(known, status, " ".join(" ".join(errors or ()).split()), path)
    return known[cause].about(LABEL, sentence) if cause else BackendUnavailable(f"{LABEL}: {excerpt(sentence)}")


def _cause(known: dict[str, Complaint], status: int, said: str, path: str) -> str:
    """The complaint's name; empty for an unknown one, which counts as unavailable and never as absent."""
    worded = next((cause for cause in _WORDED if known[cause].phrase in said), "")
    if worded:
        return worded
    if status == HTTPStatus.FORBIDDEN and not path:
        return "not signed in"
    if "permission denied" in said:
        return "denied"
    return "forbidden" if status == HTTPStatus.FORBIDDEN else ""


def unreachable(server: str, failed: Exception) -> BackendError:
    """The error of a connection that failed."""
    known = _complaints("", "", f" ({server})")
    if isinstance(failed, ConnectionRefusedError):
        return known["refused"].about(LABEL, "")
    if isinstance(failed, socket.gaierror) and failed.errno == socket.EAI_NONAME:
        return known["no host"].about(LABEL, "")
    sentence = f'GET "{server}": {_reason(failed)}'
    return BackendUnavailable(f"{LABEL}: {excerpt(sentence)}")


def _reason(failed: Exception) -> str:
    if not isinstance(failed, OSError):
        return "the answer is not HTTP"
    return failed.strerror.lower() if failed.strerror else "the connection ended before the answer"


def _complaints(mount: str, path: str, server: str) -> dict[str, Complaint]:
    """Complaints by our names for them. Wording of OpenBao 2.7.2 (stores.md 6); the first phrase found decides."""
    no_mount = f'no KV engine of version 2 at "{mount}" in this namespace'
    sign_in = "denied: permission denied; set VAULT_ADDR and VAULT_TOKEN"
    # The variable comes before what `vault login` stores: with it, signing in changes nothing.
    is_given = bool(os.environ.get("VAULT_TOKEN"))
    cure: Any = {"run": ("unset", "VAULT_TOKEN"), "hint": "vault login"} if is_given else {"run": ("vault", "login")}
    return {
        "absent": Complaint(f"No value found at {mount}/data/", SecretNotFound),
        # Without "/data/" the mount was not found: the namespace does not exist, or the mount is of version 1.
        "other mount": Complaint("No value found at ", BackendInvalid, no_mount),
        "no namespace": Complaint("namespace not found", BackendInvalid, no_mount),
        "no access": Complaint(
            "preflight capability check returned 403",
            BackendDenied,
            f'denied: there is no mount "{mount}", or the token has no access to it',
            hint="option mount names the KV engine; vault secrets list shows them",
        ),
        # Every token may look up the mount: whoever is refused there is not signed in.
        "not signed in": Complaint(f"/sys/internal/ui/mounts/{mount} Code: 403", BackendDenied, sign_in, **cure),
        "no token": Complaint("missing client token", BackendDenied, sign_in, **cure),
        "denied": Complaint(
            "* permission denied",
            BackendDenied,
            f'denied: permission denied for "{path}"',
            hint=f'the token needs a policy for "{mount}/data/…" and "{mount}/metadata/…"',
        ),
        "forbidden": Complaint("Code: 403", BackendDenied),
        "sealed": Complaint(
            "is sealed", BackendUnavailable, f"unavailable: sealed{server}", run=("vault", "operator", "unseal")
        ),
        "refused": Complaint("connection refused", BackendUnavailable, f"unavailable: connection refused{server}"),
        "no host": Complaint("no such host", BackendUnavailable, f"unavailable: no such host{server}"),
        "not TLS": Complaint(
            "server gave HTTP response to HTTPS client",
            BackendUnavailable,
            f"unavailable: the server speaks http, not https{server}",
            hint="set VAULT_ADDR, or the option addr",
        ),
        "certificate": Complaint(
            "x509: ",
            BackendUnavailable,
            f"unavailable: the server's certificate can't be verified{server}",
            hint="set VAULT_CACERT to the certificate of the authority that signed it",
        ),
        "timeout": Complaint(
            "context deadline exceeded", BackendTimeout, f"no answer within VAULT_CLIENT_TIMEOUT{server}"
        ),
        "changed": Complaint(
            "check-and-set parameter did not match", BackendInvalid, f'"{path}" changed meanwhile; try again'
        ),
        "too large": Complaint("request body too large", BackendInvalid, "the value is larger than the server takes"),
        "old": Complaint(
            "flag provided but not defined",
            BackendInvalid,
            "the program does not know a flag that envref uses",
            hint="install version 1.11 or later",
        ),
    }
