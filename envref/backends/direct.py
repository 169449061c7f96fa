"""Which way a store is asked: by envref's own requests, or through its program, and why (ADR 30)."""

from __future__ import annotations

from typing import Generic, TypeVar

from envref.errors import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class StoreClient(Protocol):
        """What asks a store; `close` ends its connections."""

        def close(self) -> None: ...


_Client = TypeVar("_Client", bound="StoreClient")
_Answer = TypeVar("_Answer")

COMMAND = "the option command"


class Direct(Generic[_Client]):
    """The direct way of one store, as long as nothing speaks against it; what does makes it end for good.

    `made` gives the client on first use, and raises Unusual with what envref does not honour. `reason` is why the
    program is asked from the start.
    """

    def __init__(self, program: str, made: Callable[[], _Client], reason: str = "") -> None:
        self._program = program
        self._made: Callable[[], _Client] | None = made
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
            if self._made:
                # Kept no longer: it has the store, which has this, and connections end when nobody has them.
                self._client, self._made = self._made(), None
            return directly(self._client)  # type: ignore[arg-type]  # it was made
        except Unusual as reason:
            self._reason = str(reason) or "an unusual answer"
            self._close()
        return through()

    def _close(self) -> None:
        """Before the program is started: the server may serve one of us at a time."""
        if self._client is not None:
            self._client.close()
            self._client = None
