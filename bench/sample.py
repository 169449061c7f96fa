"""One run of a command, measured; and several commands, measured in turns."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ONCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "once.py")


class Failed(Exception):
    """A command that should have run did not end well."""


@dataclass(frozen=True)
class Command:
    """What is run, where, and its whole environment."""

    arguments: Sequence[str]
    directory: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Sample:
    """Wall and CPU time in seconds, peak memory in bytes; both with the children a command waited for."""

    wall: float
    cpu: float
    peak: float


def samples(commands: Sequence[Command], runs: int) -> list[list[Sample]]:
    """`runs` samples of each command, taken in turns (A B A B), so that a slow moment of the machine hits all alike."""
    turns = [[sample(command) for command in commands] for _ in range(runs)]
    return [list(column) for column in zip(*turns, strict=True)]


def sample(command: Command) -> Sample:
    """Raises Failed when the command does not end with status 0."""
    measured = subprocess.run(
        [getattr(sys, "_base_executable", sys.executable), "-I", "-S", _ONCE, *command.arguments],
        cwd=command.directory,
        env=command.environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    status, *numbers = measured.stdout.split() or ["-"]
    if status != "0":
        raise Failed(f"{' '.join(command.arguments)}: exit status {status}: {measured.stderr.strip()}")
    return Sample(*map(float, numbers))


def run(command: Command) -> None:
    """Runs a command for what it writes elsewhere. Raises Failed when it does not end with status 0."""
    ended = subprocess.run(
        command.arguments,
        cwd=command.directory,
        env=command.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    if ended.returncode:
        raise Failed(f"{' '.join(command.arguments)}: exit status {ended.returncode}: {ended.stderr.strip()}")
