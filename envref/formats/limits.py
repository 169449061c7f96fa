"""How much environment a system lets a program have: with more, a shell can start nothing any more.

Linux: a variable has at most 128 KiB with its name, and all of them, with the arguments, a quarter of the stack's limit
(execve(2)). Elsewhere only the whole has a limit, ARG_MAX.
"""

from __future__ import annotations

import os
import sys

from envref.errors import EnvrefError
from envref.formats.text import environment_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from envref.formats.shells import Values

_LONGEST = 128 * 1024  # bytes of NAME=value and its NUL
_POINTER = 8  # bytes for each, which count too
_NAMED = 3  # of the largest


def check(values: Values, environment: Mapping[bytes, bytes]) -> None:
    """Raises EnvrefError where a shell that set these values on top of `environment` could start no program."""
    texts = {name.encode(): environment_text(name, value).encode() for name, value in values}
    sizes = sizes_of({**environment, **texts})
    if _is_too_long(max(sizes.values(), default=0)) or sum(sizes.values()) > os.sysconf("SC_ARG_MAX"):
        raise too_large(sizes)


def too_large(sizes: Mapping[bytes, int]) -> EnvrefError:
    """The error that names the largest of the variables, by the bytes that each takes."""
    largest = [os.fsdecode(name) for name in sorted(sizes, key=lambda name: -sizes[name])[:_NAMED]]
    return EnvrefError(
        "the environment would be larger than the system allows, and no program could start",
        hint=f"the largest variables are {', '.join(largest)}; put large values in files, or use --only",
    )


def sizes_of(environment: Mapping[bytes, bytes]) -> dict[bytes, int]:
    return {name: _size(name, value) for name, value in environment.items()}


def _size(name: bytes, value: bytes) -> int:
    return len(name) + len(value) + 2 + _POINTER


def _is_too_long(size: int) -> bool:
    return sys.platform == "linux" and size - _POINTER > _LONGEST
