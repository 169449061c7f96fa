"""Oracle Cloud Infrastructure Vault (stores.md 10)."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from envref.backends.answer import as_bytes, not_found
from envref.backends.base import Backend
from envref.backends.oci.complaints import LABEL, SESSION, WRITING, AbsentOrDenied
from envref.backends.oci.questions import entry, listing, value_of
from envref.backends.oci.service import PACKAGES, Oci, understood
from envref.errors import printable
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import BackendError, BackendInvalid, BackendUnavailable, SecretNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.backends.oci.questions import ListedSecret
    from envref.backends.retrieval import Retrieval, Wanted

LARGEST = 25 * 1024  # bytes of a value: the service's limit
_FROM_STDIN = ("--from-json=file:///dev/stdin",)
# The service answers before it is done, and a new secret can't be read until then. On its own, oci checks every 30 s.
_FAILED = "FAILED"
_UNTIL_DONE = ("--wait-for-state=ACTIVE", f"--wait-for-state={_FAILED}", "--wait-interval-seconds=1")

_AUTHS = ("api_key", SESSION, "instance_principal", "resource_principal", "oke_workload_identity")
_STAGES = ("CURRENT", "PENDING", "LATEST", "PREVIOUS", "DEPRECATED")
_OCID = "ocid1.vaultsecret."

_ENCODED = {"/": ".-", ".": ".."}
_UNIT = re.compile(rb"\.-|\.\.|\.x([0-9a-f]{2})|[A-Za-z0-9_-]")


class OciVault(Backend):
    """Oracle Cloud Infrastructure Vault; read directly where possible, else by `oci`; for workloads in Oracle Cloud.

    `vault_id`, `compartment_id` and `key_id` are OCIDs. Deletion is scheduled by the service, never immediate. `auth`
    is how `oci` signs in: by a session, as the instance or resource it runs on; else by the key of the profile.
    """

    type = LABEL
    versions = "a number, a stage such as PREVIOUS, or a version's name"
    keeps_revisions = True
    programs = ("oci",)
    packages = PACKAGES
    read_variables = "OCI_* PYTHON*"

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
        access = {"profile": profile, "auth": _auth(auth), "command": command, "root": root}
        self._oci = Oci(**access)
        # Looks at what is there as it writes: through one program, which takes the time that the service may need.
        self._writing = Oci(**access, reason="a write")

    @property
    def way(self) -> str:  # type: ignore[override]
        return self._oci.way

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

    @staticmethod
    def shell_functions() -> Mapping[str, str]:
        from envref.backends.oci.functions import DECODED

        return {"_envref_oci": DECODED}

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """Reads a single key, and lists only if that is refused. Lists for more keys, then reads each one listed."""
        wanted = list(dict.fromkeys(addresses))
        answers = self._read(self._oci, wanted if len(wanted) < 2 else self._existing(wanted, deadline), deadline)
        return {
            address: answer
            for address, answer in answers.items()
            if not isinstance(answer, AbsentOrDenied) or not self._lacks(address, deadline, is_listed=len(wanted) > 1)
        }

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        """Creates or replaces one value, and reads it back."""
        content = _content(value)
        name = _own_name(address)
        known = self._find(self._writing, name, deadline)
        if known and not known.exists:
            raise _scheduled(address, known)
        command, target = (
            ("update-base64", {"secretId": known.identity}) if known else ("create-base64", self._new(name))
        )
        payload = json.dumps({**target, "secretContentContent": content.reveal()}).encode()
        arguments = ["vault", "secret", command, *_FROM_STDIN, *_UNTIL_DONE]
        written = self._writing.run(arguments, deadline, policy=WRITING, payload=payload)
        if understood(entry, written).state == _FAILED:
            raise BackendUnavailable(
                f'{LABEL}: "{printable(str(address))}": the service failed to store the value',
                hint="set it again; oci vault secret get shows its state",
            )
        _compare(address, self._read(self._writing, [address], deadline)[address], value)

    def delete(self, address: Address, deadline: float) -> None:
        """Schedules the deletion, with the delay that the service chooses."""
        known = self._find(self._writing, _own_name(address), deadline)
        if known is None or not known.exists:
            raise self.absent(address)
        command = ["vault", "secret", "schedule-secret-deletion", f"--secret-id={known.identity}"]
        self._writing.run(command, deadline, policy=WRITING)

    def list(self, project: str, deadline: float) -> Iterable[str]:
        root = f"{project}/"
        keys = [decoded(each.name) for each in self._listing(self._oci, deadline) if each.exists]
        return [key.removeprefix(root) for key in keys if key is not None and key.startswith(root) and key != root]

    def _existing(self, wanted: Sequence[Address], deadline: float) -> Sequence[Address]:
        """Those that exist, and every OCID; all of them if the user may read secrets but not list them."""
        if all(map(_is_ocid, wanted)):
            return wanted
        try:
            listed = self._listing(self._oci, deadline)
        except AbsentOrDenied:
            return wanted
        there = {each.name for each in listed if each.exists}
        return [address for address in wanted if _is_ocid(address) or _name(address) in there]

    def _lacks(self, address: Address, deadline: float, *, is_listed: bool) -> bool:
        """Whether the refusal means that it is not there: the current version can be read, or no listing has it.

        False if the user may not list. A secret that is named by its OCID may be in another compartment.
        """
        if address.version is not None:
            current = Address(address.project, address.key, profile=address.profile, foreign=address.foreign)
            answer = self._read(self._oci, [current], deadline)[current]
            return isinstance(answer, Secret) or (
                isinstance(answer, AbsentOrDenied) and self._lacks(current, deadline, is_listed=is_listed)
            )
        if is_listed or _is_ocid(address):
            return False
        try:
            known = self._find(self._oci, _name(address), deadline)
        except AbsentOrDenied:
            return False
        return known is None or not known.exists

    def _read(self, oci: Oci, wanted: Sequence[Address], deadline: float) -> dict[Address, Secret | BackendError]:
        """The answer for each, of a request of its own."""
        questions = [value_of({**self._place(address), **_version(address.version)}) for address in wanted]
        answers = oci.ask(questions, deadline)
        return dict(zip(wanted, answers, strict=True))

    def _place(self, address: Address) -> dict[str, str]:
        """What finds the secret, as the service calls it."""
        if _is_ocid(address):
            return {"secretId": str(address.foreign)}
        return {"vaultId": self._vault, "secretName": _name(address)}

    def _find(self, oci: Oci, name: str, deadline: float) -> ListedSecret | None:
        """The listing's entry of that name, an existing one before one that is being deleted."""
        found = [each for each in self._listing(oci, deadline, name=name) if each.name == name]
        return next((each for each in found if each.exists), found[0] if found else None)

    def _listing(self, oci: Oci, deadline: float, **narrowed: str) -> Sequence[ListedSecret]:
        """Every entry of the vault that is not deleted, from all pages."""
        place = {"compartmentId": self._compartment, "vaultId": self._vault}
        return oci.ask_one(listing({**place, **narrowed}), deadline)

    def _new(self, name: str) -> dict[str, str]:
        return {"compartmentId": self._compartment, "vaultId": self._vault, "keyId": self._key, "secretName": name}


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


def _version(version: str | None) -> dict[str, str]:
    """What names the version, as the service calls it."""
    if version is None:
        return {}
    if version.isascii() and version.isdigit():
        return {"versionNumber": version.lstrip("0") or "0"}
    return {"stage" if version in _STAGES else "secretVersionName": version}


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


def _scheduled(address: Address, known: ListedSecret) -> BackendInvalid:
    return BackendInvalid(
        f'{LABEL}: "{printable(str(address))}" is scheduled for deletion until {known.until}; '
        "cancel the deletion or use another key",
        run=("oci", "vault", "secret", "cancel-secret-deletion", "--secret-id", known.identity),
    )


def _compare(address: Address, answer: Secret | BackendError, value: Secret) -> None:
    """Raises BackendError unless a value that was set reads back unchanged."""
    if isinstance(answer, BackendError):
        raise type(answer)(f"{answer.message}; the value was set and can't be read back", hint=answer.hint)
    if answer != value:
        raise BackendUnavailable(
            f'{LABEL}: "{printable(str(address))}" does not read back as it was set',
            hint="set it again; oci vault secret get shows its state",
        )
