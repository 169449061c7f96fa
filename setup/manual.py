"""The manual in docs/man/, from the texts of `--help`: envref(1), and a page a command. `make reference` writes it.

The macros are those of man(7), which groff and mandoc share. No date, no version: the pages change when the texts do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envref.cli.commands import COMMANDS, envref
from envref.cli.grammar import Group
from setup.command_texts import described, options, shared, usage

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = "docs/man"
_STATUSES = (  # commands.md 1.3
    ("0", "All is well."),
    ("1", "It failed; stderr says what and why."),
    ("2", "The command line has a mistake."),
    ("3", "Something is unresolved, missing, or not as a check asks for; the rest was written."),
    ("4", "The project needs trust: envref trust."),
    ("126, 127", "envref run: the command can't be started, or there is none of that name."),
)
_FILES = (
    (".envref.yaml", "What envref needs to know of a project: its name, profiles and stores."),
    (".env, .env.PROFILE, .env.local, .env.PROFILE.local", "The variables; a later file overrides an earlier one."),
    ("~/.config/envref/config.yaml", "Your own settings, for all projects."),
    ("~/.config/envref/vault.db", "envref's own vault."),
)


def manual() -> dict[str, str]:
    """Path below the root -> text of each page."""
    top = click.Context(envref, info_name="envref")
    commands = {name: envref.get_command(top, name) for name in sorted(COMMANDS)}
    pages = {f"{PLACE}/envref-{name}.1": _page(name, each, top) for name, each in commands.items() if each}
    return {f"{PLACE}/envref.1": _first(commands, top), **pages}


def _first(commands: dict[str, click.Command | None], top: click.Context) -> str:
    summary = described(envref)[0]
    return _roff(
        [
            *_head("envref", _brief(envref)),
            *_synopsis([usage(envref, top, "envref")]),
            ".SH DESCRIPTION",
            *_paragraph(summary),
            *_paragraph("Start with envref-init(1), envref-secret(1), envref-set(1) and envref-run(1)."),
            ".SH COMMANDS",
            *(line for name, each in commands.items() if each for line in _item(f"envref-{name}(1)", _brief(each))),
            ".SH OPTIONS THAT EVERY COMMAND TAKES",
            *_options(envref, top),
            ".SH FILES",
            *(line for name, text in _FILES for line in _item(name, text)),
            ".SH EXIT STATUS",
            *(line for status, text in _STATUSES for line in _item(status, text)),
        ]
    )


def _page(name: str, command: click.Command, top: click.Context) -> str:
    """The page of a command; of a group with its commands below each other."""
    context = click.Context(command, parent=top, info_name=name)
    inner = dict(_inner(command, context))
    return _roff(
        [
            *_head(f"envref-{name}", _brief(command)),
            *_synopsis(
                [usage(each, place, place.command_path) for each, place in inner.values()]
                or [usage(command, context, context.command_path)]
            ),
            ".SH DESCRIPTION",
            *_body(command, context),
            *([".SH COMMANDS"] if inner else []),
            *(line for title, (each, place) in inner.items() for line in [f".SS {_words(title)}", *_body(each, place)]),
            ".SH SEE ALSO",
            *_paragraph("envref(1) has the options that every command takes, the files and the exit statuses."),
        ]
    )


def _inner(command: click.Command, context: click.Context) -> Iterator[tuple[str, tuple[click.Command, click.Context]]]:
    """The commands of a group, and those of its groups."""
    if not isinstance(command, Group):
        return
    for name in command.list_commands(context):
        each = command.get_command(context, name)
        if each:
            place = click.Context(each, parent=context, info_name=name)
            yield place.command_path, (each, place)
            yield from _inner(each, place)


def _body(command: click.Command, context: click.Context) -> Iterator[str]:
    text, example = described(command)
    yield from _paragraph(text)
    yield from _options(command, context, shared())
    if example:
        yield from (".PP", "Example:", ".PP", ".RS", ".nf", _words(example), ".fi", ".RE")


def _options(command: click.Command, context: click.Context, without: frozenset[str] = frozenset()) -> Iterator[str]:
    for option in options(command, without):
        metavar = "" if option.is_flag else f" {option.make_metavar(context)}"
        default = f" Default: {option.default}." if isinstance(option.default, str) and option.default else ""
        yield from _item(", ".join(option.opts) + metavar, (option.help or "") + default)


def _brief(command: click.Command) -> str:
    """The first sentence, as a list of commands has it."""
    return described(command)[0].partition(". ")[0].rstrip(".")


# man(7)


def _head(name: str, brief: str) -> list[str]:
    title = f'.TH {name.upper().replace("-", chr(92) + "-")} 1 "" envref "envref"'
    return [
        '.\\" Made by `make reference` from the code; edit that.',
        title,
        ".nh",
        ".SH NAME",
        f"{_words(name)} \\- {_words(brief)}",
    ]


def _synopsis(usages: list[str]) -> Iterator[str]:
    yield ".SH SYNOPSIS"
    for number, line in enumerate(usages):
        yield from [".br"] if number else []
        yield _words(line)


def _paragraph(text: str) -> list[str]:
    return [".PP", _words(text)]


def _item(term: str, text: str) -> list[str]:
    return [".TP", f"\\fB{_words(term)}\\fR", _words(text)]


def _words(text: str) -> str:
    """The text as roff prints it to the letter: to groff(7), `-` is a hyphen, and `.` and `'` begin a request."""
    shown = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    for letter, written in (("'", "\\(aq"), ("`", "\\(ga"), ("^", "\\(ha"), ("~", "\\(ti")):
        shown = shown.replace(letter, written)
    return f"\\&{shown}" if shown[:1] == "." else shown


def _roff(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines if line)
