"""`envref completion`: the script that completes a command line, its place, and a segment of the prompt."""

from __future__ import annotations

import click

from envref import streams
from envref.cli import candidates, prompt_segment
from envref.cli.grammar import Command, exclusive
from envref.cli.scripts import SCRIPTS
from envref.errors import UsageError
from envref.project.config import duration

_LONGEST = 7 * 86400  # seconds between two questions of a prompt


@click.command(cls=Command)
@click.option("--install", is_flag=True, help="Put the script where the shell finds it; by default that of SHELL.")
@click.option(
    "--prompt",
    metavar="SHELL",
    shell_complete=candidates.choice(*prompt_segment.SHELLS),
    help="Print a segment of the prompt instead: how many variables of the shell are old.",
)
@click.option("--every", metavar="D", help="With --prompt: also ask the stores again after this long, e.g. 10m.")
@click.argument("shell", metavar=f"[{'|'.join(SCRIPTS)}]", required=False, shell_complete=candidates.choice(*SCRIPTS))
def completion(shell: str | None, prompt: str | None, every: str | None, *, install: bool) -> None:
    """Print a script that lets a shell complete envref's commands, options and names.

    Example: envref completion --install
    """
    exclusive(install=install, prompt=prompt)
    if every is not None and prompt is None:
        raise UsageError("--every needs --prompt", run=("envref", "completion", "--prompt", "bash", "--every", every))
    if prompt is not None:
        if shell is not None:
            raise UsageError("--prompt names the shell already; leave the other one out")
        streams.write(_segment(prompt, every))
        return
    if shell is not None and shell not in SCRIPTS:
        raise UsageError(f'unsupported shell "{shell}": valid shells are {", ".join(SCRIPTS)}')
    if install:
        from envref.cli import installing

        installing.install(shell)
        return
    if shell is None:
        raise UsageError(f"for which shell? one of {', '.join(SCRIPTS)}", run=("envref", "completion", "--install"))
    streams.write(SCRIPTS[shell])


def _segment(shell: str, every: str | None) -> str:
    if shell not in prompt_segment.SHELLS:
        raise UsageError(f'unsupported shell "{shell}": --prompt has one of {", ".join(prompt_segment.SHELLS)}')
    return prompt_segment.segment(shell, 0 if every is None else _seconds(every))


def _seconds(text: str) -> int:
    seconds = duration.seconds(text)
    if not 0 < seconds <= _LONGEST:
        raise UsageError(f'invalid duration "{text}": must be a number with s, m, h or d, at most 7d')
    return seconds
