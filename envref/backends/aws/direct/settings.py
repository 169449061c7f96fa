"""What is in force for `aws`: its variables, its two files, one profile; `Unusual` for what envref does not honour.

The order of each is botocore's (1.44.5: configprovider, session.full_config, credentials.create_credential_resolver). A
name that is in no list here is one that a later `aws` may have given a meaning: its program decides.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from envref.backends.http.connection import Server, Unusual
from envref.backends.http.way import Trusting, is_proxied, plain_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    Section = Mapping[str, str]

# Variables and settings of a profile that are honoured in this folder.
_VARIABLES = frozenset(
    """
    AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_DEFAULT_PROFILE AWS_REGION
    AWS_DEFAULT_REGION AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CA_BUNDLE AWS_ENDPOINT_URL
    AWS_ENDPOINT_URL_SSM AWS_ENDPOINT_URL_SECRETS_MANAGER AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_SSO
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_EC2_METADATA_DISABLED AWS_EC2_METADATA_SERVICE_ENDPOINT
    AWS_STS_REGIONAL_ENDPOINTS AWS_CREDENTIAL_EXPIRATION
    """.split()  # noqa: SIM905  # a list would take a line a name
)
_OF_A_PROFILE = frozenset(
    """
    region endpoint_url services ignore_configured_endpoint_urls ca_bundle use_fips_endpoint
    use_dualstack_endpoint aws_access_key_id aws_secret_access_key aws_session_token role_arn source_profile
    credential_source external_id role_session_name duration_seconds sso_session sso_start_url sso_region
    sso_account_id sso_role_name sso_registration_scopes sts_regional_endpoints
    """.split()  # noqa: SIM905  # a list would take a line a name
)
# These change how `aws` prints, logs or tries again, or nothing; a read is the same without them.
_HARMLESS_VARIABLES = frozenset(
    """
    AWS_PAGER AWS_OUTPUT AWS_DEFAULT_OUTPUT AWS_CLI_AUTO_PROMPT AWS_CLI_FILE_ENCODING AWS_CLI_HISTORY_FILE
    AWS_MAX_ATTEMPTS AWS_RETRY_MODE AWS_ACCOUNT_ID AWS_EXECUTION_ENV AWS_SDK_UA_APP_ID AWS_SDK_LOAD_CONFIG
    AWS_VAULT AWS_METADATA_SERVICE_TIMEOUT AWS_METADATA_SERVICE_NUM_ATTEMPTS AWS_EC2_METADATA_V1_DISABLED
    """.split()  # noqa: SIM905  # a list would take a line a name
)
_HARMLESS_IN_A_PROFILE = frozenset(
    """
    output cli_pager cli_history cli_auto_prompt cli_timestamp_format cli_binary_format cli_follow_urlparam
    max_attempts retry_mode s3 s3api parameter_validation aws_account_id sdk_ua_app_id metadata_service_timeout
    metadata_service_num_attempts ec2_metadata_v1_disabled tcp_keepalive
    """.split()  # noqa: SIM905  # a list would take a line a name
)
# Where an empty value is one, and means something else in each version of `aws`.
_NEVER_EMPTY = frozenset(
    """
    AWS_PROFILE AWS_DEFAULT_PROFILE AWS_REGION AWS_DEFAULT_REGION AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE
    AWS_CA_BUNDLE AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI
    AWS_EC2_METADATA_SERVICE_ENDPOINT
    """.split()  # noqa: SIM905  # a list would take a line a name
)
_DEFAULT = "default"
# The partitions whose regions have an endpoint of this form for every service asked here (botocore's endpoints.json).
_REGION = re.compile(r"(?:us(?:-gov)?|eu|ap|sa|ca|me|af|il|mx|cn)-[a-z]+-[0-9]")
# What a service's endpoint is called in its name, in a variable, and in a section of services.
_HOSTS = {"SSM": "ssm", "SECRETS_MANAGER": "secretsmanager", "STS": "sts", "SSO": "portal.sso"}


class InForce(NamedTuple):
    """What counts for one backend: variables, the profile's name, all profiles, and the files' other sections.

    `is_option` says that the profile is the backend's option, which comes before keys in variables. `keys` are the
    sections of the credentials file, `configured` the profiles of the other one; `profiles` has both.
    """

    environment: Mapping[str, str]
    profile: str
    is_option: bool
    region: str
    profiles: Mapping[str, Section]
    configured: Mapping[str, Section]
    keys: Mapping[str, Section]
    sso_sessions: Mapping[str, Section]
    services: Mapping[str, Section]

    @property
    def section(self) -> Section:
        return self.profiles.get(self.profile, {})

    def variable(self, name: str) -> str:
        return self.environment.get(f"AWS_{name}", "")

    def setting(self, name: str) -> str:
        """A setting that a variable of the same name comes before."""
        return self.environment.get(f"AWS_{name.upper()}", self.section.get(name, ""))

    def server(self, service: str, region: str) -> tuple[Server, str]:
        """Where a service is asked, and how; and the URL, as messages have it."""
        # With an endpoint of one's own too: the region is signed.
        if not is_region(region):
            raise Unusual(f"the region {region}" if region else "no region")
        url = self._configured(service) or _usual(service, region)
        address = plain_address(url)
        if address is None:
            raise Unusual(f"the endpoint {url}")
        authorities = self.setting("ca_bundle")
        files = [os.path.expanduser(authorities)] if authorities else []
        tls = Trusting(files) if address.is_secure else None
        return Server(address.host, address.port, tls), f"{address.url}/"

    def _configured(self, service: str) -> str:
        if self.setting("ignore_configured_endpoint_urls").lower() == "true":
            return ""
        own = self.variable(f"ENDPOINT_URL_{service}") or self.variable("ENDPOINT_URL")
        return own or self._of_service(service) or self.section.get("endpoint_url", "")

    def _of_service(self, service: str) -> str:
        """The endpoint in the section of services that the profile names; its values are lines of settings."""
        name = self.section.get("services")
        if name is None:
            return ""
        if not self.services.get(name):
            raise Unusual(f"services = {name}")
        return _nested(self.services[name].get(service.lower(), "")).get("endpoint_url", "")


def settings(environment: Mapping[str, str], *, region: str = "", profile: str = "") -> InForce:
    """What counts, the backend's own region and profile before all else. Raises Unusual with what is not honoured."""
    _check_variables(environment)
    names = {environment[name] for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if name in environment}
    if len(names) > 1 and not profile:
        raise Unusual("AWS_PROFILE and AWS_DEFAULT_PROFILE differ")
    config = _sections(environment.get("AWS_CONFIG_FILE", "~/.aws/config"))
    keys = _sections(environment.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
    if "plugins" in config:
        raise Unusual("plugins of aws")
    configured = {**_named(config, "profile"), **({_DEFAULT: config[_DEFAULT]} if _DEFAULT in config else {})}
    # Of a profile in both files, the settings of the one with keys come first.
    profiles = {**configured, **{name: {**configured.get(name, {}), **section} for name, section in keys.items()}}
    wanted = profile or next(iter(names), "")
    if wanted and wanted not in profiles:
        raise Unusual(f"the profile {wanted} is in no file")
    found = InForce(
        environment,
        wanted or _DEFAULT,
        bool(profile),
        "",
        profiles,
        configured,
        keys,
        _named(config, "sso-session"),
        _named(config, "services"),
    )
    check_section(found.section)
    _check_way(found)
    return found._replace(region=region or _region(found))


def check_section(section: Section) -> None:
    """Raises Unusual for a setting of a profile that is not honoured."""
    unknown = section.keys() - _OF_A_PROFILE - _HARMLESS_IN_A_PROFILE
    if unknown:
        raise Unusual(f"the profile's {min(unknown)}")


def is_region(region: str) -> bool:
    return bool(_REGION.fullmatch(region))


def _check_variables(environment: Mapping[str, str]) -> None:
    ours = {name for name in environment if name.startswith("AWS_")}
    unknown = ours - _VARIABLES - _HARMLESS_VARIABLES
    empty = {name for name in ours & _NEVER_EMPTY if not environment[name]}
    # botocore takes this one where no file of AWS's own is named.
    if environment.get("REQUESTS_CA_BUNDLE"):
        unknown.add("REQUESTS_CA_BUNDLE")
    if unknown or empty:
        raise Unusual(min(unknown | empty))


def _check_way(found: InForce) -> None:
    if is_proxied(found.environment):
        raise Unusual("a proxy")
    for name in ("use_fips_endpoint", "use_dualstack_endpoint"):
        if found.setting(name).lower() == "true":
            raise Unusual(name)
    if found.setting("sts_regional_endpoints") not in ("", "regional"):
        raise Unusual("sts_regional_endpoints")


def _region(found: InForce) -> str:
    """The region without an option: version 1 of `aws` does not read AWS_REGION, version 2 reads it first."""
    first = found.variable("DEFAULT_REGION") or found.section.get("region", "")
    second = found.variable("REGION") or first
    if first and first != second:
        raise Unusual("AWS_REGION, which not every aws reads")
    return second


def _usual(service: str, region: str) -> str:
    return f"https://{_HOSTS[service]}.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def _sections(path: str) -> Mapping[str, Section]:
    """The sections of a file, read as `aws` reads it; none without the file. Unusual for what it would refuse."""
    path = os.path.expanduser(os.path.expandvars(path))
    if not os.path.isfile(path):
        return {}
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    try:
        parser.read([path], "utf-8")
    except (Error, UnicodeDecodeError):
        raise Unusual(path) from None
    found = {name: {option: parser.get(name, option) for option in parser.options(name)} for name in parser.sections()}
    for section in found.values():
        for value in section.values():
            if value.startswith("\n"):
                _nested(value)
    return found


def _named(config: Mapping[str, Section], kind: str) -> dict[str, Section]:
    """The sections `[KIND NAME]` by name."""
    found: dict[str, Section] = {}
    for title, section in config.items():
        words = title.split()
        if not title.startswith(kind):
            continue
        if set(title) & set("\"'\\") or (len(words) == 2 and words[1] in found) or words[1:] == [_DEFAULT]:
            raise Unusual(f"the section [{title}]")
        if len(words) == 2:
            found[words[1]] = section
    return found


def _nested(text: str) -> Mapping[str, str]:
    """The settings in the indented lines of another one."""
    pairs = (line.split("=", 1) for line in text.splitlines() if line.strip())
    try:
        return {name.strip(): value.strip() for name, value in pairs}
    except ValueError:
        raise Unusual("a setting of several lines") from None
