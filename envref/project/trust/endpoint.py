"""Whose address a store's endpoint is, and which credential would go there (security.md 5.1 b)."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from envref.backends.programs import find
from envref.backends.table import backend_class
from envref.paths import expanded, shown
from envref.project.loopback import is_loopback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from envref.project.config.model import BackendConfig

_PORTS = {"http": 80, "https": 443}


def credential(kind: str, environment: Mapping[str, str]) -> str:
    """The credential, by its usual name, that the type's program would send without one in the config; or empty."""
    store = backend_class(kind)
    for name in store.credential_variables:
        if environment.get(name):
            return name
    for file in store.credential_files(environment):
        if os.path.exists(expanded(file, environment)):
            return shown(expanded(file, environment), environment)
    return ""


def is_own(address: str, backend: BackendConfig, environment: Mapping[str, str]) -> bool:
    """Whether the address stays on this machine, or the user's own settings already send the program there."""
    if is_loopback(address):
        return True
    variables = backend_class(backend.type).address_variables(os.path.basename(program(backend)))
    own = next(filter(None, map(environment.get, variables)), "")
    return bool(own) and _normal(own) == _normal(address)


def program(backend: BackendConfig) -> str:
    """The path of the program that will run, or its name if there is none."""
    command = str(backend.options.get("command", ""))
    names = [command] if command else list(backend.programs)
    return next(filter(None, map(find, names)), names[0] if names else backend.type)


def _normal(address: str) -> tuple[str, ...]:
    """Scheme, host, port and path, spelled in one way; the text itself if it is not an address."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return (address,)
    unusual = f"{parts.username}:{parts.password}?{parts.query}#{parts.fragment}"
    return (parts.scheme, parts.hostname or "", str(port), parts.path.rstrip("/"), unusual)
