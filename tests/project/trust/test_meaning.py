"""The fingerprint: what asks again, and what never does (security.md 5.3)."""

from __future__ import annotations

import hashlib
import json
import os
import time

import pytest

from envref.project.project import configured
from envref.project.trust.meaning import canonical, content, digest, fingerprint, meaning
from tests.conftest import Directory

CONFIG = {
    "project": "app",
    "backends": [
        {"name": "kv", "type": "plugin", "config": {"command": "./tools/kv", "url": "https://kv.example"}},
        {"name": "hc", "type": "hashicorp-vault", "config": {"addr": "https://a", "token": "very-private"}},
    ],
    "profiles": {"staging": None},
    "team": [{"name": "bob", "public_key": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"}],
}


@pytest.fixture
def app(project):
    project.write(".envref.yaml", json.dumps(CONFIG))
    project.write("tools/kv", "#!/bin/sh\n").chmod(0o755)
    project.write(".env", "A=1\nBASH_ENV=x\n")
    return project


def pin(project, profile=None):
    return fingerprint(meaning(configured(str(project.path), profile)))


def edited(**changes):
    return json.dumps({**CONFIG, **changes})


def of_backend(index, **config):
    backends = [dict(backend) for backend in CONFIG["backends"]]
    backends[index]["config"] = {**backends[index]["config"], **config}
    return edited(backends=backends)


QUIET = {
    "layout and comments": (".envref.yaml", json.dumps(CONFIG, indent=3) + "\n# a comment\n"),
    "an ordinary variable": (".env", "A=2\nB=3\nBASH_ENV=x\n"),
    "a reference": (".env", "A=ref://secrets/a\nBASH_ENV=x\n"),
    "an everyday name": (".env", "A=1\nBASH_ENV=x\nNODE_ENV=test\n"),
    "a dangerous name once more, in another file": (".env.local", "BASH_ENV=x\n"),
    "another file": ("README.md", "text"),
    "a broken env file": (".env.staging", "no line\n"),
}
LOUD = {
    "another value of a dangerous name": (".env", "A=1\nBASH_ENV=y\n"),
    "a secret that envref did not make": (".env", "A=ref://keychain//bank\nBASH_ENV=x\n"),
    "the project's name": (".envref.yaml", edited(project="other")),
    "an endpoint": (".envref.yaml", of_backend(1, addr="https://b")),
    "a token": (".envref.yaml", of_backend(1, token="another")),
    "an option of a plugin": (".envref.yaml", of_backend(0, url="https://evil.example")),
    "the order of the backends": (".envref.yaml", edited(backends=CONFIG["backends"][::-1])),
    "one backend less": (".envref.yaml", edited(backends=CONFIG["backends"][:1])),
    "a foreign name": (
        ".envref.yaml",
        edited(backends=[{**CONFIG["backends"][0], "names": {"a": "other/secret"}}, CONFIG["backends"][1]]),
    ),
    "an env file": (".envref.yaml", edited(env_file="other.env")),
    "a local file": (".envref.yaml", edited(local_file="other.env")),
    "a profile": (".envref.yaml", edited(profiles={"staging": None, "production": None})),
    "a profile's file": (".envref.yaml", edited(profiles={"staging": {"env_file": "s.env"}})),
    "the caller's own variables": (".envref.yaml", edited(interpolate_environment=True)),
    "a team member": (".envref.yaml", edited(team=[])),
    "a plugin's byte": ("tools/kv", "#!/bin/sh\n\n"),
    "a dangerous name": (".env", "A=1\nBASH_ENV=x\nLD_PRELOAD=y\n"),
    "a dangerous name in the personal file": (".env.local", "LD_PRELOAD=y\n"),
    "a dangerous name of another profile": (".env.staging", "LD_PRELOAD=y\n"),
}


@pytest.mark.parametrize("change", QUIET)
def test_a_change_that_means_nothing_does_not_ask(app, change):
    """Everyday edits leave the fingerprint alone."""
    before = pin(app)
    app.write(*QUIET[change])
    assert pin(app) == before


@pytest.mark.parametrize("change", LOUD)
def test_a_change_of_meaning_asks(app, change):
    """Whatever trust was given to, is another thing now."""
    before = pin(app)
    app.write(*LOUD[change])
    assert pin(app) != before


def test_the_fingerprint_holds_no_path_of_the_project(app, tmp_path):
    """A pin made in one directory holds in another, and whichever profile is in effect."""
    before = pin(app)
    app.path.rename(tmp_path / "elsewhere")
    moved = Directory(tmp_path / "elsewhere")
    assert pin(moved) == before == pin(moved, "staging")


def test_a_token_is_in_it_by_its_checksum_only(app):
    """The record of trust is no place for a credential."""
    meant = canonical(meaning(configured(str(app.path))))
    assert "very-private" not in meant
    assert f"sha256 {digest(b'very-private')}" in meant


def test_the_user_s_own_backends_are_not_in_it(project, home):
    """A pin of CI does not depend on whose machine it was made on."""
    project.write(".envref.yaml", "project: app\n")
    before = pin(project)
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("backends: [{name: mine, type: pass}]\n")
    assert pin(project) == before


def test_where_a_link_leads_is_part_of_it(project, tmp_path):
    """Of an env file, and of a program."""
    project.write(".envref.yaml", edited(backends=CONFIG["backends"][:1]))
    (project.path / "tools").mkdir()
    seen = set()
    for name in ("a", "b"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        for link in (".env.local", "tools/kv"):
            (project.path / link).unlink(missing_ok=True)
            (project.path / link).symlink_to(tmp_path / name)
            seen.add(pin(project))
    assert len(seen) == 4


def test_a_giant_can_not_be_pinned(project):
    """A file of many gigabytes is not read on every `cd`, and no record fits it."""
    project.write(".envref.yaml", edited(backends=CONFIG["backends"][:1]))
    giant = project.write("tools/kv", "#!/bin/sh\n")
    giant.chmod(0o755)
    with giant.open("r+b") as file:
        file.truncate(64 << 30)
    assert pin(project) != pin(project)


def test_the_largest_program_that_can_be_pinned(tmp_path):
    """256 MiB are read to their end; one byte more is of no checksum, and never the same twice."""
    program = tmp_path / "program"
    program.touch()
    os.truncate(program, 256 << 20)
    assert content(str(program)) == hashlib.sha256(bytes(256 << 20)).hexdigest()
    os.truncate(program, (256 << 20) + 1)
    assert content(str(program)).startswith("of none: larger than 256 MiB, ")
    assert content(str(program)) != content(str(program))


def test_a_long_chain_of_names_takes_linear_time(app):
    """A hostile file can't hold up the shell of who enters its folder."""
    chain = "".join(f"N{number}=${{N{number + 1}}}\n" for number in range(20_000))
    app.write(".env", f"BASH_ENV=$N0\n{chain}")
    begun = time.process_time()
    meant = meaning(configured(str(app.path)))
    assert len(meant["variables"]) == 20_001
    assert time.process_time() - begun < 5
