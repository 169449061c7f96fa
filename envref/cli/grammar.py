"""The command line's grammar: options that every command takes, and usage errors in one voice (commands.md 1)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from envref import streams
from envref.errors import UsageError, about, meant

# What people type who know another tool's word for it.
_MEANT = {
    "activate": "resolve --export",
    "add": "set",
    "allow": "trust",
    "cat": "list",
    "delete": "unset",
    "env": "list",
    "exec": "run",
    "export": "resolve --export",
    "help": "--help",
    "load": "resolve --export",
    "login": "vault unlock",
    "ls": "list",
    "new": "init",
    "print": "get",
    "read": "get",
    "remove": "unset",
    "rm": "unset",
    "scan": "audit",
    "setup": "init",
    "show": "list",
    "source": "resolve --export",
    "unlock": "vault unlock",
    "watch": "resolve --watch",
}
_WHOLE = 1000  # characters, more than any sentence
_LEVELS = {"quiet": streams.QUIET, "verbose": streams.VERBOSE, "debug": streams.DEBUG}


class Settings:
    """The global options of one run."""

    def __init__(self) -> None:
        self.directory: str | None = None
        about("", "")
        self.levels: dict[str, bool] = {}


def _settings(context: click.Context) -> Settings:
    return context.ensure_object(Settings)


def _directory(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        from envref.project.config.files import FILE  # the help has no project

        _settings(context).directory = value
        about(value, FILE)


def _level(context: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001  click's callback
    if not value or parameter.name is None:
        return
    levels = _settings(context).levels
    levels[parameter.name] = True
    exclusive(**{name: levels.get(name) for name in _LEVELS})
    streams.level = _LEVELS[parameter.name]


def _colour(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001  click's callback
    if value:
        streams.colour = False


def _global_options() -> list[click.Option]:
    return [
        click.Option(
            ["-C", "--project", "directory"],
            metavar="DIR",
            help="Act as if started in DIR.",
            callback=_directory,
            expose_value=False,
        ),
        _flag("-q", "--quiet", "No informational lines and no warnings."),
        _flag("-v", "--verbose", "More detail on stderr."),
        _flag("", "--debug", "As -v, with a trace for internal errors."),
        click.Option(
            ["--no-color"], is_flag=True, help="No colour on any stream.", callback=_colour, expose_value=False
        ),
    ]


def _flag(short: str, long: str, text: str) -> click.Option:
    words = [word for word in (short, long) if word]
    return click.Option(words, is_flag=True, help=text, callback=_level, expose_value=False)


def _with_global_options(parameters: list[click.Parameter]) -> list[click.Parameter]:
    """The parameters and the global options, less the words that the command uses for something else."""
    taken = {word for parameter in parameters for word in parameter.opts}
    for option in _global_options():
        option.opts = [word for word in option.opts if word not in taken]
        if option.opts:
            parameters.append(option)
    return parameters


class _Spoken(click.Command):
    """What commands and groups share: the global options and our usage texts."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.params = _with_global_options(list(self.params))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _reworded(error, self, ctx, given) from None


class Command(_Spoken):
    """A command."""


class Group(_Spoken, click.Group):
    """A group whose commands are imported when they are named; alone it prints its help.

    With `sections`, heading -> command -> summary, its help lists the commands under headings and imports none.
    """

    command_class = Command

    def __init__(
        self,
        *arguments: Any,
        lazy: Mapping[str, str] | None = None,
        sections: Mapping[str, Mapping[str, str]] | None = None,
        **keywords: Any,
    ) -> None:
        keywords.setdefault("invoke_without_command", True)
        super().__init__(*arguments, **keywords)
        self.lazy = lazy or {}
        self.sections = sections or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self.lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.lazy[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if not self.sections:
            with formatter.section("Commands"):
                formatter.write_dl([(name, self._summary(name, ctx)) for name in self.list_commands(ctx)])
            return
        # Names of one width, so that the summaries of all sections stand in one column.
        width = max(len(name) for summaries in self.sections.values() for name in summaries)
        for heading, summaries in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), text) for name, text in summaries.items()])

    def _summary(self, name: str, ctx: click.Context) -> str:
        """The first sentence of the command's help, whole: click cuts it to a line."""
        command = self.get_command(ctx, name)
        return command.get_short_help_str(_WHOLE) if command else ""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None:
            near = self._meant(args[0], ctx)
            raise click.UsageError(f'unknown command "{args[0]}" for "{ctx.command_path}"{_suggested(near)}', ctx)
        return super().resolve_command(ctx, args)

    def _meant(self, word: str, ctx: click.Context) -> str:
        """The command that was probably meant, by its name here or by its name in another tool."""
        elsewhere = _MEANT.get(word, "") if ctx.parent is None else ""
        return elsewhere or meant(word, self.list_commands(ctx))

    def invoke(self, ctx: click.Context) -> Any:
        result = super().invoke(ctx)
        if ctx.invoked_subcommand is None:
            click.echo(ctx.get_help())
        return result


