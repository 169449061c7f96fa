"""How one secret is asked of its store by that store's own program: words of bash, by type (flox.md 6.4).

A word that comes from a config or a reference is always quoted; a word of ours never needs it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envref.errors import EnvrefError
from envref.formats import shells

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envref.refs.address import Address

# Where the project is at activation, whatever the working directory.
_ROOT = '"${FLOX_ENV_PROJECT:-$PWD}"'
_BARE = re.compile(r"[A-Za-z0-9_.-]+")
_HOOK = "use the hook form (without --native)"


class Unwritable(EnvrefError):
    """What a store's own program can't be asked for: the reason, and what to do."""

    def __init__(self, reason: str, cure: str = _HOOK) -> None:
        super().__init__(reason, advice=cure)


class Question(NamedTuple):
    """A secret as its store knows it.

    `location` is the store's own name of it, `options` are the backend's as configured, `address` is a foreign name or
    a key, and `field` the member that is wanted.
    """

    location: tuple[str, ...]
    options: Mapping[str, str]
    address: Address
    field: str | None

    @property
    def is_foreign(self) -> bool:
        return self.address.foreign is not None


class Call(NamedTuple):
    """A command, on macOS and elsewhere, and what it needs.

    `functions` are the block's own that it uses, `kinds` the types of the stores that it asks, `says_none` is the
    program that prints `None` for a secret without text.
    """

    macos: str
    elsewhere: str
    functions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    says_none: str = ""

    def behind(self, start: str, function: str) -> Call:
        """The command as the last words of another one, which begins with a function of the block."""
        macos, elsewhere = f"{start} {self.macos}", f"{start} {self.elsewhere}"
        return self._replace(macos=macos, elsewhere=elsewhere, functions=(*self.functions, function))


def call(kind: str, question: Question) -> Call:
    """The command that prints the secret. Raises Unwritable for what has none."""
    if question.field is not None and kind not in _FIELDS:
        raise Unwritable(f"no program of {kind} prints the field {question.field} alone")
    if question.field is not None and question.field.startswith("/"):
        raise Unwritable(f"no program of {kind} reads the JSON pointer {question.field}")
    return _CALLS[kind](question)._replace(kinds=(kind,))


def is_writable(kind: str) -> bool:
    """Whether the type's secrets can be read without envref at all."""
    return kind in _CALLS


# What the programs read in their environment: a variable of the project that is called so must not be set before they
# were asked (security.md 5.8). A `*` stands for any end.
_READ_BY_ALL = "HOME USER LOGNAME TMPDIR LANG LANGUAGE LC_* CI SSL_CERT_* CURL_CA_BUNDLE REQUESTS_CA_BUNDLE"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")  # in either case
_READ = {
    "keychain": "DBUS_* XDG_* DISPLAY WAYLAND_DISPLAY",
    "1password": "OP_* XDG_*",
    "hashicorp-vault": "VAULT_* BAO_*",
    "aws-ssm": "AWS_* PYTHON*",
    "aws-secrets-manager": "AWS_* PYTHON*",
    "oci-vault": "OCI_* PYTHON*",
    "doppler": "DOPPLER_*",
    "pass": "PASSWORD_STORE_* GNUPGHOME GPG_TTY GPG_AGENT_INFO PINENTRY_USER_DATA",
}


def reads(kind: str, name: str) -> bool:
    """Whether the type's program may behave otherwise because of a variable of this name."""
    patterns = f"{_READ_BY_ALL} {_READ[kind]}".split()
    return any(_matches(name, pattern) for pattern in patterns) or name.upper() in _PROXIES


