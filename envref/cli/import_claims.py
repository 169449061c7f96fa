"""`envref import` of another tool's file: its variables become lines of the project's env file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from envref import atomic, streams
from envref.cli.files import named_content, project
from envref.env.edit import with_value
from envref.env.file import EnvFile
from envref.env.source import BOM
from envref.errors import FAILED, OK, EnvrefError
from envref.project.edit import trust_kept
from envref.project.project import Project
from envref.secrets import fnox, hook_commands, secretspec
from envref.secrets.claim import Claim, reference

Reader = Callable[[str, str, "str | None"], Iterator[Claim]]

_READERS: tuple[tuple[str, Reader], ...] = (
    (r"fnox(\..+)?\.toml", fnox.claims),
    (r"secretspec(\..+)?\.toml", secretspec.claims),
    (r"manifest\.toml", hook_commands.claims),
)


class _Assigned(NamedTuple):
    """A variable to write; `value` is a reference or plain text."""

    name: str
    value: str


def reader_of(file: str) -> Reader | None:
    """Who reads a file of this name; None for an env file."""
    name = os.path.basename(file)
    return next((reader for pattern, reader in _READERS if re.fullmatch(pattern, name)), None)


def import_claims(
    reader: Reader, file: str, profile: str | None, only: list[str], without: list[str], *, dry_run: bool
) -> int:
    """Writes what the file refers to; the file itself stays as it is."""
    found = project(profile)
    text = named_content(file).decode("utf-8", "surrogateescape").removeprefix(BOM).replace("\r\n", "\n")
    wanted = list(reader(text, file, found.profile))
    _check(wanted, file, [*only, *without])
    chosen = [claim for claim in wanted if (claim.name in only if only else claim.name not in without)]
    lines, left = _lines(chosen, found)
    before = _env_file(found)
    taken = [line for line in lines if before.get(line.name) is None]
    left += [(line.name, f"{before.name} sets it already") for line in lines if before.get(line.name) is not None]
    for name, reason in left:
        streams.warn(f"{name}: not taken: {reason}")
    if not chosen:
        streams.inform(f"nothing to take from {file}")
    if not dry_run and taken:
        _write(found, taken)
    for line in taken:
        streams.inform(f"{'would write ' if dry_run else ''}{line.name}={line.value}")
    return FAILED if left else OK


def _check(wanted: Iterable[Claim], file: str, names: Iterable[str]) -> None:
    known = {claim.name for claim in wanted}
    for name in names:
        if name not in known:
            raise EnvrefError(f'key "{name}" not found in {file}', hint=f"it has {', '.join(sorted(known)) or 'none'}")


def _lines(chosen: Iterable[Claim], found: Project) -> tuple[list[_Assigned], list[tuple[str, str]]]:
    """The lines, one a variable, and the variables that have none, with the reason.

    A script may set a variable twice, for two systems: the first that a backend serves counts.
    """
    lines: dict[str, _Assigned] = {}
    left: dict[str, str] = {}
    for claim in chosen:
        value, reason = (claim.text, "") if claim.text is not None else reference(claim, found.config)
        if reason:
            left.setdefault(claim.name, reason)
        else:
            lines.setdefault(claim.name, _Assigned(claim.name, value))
    return list(lines.values()), [(name, reason) for name, reason in left.items() if name not in lines]


def _env_file(found: Project) -> EnvFile:
    name = _name(found)
    path = os.path.join(found.root, name)
    return EnvFile.read(path, name) if os.path.lexists(path) else EnvFile.parse("", name)


def _name(found: Project) -> str:
    return found.config.profile_file(found.profile) if found.profile else found.config.env_file


def _write(found: Project, lines: Iterable[_Assigned]) -> None:
    """Adds the lines to the env file of the profile, or the base, as it is now."""
    path = os.path.join(found.root, _name(found))
    with atomic.lock(path, inside=found.root), trust_kept(found.root, path):
        after = _env_file(found)
        for name, value in lines:
            after = with_value(after, name, value)
        atomic.write(path, str(after).encode(), inside=found.root)
