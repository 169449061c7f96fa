"""Which files `envref audit --staged` looks at: those that look like env files, and those that a config names."""

from __future__ import annotations

import subprocess

import pytest

from tests.requirements import first_python, need

pytestmark = first_python

TOKEN = "TOKEN=ghp_0123456789abcdefghijABCDEFGHIJ012345\n"


@pytest.fixture
def staged(shelf):
    """`staged(NAME=TEXT, …)`: what audit says of the next commit with these files."""
    git = need("git")
    subprocess.run([git, "init", "-q"], cwd=shelf.path, check=True)

    def staged(files):
        for name, text in files.items():
            shelf.write(name, text)
        subprocess.run([git, "add", *files], cwd=shelf.path, check=True)
        return shelf.said("audit", "--staged")

    return staged


def test_the_files_that_a_config_names_count_too(staged):
    """Base, local and profile; in each folder, and relative to it."""
    names = {"sub/base": "A=1\n", "sub/own": "B=1\n", "sub/deploy/qa": TOKEN, "elsewhere/qa": TOKEN}
    config = "project: app\nenv_file: base\nlocal_file: own\nprofiles: {qa: {env_file: deploy/qa}}\n"
    done = staged({"sub/.envref.yaml": config, **names})
    assert (done.returncode, done.stdout) == (1, "")
    assert sorted(done.stderr.partition(": ")[2].partition("\n")[0].split(", ")) == [*sorted(names)][1:]
    assert "sub/deploy/qa:\n  line 1: TOKEN — " in done.stderr
    assert "1 potential secret(s) found\n" in done.stderr


def test_a_config_that_can_t_be_read_names_none(staged):
    """It is told; what looks like an env file is looked at nevertheless, and what is none of these is not."""
    files = dict.fromkeys((".env", "x/.env.qa", "x/prod.env", "x/.flaskenv", "x/.env-old"), "A=1\n")
    others = dict.fromkeys((".env.json", "x/.env.schema.yaml", "env", "x/environment", ".env.age"), TOKEN)
    done = staged({"sub/.envref.yaml": "project: [", **files, **others})
    assert (done.returncode, done.stdout) == (0, "OK: no plaintext secrets detected\n")
    warning, looked = done.stderr.splitlines()
    assert warning.startswith("warning: sub/.envref.yaml: not looked at for the names of env files: ")
    assert sorted(looked.removeprefix("looked at 5 file(s): ").split(", ")) == sorted(files)


def test_a_file_that_can_t_be_read_fails_and_the_others_are_looked_at(staged):
    """Both are told."""
    done = staged({".env": "no equals\n", "x/.env": TOKEN})
    assert done.returncode == 1
    assert done.stderr.startswith("error: .env:1:1: expected NAME=VALUE\n")
    assert "x/.env:\n  line 1: TOKEN" in done.stderr
    done = staged({".env": "no equals\n", "x/.env": "A=1\n"})
    assert (done.returncode, done.stdout) == (1, "")


def test_nothing_that_could_hold_a_secret_is_staged(staged):
    """No clean bill for what was not looked at; nor for a file that is named and not staged."""
    done = staged({"README": "x"})
    cure = "  hint: git ls-files shows what is\n"
    assert (done.returncode, done.stderr) == (1, f"error: no env file is staged: nothing was looked at\n{cure}")
