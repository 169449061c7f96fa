"""`python -m bench`: measures the envref installed beside this Python, and any program of the same interface."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench import doors, fnox, scenarios, stores
from bench.place import Place
from bench.sample import Failed, samples
from bench.scenarios import Missing, Processes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.sample import Command, Sample
    from bench.scenarios import Ratio, Scenario

_SCENARIOS = (*scenarios.SCENARIOS, *doors.SCENARIOS, *stores.SCENARIOS)
_TITLE, _TARGET, _CELL = 54, 8, 12  # widths in characters


def main() -> int:
    """0, or 1 if envref could not run what it should. A ratio above its target is not a failure: machines differ."""
    arguments = _arguments()
    programs = {"envref": os.path.join(os.path.dirname(sys.executable), "envref")}
    if arguments.peer:
        programs["peer"] = arguments.peer
    print(_line(f"ratio of medians, {arguments.runs} runs", "target", programs))
    every = (*_SCENARIOS, *(fnox.beside(arguments.peer_fnox) if arguments.peer_fnox else ()))
    chosen = [each for each in every if re.search(arguments.only, each.prepare.__name__)]
    return max([_show(scenario, programs, min(arguments.runs, scenario.runs)) for scenario in chosen])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--peer", type=_program, metavar="PROGRAM", help="measure this one too, in the same run")
    parser.add_argument("--peer-fnox", type=_program, metavar="PROGRAM", help="time this fnox on the same servers")
    parser.add_argument("--runs", type=int, default=15, metavar="N", help="runs of each command (default: 15)")
    parser.add_argument("--only", default="", metavar="PATTERN", help="only the scenarios whose name matches")
    return parser.parse_args()


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise argparse.ArgumentTypeError(f"{name} is not installed here")
    return os.path.abspath(found)


def _show(scenario: Scenario, programs: Mapping[str, str], runs: int) -> int:
    """Measures and prints a scenario's rows; the exit status that follows from them."""
    with ExitStack() as stack:
        prepared, reasons = _prepare(scenario, programs, stack)
        columns = iter(samples([command for _, commands in prepared.values() for command in commands], runs))
        measured = {name: [next(columns) for _ in commands] for name, (_, commands) in prepared.items()}
        for row in scenario.rows:
            cells = {
                name: str(len(place.starts(first))) if isinstance(row, Processes) else _compared(row, measured[name])
                for name, (place, (first, *_)) in prepared.items()
            }
            marked = [_marked(cells[name], row.target) if name in cells else "-" for name in programs]
            print(_line(row.title, f"{row.target:g}", marked), flush=True)
    for name, reason in reasons.items():
        print(f"  {name}: {reason}", flush=True)
    return int(isinstance(reasons.get("envref"), Failed))


def _prepare(
    scenario: Scenario, programs: Mapping[str, str], stack: ExitStack
) -> tuple[dict[str, tuple[Place, Sequence[Command]]], dict[str, Exception]]:
    """The place and the commands of each program that runs here; for the others, the reason why they don't."""
    scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
    prepared: dict[str, tuple[Place, Sequence[Command]]] = {}
    reasons: dict[str, Exception] = {}
    for name, program in programs.items():
        place = Place(program, os.path.join(scratch, name))
        try:
            commands = stack.enter_context(scenario.prepare(place))
            samples(commands, 1)  # fills caches: the first run doesn't count
            prepared[name] = (place, commands)
        except (Failed, Missing) as reason:
            reasons[name] = reason
    return prepared, reasons


def _compared(ratio: Ratio, measured: Iterable[Sequence[Sample]]) -> str:
    medians = [statistics.median(map(ratio.what, each)) for each in measured]
    return f"{ratio.compare(*medians):.2f}"


def _marked(measured: str, target: float) -> str:
    return f"{measured} {'ok' if float(measured) <= target else 'over'}"


def _line(title: str, target: str, cells: Iterable[str]) -> str:
    return f"{title:{_TITLE}}{target:>{_TARGET}}" + "".join(f"{cell:>{_CELL}}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main())
