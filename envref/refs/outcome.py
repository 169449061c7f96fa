"""Outcome: what became of one reference: Found, Missing or Failed. A match on these three is the whole error policy."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.errors import EnvrefError
    from envref.refs.address import Address
    from envref.secret import Secret
    from envref.store_errors import BackendError


class Found:
    """A value, the backend that had it (None for the reference's own default) and the scope it was found at.

    `scope` is a profile's name, or None for the project. `address` is where the backend has it. `file` is the path
    of the file that was made of it, for `?as=file`; else empty.
    """

    __slots__ = ("address", "backend", "file", "scope", "secret")

    def __init__(
        self, secret: Secret, backend: str | None = None, scope: str | None = None, address: Address | None = None
    ) -> None:
        self.address = address
        self.file = ""
        self.secret = secret
        self.backend = backend
        self.scope = scope

    @property
    def word(self) -> str:
        """The outcome's name in reports."""
        return "resolved" if self.backend is not None else "default"


class Missing:
    """Every store that may have it was asked, and answered that it is not there.

    `is_there`: setting it would be wrong. A store has the secret, and the secret lacks the field or the version; or
    nobody knows, because the store is `optional: always` and locked.
    """

    __slots__ = ("is_there", "reason", "run")

    word = "not_found"

    def __init__(self, reason: str, run: tuple[str, ...] = (), *, is_there: bool = False) -> None:
        self.reason = reason
        self.run = run
        self.is_there = is_there


class Failed:
    """The search ended with an error: an outage must never turn into a different secret."""

    __slots__ = ("backend", "error")

    def __init__(self, error: EnvrefError, backend: str | None = None) -> None:
        self.error = error
        self.backend = backend

    @property
    def word(self) -> str:
        """The class of commands.md 7; `invalid` if no store was asked."""
        return getattr(self.error, "outcome", "invalid")

    @property
    def reason(self) -> str:
        """The error's sentence, after the name of the backend that it is from."""
        if self.backend is None:
            return self.error.message
        return f'backend "{self.backend}": {self.error.message}'


if TYPE_CHECKING:
    Outcome = Found | Missing | Failed
    Answer = Secret | BackendError
