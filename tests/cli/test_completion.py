"""`envref completion`, tried in the shells themselves."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.terminal import Terminal
from tests.conftest import ROOT
from tests.requirements import need


@pytest.fixture
def command(tmp_path, monkeypatch):
    """`envref` on PATH, as an installation has it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "envref"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m envref "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.fixture
def store(project):
    """A project with names to complete, whose plugin leaves a trace when it is asked."""
    project.write("plugin", "#!/bin/sh\ntouch asked\necho '{}'\n").chmod(0o755)
    project.write(
        ".envref.yaml",
        "project: app\nprofiles:\n  staging:\n"
        "backends:\n- {name: mystore, type: plugin, config: {command: ./plugin}}\n- {name: vault}\n",
    )
    project.write(".env", "DATABASE_URL=ref://secrets/db\nDEBUG=1\n")
    project.write(".env.qa", "")
    yield project
    assert not (project.path / "asked").exists()


BASH = """
source <(envref completion bash)
COMP_WORDS=({words}) COMP_CWORD={index}
_envref_completion envref
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
FISH = "envref completion fish | source; complete -C '{line}'"
ZSH = "autoload -U compinit; compinit -u -d {dump}; source <(envref completion zsh); print RE''ADY\n"


def bash(project, line):
    words = line.split(" ")
    script = BASH.format(words=" ".join(f"'{word}'" for word in words), index=len(words) - 1)
    return shell(project, [need("bash"), "--norc", "-c", script]).split()


def fish(project, line):
    offered = shell(project, [need("fish"), "--no-config", "-c", FISH.format(line=line)])
    return [entry.split("\t")[0] for entry in offered.splitlines()]


def shell(project, arguments):
    done = subprocess.run(arguments, cwd=project.path, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


LINES = [
    ("envref ver", ["version"]),
    ("envref secret ro", ["rotate"]),
    ("envref secret set --allow", ["--allow-empty"]),
    ("envref secret list -P ", ["qa", "staging"]),
    ("envref secret get --backend my", ["mystore"]),
    ("envref completion po", ["powershell"]),
    ("envref resolve -P st", ["staging"]),
    ("envref get DA", ["DATABASE_URL"]),
    ("envref run --only D", ["DATABASE_URL", "DEBUG"]),
    ("envref secret set k --env DE", ["DEBUG"]),
    ("envref profile use s", ["staging"]),
    ("envref profile diff staging q", ["qa"]),
]


@pytest.mark.parametrize(("line", "offered"), LINES)
def test_bash_completes(command, store, line, offered):
    """Commands, options, profiles and backends, without asking a store."""
    assert bash(store, line) == offered


@pytest.mark.parametrize(("line", "offered"), LINES)
def test_fish_completes(command, store, line, offered):
    """The same, by fish's own engine."""
    assert sorted(fish(store, line)) == offered


@pytest.mark.parametrize(("line", "rest"), [("envref ver", "sion"), ("envref secret get --backend my", "store")])
def test_zsh_completes(command, store, tmp_path, line, rest):
    """Typed with a tab: zsh completes only where somebody types, so it gets a terminal."""
    terminal = Terminal(store.path, "-f", "-i", program=[need("zsh")])
    terminal.type(ZSH.format(dump=tmp_path / "dump"))
    terminal.await_text("READY")
    assert rest not in terminal.output.partition("READY")[2]
    terminal.type(f"{line}\t")
    terminal.await_text(rest)
    terminal.type("\x15exit 0\n")
    assert terminal.end() == 0


def test_names_come_from_the_project_that_c_names(command, store, tmp_path):
    """-C on the line counts while completing too; without a project there is nothing to offer."""
    arguments = ["envref", "-C", str(store.path), "secret", "list", "-P", ""]
    elsewhere = type(store)(tmp_path)
    assert bash(elsewhere, " ".join(arguments)) == ["qa", "staging"]
    assert bash(elsewhere, "envref secret list -P ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_script_is_data(project, shell):
    """stdout, with one line end at its end, and nothing on stderr."""
    done = project.envref("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "_ENVREF_COMPLETE" in done.stdout
    assert done.stdout.endswith("\n")
    assert not done.stdout.endswith("\n\n")


def test_another_shell_is_a_usage_error(project):
    """The valid ones are named."""
    done = project.envref("completion", "tcsh")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('error: unsupported shell "tcsh": valid shells are bash, zsh, fish, powershell\n')
