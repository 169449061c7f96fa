"""`envref refresh`: code that sets those of a shell's variables that are old, and nothing else (docs/adr/0032)."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from envref import streams
from envref.agent.tell import Writing
from envref.cli import activate, candidates
from envref.cli.grammar import Command
from envref.cli.options import format_of_shell, timeout_option
from envref.cli.stale import Shell
from envref.errors import OK, PARTIAL, EnvrefError, printable
from envref.formats import limits, shells
from envref.formats.text import exact_text
from envref.fresh import earlier, seen, stale
from envref.resolve.report import complaints
from envref.resolve.withheld import withheld

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envref.fresh.stale import Verdict
    from envref.project.project import Project
    from envref.resolve.resolution import Resolution, Values


@click.command(cls=Command)
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=candidates.variables)
@click.option(
    "--shell",
    metavar="S",
    default="sh",
    shell_complete=candidates.choice(*shells.SHELLS, "auto"),
    help=f"The shell: {', '.join(shells.SHELLS)}, auto.",
)
@timeout_option
def refresh(names: tuple[str, ...], shell: str, timeout: float | None) -> int:
    """Print code that gives this shell the new values of old variables.

    What was unset or changed by hand since is left alone, unless it is named.

    Example: eval "$(envref refresh)"
    """
    sink = shells.sink(format_of_shell(shell))
    try:
        return _refreshed(Shell(timeout, _agreed), names, sink)
    except EnvrefError:
        sink.fail()
        raise


def _agreed(project: Project) -> None:
    """Nothing of a project that nobody here has agreed to gets into a shell."""
    activate.agree(project)(project)


def _refreshed(shell: Shell, names: tuple[str, ...], sink: shells.Sink) -> int:
    shell.gate(shell.project)
    found = shell.verdicts(names, read=False)
    old = [verdict for verdict in found if verdict.status == stale.STALE]
    let = _let_alone(shell, old, set(names))
    _tell([verdict for verdict in found if verdict.status in (stale.GONE, stale.UNKNOWN)], let)
    with ExitStack() as stack:
        for kind in sorted({backend.type for backend in shell.project.config.backends} if old else ()):
            stack.enter_context(Writing(kind))  # the agent keeps what was written again meanwhile for no other shell
        resolution = shell.resolution([verdict.name for verdict in old if verdict.name not in let])
    values = resolution.values()
    _write(shell, resolution, let, sink)
    streams.say(complaints(resolution.filled.values()))
    told = all(verdict.status in (stale.STALE, stale.FRESH) for verdict in found)
    return OK if told and len(values) == len(old) - len(let) else PARTIAL


def _let_alone(shell: Shell, old: Iterable[Verdict], named: set[str]) -> dict[str, str]:
    """The names that are the user's by now, and why."""
    names = {verdict.name: verdict.seen for verdict in old if verdict.name not in named}
    kept = set(withheld(shell.project, shell.environment.variables)) if shell.project.config.tools else set()
    theirs = {name: "tools: keeps it from the shell by now" for name in names if name in kept}
    names = {name: each for name, each in names.items() if name not in theirs}
    gone = [name for name in names if name not in os.environ and name not in shell.seen.lacking]
    unset = dict.fromkeys(gone, "it was unset in this shell")
    asked = {name: sources for name, sources in names.items() if name in os.environ}
    types = {backend.name: backend.type for backend in shell.project.config.backends}
    pins = earlier.pins(asked, shell.revised(asked), types)
    if not pins:
        return {**theirs, **unset}
    given = shell.filled(asked, lambda _: earlier.chain(pins))
    told = [name for name, sources in asked.items() if earlier.is_told(sources, given.get(name), pins)]
    changed = [name for name in told if exact_text(name, given[name].value or "") != os.environ[name]]
    return {**theirs, **unset, **dict.fromkeys(changed, "its value in this shell is not the one that envref gave it")}


def _tell(kept: Iterable[Verdict], let: dict[str, str]) -> None:
    for verdict in kept:
        streams.warn(printable(f"{verdict.line()}; left as it is"))
    for name, reason in let.items():
        streams.warn(f"{name}: {reason}; left alone, to set it: envref refresh {name}")


def _write(shell: Shell, resolution: Resolution, let: Iterable[str], sink: shells.Sink) -> None:
    """The new values and the new ENVREF_SEEN; nothing where nothing changed."""
    values: Values = resolution.values()
    got = {name for name, _ in values}
    new = {name: each for name, each in seen.sources_of(resolution).items() if name in got}
    shell.seen.take(seen.Seen(None, new))
    shell.seen.sources = {name: each for name, each in shell.seen.sources.items() if name not in let}
    if not values and not let:
        return
    values.append((seen.NAME, shell.seen.text(shell.project)))
    limits.check(values, os.environb)
    activate.warn_people()
    sink.write(sink.render(values))