def _reworded(
    error: click.UsageError, command: click.Command, ctx: click.Context, given: list[str]
) -> click.UsageError:
    """The error in the words of commands.md 1.4."""
    return click.UsageError(_wording(error, command, ctx, given), ctx)


def _wording(error: click.UsageError, command: click.Command, ctx: click.Context, given: list[str]) -> str:
    if isinstance(error, click.NoSuchOption):
        return _unknown_flag(error.option_name, given) + _suggested(_option_meant(error.option_name, command))
    if isinstance(error, click.BadOptionUsage):
        return f"flag needs an argument: {error.option_name}"
    if isinstance(error, click.MissingParameter) and isinstance(error.param, click.Option):
        return f'required flag(s) "{error.param.opts[-1].lstrip("-")}" not set'
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
        return error.message
    return _arity(arguments, _positionals(command, ctx, given)) + _missing(error)


def _missing(error: click.UsageError) -> str:
    """Which argument is missing, in the name that the help has for it."""
    if not isinstance(error, click.MissingParameter) or error.param is None or error.ctx is None:
        return ""
    return f": {error.param.make_metavar(error.ctx).rstrip('.')} is missing"


def _suggested(near: str) -> str:
    return f'. Did you mean "{near}"?' if near else ""


def _option_meant(word: str, command: click.Command) -> str:
    """The long option of the command that was probably meant."""
    known = [each for option in command.params if not _is_hidden(option) for each in option.opts if each[:2] == "--"]
    return meant(word, [*known, "--help"]) if word.startswith("--") else ""


def _is_hidden(option: click.Parameter) -> bool:
    return isinstance(option, click.Option) and option.hidden


def _unknown_flag(option: str, given: list[str]) -> str:
    if option.startswith("--"):
        return f"unknown flag: {option}"
    word = next((word for word in given if word[:1] == "-" != word[1:2] and option[1:] in word), option)
    return f"unknown shorthand flag: '{option[1:]}' in {word}"


def _arity(arguments: list[click.Argument], received: int) -> str:
    if any(argument.nargs == -1 for argument in arguments):
        return f"requires at least 1 arg(s), only received {received}"
    if not arguments:
        return f"accepts 0 arg(s), received {received}"
    return f"accepts {len(arguments)} arg(s), received {received}"


def _positionals(command: click.Command, ctx: click.Context, given: list[str]) -> int:
    """How many words of the command line are not options."""
    values, rest, _ = command.make_parser(ctx).parse_args(list(given))
    words = [values.get(parameter.name) for parameter in command.params if isinstance(parameter, click.Argument)]
    return len(rest) + sum(1 for word in words if isinstance(word, str))


def exclusive(**given: object) -> None:
    """Raises UsageError if more than one of these options was given."""
    together = [_typed(name) for name, value in given.items() if value]
    if len(together) > 1:
        raise UsageError(
            f"if any flags in the group [{' '.join(map(_typed, given))}] are set none of the others can be; "
            f"[{' '.join(together)}] were all set"
        )


def _typed(name: str) -> str:
    """An option as it is typed, by the name of its parameter."""
    return name.replace("_", "-")


def directory() -> str:
    """The directory in which the command acts as if started there (`-C`)."""
    given = given_directory()
    return "." if given is None else given


def given_directory() -> str | None:
    """The value of `-C`; None without it."""
    return _settings(click.get_current_context()).directory
