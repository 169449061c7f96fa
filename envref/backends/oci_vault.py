"""Oracle Cloud Infrastructure Vault, by way of the `oci` CLI (stores.md 10)."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from envref.backends.answer import answered, as_bytes, as_secret, not_found
from envref.backends.base import Backend, Package
from envref.backends.oci_complaints import (
    LABEL,
    READING,
    SESSION,
    SET_UP,
    WRITING,
    AbsentOrDenied,
    SignIn,
    failure,
    throttled,
)
from envref.backends.program import Installation, Program
from envref.backends.revision import revision
from envref.errors import BackendError, BackendInvalid, BackendUnavailable, SecretNotFound, printable
from envref.refs.address import Address
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.backends.command import Finished
    from envref.backends.retrieval import Retrieval, Wanted

LARGEST = 25 * 1024  # bytes of a value: the service's limit
_PACKAGES = (Package("oci-cli"),)
_INSTALLATION = Installation(("oci-cli",), _PACKAGES, SET_UP)

# Every option of the output is given: a user's own oci settings may name another format, or a query.
_GLOBAL = ("--no-retry", "--connection-timeout=3", "--read-timeout=10", "--output=json", "--query=@")
# Warnings that most people get from oci at every call; envref would quote one instead of what went wrong.
_QUIET = {"SUPPRESS_LABEL_WARNING": "True", "OCI_CLI_SUPPRESS_FILE_PERMISSIONS_WARNING": "True"}
_FROM_STDIN = ("--from-json=file:///dev/stdin",)
# The service answers before it is done, and a new secret can't be read until then. On its own, oci checks every 30 s.
_FAILED = "FAILED"
_UNTIL_DONE = ("--wait-for-state=ACTIVE", f"--wait-for-state={_FAILED}", "--wait-interval-seconds=1")

_GONE = "DELETED"
_GOING = ("SCHEDULING_DELETION", "PENDING_DELETION", "DELETING")

_AUTHS = ("api_key", SESSION, "instance_principal", "resource_principal", "oke_workload_identity")
_STAGES = ("CURRENT", "PENDING", "LATEST", "PREVIOUS", "DEPRECATED")
_OCID = "ocid1.vaultsecret."


class _ListedSecret(NamedTuple):
    """A secret as a listing shows it; `until` is the day of a scheduled deletion."""

    identity: str
    name: str
    state: str
    until: str

    @property
    def exists(self) -> bool:
        """Whether it can be read: no deletion is scheduled."""
        return self.state not in _GOING


# _envref_oci COMMAND...: the content of a bundle, decoded
_DECODING = r"""
# shellcheck disable=SC2317  # called by name through _envref_get
_envref_oci() {
  local +x _envref_text=''
  if ! type -P "$1" >/dev/null; then
    printf 'envref: %s is not installed\n' "$1" >&2
    return 1
  fi
  _envref_text="$("$@" --query 'data."secret-bundle-content".content' --raw-output)" || return 1
  printf '%s' "$_envref_text" | base64 --decode
}
"""

_ENCODED = {"/": ".-", ".": ".."}
_UNIT = re.compile(rb"\.-|\.\.|\.x([0-9a-f]{2})|[A-Za-z0-9_-]")


class OciVault(Backend):
    """Oracle Cloud Infrastructure Vault, by way of the `oci` CLI; for workloads in Oracle Cloud.

    `vault_id`, `compartment_id` and `key_id` are OCIDs. Deletion is scheduled by the service, never immediate. `auth`
    is how `oci` signs in: by a session, as the instance or resource it runs on; else by the key of the profile.
    """

    type = LABEL
    versions = "a number, a stage such as PREVIOUS, or a version's name"
    keeps_revisions = True
    programs = ("oci",)
    packages = _PACKAGES
    read_variables = "OCI_* PYTHON*"
    shell_functions: ClassVar[Mapping[str, str]] = {"_envref_oci": _DECODING}

    def __init__(
        self,
        name: str,
        *,
        vault_id: str,
        compartment_id: str,
        key_id: str,
        profile: str = "",
        auth: str = "",
        command: str = "oci",
        root: str = "",
    ) -> None:
        super().__init__(name)
        self._vault = vault_id
        self._compartment = compartment_id
        self._key = key_id
        auth = _auth(auth)
        given = {"--profile": profile, "--auth": auth}
        self._global = (*_GLOBAL, *(f"{option}={value}" for option, value in given.items() if value))
        self._sign_in = SignIn(auth, profile)
        self._program = Program(LABEL, command, _INSTALLATION, root=root, throttled=throttled)

    def absent(self, address: Address) -> SecretNotFound:
        return not_found(LABEL, str(address))

    def location(self, address: Address) -> tuple[str, ...]:
        """Vault and name. BackendInvalid for an OCID, which needs no vault."""
        if _is_ocid(address):
            raise BackendInvalid(f'{LABEL}: "{printable(address.foreign or "")}" is an OCID; name the secret instead')
        return self._vault, _name(address)

    @staticmethod
    def retrieval(wanted: Wanted) -> Retrieval:
        vault, name = wanted.location
        # Without these, an unreachable endpoint costs a minute and a half (stores.md 10).
        limits = "--no-retry --connection-timeout 3 --read-timeout 10"
        reading = "secrets secret-bundle get-secret-bundle-by-name"
        place = f"--vault-id {wanted.word(vault)} --secret-name {wanted.word(name)}"
        auth = _auth(wanted.options.get("auth", ""))
        flags = wanted.flag("--profile {}", "profile") + (f"--auth {wanted.word(auth)} " if auth else "")
        return wanted.by(f"_envref_oci {wanted.program('oci')} {limits} {flags}{reading} {place}", "_envref_oci")

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """Reads a single key, and lists only if that is refused. Lists for more keys, then reads each one listed."""
        wanted = list(dict.fromkeys(addresses))
        answers = self._read(wanted if len(wanted) < 2 else self._existing(wanted, deadline), deadline)
        return {
            address: answer
            for address, answer in answers.items()
            if not isinstance(answer, AbsentOrDenied) or not self._lacks(address, deadline, is_listed=len(wanted) > 1)
        }

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        """Creates or replaces one value, and reads it back."""
        content = _content(value)
        name = _own_name(address)
        entry = self._find(name, deadline)
        if entry and not entry.exists:
            raise _scheduled(address, entry)
        command, target = (
            ("update-base64", {"secretId": entry.identity}) if entry else ("create-base64", self._new(name))
        )
        payload = json.dumps({**target, "secretContentContent": content.reveal()}).encode()
        finished = self._run(
            ["vault", "secret", command, *_FROM_STDIN, *_UNTIL_DONE], deadline, policy=WRITING, payload=payload
        )
        if _entries([_data(finished.stdout)])[0].state == _FAILED:
            raise BackendUnavailable(
                f'{LABEL}: "{printable(str(address))}": the service failed to store the value',
                hint="set it again; oci vault secret get shows its state",
            )
        _compare(address, self._read([address], deadline)[address], value)

    def delete(self, address: Address, deadline: float) -> None:
        """Schedules the deletion, with the delay that the service chooses."""
        entry = self._find(_own_name(address), deadline)
        if entry is None or not entry.exists:
            raise self.absent(address)
        command = ["vault", "secret", "schedule-secret-deletion", f"--secret-id={entry.identity}"]
        self._run(command, deadline, policy=WRITING)

    def list(self, project: str, deadline: float) -> Iterable[str]:
        root = f"{project}/"
        keys = [decoded(entry.name) for entry in self._listing(deadline) if entry.exists]
        return [key.removeprefix(root) for key in keys if key is not None and key.startswith(root) and key != root]

    def _existing(self, wanted: Sequence[Address], deadline: float) -> Sequence[Address]:
        """Those that exist, and every OCID; all of them if the user may read secrets but not list them."""
        if all(map(_is_ocid, wanted)):
            return wanted
        try:
            entries = self._listing(deadline)
        except AbsentOrDenied:
            return wanted
        there = {entry.name for entry in entries if entry.exists}
        return [address for address in wanted if _is_ocid(address) or _name(address) in there]

    def _lacks(self, address: Address, deadline: float, *, is_listed: bool) -> bool:
        """Whether the refusal means that it is not there: the current version can be read, or no listing has it.

        False if the user may not list. A secret that is named by its OCID may be in another compartment.
        """
        if address.version is not None:
            current = Address(address.project, address.key, profile=address.profile, foreign=address.foreign)
            answer = self._read([current], deadline)[current]
            return isinstance(answer, Secret) or (
                isinstance(answer, AbsentOrDenied) and self._lacks(current, deadline, is_listed=is_listed)
            )
        if is_listed or _is_ocid(address):
            return False
        try:
            entry = self._find(_name(address), deadline)
        except AbsentOrDenied:
            return False
        return entry is None or not entry.exists

    def _read(self, wanted: Sequence[Address], deadline: float) -> dict[Address, Secret | BackendError]:
        """The answer for each, one process each, four at a time."""
        calls = [(*self._global, "secrets", "secret-bundle", *self._bundle(address)) for address in wanted]
        outcomes = self._program.run_many(calls, deadline, extra=_QUIET)
        return {address: answered(self._value, outcome) for address, outcome in zip(wanted, outcomes, strict=True)}

    def _bundle(self, address: Address) -> Sequence[str]:
        """The words that ask for the secret."""
        version = _version(address.version)
        if _is_ocid(address):
            return ("get", f"--secret-id={address.foreign}", *version)
        return ("get-secret-bundle-by-name", f"--vault-id={self._vault}", f"--secret-name={_name(address)}", *version)

    def _value(self, outcome: Finished | BackendError) -> Secret:
        """The value that a read printed. Raises BackendError."""
        if isinstance(outcome, BackendError):
            raise outcome
        if outcome.status:
            raise failure(outcome, self._sign_in, READING)
        bundle = _data(outcome.stdout)
        return as_secret(
            LABEL, _decoded_content(bundle), revision(bundle.get("version-number"), bundle.get("time-created"))
        )

    def _find(self, name: str, deadline: float) -> _ListedSecret | None:
        """The listing's entry of that name, an existing one before one that is being deleted."""
        found = [entry for entry in self._listing(deadline, f"--name={name}") if entry.name == name]
        return next((entry for entry in found if entry.exists), found[0] if found else None)

    def _listing(self, deadline: float, *narrowed: str) -> Sequence[_ListedSecret]:
        """Every entry of the vault that is not deleted, from all pages."""
        place = (f"--compartment-id={self._compartment}", f"--vault-id={self._vault}")
        finished = self._run(["vault", "secret", "list", *place, *narrowed, "--all"], deadline)
        # For an empty list oci prints nothing at all.
        entries = _entries(_data(finished.stdout)) if finished.stdout.strip() else []
        return [entry for entry in entries if entry.state != _GONE]

    def _new(self, name: str) -> dict[str, str]:
        return {"compartmentId": self._compartment, "vaultId": self._vault, "keyId": self._key, "secretName": name}

    def _run(
        self, arguments: Sequence[str], deadline: float, *, policy: str = READING, payload: bytes | None = None
    ) -> Finished:
        finished = self._program.run([*self._global, *arguments], deadline, payload=payload, extra=_QUIET)
        if finished.status:
            raise failure(finished, self._sign_in, policy)
        return finished


