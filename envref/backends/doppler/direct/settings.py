"""What is in force for `doppler`: its variables and its file; `Unusual` for what envref does not honour.

The order is that of its 3.77.1 (pkg/configuration: LocalConfig, Get, readConfig). A name that is in no list here is one
that a later `doppler` may have given a meaning: its program decides.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from envref.backends.doppler.direct.file import scopes
from envref.backends.http.connection import Server, Unusual, is_sendable
from envref.backends.http.way import Trusting, is_proxied, plain_address
from envref.paths import expanded, open_file
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_USUAL_HOST = "https://api.doppler.com"
# Of several variables, the last one that is set counts; each comes before the file.
_VARIABLES = {
    "token": ("DOPPLER_TOKEN",),
    "api-host": ("DOPPLER_API_HOST",),
    "verify-tls": ("DOPPLER_VERIFY_TLS",),
    "enclave.project": ("DOPPLER_PROJECT", "ENCLAVE_PROJECT"),
    "enclave.config": ("DOPPLER_CONFIG", "ENCLAVE_CONFIG"),
}
_DIRECTORY, _RESOLVER = "DOPPLER_CONFIG_DIR", "DOPPLER_ENABLE_DNS_RESOLVER"
# A read is the same without these: pages of the browser, notes on the terminal, the file for times without a network,
# and what `doppler run` tells its child.
_HARMLESS = {"DOPPLER_DASHBOARD_HOST", "DOPPLER_ENABLE_VERSION_CHECK", "DOPPLER_PASSPHRASE", "DOPPLER_ENVIRONMENT"}
_KNOWN = {*(name for names in _VARIABLES.values() for name in names), *_HARMLESS, _DIRECTORY, _RESOLVER}
_FOREIGN = "GODEBUG"  # may change how every program of Go looks up names, and whom it trusts
_OF_A_SCOPE = {*_VARIABLES, "dashboard-host"}
# What `doppler` would make a file of, where there is none.
_FILE = ".doppler.yaml"
_OLDER_FILES = (_FILE, f"Library/Application Support/{_FILE}", ".doppler.json")
_IN_THE_KEYRING = "secret-"  # how a token begins that stands for one in the system's keyring
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}  # Go's strconv.ParseBool


class DopplerAccess(NamedTuple):
    """Who asks, and where; the project and the config that count where none is named, each maybe empty."""

    server: Server
    token: Secret
    project: str
    config: str


def settings(environment: Mapping[str, str], directory: str) -> DopplerAccess:
    """What counts in a directory, the project's. Raises Unusual with what is not honoured."""
    _check(environment)
    found = _of_file(environment, directory)
    for setting, names in _VARIABLES.items():
        found.update((setting, environment[name]) for name in names if environment.get(name))
    if found.get("verify-tls", "true") not in _TRUE:
        raise Unusual("verify-tls")
    token = found.get("token", "")
    if not token.strip() or not is_sendable(token):
        raise Unusual("no token")
    if token.startswith(_IN_THE_KEYRING):
        raise Unusual("a token in the keyring")
    return DopplerAccess(
        _server(found.get("api-host") or _USUAL_HOST),
        Secret(token),
        found.get("enclave.project", ""),
        found.get("enclave.config", ""),
    )


def _check(environment: Mapping[str, str]) -> None:
    unusual = {name for name in environment if name.startswith(("DOPPLER_", "ENCLAVE_"))} - _KNOWN
    unusual |= {_FOREIGN} if environment.get(_FOREIGN) else set()
    unusual |= {_RESOLVER} if environment.get(_RESOLVER, "false") not in ("", "false") else set()
    if unusual:
        raise Unusual(min(unusual))
    if is_proxied(environment):
        raise Unusual("a proxy")


def _server(host: str) -> Server:
    address = plain_address(host)
    if address is None:  # not quoted: it may have a password
        raise Unusual("the API host")
    return Server(address.host, address.port, Trusting() if address.is_secure else None)


def _of_file(environment: Mapping[str, str], directory: str) -> dict[str, str]:
    """The settings for the directory in the user's file: each from the innermost scope that has it."""
    home = expanded("~", environment)
    place = environment.get(_DIRECTORY) or os.path.join(home, ".doppler")
    if not os.path.isabs(home) or not os.path.isabs(place):
        raise Unusual("a home or a config directory that is not absolute")
    path = os.path.join(place, _FILE)
    if not os.path.lexists(path):
        _check_older(environment, home)
        return {}
    found: dict[str, str] = {}
    for _, scoped in sorted(_around(directory, _by_directory(path, home))):
        found.update({name: value for name, value in scoped.items() if value})
    return found


def _check_older(environment: Mapping[str, str], home: str) -> None:
    """Raises Unusual for a file that `doppler` would take its settings from on its first start."""
    configuration = expanded("$XDG_CONFIG_HOME", environment)
    places = [os.path.join(configuration, _FILE), *(os.path.join(home, each) for each in _OLDER_FILES)]
    if any(map(os.path.lexists, places)):
        raise Unusual("a file of an older doppler")


def _around(directory: str, known: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The scopes that hold the directory, with the length of their paths."""
    for scope, scoped in known.items():
        if scope != "/" and not os.path.isabs(directory):
            raise Unusual("a directory that is not absolute")
        if os.path.join(_clean(directory), "").startswith(os.path.join(scope, "")) or scope == "/":
            yield len(scope), scoped


def _by_directory(path: str, home: str) -> Mapping[str, Mapping[str, str]]:
    """The settings of each scope; a later spelling of the same path comes before an earlier one."""
    found: dict[str, dict[str, str]] = {}
    for written, scoped in sorted(_written(path).items()):
        if scoped.keys() - _OF_A_SCOPE:
            raise Unusual("a setting of the file")
        known = found.setdefault(_path(written, home), {})
        known.update({name: value for name, value in scoped.items() if value})
    return found


def _path(scope: str, home: str) -> str:
    """The directory that a scope is written as."""
    if scope == "*":
        return "/"
    path = home + scope[1:] if scope == "~" or scope.startswith("~/") else scope
    if not os.path.isabs(path):
        raise Unusual("a scope that is not absolute")
    return _clean(path)


def _clean(path: str) -> str:
    """As Go's filepath.Clean has it; normpath keeps two slashes at the beginning."""
    return os.path.normpath("/" + path.lstrip("/")) if path.startswith("/") else path


def _written(path: str) -> Mapping[str, Mapping[str, str]]:
    try:
        with open_file(path) as file:
            return scopes(file.read().decode("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise Unusual("a file that can't be read") from None
