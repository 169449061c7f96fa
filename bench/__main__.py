"""`python -m bench`: measures the envref installed beside this Python, and any program of the same interface."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.place import Place
from bench.sample import Failed, samples
from bench.scenarios import SCENARIOS, Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.sample import Sample
    from bench.scenarios import Pair, Ratio, Scenario

_TITLE, _TARGET, _CELL = 54, 8, 12  # widths in characters


def main() -> int:
    """0, or 1 when envref could not run what it should. A ratio above its target is no failure: machines differ."""
    arguments = _arguments()
    programs = {"envref": os.path.join(os.path.dirname(sys.executable), "envref")}
    if arguments.peer:
        programs["peer"] = arguments.peer
    print(_line(f"ratio of medians, {arguments.runs} runs", "target", programs))
    return max([_show(scenario, programs, arguments.runs) for scenario in SCENARIOS])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--peer", type=_program, metavar="PROGRAM", help="measure this one too, in the same run")
    parser.add_argument("--runs", type=int, default=15, metavar="N", help="runs of each command (default: 15)")
    return parser.parse_args()


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise argparse.ArgumentTypeError(f"{name} is not installed here")
    return os.path.abspath(found)


def _show(scenario: Scenario, programs: Mapping[str, str], runs: int) -> int:
    """Measures and prints a scenario's ratios; the exit status that follows from them."""
    with ExitStack() as stack:
        pairs, reasons = _prepare(scenario, programs, stack)
        columns = iter(samples([command for pair in pairs.values() for command in pair], runs))
        measured = {name: (next(columns), next(columns)) for name in pairs}
    for ratio in scenario.ratios:
        cells = [_cell(ratio, *measured[name]) if name in measured else "-" for name in programs]
        print(_line(ratio.title, f"{ratio.target:g}", cells), flush=True)
    for name, reason in reasons.items():
        print(f"  {name}: {reason}", flush=True)
    return int(isinstance(reasons.get("envref"), Failed))


def _prepare(
    scenario: Scenario, programs: Mapping[str, str], stack: ExitStack
) -> tuple[dict[str, Pair], dict[str, Exception]]:
    """The pair of each program that runs here; for the others the reason why not."""
    scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
    pairs: dict[str, Pair] = {}
    reasons: dict[str, Exception] = {}
    for name, program in programs.items():
        try:
            pair = stack.enter_context(scenario.prepare(Place(program, os.path.join(scratch, name))))
            samples(pair, 1)  # fills caches: what counts is every run but the first
            pairs[name] = pair
        except (Failed, Missing) as reason:
            reasons[name] = reason
    return pairs, reasons


def _cell(ratio: Ratio, ours: Sequence[Sample], base: Sequence[Sample]) -> str:
    measured = statistics.median(map(ratio.what, ours)) / statistics.median(map(ratio.what, base))
    return f"{measured:.2f} {'ok' if measured <= ratio.target else 'over'}"


def _line(title: str, target: str, cells: Iterable[str]) -> str:
    return f"{title:{_TITLE}}{target:>{_TARGET}}" + "".join(f"{cell:>{_CELL}}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main())
