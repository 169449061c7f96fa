"""What is in force for `oci`: its variables and one profile of its file; `Unusual` for what envref does not honour.

The order is that of `oci` 3.95.1 (cli_root.cli, cli_util.build_config, oci.config.from_file). A name that is in no list
here is one that a later `oci` may have given a meaning: its program decides.
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
from typing import TYPE_CHECKING, NamedTuple

from envref.backends.http.connection import Server, Unusual
from envref.backends.http.way import Trusting, is_proxied, plain_address
from envref.backends.oci.direct import rc
from envref.backends.oci.direct.regions import domain
from envref.backends.oci.direct.signature import Signer, api_key, private_key, session
from envref.backends.oci.questions import ANSWERING, CONNECTING
from envref.paths import expanded, open_file
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

# Each comes before the setting of the profile.
_OF_A_PROFILE = {
    "user": "OCI_CLI_USER",
    "tenancy": "OCI_CLI_TENANCY",
    "fingerprint": "OCI_CLI_FINGERPRINT",
    "region": "OCI_CLI_REGION",
    "key_file": "OCI_CLI_KEY_FILE",
    "key_content": "OCI_CLI_KEY_CONTENT",
    "pass_phrase": "OCI_CLI_PASSPHRASE",
    "security_token_file": "OCI_CLI_SECURITY_TOKEN_FILE",
}
# With these, and a key, no profile is read.
_WHOLE = ("user", "tenancy", "fingerprint", "region")
_KEYS = ("key_file", "key_content")
_PROFILE, _AUTH, _FILE = "OCI_CLI_PROFILE", "OCI_CLI_AUTH", "OCI_CLI_CONFIG_FILE"
_ENDPOINT, _AUTHORITIES = "OCI_CLI_ENDPOINT", "OCI_CLI_CERT_BUNDLE"
_VARIABLES = {*_OF_A_PROFILE.values(), _PROFILE, _AUTH, _FILE, _ENDPOINT, _AUTHORITIES}
# A read is the same without these.
_HARMLESS_VARIABLES = {"OCI_CLI_SUPPRESS_FILE_PERMISSIONS_WARNING"}
_HARMLESS_IN_A_PROFILE = {"additional_user_agent"}
# What `oci` honours too, under names that are not its own.
_FOREIGN = "FIPS_LIBCRYPTO_PATH"
# The library that `oci` sends with takes the first of these before the file that `oci` tells it
# (requests.sessions.merge_environment_settings).
_FOREIGN_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# Each may change any option of `oci`, or what its regions are.
_FILES = ("~/.oci/cli-defaults", "~/.oci/developer-tool-configuration.json")
_DEFAULT = "DEFAULT"
_API_KEY, _SESSION = "api_key", "security_token"

# oci.config.PATTERNS: others are refused before anything is asked.
_OCID = re.compile(r"[0-9a-zA-Z_-]+[.:](?:[0-9a-zA-Z_-]*[.:]){3,}[0-9a-zA-Z_-]+")
_FINGERPRINT = re.compile(r"(?:[0-9a-f]{2}:){15}[0-9a-f]{2}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
_LASTING = 60  # seconds that a session has to last; `oci` says what to do about one that ended


class Access(NamedTuple):
    """Who asks, and where: the service of secrets' contents, and the service that lists them."""

    signer: Signer
    reading: Server
    listing: Server


def settings(environment: Mapping[str, str], *, profile: str = "", auth: str = "") -> Access:
    """What counts, the backend's own profile and auth before all else. Raises Unusual with what is not honoured."""
    _check(environment)
    found = _settings(environment, _profile(environment, profile))
    region = found.get("region", "")
    ending = domain(region)
    if ending is None:
        raise Unusual(f"the region {region}" if region else "no region")
    trusted = Trusting(_authorities(environment))
    return Access(
        _signer(found, auth or environment.get(_AUTH, _API_KEY)),
        _server(environment, f"https://secrets.vaults.{region}.oci.{ending}", trusted),
        _server(environment, f"https://vaults.{region}.oci.{ending}", trusted),
    )


def _check(environment: Mapping[str, str]) -> None:
    ours = {name for name in environment if name.startswith("OCI_")}
    unusual = ours - _VARIABLES - _HARMLESS_VARIABLES
    unusual |= {name for name in ours & _VARIABLES if not environment[name]}
    unusual |= {_FOREIGN} if environment.get(_FOREIGN) else set()
    if unusual:
        raise Unusual(min(unusual))
    if is_proxied(environment):
        raise Unusual("a proxy")
    for file in _FILES:
        if os.path.lexists(_path(file, environment)):
            raise Unusual(file)


def _profile(environment: Mapping[str, str], profile: str) -> str:
    """The profile that counts. Raises Unusual where a file may give its commands other options."""
    path = _path(rc.RC, environment)
    if not os.path.lexists(path):
        return profile or environment.get(_PROFILE, _DEFAULT)
    sections = _sections(path, default="")
    chosen = profile or environment.get(_PROFILE) or rc.usual_profile(sections)
    rc.check(sections, chosen)
    return chosen


