"""`envref config show`: the configuration that is in effect, secrets masked (commands.md 2.15)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import click

from envref import streams
from envref.backends.table import BUILTIN
from envref.cli import output
from envref.cli.grammar import Command, Group, directory
from envref.cli.options import format_option
from envref.errors import printable
from envref.formats import shells
from envref.paths import shown
from envref.project.config.load import inspect
from envref.project.config.model import FILES, READS, VARIABLES, BackendConfig, Config, is_masked
from envref.project.inherited import inherit
from envref.project.project import Project, active, find
from envref.project.tokens import committed_tokens


@click.group(cls=Group)
def config() -> None:
    """See what the project is configured to do."""


@config.command(cls=Command)
@format_option("plain", "json", "table")
def show(format_: str) -> None:
    """Show the configuration in effect: the project's over your own. Secrets are masked.

    Example: envref config show --format json
    """
    effective = inspect(find(directory()))
    if effective.extends:
        effective = inherit(effective, os.path.dirname(effective.path))
    effective = effective.replaced(active_profile=active(os.path.dirname(effective.path), effective))
    warnings = _warnings(effective)
    if format_ == "json":
        streams.write(shells.json_text(_data(effective, warnings)))
    elif format_ == "table":
        streams.write(output.table(("KEY", "VALUE"), _rows(effective, warnings)))
    else:
        streams.write("".join(f"{printable(line)}\n" for line in _lines(effective, warnings)))


def _warnings(effective: Config) -> list[str]:
    """What is wrong with the files; also a token that git tracks, once every type is known that trust asks about."""
    if not all(backend.type in BUILTIN for backend in effective.backends):
        return list(effective.warnings)
    root = os.path.dirname(effective.path)
    project = Project(root, effective, effective.active_profile, files=(), warnings=effective.warnings)
    return [*effective.warnings, *committed_tokens(project)]


def _options(backend: BackendConfig) -> dict[str, str | bool]:
    """The options by name; one that may be a secret shows as asterisks."""
    return {name: output.MASK if is_masked(name, value) else value for name, value in sorted(backend.options.items())}


def _settings(backend: BackendConfig) -> dict[str, str | bool | float]:
    """The options, and the other settings of the backend."""
    own: dict[str, str | bool | float] = {**_options(backend)}
    own |= {"optional": backend.optional} if backend.optional else {}
    own |= {"timeout": backend.timeout} if backend.timeout is not None else {}
    own |= {"agent": _kept(backend.agent)} if backend.agent is not None else {}
    own |= {f"names.{key}": name for key, name in backend.names.items()}
    return dict(sorted(own.items()))


def _word(value: str | bool | float) -> str:  # noqa: FBT001  a boolean is one of the values
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value


def _kept(seconds: int) -> str:
    return f"{seconds}s" if seconds else "false"


def _chosen(effective: Config) -> dict[str, str | None]:
    """What somebody wrote that has a default; empty for the others."""
    return {
        "ActiveProfile": effective.active_profile,
        "InterpolateEnvironment": "true" if effective.interpolate_environment else "",
        "Locked": "true" if effective.locked else "",
        "Precedence": "" if effective.precedence == FILES else effective.precedence,
        "Extends": effective.extends,
        "Trust": "" if effective.trust == "default" else effective.trust,
        "Agent": "" if effective.agent is None else _kept(effective.agent),
        "AuditLog": ", ".join(effective.audit_log),
        "FilesDirectory": effective.files_directory,
    }


def _lines(effective: Config, warnings: Sequence[str]) -> Iterator[str]:
    yield f"Project: {effective.project}"
    yield f"EnvFile: {effective.env_file}"
    yield f"LocalFile: {effective.local_file}"
    yield from (f"{label}: {value}" for label, value in _chosen(effective).items() if value)
    yield "Backends:"
    for backend in effective.backends:
        yield f"  - {backend.name} (type: {backend.type})"
        yield from (f"    {name}: {_word(value)}" for name, value in _settings(backend).items())
    if not effective.backends:
        yield "  (none)"
    active = effective.active_profile
    notes = {
        name: " (active)" * (name == active) + " (no fallback)" * (name in effective.closed)
        for name in effective.profiles
    }
    yield from _section("Profiles", [f"{name} -> {file}{notes[name]}" for name, file in effective.profiles.items()])
    yield from _section("Team", [f"{name}: {key}" for name, key in effective.team.items()])
    yield from _section("Services", [f"{name}: {', '.join(names)}" for name, names in effective.services.items()])
    yield from _section("Tools", [f"{tool}: {', '.join(names)}" for tool, names in _kept_for_tools(effective)])
    yield from _section("TrustedPaths", [shown(path) for path in effective.trusted_paths])
    yield from _section("SafeDirectories", list(effective.safe_directories))
    yield f"Config: {shown(effective.path)}"
    if effective.global_path:
        yield f"Global: {shown(effective.global_path)}"
    yield from _section("Warnings", list(warnings))


def _kept_for_tools(effective: Config) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each tool, with the way where that is not its environment, and the variables that it alone gets."""
    for tool, ways in effective.tools.items():
        yield from ((tool if way == VARIABLES else f"{tool}.{way}", names) for way, names in ways.items())


