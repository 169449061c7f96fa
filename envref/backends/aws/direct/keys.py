"""The keys that count, found where `aws` finds them and in its order (botocore 1.44.5: credentials.py).

`Unusual` is raised for every other source, and wherever one of these has none to give: the program then says why.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from typing import TYPE_CHECKING

from envref.backends.aws.direct.purse import Purse, words_of
from envref.backends.aws.direct.settings import check_section
from envref.backends.aws.direct.signature import Credentials, Unsigned, signed
from envref.backends.http.connection import Answer, Connection, NotHttp, Server, Unusual
from envref.backends.http.query import encoded_query
from envref.backends.http.way import plain_address, trusting
from envref.paths import open_file
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envref.backends.aws.direct.purse import Given
    from envref.backends.aws.direct.settings import InForce, Section

_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:Z|UTC|\+00:00)")
_BY_TIME = re.compile(r"botocore-session-[0-9]+")
_REFRESHED = 15 * 60  # seconds before its end in which `aws` would renew a token or keys
_LOCAL = 2.0  # seconds for an endpoint of the machine's own
_CONTAINERS = "169.254.170.2"
# Hosts that may be asked for keys without TLS, beside loopback (ContainerMetadataFetcher).
_NEIGHBOURS = (_CONTAINERS, "169.254.170.23", "fd00:ec2::23", "localhost", "::1")
_INSTANCE = "http://169.254.169.254"
_ROLES = "/latest/meta-data/iam/security-credentials/"
_OLD_FILES = ("/etc/boto.cfg", "~/.boto")
_MACHINE = "/sys/class/dmi/id/sys_vendor"


def keys(found: InForce, deadline: float, role: str = "", purse: Purse | None = None) -> Credentials:
    """The keys for these settings; with `role`, those of that role, taken on with them. Raises Unusual.

    `purse` keeps those that end by themselves.
    """
    purse = purse or Purse()
    try:
        return _obtained(found, deadline, role, purse)
    except Unusual:
        if not purse.has_given:
            raise
        purse.empty()  # those that were kept may not be accepted any more
        return _obtained(found, deadline, role, purse)


def _obtained(found: InForce, deadline: float, role: str, purse: Purse) -> Credentials:
    own = _own(found, deadline, purse)
    return _assumed(found, own, {"RoleArn": role, "RoleSessionName": "envref"}, deadline, purse) if role else own


def _own(found: InForce, deadline: float, purse: Purse) -> Credentials:
    if found.variable("ACCESS_KEY_ID") and not found.is_option:
        return _of_variables(found)
    given = _of_profile(found, found.profile, (), deadline, purse)
    if given is not None:
        return given
    if any(os.path.exists(os.path.expanduser(file)) for file in _OLD_FILES) or "BOTO_CONFIG" in found.environment:
        raise Unusual("a file of boto")
    return _of_container(found, deadline) if _is_in_container(found) else _of_instance(found, deadline)


def _of_variables(found: InForce) -> Credentials:
    expires = found.variable("CREDENTIAL_EXPIRATION")
    if expires and not _is_after(expires, _REFRESHED):
        raise Unusual("AWS_CREDENTIAL_EXPIRATION")
    return _made(found.variable("ACCESS_KEY_ID"), found.variable("SECRET_ACCESS_KEY"), found.variable("SESSION_TOKEN"))


def _of_profile(found: InForce, name: str, seen: tuple[str, ...], deadline: float, purse: Purse) -> Credentials | None:
    """The keys of a profile; None where it says nothing of any."""
    section = found.profiles.get(name, {})
    check_section(section)
    # A role's source that has keys of its own is used with those, whatever role it names too.
    if "role_arn" in section and not (seen and _has_keys(section)):
        return _of_role(found, name, section, seen, deadline, purse)
    if "sso_role_name" in section or "sso_account_id" in section:
        return _of_sign_on(found, section, deadline, purse)
    # Key and secret are of one file; of the two, the one for keys comes first.
    files = (found.keys.get(name, {}), found.configured.get(name, {}))
    return next((_stored(file) for file in files if "aws_access_key_id" in file), None)


def _of_role(
    found: InForce, name: str, section: Section, seen: tuple[str, ...], deadline: float, purse: Purse
) -> Credentials:
    source, origin = section.get("source_profile"), section.get("credential_source")
    asked = {"RoleArn": section["role_arn"]}
    asked["RoleSessionName"] = section.get("role_session_name") or f"botocore-session-{int(time.time())}"
    if "external_id" in section:
        asked["ExternalId"] = section["external_id"]
    if "duration_seconds" in section:
        asked["DurationSeconds"] = section["duration_seconds"]
    if (source is None) == (origin is None) or not asked.get("DurationSeconds", "0").isdecimal():
        raise Unusual(f"the role of the profile {name}")
    if origin is not None:
        return _assumed(found, _of_origin(found, origin, deadline), asked, deadline, purse)
    source = source or ""
    if source not in found.profiles or source in seen or (source == name and not _has_keys(section)):
        raise Unusual(f"the source_profile {source}")
    given = _of_profile(found, source, (*seen, name), deadline, purse)
    if given is None:
        raise Unusual(f"the source_profile {source}")
    return _assumed(found, given, asked, deadline, purse)


def _of_origin(found: InForce, origin: str, deadline: float) -> Credentials:
    if origin == "Environment":
        return _of_variables(found)
    if origin == "EcsContainer":
        return _of_container(found, deadline)
    if origin == "Ec2InstanceMetadata":
        return _of_instance(found, deadline)
    raise Unusual(f"the credential_source {origin}")


def _assumed(found: InForce, own: Credentials, asked: Mapping[str, str], deadline: float, purse: Purse) -> Credentials:
    """The keys of a role, from AWS's token service."""
    server, url = found.server("STS", found.region)

    def obtain() -> Given:
        body = encoded_query([("Action", "AssumeRole"), ("Version", "2011-06-15"), *asked.items()]).encode()
        headers = {"Host": server.authority, "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        headers = signed(Unsigned("POST", "/", (), headers, body), own, found.region, "sts")
        text = _fetched(server, "POST", "/", headers, deadline, body=body).body.decode("utf-8", "replace")
        given = _made(*(_element(text, name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")))
        return given, _seconds(_element(text, "Expiration"))

    # Where a profile has no name for its sessions, the name is the time.
    lasting = [f"{name}={text}" for name, text in asked.items() if not _BY_TIME.fullmatch(text)]
    return purse.keys(["role", url, *lasting, *words_of(own)], asked["RoleArn"], deadline, obtain)


def _element(xml: str, name: str) -> str:
    """What an element holds. Credentials and tokens are made of characters that XML writes as they are."""
    found = re.search(f"<{name}>([^<&]*)</{name}>", xml)
    return found[1].strip() if found else ""


def _of_sign_on(found: InForce, section: Section, deadline: float, purse: Purse) -> Credentials:
    """The keys of a single sign-on: of its cached token, while that lasts."""
    session = section.get("sso_session")
    if session is not None:
        more = found.sso_sessions.get(session, {})
        if not more or any(section.get(name, value) != value for name, value in more.items()):
            raise Unusual(f"the sso_session {session}")
        section = {**section, **more}
    names = ("sso_start_url", "sso_region", "sso_role_name", "sso_account_id")
    start, region, role, account = (section.get(name, "") for name in names)
    if not (start and region and role and account):
        raise Unusual("an incomplete single sign-on")
    token = _cached_token(start if session is None else session)
    server, url = found.server("SSO", region)
    target = "/federation/credentials?" + encoded_query([("account_id", account), ("role_name", role)])

    def obtain() -> Given:
        headers = {"x-amz-sso_bearer_token": token.reveal()}
        given = _object(_fetched(server, "GET", target, headers, deadline)).get("roleCredentials")
        if not isinstance(given, dict):
            raise Unusual("the answer of the single sign-on")
        made = _made(*(str(given.get(name, "")) for name in ("accessKeyId", "secretAccessKey", "sessionToken")))
        end = given.get("expiration")  # in milliseconds
        return made, end / 1000 if isinstance(end, int) else 0.0

    return purse.keys(["sso", url, target, token.reveal()], f"{account}/{role}", deadline, obtain)


def _cached_token(name: str) -> Secret:
    """The token that `aws sso login` left. Unusual for one that is about to end: `aws` can renew it."""
    digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    try:
        with open_file(os.path.expanduser(f"~/.aws/sso/cache/{digest}.json")) as file:
            cached = json.loads(file.read())
        token, expires = cached["accessToken"], cached["expiresAt"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        raise Unusual("no token of a single sign-on") from None
    if not isinstance(token, str) or not _is_after(str(expires), _REFRESHED):
        raise Unusual("the token of a single sign-on ends")
    return Secret(token)


def _is_in_container(found: InForce) -> bool:
    return bool(
        found.variable("CONTAINER_CREDENTIALS_RELATIVE_URI") or found.variable("CONTAINER_CREDENTIALS_FULL_URI")
    )


def _of_container(found: InForce, deadline: float) -> Credentials:
    from urllib.parse import urlsplit

    relative = found.variable("CONTAINER_CREDENTIALS_RELATIVE_URI")
    url = f"http://{_CONTAINERS}{relative}" if relative else found.variable("CONTAINER_CREDENTIALS_FULL_URI")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Unusual("the address of the container's keys") from None
    is_secure = parts.scheme == "https"
    # All digits: a name may begin with "127." too.
    is_loopback = host.startswith("127.") and not host.strip("0123456789.")
    is_near = parts.scheme == "http" and (host in _NEIGHBOURS or is_loopback)
    if not (is_secure or is_near) or "@" in parts.netloc:
        raise Unusual("the address of the container's keys")
    server = Server(host, port or (443 if is_secure else 80), trusting if is_secure else None)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _of_machine(_fetched(server, "GET", target, _authorization(found), _soon(deadline)))


def _authorization(found: InForce) -> dict[str, str]:
    token = found.variable("CONTAINER_AUTHORIZATION_TOKEN")
    file = found.variable("CONTAINER_AUTHORIZATION_TOKEN_FILE")
    if file:
        try:
            with open_file(file) as opened:
                token = opened.read().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            raise Unusual("the container's token") from None
    headers = {"Accept": "application/json"}
    return {**headers, "Authorization": Secret(token).reveal()} if token else headers


def _of_instance(found: InForce, deadline: float) -> Credentials:
    """The keys of a machine of EC2, by version 2 of its metadata service; `aws` tries version 1 where that fails."""
    named = found.variable("EC2_METADATA_SERVICE_ENDPOINT").rstrip("/")
    if found.variable("EC2_METADATA_DISABLED").lower() == "true" or not (named or _is_machine_of_ec2()):
        raise Unusual("no credentials")
    address = plain_address(named or _INSTANCE)
    if address is None or address.is_secure:
        raise Unusual("AWS_EC2_METADATA_SERVICE_ENDPOINT")
    server, soon = Server(address.host, address.port, None), _soon(deadline)
    lasting = {"x-aws-ec2-metadata-token-ttl-seconds": "21600"}
    token = _fetched(server, "PUT", "/latest/api/token", lasting, soon).body.decode("latin-1")
    headers = {"x-aws-ec2-metadata-token": token}
    role = _fetched(server, "GET", _ROLES, headers, soon).body.decode("latin-1")
    return _of_machine(_fetched(server, "GET", _ROLES + role, headers, soon))


def _is_machine_of_ec2() -> bool:
    """Whether asking makes sense: elsewhere nobody answers, and that takes a second."""
    try:
        with open_file(_MACHINE) as file:
            return file.read(64).startswith(b"Amazon EC2")
    except OSError:
        return False


def _of_machine(answer: Answer) -> Credentials:
    given = _object(answer)
    return _made(*(str(given.get(name, "")) for name in ("AccessKeyId", "SecretAccessKey", "Token")))


def _fetched(
    server: Server, method: str, target: str, headers: Mapping[str, str], deadline: float, *, body: bytes = b""
) -> Answer:
    """A good answer. Whatever goes wrong is Unusual: `aws` asks again, and says why there are no keys."""
    connection = Connection(server, deadline)
    try:
        answer = connection.ask(method, target, headers, body)
    except (OSError, NotHttp, ValueError):
        raise Unusual(f"no answer of {server.authority}") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise Unusual(f"{server.authority} answered {answer.status}")
    return answer


def _object(answer: Answer) -> dict[str, object]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Unusual("an answer that is not JSON")
    return document


def _stored(section: Section) -> Credentials:
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return _made(*(section.get(name, "") for name in names))


def _has_keys(section: Section) -> bool:
    return "aws_access_key_id" in section or "aws_secret_access_key" in section


def _made(name: str, secret: str, token: str) -> Credentials:
    if not name or not secret:
        raise Unusual("incomplete keys")
    return Credentials(name, Secret(secret), Secret(token) if token else None)


def _seconds(moment: str) -> float:
    """Seconds since 1970 of a moment of ISO 8601 in UTC; 0 for any other text."""
    found = _MOMENT.fullmatch(moment)
    if found is None:
        return 0.0
    from calendar import timegm

    return float(timegm(time.strptime(found[1], "%Y-%m-%dT%H:%M:%S")))


def _is_after(moment: str, seconds: int) -> bool:
    """Whether a moment of ISO 8601, in UTC, is more than so many seconds away; False for any other text."""
    found = _MOMENT.fullmatch(moment)
    return found is not None and found[1] > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + seconds))


def _soon(deadline: float) -> float:
    return min(deadline, time.monotonic() + _LOCAL)
