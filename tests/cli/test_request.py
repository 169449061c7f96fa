"""Request: the closed grammar of the hot door. What it does not know belongs to the click door."""

from __future__ import annotations

import pytest

from envref.cli import commands
from envref.cli.request import parse


def test_every_option_of_the_grammar():
    """Both ways to write a value, both names of an option."""
    request = parse(
        [
            "--export",
            "--shell=fish",
            "-C",
            "dir",
            "-P",
            "staging",
            "--strict",
            "--only",
            "A,B",
            "--only=C",
            "--timeout",
            "2",
        ],
        {},
    )
    assert (request.format, request.directory, request.profile) == ("fish", "dir", "staging")
    assert (request.strict, request.only, request.timeout) == (True, ["A", "B", "C"], 2.0)


def test_the_table_of_a_plugin_and_where_its_project_is():
    """FLOX_ENV_PROJECT counts for the table only, and only where no directory is given."""
    flox = {"FLOX_ENV_PROJECT": "/the/project"}
    table = parse(["--export", "--from-flox-plugin", "-"], flox)
    assert (table.table, table.directory) == ("-", "/the/project")
    assert parse(["--export", "--from-flox-plugin=t.json", "-C", "."], flox).directory == "."
    assert parse(["--export", "--from-flox-plugin=t.json"], {"FLOX_ENV_PROJECT": ""}).directory == "."
    assert (parse(["--export"], flox).table, parse(["--export"], flox).directory) == (None, ".")


@pytest.mark.parametrize(
    ("arguments", "environment", "captured"),
    [
        (["--shell", "bash"], {"FLOX_ENV": "/env"}, True),
        (["--shell", "bash"], {}, False),
        (["--shell", "bash"], {"FLOX_ENV": ""}, False),
        (["--shell", "fish"], {"FLOX_ENV": "/env"}, False),
        (["--shell", "bash", "--direnv"], {"FLOX_ENV": "/env"}, False),
        ([], {"FLOX_ENV": "/env"}, False),
    ],
)
def test_flox_captures_what_a_hook_asks_for(arguments, environment, captured):
    """A hook asks for bash; the profile asks for its own shell, and direnv keeps its own."""
    assert parse(["--export", *arguments], environment).captured is captured


def test_direnv_is_bash():
    """`--direnv` wins over `--shell`."""
    assert parse(["--direnv", "--shell", "fish"], {}).format == "shell"


def test_the_shell_of_the_environment():
    """FLOX_SHELL, then SHELL, then sh; one that is not known reads POSIX code."""
    assert parse(["--export", "--shell", "auto"], {"SHELL": "/usr/bin/fish"}).format == "fish"
    assert parse(["--export", "--shell", "auto"], {"FLOX_SHELL": "tcsh", "SHELL": "/bin/fish"}).format == "tcsh"
    assert parse(["--export", "--shell", "auto"], {"SHELL": "/bin/elvish"}).format == "shell"


def test_the_environment_has_defaults():
    """An option beats the variable."""
    environment = {"ENVREF_STRICT": "1", "ENVREF_TIMEOUT": "3"}
    assert (parse(["--export"], environment).strict, parse(["--export"], environment).timeout) == (True, 3.0)
    assert parse(["--export", "--timeout=4"], environment).timeout == 4.0
    assert parse(["--export"], {"ENVREF_STRICT": "0", "ENVREF_TIMEOUT": ""}).strict is False


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--strict"],
        ["--format", "json"],
        ["--export", "--help"],
        ["--export", "-v"],
        ["--export", "-Pstaging"],
        ["--export", "--strict=yes"],
        ["--export", "--shell", "elvish"],
        ["--export", "--shell"],
        ["--export", "--from-flox-plugin"],
        ["--export", "--timeout", "0.01"],
        ["--export", "--timeout", "601"],
        ["--export", "--timeout", "nan"],
        ["--export", "--only", ""],
        ["--export", "--only", "A,,B"],
        ["--export", "--profile", ""],
        ["--export", "--", "x"],
        ["--export", "word"],
    ],
)
def test_anything_else_is_for_the_other_door(arguments):
    """Wrong or merely unusual: the click door words the complaint."""
    assert parse(arguments, {}) is None


def test_a_wrong_timeout_in_the_environment_is_for_the_other_door():
    """It is a mistake, not "no time-out"."""
    assert parse(["--export"], {"ENVREF_TIMEOUT": "soon"}) is None


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--shell", "fish"],
        ["--shell=bash"],
        ["--direnv"],
        ["--strict", "--timeout", "3", "-P", "staging", "--only", "A,B", "-C", "."],
        ["--all", "--agent"],
        ["--from-flox-plugin", "-"],
    ],
)
@pytest.mark.parametrize(
    "environment",
    [{}, {"FLOX_ENV": "/env", "FLOX_ENV_PROJECT": "/the/project"}, {"ENVREF_STRICT": "1", "ENVREF_TIMEOUT": "7"}],
)
def test_both_doors_ask_for_the_same(monkeypatch, words, environment):
    """Whatever is not so usual only takes longer."""
    caught = []
    monkeypatch.setattr("envref.cli.activate.activate", lambda request, _: caught.append(request) or 0)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert commands.run(["resolve", "--export", *words]) == 0
    clicked, hot = (
        {name: getattr(each, name) for name in each.__slots__}
        for each in (caught[0], parse(["--export", *words], environment))
    )
    assert clicked == hot
