"""Names of variables that no block in a manifest sets."""

from __future__ import annotations

import pytest

from envref.env.file import EnvFile
from envref.errors import MalformedFile
from envref.flox.names import check, exported, fault

CODE = "it would run code or redirect credentials of every program; set it by hand where it is needed"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LD_PRELOAD", CODE),
        ("BASH_ENV", CODE),
        ("PATH", CODE),
        ("VAULT_ADDR", CODE),
        ("FLOX_ENV", "it is Flox's own; use another name"),
        ("_FLOX_X", "it is Flox's own; use another name"),
        ("ENVREF_PROFILE", "it is envref's own; use another name"),
        ("_envref_val", "it is the block's own; use another name"),
        ("path", "it is special to a shell; use another name"),
        ("status", "it is special to a shell; use another name"),
        ("fish_pid", "it is fish's own; use another name"),
        ("BASH_VERSION", "it is bash's own; use another name"),
        ("RANDOM", "shells would evaluate its value as arithmetic; use another name"),
        ("my-var", "no shell has variables of this name; use letters, digits and _ only"),
        ("ü", "no shell has variables of this name; use letters, digits and _ only"),
    ],
)
def test_a_name_is_refused_with_the_reason(name, text):
    """What runs code, is special to a shell, or belongs to Flox or the block, is refused with what to do."""
    assert fault(name) == text


@pytest.mark.parametrize("name", ["API_KEY", "PORT", "NODE_OPTIONS", "EDITOR", "AWS_REGION", "_private", "Path", "x"])
def test_everyday_names_are_allowed(name):
    """What projects set every day may be set."""
    assert fault(name) == ""


def test_the_value_may_matter():
    """A store's endpoint on this machine is harmless, and so is a number that a shell evaluates."""
    assert fault("VAULT_ADDR", "http://127.0.0.1:8200") == ""
    assert fault("COLUMNS", "80") == ""


def entries(text):
    return EnvFile.parse(text).entries


def test_secrets_are_checked_and_every_fault_is_told():
    """Whole or embedded, each with its place; a plain value passes unless the name is a shell's or Flox's own."""
    with pytest.raises(MalformedFile) as caught:
        check(entries("PATH=ref://secrets/p\nA=1\nLD_PRELOAD=x${ref://secrets/p}\nPS4=x\nstatus=1\n"))
    assert [str(problem) for problem in caught.value.problems] == [
        f".env:1:1: PATH: {CODE}",
        f".env:3:1: LD_PRELOAD: {CODE}",
        ".env:5:1: status: it is special to a shell; use another name",
    ]


def test_what_is_unset_again_is_checked_too():
    """Else leaving an environment would take PATH away; what no shell has is left out."""
    check(entries("PATH=/bin\nVAULT_ADDR=http://127.0.0.1:8200\nMY-VAR=1\n"))
    check(entries("VAULT_ADDR=http://127.0.0.1:8200\nMY-VAR=1\n"), undone=True)
    with pytest.raises(MalformedFile, match=r"^\.env:1:1: PATH: "):
        check(entries("PATH=/bin\n"), undone=True)
    assert exported(entries("A=1\nMY-VAR=1\nx.y=2\nB=2\n")) == ["A", "B"]
