"""What completion knows of the command line: envref/cli/vocabulary.py, made from the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envref.cli import candidates
from envref.cli.commands import envref
from envref.cli.grammar import Command
from setup.command_texts import described

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "envref/cli/vocabulary.py"
_HEAD = '''\
"""The words of every command line, for completion. Made by `make reference` from the commands; edit those.

A command has its options, then its arguments: the words, the kind of the value, the help. A flag's kind is empty, an
argument has no words, a hidden option no help. A kind that ends in … may be given again.
"""
# fmt: off
# ruff: noqa: E501

from __future__ import annotations

Entry = tuple[str, str, str]
'''
# What the help calls a value whose command names no kind.
_KINDS = {
    "DIR": candidates.directories,
    "FILE": candidates.files,
    "KEY": candidates.keys,
    "KEY=VALUE": candidates.assignments,
    "MANIFEST": candidates.files,
    "PATH": candidates.files,
}


def vocabulary() -> str:
    """The module's text."""
    found = dict(_commands(envref, click.Context(envref, info_name="envref"), ""))
    parts = {
        "EVERYWHERE: tuple[Entry, ...] = (": [_entry(*each) for each in _shared()],
        "COMMANDS: dict[str, tuple[Entry, ...]] = {": [
            f"{_literal(path)}: ({''.join(_entry(*each) for each in _entries(context))}),"
            for path, context in found.items()
        ],
        "GROUPS: dict[str, dict[str, str]] = {": [
            f"{_literal(path)}: {{{_summaries(context.command, context)}}},"
            for path, context in found.items()
            if path and isinstance(context.command, click.Group)
        ],
    }
    return _HEAD + "".join(
        "\n".join(["", opening, *(f"    {line}" for line in lines), "})"[opening[-1] == "("], ""])
        for opening, lines in parts.items()
    )


def _commands(command: click.Command, context: click.Context, path: str) -> Iterator[tuple[str, click.Context]]:
    """The words of every command, and its context; groups before what is in them."""
    yield path, context
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner:
            yield from _commands(inner, click.Context(inner, parent=context, info_name=name), f"{path} {name}".strip())


def _shared() -> list[tuple[str, str, str]]:
    return [*_own(click.Context(Command("x"))), ("--help", "", "Show this message and exit.")]


def _entries(context: click.Context) -> Iterator[tuple[str, str, str]]:
    """The command's own options and arguments."""
    shared = _shared()
    return (entry for entry in _own(context) if entry not in shared)


def _own(context: click.Context) -> Iterator[tuple[str, str, str]]:
    for each in context.command.params:
        again = candidates.SEVERAL if each.nargs == -1 or each.multiple else ""
        if isinstance(each, click.Option):
            text = "" if each.hidden else each.help or ""
            yield " ".join(each.opts), "" if each.is_flag else _kind(each, context) + again, text
    for each in context.command.params:
        again = candidates.SEVERAL if each.nargs == -1 or each.multiple else ""
        if isinstance(each, click.Argument):
            yield "", _kind(each, context) + again, ""


def _kind(parameter: click.Parameter, context: click.Context) -> str:
    """Which kind of word its value is: what the command says, else what its help calls it."""
    offered = parameter.shell_complete(context, "")
    if isinstance(parameter.type, click.Choice):
        return candidates.choice(*(each.value for each in offered)).name
    if offered and not isinstance(parameter.type, click.Path):
        return str(offered[0].value)
    return _KINDS.get(parameter.make_metavar(context).strip("[].…"), candidates.text).name


def _summaries(command: click.Group, context: click.Context) -> str:
    found = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    return ", ".join(f"{_literal(name)}: {_literal(_summary(each))}" for name, each in found if each)


def _summary(command: click.Command) -> str:
    """The first sentence of its help."""
    return described(command)[0].partition(". ")[0].rstrip(".") + "."


def _entry(*words: str) -> str:
    return f"({', '.join(map(_literal, words))}),"


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
