"""What every `secret` command takes, and the `Target` that it means: its key, `-b` and `-P` (commands.md 2.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from envref import streams
from envref.cli.consent import require
from envref.cli.grammar import Command, directory
from envref.cli.options import backend_option, profile_option
from envref.cli.prompt import at_terminal
from envref.cli.timeout import timeout_of_environment
from envref.project.project import Project, configured
from envref.refs.address import check_key
from envref.secrets.target import Target

_Decorator = Callable[[Callable[..., Any]], click.Command]


def keyed(name: str) -> _Decorator:
    """`envref secret NAME KEY` with the options that every such command takes."""
    return lambda function: scoped(name)(click.argument("key")(function))


def scoped(name: str) -> _Decorator:
    """`envref secret NAME` with the options that every such command takes."""

    def command(function: Callable[..., Any]) -> click.Command:
        # Accepted for scripts written for envref 1, whose commands edited `.env` unasked.
        no_env = click.option("--no-env", is_flag=True, hidden=True, expose_value=False)
        return click.command(name, cls=Command)(profile_option(backend_option(no_env(function))))

    return command


def target_of(backend: str | None, profile: str | None) -> Target:
    """The Target that the options mean, in the command's directory; prints the project's warnings."""
    project = configured(directory(), profile)
    streams.warn_each(project.warnings)
    return target_in(project, backend)


def target_in(project: Project, backend: str | None) -> Target:
    """The project's secrets in a backend. ENVREF_TIMEOUT counts; a person at the terminal is asked for trust."""
    return Target(project, backend, timeout_of_environment(), require)


def written(key: str, backend: str | None, profile: str | None) -> Target:
    """The same for a command that writes `key`. UsageError or EnvrefError for a key that it can't write."""
    check_key(key)
    target = filled(backend, profile)
    target.check_writable(key)
    return target


def filled(backend: str | None, profile: str | None) -> Target:
    """The same for a command that writes secrets, into a store that a person at the terminal has been helped to."""
    target = target_of(backend, profile)
    if not at_terminal():
        return target
    from envref.cli.vault.usual import ready  # which needs what only a vault needs

    return target_in(ready(target.project, backend), backend)
