"""The rules of `backends:`. A type's options come from its constructor, so a new store needs no line here."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envref.backends.table import BUILTIN, RENAMED, backend_class, traits_of
from envref.errors import UsageError, meant
from envref.project.config.agent import agent
from envref.project.config.files import FILE
from envref.project.config.loans import Loan, is_reference, reference_fault
from envref.project.config.model import is_borrowed
from envref.project.config.yaml import Mapping, Scalar
from envref.project.loopback import is_loopback
from envref.refs.address import check_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envref.project.config.findings import Findings
    from envref.project.config.yaml import Node

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_KEYS = ("name", "type", "config", "timeout", "optional", "names", "agent")
_EVERY_TYPE = ("timeout", "optional")
_ROOT = "root"  # a constructor's parameter that is not an option: it gets the project's root
_ALWAYS = "always"  # of `optional`: also where nobody is signed in
_SHORTEST, _LONGEST = 0.1, 600.0  # seconds of `timeout`


@dataclass(frozen=True)
class Options:
    """The options of a backend type. `open` means that it takes any other option as well."""

    names: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    booleans: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    open: bool = False
    rooted: bool = False
    foreign_names: bool = True


def options_of(kind: str) -> Options:
    """What the constructor of a backend type in `BUILTIN` accepts, in the order it is written there."""
    store = backend_class(kind)
    parameters = inspect.signature(store).parameters.values()
    named = [each for each in parameters if each.kind is each.KEYWORD_ONLY and each.name != _ROOT]
    return Options(
        names=tuple(each.name for each in named),
        required=tuple(each.name for each in named if each.default is each.empty),
        booleans=tuple(each.name for each in named if isinstance(each.default, bool)),
        paths=store.path_options,
        data=store.data_options,
        places=store.own_places,
        programs=store.programs,
        open=any(each.kind is each.VAR_KEYWORD for each in parameters),
        rooted=any(each.name == _ROOT for each in parameters),
        foreign_names=store.foreign_names,
    )


def check_bare(kind: str) -> None:
    """UsageError for a type that does not exist, or that can't be used without options."""
    if kind not in BUILTIN:
        raise UsageError(f'unknown backend type "{kind}"', run=("envref", "backend", "list", "--all"))
    required = options_of(kind).required
    if required:
        raise UsageError(
            f'backend type "{kind}" needs {", ".join(required)}',
            hint=f"write name, type and config: {{{required[0]}: …}} below backends: (envref edit --config)",
        )


def backends(node: Node, key: str, findings: Findings) -> list[dict[str, Any]]:
    """Every usable entry of the list, as the fields of a BackendConfig."""
    found = []
    seen: set[str] = set()
    for index, item in enumerate(findings.items(node, key)):
        where = f"{key}[{index}]"
        if not isinstance(item, Mapping):
            findings.faults.append(item.problem(f"{where} must be a mapping"))
            continue
        findings.warn_unknown_keys(item, _KEYS)
        name = _name(item, where, findings)
        if name:
            findings.faults += [f'{where}: duplicate backend name "{name}"'] if name in seen else []
            seen.add(name)
            found.append(_CheckedBackend(item, where, name, findings).fields())
    return found


def _name(item: Mapping, where: str, findings: Findings) -> str:
    """The entry's name; empty when it has none, which is noted."""
    node = item.entries.get("name")
    name = (findings.text(node, f"{where}: name") if node else None) or ""
    fault = name_fault(name)
    if fault:
        findings.faults.append(f"{where}: {fault}")
    return name


def name_fault(name: str) -> str:
    """What is wrong with a backend's name; empty if it may have it."""
    if not name:
        return "name is required"
    if name == "secrets":
        return f'"{name}" is reserved'
    return "" if _NAME.fullmatch(name) else f'invalid name "{name}"'


