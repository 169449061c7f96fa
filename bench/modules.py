"""What each module of a hot command does: bytecode executed and compiled code read, which say who grew."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from bench.sample import run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.sample import Command

_PROBE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe.py")
_T = TypeVar("_T")
_FEW = 5
# Instructions of the machine, as `plain`, `run` and `get` differ on CPython 3.11: good to tell which module grew most.
_A_STEP, _A_BYTE = 80, 36


class Module(NamedTuple):
    """`steps` are the bytecode instructions that it executes, `size` the bytes of its compiled code."""

    steps: int
    size: int
    importer: str = "-"

    @property
    def cost(self) -> int:
        """About as many instructions of the machine."""
        return self.steps * _A_STEP + self.size * _A_BYTE


Modules = dict[str, Module]


def modules_of(command: Command) -> Modules:
    """By name. Raises Failed unless the command ends well. It starts with the path of its Python."""
    python, *arguments = command.arguments
    with tempfile.TemporaryDirectory(prefix="modules-") as directory:
        out = os.path.join(directory, "out")
        run(replace(command, arguments=[python, _PROBE, out, *arguments]))
        with open(out, encoding="utf-8") as file:
            rows = [line.split() for line in file]
    return {name: Module(int(steps), int(size), importer) for steps, size, importer, name in rows}


def grown(before: Mapping[str, Module], now: Mapping[str, Module]) -> list[str]:
    """A line for each of the modules that grew most, new ones first; a last one where none did.

    A new one counts with those that are new because of it.
    """
    new = _with_theirs({name: module for name, module in now.items() if name not in before})
    more = {name: module.cost - before[name].cost for name, module in now.items() if name in before}
    lines = [f"new: {name}{_about(cost)}{others}" for name, (cost, others) in _most(new, lambda each: new[each][0])]
    risen = _most({name: cost for name, cost in more.items() if cost > 0}, more.__getitem__)
    lines += [f"grown: {name}{_about(cost)} ({_change(before[name], now[name])})" for name, cost in risen]
    return lines or ["no module executes more; what it calls in C does"]


def _with_theirs(new: Mapping[str, Module]) -> dict[str, tuple[int, str]]:
    """The new modules that an old one imports: what each costs with all below it, and whom that names."""
    firsts = {name: _first(name, new) for name in new}
    found = {}
    for first in dict.fromkeys(firsts.values()):
        below = sorted(name for name in new if firsts[name] == first and name != first)
        cost = sum(new[name].cost for name in (first, *below))
        found[first] = cost, f", imported by {new[first].importer}" + (f", with {', '.join(below)}" if below else "")
    return found


def _first(name: str, new: Mapping[str, Module]) -> str:
    """The module because of which this one is new."""
    passed = {name}
    while (above := new[name].importer) in new and above not in passed:
        name = above
        passed.add(name)
    return name


def _most(found: Mapping[str, _T], cost: Callable[[str], int]) -> list[tuple[str, _T]]:
    return [(name, found[name]) for name in sorted(found, key=cost, reverse=True)[:_FEW]]


def _about(cost: int) -> str:
    return f", about {cost:,} instructions" if cost else ", which is not Python"


def _change(before: Module, now: Module) -> str:
    return f"steps {before.steps:,} -> {now.steps:,}, bytes of code {before.size:,} -> {now.size:,}"
