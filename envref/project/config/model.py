"""Config: what `.envref.yaml` and the user's own config say, validated and immutable (commands.md 3)."""

from __future__ import annotations

import os

from envref.errors import EnvrefError
from envref.paths import expanded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn, Self

    from envref.backends.table import Traits

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PROFILE_FIRST = frozenset(_LETTERS + "0123456789_")
_PROFILE = _PROFILE_FIRST | {"-"}
NO_PROFILES = ("local", "example", "sample", "template")  # `.env.NAME` means something else for these

FILES, ENVIRONMENT = "files", "environment"  # of `precedence`
KEPT = 3600  # seconds that the agent keeps an answer where the user names no other time
READS = "reads"  # of `audit_log`
VARIABLES = "variables"  # of `tools`: the way in which a tool gets them in its environment
PROCESS, CREDENTIAL = "credential-process", "credential"  # the tool asks `envref credential`; for a server, or for none

_CREDENTIALS = ("token", "passphrase", "secret", "password", "key")


class _Frozen:
    """Named fields that are set once. `_DEFAULTS` fills those that are not given."""

    __slots__: tuple[str, ...] = ()
    _DEFAULTS: Mapping[str, object]

    def __init__(self, **fields: Any) -> None:
        for name, value in {**self._DEFAULTS, **fields}.items():
            object.__setattr__(self, name, value)

    def replaced(self, **fields: Any) -> Self:
        """A copy with these fields."""
        return type(self)(**{name: getattr(self, name) for name in self.__slots__} | fields)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name} of a {type(self).__name__} is never changed")


_BACKEND_DEFAULTS: Mapping[str, object] = {
    "options": {},
    "timeout": None,
    "optional": False,
    "names": {},
    "paths": (),
    "data": (),
    "places": (),
    "programs": (),
    "rooted": False,
    "traits": None,
    "home": "",
    "agent": None,
}


class BackendConfig(_Frozen):
    """A store as configured.

    `options` are those that its type knows, as written; `paths` names the options that are paths, `data` those of them
    that are only read as data. `places` are where the type's users keep their entries, `programs` the names of the
    programs it runs (a star is the backend's own name); `rooted` means that it needs to know the root. `traits` is what
    its class says of it, None where nobody asked. `names` maps a
    key, or PROFILE/KEY, to a foreign name (commands.md 6.5). `home` is the directory of a config that this one extends,
    where the backend is from there; else empty. `agent` are the seconds that the entry lets the agent keep
    its answers: 0 for not at all, None where it says nothing.
    """

    __slots__ = (
        "agent",
        "data",
        "home",
        "name",
        "names",
        "optional",
        "options",
        "paths",
        "places",
        "programs",
        "rooted",
        "timeout",
        "traits",
        "type",
    )
    _DEFAULTS = _BACKEND_DEFAULTS

    name: str
    type: str
    options: dict[str, str | bool]
    timeout: float | None  # seconds; None is the default of commands.md 7
    optional: bool | str  # "always": also where it is locked
    names: dict[str, str]
    paths: tuple[str, ...]
    data: tuple[str, ...]
    places: tuple[str, ...]
    programs: tuple[str, ...]
    rooted: bool
    traits: Traits | None
    home: str
    agent: int | None

    @property
    def borrowed(self) -> dict[str, str]:
        """The credentials among the options that are secrets of other stores, as references (docs/adr/0024)."""
        return {name: str(value) for name, value in self.options.items() if is_borrowed(name, value)}

    def arguments(self, root: str, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
        """The keyword arguments of the type's constructor; paths are absolute, or start at the project's `root`.

        What is `borrowed` is not among them: its text is no credential, and must not be sent as one. A `command` stays
        relative: the store finds out whether it is a name or a path, and trust judges it.
        """
        root = self.home or root
        arguments: dict[str, Any] = {
            name: value for name, value in self.options.items() if not is_borrowed(name, value)
        }
        for name in self.paths:
            arguments[name] = os.path.join(root, expanded(str(self.options[name]), environment))
        if "command" in arguments:
            arguments["command"] = expanded(str(arguments["command"]), environment)
        if self.rooted:
            arguments["root"] = root
        return arguments


_CONFIG_DEFAULTS: Mapping[str, object] = {
    "agent": None,
    "project": "",
    "extends": None,
    "parents": (),
    "env_file": ".env",
    "files_directory": None,
    "local_file": ".env.local",
    "locked": False,
    "active_profile": None,
    "audit_log": (),
    "interpolate_environment": False,
    "precedence": FILES,
    "profiles": {},
    "closed": (),
    "team": {},
    "services": {},
    "tools": {},
    "trust": "default",
    "trusted_paths": (),
    "safe_directories": (),
    "warnings": (),
    "tokens": (),
    "from_project": (),
    "path": "",
    "global_path": None,
    "source": b"",
}


class Config(_Frozen):
    """The effective configuration of a project: its own file over the user's."""

    __slots__ = (
        "active_profile",
        "agent",
        "audit_log",
        "backends",
        "closed",
        "env_file",
        "extends",
        "files_directory",
        "from_project",
        "global_path",
        "interpolate_environment",
        "local_file",
        "locked",
        "parents",
        "path",
        "precedence",
        "profiles",
        "project",
        "safe_directories",
        "services",
        "source",
        "team",
        "tokens",
        "tools",
        "trust",
        "trusted_paths",
        "warnings",
    )
    _DEFAULTS = _CONFIG_DEFAULTS

    project: str
    extends: str | None  # the directory, relative to the root, whose layers and backends lie below this project's
    parents: tuple[tuple[str, Config], ...]  # what it extends, nearest first: directory relative to the root, config
    env_file: str  # this and the other files are relative to the root
    local_file: str
    locked: bool  # its secrets are those that envref.lock pins
    files_directory: str | None  # for `?as=file`, as written; only from the user's own file
    active_profile: str | None
    agent: int | None  # seconds that the agent keeps answers, 0 for not at all; more only from the user's own file
    audit_log: tuple[str, ...]  # what is logged beside changes: READS or nothing
    interpolate_environment: bool
    precedence: str  # FILES or ENVIRONMENT: which of them decides about a name that both set
    profiles: dict[str, str]  # name -> env file
    closed: tuple[str, ...]  # profiles that have only secrets of their own, none of the project's
    backends: tuple[BackendConfig, ...]
    team: dict[str, str]  # name -> public key
    services: dict[str, tuple[str, ...]]
    tools: dict[str, dict[str, tuple[str, ...]]]  # tool -> way -> the variables that only this tool gets
    trust: str  # "default" or "strict"; only the user's own file can set it
    trusted_paths: tuple[str, ...]  # absolute; only from the user's own file
    safe_directories: tuple[str, ...]  # as written; `files` judges by them
    warnings: tuple[str, ...]
    tokens: tuple[str, ...]  # warnings that hold if git tracks the project's file: `project/tokens` asks it
    from_project: tuple[str, ...]  # the keys that the project's own file sets; the user's file is always trusted
    path: str  # of the project's file
    global_path: str | None  # of the user's own file, if there is one
    source: bytes  # the text of the project's file, as it was read

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields if "backends" in fields else {**fields, "backends": _on_a_desktop()})

    def agent_seconds(self, backend: BackendConfig, otherwise: int = 0) -> int:
        """How long the agent keeps the store's answers; 0 for not at all, which wins wherever it is said."""
        said = (backend.agent, self.agent)
        return 0 if 0 in said else backend.agent or self.agent or otherwise

    @property
    def has_implied_backend(self) -> bool:
        """Whether neither the project nor the user lists stores, so that the keychain is the one."""
        return self.backends is _on_a_desktop()

    @property
    def logs_reads(self) -> bool:
        """Whether each secret that is read gets a line in the user's log."""
        return READS in self.audit_log

    def profile_file(self, profile: str) -> str:
        """The env file of a profile, configured or not."""
        return self.profiles.get(profile, f".env.{profile}")


