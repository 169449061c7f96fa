"""`envref audit`: plain-text secrets in env files, and with --values leaked ones in any file."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import click

from envref import streams
from envref.checks import baseline as known
from envref.checks.audit import MARK, PlainSecret, findings
from envref.checks.randomness import LEAST_ENTROPY
from envref.cli.audit_files import Looked, own_names, present
from envref.cli.audit_files import staged as files_of_commit
from envref.cli.audit_values import closures, places, search
from envref.cli.files import files_option, named_content, project
from envref.cli.grammar import Command, exclusive
from envref.cli.options import format_option, profile_option
from envref.errors import FAILED, OK, UsageError, pasted
from envref.formats import shells

_CLEAN = "OK: no plaintext secrets detected\n"
_ADVICE = "Use ref:// references to keep secrets out of .env files"


@click.command(cls=Command)
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@profile_option
@files_option
@click.option("--local-file", metavar="FILE", help="The personal overrides.")
@click.option("--min-entropy", metavar="N", default=str(LEAST_ENTROPY), help="Bits a character of a random value.")
@click.option("--all-profiles", is_flag=True, help="Also every profile's file.")
@click.option("--staged", is_flag=True, help="All env files of the next git commit, in every folder.")
@click.option("--baseline", metavar="FILE", help="Leave out what this report (--format json) has.")
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
    baseline: str | None,
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
    given = [name for name in (*file, local_file) if name]
    if staged:
        looked = files_of_commit(given)
    else:
        found = project(profile)
        looked = present(found, given, own_names(found, file, local_file, all_profiles=all_profiles))
    secrets = findings(looked.files, _bits(min_entropy))
    if baseline:
        secrets = known.new(secrets, named_content(baseline), baseline)
    return _report(secrets, looked, format_)


def _bits(text: str) -> float:
    try:
        bits = float(text)
    except ValueError:
        bits = -1.0
    if not 0 <= bits <= 8:
        raise UsageError(f'invalid --min-entropy "{text}": must be bits a character, 0 to 8')
    return bits


def _report(found: list[PlainSecret], looked: Looked, format_: str) -> int:
    for fault in looked.faults:
        streams.complain(fault)
    names = [file.name for file in looked.files]
    streams.inform(f"looked at {len(names)} file(s): {', '.join(names)}")
    if format_ == "json":
        streams.write(shells.json_text([finding._asdict() for finding in found]))
    elif found:
        streams.say(_lines(found, looked.place(found[0].file)))
    elif not looked.faults and streams.level != streams.QUIET:
        streams.write(_CLEAN)
    return FAILED if found or looked.faults else OK


def _lines(found: list[PlainSecret], place: str) -> Iterable[str]:
    for file, of_file in groupby(found, key=lambda finding: finding.file):
        yield f"{file}:"
        yield from (f"  line {finding.line}: {finding.key} — {finding.reason}" for finding in of_file)
    yield f"Audit found {len(found)} potential secret(s). {_ADVICE}"
    yield f"{len(found)} potential secret(s) found"
    marked = f"end the line of what is none with: # {MARK}"
    yield f"  run: {pasted(('envref', 'import', place))}, or {marked}" if place else f"  hint: {marked}"
