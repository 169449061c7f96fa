"""Which way a store is asked: by envref's own requests, or through its program, and why (ADR 30)."""

from __future__ import annotations

from typing import Generic, TypeVar

from envref.errors import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_Client = TypeVar("_Client")
_Answer = TypeVar("_Answer")

COMMAND = "the option command"


class Direct(Generic[_Client]):
    """The direct way of one store, as long as nothing speaks against it; what does makes it end for good.

    `made` gives the client on first use, and raises Unusual with what envref does not honour. `reason` is why the
    program is asked from the start.
    """

    def __init__(self, program: str, made: Callable[[], _Client], reason: str = "") -> None:
        self._program = program
        self._made = made
        self._reason = reason
        self._client: _Client | None = None

    @property
    def way(self) -> str:
        """How the store was asked, as `-v` says it; empty before it was."""
        if self._reason:
            return f"through {self._program} ({printable(self._reason)})"
        return f"without {self._program}" if self._client is not None else ""

    def ask(self, directly: Callable[[_Client], _Answer], through: Callable[[], _Answer]) -> _Answer:
        """What `directly` answers; or what `through` does, where that raises Unusual or may not be asked."""
        if self._reason:
            return through()
        from envref.backends.http.connection import Unusual

        try:
            if self._client is None:
                self._client = self._made()
            return directly(self._client)
        except Unusual as reason:
            self._reason = str(reason) or "an unusual answer"
        return through()