class _CheckedBackend:
    """One entry with a name, being checked."""

    def __init__(self, item: Mapping, where: str, name: str, findings: Findings) -> None:
        self._item = item
        self._where = where
        self._name = name
        self._findings = findings
        config = item.entries.get("config")
        self._config = config if isinstance(config, Mapping) else Mapping(item.file, item.line, item.column)
        if config is not None and self._config is not config and not _is_null(config):
            findings.faults.append(config.problem(f"{where}: config must be a mapping"))

    def fields(self) -> dict[str, Any]:
        self._refuse_passphrase()
        kind = self._kind()
        options = options_of(kind) if kind in BUILTIN else Options(open=True)
        given = self._options(options)
        self._require(kind, options.required, given)
        self._check_address(given)
        self._warn_of_token(given)
        return {
            "name": self._name,
            "type": kind,
            "options": given,
            "timeout": self._timeout(),
            "optional": self._optional(),
            "names": self._names(options),
            "paths": tuple(name for name in options.paths if name in given),
            "data": options.data,
            "places": options.places,
            "programs": options.programs,
            "rooted": options.rooted,
            "traits": traits_of(kind) if kind in BUILTIN else None,
            "agent": self._agent(),
        }

    def _fault(self, text: str) -> None:
        self._findings.faults.append(f"{self._where}: {text}")

    def _refuse_passphrase(self) -> None:
        if self._item.file == FILE and ("passphrase" in self._config.entries or "passphrase" in self._item.entries):
            self._fault("passphrase is not allowed in a project file")

    def _kind(self) -> str:
        node = self._item.entries.get("type")
        kind = (self._findings.text(node, f"{self._where}: type") if node else None) or self._name
        if kind not in BUILTIN:
            recognized = f"recognized types: {', '.join(BUILTIN)}; for custom backends use type: plugin"
            near = RENAMED.get(kind) or meant(kind, BUILTIN)
            known = f'did you mean "{near}"? {recognized}' if near else recognized
            self._findings.unknown_types.append(f'unknown backend type "{kind}" (backend "{self._name}"); {known}')
        return kind

    def _options(self, options: Options) -> dict[str, str | bool]:
        """The options that the type has; warns about the others, without their values."""
        if not options.open:
            self._findings.warn_unknown_keys(self._config, (*options.names, *_EVERY_TYPE), noun="option")
        given: dict[str, str | bool] = {}
        for name, node in self._config.entries.items():
            known = (options.open or name in options.names) and name not in (*_EVERY_TYPE, _ROOT)
            value = self._option(name, node, options) if known and not _is_null(node) else None
            if value is not None:
                given[name] = value
                self._check_reference(name, node, str(value))
        return given

    def _option(self, name: str, node: Node, options: Options) -> str | bool | None:
        what = f"{self._where}: {name}"
        if name in options.booleans:
            return self._findings.boolean(node, what)
        return self._findings.text(node, what)

    def _check_reference(self, name: str, node: Node, value: str) -> None:
        """A credential that is to be borrowed from another store; its text is never sent as one."""
        if not is_reference(name, value):
            return
        loan = Loan(self._name, f"{self._where}: {name}", value, node)
        fault = reference_fault(loan)
        if fault:
            self._findings.faults.append(node.problem(f"{loan.where}: {fault}"))
        else:
            self._findings.loans.append(loan)

    def _require(self, kind: str, required: tuple[str, ...], given: dict[str, str | bool]) -> None:
        if any(given.get(name, "") == "" for name in required):
            self._fault(f"{kind} requires {_listed(required)}")

    def _check_address(self, given: dict[str, str | bool]) -> None:
        if "addr" in given and not _is_safe_address(str(given["addr"])):
            self._fault("addr must use https (http is allowed for loopback only)")

    def _warn_of_token(self, given: dict[str, str | bool]) -> None:
        if "token" in given and self._item.file == FILE and not is_borrowed("token", given["token"]):
            key = self._config.keys["token"]
            self._findings.tokens.append(key.problem(f"{self._where}: token is in a file that git tracks"))

    def _setting(self, name: str) -> Node | None:
        """The value of a key that may stand in the entry or in its `config`."""
        nodes = (self._item.entries.get(name), self._config.entries.get(name))
        return next((node for node in nodes if node is not None and not _is_null(node)), None)

    def _timeout(self) -> float | None:
        node = self._setting("timeout")
        if node is None:
            return None
        seconds = node.number() if isinstance(node, Scalar) else None
        if seconds is None or not _SHORTEST <= seconds <= _LONGEST:
            self._fault(f"timeout must be between {_SHORTEST:g} and {_LONGEST:g}")
        return seconds

    def _optional(self) -> bool | str:
        node = self._setting("optional")
        if isinstance(node, Scalar) and node.text == _ALWAYS:
            return _ALWAYS
        return bool(node and self._findings.boolean(node, f"{self._where}: optional", f"true, false or {_ALWAYS}"))

    def _agent(self) -> int | None:
        node = self._item.entries.get("agent")
        return None if node is None or _is_null(node) else agent(node, f"{self._where}: agent", self._findings)

    def _names(self, options: Options) -> dict[str, str]:
        node = self._item.entries.get("names")
        if node is None or _is_null(node):
            return {}
        if not options.foreign_names:
            key = self._item.keys["names"]
            self._findings.faults.append(key.problem(f'{self._where}: backend "{self._name}" has no foreign names'))
        return {key: self._foreign(key, value) for key, value in self._findings.entries(node, f"{self._where}: names")}

    def _foreign(self, key: str, node: Node) -> str:
        try:
            check_key(key)
        except UsageError as error:
            self._fault(f"names: {error.message}")
        name = self._findings.text(node, f"{self._where}: names.{key}")
        if not name:
            self._fault(f'names: key "{key}" has no name')
        return name or ""


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null


def _listed(names: Iterable[str]) -> str:
    """`a, b and c`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _is_safe_address(address: str) -> bool:
    """Whether a token sent to the address is encrypted, or stays on this machine (security.md 5.7)."""
    from urllib.parse import urlsplit

    if is_loopback(address):
        return "://" in address
    try:
        parts = urlsplit(address)
        return parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        return False
