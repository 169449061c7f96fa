"""References of other tools in env files: noticed wherever variables are looked at, and the way out is a reference."""

from __future__ import annotations

import pytest

from envref import OTHERS
from envref.backends.table import BUILTIN, backend_class
from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.project.config.model import BackendConfig, Config
from envref.refs.reference import Reference
from envref.resolve import others

CONFIG = """\
project: app
backends:
  - {name: op, type: 1password}
"""
CURES = {
    "op://Personal/GitHub Work/token": "ref://op//op://Personal/GitHub%20Work/token",
    "ref+op://Personal/GitHub#/token": "ref://op//op://Personal/GitHub/token",
    "ref+awsssm://team/db?region=eu-west-1": "ref://aws-ssm//team/db",
    "ref+awssecrets://team/db#/password": "ref://aws-secrets-manager//team/db#/password",
    "ref+vault://secret/data/db#/password": "ref://hashicorp-vault//secret/data/db#/password",
    "ref+doppler://project/config/NAME+": "ref://doppler//project/config/NAME",
    "ref+keychain://token": "ref://keychain//token",
}


def found(text, *stores):
    config = Config(project="app", backends=stores)
    environment = Environment([EnvFile.parse(f"X='{text}'\n")])
    return list(others.warnings(environment.variables.values(), config))


@pytest.mark.parametrize("text", CURES)
def test_the_cure_is_a_reference(text):
    """It can be pasted; a store that is not configured is named."""
    [line] = found(text, BackendConfig(name="op", type="1password"))
    head, cure = line.split("; write ")
    assert head == f'.env:1: X: "{text}" is a reference of another tool, and is exported as this text'
    uri, _, listing = cure.partition(", and ")
    assert uri == CURES[text]
    assert Reference.parse(uri).foreign
    kind = uri.split("/")[2]
    assert listing == ("" if kind == "op" else f"list {kind} under backends:")


@pytest.mark.parametrize("text", ["ref+sops://file.yaml#/x", "ref+gcpsecrets://project/name"])
def test_what_no_store_can_read_has_another_way_out(text):
    """The value is moved into a store."""
    [line] = found(text)
    assert line.endswith("; keep the value in a store of envref and write ref://secrets/KEY")


@pytest.mark.parametrize(
    "text", ["ref+erral", "see op://x", "ref+vault:x", "https://op/x", "drop://x", "ref://op/x", ""]
)
def test_other_text_is_left_alone(text):
    """A value that only resembles one."""
    assert found(text) == []


def test_every_stores_forms_are_looked_for():
    """The activation looks for OTHERS alone, before it loads any store."""
    forms = [form for kind in BUILTIN for form in backend_class(kind).others]
    assert len(forms) == len(set(forms)) >= 7
    assert all(form.startswith(OTHERS) and form.endswith("://") for form in forms)


@pytest.mark.parametrize(
    "command",
    [["resolve"], ["resolve", "--export"], ["status", "--offline"], ["validate"], ["run", "--", "true"]],
)
def test_every_command_that_looks_at_variables_says_so(project, command):
    """One line with its place, on stderr; the value stays what it was."""
    project.write(".envref.yaml", CONFIG)
    project.write(".env", "A=1\nX=op://Personal/GitHub/token\n")
    project.write(".env.example", "A=\nX=\n")
    done = project.envref(*command)
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stderr.splitlines() if "another tool" in line]
    assert line == (
        'warning: .env:2: X: "op://Personal/GitHub/token" is a reference of another tool, and is exported '
        "as this text; write ref://op//op://Personal/GitHub/token"
    )


def test_doctor_finds_it(project):
    """With its place; the cure is the hint."""
    project.write(".envref.yaml", CONFIG)
    project.write(".env", "X=op://Personal/GitHub/token\n")
    done = project.envref("doctor")
    assert 'line 1: X: "op://Personal/GitHub/token" is a reference of another tool' in done.stderr
    assert "hint: write ref://op//op://Personal/GitHub/token\n" in done.stderr


def test_ciphertext_of_dotenvx_is_said_to_be_none_for_a_program(project):
    """A file that has no reference of another tool has this: `resolve` warns, `doctor` finds it, the text stays."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=1\nX='encrypted:BDqDBibm4wsYqMpCjTQ6'\nY=is encrypted: no\n")
    fact = "X: its value is dotenvx's ciphertext, and is exported as this text"
    cure = "only dotenvx can read it; run: dotenvx decrypt, then envref import"
    done = project.envref("resolve")
    assert (done.returncode, done.stderr) == (0, f"warning: .env:2: {fact}; {cure}\n")
    assert "\nX=encrypted:BDqDBibm4wsYqMpCjTQ6\n" in done.stdout
    assert f"  line 2: {fact}\n    hint: {cure}\n" in project.envref("doctor").stderr
