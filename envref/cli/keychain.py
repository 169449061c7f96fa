"""Whether this machine has a keychain: it matters only where nobody has listed stores."""

from __future__ import annotations

import os
import time

from envref.backends.table import DESKTOP, backend_class
from envref.cli import lines
from envref.paths import configuration_path, shown
from envref.project.config.yaml import parse
from envref.refs.address import Address
from envref.store_errors import BackendError, BackendLocked

_PATIENCE = 1.0  # seconds for a credential store to answer


def lack() -> BackendError | None:
    """Why this machine's keychain can't be used; None if it can, or if the user has listed stores for every project."""
    own = configuration_path("config.yaml")
    if os.path.lexists(own) and "backends" in parse(lines.read(own), shown(own)).entries:
        return None
    probe = Address("envref", "envref-readiness-probe")
    try:
        backend_class(DESKTOP)(DESKTOP).get_many([probe], time.monotonic() + _PATIENCE)
    except BackendLocked:
        return None  # it exists, and its owner can unlock it
    except BackendError as error:
        return error
    return None