def _matches(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _keychain(question: Question) -> Call:
    service, account = map(_word, question.location)
    if not question.location[1]:
        account = '"${USER:-}"'
    attribute = "account" if question.is_foreign else "username"
    return Call(
        f"/usr/bin/security find-generic-password -a {account} -s {service} -w",
        f"secret-tool lookup {_guarded(question.location)}service {service} {attribute} {account}",
    )


def _guarded(words: tuple[str, ...]) -> str:
    """What keeps a program from taking a name for an option, where one looks like it."""
    return "-- " if any(word.startswith("-") for word in words) else ""


_OP_NAME = re.compile(r"[A-Za-z0-9_. -]+")  # what a secret reference of 1Password may hold between its slashes


def _onepassword(question: Question) -> Call:
    vault, item = question.location
    if not question.is_foreign:
        raise Unwritable(
            f'op can\'t be asked for the title "{item}": it has a "/"', "give the item's id in names: of the backend"
        )
    if question.field is None:
        raise Unwritable("op must be told which field is meant", "name it: #password, #credential or #notesPlain")
    for what, name in (("item", item), ("vault", vault), ("field", question.field)):
        if not _OP_NAME.fullmatch(name):
            raise Unwritable(
                f'op can\'t be asked for the {what} "{name}": only letters, digits, "_", "-", "." and spaces',
                f"name the {what} by its id",
            )
    path = _word(f"op://{vault}/{item}/{question.field}")
    return _same(f"{_program(question, 'op')} read --no-newline {_flags(question, '--account {}', 'account')}{path}")


def _vault(question: Question) -> Call:
    mount, path = question.location
    if mount.startswith("-"):
        raise Unwritable(f'the mount "{mount}" looks like an option')
    flags = _flags(question, "-address={}", "addr") + _flags(question, "-namespace={}", "namespace")
    # -format: VAULT_FORMAT=json in the environment would put the value between quotes (stores.md 6).
    wanted = f"-format=table -field={_bare(question.field or 'value')}"
    return _same(f"{_program(question, 'vault')} kv get {flags}{wanted} {_word(f'{mount}/{path}')}")


def _aws_ssm(question: Question) -> Call:
    asked = f"ssm get-parameter --name {_word(question.location[0])} --with-decryption --query Parameter.Value"
    return _aws(asked, question)


def _aws_secrets_manager(question: Question) -> Call:
    asked = f"secretsmanager get-secret-value --secret-id {_word(question.location[0])} --query SecretString"
    return _aws(asked, question)


def _aws(asked: str, question: Question) -> Call:
    program = _program(question, "aws")
    flags = _flags(question, "--region {}", "region") + _flags(question, "--profile {}", "profile")
    command = f"{program} {asked} --output text {flags}".rstrip()
    return Call(command, command, says_none=program)


def _oci(question: Question) -> Call:
    vault, name = question.location
    # Without these, an endpoint that is not there costs a minute and a half (stores.md 10).
    limits = "--no-retry --connection-timeout 3 --read-timeout 10"
    asked = f"secrets secret-bundle get-secret-bundle-by-name --vault-id {_word(vault)} --secret-name {_word(name)}"
    flags = _flags(question, "--profile {}", "profile")
    return _same(f"_envref_oci {_program(question, 'oci')} {limits} {flags}{asked}", "_envref_oci")


def _doppler(question: Question) -> Call:
    config, name = question.location
    flags = _flags(question, " --project {}", "project").rstrip() + (f" --config {_word(config)}" if config else "")
    # Which project a directory belongs to is asked of the project's own, not of the caller's.
    command = f"{_program(question, 'doppler')} secrets get {_guarded((name,))}{_word(name)} --plain{flags}"
    return _same(f"{command} --scope {_ROOT}")


def _pass(question: Question) -> Call:
    words = [_word(question.location[0])]
    store, command = question.options.get("store", ""), question.options.get("command", "")
    if store or command not in ("", "pass"):
        words.append(_path(store) if store else "''")
    if command not in ("", "pass"):
        words.append(_program(question, "pass"))
    if question.is_foreign:
        return _same(f"_envref_pass {' '.join(words)}", "_envref_pass", "_envref_entry")
    return _same(f"_envref_entry {' '.join(words)}", "_envref_entry")


_CALLS: Mapping[str, Callable[[Question], Call]] = {
    "keychain": _keychain,
    "1password": _onepassword,
    "hashicorp-vault": _vault,
    "aws-ssm": _aws_ssm,
    "aws-secrets-manager": _aws_secrets_manager,
    "oci-vault": _oci,
    "doppler": _doppler,
    "pass": _pass,
}
_FIELDS = ("1password", "hashicorp-vault")


def _same(command: str, *functions: str) -> Call:
    return Call(command, command, functions)


def _word(text: str) -> str:
    return shells.kept_word(text)


def _bare(text: str) -> str:
    """A word behind a `=`, quoted only where it must be."""
    return text if _BARE.fullmatch(text) else _word(text)


def _flags(question: Question, flag: str, option: str) -> str:
    """The flag for an option of the backend, with a space behind it; empty where the option is not set."""
    value = question.options.get(option, "")
    return f"{flag.format(_word(value))} " if value else ""


def _program(question: Question, name: str) -> str:
    command = question.options.get("command", "") or name
    return _path(command) if "/" in command else _bare(command)


def _path(path: str) -> str:
    """A path of a config: below the home directory of whoever activates, below the project, or where it says."""
    for prefix, home in (("~/", '"$HOME"'), ("$HOME/", '"$HOME"'), ("${HOME}/", '"$HOME"')):
        if path.startswith(prefix):
            return f"{home}/{_word(path.removeprefix(prefix))}"
    if path.startswith(("~", "$")):
        raise Unwritable(f'the path "{path}" depends on who reads it', "write it from / or ~/")
    return _word(path) if path.startswith("/") else f"{_ROOT}/{_word(path)}"
