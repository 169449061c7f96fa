"""`python -m bench --peer-fnox`: fnox gets the same secrets to resolve, and is not timed unless it gives them all.

fnox itself was not run: no registry that its set-up uses has it as a program.
"""

from __future__ import annotations

import tomllib
from contextlib import contextmanager

import pytest

from bench import fnox
from bench.sample import Command
from bench.scenarios import Missing
from tests.requirements import first_python

pytestmark = first_python


@pytest.fixture
def scenario(tmp_path):
    """Three secrets in a store, for a fnox that does what the script says."""

    @contextmanager
    def prepare(_place):
        yield (Command(["envref"], str(tmp_path), {"PATH": "/usr/bin:/bin", "ADDRESS": "here"}),)

    def made(script):
        program = tmp_path / "fnox"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return fnox._scenario(str(program), prepare, 'type = "vault", path = "secret/app"', fnox._secrets(3))

    return made


def test_it_resolves_the_same_in_the_same_place(scenario, tmp_path):
    """By its own file, in envref's project and environment."""
    prepared = scenario("for key in KEY_000 KEY_001 KEY_002; do echo export $key=x; done")
    with prepared.prepare(None) as (envref, beside):
        assert beside.arguments[1:] == ["export", "--format", "shell"]
        assert (beside.directory, beside.environment) == (envref.directory, envref.environment)
    written = tomllib.loads((tmp_path / "fnox.toml").read_text())
    assert written["providers"]["store"] == {"type": "vault", "path": "secret/app"}
    assert written["secrets"]["KEY_002"] == {"provider": "store", "value": "key_002"}


@pytest.mark.parametrize("script", ["echo export KEY_000=x", "echo KEY_000= KEY_001= KEY_002=; exit 1", "exit 0"])
def test_one_that_leaves_secrets_out_is_not_timed(scenario, script):
    """It would only look fast."""
    with pytest.raises(Missing, match="of 3 values"), scenario(script).prepare(None):
        pass


def test_each_scenario_has_a_name_of_its_own():
    """For `--only`."""
    names = [each.prepare.__name__ for each in fnox.beside("fnox")]
    assert len(set(names)) == len(names) == 5
    assert all(name.endswith("_beside_fnox") for name in names)
