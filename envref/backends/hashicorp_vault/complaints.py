"""Complaints of HashiCorp Vault in our words: one table for the program's text and for the server's own answer."""

from __future__ import annotations

import _socket as sockets  # `socket` and `http` make enums of their constants, which takes longer than a request
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from envref.backends.answer import MAYBE_A_PROXY, excerpt
from envref.backends.base import PROBE
from envref.backends.http.connection import TOO_MANY_REQUESTS
from envref.backends.program import EXPIRED, RENEW, Complaint, plain, understood
from envref.backends.throttling import Throttled
from envref.errors import printable
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendTimeout,
    BackendUnavailable,
    FieldNotFound,
    SecretNotFound,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LABEL = "hashicorp-vault"
OK, FORBIDDEN, NOT_FOUND = 200, 403, 404
THROTTLED = "Code: 429"

_QUOTAS = "try again in a moment; vault list sys/quotas/rate-limit names its limits"
_REQUEST = re.compile(r"URL: (?P<method>[A-Z]+) \S+?/v1/(?P<path>[^\s?]+)(?:\?(?P<query>\S*))?")
_CAPABILITIES = {
    "GET": "read",
    "LIST": "list",
    "PUT": 'create", "update',
    "POST": 'create", "update',
    "PATCH": "patch",
    "DELETE": "delete",
}
_SERVER = re.compile(r"(https?://)(?:[^/@\s\"]*@)?([^/@\s\"]+)")
_UNVERIFIED = "the server's certificate can't be verified"
# In the words of Go; the first one that is found counts.
_CERTIFICATES = (
    ("old certificate", EXPIRED, f"it has expired: {RENEW}"),
    ("certificate of another", "x509: certificate is valid for ", "VAULT_TLS_SERVER_NAME names whom it is for"),
    ("certificate of no host", "x509: cannot validate certificate for ", "VAULT_TLS_SERVER_NAME names whom it is for"),
    ("certificate", "x509: ", "set VAULT_CACERT to the certificate of the authority that signed it"),
)
# Cases that only the server's own words distinguish, whatever the status is.
_WORDED = ("no namespace", "no access", "no token", "sealed")


class Login(NamedTuple):
    """The program that signs in, and where the token comes from: a variable, `option token`, or empty for a login.

    `renewal` replaces a token that another store lent.
    """

    program: str = "vault"
    source: str = ""
    renewal: Mapping[str, Any] | None = None

    def again(self) -> dict[str, Any]:
        """What replaces a token that is refused. A variable or an option comes before what a login stores."""
        if self.renewal:
            return dict(self.renewal)
        if self.source.isupper():
            return {"run": ("unset", self.source), "hint": f"{self.program} login"}
        if self.source:
            return {"hint": f"the {self.source} of the backend holds it; without that, {self.program} login counts"}
        return {"run": (self.program, "login")}


A_LOGIN = Login()


class Misplaced(FieldNotFound):
    """There is no entry there, and the path seems to begin with what a path does not hold."""

    @classmethod
    def about(cls, mount: str, path: str) -> Misplaced | None:
        """The error for an absent path as other tools write it: with the mount, or with `data/` (ST-HV2)."""
        head, data, tail = f"/{path}".partition("/data/")
        head = head.strip("/")
        inside = f'a path begins inside the mount "{mount}"'
        if data and head in ("", mount):
            advice = f'write "{printable(tail)}": {inside}, and "data/" is the server\'s own'
        elif path.startswith(f"{mount}/"):
            advice = f'write "{printable(path.removeprefix(mount)[1:])}": {inside}'
        elif data:
            other = printable(head)
            advice = f'for the mount "{other}" list a backend with mount: {other}, and write "{printable(tail)}"'
        else:
            return None
        return cls(f'secret not found: "{printable(path)}"', subject=LABEL, advice=advice)


class NoMount(BackendInvalid):
    """There is no such engine in this namespace, or no such entry in an engine of version 1: the words are the same."""


def failure(text: str, mount: str, path: str, login: Login) -> BackendError:
    """The error that a text of the program stands for. `path` is what was asked for."""
    # Joined to one line, because the first line of a server's error says nothing: "Error making API request."
    words = " ".join(plain(text).split())
    found = _SERVER.search(words)
    server = f" ({''.join(found.groups())})" if found else ""
    return understood(LABEL, words, _complaints(mount, path, server, login, _policy(words)).values())