def encoded(key: str) -> str:
    """A key as a secret's name, which has only letters, digits, `-`, `_` and `.` (commands.md 8.2)."""
    return "".join(_ENCODED.get(character) or _unit(character) for character in key)


def decoded(name: str) -> str | None:
    """The key that a name stands for; None for a name that `encoded` does not give."""
    raw, position = bytearray(), 0
    while match := _UNIT.match(name.encode(), position):
        position = match.end()
        raw += _byte(match)
    try:
        key = raw.decode()
    except UnicodeDecodeError:
        return None
    return key if encoded(key) == name else None


def _unit(character: str) -> str:
    if character.isascii() and (character.isalnum() or character in "_-"):
        return character
    return "".join(f".x{byte:02x}" for byte in character.encode())


def _byte(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return bytes.fromhex(match[1].decode())
    return {b".-": b"/", b"..": b"."}.get(match[0], match[0])


def _auth(auth: str) -> str:
    """The option as `oci` has it: `session` is its `security_token`. BackendInvalid for another word."""
    auth = SESSION if auth == "session" else auth
    if auth and auth not in _AUTHS:
        raise BackendInvalid(f'{LABEL}: auth must be one of {", ".join(_AUTHS)}, not "{printable(auth)}"')
    return auth


def _version(version: str | None) -> tuple[str, ...]:
    if version is None:
        return ()
    if version.isascii() and version.isdigit():
        return (f"--version-number={version}",)
    return (f"--stage={version}",) if version in _STAGES else (f"--secret-version-name={version}",)


def _is_ocid(address: Address) -> bool:
    return bool(address.foreign) and str(address.foreign).startswith(_OCID)


def _name(address: Address) -> str:
    return encoded(address.full_key) if address.foreign is None else address.foreign


def _own_name(address: Address) -> str:
    if address.foreign is not None:
        raise BackendInvalid(f'{LABEL}: "{printable(address.foreign)}" is not envref\'s own; change it there')
    return encoded(address.full_key)


def _content(value: Secret) -> Secret:
    """The value in base64, still a Secret. BackendInvalid for a value that the service doesn't take."""
    raw = as_bytes(LABEL, value)
    if not raw:
        raise BackendInvalid(f"{LABEL}: the value is empty, which the service does not take")
    if len(raw) > LARGEST:
        raise BackendInvalid(f"{LABEL}: the value is longer than {LARGEST} bytes, which is the most the service takes")
    return Secret(base64.b64encode(raw).decode())


def _scheduled(address: Address, entry: _ListedSecret) -> BackendInvalid:
    return BackendInvalid(
        f'{LABEL}: "{printable(str(address))}" is scheduled for deletion until {entry.until}; '
        "cancel the deletion or use another key",
        run=("oci", "vault", "secret", "cancel-secret-deletion", "--secret-id", entry.identity),
    )


def _compare(address: Address, answer: Secret | BackendError, value: Secret) -> None:
    """Raises BackendError unless a value that was set reads back unchanged."""
    if isinstance(answer, BackendError):
        raise type(answer)(f"{answer.message}; the value was set and can't be read back", hint=answer.hint)
    if answer != value:
        raise BackendUnavailable(
            f'{LABEL}: "{printable(str(address))}" reads back as another value than was set',
            hint="set it again; oci vault secret get shows its state",
        )


def _decoded_content(bundle: Any) -> bytes:
    try:
        return base64.b64decode(bundle["secret-bundle-content"]["content"], validate=True)
    except (KeyError, TypeError, ValueError):
        # "from None": the cause may carry the value
        raise _unknown_answer() from None


def _data(stdout: bytes) -> Any:
    """Member `data` of what oci printed."""
    try:
        return json.loads(stdout.decode())["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _unknown_answer() from None


def _entries(listed: Any) -> list[_ListedSecret]:
    try:
        return [_entry(each) for each in listed]
    except (KeyError, TypeError, AttributeError):
        raise _unknown_answer() from None


def _entry(listed: Any) -> _ListedSecret:
    until = str(listed.get("time-of-deletion") or "an unknown day").partition("T")[0]
    return _ListedSecret(listed["id"], listed["secret-name"], listed["lifecycle-state"], until)


def _unknown_answer() -> BackendInvalid:
    return BackendInvalid(f"{LABEL}: oci printed an answer that envref does not know", hint="update oci-cli")
