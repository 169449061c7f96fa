"""`envref completion`: the script that completes commands, options and the names in `candidates`.

The scripts for bash, zsh and fish are click's. click has none for PowerShell: ours asks as fish's does.
"""

from __future__ import annotations

import click

from envref import streams
from envref.cli.grammar import Command
from envref.errors import EnvrefError, UsageError

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
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise EnvrefError(f"this version of click has no completion for {shell}", hint="update click")
    # Not the class's own `source`: it runs the bash on PATH, which a project's directory may have chosen.
    return ShellComplete.source(kind(program, {}, "envref", _VARIABLE)).rstrip("\n") + "\n"
