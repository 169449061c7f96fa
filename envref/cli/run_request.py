"""Run: what `envref run` is asked for, and the closed grammar of its hot door."""

from __future__ import annotations

from envref.cli.request import VALUES, Request, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FLAGS = ("--strict", "--partial", "--pristine")
GRAMMAR = {*_FLAGS, *(word for word, name in VALUES.items() if name in ("directory", "profile", "only", "timeout"))}


class Run:
    """What to start, with the variables of which request. `lenient` starts it without what is unresolved."""

    __slots__ = ("command", "lenient", "pristine", "request")

    def __init__(self, request: Request, command: tuple[str, ...], *, lenient: bool, pristine: bool) -> None:
        self.request = request
        self.command = command
        self.lenient = lenient
        self.pristine = pristine


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Run | None:
    """What `run` with these words starts; None for anything unusual or wrong, which the click door takes.

    Options are words of their own, their values too, and none of them begins with a dash.
    """
    options, command = _before_command(arguments)
    if options is None or not command or {"--strict", "--partial"} <= options.keys():
        return None
    once = {name: texts[-1] for name, texts in options.items() if texts}
    limit = once.get("timeout", environment.get("ENVREF_TIMEOUT") or None)
    only = [name for names in options.get("only", ()) for name in names.split(",")]
    timeout = None if limit is None else seconds(limit)
    if "" in only or "" in once.values() or (timeout is None) != (limit is None):
        return None
    request = Request(once.get("directory", "."), profile=once.get("profile"), only=only, timeout=timeout)
    lenient = "--partial" in options or ("--strict" not in options and is_lenient(environment))
    return Run(request, tuple(command), lenient=lenient, pristine="--pristine" in options)


def _before_command(words: Sequence[str]) -> tuple[dict[str, list[str]] | None, Sequence[str]]:
    """The options by their names, and the command behind them. None for an option that the hot door does not know."""
    options: dict[str, list[str]] = {}
    place = 0
    while place < len(words) and words[place].startswith("-"):
        option, place = words[place], place + 1
        if option == "--":
            break
        if option in _FLAGS:
            options[option] = []
        elif option in GRAMMAR and place < len(words) and not words[place].startswith("-"):
            options.setdefault(VALUES[option], []).append(words[place])
            place += 1
        else:
            return None, ()
    return options, words[place:]


def is_lenient(environment: Mapping[str, str]) -> bool:
    """Whether ENVREF_STRICT lets `run` start a command without what is unresolved."""
    return environment.get("ENVREF_STRICT") == "0"
