"""What the program and the server complain of, put into our words: once, for both ways to ask."""

from __future__ import annotations

import re

from envref.backends.program import Complaint, plain, understood
from envref.errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendTimeout,
    BackendUnavailable,
    SecretNotFound,
)

LABEL = "hashicorp-vault"

_SERVER = re.compile(r"(https?://)(?:[^/@\s\"]*@)?([^/@\s\"]+)")


def failure(text: str, mount: str, path: str) -> BackendError:
    """The error that a text of the program, or one in its manner, stands for. `path` is what was asked for."""
    # On one line, because the first line of an error of the server says nothing: "Error making API request."
    words = " ".join(plain(text).split())
    found = _SERVER.search(words)
    return understood(LABEL, words, _complaints(mount, path, f" ({''.join(found.groups())})" if found else ""))


def _complaints(mount: str, path: str, server: str) -> list[Complaint]:
    """Wording of OpenBao 2.7.2 (stores.md 6). The first phrase that occurs decides."""
    no_mount = f'no KV engine of version 2 at "{mount}" in this namespace'
    sign_in = "denied: permission denied; set VAULT_ADDR and VAULT_TOKEN"
    return [
        Complaint(f"No value found at {mount}/data/", SecretNotFound),
        # Without "/data/" it is the mount that was not found: there is no such namespace, or it is of version 1.
        Complaint("No value found at ", BackendInvalid, no_mount),
        Complaint("namespace not found", BackendInvalid, no_mount),
        Complaint(
            "preflight capability check returned 403",
            BackendDenied,
            f'denied: there is no mount "{mount}", or the token has no access to it',
            hint="option mount names the KV engine; vault secrets list shows them",
        ),
        # The lookup of the mount is open to every token: who is refused there is not signed in.
        Complaint(f"/sys/internal/ui/mounts/{mount} Code: 403", BackendDenied, sign_in, run=("vault", "login")),
        Complaint("missing client token", BackendDenied, sign_in, run=("vault", "login")),
        Complaint(
            "* permission denied",
            BackendDenied,
            f'denied: permission denied for "{path}"',
            hint=f'the token needs a policy for "{mount}/data/…" and "{mount}/metadata/…"',
        ),
        Complaint("Code: 403", BackendDenied),
        Complaint("is sealed", BackendUnavailable, f"unavailable: sealed{server}", run=("vault", "operator", "unseal")),
        Complaint("connection refused", BackendUnavailable, f"unavailable: connection refused{server}"),
        Complaint("no such host", BackendUnavailable, f"unavailable: no such host{server}"),
        Complaint(
            "server gave HTTP response to HTTPS client",
            BackendUnavailable,
            f"unavailable: the server speaks http, not https{server}",
            hint="set VAULT_ADDR, or the option addr",
        ),
        Complaint(
            "x509: ",
            BackendUnavailable,
            f"unavailable: the server's certificate can't be verified{server}",
            hint="set VAULT_CACERT to the certificate of the authority that signed it",
        ),
        Complaint("context deadline exceeded", BackendTimeout, f"no answer within VAULT_CLIENT_TIMEOUT{server}"),
        Complaint("check-and-set parameter did not match", BackendInvalid, f'"{path}" changed meanwhile; try again'),
        Complaint("request body too large", BackendInvalid, "the value is larger than the server takes"),
        Complaint(
            "flag provided but not defined",
            BackendInvalid,
            "the program does not know a flag that envref uses",
            hint="install version 1.11 or later",
        ),
    ]
