"""`envref edit`: an env file or the config in the user's own editor, and what is wrong with it afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
import signal

import click

from envref import streams
from envref.backends.command import inherited_environment
from envref.cli.files import project
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import profile_option
from envref.env.file import EnvFile
from envref.errors import EnvrefError
from envref.project.config.files import FILE
from envref.project.config.load import load as load_config
from envref.project.edit import trust_kept
from envref.project.project import env_path, find

_VARIABLES = ("VISUAL", "EDITOR")
_USUAL = "vi"
# The terminal sends these to the editor and to us; only the editor should react.
_OF_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
# Python ignores these, and an ignored signal stays ignored in a new program.
_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)


@click.command(cls=Command)
@click.argument("file", required=False, type=click.Path())
@click.option("-l", "--local", is_flag=True, help="The personal file.")
@click.option("-c", "--config", is_flag=True, help=f"{FILE}.")
@profile_option
def edit(file: str | None, profile: str | None, *, local: bool, config: bool) -> None:
    """Open an env file, or the config, in your editor, and check it afterwards.

    Example: envref edit --profile staging
    """
    exclusive(file=file, local=local, config=config, profile=profile)
    path, name = _target(file, profile, local=local, config=config)
    if not os.path.exists(path):
        raise EnvrefError(
            f"file does not exist: {name}", hint="envref init makes a config, envref set KEY=VALUE an env file"
        )
    with trust_kept(directory(), path):
        _run_editor(path)
    _check(path, name)


def _target(file: str | None, profile: str | None, *, local: bool, config: bool) -> tuple[str, str]:
    """Path and shown name of what to edit."""
    if file:
        return os.path.join(directory(), file), file
    if config:
        return find(directory()), FILE  # not loaded: a broken config must be editable
    find(directory())
    found = project(profile)
    name = found.config.local_file if local else found.config.env_file
    if profile and found.profile:
        name = found.config.profile_file(found.profile)
    return env_path(found.root, name), name


def _run_editor(path: str) -> None:
    """Gives the editor the terminal until it ends. EnvrefError if it fails."""
    words = _editor()
    program = shutil.which(words[0])
    if program is None:
        raise EnvrefError(f'editor "{words[0]}" not found in PATH', hint="set VISUAL or EDITOR to your editor")
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _OF_TERMINAL}
    try:
        defaults = [number for number in _OF_TERMINAL if before[number] != signal.SIG_IGN]
        status = _wait(program, [*words, path], [*defaults, *_IGNORED])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if status:
        raise EnvrefError(
            f"editor exited with error: {status if status > 0 else 128 - status}",
            hint="the file is as the editor left it; start it again with envref edit",
        )


def _editor() -> list[str]:
    """The words of the editor's command line, as a shell splits them."""
    for variable in _VARIABLES:
        text = os.environ.get(variable, "")
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise EnvrefError(f"{variable}: {str(error).lower()}") from None
        if words:
            return words
    return [_USUAL]


def _wait(program: str, argv: list[str], defaults: list[signal.Signals]) -> int:
    """The program's exit status; negative if a signal of that number ended it."""
    try:
        child = os.posix_spawn(program, argv, inherited_environment(), setsigdef=defaults)
    except OSError as error:
        raise EnvrefError(f'editor "{argv[0]}": {error.strerror}') from None
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _check(path: str, name: str) -> None:
    """Reports what is wrong with the file now. EnvrefError for what envref could not read."""
    if os.path.basename(path) == FILE:
        warnings = load_config(os.path.realpath(path)).warnings
    else:
        warnings = tuple(map(str, EnvFile.read(path, name).warnings))
    streams.warn_each(warnings)
