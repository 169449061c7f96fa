"""What a command says of itself, taken apart for the reference page and for the manual."""

from __future__ import annotations

import inspect
from typing import TypeGuard

import click

from envref.cli.grammar import Command


def described(command: click.Command) -> tuple[str, str]:
    """The help text on one line, and its example, which may be empty."""
    body, _, example = inspect.cleandoc(command.help or "").partition("Example: ")
    return " ".join(body.split()), " ".join(example.split())


def usage(command: click.Command, context: click.Context, path: str) -> str:
    return " ".join([path, *command.collect_usage_pieces(context)])


def options(command: click.Command, without: frozenset[str] = frozenset()) -> list[click.Option]:
    """The options to show, less those that have a word of `without`."""
    return [option for option in command.params if _is_shown(option, without)]


def _is_shown(option: click.Parameter, without: frozenset[str]) -> TypeGuard[click.Option]:
    return isinstance(option, click.Option) and not option.hidden and not set(option.opts) & without


def shared() -> frozenset[str]:
    """The words of the options that every command takes; `-C`, because some give `--project` another meaning."""
    words = {word for option in Command("x").params for word in option.opts}
    return frozenset(words - {"--project", "-v"} | {"--help"})
