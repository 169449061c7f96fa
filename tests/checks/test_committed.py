"""committed: what env files for everybody hold that they should not, or lack, each with its cure."""

from __future__ import annotations

import subprocess

import pytest

from envref.checks import committed
from envref.checks.committed import Advice
from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.project.project import load
from tests.requirements import need

TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


def test_advice_is_a_line_with_its_cure():
    """A command where there is one."""
    assert Advice(".env", "a fact", run=("envref", "x y")).line() == ".env: a fact; run: envref 'x y'"
    assert Advice(".env", "a fact", hint="do this").line() == ".env: a fact; do this"


@pytest.fixture
def secrets(project):
    """What is said of a project's files, under a profile."""
    project.write(".envref.yaml", "project: app\n")

    def secrets(profile=None, **files):
        for name, text in files.items():
            project.write({"base": ".env", "own": ".env.local"}.get(name, f".env.{name}"), text)
        found = load(str(project.path), profile)
        return [
            (each.file, each.fact, each.run) for each in committed.plain_secrets(found, found.files, str(project.path))
        ]

    return secrets


def test_secrets_in_files_for_everybody_are_imported(secrets):
    """A personal file may hold them; those of a profile go to the profile."""
    text = f"A_TOKEN={TOKEN}\n"
    assert secrets(base="A=1\n", own=text) == []
    assert secrets("qa", base=text, qa=f"{text}B_TOKEN={TOKEN}\nC_TOKEN={TOKEN}\nD_TOKEN={TOKEN}\n") == [
        (".env", "1 value looks like a secret: A_TOKEN", ("envref", "import", ".env")),
        (
            ".env.qa",
            "4 values look like secrets: A_TOKEN, B_TOKEN, C_TOKEN, …",
            ("envref", "import", ".env.qa", "--profile", "qa"),
        ),
    ]


def test_a_file_that_git_ignores_reaches_nobody(project):
    """With the rule that says so; a rule that takes it back is none."""
    subprocess.run([need("git"), "init", "-q", project.path], check=True)
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=ref://secrets/a\n")
    project.write(".env.local", "B=1\n")
    project.write(".gitignore", "# all\n.env*\n")

    def ignored():
        found = load(str(project.path))
        return [(each.file, each.fact) for each in committed.ignored(found, found.files)]

    assert ignored() == [(".env", "git ignores it (.gitignore:2: .env*), so nobody else gets its references")]
    project.write(".gitignore", ".env*\n!.env\n")
    assert ignored() == []


@pytest.fixture
def unagreed(project, monkeypatch, nobody_agreed):
    """A project that nobody agreed to, with a token in a file that git ignores."""
    subprocess.run([need("git"), "init", "-q", project.path], check=True)
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", f"A_TOKEN={TOKEN}\n")
    project.write(".gitignore", ".env\n")
    monkeypatch.chdir(project.path)
    return project


def test_all_advice_needs_somebody_who_agreed(unagreed, monkeypatch):
    """Before that git is not asked; what the files hold is said anyway."""
    found = load(str(unagreed.path))
    secret = ".env: 1 value looks like a secret: A_TOKEN; run: envref import .env"
    assert [each.line() for each in committed.advice(found, found.files)] == [secret]
    monkeypatch.setenv("CI", "1")
    first, second = [each.line() for each in committed.advice(found, found.files)]
    assert (first, second.partition("git ignores it ")[2][:18]) == (secret, "(.gitignore:1: .en")


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("A='x${ref://secrets/a}'", "write ${ref://…} with both braces"),
        ("A=xref://secrets/a", None),
        ("A=x ref://secrets/a", "a whole value is ref://STORE/KEY"),
        ("A=REF:/secrets/a", "a whole value is ref://STORE/KEY"),
        ("A=ref://secrets/a", None),
        ("A=1", None),
    ],
)
def test_what_is_nearly_a_reference_is_exported_as_it_stands(text, cure):
    """Each with how it is written."""
    found = list(committed.near_misses(Environment([EnvFile.parse(text, ".env")]).variables.values()))
    assert [hint.startswith(cure or "") for _, hint in found] == ([True] if cure else [])