def _section(title: str, lines: list[str] | tuple[str, ...]) -> Iterator[str]:
    """The title and its lines; nothing when there are none."""
    if lines:
        yield f"{title}:"
        yield from (f"  - {line}" for line in lines)


def _data(effective: Config, warnings: Sequence[str]) -> dict[str, object]:
    """With the keys of the file; paths of the two files in full."""
    return {
        "project": effective.project,
        "env_file": effective.env_file,
        "local_file": effective.local_file,
        "active_profile": effective.active_profile,
        "interpolate_environment": effective.interpolate_environment,
        "precedence": effective.precedence,
        "locked": effective.locked,
        "extends": effective.extends,
        "agent": effective.agent,
        "audit_log": {READS: effective.logs_reads},
        "files_directory": effective.files_directory,
        "backends": [_backend(backend) for backend in effective.backends],
        "profiles": {
            name: {"env_file": file, **({"fallback": False} if name in effective.closed else {})}
            for name, file in effective.profiles.items()
        },
        "team": [{"name": name, "public_key": key} for name, key in effective.team.items()],
        "services": {name: list(names) for name, names in effective.services.items()},
        "tools": {tool: {way: list(names) for way, names in ways.items()} for tool, ways in effective.tools.items()},
        "trust": effective.trust,
        "trusted_paths": list(effective.trusted_paths),
        "safe_directories": list(effective.safe_directories),
        "config": effective.path,
        "global": effective.global_path,
        "warnings": list(warnings),
    }


def _backend(backend: BackendConfig) -> dict[str, object]:
    return {
        "name": backend.name,
        "type": backend.type,
        "config": _options(backend),
        "timeout": backend.timeout,
        "optional": backend.optional,
        "names": dict(backend.names),
        "agent": backend.agent,
    }


def _rows(effective: Config, warnings: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every setting by its path in the file."""
    yield "project", effective.project
    yield "env_file", effective.env_file
    yield "local_file", effective.local_file
    if effective.active_profile:
        yield "active_profile", effective.active_profile
    yield "interpolate_environment", _word(effective.interpolate_environment)
    yield "precedence", effective.precedence
    if effective.locked:
        yield "locked", "true"
    if effective.extends:
        yield "extends", effective.extends
    if effective.agent is not None:
        yield "agent", _kept(effective.agent)
    if effective.audit_log:
        yield f"audit_log.{READS}", "true"
    if effective.files_directory:
        yield "files_directory", effective.files_directory
    for backend in effective.backends:
        yield f"backends.{backend.name}", backend.type
        yield from ((f"backends.{backend.name}.{name}", _word(value)) for name, value in _settings(backend).items())
    yield from ((f"profiles.{name}", file) for name, file in effective.profiles.items())
    yield from ((f"team.{name}", key) for name, key in effective.team.items())
    yield from ((f"services.{name}", ",".join(names)) for name, names in effective.services.items())
    yield from ((f"tools.{tool}", ",".join(names)) for tool, names in _kept_for_tools(effective))
    yield "config", shown(effective.path)
    if effective.global_path:
        yield "global", shown(effective.global_path)
    yield from (("warning", warning) for warning in warnings)
