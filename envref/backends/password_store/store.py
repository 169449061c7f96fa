"""pass, the standard unix password manager, through its own program (stores.md 13).

An entry that envref wrote is the value and one line end. Other entries hold a password in their first line, and often
`NAME: value` lines after it.
"""

from __future__ import annotations

import os
import time

from envref.backends.answer import answered, as_bytes, as_secret, no_answer, not_found, there
from envref.backends.base import Backend, Package
from envref.backends.layout import Layout
from envref.backends.password_store import gpg
from envref.backends.password_store.blob import blob
from envref.backends.password_store.complaints import COMPLAINTS, HISTORY
from envref.backends.program import Installation, Program, understood
from envref.errors import printable
from envref.paths import expanded, open_file, shown
from envref.refs.field import absent, member, names
from envref.store_errors import BackendError, BackendInvalid, BackendUnavailable, SecretNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.backends.command import Finished
    from envref.backends.password_store.history import Earlier
    from envref.backends.retrieval import Retrieval, Wanted
    from envref.refs.address import Address
    from envref.secret import Secret

_LABEL = "pass"
_PACKAGES = (Package("pass"), Package("gnupg"), Package("pinentry-tty"))
_INSTALLATION = Installation(("pass", "gnupg"), _PACKAGES, ("pass", "init", "YOUR-GPG-ID"))
_USUAL_STORE = "~/.password-store"
_GOPASS_STORE = "~/.local/share/gopass/stores/root"  # the main store; gopass's mounts are stores of their own
_SUFFIX = ".gpg"
_OF_AGE = ".age"  # of gopass's stores of its other kind (gopass, internal/backend/crypto/age/age.go)
_WHOLE = "*"  # the field that is the whole entry
_PEM = b"-----BEGIN "  # an entry that begins so is a key, of which one line is no use


