"""`envref shim`: the folder of scripts that stands before the tools, and what puts it on a shell's PATH."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from envref import streams
from envref.cli import activate, shim_call
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import format_of_shell, profile_option
from envref.cli.request import Request
from envref.cli.timeout import timeout_of_environment
from envref.errors import OK, EnvrefError, UsageError
from envref.formats import shells
from envref.fresh import seen
from envref.paths import shown
from envref.project import shimmed
from envref.project.project import configured
from envref.resolve import resolution as resolutions
from envref.resolve.withheld import withheld
from envref.tools import functions, shims

if TYPE_CHECKING:
    from envref.project.project import Project


@click.command("shim", cls=Command, context_settings={"allow_interspersed_args": False})
@profile_option
@click.option("--write", is_flag=True, help="Make the folder of scripts, one for each tool under tools:.")
@click.option("--export", is_flag=True, help="Code that puts the folder first on a shell's PATH; makes it if needed.")
@click.option("--shell", metavar="S", help=f"The shell of --export: {', '.join(shells.SHELLS)}, auto.")
@click.option("--functions", "named", is_flag=True, help="With --export: also a function for each tool.")
@click.option("--path", is_flag=True, help="Print the folder's path, or nothing if it is not there.")
@click.option("--remove", is_flag=True, help="Remove the project's folders of scripts.")
@click.option(shim_call.CALL, "tool", metavar="TOOL", hidden=True)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="")
def shim(
    profile: str | None,
    shell: str | None,
    tool: str | None,
    words: tuple[str, ...],
    *,
    write: bool,
    export: bool,
    named: bool,
    path: bool,
    remove: bool,
) -> int:
    """Give each tool under tools: its variables, and no shell. Without an option: what is there.

    Example: eval "$(envref shim --export)"
    """
    if tool is not None:
        request = Request(directory(), profile=profile, timeout=timeout_of_environment())
        return shim_call.call(shim_call.ShimCall(tool, request, words))
    if words:
        raise UsageError(f"accepts 0 arg(s), received {len(words)}")
    exclusive(write=write, export=export, path=path, remove=remove)
    if not export and (shell or named):
        raise UsageError(f"--{'shell' if shell else 'functions'} needs --export")
    if export:
        return _export(profile, shell or "sh", named=named)
    project = configured(directory(), profile)
    streams.warn_each(project.warnings)
    if path:
        return _path(project, profile)
    if remove:
        return _remove(project)
    return _write(project, profile) if write else _show(project, profile)


def _write(project: Project, profile: str | None) -> int:
    old = shims.written(project)
    path = shims.write(project, profile)
    if not path:
        raise EnvrefError("no tool gets a variable here", hint="add to .envref.yaml, e.g.: tools: {gh: [GH_TOKEN]}")
    names = ", ".join(shimmed.tools(project.config))
    streams.inform(f"{shown(path)} is up to date" if path in old else f"wrote {shown(path)}: {names}")
    if path not in os.environ.get("PATH", "").split(os.pathsep):
        streams.inform('  to put it first in this shell, run: eval "$(envref shim --export)"')
    return OK


def _show(project: Project, profile: str | None) -> int:
    """Each tool, its variables, and what its name means in this shell."""
    current = shims.folder(project, profile)
    first = os.environ.get("PATH", "").split(os.pathsep)
    state = "not written" if current not in shims.written(project) else "" if current in first else "not on PATH"
    for tool in shimmed.tools(project.config):
        names = ", ".join(project.config.tools[tool]["variables"])
        streams.write(f"{tool}: {names}{f'  ({state})' if state else ''}\n")
    return OK


def _path(project: Project, profile: str | None) -> int:
    current = shims.folder(project, profile)
    if current and current in shims.written(project):
        streams.write(f"{current}\n")
    return OK


def _remove(project: Project) -> int:
    removed = shims.remove(project)
    for path in removed:
        streams.inform(f"removed {shown(path)}")
    streams.inform("  in a shell that has called one, run: hash -r" if removed else "no shims are there")
    return OK


def _export(profile: str | None, shell: str, *, named: bool) -> int:
    format_ = format_of_shell(shell)
    sink = shells.sink(format_)
    try:
        project = resolutions.load(directory(), profile)
        activate.agree(project)
        folder = shims.write(project, profile)
        path = shims.path_with(folder, project, os.environ.get("PATH", ""))
        rendered = sink.render([("PATH", path)])
        code = functions.define(shell, shimmed.tools(project.config), folder) if named and folder else ""
        given, own = _kept_here(project)
        streams.write(shells.unset(format_, given) + rendered.text + code)
        if own and not named:  # Flox's profile, which names them, comes after its hook
            cure = "; ".join(line.rstrip(";") for line in shells.unset(format_, own).splitlines())
            streams.inform(f"{', '.join(own)}: in this shell, not by envref; to take it out, run: {cure}")
    except Exception:
        sink.fail()
        raise
    return OK


def _kept_here(project: Project) -> tuple[list[str], list[str]]:
    """What is in the shell, and now only a tool gets: from an activation of this project, and from elsewhere.

    An activation remembers the names that depend on a reference. The others have the value of the files.
    """
    if not project.config.tools:
        return [], []
    seen_here = seen.before(project, project.profile).sources
    variables = resolutions.environment_of(project).variables
    here = [name for name in withheld(project, variables) if name in os.environ]
    given = [name for name in here if name in seen_here or os.environ[name] == variables[name].plain]
    return given, [name for name in here if name not in given]