def refusal(
    server: str,
    target: str,
    status: int,
    errors: Sequence[str] | None,
    *,
    mount: str,
    path: str,
    login: Login = A_LOGIN,
) -> BackendError:
    """The error that an answer of the server stands for. `path` is empty where the mount itself was looked up.

    `errors` are the server's words; None where the answer is not the server's own.
    """
    if status == NOT_FOUND and path and errors == []:
        return SecretNotFound(f"{LABEL}: secret not found")
    reading = f"Error reading {mount}/data/{path}: " if path else ""
    listed = "".join(f" * {error}" for error in errors or ())
    sentence = " ".join(f"{reading}URL: GET {server}{target} Code: {status}. Errors:{listed}".split())
    known = _complaints(mount, path, f" ({server})", login, _policy(sentence))
    cause = _cause(known, status, " ".join(" ".join(errors or ()).split()), path)
    return known[cause].about(LABEL, sentence) if cause else understood(LABEL, sentence, ())


def _cause(known: dict[str, Complaint], status: int, said: str, path: str) -> str:
    """The complaint's name; empty for an unknown one, which counts as unavailable and never as absent."""
    worded = next((cause for cause in _WORDED if known[cause].phrase in said), "")
    if worded:
        return worded
    if status == FORBIDDEN and not path:
        return "not signed in"
    if status == TOO_MANY_REQUESTS:
        return "throttled"
    if "permission denied" in said:
        return "denied"
    return "forbidden" if status == FORBIDDEN else ""


def unreachable(server: str, failed: Exception) -> BackendError:
    """The error of a connection that failed."""
    known = _complaints("", "", f" ({server})", Login(), "")
    if isinstance(failed, ConnectionRefusedError):
        return known["refused"].about(LABEL, "")
    if isinstance(failed, sockets.gaierror) and failed.errno == sockets.EAI_NONAME:
        return known["no host"].about(LABEL, "")
    sentence = f'GET "{server}": {_reason(failed)}'
    return BackendUnavailable(f"{LABEL}: {excerpt(sentence)}")


def _reason(failed: Exception) -> str:
    if not isinstance(failed, OSError):
        return "the answer is not HTTP"
    return failed.strerror.lower() if failed.strerror else "the connection ended before the answer"


def _policy(words: str) -> str:
    """The line that the token's policy lacks, for the request that the words are about (ST-F5)."""
    found = _REQUEST.search(words)
    if not found:
        return ""
    method, path, query = found["method"], unquote(found["path"]), found["query"] or ""
    directory = path.rstrip("/").rpartition("/")[0].partition(f"/{PROBE}")[0]
    capability = "list" if "list=true" in query else _CAPABILITIES.get(method, "read")
    return f'path "{printable(directory)}/*" {{ capabilities = ["{capability}"] }}'


def _complaints(mount: str, path: str, server: str, login: Login, policy: str) -> dict[str, Complaint]:
    """Complaints by our names for them. Wording of OpenBao 2.7.2 (stores.md 6); the first phrase found decides."""
    no_mount = f'no KV engine at "{mount}" in this namespace'
    sign_in = "denied: permission denied; set VAULT_ADDR and VAULT_TOKEN"
    cure = login.again()
    return {
        "absent": Complaint(f"No value found at {mount}/data/", SecretNotFound),
        "no metadata": Complaint(f"No value found at {mount}/metadata/", SecretNotFound),
        # Without "/data/" the mount was not found: the namespace does not exist, or the mount is of version 1.
        "other mount": Complaint("No value found at ", NoMount, no_mount),
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
        "throttled": Complaint(THROTTLED, Throttled, f"the server limits how often it is asked{server}", hint=_QUOTAS),
        "denied": Complaint(
            "* permission denied",
            BackendDenied,
            f'denied: permission denied for "{path}"',
            hint=f"its policy needs: {policy}" if policy else "",
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
        **{
            cause: Complaint(phrase, BackendUnavailable, f"unavailable: {_UNVERIFIED}{server}", hint=hint)
            for cause, phrase, hint in _CERTIFICATES
        },
        "not JSON": Complaint(
            "invalid character '",
            BackendUnavailable,
            f"unavailable: what answers is not the server{server}",
            hint=f"{MAYBE_A_PROXY}: check the network and VAULT_ADDR",
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
