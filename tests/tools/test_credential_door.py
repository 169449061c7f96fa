"""The hot door of `envref credential`, which git asks at every fetch: what it loads, and that click's answers alike."""

from __future__ import annotations

import json

import pytest

from envref.cli.credential import asked
from tests.cli.test_hot_path import PLAIN, libraries, loaded, own
from tests.requirements import first_python
from tests.tools.test_credentials import shop  # noqa: F401  a fixture

# Each is a whole command line, and whether its hot door takes it.
QUESTIONS = (
    (["-C", ".", "credential", "git", "get"], True),
    (["--project", ".", "credential", "git", "erase"], True),
    (["credential", "git", "get", "-C", "."], True),
    (["credential", "git", "anything"], True),
    (["-C", "nowhere", "credential", "git", "get"], True),
    (["-C", "/", "credential", "git", "get"], True),
    (["credential", "aws"], True),
    (["credential", "cargo"], True),
    (["credential", "kubectl"], True),
    (["credential", "docker", "get"], True),
    (["credential", "docker", "store"], True),
    (["credential", "docker", "list"], True),
    (["credential"], False),
    (["credential", "npm"], False),
    (["credential", "git"], False),
    (["credential", "git", "get", "store"], False),
    (["credential", "git", "--", "get"], False),
    (["credential", "aws", "get"], False),
    (["-C", "", "credential", "aws"], False),
    (["-C", "-x", "credential", "aws"], False),
    (["-C.", "credential", "aws"], False),
    (["-v", "credential", "aws"], False),
    (["credential", "--setup", "git"], False),
    (["credential", "aws", "--help"], False),
    (["-C", "credential", "resolve"], False),
    (["-C", "credential", "aws"], False),
)


@pytest.mark.parametrize(("words", "is_hot"), QUESTIONS, ids=[" ".join(words) for words, _ in QUESTIONS])
def test_the_hot_door_takes_what_tools_ask(words, is_hot):
    """Everything else is click's."""
    assert (asked.parse(words) is not None) == is_hot


@first_python
@pytest.mark.parametrize("words", [words for words, is_hot in QUESTIONS if is_hot], ids=" ".join)
def test_both_doors_answer_the_same(shop, words):  # noqa: F811
    """The answer, the status, and every complaint. ENVREF_DEBUG leads to the other one."""
    typed = "ghcr.example" if "docker" in words else "protocol=https\nhost=git.example\n"
    info = json.dumps({"spec": {"cluster": {"server": "https://cluster.example:6443"}}})
    tools = {"CARGO_REGISTRY_INDEX_URL": "sparse+https://index.example/", "KUBERNETES_EXEC_INFO": info}
    hot, click = (shop.envref(*words, stdin=typed, env={**tools, **door}) for door in ({}, {"ENVREF_DEBUG": "1"}))
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)


def test_git_costs_what_an_activation_does(project, nobody_agreed):
    """Neither click nor JSON, no regular expressions, nothing of the gate: the list is exact, libraries included."""
    project.write(
        ".envref.yaml", "project: app\nbackends: [{name: vault}]\ntools: {git: {credential: {git.example: A}}}\n"
    )
    project.write(".env", "A=1\n")
    assert project.envref("trust").returncode == 0
    more = ("answer", "asked", "git", "values")
    names = {f"envref.{name}" for name in ("cli.timeout", "cli.words", "project.place", "tools", "tools.credential")}
    names |= {"envref.cli.credential", *(f"envref.cli.credential.{name}" for name in more)}
    typed = "protocol=https\nhost=git.example\n\n"
    assert (
        loaded(project, "-C", ".", "credential", "git", "get", typed=typed) == PLAIN - {"envref.formats.shells"} | names
    )
    modules = loaded(project, "credential", "aws")
    assert not libraries(modules) & {"click", "json", "re"}
    assert "envref.resolve.report" not in own(modules)
