"""HashiCorp Vault and OpenBao: entries of a KV engine by their own program (commands.md 8.2, 8.3)."""

from __future__ import annotations

import json
import time

from envref.backends.answer import MAYBE_A_PROXY, answered, as_bytes, no_answer, not_found, there
from envref.backends.base import Backend
from envref.backends.hashicorp_vault.access import PACKAGES, PROGRAMS, ServerAccess
from envref.backends.hashicorp_vault.complaints import LABEL, Login, Misplaced, NoMount, failure
from envref.backends.hashicorp_vault.entry import MEMBER, KvEntry, KvPlace, latest_revision, parsed
from envref.backends.layout import Layout
from envref.errors import printable
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import BackendError, BackendInvalid, SecretNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.backends.command import Finished
    from envref.backends.retrieval import Retrieval, Wanted

    Entries = dict[KvPlace, KvEntry | BackendError]

_NOT_VAULT = f"{MAYBE_A_PROXY}: check VAULT_ADDR"
_MOUNT = "secret"
_FEW = 3  # up to this many paths envref asks the program; for more, its own connection pays off (stores.md 6)


class HashicorpVault(Backend):
    """HashiCorp Vault or OpenBao: a KV engine of either version; many are read directly, else by vault or bao"""

    type = LABEL
    reads_fields = True
    programs = PROGRAMS
    others = ("ref+vault://",)
    tools = ("vault", "openbao")
    versions = "a number"
    keeps_revisions = True
    namespace_option = "project_namespace"
    # The paths count whether or not the file is there: a relative one is looked for where the program starts.
    credential_variables = ("VAULT_TOKEN", "BAO_TOKEN", "BAO_TOKEN_PATH", "VAULT_TOKEN_PATH")
    packages = PACKAGES
    retrieves_fields = True
    read_variables = "VAULT_* BAO_*"
    flox_plugins = ("vault", "openbao")
    flox_place = ("mount", _MOUNT)

    def __init__(  # noqa: PLR0913  # its parameters are the options of commands.md 8.1
        self,
        name: str,
        *,
        mount: str = _MOUNT,
        prefix: str = "",
        addr: str = "",
        namespace: str = "",
        token: str = "",
        command: str = "",
        project_namespace: str = "auto",
        root: str = "",
    ) -> None:
        super().__init__(name)
        self._mount = mount.strip("/")
        self._layout = _layout(prefix.strip("/"), project_namespace)
        self.carries_project = self._layout.carries_project
        self._command = command
        self._access = ServerAccess(command, root, {"ADDR": addr, "NAMESPACE": namespace}, token)

    def absent(self, address: Address) -> SecretNotFound:
        return not_found(LABEL, str(address))

    def location(self, address: Address) -> tuple[str, ...]:
        """Mount, and path inside it."""
        return self._mount, self._path(address)

    @staticmethod
    def elsewhere(said: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """fnox: `SECRET` or `SECRET/FIELD` below `path`; SecretSpec: the mount in the URL; the program's own words."""
        words = said.get("command", "").split("\0")
        if words[0] in PROGRAMS and words[1:3] == ["kv", "get"]:
            flags = dict(word.lstrip("-").split("=", 1) for word in words[3:] if word[:1] == "-" and "=" in word)
            path = "/".join(filter(None, [flags.get("mount", "").strip("/"), words[-1]]))
            field = flags.get("field", "")
        elif said.get("value"):
            secret, _, field = said["value"].partition("/")
            path, field = f"{said.get('path') or _MOUNT}/{secret}", field or "value"
        else:
            mount = said.get("path", "").strip("/") or _MOUNT
            path, field = f"{mount}/{said.get('item', '')}", said.get("field") or "value"
        mount, _, name = path.strip("/").partition("/")
        return (f"{name}#{field}", {"mount": mount}) if name and field else ("", {})

    @staticmethod
    def retrieval(wanted: Wanted) -> Retrieval:
        """The `vault kv get` of one member."""
        mount, path = wanted.location
        if mount.startswith("-"):
            raise wanted.unwritable(f'the mount "{mount}" looks like an option')
        flags = wanted.flag("-address={}", "addr") + wanted.flag("-namespace={}", "namespace")
        # -format: VAULT_FORMAT=json in the environment would put the value between quotes (stores.md 6).
        member = f"-format=table -field={wanted.bare(wanted.field or MEMBER)}"
        return wanted.by(f"{wanted.program('vault')} kv get {flags}{member} {wanted.word(f'{mount}/{path}')}")

    @staticmethod
    def flox_entry(value: str) -> tuple[str, str, str] | None:
        """`MOUNT/PATH#FIELD`. Flox's example plugin reads the member `value` where no field is named."""
        path, _, field = value.partition("#")
        mount, _, rest = path.partition("/")
        usable = mount and rest and all(rest.split("/")) and "://" not in value
        return (mount, rest, field or MEMBER) if usable else None

    @staticmethod
    def credential_files(environment: Mapping[str, str]) -> tuple[str, ...]:
        """The token file; and the settings files, for the one thing that they can name is a program that gives one out.

        Those of both programs count: `vault` on PATH may be either.
        """
        named = (environment.get(name, "") for name in ("BAO_CONFIG_PATH", "VAULT_CONFIG_PATH"))
        return "~/.vault-token", "~/.bao", "~/.vault", *filter(None, named)

    @staticmethod
    def address_variables(program: str) -> tuple[str, ...]:
        """Measured: where bao runs, its own settings win."""
        return ("BAO_ADDR", "VAULT_ADDR") if program == "bao" else ("VAULT_ADDR",)

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """Looks up each path once, however many of its members are wanted."""
        places = {address: answered(self._place, address) for address in addresses}
        wanted = dict.fromkeys(place for place in places.values() if isinstance(place, KvPlace))
        entries = self._entries(list(wanted), deadline)
        return there(
            {
                address: place if isinstance(place, BackendError) else self._answer(address, place, entries.get(place))
                for address, place in places.items()
            }
        )

    def revisions(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, str | BackendError]:
        """Looks up each path's metadata once, over one connection. That is a right of its own in a policy."""
        places = {address: answered(self._place, address) for address in addresses}
        wanted = list(dict.fromkeys(place for place in places.values() if isinstance(place, KvPlace)))
        told = self._revisions(wanted, deadline) if wanted else {}
        found = {
            address: place if isinstance(place, BackendError) else told.get(place) for address, place in places.items()
        }
        return {address: each for address, each in there(found).items() if each}

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        """Writes the member `value` and keeps the others. BackendInvalid if somebody else wrote at the same time."""
        payload = as_bytes(LABEL, value)
        path = self._own_path(address)
        entry = self._entry(path, deadline)
        members = (entry.members if entry else None) or frozenset()
        if entry and entry.version is None:
            self._replace(path, members, payload, deadline)
            return
        verb = "patch" if members - {MEMBER} else "put"
        # Only over the version that was read: a member that somebody adds in between must not be lost.
        version = f"-cas={entry.version if entry else 0}"
        arguments = ["kv", verb, "-format=json", self._mounted, version, "--", path, f"{MEMBER}=-"]
        self._write(arguments, path, deadline, payload)

    def _replace(self, path: str, members: frozenset[str], payload: bytes, deadline: float) -> None:
        """Replaces an entry of an engine of version 1, which can't change one member alone."""
        if members - {MEMBER}:
            raise BackendInvalid(
                f'{LABEL}: "{printable(path)}" has other members, which KV 1 would drop', hint="change it there"
            )
        self._write(["kv", "put", "-format=json", self._mounted, "--", path, f"{MEMBER}=-"], path, deadline, payload)

    def delete(self, address: Address, deadline: float) -> None:
        """Removes every version of the entry. For an absent entry the program reports success too."""
        path = self._own_path(address)
        entry = self._entry(path, deadline)
        if entry is None or entry.members is None:
            raise self.absent(address)
        verb = ["delete"] if entry.version is None else ["metadata", "delete"]
        self._write(["kv", *verb, self._mounted, "--", path], path, deadline)

    def list(self, project: str, deadline: float) -> Iterable[str]:
        """Goes down every directory; those of one depth are read at once."""
        names: list[str] = []
        directories = [f"{self._layout.root(project)}/"]
        while directories:
            calls = [["kv", "list", "-format=json", self._mounted, "--", directory] for directory in directories]
            outcomes = self._access.run_many(calls, deadline)
            found = [
                directory + key
                for directory, outcome in zip(directories, outcomes, strict=True)
                for key in self._keys(directory, outcome)
            ]
            names += [name for name in found if not name.endswith("/")]
            directories = [name for name in found if name.endswith("/")]
        keys = (self._layout.key(name, project) for name in names)
        return [key for key in keys if key is not None]

    @property
    def _login(self) -> Login:
        return self._access.login(self.renewals.get("token"))

    @property
    def _mounted(self) -> str:
        return f"-mount={self._mount}"

    def _own_path(self, address: Address) -> str:
        if address.foreign is not None:
            raise BackendInvalid(f'{LABEL}: "{printable(address.foreign)}" is an existing secret; change it there')
        return self._path(address)

    def _path(self, address: Address) -> str:
        """The path inside the mount. BackendInvalid for a path that would lead out of it, or to another key's name."""
        name = self._layout.name(address) if address.foreign is None else address.foreign.strip().strip("/")
        if {"", ".", ".."} & set(name.split("/")) or not name.isprintable():
            raise BackendInvalid(f'{LABEL}: "{printable(name)}" is not a path inside a mount')
        return name

    def _place(self, address: Address) -> KvPlace:
        path, version = self._path(address), address.version
        if version is not None and not (version.isascii() and version.isdecimal()):
            raise BackendInvalid(f'{LABEL}: version "{printable(version)}" is not a number')
        return KvPlace(path, None if version is None else int(version))

    def _answer(
        self, address: Address, place: KvPlace, entry: KvEntry | BackendError | None
    ) -> Secret | BackendError | None:
        if entry is None:
            return None if address.foreign is None else Misplaced.about(self._mount, place.path)
        return answered(_value, entry, place, address.field)

    def _entries(self, places: Sequence[KvPlace], deadline: float) -> Entries:
        """The entry at each place; a place without one is left out."""
        read = self._read_together(places, deadline) if len(places) > _FEW and not self._command else None
        if read is None:
            read = self._read_each(places, deadline)
        return {place: entry for place, entry in read.items() if not isinstance(entry, SecretNotFound)}

    def _entry(self, path: str, deadline: float) -> KvEntry | None:
        """The latest entry at one path. Raises BackendError."""
        place = KvPlace(path)
        entry = self._entries([place], deadline).get(place)
        if isinstance(entry, BackendError):
            raise entry
        return entry

    def _read_each(self, places: Sequence[KvPlace], deadline: float) -> Entries:
        if not places:
            return {}
        calls = [["kv", "get", "-format=json", *_versioned(place), self._mounted, "--", place.path] for place in places]
        outcomes = self._access.run_many(calls, deadline)
        read = {place: self._read(place, outcome) for place, outcome in zip(places, outcomes, strict=True)}
        unclear = [place for place, entry in read.items() if isinstance(entry, NoMount)]
        if unclear and self._is_of_version_1(deadline):
            read |= {place: self.absent(Address("", "", foreign=place.path)) for place in unclear}
        return read

    def _read(self, place: KvPlace, outcome: Finished | BackendError) -> KvEntry | BackendError:
        if isinstance(outcome, BackendError):
            return outcome
        return (
            answered(parsed, place.path, outcome.stdout) if outcome.status == 0 else self._failed(place.path, outcome)
        )

    def _is_of_version_1(self, deadline: float) -> bool:
        """Whether the mount is there, and its engine keeps no versions: then a path without an entry is absent."""
        asked = ["read", "-format=json", f"sys/internal/ui/mounts/{self._mount}"]
        finished = self._access.run(asked, deadline)
        try:
            found = json.loads(finished.stdout)["data"] if finished.status == 0 else {}
            return found.get("type") == "kv" and (found.get("options") or {}).get("version", "1") == "1"
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return False

    def _revisions(self, places: Sequence[KvPlace], deadline: float) -> dict[KvPlace, str | BackendError]:
        """The revision at each place; empty for a deleted entry. By the program where only that reaches the server."""
        from envref.backends.hashicorp_vault.connection import revisions
        from envref.backends.http.connection import Unusual

        started = time.monotonic()
        try:
            if self._command:
                raise Unusual
            told = revisions(self._access.server(deadline), self._mount, places, deadline, self._login)
            return {**dict.fromkeys(places, no_answer(LABEL, started, deadline)), **told}
        except Unusual:
            calls = [["kv", "metadata", "get", "-format=json", self._mounted, "--", place.path] for place in places]
            outcomes = self._access.run_many(calls, deadline)
            return {
                place: answered(self._revision, place, outcome) for place, outcome in zip(places, outcomes, strict=True)
            }

    def _revision(self, place: KvPlace, outcome: Finished | BackendError) -> str:
        if isinstance(outcome, BackendError):
            raise outcome
        if outcome.status:
            raise self._failed(place.path, outcome)
        return latest_revision(place.path, outcome.stdout)

    def _read_together(self, places: Sequence[KvPlace], deadline: float) -> Entries | None:
        """Reads over one connection; None where only the program knows how to reach the server."""
        from envref.backends.hashicorp_vault.connection import read_many
        from envref.backends.http.connection import Unusual

        started = time.monotonic()
        try:
            replies = read_many(self._access.server(deadline), self._mount, places, deadline, self._login)
        except Unusual:
            return None
        return {**dict.fromkeys(places, no_answer(LABEL, started, deadline)), **replies}

    def _write(self, arguments: Sequence[str], path: str, deadline: float, payload: bytes | None = None) -> None:
        finished = self._access.run(arguments, deadline, payload=payload)
        if finished.status:
            raise self._failed(path, finished)

    def _keys(self, directory: str, outcome: Finished | BackendError) -> Sequence[str]:
        """The names in a directory; those of directories end in a slash."""
        if isinstance(outcome, BackendError):
            raise outcome
        # For an absent directory the program prints an empty object, no complaint, and fails.
        if outcome.status and (outcome.stderr.strip() or outcome.stdout.strip() != b"{}"):
            raise self._failed(directory, outcome)
        try:
            names = json.loads(outcome.stdout) or []
        except (ValueError, RecursionError):
            raise BackendInvalid(f"{LABEL}: the list is not JSON", hint=_NOT_VAULT) from None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BackendInvalid(f"{LABEL}: the list is not one of names", hint=_NOT_VAULT)
        return names

    def _failed(self, path: str, outcome: Finished) -> BackendError:
        return failure(outcome.stderr, self._mount, path, self._login)


def _layout(prefix: str, namespace: str) -> Layout:
    try:
        return Layout(prefix, default="envref", namespace=namespace)
    except BackendInvalid as error:
        # `namespace` is another option of this store.
        raise BackendInvalid(f"{LABEL}: project_{error.message}") from None


def _value(entry: KvEntry | BackendError, place: KvPlace, field: str | None) -> Secret | None:
    """The value, or None where the entry is deleted. Raises BackendError."""
    if isinstance(entry, BackendError):
        raise entry
    if place.version is not None and entry.version is None:
        raise BackendInvalid(
            f'{LABEL}: "{printable(place.path)}" is in a KV engine of version 1, which keeps no versions',
            hint="leave ?version out",
        )
    return entry.value(field)


def _versioned(place: KvPlace) -> tuple[str, ...]:
    return () if place.version is None else (f"-version={place.version}",)
