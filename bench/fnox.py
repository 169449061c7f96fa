"""fnox beside envref, on the same servers and in the same turns: `python -m bench --peer-fnox PROGRAM`.

Its words and its file are those of its documentation and tests (jdx/fnox, 1.46, October 2026).
"""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bench import scenarios, stores
from bench.place import PROJECT, write
from bench.scenarios import FEW, KEYS, MANY, Missing, Ratio, Scenario, cpu, wall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from bench.place import Place
    from bench.sample import Command

    Prepare = Callable[[Place], AbstractContextManager[tuple[Command, ...]]]

_SLOW = 5  # runs
_REGION = "us-east-1"  # of the emulated services
_PLAIN = {f"VARIABLE_{number}": f'{{ default = "value-{number}" }}' for number in range(MANY)}


def beside(program: str) -> list[Scenario]:
    """The scenarios in which this fnox takes part: envref first."""
    stored = (
        (stores.parameters, f'type = "aws-ps", region = "{_REGION}", prefix = "/envref/{PROJECT}/"', MANY),
        (stores.aws_secrets, f'type = "aws-sm", region = "{_REGION}", prefix = "envref/{PROJECT}/"', MANY),
        (stores.hashicorp_vault, f'type = "vault", path = "secret/envref/{PROJECT}"', MANY),
        (stores.pass_store, f'type = "password-store", prefix = "envref/{PROJECT}/"', FEW),
    )
    return [
        _scenario(program, scenarios.plain, "", _PLAIN),
        *(_scenario(program, prepare, provider, _secrets(count)) for prepare, provider, count in stored),
    ]


def _secrets(count: int) -> dict[str, str]:
    return {key.upper(): f'{{ provider = "store", value = "{key}" }}' for key in KEYS[:count]}


def _scenario(program: str, prepare: Prepare, provider: str, secrets: dict[str, str]) -> Scenario:
    """What `prepare` has envref resolve, and the same by fnox."""

    @contextmanager
    def both(place: Place) -> Iterator[tuple[Command, ...]]:
        with prepare(place) as (envref, *_):
            lines = ["root = true\n", *([f"[providers]\nstore = {{ {provider} }}\n"] if provider else [])]
            lines += ["[secrets]\n", *(f"{name} = {value}\n" for name, value in secrets.items())]
            write(f"{envref.directory}/fnox.toml", "".join(lines))
            fnox = replace(envref, arguments=[program, "export", "--format", "shell"])
            _check(fnox, secrets)
            yield envref, fnox

    both.__name__ = f"{prepare.__name__}_beside_fnox"
    title = f"{len(secrets)} of {prepare.__name__}, envref / fnox"
    return Scenario(both, (Ratio(f"{title}: wall", wall, 1), Ratio(f"{title}: CPU", cpu, 1)), runs=_SLOW)


def _check(fnox: Command, secrets: dict[str, str]) -> None:
    """Raises Missing unless fnox gives every secret: one that leaves some out would only look fast."""
    ended = subprocess.run(
        fnox.arguments,
        cwd=fnox.directory,
        env=fnox.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    given = sum(f"{name}=" in ended.stdout for name in secrets)
    if ended.returncode or given < len(secrets):
        reason = (ended.stderr.strip().splitlines() or ["it says nothing"])[0]
        raise Missing(f"fnox gave {given} of {len(secrets)} values, exit status {ended.returncode}: {reason}")