_implied: list[tuple[BackendConfig]] = []


def _on_a_desktop() -> tuple[BackendConfig]:
    """The chain of a config that says nothing of it: always the same object, so that it is known in each copy."""
    if not _implied:
        from envref.backends.table import DESKTOP  # most configs have backends

        _implied.append((BackendConfig(name=DESKTOP, type=DESKTOP),))
    return _implied[0]


def invalid(faults: list[str]) -> EnvrefError:
    """The error that reports everything that is wrong with a config."""
    return EnvrefError(f"invalid config: {'; '.join(faults)}", subject="loading config")


def active_profile_fault(profile: str | None, profiles: Mapping[str, str], root: str) -> str:
    """Why the project can't have this `active_profile`; empty if it can."""
    if not profile or not profiles or profile in profiles or os.path.exists(os.path.join(root, f".env.{profile}")):
        return ""
    return f'active_profile "{profile}" is not defined in profiles'


def credential_way(server: str) -> str:
    """The way in which a tool gets the credential of a server: a key of `Config.tools[tool]`."""
    return f"{CREDENTIAL} {server}"


def is_profile_name(text: str) -> bool:
    """Whether a profile may have this name (commands.md 1.5)."""
    return text[:1] in _PROFILE_FIRST and _PROFILE.issuperset(text) and text not in NO_PROFILES


def is_credential(option: str) -> bool:
    """Whether an option's value is masked, and kept out of copies (commands.md 2.15)."""
    return option != "key_id" and any(word in option.lower() for word in _CREDENTIALS)


def is_borrowed(option: str, value: object) -> bool:
    """Whether an option is a credential that another store holds, by reference: `token: ref://STORE/KEY`."""
    if not isinstance(value, str) or not is_credential(option):
        return False
    from envref.refs.reference import SCHEME  # few configs have such an option

    return value.startswith(SCHEME)


def is_masked(option: str, value: object) -> bool:
    """Whether an option's value is not shown: a credential, and not the name of one."""
    return is_credential(option) and not is_borrowed(option, value)