def _settings(environment: Mapping[str, str], profile: str) -> dict[str, str]:
    """The settings by their names in a profile; paths are expanded."""
    given = {name: environment[variable] for name, variable in _OF_A_PROFILE.items() if variable in environment}
    is_whole = all(name in given for name in _WHOLE) and any(name in given for name in _KEYS)
    profiles = _profiles(_path(environment.get(_FILE, "~/.oci/config"), environment))
    if not is_whole:
        if profile not in profiles:
            raise Unusual(f"the profile {profile} is not there")
        given = {**_checked(profiles[profile], environment), **given}
    for name in ("key_file", "security_token_file"):
        if name in given:
            given[name] = _path(given[name], environment)
    return given


def _checked(section: Mapping[str, str], environment: Mapping[str, str]) -> Mapping[str, str]:
    unknown = section.keys() - _OF_A_PROFILE.keys() - _HARMLESS_IN_A_PROFILE
    if unknown:
        # Not quoted: a line of a key that was put there may be one.
        raise Unusual("a setting of the profile")
    # `oci` refuses these even where a variable says better.
    file = section.get("key_file")
    if "key_content" in section or (file is not None and not os.path.isfile(_path(file, environment))):
        raise Unusual("the profile's key")
    return section


def _profiles(path: str) -> Mapping[str, Mapping[str, str]]:
    """The profiles of a file, each with what DEFAULT has; none without the file. Unusual for what `oci` refuses."""
    found = _sections(path, default=_DEFAULT) if os.path.isfile(path) else {}
    # `oci` reads the file twice, and once a `%` has a meaning.
    if any("%" in value for section in found.values() for value in section.values()):
        raise Unusual("a % in a file of settings")
    return found


def _sections(path: str, *, default: str) -> Mapping[str, Mapping[str, str]]:
    """The sections of a file, each with what the one named `default` has."""
    from configparser import ConfigParser, Error

    parser = ConfigParser(interpolation=None, default_section=default)
    try:
        parser.read_string(_text(path).reveal())
    except Error:  # it may quote a line
        raise Unusual("a file of settings that can't be read") from None
    return {name: dict(section) for name, section in parser.items()}


def _signer(found: Mapping[str, str], auth: str) -> Signer:
    if auth == _API_KEY:
        owner = [found.get(name, "") for name in ("tenancy", "user", "fingerprint")]
        if not (_OCID.fullmatch(owner[0]) and _OCID.fullmatch(owner[1]) and _FINGERPRINT.fullmatch(owner[2])):
            raise Unusual("a user, tenancy or fingerprint that is none")
        content = Secret(found["key_content"]) if "key_content" in found else _key(found)
        return Signer(api_key(*owner), private_key(content, _passphrase(found)))
    if auth != _SESSION:
        raise Unusual(f"the auth {auth}")
    return Signer(session(_token(found)), private_key(_key(found), _passphrase(found)))


def _key(found: Mapping[str, str]) -> Secret:
    if "key_file" not in found:
        raise Unusual("no key")
    return _text(found["key_file"])


def _passphrase(found: Mapping[str, str]) -> Secret | None:
    return Secret(found["pass_phrase"]) if "pass_phrase" in found else None


def _token(found: Mapping[str, str]) -> Secret:
    """The token of a session that lasts a while."""
    if "security_token_file" not in found:
        raise Unusual("no session")
    token = _text(found["security_token_file"])
    parts = _TOKEN.fullmatch(token.reveal())
    try:
        claims = json.loads(base64.urlsafe_b64decode(f"{parts[1]}===")) if parts else None
    except (ValueError, RecursionError):
        claims = None
    until = claims.get("exp") if isinstance(claims, dict) else None
    if type(until) is not int or until < time.time() + _LASTING:
        raise Unusual("a session that ended")
    return token


def _server(environment: Mapping[str, str], usual: str, trusted: Trusting) -> Server:
    address = plain_address(environment.get(_ENDPOINT, usual))
    if address is None:  # not quoted: it may have a password
        raise Unusual(_ENDPOINT)
    tls = trusted if address.is_secure else None
    return Server(address.host, address.port, tls, patience=(CONNECTING, ANSWERING))


def _authorities(environment: Mapping[str, str]) -> list[str]:
    """The file of authorities that counts; none for the usual ones. Unusual for what `oci` may refuse."""
    own = [_path(environment[_AUTHORITIES], environment)] if _AUTHORITIES in environment else []
    foreign = [environment[name] for name in _FOREIGN_AUTHORITIES if environment.get(name)][:1]
    for file in own + foreign:
        # A `~` in a foreign one too: `oci` expands it to see whether there is a file, and the library does not.
        if not os.path.isabs(file) or not os.path.isfile(file):
            raise Unusual("a file of authorities that is none")
    return foreign or own


def _path(path: str, environment: Mapping[str, str]) -> str:
    """The path without `~`. Unusual for a variable, another's home, and what depends on where `oci` runs."""
    whole = expanded(path, environment) if path.startswith("~/") else path
    if not os.path.isabs(whole):  # not quoted: somebody may have put a key there
        raise Unusual("a path that is not absolute")
    return whole


def _text(path: str) -> Secret:
    try:
        with open_file(path) as file:
            return Secret(file.read().decode("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise Unusual(f"{path} can't be read") from None
