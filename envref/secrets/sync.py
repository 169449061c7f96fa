"""Sync: a project's secrets as one age file for its team, bound to project, profile and version (commands.md 2.22)."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NoReturn

from envref.errors import EnvrefError, UsageError
from envref.project.config.model import is_profile_name
from envref.refs.address import HISTORY, check_key
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envref.resolve.resolve import Scope

_VERSION = 2


class Bundle:
    """The secrets of one scope. `scope` is None for a file of envref 1, which does not say whose they are."""

    def __init__(self, secrets: Mapping[str, Secret], scope: tuple[str, str | None] | None) -> None:
        self.secrets = dict(secrets)
        self.scope = scope

    def check(self, wanted: Scope, file: str) -> None:
        """Raises EnvrefError if the secrets are another project's, or another profile's."""
        if self.scope is None:
            return
        project, profile = self.scope
        if project != wanted.project:
            raise EnvrefError(
                f'{file} holds the secrets of project "{project}", not of "{wanted.project}"',
                hint="--any-project takes them anyway",
            )
        if profile != wanted.profile:
            own = f'profile "{profile}"' if profile else "no profile"
            told = f"{file} holds the secrets of {own}"
            if profile is None:
                raise EnvrefError(told, hint="leave --profile out")
            run = ("envref", "sync", "pull", "--profile", profile) if is_profile_name(profile) else ()
            raise EnvrefError(told, run=run)


def document(secrets: Mapping[str, Secret], scope: Scope) -> Secret:
    """The plain text of a file, which only its recipients may ever read."""
    text = {
        "version": _VERSION,
        "project": scope.project,
        "profile": scope.profile,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "secrets": {key: value.reveal() for key, value in secrets.items()},
    }
    return Secret(json.dumps(text, ensure_ascii=False, indent=2) + "\n")


def read(plain: bytes, file: str) -> Bundle:
    """The secrets of a decrypted file, ours or the ancestor's. EnvrefError, without a value, for anything else."""
    try:
        data = json.loads(plain.decode())
    except (ValueError, RecursionError):
        _refuse(file, "not JSON")  # the error itself would carry the document
    if not isinstance(data, dict):
        _refuse(file, "not an object")
    if "version" not in data or isinstance(data["version"], str):
        return Bundle(_secrets(data, file), None)
    if data["version"] != _VERSION:
        _refuse(file, f"version {json.dumps(data['version'])[:20]} (this envref reads {_VERSION})")
    project, profile = data.get("project"), data.get("profile")
    if not isinstance(project, str) or not (profile is None or isinstance(profile, str)):
        _refuse(file, "it does not say whose secrets these are")
    return Bundle(_secrets(data.get("secrets"), file), (project, profile))


def _secrets(data: object, file: str) -> dict[str, Secret]:
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        _refuse(file, "its secrets are not a mapping of keys to text")
    return {_checked(key, file): Secret(value) for key, value in data.items()}


def _checked(key: str, file: str) -> str:
    try:
        check_key(key)
    except UsageError as error:
        _refuse(file, error.message)
    if HISTORY in f"{key}.":
        _refuse(file, f'key "{key}" is reserved for the values that rotation keeps')
    return key


def _refuse(file: str, reason: str) -> NoReturn:
    raise EnvrefError(f"reading {file}: {reason}", hint="push it again: envref sync push") from None
