"""`envref audit`: plain-text secrets in env files, and with --values leaked ones in any file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import groupby

import click

from envref import streams
from envref.checks.audit import LEAST_ENTROPY, PlainSecret, findings
from envref.cli.audit_values import closures, places, search
from envref.cli.files import files_option, named_file, project
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import format_option, profile_option
from envref.env.file import EnvFile
from envref.errors import FAILED, OK, UsageError
from envref.formats import shells
from envref.project import git
from envref.project.project import Project, not_read, profiles, readable
from envref.project.trust.gate import is_granted

_CLEAN = "OK: no plaintext secrets detected\n"
_ADVICE = "Use ref:// references to keep secrets out of .env files"


@click.command(cls=Command)
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@profile_option
@files_option
@click.option("--local-file", metavar="FILE", help="The personal overrides.")
@click.option("--min-entropy", metavar="N", default=str(LEAST_ENTROPY), help="Bits a character of a random value.")
@click.option("--all-profiles", is_flag=True, help="Also every profile's file.")
@click.option("--staged", is_flag=True, help="The files as the next git commit has them.")
@click.option("--values", is_flag=True, help="Search the PATHs for the project's real secret values.")
@click.option("--closure", is_flag=True, help="With --values: also all store paths that the PATHs refer to.")
@format_option("plain", "json")
def audit(
    paths: tuple[str, ...],
    profile: str | None,
    format_: str,
    file: tuple[str, ...],
    local_file: str | None,
    min_entropy: str,
    *,
    all_profiles: bool,
    staged: bool,
    values: bool,
    closure: bool,
) -> int:
    """Find secrets that stand in env files as plain text, or, with --values, in any file.

    Example: envref audit --all-profiles
    """
    exclusive(staged=staged, values=values)
    if bool(paths) != bool(values):
        raise UsageError("--values needs at least one PATH" if values else "a PATH needs --values")
    if closure and not values:
        raise UsageError("--closure needs --values")
    if values:
        return search(closures(paths) if closure else places(paths), profile, format_)
    found = project(profile)
    own = _unreplaced(found, file, local_file, all_profiles=all_profiles)
    given = [name for name in (*file, local_file) if name]
    files = _staged(found, given, own) if staged else _present(found, given, own)
    return _report(findings(files, _bits(min_entropy)), format_)


def _bits(text: str) -> float:
    try:
        bits = float(text)
    except ValueError:
        bits = -1.0
    if not 0 <= bits <= 8:
        raise UsageError(f'invalid --min-entropy "{text}": must be bits a character, 0 to 8')
    return bits


def _unreplaced(found: Project, file: tuple[str, ...], local_file: str | None, *, all_profiles: bool) -> list[str]:
    """The project's env files by their names in its root, less those that the command line replaces.

    Base, profiles, local.
    """
    config = found.config
    wanted = {**({found.profile: config.profile_file(found.profile)} if found.profile else {})}
    wanted |= profiles(found.root, config) if all_profiles else {}
    files = [*wanted.values(), *(f".env.{profile}.local" for profile in wanted)]
    replaced = {config.env_file if file else None, config.local_file if local_file else None}
    names = dict.fromkeys([config.env_file, *files, config.local_file])
    return [name for name in names if name not in replaced]


def _present(found: Project, given: list[str], own: list[str]) -> list[EnvFile]:
    """The files that exist; one that was named on the command line has to exist."""
    files = [named_file(name) for name in given]
    for name in own:
        path = readable(found, name, is_granted)
        if not path:
            streams.warn(not_read(found.root, name))
        elif os.path.lexists(path):
            files.append(EnvFile.read(path, name))
    return files


def _staged(found: Project, given: list[str], own: list[str]) -> list[EnvFile]:
    places = [*((directory(), name) for name in given), *((found.root, name) for name in own)]
    contents = [(name, git.staged(folder, name)) for folder, name in places]
    return [EnvFile.parse(data.decode("utf-8", "surrogateescape"), name) for name, data in contents if data is not None]


def _report(found: list[PlainSecret], format_: str) -> int:
    if format_ == "json":
        streams.write(shells.json_text([finding._asdict() for finding in found]))
    elif found:
        streams.say(_lines(found))
    elif streams.level != streams.QUIET:
        streams.write(_CLEAN)
    return FAILED if found else OK


def _lines(found: list[PlainSecret]) -> Iterable[str]:
    for file, of_file in groupby(found, key=lambda finding: finding.file):
        yield f"{file}:"
        yield from (f"  line {finding.line}: {finding.key} — {finding.reason}" for finding in of_file)
    yield f"Audit found {len(found)} potential secret(s). {_ADVICE}"
    yield f"{len(found)} potential secret(s) found"
