"""The rules of `.envref.yaml` (commands.md 3.3, 3.4): nodes of both files in; plain data, and every fault, out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from envref.env.file import is_name
from envref.errors import UsageError, printable
from envref.project.config.agent import agent
from envref.project.config.audit_log import audit_log
from envref.project.config.backends import backends
from envref.project.config.files import FILE
from envref.project.config.findings import Findings
from envref.project.config.loans import lender_faults
from envref.project.config.model import (
    ENVIRONMENT,
    FILES,
    active_profile_fault,
    invalid,
    is_borrowed,
    is_credential,
    is_profile_name,
)
from envref.project.config.tools import tools
from envref.project.config.yaml import Mapping, Scalar, Sequence, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envref.project.config.files import Sources
    from envref.project.config.yaml import Node

_LONGEST_PROJECT = 128  # bytes
_ONLY_GLOBAL = ("trust", "trusted_paths", "safe_directories", "files_directory")


class Checked:
    """What the files say as plain data, and what is wrong with it."""

    def __init__(self, plain: dict[str, Any], findings: Findings, *, cacheable: bool) -> None:
        self._findings = findings
        self._plain = plain
        # A credential must not get into a second file, not even as part of the source.
        self.cacheable = cacheable

    @property
    def plain(self) -> dict[str, Any]:
        return {**self._plain, "warnings": tuple(map(printable, self._findings.warnings))}

    def tolerate_unknown_types(self) -> None:
        """Makes each unknown backend type a warning."""
        self._findings.warnings += self._findings.unknown_types
        self._findings.unknown_types = []

    def raise_faults(self) -> None:
        """Raises one EnvrefError for all faults, if there are any."""
        faults = [*self._findings.faults, *self._findings.unknown_types]
        if faults:
            raise invalid([printable(fault) for fault in faults])


def check(sources: Sources) -> Checked:
    """Parses and checks both files. EnvrefError for text that is not YAML, or is YAML that envref refuses."""
    project = parse(sources.project_bytes, FILE)
    own = parse(sources.global_bytes, sources.shown_global_path)
    findings = Findings()
    for document in (project, own):
        findings.warn_unknown_keys(document, _FIELDS)
    findings.faults += [f"{key} is not allowed in a project file" for key in _ONLY_GLOBAL if key in project.entries]
    if "extends" in own.entries:
        findings.faults.append("extends is allowed in a project file only")
    nodes = {**dict(_present(own)), **dict(_present(project))}
    plain = _plain(nodes, findings)
    names = [each["name"] for each in plain.get("backends", ())]
    findings.faults += lender_faults(findings.loans, names, is_whole="extends" not in nodes)
    plain["from_project"] = tuple(sorted(dict(_present(project)).keys() & _FIELDS.keys()))
    fault = active_profile_fault(plain.get("active_profile"), plain.get("profiles", {}), os.path.dirname(sources.path))
    findings.faults += [fault] if fault else []
    if findings.closed:
        plain["closed"] = tuple(findings.closed)
    if findings.tokens:
        plain["tokens"] = tuple(map(printable, findings.tokens))
    return Checked(plain, findings, cacheable=not any(map(is_credential, _option_names(project, own))))


def _present(document: Mapping) -> Iterator[tuple[str, Node]]:
    """The keys that have a value: null means the same as no key."""
    for key, node in document.entries.items():
        if not (isinstance(node, Scalar) and node.is_null):
            yield key, node


def _plain(nodes: dict[str, Node], findings: Findings) -> dict[str, Any]:
    if "project" not in nodes and "extends" not in nodes:
        findings.faults.append("project name is required")
    values = {key: read(nodes[key], key, findings) for key, read in _FIELDS.items() if key in nodes}
    return {key: value for key, value in values.items() if value is not None}


def _option_names(*documents: Mapping) -> Iterator[str]:
    """Every key of both files that may be an option of a store, also in the wrong place."""
    for document in documents:
        yield from document.entries
        listed = document.entries.get("backends")
        for entry in listed.items if isinstance(listed, Sequence) else ():
            if isinstance(entry, Mapping):
                config = entry.entries.get("config")
                yield from entry.entries
                yield from _holding(config) if isinstance(config, Mapping) else ()


def _holding(config: Mapping) -> Iterator[str]:
    """The options, but for those that only say where a credential is."""
    for name, node in config.entries.items():
        if not (isinstance(node, Scalar) and is_borrowed(name, node.text)):
            yield name


def _project(node: Node, key: str, findings: Findings) -> str | None:
    name = findings.text(node, key)
    if name is None:
        return None
    fault = project_fault(name)
    findings.faults += [f"project name {fault}"] if fault else []
    return name


def project_fault(name: str) -> str:
    if not name:
        return "is required"
    if name != name.strip():
        return "must not have leading or trailing whitespace"
    if "/" in name or "\\" in name:
        return "must not contain path separators (/ or \\)"
    if name in (".", ".."):
        return 'must not be "." or ".."'
    if not name.isprintable():
        return "must not contain control characters"
    if len(name.encode()) > _LONGEST_PROJECT:
        return f"must not be longer than {_LONGEST_PROJECT} bytes"
    return ""


def _env_file(node: Node, key: str, findings: Findings) -> str | None:
    path = findings.text(node, key)
    if path is None:
        return None
    fault = path_fault(path)
    findings.faults += [f"{key} {fault}"] if fault else []
    return path


def path_fault(path: str) -> str:
    if not path:
        return "must not be empty"
    if path.startswith("/"):
        return "must be a relative path, got absolute path"
    if os.path.normpath(path).split("/")[0] == "..":
        return "must stay inside the project"
    return "" if path.isprintable() else "must not contain control characters"


def _extends(node: Node, key: str, findings: Findings) -> str | None:
    path = findings.text(node, key)
    if path is None:
        return None
    fault = "" if path else "must not be empty"
    fault = fault or ("must be a relative path, got absolute path" if path.startswith(("/", "~", "$")) else "")
    fault = fault or ("" if path.isprintable() else "must not contain control characters")
    findings.faults += [f"{key} {fault}"] if fault else []
    return path


def _precedence(node: Node, key: str, findings: Findings) -> str | None:
    word = findings.text(node, key)
    if word not in (FILES, ENVIRONMENT, None):
        findings.faults.append(node.problem(f"{key} must be {FILES} or {ENVIRONMENT}"))
    return word


def _active_profile(node: Node, key: str, findings: Findings) -> str | None:
    name = findings.text(node, key)
    if name and not is_profile_name(name):
        findings.faults.append(f'{key}: invalid name "{name}"')
    return name or None


def _boolean(node: Node, key: str, findings: Findings) -> bool | None:
    return findings.boolean(node, key)


def _profiles(node: Node, key: str, findings: Findings) -> dict[str, str]:
    profiles = {}
    for name, entry in findings.entries(node, key):
        if not is_profile_name(name):
            findings.faults.append(f'{key}: invalid name "{name}"')
        fields = _profile_fields(entry, f"{key}.{name}", findings)
        profiles[name] = _profile_file(fields, f"{key}.{name}", findings) or f".env.{name}"
        fallback = fields.get("fallback")
        if fallback and findings.boolean(fallback, f"{key}.{name}.fallback") is False:
            findings.closed.append(name)
    return profiles


def _profile_fields(node: Node, where: str, findings: Findings) -> dict[str, Node]:
    if isinstance(node, Scalar) and node.is_null:
        return {}
    if isinstance(node, Mapping):
        findings.warn_unknown_keys(node, ("env_file", "fallback"))
    return dict(findings.entries(node, where))


def _profile_file(fields: dict[str, Node], where: str, findings: Findings) -> str | None:
    path = fields.get("env_file")
    absent = path is None or (isinstance(path, Scalar) and path.is_null)
    return None if path is None or absent else _env_file(path, f"{where}.env_file", findings)


def _team(node: Node, key: str, findings: Findings) -> dict[str, str]:
    team: dict[str, str] = {}
    for index, item in enumerate(findings.items(node, key)):
        where = f"{key}[{index}]"
        member = dict(findings.entries(item, where))
        if isinstance(item, Mapping):
            findings.warn_unknown_keys(item, ("name", "public_key"))
            name, public_key = (_member_field(member, field, where, findings) for field in ("name", "public_key"))
            if name and name in team:
                findings.faults.append(f'{where}: duplicate name "{name}"')
            team[name] = public_key
            if public_key and not is_public_key(public_key):
                findings.faults.append(f"{where}: public_key must be an age public key (age1...) or an ssh public key")
    return team


def _member_field(member: dict[str, Node], field: str, where: str, findings: Findings) -> str:
    node = member.get(field)
    text = findings.text(node, f"{where}: {field}") if node else ""
    if text == "" or (isinstance(node, Scalar) and node.is_null):
        findings.faults.append(f"{where}: {field} is required")
        return ""
    return text or ""


def is_public_key(text: str) -> bool:
    """Whether a secret can be encrypted to this key."""
    from envref.project.recipient import Recipient

    try:
        Recipient(text)
    except UsageError:
        return False
    return True


def _services(node: Node, key: str, findings: Findings) -> dict[str, tuple[str, ...]]:
    services = {}
    for service, listed in findings.entries(node, key):
        where = f"{key}.{service}"
        names = [findings.text(item, where) for item in findings.items(listed, where)]
        wrong = [name for name in names if name is not None and not is_name(name)]
        findings.faults += [f'{where}: "{name}" is not a variable name' for name in wrong]
        services[service] = tuple(name for name in names if name is not None)
    return services


def _trust(node: Node, key: str, findings: Findings) -> str | None:
    mode = findings.text(node, key)
    if mode not in ("default", "strict", None):
        findings.faults.append(node.problem(f"{key} must be default or strict"))
    return mode


def _trusted_paths(node: Node, key: str, findings: Findings) -> tuple[str, ...]:
    paths = [findings.text(item, f"{key}[{index}]") or "" for index, item in enumerate(findings.items(node, key))]
    for index, path in enumerate(paths):
        if not path.startswith(("/", "~", "$")):
            findings.faults.append(f"{key}[{index}] must be an absolute path")
    return tuple(paths)


def _files_directory(node: Node, key: str, findings: Findings) -> str | None:
    path = findings.text(node, key)
    if path is not None and not path.startswith(("/", "~", "$")):
        findings.faults.append(node.problem(f"{key} must be an absolute path"))
    return path


_FIELDS: dict[str, Callable[[Node, str, Findings], Any]] = {
    "project": _project,
    "extends": _extends,
    "env_file": _env_file,
    "local_file": _env_file,
    "locked": _boolean,
    "active_profile": _active_profile,
    "interpolate_environment": _boolean,
    "precedence": _precedence,
    "profiles": _profiles,
    "backends": backends,
    "team": _team,
    "services": _services,
    "tools": tools,
    "trust": _trust,
    "trusted_paths": _trusted_paths,
    "safe_directories": _trusted_paths,
    "agent": agent,
    "audit_log": audit_log,
    "files_directory": _files_directory,
}
