"""What the hot doors cost, and what is left for click: in CPU time, over an empty Python program."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.scenarios import KEYS, MANY, REFERENCES, Missing, Ratio, Scenario, cpu, fill_vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.place import Place
    from bench.sample import Command

_FEW = 10
_ASKED = {"_ENVREF_COMPLETE": "bash_complete", "COMP_WORDS": "envref re", "COMP_CWORD": "1"}
_ASKED_KEY = {**_ASKED, "COMP_WORDS": "envref\nget\nVARIABLE_1", "COMP_CWORD": "2"}


@contextmanager
def doors(place: Place) -> Iterator[tuple[Command, ...]]:
    """`run`, `get`, completion of a command and of a key, `--help`, a bare Python; in a project of plain variables."""
    plain = place.resolve([f"VARIABLE_{number}=value-{number}" for number in range(MANY)], "name: vault")
    asked, asked_key = (
        replace(plain, arguments=[place.program], environment={**plain.environment, **each})
        for each in (_ASKED, _ASKED_KEY)
    )
    words = (["run", "--only", "VARIABLE_1", "--", "true"], ["get", "VARIABLE_1"], ["--help"])
    run, get, shown = (replace(plain, arguments=[place.program, *each]) for each in words)
    yield run, get, asked, asked_key, shown, replace(plain, arguments=[sys.executable, "-c", "pass"])


@contextmanager
def open_vault(place: Place) -> Iterator[tuple[Command, ...]]:
    """Ten references in a vault of ten secrets that is unlocked, `secret get`, plain variables, and a bare Python."""
    from envref.backends.vault import session

    if not session.remember("bench", "probe", 5):
        raise Missing("the kernel's keyring is denied here")
    plain = place.resolve([f"VARIABLE_{number}=value-{number}" for number in range(MANY)], "name: vault")
    fill_vault(place, "--work-factor", "15", keys=KEYS[:_FEW])
    place.run(place.program, "vault", "unlock", "--ttl", "1h")
    del place.variables["ENVREF_VAULT_PASSPHRASE"]
    vault = place.resolve(REFERENCES[:_FEW], "name: vault")
    one = replace(vault, arguments=[place.program, "secret", "get", KEYS[0]])
    yield vault, one, plain, replace(plain, arguments=[sys.executable, "-c", "pass"])


def over(upper: int, lower: int) -> Callable[..., float]:
    """The command at one place of a scenario over that at another."""
    return lambda *medians: medians[upper] / medians[lower]


SCENARIOS = (
    Scenario(
        doors,
        (
            Ratio("run --only X -- true / a bare Python: CPU", cpu, 1.35, over(0, 5)),
            Ratio("get / a bare Python: CPU", cpu, 1.6, over(1, 5)),
            Ratio("completion of a command / a bare Python: CPU", cpu, 1.5, over(2, 5)),
            Ratio(f"completion of a key of {MANY} / a bare Python: CPU", cpu, 1.8, over(3, 5)),
            Ratio("--help / a bare Python: CPU", cpu, 5, over(4, 5)),
        ),
    ),
    Scenario(
        open_vault,
        (
            Ratio(f"{_FEW} references in an open vault / plain: CPU", cpu, 2, over(0, 2)),
            Ratio("secret get, open vault / a bare Python: CPU", cpu, 3, over(1, 3)),
        ),
    ),
)
