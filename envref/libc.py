"""Functions of the C library for which Python has no module: prctl(2), keyctl(2).

Called by `_ctypes`, the half of `ctypes` that is written in C: loading the other half costs more than the vault's own
work (docs/adr/0029-hot-doors.md). A Python whose `_ctypes` lacks these calls uses `ctypes`.
"""

from __future__ import annotations

from _ctypes import Array, _SimpleCData

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Buffer(Protocol):
        """Room that a call fills; `raw` has what it holds."""

        raw: bytes


BUFFER = 256  # bytes


class _Character(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "c"


class _Long(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "l"


_Buffer = type("_Buffer", (Array,), {"_type_": _Character, "_length_": BUFFER})


def buffer() -> Buffer:
    """Room for BUFFER bytes that a call fills."""
    made: Buffer = _Buffer()
    return made


def call(name: str, *arguments: int | bytes | Buffer) -> int:
    """What the function returns, an int; -1 if the C library has no such function or can't be loaded."""
    function = _function(name)
    widened = [_Long(argument) if isinstance(argument, int) else argument for argument in arguments]
    return -1 if function is None else int(function(*widened))


def _function(name: str) -> Callable[..., Any] | None:
    try:
        return _found(name)
    except (OSError, AttributeError):
        return None


def _found(name: str) -> Callable[..., Any]:
    try:
        from _ctypes import call_cdeclfunction, dlopen, dlsym
    except ImportError:
        import ctypes

        return getattr(ctypes.CDLL(None), name)  # type: ignore[no-any-return]
    address = dlsym(dlopen(None), name)  # type: ignore[arg-type]  # None is the program itself
    return lambda *arguments: call_cdeclfunction(address, arguments)
