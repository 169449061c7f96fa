"""Doppler: read by requests of envref's own where it can (ADR 35), and else through its program (stores.md 12)."""

from __future__ import annotations

import json
import os
from itertools import pairwise

from envref.backends.answer import MAYBE_A_PROXY, answered, as_bytes, as_secret, not_found, there
from envref.backends.base import Backend, Package
from envref.backends.direct import COMMAND, Direct
from envref.backends.doppler.complaints import LABEL, NoSuchConfig, output, throttled
from envref.backends.doppler.names import DopplerName, DopplerNames, no_name, shared
from envref.backends.program import Installation, Program
from envref.errors import printable
from envref.store_errors import BackendDenied, BackendError, BackendInvalid, SecretNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.backends.command import Finished
    from envref.backends.doppler.complaints import Downloaded
    from envref.backends.doppler.direct.client import DopplerClient
    from envref.backends.retrieval import Retrieval, Wanted
    from envref.refs.address import Address
    from envref.secret import Secret

    _Source = tuple[str, str]  # a project and a config

_UPDATE = "update the doppler program"
_NOT_DOPPLER = f"{MAYBE_A_PROXY}; else {_UPDATE}"
_PACKAGES = (Package("doppler"),)
_INSTALLATION = Installation(("dopplerhq/cli/doppler",), _PACKAGES, ("doppler", "login"))

# The time limit is envref's own: it ends the whole program.
_FLAGS = ("--no-check-version", "--silent", "--attempts=1", "--no-timeout")
_DOWNLOAD = ("secrets", "download", "--no-file", "--no-fallback", "--format=json")
_NAMES = ("secrets", "--only-names", "--json")
_CONFIGS = ("configs", "--json", "--number=1000")
_CURRENT = ("configs", "get", "--json")

_DOPPLERS_OWN = ("DOPPLER_PROJECT", "DOPPLER_ENVIRONMENT", "DOPPLER_CONFIG")

_LONGEST_LINE = 65535  # bytes that the program reads of a line (measured)
_BASE64 = "store it as base64 and add ?encoding=base64"


