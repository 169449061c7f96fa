"""Everyday use as one table: how often a person is asked, on a terminal, by the real programs.

direnv, git, bash, a Secret Service and the hook text of Flox are real; what mise, devenv, nix and Docker set is copied
from their documentation, because what they run is the same line of a shell.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest

from envref.flox import block
from tests.arguments import PYTHONPATH
from tests.backends.conftest import secret_service as keychain  # noqa: F401  a fixture
from tests.backends.vaults import unlocked_vault
from tests.cli.terminal import Terminal
from tests.requirements import first_python, need

pytestmark = [first_python, pytest.mark.usefixtures("nobody_agreed")]

CONFIG = "project: app\nbackends: [{name: vault, config: {path: v.db}}]\n"
ENV = "PORT=3000\nAPI_KEY=ref://secrets/api_key\n"
LINE = 'eval "$(envref resolve --export)"\n'


class Place:
    """A clone in which nobody here has agreed to anything, and a terminal to use it in."""

    def __init__(self, project, tmp_path, monkeypatch):
        self.project = project
        unlocked_vault(project.path / "v.db", monkeypatch, {"api_key": "sk-1"})
        project.write(".envref.yaml", CONFIG)
        project.write(".env", ENV)
        programs = tmp_path / "bin"
        programs.mkdir()
        (programs / "envref").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m envref "$@"\n')
        (programs / "envref").chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        monkeypatch.setenv("PYTHONPATH", PYTHONPATH)

    def typed(self, script, answer=""):
        """What stands on the terminal when it has run; `answer` is what the person says when they are asked."""
        last = 'printf "<%s %s>\\n" "$PORT" "$API_KEY"'
        terminal = Terminal(self.project.path, "-c", f"{script}\n{last}", program=(need("bash"), "--norc"))
        if answer:
            terminal.await_text("[y/N] ")
            terminal.type(f"{answer}\n")
        terminal.end()
        return terminal.output


@pytest.fixture
def place(project, tmp_path, monkeypatch):
    return Place(project, tmp_path, monkeypatch)


def asked(output):
    return output.count("[y/N]") + output.count("review, then: envref trust")


def test_the_seed_s_keychain(place, keychain, project):  # noqa: F811
    """`init`, a secret, a reference, and a hook at the prompt, three times."""
    for name in (".envref.yaml", ".env", "v.db"):
        (project.path / name).unlink()
    output = place.typed(
        f"""
        envref init --project app
        envref secret set api_key --value sk-1 --env API_KEY
        envref set PORT=3000
        {LINE * 3}
        """
    )
    assert (asked(output), output.splitlines()[-1]) == (0, "<3000 sk-1>")


def test_direnv(place, project):
    """The real one, with the file of `envref init --direnv`, allowed once; then again after an edit of `.env`."""
    direnv = need("direnv")
    output = place.typed(
        f"""
        envref init --direnv
        {direnv} allow .
        eval "$({direnv} export bash)"
        echo 'MORE=1' >> .env; touch -d '1 hour' .env
        eval "$({direnv} export bash)"
        """
    )
    assert (asked(output), output.splitlines()[-1]) == (0, "<3000 sk-1>")


@pytest.mark.parametrize("folder", [".", "web/app"])
def test_direnv_with_a_file_of_the_repository(place, project, folder):
    """In a clone, in the root or in a folder below it."""
    project.write(f"{folder}/.envrc", LINE)
    direnv = need("direnv")
    output = place.typed(f'cd {folder}; {direnv} allow .; eval "$({direnv} export bash)"')
    assert (asked(output), output.splitlines()[-1]) == (0, "<3000 sk-1>")


def test_flox(place, project):
    """The hook that `flox-hook --write` writes, with what `flox activate` sets, from a folder of the project."""
    project.write("web/x", "")
    script = f"""
        export FLOX_ENV_PROJECT={project.path} FLOX_ENV={project.path}/.flox/run/x86_64-linux.app.dev
        cd web
        hook() {{ {block.hook()}
        }}
        hook; hook
        """
    output = place.typed(script)
    assert (asked(output), output.splitlines()[-1]) == (0, "<3000 sk-1>")


CI = {
    "GitHub Actions": {"CI": "true", "GITHUB_ACTIONS": "true"},
    "GitLab": {"CI": "true", "GITLAB_CI": "true"},
    "a runner that says 1": {"CI": "1"},
    "Azure": {"TF_BUILD": "True", "ENVREF_TRUST": "all"},
    "Jenkins": {"JENKINS_URL": "http://ci/", "ENVREF_TRUST": "all"},
    "a container": {"ENVREF_TRUST": "all"},
}


@pytest.mark.parametrize("runner", CI)
def test_the_vault_in_ci(place, runner, monkeypatch):
    """A fresh clone each time, with the passphrase in the environment."""
    for name, value in CI[runner].items():
        monkeypatch.setenv(name, value)
    output = place.typed(LINE * 2)
    assert (asked(output), output.splitlines()[-1]) == (0, "<3000 sk-1>")


def test_a_pin_in_ci(place, project, monkeypatch):
    """What was reviewed: also where the project asks for something."""
    project.write(".env", f"{ENV}PAGER=less\n")
    monkeypatch.setenv("ENVREF_TRUST", project.envref("trust", "--print").stdout.strip())
    output = place.typed(LINE * 2)
    assert (asked(output), output.splitlines()[-1]) == (0, "<3000 sk-1>")


def test_work_trees_of_one_repository(place, project):
    """Somebody who has agreed in one has to agree in the other, once; nobody is told of a shared name."""
    git = [need("git"), "-c", "user.name=n", "-c", "user.email=e", "-C", project.path]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "m"], ["worktree", "add", "-q", "../tree"]):
        subprocess.run([*git, *words], check=True)
    assert project.envref("trust").returncode == 0
    output = place.typed(f"{LINE}cd ../tree; chmod 600 v.db\n{LINE}", "y")
    assert asked(output) == 1
    assert "also used by" not in output


ONCE = {
    "a bare prompt hook": {},
    "mise": {"MISE_SHELL": "bash", "__MISE_DIFF": "x"},
    "devenv": {"DEVENV_ROOT": "/src", "IN_NIX_SHELL": "impure"},
    "nix develop": {"IN_NIX_SHELL": "impure", "name": "nix-shell-env"},
    "a Docker entrypoint": {"container": "docker"},
    "direnv long ago": {"DIRENV_DIR": "-/src", "DIRENV_FILE": "/src/.envrc"},
    "Flox of another place": {"FLOX_ENV_PROJECT": "/src", "FLOX_ENV": "/src/.flox/run/x"},
    "a CI that is none": {"CI": "false"},
}


@pytest.mark.parametrize("what", ONCE)
def test_what_tells_nothing_asks_once(place, what, monkeypatch):
    """On the terminal, with one answer for ever after."""
    for name, value in ONCE[what].items():
        monkeypatch.setenv(name, value)
    output = place.typed(LINE * 2, "y")
    assert (asked(output), output.splitlines()[-1]) == (1, "<3000 sk-1>")
    output = place.typed(LINE * 2)
    assert (asked(output), output.splitlines()[-1]) == (0, "<3000 sk-1>")


def test_who_ran_trust_is_not_asked(place, project):
    """As the pages of mise, devenv, nix and Docker begin."""
    output = place.typed(f"envref trust < /dev/null\n{LINE * 2}")
    assert (asked(output), output.splitlines()[-1]) == (0, "<3000 sk-1>")


def test_everyday_edits_ask_nothing(place, project):
    """Of values, references, comments, the config's layout, profiles' files, and by envref's own commands."""
    project.write(".env.example", "PORT=\n")
    output = place.typed(
        f"""
        envref trust < /dev/null
        {LINE}
        echo 'NODE_ENV=development' >> .env; {LINE}
        echo '# x' >> .envref.yaml; {LINE}
        echo 'B=ref://secrets/b?optional' > .env.local; {LINE}
        echo 'PORT=3000' > .env.staging; {LINE}
        envref set C=1; {LINE}
        envref set PAGER=less; {LINE}
        envref secret set b --value x; {LINE}
        envref team add me age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p; {LINE}
        envref profile create test; {LINE}
        """
    )
    assert (asked(output), output.splitlines()[-1]) == (0, "<3000 sk-1>")
