"""`envref resolve`, in every form but the hot door's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from envref import streams
from envref.cli import activate, candidates, output
from envref.cli.files import files_option
from envref.cli.grammar import Command, exclusive, given_directory
from envref.cli.options import (
    LOCKED_ALONE,
    all_option,
    format_of_shell,
    format_option,
    locked_option,
    only_option,
    profile_option,
    timeout_option,
)
from envref.cli.request import Request, is_captured, start, wants_strict
from envref.errors import FAILED, OK, PARTIAL, UsageError
from envref.formats import github, shells
from envref.formats.shells import Sink
from envref.fresh.seen import NAME as SEEN
from envref.resolve import report
from envref.resolve.resolution import environment_of, untrusted_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from envref.formats.shells import Rendered, Values

FORMATS = (
    *("plain", "json", "shell", "table", "dotenv", "fish", "tcsh", "nu"),
    *("powershell", "github", "docker", "systemd"),
)


@click.command(cls=Command)
@profile_option
@format_option(*FORMATS, default="")
@click.option("--export", is_flag=True, help="Code that a shell evaluates.")
@click.option(
    "--shell",
    metavar="S",
    shell_complete=candidates.choice(*shells.SHELLS, "auto"),
    help=f"The shell of --export: {', '.join(shells.SHELLS)}, auto.",
)
@click.option("--direnv", is_flag=True, help="As --export --shell bash.")
@click.option("--strict", is_flag=True, help="All or nothing.")
@only_option
@all_option
@files_option
@locked_option
@click.option("--unset", is_flag=True, help="Code that unsets the project's variables; asks no store.")
@click.option("--explain", is_flag=True, help="Where each variable comes from; no values.")
@click.option("--reveal", is_flag=True, help="Show secret values in the table.")
@click.option("-w", "--watch", is_flag=True, help="Resolve again whenever a file changes.")
@click.option("--agent", is_flag=True, help="Keep what the stores give in the agent, for later shells.")
@timeout_option
@click.option("--from-flox-plugin", "table", metavar="FILE", help="References from a JSON object; - is stdin.")
def resolve(
    profile: str | None,
    format_: str | None,
    shell: str | None,
    only: list[str],
    file: tuple[str, ...],
    timeout: float | None,
    table: str | None,
    *,
    export: bool,
    direnv: bool,
    strict: bool,
    locked: bool,
    unset: bool,
    explain: bool,
    reveal: bool,
    watch: bool,
    agent: bool,
    everything: bool,
) -> int:
    """Print the project's variables, references resolved.

    Example: eval "$(envref resolve --export --profile staging)"
    """
    exclusive(unset=unset, explain=explain, watch=watch)
    exclusive(all=everything, only=only)
    spoken = format_of_shell(shell or "sh")
    evaluable = export or shell is not None or (unset and format_ is None)
    request = Request(
        start(given_directory(), table, os.environ),
        profile=profile,
        format_="shell" if direnv else spoken if evaluable else format_ or "plain",
        only=only,
        strict=strict or wants_strict(os.environ),
        timeout=timeout,
        table=table,
        captured=not direnv and evaluable and is_captured(shell or "sh", os.environ),
        is_code=direnv or evaluable,
        files=file,
        agent=agent,
        locked=locked or None,
        everything=everything or explain,
        is_direnv=direnv,
    )
    _check_sources(request)
    if explain:
        return _explain(request, format_ or "plain")
    if unset:
        return _unset(request)
    if watch:
        _check_watchable(request)
    sink = _sink(request.format, table=output.revealed if reveal else output.masked)
    return _watch(request, sink) if watch else activate.activate(request, sink)


def _sink(format_: str, *, table: Callable[[Values], Rendered]) -> Sink:
    """Where the output goes. EnvrefError, before any store is asked, for a format that has no place here."""
    if format_ == "table":
        return Sink(table)
    if format_ == "plain" and os.isatty(1):
        return Sink(output.for_people)
    if format_ == "github":
        return Sink(github.EnvironmentFile.of(os.environ).render)
    return shells.sink(format_)


def _check_sources(request: Request) -> None:
    if request.locked and (request.table or request.files):
        raise UsageError(LOCKED_ALONE)
    if request.table and request.files:
        raise UsageError("--from-flox-plugin replaces the env files; leave -f out")


def _check_watchable(request: Request) -> None:
    if request.table:
        raise UsageError("--watch looks at the project's files; leave --from-flox-plugin out")
    if request.files:
        raise UsageError("--watch looks at the project's files; leave -f out")
    if request.format == "github":
        raise UsageError("--watch would write each variable to GITHUB_ENV again and again; leave it out")


def _watch(request: Request, sink: Sink) -> int:
    from envref.cli.watching import watching

    return watching(request, sink)


def _unset(request: Request) -> int:
    """Code that unsets every variable; reads the files and asks no store."""
    form = shells.FORMATS.get(request.format)
    if form is None or not form.unset:
        raise UsageError(f'format "{request.format}" cannot unset; use --shell')
    try:
        project = activate.project_of(request)
        environment = environment_of(project)
        chosen = activate.chosen(request, project, environment)
        # A variable that was never set is not unset either: it would be the shell's own.
        untrusted = untrusted_names(project, chosen)
        names = [variable.name for variable in chosen if variable.name not in untrusted]
        if request.is_remembered and not request.only and any(variable.plain is None for variable in chosen):
            names.append(SEEN)
        streams.write(shells.unset(request.format, names))
    except Exception:
        streams.write(form.failure)
        raise
    return OK


def _explain(request: Request, format_: str) -> int:
    if format_ not in ("plain", "json", "table"):
        raise UsageError(f'invalid format "{format_}": --explain takes plain or json')
    resolution = activate.resolve(request)
    rows = report.rows(resolution)
    streams.write(shells.json_text(rows) if format_ == "json" else output.columns(report.cells(rows)))
    streams.say(report.complaints(resolution.filled.values()))
    return (FAILED if request.strict else PARTIAL) if resolution.failed else OK
