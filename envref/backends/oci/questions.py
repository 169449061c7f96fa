"""A question to OCI's services of secrets, and what can come back for it, whichever way it is asked.

Names of members are those that `oci` prints, with hyphens; the services' own are `secretName` and the like.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from envref.backends.answer import as_secret
from envref.backends.oci.complaints import LABEL
from envref.backends.revision import revision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envref.secret import Secret

_Told = TypeVar("_Told")

CONNECTING, ANSWERING = 3, 10  # seconds, after which a service that does not answer is not there (stores.md 10)

_CAPITAL = re.compile(r"(?=[A-Z])")
_GONE = "DELETED"
_GOING = ("SCHEDULING_DELETION", "PENDING_DELETION", "DELETING")


class Misunderstood(ValueError):
    """The answer is none that envref knows. It may hold a value, so nothing of it is quoted."""


class OciRefusal(NamedTuple):
    """What a service said instead, as `CODE: message`; `pause` is Answer.pause of it."""

    text: str
    pause: float | None


class Operation(NamedTuple):
    """A command of `oci`, and the request that it makes: in `path`, a parameter's name stands between braces.

    `is_listing` says that the answer is a list, in pages, of another service than the one that gives out values.
    """

    words: tuple[str, ...]
    method: str
    path: str
    is_listing: bool = False


# Those of `oci` 3.95.1, and of its SDK (oci.secrets.SecretsClient, oci.vault.VaultsClient).
_BUNDLE = ("secrets", "secret-bundle")
BY_OCID = Operation((*_BUNDLE, "get"), "GET", "/20190301/secretbundles/{secretId}")
BY_NAME = Operation((*_BUNDLE, "get-secret-bundle-by-name"), "POST", "/20190301/secretbundles/actions/getByName")
LISTING = Operation(("vault", "secret", "list"), "GET", "/20180608/secrets", is_listing=True)


class ListedSecret(NamedTuple):
    """A secret as a listing shows it; `until` is the day of a scheduled deletion."""

    identity: str
    name: str
    state: str
    until: str

    @property
    def exists(self) -> bool:
        """Whether it can be read: no deletion is scheduled."""
        return self.state not in _GOING


class OciQuestion(Generic[_Told]):
    """An operation with its parameters, as the service calls them. `read` raises Misunderstood, and BackendError for a
    value that can't be used.
    """

    __slots__ = ("operation", "parameters", "read")

    def __init__(self, operation: Operation, parameters: Mapping[str, str], read: Callable[[Any], _Told]) -> None:
        self.operation = operation
        self.parameters = parameters
        self.read = read

    def arguments(self) -> Sequence[str]:
        """The question as arguments of `oci`; one word each, so that a value that begins with a hyphen stays one."""
        given = [f"--{hyphenated(name)}={value}" for name, value in self.parameters.items()]
        return [*self.operation.words, *given, *(["--all"] if self.operation.is_listing else [])]


def value_of(parameters: Mapping[str, str]) -> OciQuestion[Secret]:
    """Asks for a value: by `secretId`, or by `vaultId` and `secretName`; and by its version."""
    return OciQuestion(BY_OCID if "secretId" in parameters else BY_NAME, parameters, _secret)


def listing(parameters: Mapping[str, str]) -> OciQuestion[list[ListedSecret]]:
    """Asks for the secrets of `compartmentId` and `vaultId` that are not deleted; those with a `name`, if given."""
    return OciQuestion(LISTING, parameters, _listed)


def entry(written: Any) -> ListedSecret:
    """A secret without its value, as listings and writes show it. Raises Misunderstood."""
    if not isinstance(written, dict):
        raise Misunderstood
    identity, name, state = (written.get(member) for member in ("id", "secret-name", "lifecycle-state"))
    # Of another object, `oci` prints one of its own kind that is empty.
    if not (isinstance(identity, str) and isinstance(name, str) and isinstance(state, str)):
        raise Misunderstood
    until = str(written.get("time-of-deletion") or "an unknown day").partition("T")[0]
    return ListedSecret(identity, name, state, until)


def hyphenated(name: str) -> str:
    """`secretName` as `oci` has it: `secret-name`."""
    return _CAPITAL.sub("-", name).lower()


def _secret(bundle: Any) -> Secret:
    try:
        raw = base64.b64decode(bundle["secret-bundle-content"]["content"], validate=True)
    except (KeyError, TypeError, ValueError):
        # "from None": the cause may carry the value
        raise Misunderstood from None
    return as_secret(LABEL, raw, revision(bundle.get("version-number"), bundle.get("time-created")))


def _listed(listed: Any) -> list[ListedSecret]:
    if not isinstance(listed, list):
        raise Misunderstood
    return [each for each in map(entry, listed) if each.state != _GONE]
