"""Endpoint: where the program would connect to, and how, read from the same variables that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.backends.http.connection import Server, is_sendable
from envref.backends.http.pool import connections_to
from envref.backends.http.way import Trusting, certificates_below, is_proxied, plain_address, trusting

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

    from envref.backends.http.way import Location

_DEFAULT = "https://127.0.0.1:8200"
_MAKERS = ("VAULT_", "BAO_")
_HONOURED = {
    "ADDR",
    "CACERT",
    "CAPATH",
    "CLIENT_CERT",
    "CLIENT_KEY",
    "NAMESPACE",
    "SKIP_VERIFY",
    "TLS_SERVER_NAME",
    "TOKEN",
}
# These do not affect a read: they shape the program's output, or limit what envref's own deadline limits.
_HARMLESS = {"CLIENT_TIMEOUT", "CLI_NO_COLOR", "CONFIG_PATH", "DETAILED", "FORMAT", "LOG_LEVEL", "MAX_RETRIES"}
_OF_TLS = ("CACERT", "CAPATH", "CLIENT_CERT", "CLIENT_KEY", "SKIP_VERIFY")
# As the program reads a boolean.
_TRUE, _FALSE = {"1", "t", "T", "TRUE", "true", "True"}, {"", "0", "f", "F", "FALSE", "false", "False"}


class VaultTrust(Trusting):
    """TLS by the program's settings, with a certificate of the client's own where they name one."""

    __slots__ = ("_settings",)

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__()
        self._settings = {name: settings[name] for name in _OF_TLS if name in settings}
        self.identity = tuple(self._settings.items())

    def _made(self) -> ssl.SSLContext:
        """OSError or ValueError for files that can't be used."""
        context = trusting(list(self._files()))
        if "CLIENT_CERT" in self._settings:
            # Gives a password, or OpenSSL would ask for one on the terminal.
            context.load_cert_chain(self._settings["CLIENT_CERT"], self._settings["CLIENT_KEY"], password="")
        if self._settings.get("SKIP_VERIFY", "") in _TRUE:
            import ssl

            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _files(self) -> Iterable[str]:
        """Files with certificates: CACERT, or else every file below CAPATH, whatever its name."""
        if "CACERT" in self._settings:
            return (self._settings["CACERT"],)
        return certificates_below(self._settings.get("CAPATH", ""))


class Endpoint:
    """A server: its address, what is sent to it, and the connections to it, which backends of the same one share."""

    def __init__(self, address: Location, settings: Mapping[str, str]) -> None:
        self.url, self.host, self.port, self.secure = address
        self.token = settings.get("TOKEN", "")
        self.namespace = settings.get("NAMESPACE", "")
        tls = VaultTrust(settings) if self.secure else None
        self.connections = connections_to(Server(self.host, self.port, tls, settings.get("TLS_SERVER_NAME", "")))

    def headers(self) -> dict[str, str]:
        """The headers of each request, with the token."""
        named = {"X-Vault-Token": self.token, "X-Vault-Namespace": self.namespace}
        return {"X-Vault-Request": "true", **{name: value for name, value in named.items() if value}}


def endpoint(environment: Mapping[str, str], program: str) -> Endpoint | None:
    """Where `program` would connect to; None for anything out of the ordinary, which is left to the program."""
    settings = _settings(environment, program)
    if settings is None or is_proxied(environment):
        return None
    address = plain_address(settings.get("ADDR", _DEFAULT))
    return Endpoint(address, settings) if address and _is_ordinary(settings) else None


def _settings(environment: Mapping[str, str], program: str) -> dict[str, str] | None:
    """The program's settings without VAULT_ or BAO_; None if one is unknown, or if it is unclear which one wins.

    OpenBao reads both prefixes, its own first. It may be installed as `vault`.
    """
    vault, bao = (
        {name.removeprefix(maker): value for name, value in environment.items() if name.startswith(maker) and value}
        for maker in _MAKERS
    )
    settings = {**vault, **bao}
    if settings.keys() - _HONOURED - _HARMLESS or (program != "bao" and settings != vault):
        return None
    return settings


def _is_ordinary(settings: Mapping[str, str]) -> bool:
    sent = settings.get("TOKEN", "") + settings.get("NAMESPACE", "")
    return (
        is_sendable(sent)
        and ("CLIENT_CERT" in settings) == ("CLIENT_KEY" in settings)
        and settings.get("SKIP_VERIFY", "") in _TRUE | _FALSE
    )
