"""statement: what a block that needs no envref can set, and why not where it can't."""

from __future__ import annotations

import pytest

from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.errors import EnvrefError
from envref.flox.statement import Ambient, Statements
from envref.project.config.model import BackendConfig, Config
from envref.project.project import Project

BACKENDS = (
    BackendConfig(name="pass", type="pass", names={"mapped": "Their/Name", "p/own": "Own", "own": "All"}),
    BackendConfig(name="vault", type="vault"),
    BackendConfig(name="plug", type="plugin", options={"command": "/bin/x"}),
)


def statements(text, profile=None, ambient=None):
    files = [EnvFile.parse(text, ".env")]
    project = Project("/", Config(project="app", backends=BACKENDS), profile, files=files, warnings=())
    environment = Environment(files, ambient)
    made = Statements(project, environment)
    return {name: made.of(variable) for name, variable in environment.variables.items()}


def test_what_a_line_is():
    """One for a value or a reference; several where others are made of it, or it of them."""
    found = statements("PLAIN=1\nA=ref://pass/a\nMADE=x${A}\nB=ref://pass/b?optional\n")
    assert [(each.is_plain, each.is_composed, len(each.lines)) for each in found.values()] == [
        (True, False, 1),
        (False, True, 1),
        (False, True, 2),
        (False, False, 1),
    ]
    assert (found["MADE"].uses, found["A"].uses) == ({"A"}, set())
    assert [found[name].kinds for name in ("PLAIN", "A", "MADE")] == [set(), {"pass"}, set()]
    assert found["B"].lines[0].elsewhere.startswith("_envref_get optional B ")
    assert {"_envref_open", "_envref_close", "_envref_part", "_envref_ask"} <= found["A"].functions


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A=ref://pass/a\nA=$A:x", "appends to a secret that an earlier line or a lower file refers to"),
        ("A=ref://pass/a?default=x", "has a default"),
        ("A=ref://pass/a?encoding=base64", "is to be decoded"),
        ("A=ref://pass/a?as=file", "is to be a file"),
        ("A=ref://pass/a?version=1", "asks for one version"),
        ("A=x${ref://pass/a?optional}", "is optional inside a longer value"),
        ("B=ref://pass/b?optional\nA=x$B", "interpolates B, which is optional"),
        ("B=ref://pass/b\nA=${B:+x}", "depends on whether B is set"),
        ("A=ref://vault/a", 'backend "vault" of type vault is read by envref only'),
        ("A=ref://plug/a", 'backend "plug" of type plugin is read by envref only'),
        ("A=ref://pass", "invalid ref:// URI"),
    ],
)
def test_what_only_envref_can_do(text, why):
    """Each with its reason."""
    with pytest.raises(EnvrefError) as caught:
        statements(text)
    assert why in caught.value.message


def test_a_value_of_the_environment_is_not_known_yet():
    """When the block is written, which differs from machine to machine."""
    with pytest.raises(EnvrefError, match=r"takes \$\{HOME\} from the environment"):
        statements("A=x${HOME}", ambient=Ambient())


def test_a_name_of_the_project_alone_is_not_asked_for_in_a_profile():
    """A block asks for one scope."""
    with pytest.raises(EnvrefError, match='names: of backend "pass" has mapped for the project only'):
        statements("A=ref://pass/mapped", profile="p")
    assert "Own" in statements("A=ref://pass/own", profile="p")["A"].lines[0].elsewhere
    assert "Their/Name" in statements("A=ref://pass/mapped")["A"].lines[0].elsewhere
