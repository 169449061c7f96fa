"""`envref status`: what the project has, what is missing, and what to do next."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from envref import streams
from envref.checks.status import status, without_base
from envref.cli import activate
from envref.cli.grammar import Command, directory
from envref.cli.options import format_option, profile_option, timeout_option
from envref.cli.request import Request
from envref.errors import OK, PARTIAL, printable
from envref.formats import shells
from envref.fresh.ages import words
from envref.project.project import NoProject, configured, find
from envref.resolve.resolution import environment_of, load
from envref.resolve.store import ALWAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envref.checks.status import KeptForTools, Status

_NO_PROJECT = """\
No project configured.

Hints:
  - No .envref.yaml found. Run "envref init" to set up your project.
"""

_VERDICTS = {"[ok]": "32", "[--]": "33", "Status: OK": "32", "issue(s) found": "33"}


@click.command("status", cls=Command)
@profile_option
@click.option("--offline", is_flag=True, help="Ask no store.")
@click.option("--check", is_flag=True, help="Exit status 3 if there is an issue.")
@format_option("plain", "json")
@timeout_option
def command(profile: str | None, format_: str, timeout: float | None, *, offline: bool, check: bool) -> int:
    """Show what the project has, what is missing, and what to do next.

    Example: envref status --check --profile production
    """
    try:
        find(directory())
    except NoProject:
        streams.write("null\n" if format_ == "json" else _NO_PROJECT)
        return OK
    report = _status(Request(directory(), profile=profile, timeout=timeout, everything=True), offline=offline)
    streams.write(shells.json_text(report) if format_ == "json" else _text(report))
    return PARTIAL if check and report["issues"] else OK


def _status(request: Request, *, offline: bool) -> Status:
    """How the project stands. EnvrefError for what `resolve` can't read either."""
    project = configured(request.directory, request.profile)
    if not os.path.lexists(os.path.join(project.root, project.config.env_file)):
        return without_base(project)
    if offline:
        project = load(request.directory, request.profile)
        return status(project, list(environment_of(project).variables.values()))
    resolution = activate.resolve(request)
    return status(resolution.project, resolution.chosen, resolution)


def _text(report: Status) -> str:
    lines = [printable(line) for line in _lines(report)]
    shown = map(_painted, lines) if streams.is_coloured(1) else lines
    return "".join(f"{line}\n" for line in shown)


def _painted(line: str) -> str:
    """The line with its verdict coloured; the words alone say the same."""
    for text, code in _VERDICTS.items():
        line = line.replace(text, streams.styled(text, code), 1)
    return line


def _lines(report: Status) -> Iterator[str]:
    secrets = report["secrets"]
    yield f"Project: {report['project']}"
    if report["profile"]:
        yield f"Profile: {report['profile']}"
    yield from ("", "Files:")
    yield from (f"  [{'ok' if file['present'] else '--'}] {file['name']}" for file in report["files"])
    yield from ("", f"Environment: {report['keys']} keys ({report['config']} config, {secrets['total']} secrets)")
    if secrets["total"]:
        asked = "not checked" if secrets["resolved"] is None else f"{secrets['resolved']}/{secrets['total']}"
        yield from ("", "Secrets:", f"  Backends: {', '.join(_backends(report))}", f"  Resolved: {asked}")
        if secrets["missing"]:
            yield f"  Missing:  {', '.join(secrets['missing'])}"
        if secrets["revisions"]:
            yield "  Revisions:"
            yield from (f"    {row['name']}  {words(row)}" for row in secrets["revisions"])
    if "tools" in report:
        yield from ("", "Kept from the shell, for:", *_kept(report["tools"]))
    if report["example"] or report["schema"]:
        yield from ("", "Validation:", *_validation(report))
    if report["hints"]:
        yield from ("", "Hints:", *(f"  - {hint}" for hint in report["hints"]))
    yield ""
    yield f"Status: {report['issues']} issue(s) found" if report["issues"] else "Status: OK"


def _kept(kept: KeptForTools) -> Iterator[str]:
    for tool, names in kept["tools"].items():
        yield f"  {tool}: {', '.join(names)}"
    if kept["made_of_them"]:
        yield f"  nothing, as made of these: {', '.join(kept['made_of_them'])}"
    if kept["unset"]:
        yield f"  [--] no env file sets: {', '.join(kept['unset'])}"


def _backends(report: Status) -> Iterator[str]:
    for name in report["secrets"]["backends"]:
        yield f"{name} (optional: {ALWAYS})" if name in report["secrets"].get("forgiven", ()) else name


def _validation(report: Status) -> Iterator[str]:
    compared, judged = report["example"], report["schema"]
    if compared:
        for what, names in (("Missing", compared["missing"]), ("Extra", compared["extra"])):
            if names:
                yield f"  {what} keys: {', '.join(names)}"
        if not compared["missing"] and not compared["extra"]:
            yield f"  [ok] all keys match {compared['file']}"
    if judged:
        yield f"  Type errors: {', '.join(judged['broken'])}" if judged["broken"] else f"  [ok] {judged['file']}"
