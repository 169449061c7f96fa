"""`envref doctor`: what is wrong with the project on this machine, each with its cure."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from envref import streams
from envref.checks.doctor import checks
from envref.checks.doctor.case import Case
from envref.checks.doctor.finding import Finding, from_error
from envref.cli.files import project
from envref.cli.grammar import Command, directory
from envref.cli.options import format_option, profile_option
from envref.cli.timeout import timeout_of_environment
from envref.errors import FAILED, OK, EnvrefError, printable, steps
from envref.flox.manifest_file import PLACE
from envref.formats import shells
from envref.fresh.ages import Age, words
from envref.paths import shown
from envref.project.config.files import FILE
from envref.project.project import Project, bare, layers


@click.command(cls=Command)
@profile_option
@click.option("-f", "--file", metavar="FILE", help="The base file.")
@click.option("--local-file", metavar="FILE", help="The personal overrides.")
@click.option("--flox", is_flag=True, help="Also look at the Flox environment and at what Flox keeps.")
@format_option("plain", "json")
def doctor(profile: str | None, file: str | None, local_file: str | None, format_: str, *, flox: bool) -> int:
    """Find what is wrong with the env files and around them, with a cure for each.

    Shows no value; asks stores whether they are ready, and which version of each secret they have.

    Example: envref doctor --flox
    """
    found, broken = _project(profile)
    case = Case(
        found,
        _layers(found, file, local_file),
        start=os.path.realpath(directory()),
        ambient=found.ambient,
        timeout=timeout_of_environment(),
    )
    if not case.files and not case.faults and not broken and not flox:
        raise EnvrefError(f"no env file in {shown(found.root)}: nothing was looked at", run=("envref", "init"))
    findings = {"config": broken} if broken else {}
    for table in _tables(case, flox=flox):
        findings |= checks.examine(case, table)
    if format_ == "json":
        streams.write(shells.json_text({**_report(findings), "secrets": case.ages}))
    else:
        _tell_ages(case.ages)
        _tell([finding for each in findings.values() for finding in each])
        if not flox and os.path.exists(os.path.join(found.root, PLACE)):
            streams.inform("hint: there is a Flox environment here; envref doctor --flox looks at it too")
    return FAILED if any(map(_faults, findings.values())) else OK


def _faults(findings: list[Finding]) -> int:
    """How many findings are more than a note."""
    return sum(not finding.is_note for finding in findings)


def _project(profile: str | None) -> tuple[Project, list[Finding]]:
    """The project; if its config can't be used, just its directory, and what is wrong with the config."""
    if not os.path.isdir(directory()):
        raise EnvrefError("no such directory", subject=shown(directory()), hint="-C names it")
    try:
        return project(profile), []
    except EnvrefError as error:
        finding = from_error(FILE, error, "correct it; every command that needs the project stops here")
        return bare(directory(), profile), [finding]


def _tables(case: Case, *, flox: bool) -> Iterable[checks.Checks]:
    yield checks.FILES
    if case.configured:
        yield checks.PROJECT
        yield checks.STORES
    if flox:
        yield checks.FLOX


def _layers(found: Project, file: str | None, local_file: str | None) -> Iterable[tuple[str, str]]:
    """Path and shown name of each file. Named files have to exist, and a project's base file; others may be absent."""
    base = found.config.env_file
    instead = {base: file, found.config.local_file: local_file}
    for name in dict.fromkeys([*layers(found), *(name for name, named in instead.items() if named)]):
        named = instead.get(name)
        if named:
            yield os.path.join(directory(), named), named
        elif os.path.lexists(os.path.join(found.root, name)) or (name == base and found.config.path):
            yield "", name


def _report(findings: dict[str, list[Finding]]) -> dict[str, object]:
    """The report of `--format json`; docs/doctor.md has its shape."""
    rows = [_row(word, finding) for word, each in findings.items() for finding in each]
    return {"version": 1, "checks": list(findings), "issues": sum(map(_faults, findings.values())), "findings": rows}


def _row(word: str, finding: Finding) -> dict[str, str | int]:
    """A finding without its empty fields."""
    cure = {"run": steps(finding.run, finding.hint), "hint": ""} if finding.run else {"run": "", "hint": finding.hint}
    fields = {**vars(finding), **cure, "is_said": False}
    return {"check": word, **{name: value for name, value in fields.items() if value}}


def _tell_ages(rows: Iterable[Age]) -> None:
    if streams.level != streams.QUIET:
        streams.write("".join(f"{printable(row['name'])}  {printable(words(row))}\n" for row in rows))


def _tell(findings: list[Finding]) -> None:
    """Prints the findings on stderr, grouped by file; or the one line on stdout that all is well."""
    faults = _faults(findings)
    if findings:
        streams.say(_by_subject(findings))
    if faults:
        streams.say(["", f"Doctor found {faults} issue(s)", f"{faults} issue(s) found"])
    elif streams.level != streams.QUIET:
        streams.write("OK: no issues found\n")


def _by_subject(findings: list[Finding]) -> list[str]:
    lines = []
    for subject in dict.fromkeys(finding.subject for finding in findings):
        about = [finding for finding in findings if finding.subject == subject]
        about.sort(key=lambda finding: (finding.line == 0, finding.line))
        lines += [f"{subject}:", *(line for finding in about for line in finding.lines())]
    return lines
