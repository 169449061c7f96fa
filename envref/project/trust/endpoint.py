"""Whose address a store's endpoint is, and which credential would go there (security.md 5.1 b)."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from envref.backends.programs import find
from envref.backends.table import backend_class
from envref.paths import expanded, shown
from envref.project.config.model import is_borrowed
from envref.project.loopback import is_loopback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from envref.project.config.model import BackendConfig

_PORTS = {"http": 80, "https": 443}
_ADDRESS_WORDS = {
    *("addr", "address", "addresses", "api", "domain", "endpoint", "host", "hostname", "origin", "proxy"),
    *("server", "site", "uri", "url", "urls"),
}


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


def destination(backend: BackendConfig) -> str:
    """Where a credential of the backend goes, for a question: its address, or who decides about that."""
    variables = backend_class(backend.type).address_variables(os.path.basename(program(backend)))
    places = [str(backend.options.get("addr", ""))] if variables else places_of_plugin(backend)
    return ", ".join(filter(None, places)) or f"your {next(iter(variables), backend.type)}"


def places_of_plugin(backend: BackendConfig) -> list[str]:
    """The addresses elsewhere among the options that only the plugin knows: by their name, or by how they are written.

    Which credential a plugin sends there nobody can know, so any counts.
    """
    options = {
        name: value
        for name, value in backend.options.items()
        if isinstance(value, str) and value and not is_borrowed(name, value)
    }
    return [value for name, value in options.items() if _is_address(name, value) and not is_loopback(value)]


def _is_address(option: str, value: str) -> bool:
    words = option.lower().replace("-", "_").split("_")
    return option != "command" and ("://" in value or bool(_ADDRESS_WORDS.intersection(words)))


def program(backend: BackendConfig) -> str:
    """The path of the program that will run, or its name if there is none."""
    command = str(backend.options.get("command", ""))
    names = [command] if command else [name.replace("*", backend.name) for name in backend.programs]
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
