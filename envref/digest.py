"""SHA-256, by Python's own module: what hashlib loads first costs more than the rest of the gate together.

And what is named by it: where the decision about a project is kept.
"""

from __future__ import annotations

import os
import sys

from envref.paths import state_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# A module that is not there is looked for in every directory: Python 3.12 gave it another name.
_MODULE = "_sha2" if sys.version_info >= (3, 12) else "_sha256"


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return str(sha256(data).hexdigest())


def sha256(data: bytes = b"") -> Any:
    """The running digest of `data`, to be updated."""
    try:
        return __import__(_MODULE).sha256(data)
    except ImportError:
        import hashlib

        return hashlib.sha256(data)


def record_path(root: str, environment: Mapping[str, str]) -> str:
    """The file of the decision about the project at `root`, a real path; empty where nothing can be kept."""
    return state_path("trust", f"{digest(os.fsencode(root))}.json", environment=environment)
