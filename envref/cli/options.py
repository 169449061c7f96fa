"""The options that several commands share, each with its check."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from envref.cli import candidates
from envref.cli.request import format_of
from envref.cli.timeout import checked, timeout_of_environment
from envref.errors import UsageError
from envref.formats.shells import SHELLS

_Decorator = Callable[..., Any]


def profile_option(command: _Decorator) -> _Decorator:
    """`-P`, `--profile`, for commands that read or write scoped data (commands.md 1.5)."""
    return click.option(
        "-P",
        "--profile",
        metavar="NAME",
        callback=_checked_profile,
        shell_complete=candidates.profiles,
        help="Use this profile.",
    )(command)


def _checked_profile(_context: click.Context, _parameter: click.Parameter, profile: str | None) -> str | None:
    # An empty name is a mistake, e.g. an unset variable; it does not mean "no profile".
    if profile == "":
        raise UsageError("profile name must not be empty")
    return profile


def backend_option(command: _Decorator) -> _Decorator:
    """`-b`, `--backend`: a configured name, never a type."""
    return click.option(
        "-b", "--backend", metavar="NAME", shell_complete=candidates.backends, help="Use this backend."
    )(command)


def only_option(command: _Decorator) -> _Decorator:
    """`--only`: variable names, several with commas, repeatable."""
    return _names_option("--only", help="Only these variables.")(command)


def all_option(command: _Decorator) -> _Decorator:
    """`--all`: also what `tools:` keeps for some program."""
    text = "Also the variables that tools: keeps for some program."
    return click.option("--all", "everything", is_flag=True, help=text)(command)


def without_option(command: _Decorator) -> _Decorator:
    """`--except`: the same, left out."""
    return _names_option("--except", "without", help="Not these variables.")(command)


def _names_option(*declaration: str, help: str) -> Callable[[_Decorator], _Decorator]:  # noqa: A002  as click has it
    return click.option(
        *declaration,
        metavar="K,…",
        multiple=True,
        callback=_checked_names,
        shell_complete=candidates.names,
        help=help,
    )


def _checked_names(_context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> list[str]:
    names = [name for text in given for name in text.split(",")]
    if "" in names:
        raise UsageError(f'empty name in "{parameter.opts[0]}"')
    return names


LOCKED_ALONE = "--locked gives what the project's own files hold; leave the other file out"


def locked_option(command: _Decorator) -> _Decorator:
    """`--locked`: the versions of envref.lock, and no others."""
    return click.option("--locked", is_flag=True, help="Exactly the versions that envref.lock pins.")(command)


def timeout_option(command: _Decorator) -> _Decorator:
    """`--timeout`: seconds, or None for the backend's own; ENVREF_TIMEOUT stands in for it."""
    return click.option(
        "--timeout",
        metavar="SECONDS",
        callback=lambda _context, _parameter, text: timeout_of_environment() if text is None else checked(text),
        help="Seconds each store may take in total, 0.1 to 600.",
    )(command)


def format_option(*formats: str, default: str = "plain") -> _Decorator:
    """`--format F`, in any letter case; None when it is not given and `default` is empty."""
    return click.option(
        "--format",
        "format_",
        metavar="F",
        default=default or None,
        callback=lambda _context, _parameter, value: _checked_format(value, formats),
        shell_complete=candidates.choice(*formats),
        help=f"One of {', '.join(formats)}.",
    )


def _checked_format(value: str | None, formats: tuple[str, ...]) -> str | None:
    if value is not None and value.lower() not in formats:
        raise UsageError(f'invalid format "{value}": must be one of {", ".join(formats)}')
    return value and value.lower()


def format_of_shell(shell: str) -> str:
    """The format of `--shell`. UsageError for a shell that envref doesn't write for."""
    format_ = format_of(shell, os.environ)
    if not format_:
        raise UsageError(f'invalid shell "{shell}": must be one of {", ".join(SHELLS)}, auto')
    return format_
