"""`envref completion`, and what it completes besides commands and options: names of the project, never a store's.

The scripts for bash, zsh and fish are click's own. PowerShell's asks as fish does, because click has none for it.
"""

from __future__ import annotations

import os

import click

from envref import streams
from envref.cli.grammar import Command, Settings
from envref.config.model import is_profile_name
from envref.envfile import EnvFile
from envref.errors import EnvrefError, UsageError
from envref.project import Project, configured, env_path, file_names

_VARIABLE = "_ENVREF_COMPLETE"  # the name that click asks for: the program's, in capitals
_POWERSHELL = r"""Register-ArgumentCompleter -Native -CommandName envref -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:_ENVREF_COMPLETE = 'fish_complete'
    $env:COMP_WORDS = $commandAst.ToString()
    $env:COMP_CWORD = $wordToComplete
    try {
        envref | ForEach-Object {
            $value, $help = ($_ -split ',', 2)[1] -split "`t", 2
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item Env:_ENVREF_COMPLETE, Env:COMP_WORDS, Env:COMP_CWORD
    }
}
"""
SHELLS = ("bash", "zsh", "fish", "powershell")


def _shells(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return [shell for shell in SHELLS if shell.startswith(incomplete)]


@click.command(cls=Command)
@click.argument("shell", metavar="|".join(SHELLS), shell_complete=_shells)
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that lets a shell complete envref's commands, options and names.

    Example: envref completion bash > /etc/bash_completion.d/envref
    """
    if shell not in SHELLS:
        raise UsageError(f'unsupported shell "{shell}": valid shells are {", ".join(SHELLS)}')
    streams.write(_POWERSHELL if shell == "powershell" else _script(context.find_root().command, shell))


def _script(program: click.Command, shell: str) -> str:
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise EnvrefError(f"this version of click has no completion for {shell}")
    return kind(program, {}, "envref", _VARIABLE).source().rstrip("\n") + "\n"


def profiles(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The profiles of the project: those configured, and those that have a file."""
    project = _project(context)
    if project is None:
        return []
    files = [name.removeprefix(".env.") for name in os.listdir(project.root) if name.startswith(".env.")]
    found = {*project.config.profiles, *filter(is_profile_name, files)}
    return sorted(name for name in found if name.startswith(incomplete))


def backends(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The configured backends, in their order."""
    project = _project(context)
    names = [backend.name for backend in project.config.backends] if project else []
    return [name for name in names if name.startswith(incomplete)]


def variables(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The variables that the project's env files set."""
    project = _project(context)
    if project is None:
        return []
    names = {name for file in file_names(project.config, project.profile) for name in _set_in(project.root, file)}
    return sorted(name for name in names if name.startswith(incomplete))


def _project(context: click.Context) -> Project | None:
    """The project around; None without one, or with a broken one: a completion has nobody to tell."""
    settings = context.find_object(Settings)
    try:
        return configured(settings.directory if settings else ".", context.params.get("profile"))
    except EnvrefError:
        return None


def _set_in(root: str, file: str) -> list[str]:
    try:
        return [entry.name for entry in EnvFile.read(env_path(root, file), file).entries]
    except EnvrefError:
        return []
