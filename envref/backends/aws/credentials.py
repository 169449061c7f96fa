"""Where the credentials of `aws` come from, and so what brings new ones (ST-F5). Read only when something went wrong.

The order is that of botocore's `create_credential_resolver`: the environment, unless a profile is an option; then the
profile's role, single sign-on, the credentials file, `credential_process`, and keys in the config file.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from envref.backends.ini import sections
from envref.errors import pasted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_KEY, _TOKEN = "aws_access_key_id", "aws_session_token"
_IDENTITY = ("aws", "sts", "get-caller-identity")
_SERVICE = "the token of its service account is renewed by what runs this machine"
_MACHINE = "the machine needs a role that is attached to it"


class Cure(NamedTuple):
    """A command, and a sentence after it or alone."""

    run: tuple[str, ...] = ()
    hint: str = ""


class Origin:
    """What `aws` knows of a profile: the one of the backend, else that of the environment."""

    def __init__(self, profile: str, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._is_option = bool(profile)
        self._profile = profile or environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE") or ""
        self._config = sections(environment.get("AWS_CONFIG_FILE") or "~/.aws/config")
        self._keys = sections(environment.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials")

    def renewal(self) -> Cure:
        """What brings credentials that count, for those that are refused, expired or incomplete."""
        given = [name for name in VARIABLES if self._environment.get(name)]
        if not given or self._is_option:
            return self._of(self._profile, ())
        after = self._of(self._profile, ())
        # The variables come before everything else: nothing that is signed in to counts while they are set.
        return Cure(("unset", *given), pasted(after.run) or after.hint)

    def sign_in(self) -> Cure:
        """The command for a single sign-on, at the profile that has one: a role's source, perhaps."""
        cure = self._of(self._profile, ())
        return cure if cure.run[:2] == ("aws", "sso") else Cure(_with(("aws", "sso", "login"), self._profile))

    def second_factor(self) -> Cure:
        """`aws` keeps the role's credentials once it was told the code, and envref's calls then find them."""
        return Cure(_with(_IDENTITY, self._profile), "enter the code there")

    def process(self) -> Cure:
        """The program that gives the profile its credentials is the one to look at."""
        return Cure(_with(("aws", "configure", "get", "credential_process"), self._profile), "run what it prints")

    def keys(self) -> Cure:
        """The command that asks for a key and its secret."""
        return Cure(_with(("aws", "configure"), self._profile))

    def _of(self, profile: str, seen: tuple[str, ...]) -> Cure:
        section = self._section(profile)
        if "role_arn" in section:
            return self._of_role(section, profile, seen)
        if "sso_session" in section or "sso_start_url" in section:
            return Cure(_with(("aws", "sso", "login"), profile))
        if "login_session" in section:
            return Cure(_with(("aws", "login"), profile))
        if _TOKEN in self._keys.get(profile or "default", section):
            return Cure(hint="its keys are temporary: put new ones, with their session token, in their place")
        if "credential_process" in section and _KEY not in self._keys.get(profile or "default", {}):
            return self.process()
        # Of a profile that is in no file nothing is known; most people who name one have single sign-on.
        known = bool(section or self._keys.get(profile or "default")) or not profile
        return Cure(_with(("aws", "configure") if known else ("aws", "sso", "login"), profile))

    def _of_role(self, section: Mapping[str, str], profile: str, seen: tuple[str, ...]) -> Cure:
        source = section.get("source_profile", "")
        if source and source not in (profile, *seen):
            return self._of(source, (*seen, profile))
        if "web_identity_token_file" in section:
            return Cure(hint=_SERVICE)
        if section.get("credential_source") == "Environment":
            return Cure(hint=f"set {VARIABLES[0]} and {VARIABLES[1]} anew")
        return Cure(hint=_MACHINE) if "credential_source" in section else self.keys()

    def _section(self, profile: str) -> Mapping[str, str]:
        name = f"profile {profile}" if profile not in ("", "default") else "default"
        return self._config.get(name, {})


def _with(command: tuple[str, ...], profile: str) -> tuple[str, ...]:
    return (*command, "--profile", profile) if profile else command