class Doppler(Backend):
    """Doppler, read directly where possible; a profile is the config of its name, unless `config` names one for all"""

    type = "doppler"
    carries_project = False
    programs = ("doppler",)
    others = ("ref+doppler://",)  # vals names PROJECT/CONFIG/NAME, as a foreign name here does
    tools = ("doppler",)
    packages = _PACKAGES
    read_variables = "DOPPLER_*"

    def __init__(
        self, name: str, *, project: str = "", config: str = "", command: str = "doppler", root: str = ""
    ) -> None:
        super().__init__(name)
        self.warnings: list[str] = []
        self._project = project
        self._config = config
        self._flags = (*_FLAGS, *_flag("scope", root))
        self._root = root
        self._direct = Direct("doppler", self._client, COMMAND if command not in ("", "doppler") else "")
        self._program = Program(LABEL, command or "doppler", _INSTALLATION, root=root, throttled=throttled)
        self._names = DopplerNames(project, config)

    @property
    def way(self) -> str:  # type: ignore[override]
        return self._direct.way

    def absent(self, address: Address) -> SecretNotFound:
        return not_found(LABEL, str(address))

    def location(self, address: Address) -> tuple[str, ...]:
        """Project, config and name. An empty project or config means the one that the program is set up for."""
        place = self._names.place(address)
        if place is None:
            raise no_name(address)
        return place

    @staticmethod
    def elsewhere(said: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """fnox: `project`, `config` and the name as `value`; `doppler secrets get`."""
        words = said.get("command", "").split("\0")
        name, project, config = said.get("value", ""), said.get("project", ""), said.get("config", "")
        if words[:3] == ["doppler", "secrets", "get"] and len(words) > 3:  # a name follows
            flags = dict(pairwise(words[4:]))
            name = words[3]
            project = flags.get("-p", flags.get("--project", ""))
            config = flags.get("-c", flags.get("--config", ""))
        if project and not config:
            return "", {}
        return "/".join(filter(None, [project, config, name])) if name else "", {}

    @staticmethod
    def retrieval(wanted: Wanted) -> Retrieval:
        """`doppler secrets get` for the project's directory, not the caller's: Doppler ties projects to directories."""
        project, config, name = wanted.location
        given = {" --project ": project, " --config ": config}
        flags = "".join(f"{flag}{wanted.word(value)}" for flag, value in given.items() if value)
        command = f"{wanted.program('doppler')} secrets get {wanted.guard(name)}{wanted.word(name)} --plain{flags}"
        return wanted.by(f"{command} --scope {wanted.root}")

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """One download for each config asked for: a single one where `config` is set, or without a profile."""
        places = {address: place for address in addresses if (place := self._names.place(address))}
        downloads = self._downloads([place.source for place in places.values()], deadline)
        answers = there(
            {address: answered(_value, downloads[place.source], place.name) for address, place in places.items()}
        )
        found = {
            address: places[address] for address, answer in answers.items() if not isinstance(answer, BackendError)
        }
        return {**answers, **shared(found)}

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        """Reads back what was written, and raises BackendInvalid when it is something else (commands.md 2.7)."""
        place = self._names.own_place(address)
        if place is None:
            raise no_name(address)
        self._run(("secrets", "set", place.name, "--no-interactive"), place.source, deadline, payload=_payload(value))
        if self._ask_one(_DOWNLOAD, place.source, deadline).get(place.name) != value.reveal():
            raise BackendInvalid(
                f'{LABEL}: "{place.name}" does not read back as it was written',
                hint="Doppler fills in ${NAME}; store a value that is to keep it as base64",
            )

    def delete(self, address: Address, deadline: float) -> None:
        """Raises SecretNotFound when there is nothing to delete."""
        place = self._names.own_place(address)
        # Checked first: the program reports success for deleting what is not there.
        if place is None or place.name not in self._ask_one(_NAMES, place.source, deadline):
            raise self.absent(address)
        self._run(("secrets", "delete", place.name, "--yes"), place.source, deadline)

    def list(self, project: str, deadline: float) -> Iterable[str]:  # noqa: ARG002  # its names do not hold the project
        """The names of the config; without `config`, also those of the project's other configs, as CONFIG/KEY."""
        own = self._ask_one(_NAMES, (self._project, self._config), deadline)
        others = () if self._config else [(self._project, config) for config in self._other_configs(deadline)]
        places = [DopplerName(self._project, self._config, name) for name in own]
        for source, names in self._ask(_NAMES, others, deadline).items():
            if isinstance(names, BackendDenied):
                self.warnings.append(f'{LABEL}: config "{printable(source[1])}" may not be read; it is left out')
                continue
            places += [DopplerName(*source, name) for name in _unless_error(names)]
        return [self._names.key_of(place) for place in places if place.name not in _DOPPLERS_OWN]

    def _other_configs(self, deadline: float) -> Sequence[str]:
        """The project's configs except the one the program is set up for. None, with a warning, for a service token.

        A service token sees the one config it was made for: no profile can be read with it either.
        """
        calls = [self._arguments(each, (self._project, "")) for each in (_CONFIGS, _CURRENT)]
        listed, current = self._program.run_many(calls, deadline)
        try:
            names, own = _config_names(_parsed(output(listed))), _config_names([_parsed(output(current))])
        except (BackendDenied, BackendInvalid):
            self.warnings.append(f"{LABEL}: the project's configs can't be listed; secrets of profiles are left out")
            return ()
        return [name for name in names if name not in own]

    def _client(self) -> DopplerClient:
        from envref.backends.doppler.direct.client import DopplerClient

        return DopplerClient(os.environ, self._root)

    def _downloads(
        self, sources: Iterable[_Source], deadline: float
    ) -> dict[_Source, Mapping[str, object] | BackendError]:
        """What each config holds: one request each, or one run."""
        wanted = list(dict.fromkeys(sources))
        if not wanted:
            return {}
        outcomes: Sequence[Finished | Downloaded] = self._direct.ask(
            lambda client: client.downloads(wanted, deadline), lambda: self._runs(_DOWNLOAD, wanted, deadline)
        )
        return self._contents(wanted, outcomes)

    def _ask(
        self, what: Sequence[str], sources: Iterable[_Source], deadline: float
    ) -> dict[_Source, Mapping[str, object] | BackendError]:
        """The members of the answer for each config, or its error: one run each."""
        wanted = list(dict.fromkeys(sources))
        return self._contents(wanted, self._runs(what, wanted, deadline)) if wanted else {}

    def _runs(
        self, what: Sequence[str], sources: Iterable[_Source], deadline: float
    ) -> Sequence[Finished | BackendError]:
        return self._program.run_many([self._arguments(what, source) for source in sources], deadline)

    def _contents(
        self, sources: Iterable[_Source], outcomes: Iterable[Finished | Downloaded]
    ) -> dict[_Source, Mapping[str, object] | BackendError]:
        return {source: self._members(source, outcome) for source, outcome in zip(sources, outcomes, strict=True)}

    def _ask_one(self, what: Sequence[str], source: _Source, deadline: float) -> Mapping[str, object]:
        return _unless_error(self._ask(what, [source], deadline)[source])

    def _members(self, source: _Source, outcome: Finished | Downloaded) -> Mapping[str, object] | BackendError:
        """What the program printed of a config. A profile whose config does not exist has nothing."""
        answer = answered(_printed, outcome)
        is_profile = source[0] == self._project and source[1] != self._config
        return {} if isinstance(answer, NoSuchConfig) and is_profile else answer

    def _run(self, arguments: Sequence[str], source: _Source, deadline: float, *, payload: bytes | None = None) -> None:
        output(self._program.run(self._arguments(arguments, source), deadline, payload=payload))

    def _arguments(self, arguments: Sequence[str], source: _Source) -> Sequence[str]:
        project, config = source
        return [*arguments, *self._flags, *_flag("project", project), *_flag("config", config)]


def _flag(name: str, value: str) -> tuple[str, ...]:
    return (f"--{name}={value}",) if value else ()


def _payload(value: Secret) -> bytes:
    """The value as the program reads it: line by line, and without the last line end, so that one is added.

    BackendInvalid for a value that would come back changed (measured).
    """
    raw = as_bytes(LABEL, value)
    if b"\r\n" in raw or raw.endswith(b"\r"):
        raise BackendInvalid(f"{LABEL}: a carriage return at the end of a line would be lost; {_BASE64}")
    if any(len(line) > _LONGEST_LINE for line in raw.split(b"\n")):
        raise BackendInvalid(f"{LABEL}: a line of the value is longer than {_LONGEST_LINE} bytes; {_BASE64}")
    return raw + b"\n"


def _value(contents: Mapping[str, object] | BackendError, name: str) -> Secret | None:
    """The value of a name in a downloaded config; None when it is not there. Raises BackendError."""
    members = _unless_error(contents)
    if name not in members:
        return None
    value = members[name]
    if value is None:
        raise BackendDenied(
            f'{LABEL}: "{printable(name)}" is restricted; its value is not shown',
            hint="change its visibility in Doppler to masked",
        )
    if not isinstance(value, str):
        raise BackendInvalid(f'{LABEL}: the value of "{printable(name)}" is not text', hint=_UPDATE)
    return as_secret(LABEL, value)


def _printed(outcome: Finished | Downloaded) -> Mapping[str, object]:
    """The members of the object that a run printed."""
    document = _parsed(output(outcome))
    if not isinstance(document, dict):
        raise BackendInvalid(f"{LABEL}: the answer is not the JSON object that was asked for", hint=_NOT_DOPPLER)
    return document


def _parsed(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        # "from None": a decoder's error carries the whole text
        raise BackendInvalid(f"{LABEL}: the answer is not the JSON that was asked for", hint=_NOT_DOPPLER) from None


def _config_names(configs: object) -> list[str]:
    if isinstance(configs, list) and all(isinstance(config, dict) and "name" in config for config in configs):
        return [str(config["name"]) for config in configs]
    raise BackendInvalid(f"{LABEL}: the answer is not the list of configs that was asked for", hint=_NOT_DOPPLER)


def _unless_error(answer: Mapping[str, object] | BackendError) -> Mapping[str, object]:
    if isinstance(answer, BackendError):
        raise answer
    return answer
