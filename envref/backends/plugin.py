"""A store that is somebody's own program, spoken to in JSON (docs/plugins.md, commands.md 10)."""

from __future__ import annotations

import json

from envref.backends.answer import answered, as_bytes, as_secret, excerpt, not_found, there
from envref.backends.base import Backend
from envref.backends.command import Call, Finished, NotStarted, TooMuchOutput, find, inherited_environment, run_many
from envref.errors import printable
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendLocked,
    BackendTimeout,
    BackendUnavailable,
    SecretNotFound,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.refs.address import Address
    from envref.secret import Secret

    Response = dict[str, object]
    Answers = dict[Address, Secret | BackendError]

_PROTOCOL = "1"
_BY_HAND = "run the plugin by hand, with a request on its standard input"

# The meaning of the text in `error`, for an answer without a `code`. The first word that occurs decides.
_WORDS: tuple[tuple[str, type[BackendError]], ...] = (
    ("denied", BackendDenied),
    ("unauthorized", BackendDenied),
    ("locked", BackendLocked),
)


class Plugin(Backend):
    """A store of your own: an executable that answers JSON requests (see docs/plugins.md)"""

    type = "plugin"
    label_has_name = True
    keeps_revisions = True
    programs = ("envref-backend-*",)  # the star is the backend's name
    read_variables = "*"

    # `name` is positional, because a plugin may have an option called `name`. `root` is the project's directory.
    def __init__(
        self, name: str, /, *, command: str = "", batch: bool = False, root: str = "", **options: object
    ) -> None:
        super().__init__(name)
        self._label = f'plugin "{name}"'
        self._root = root
        self._command = command
        # Whether to send the plugin `get_many`: as configured, then as its answers show.
        self._batches = batch
        self._may_batch = True
        self._options = options

    def absent(self, address: Address) -> SecretNotFound:
        return not_found(self._label, _key(address))

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """Sends one `get_many` if the plugin knows it, else a `get` each; the first `get` goes alone, to find out."""
        answers: Answers = {}
        waiting = list(dict.fromkeys(addresses))
        if waiting and not self._batches:
            self._get_each(waiting[:1], deadline, answers)
            locked = answers[waiting[0]]
            if isinstance(locked, BackendLocked):  # each key would be another prompt, to be refused once more
                raise locked
            waiting = waiting[1:]
        if waiting and self._batches and self._get_together(waiting, deadline, answers):
            return there(answers)
        self._get_each(waiting, deadline, answers)
        return there(answers)

    def revisions(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, str | BackendError]:
        """Sends one `revisions`; BackendInvalid if the plugin does not know it."""
        if not addresses:
            return {}
        (outcome,) = self._call([{"operation": "revisions", "keys": list(map(_key, addresses))}], deadline)
        try:
            response = self._response(outcome, self._nothing())
        except (BackendUnavailable, SecretNotFound):
            raise self._untold() from None
        told = response.get("revisions")
        if not isinstance(told, dict):
            raise self._untold()
        return {address: _revision(told[_key(address)]) for address in addresses if told.get(_key(address))}

    def _untold(self) -> BackendInvalid:
        return BackendInvalid(
            f"{self._label} tells no revisions without the values", hint="compare by reading: envref stale --read"
        )

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        as_bytes(self._label, value)
        self._ask(address, {"operation": "set", "key": self._own(address), "value": value.reveal()}, deadline)

    def delete(self, address: Address, deadline: float) -> None:
        self._ask(address, {"operation": "delete", "key": self._own(address)}, deadline)

    def list(self, project: str, deadline: float) -> Iterable[str]:
        response = self._ask(None, {"operation": "list"}, deadline)
        keys = response.get("keys") or []
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise self._invalid('member "keys" is not an array of strings')
        prefix = f"{project}/"
        return [key.removeprefix(prefix) for key in keys if key.startswith(prefix) and key != prefix]

    def _own(self, address: Address) -> str:
        """The key of a secret that envref may change (commands.md 6.5)."""
        if address.foreign is not None:
            raise BackendInvalid(
                f'{self._label}: "{printable(address.foreign)}" is a foreign name, which is only read',
                hint="change it where the plugin gets it from",
            )
        return _key(address)

    def _get_each(self, addresses: Sequence[Address], deadline: float, answers: Answers) -> None:
        requests = [{"operation": "get", "key": _key(address)} for address in addresses]
        for address, outcome in zip(addresses, self._call(requests, deadline), strict=True):
            answers[address] = answered(self._read, outcome, address)

    def _get_together(self, addresses: Sequence[Address], deadline: float, answers: Answers) -> bool:
        """Asks for all in one call. False, and never again, when the plugin can't answer that (commands.md 10)."""
        (outcome,) = self._call([{"operation": "get_many", "keys": [_key(address) for address in addresses]}], deadline)
        try:
            response = self._response(outcome, self._nothing())
            values, errors = self._by_key(response)
        except (BackendTimeout, BackendLocked):
            raise
        except BackendError:
            self._batches = self._may_batch = False
            return False
        for address in addresses:
            answers[address] = answered(self._pick, response, values, errors, address)
        return True

    def _read(self, outcome: Finished | BackendError, address: Address) -> Secret:
        response = self._response(outcome, self.absent(address))
        return self._value(response, response.get("value", ""), address, response.get("revision"))

    def _pick(self, response: Response, values: Response, errors: Response, address: Address) -> Secret:
        self._refuse(errors.get(_key(address)), None, self.absent(address))
        revisions = response.get("revisions")
        told = revisions.get(_key(address)) if isinstance(revisions, dict) else None
        return self._value(response, values.get(_key(address)), address, told)

    def _by_key(self, response: Response) -> tuple[Response, Response]:
        values, errors = response.get("values"), response.get("errors")
        # Neither member: a plugin that reports success for every unknown operation says nothing about absence.
        if values is None and errors is None:
            raise self._invalid('neither "values" nor "errors"')
        values, errors = ({} if member is None else member for member in (values, errors))
        if not isinstance(values, dict) or not isinstance(errors, dict):
            raise self._invalid('members "values" and "errors" are not objects')
        return values, errors

    def _ask(self, address: Address | None, request: Mapping[str, str], deadline: float) -> Response:
        (outcome,) = self._call([request], deadline)
        return self._response(outcome, self.absent(address) if address else self._nothing())

    def _call(self, requests: Sequence[Mapping[str, object]], deadline: float) -> Sequence[Finished | BackendError]:
        if not requests:
            return []
        program = self._program()
        return run_many(
            [Call([program], json.dumps(request, ensure_ascii=False).encode() + b"\n") for request in requests],
            deadline=deadline,
            label=self._label,
            environment=self._environment(),
            directory=self._root or None,
        )

    def _nothing(self) -> SecretNotFound:
        return SecretNotFound("not found", subject=self._label)

    def _program(self) -> str:
        wanted = self._command or f"envref-backend-{self.name}"
        program = find(wanted, root=self._root)
        if program is None:
            where = "does not exist or is not executable" if "/" in wanted else "not found on $PATH"
            raise BackendUnavailable(
                f'{self._label}: executable "{printable(wanted)}" {where}',
                hint="install it on PATH as a program, or set command of the backend",
            )
        return program

    def _environment(self) -> dict[str, str]:
        return {
            **inherited_environment(),
            "ENVREF_PLUGIN_NAME": self.name,
            "ENVREF_PLUGIN_PROTOCOL": _PROTOCOL,
            "ENVREF_PLUGIN_CONFIG": json.dumps(self._options, ensure_ascii=False),
        }

    def _response(self, outcome: Finished | BackendError, absent: SecretNotFound) -> Response:
        """The plugin's answer, if it has no error. What it printed counts before its exit status."""
        if isinstance(outcome, BackendError):
            raise self._reworded(outcome)
        try:
            response = self._parse(outcome)
        except BackendInvalid:
            if outcome.status:
                raise self._failed(outcome) from None
            raise
        if "get_many" in _capabilities(response):
            self._batches = self._may_batch
        self._refuse(response.get("error"), response.get("code"), absent)
        if outcome.status:
            raise self._failed(outcome)
        return response

    def _reworded(self, error: BackendError) -> BackendError:
        if isinstance(error, NotStarted):
            return BackendUnavailable(f"{self._label}: start: {error.reason}", hint=_BY_HAND)
        if isinstance(error, TooMuchOutput):
            return self._invalid("more than 16 MiB")
        return error

    def _parse(self, outcome: Finished) -> Response:
        try:
            response = json.loads(outcome.stdout.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_number)
        except ValueError as error:
            # "from None": a decoder's error carries the whole text
            raise self._invalid(_fault(error), outcome) from None
        except RecursionError:
            raise self._invalid("nested too deeply", outcome) from None
        if not isinstance(response, dict):
            raise self._invalid("not an object", outcome)
        return response

    def _refuse(self, error: object, code: object, absent: SecretNotFound) -> None:
        """Raises the error that `error` and `code` of a response mean; a missing or empty `error` is not an error."""
        if error is None or error == "":
            return
        if not isinstance(error, str):
            raise self._invalid('member "error" is not a string')
        text = error.lower()
        if code == "not_found" or (code is None and "not found" in text):
            raise absent
        kind = next((kind for word, kind in _WORDS if word in text), BackendUnavailable)
        raise kind(f"{self._label}: {excerpt(error)}")

    def _value(self, response: Response, value: object, address: Address, told: object) -> Secret:
        if value is None:
            raise self.absent(address)
        if not isinstance(value, str):
            raise self._invalid('member "value" is not a string')
        exact = "exact" in _capabilities(response)
        return as_secret(self._label, value if exact else value.removesuffix("\n"), _revision(told, value))

    def _failed(self, outcome: Finished) -> BackendUnavailable:
        how = f"exit status {outcome.status}" if outcome.status > 0 else f"ended by signal {-outcome.status}"
        return BackendUnavailable(f"{self._label}: {excerpt(outcome.stderr) or how}", hint=_BY_HAND)

    def _invalid(self, fault: str, outcome: Finished | None = None) -> BackendInvalid:
        said = excerpt(outcome.stderr) if outcome else ""
        return BackendInvalid(
            f"{self._label}: invalid JSON response: {fault}", hint=f"the plugin wrote on stderr: {said}" if said else ""
        )


def _key(address: Address) -> str:
    return address.full_key if address.foreign is None else address.foreign


def _revision(told: object, value: str = "") -> str:
    """What the plugin tells, as a revision; none where it takes the value for one, which would have it shown."""
    if not isinstance(told, str | int) or (value.strip() and value.strip() in str(told)):
        return ""
    from envref.backends.revision import revision  # most plugins tell none

    return revision(told)


def _capabilities(response: Response) -> Sequence[object]:
    capabilities = response.get("capabilities")
    return capabilities if isinstance(capabilities, list) else []


class _NotJson(ValueError):
    """Why a text does not count as JSON although Python reads it; the message is safe to show."""


def _members(pairs: Sequence[tuple[str, object]]) -> Response:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _NotJson("duplicate member")
    return members


def _no_number(_: str) -> object:
    raise _NotJson("NaN and Infinity are not JSON")


def _fault(error: ValueError) -> str:
    """Where the plugin's answer stops being JSON; quotes nothing of it."""
    if isinstance(error, _NotJson):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    if isinstance(error, json.JSONDecodeError):
        return f"unexpected text at byte {len(error.doc[: error.pos].encode())}" if error.doc.strip() else "no output"
    return "a number too long to read"