class PassStore(Backend):
    """pass: entries encrypted with GnuPG, one file each, in a password store"""

    type = "pass"
    reads_fields = True
    tools = ("password-store", "pass", "gopass")
    versions = "a revision of the store's git"
    keeps_revisions = True
    asks_person = "unlock the GnuPG key"
    path_options = ("store",)
    programs = ("pass",)
    own_places = (_USUAL_STORE, _GOPASS_STORE, "$PASSWORD_STORE_DIR")
    packages = _PACKAGES
    read_variables = "PASSWORD_STORE_* GNUPGHOME GPG_TTY GPG_AGENT_INFO PINENTRY_USER_DATA"

    def __init__(
        self,
        name: str,
        *,
        prefix: str = "",
        store: str = "",
        command: str = "pass",
        namespace: str = "auto",
        root: str = "",
    ) -> None:
        super().__init__(name)
        self._layout = Layout(prefix.lstrip("/"), default="envref", namespace=namespace)
        self.carries_project = self._layout.carries_project
        self._store = os.path.abspath(store or os.environ.get("PASSWORD_STORE_DIR") or _default_store())
        self._program = Program(_LABEL, command, _INSTALLATION, root=root)

    def absent(self, address: Address) -> SecretNotFound:
        return not_found(_LABEL, str(address))

    def location(self, address: Address) -> tuple[str, ...]:
        """The entry's path from the store's root."""
        return (_inside(self._name(address)),)

    @staticmethod
    def elsewhere(said: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """fnox: `prefix` and `value`; SecretSpec: `item`; `pass show ENTRY`, whose first line is meant."""
        words = said.get("command", "").split("\0")
        store = {"store": said["store_dir"]} if said.get("store_dir") else {}
        if words[0] == "pass":
            names = [word for word in words[1:] if word != "show"]
            return (names[0], {}) if len(names) == 1 and names[0][:1] != "-" else ("", {})
        value = said.get("value", "")
        return (said.get("prefix", "") + value if value else said.get("item", "")), store

    @staticmethod
    def retrieval(wanted: Wanted) -> Retrieval:
        words = [wanted.word(wanted.location[0])]
        store, command = wanted.options.get("store", ""), wanted.options.get("command", "")
        if store or command not in ("", "pass"):
            words.append(wanted.path(store) if store else "''")
        if command not in ("", "pass"):
            words.append(wanted.program("pass"))
        if wanted.is_foreign:
            return wanted.by(f"_envref_pass {' '.join(words)}", "_envref_pass", "_envref_entry")
        return wanted.by(f"_envref_entry {' '.join(words)}", "_envref_entry")

    @staticmethod
    def shell_functions() -> Mapping[str, str]:
        from envref.backends.password_store.functions import FIRST_LINE, WHOLE_ENTRY

        return {"_envref_entry": WHOLE_ENTRY, "_envref_pass": FIRST_LINE}

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """Runs gpg, else `pass show`, for each entry that exists, four at a time; fields of one entry cost one run."""
        if not addresses:
            return {}
        self._check(deadline)
        names = {address: self._name(address) for address in addresses}
        latest = [name for address, name in names.items() if address.version is None]
        there_now = list(filter(self._is_entry, latest))
        written = {name: self._revision(name) for name in there_now}  # before pass reads: a later write shows as one
        entries: dict[str, Finished | BackendError] = {name: _sealed(name) for name in latest if self._is_of_age(name)}
        entries.update(self._shown(there_now, deadline))
        earlier = self._earlier(names, deadline)
        return there(
            {
                address: answered(
                    _secret,
                    address,
                    name,
                    earlier[address].outcome if address in earlier else entries.get(name),
                    earlier[address].revision if address in earlier else written.get(name, ""),
                )
                for address, name in names.items()
            }
        )

    def revisions(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, str | BackendError]:
        """Reads the encrypted files: starts no program and decrypts nothing."""
        self._check(deadline)
        names = {address: self._name(address) for address in addresses}
        return {address: self._revision(name) for address, name in names.items() if self._is_entry(name)}

    def _revision(self, name: str) -> str:
        """Git's own name for the encrypted file's content, by which `history` finds it again."""
        try:
            with open_file(self._path(name) + _SUFFIX) as file:
                content = file.read()
        except OSError:
            return ""  # pass says what is wrong with it
        return blob(content)

    def lasting(self, revisions: Mapping[Address, str], deadline: float) -> set[Address]:
        """Those that are in a commit: without git, or before one, nobody finds them again."""
        from envref.backends.password_store import history

        self._check(deadline)
        asked = {address: (self._name(address), revision) for address, revision in revisions.items()}
        known = history.committed(self._program, dict.fromkeys(asked.values()), deadline, self._place)
        return {address for address, each in asked.items() if each in known}

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        name, payload = self._own_name(address), as_bytes(_LABEL, value) + b"\n"
        self._check(deadline)
        _output(self._program.run(("insert", "-m", "-f", "--", name), deadline, payload=payload, extra=self._place))

    def delete(self, address: Address, deadline: float) -> None:
        """Raises SecretNotFound when there is nothing to delete."""
        name = self._own_name(address)
        self._check(deadline)
        if not self._is_entry(name):
            raise self.absent(address)
        finished = self._program.run(("rm", "-f", "--", name), deadline, extra=self._place)
        _output(finished)
        # pass does not check whether rm succeeded
        if self._is_entry(name):
            raise understood(_LABEL, finished.stderr, COMPLAINTS)

    def list(self, project: str, deadline: float) -> Iterable[str]:
        """Lists the files: decrypts nothing and starts no program."""
        self._check(deadline)
        top = self._path(_inside(self._layout.root(project)))
        return [
            os.path.relpath(os.path.join(directory, file), top).removesuffix(_SUFFIX)
            for directory, _, files in os.walk(top)
            for file in files
            if file.endswith(_SUFFIX)
        ]

    @property
    def _place(self) -> dict[str, str]:
        return {"PASSWORD_STORE_DIR": self._store}

    def _check(self, deadline: float) -> None:
        """Raises BackendError if the store itself can't be looked at: a missing file would then prove nothing."""
        now = time.monotonic()
        if now >= deadline:
            raise no_answer(_LABEL, now, deadline)
        self._program.path()
        if not os.path.isdir(self._store):
            message = f'{_LABEL}: no password store in "{printable(shown(self._store))}"'
            raise BackendUnavailable(message, run=("pass", "init", "YOUR-GPG-ID"))

    def _name(self, address: Address) -> str:
        return self._layout.name(address) if address.foreign is None else address.foreign

    def _own_name(self, address: Address) -> str:
        if address.foreign is not None:
            raise BackendInvalid(
                f'{_LABEL}: "{printable(address.foreign)}" is a foreign name, which is only read',
                hint="change it with pass edit",
            )
        return _inside(self._name(address))

    def _path(self, name: str) -> str:
        # not os.path.join, which would start again at a name with a leading slash
        return f"{self._store}/{name}"

    def _is_entry(self, name: str) -> bool:
        # pass shows a directory as a tree, does not delete it, and reports success for both
        return _stays_inside(name) and os.path.isfile(self._path(name) + _SUFFIX)

    def _is_of_age(self, name: str) -> bool:
        return _stays_inside(name) and os.path.isfile(self._path(name) + _OF_AGE)

    def _earlier(self, names: Mapping[Address, str], deadline: float) -> dict[Address, Earlier]:
        """The entries of addresses that ask for a version, whether or not they are still there."""
        wanted = {
            address: (name, address.version)
            for address, name in names.items()
            if address.version is not None and _stays_inside(name)
        }
        if not wanted:
            return {}
        from envref.backends.password_store import history

        found = history.entries(self._program, list(wanted.values()), deadline, self._place)
        return {address: found[version] for address, version in wanted.items()}

    def _shown(self, names: Iterable[str], deadline: float) -> dict[str, Finished | BackendError]:
        files = {name: self._path(name) + _SUFFIX for name in names}
        read = gpg.entries(self._program, list(files.values()), deadline, self._place)
        asked = [name for name, file in files.items() if file not in read]
        calls = [("show", "--", name) for name in asked]
        shown = dict(zip(asked, self._program.run_many(calls, deadline, extra=self._place), strict=True))
        return {name: shown[name] if name in shown else read[file] for name, file in files.items()}


def _default_store() -> str:
    """The usual place; gopass's where only that is."""
    own, gopass = expanded(_USUAL_STORE), expanded(_GOPASS_STORE)
    return gopass if not os.path.isdir(own) and os.path.isdir(gopass) else own


def _stays_inside(name: str) -> bool:
    return ".." not in name.split("/")


def _inside(name: str) -> str:
    """The name, if it stays inside the store; pass refuses the others as well."""
    if not _stays_inside(name):
        raise BackendInvalid(
            f'{_LABEL}: "{printable(name)}" leads out of the password store', hint="choose a name below the store"
        )
    return name


def _sealed(name: str) -> BackendInvalid:
    return BackendInvalid(
        f'{_LABEL}: "{printable(name)}" is encrypted with age, and pass reads only what GnuPG encrypted',
        hint="gopass show reads it; a plugin can run that",
    )


def _secret(address: Address, name: str, outcome: Finished | BackendError | None, revision: str = "") -> Secret | None:
    """The entry's secret for an address; None if it has none. `outcome` is None for an entry without a file."""
    _inside(name)
    raw = None if outcome is None else _value(address, name, _output(outcome))
    return None if raw is None else as_secret(_LABEL, raw, revision)


def _output(outcome: Finished | BackendError) -> bytes:
    if isinstance(outcome, BackendError):
        raise outcome
    if outcome.status:
        raise understood(_LABEL, outcome.stderr, COMPLAINTS)
    return outcome.stdout


def _value(address: Address, name: str, entry: bytes) -> bytes | str | None:
    """The part of an entry that an address means; None if it has no such field."""
    # gpg decrypts a truncated file to an empty text, and reports success
    if not entry:
        raise BackendInvalid(f'{_LABEL}: the entry "{printable(name)}" is empty, or its file was cut off', hint=HISTORY)
    if address.field is not None:
        return _field(entry, address.field, name)
    if address.foreign is None:
        return entry.removesuffix(b"\n")
    return entry if entry.startswith(_PEM) else _first_line(entry)


def _first_line(entry: bytes) -> bytes:
    return entry.partition(b"\n")[0]


def _field(entry: bytes, field: str, name: str) -> bytes | str | None:
    """A `NAME: value` line after the first, else a member of the JSON that the entry or its first line is.

    `*` is the whole entry, with its last line end.
    """
    if not field.startswith("/"):
        for line in entry.split(b"\n")[1:]:
            label, colon, value = line.partition(b":")
            if colon and label == field.encode():
                return value.lstrip(b" \t")
    if field == _WHOLE:
        return entry
    for document in (entry, _first_line(entry)):
        try:
            found = member(document.decode(), field)
        except ValueError:
            continue
        if found is not None:
            return found
    raise absent(field, name, _labels(entry), subject=_LABEL)


def _labels(entry: bytes) -> list[str]:
    """What an entry's fields are called. Text with a colon elsewhere may be part of a secret."""
    lines = [line.partition(b": ") for line in entry.split(b"\n")[1:]]
    labels = [label.decode("utf-8", "replace") for label, colon, _ in lines if colon and b" " not in label]
    inner = (names(document.decode("utf-8", "replace")) for document in (entry, _first_line(entry)))
    return [*labels, *next((found for found in inner if found), [])]
