"""`envref resolve`, in every form but the hot door's."""

from __future__ import annotations

import os

import click

from envref import activate, report, shells, streams
from envref.cli import completion, output
from envref.cli.grammar import Command, directory, exclusive, format_option, profile_option
from envref.errors import FAILED, OK, PARTIAL, EnvrefError, UsageError
from envref.project import load
from envref.request import Request, format_of, seconds, wants_strict

FORMATS = ("plain", "json", "shell", "table", "dotenv", "fish", "tcsh", "nu")


@click.command(cls=Command)
@profile_option
@format_option(*FORMATS, default="")
@click.option("--export", is_flag=True, help="Code that a shell evaluates.")
@click.option("--shell", metavar="S", help=f"The shell of --export: {', '.join(shells.SHELLS)}, auto.")
@click.option("--direnv", is_flag=True, help="As --export --shell bash.")
@click.option("--strict", is_flag=True, help="All or nothing.")
@click.option("--only", metavar="K,…", multiple=True, help="Only these variables.", shell_complete=completion.variables)
@click.option("--unset", is_flag=True, help="Code that unsets the project's variables; asks no store.")
@click.option("--explain", is_flag=True, help="Where each variable comes from; no values.")
@click.option("--reveal", is_flag=True, help="Show secret values in the table.")
@click.option("--timeout", metavar="SECONDS", help="Seconds each store may take in total, 0.1 to 600.")
def resolve(
    profile: str | None,
    format_: str | None,
    shell: str | None,
    only: tuple[str, ...],
    timeout: str | None,
    **flags: bool,
) -> int:
    """Print the project's variables, references resolved.

    Example: eval "$(envref resolve --export --profile staging)"
    """
    exclusive(unset=flags["unset"], explain=flags["explain"])
    request = Request()
    request.directory = directory()
    request.profile = checked_profile(profile)
    request.only = checked_names(only)
    request.strict = flags["strict"] or wants_strict(os.environ)
    request.timeout = checked_timeout(timeout)
    request.format = _format(format_, shell, flags)
    if flags["explain"]:
        return _explain(request, format_ or "plain")
    if flags["unset"]:
        return _unset(request)
    if request.format == "table":
        return activate.activate(request, output.revealed if flags["reveal"] else output.masked)
    return activate.activate(request)


def checked_profile(profile: str | None) -> str | None:
    """The option's value. An empty one is a mistake, e.g. an unset variable, and not "no profile"."""
    if profile == "":
        raise UsageError("profile name must not be empty")
    return profile


def checked_names(only: tuple[str, ...]) -> list[str]:
    """The names of `--only`, which takes several with commas and may be repeated."""
    names = [name for text in only for name in text.split(",")]
    if "" in names:
        raise UsageError('empty name in "--only"')
    return names


def checked_timeout(option: str | None) -> float | None:
    """Seconds of `--timeout`, else of ENVREF_TIMEOUT, else None."""
    text = option if option is not None else os.environ.get("ENVREF_TIMEOUT") or None
    number = None if text is None else seconds(text)
    if text is not None and number is None:
        source = "--timeout" if option is not None else "ENVREF_TIMEOUT"
        raise UsageError(f'invalid {source} "{text}": must be seconds between 0.1 and 600')
    return number


def _format(format_: str | None, shell: str | None, flags: dict[str, bool]) -> str:
    spoken = format_of(shell or "sh", os.environ)
    if not spoken:
        raise UsageError(f'invalid shell "{shell}": must be one of {", ".join(shells.SHELLS)}, auto')
    if flags["direnv"]:
        return "shell"
    if flags["export"] or shell is not None or (flags["unset"] and format_ is None):
        return spoken
    return format_ or "plain"


def _unset(request: Request) -> int:
    """Code that takes every variable away again; the files are read and no store is asked."""
    form = shells.FORMATS.get(request.format)
    if form is None or not form.unset:
        raise UsageError(f'format "{request.format}" cannot unset; use --shell')
    try:
        environment = activate.environment_of(load(request.directory, request.profile))
        chosen = environment.select(request.only) if request.only else environment.variables.values()
        streams.write(shells.unset(request.format, (variable.name for variable in chosen)))
    except EnvrefError:
        streams.write(form.failure)
        raise
    return OK


def _explain(request: Request, format_: str) -> int:
    if format_ not in ("plain", "json", "table"):
        raise UsageError(f'invalid format "{format_}": --explain takes plain or json')
    resolution = activate.resolve(request)
    rows = report.rows(resolution)
    streams.write(shells.json_text(rows) if format_ == "json" else report.table(rows))
    streams.say(activate.complaints(resolution))
    return (FAILED if request.strict else PARTIAL) if resolution.failed else OK
