"""The fingerprint: what asks again, and what never does (security.md 5.3)."""

from __future__ import annotations

import hashlib
import json
import os
import time

import pytest

from envref.env.file import EnvFile
from envref.project.project import configured, load, with_files
from envref.project.trust.meaning import canonical, content, digest, digests, fingerprint, meaning
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
    "a variable kept for a tool": (".envref.yaml", edited(tools={"gh": ["A"]})),
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
    "a profile without the project's secrets": (".envref.yaml", edited(profiles={"staging": {"fallback": False}})),
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


# part by part


def meant_by(project, profile=None, environment=os.environ):
    return meaning(configured(str(project.path), profile), environment)


def test_all_of_a_small_project(project):
    """A pin is kept in other people's settings: another form of the same meaning would break every one of them."""
    project.write(".envref.yaml", "project: app\n")
    meant = {
        "format": 2,
        "project": "app",
        "backends": None,
        "programs": [],
        "env_file": ".env",
        "local_file": ".env.local",
        "profiles": {},
        "outside": {},
        "team": {},
        "variables": {},
        "foreign": [],
    }
    assert meant_by(project) == meant
    project.write(".envref.yaml", "project: app\ninterpolate_environment: true\nbackends: [{name: vault}]\n")
    backend = {"name": "vault", "type": "vault", "config": {}, "names": {}}
    assert meant_by(project) == {**meant, "interpolate_environment": True, "backends": [backend]}


def test_one_text_for_each_meaning():
    """The order of the names counts nothing, and no blank is in it."""
    assert canonical({"b": [1, 2], "a": {"d": None, "c": "x"}}) == '{"a":{"c":"x","d":null},"b":[1,2]}'
    assert fingerprint({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


def test_a_program_is_identified_by_where_it_is(project, tmp_path):
    """In the repository by place and bytes, elsewhere by path and target, and by name where it is not there."""
    root = project.path
    for path, text in ((root / "tools/kv", "own"), (tmp_path / "bin/kv", "elsewhere")):
        path.parent.mkdir()
        path.write_text(text)
        path.chmod(0o755)
    (root / "out").symlink_to(tmp_path / "bin/kv")
    (tmp_path / "into").symlink_to(root / "tools/kv")
    own = hashlib.sha256(b"own").hexdigest()
    for command, identity in {
        "./tools/kv": {"program": "./tools/kv", "sha256": own},
        f"{root}/tools/kv": {"program": "./tools/kv", "sha256": own},
        f"{tmp_path}/into": {"program": f"{tmp_path}/into", "sha256": own},
        "./out": {"program": "./out", "target": f"{tmp_path}/bin/kv"},
        f"{tmp_path}/bin/kv": {"program": f"{tmp_path}/bin/kv"},
        "./none": {"program": "./none"},
        f"{root}/none": {"program": "./none", "sha256": ""},
        "/nowhere/kv": {"program": "/nowhere/kv"},
    }.items():
        listed = [{"name": "s", "type": "plugin", "config": {"command": command}}]
        project.write(".envref.yaml", json.dumps({"project": "app", "backends": listed}))
        assert meant_by(project)["programs"] == [{"backend": "s", **identity}], command


def test_a_program_of_the_repository_above_is_known_by_its_bytes(project, tmp_path):
    """Its place is told from the project's root."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "kv").write_text("#!/bin/sh\n")
    (tmp_path / "kv").chmod(0o755)
    project.write(".envref.yaml", edited(backends=[{"name": "s", "type": "plugin", "config": {"command": "../kv"}}]))
    (program,) = meant_by(project)["programs"]
    assert program == {"backend": "s", "program": "./../kv", "sha256": hashlib.sha256(b"#!/bin/sh\n").hexdigest()}


def test_what_can_not_be_read_has_no_bytes(tmp_path, monkeypatch):
    """A folder, a pipe, nothing at all, and what the system refuses."""
    os.mkfifo(tmp_path / "pipe")
    assert [content(str(tmp_path / name)) for name in ("", "pipe", "none")] == ["", "", ""]

    def refuse(_path):
        raise PermissionError

    (tmp_path / "file").write_text("x")
    assert content(str(tmp_path / "file")) == hashlib.sha256(b"x").hexdigest()
    monkeypatch.setattr("envref.project.trust.meaning.open_file", refuse)
    assert content(str(tmp_path / "file")) == ""


ENV = """\
BASH_ENV=${A-B} $c.d.e ${my-var}
A=1
B=2
c=$A
d=4
c.d.e=5
my=6
my-var=7
VAULT_ADDR=http://127.0.0.1
GIT_PASSWORD=x
LD_TOKEN=very-private
LD_PASSWORD=ref://a/b
LD_TOKENS=plain
HTTPS_PROXY=http://me:very-private@h:1/x
HTTP_PROXY=http://${A}:${B}@h
"""


def test_risky_variables_and_what_they_interpolate(project):
    """Transitively, with their values as written; a credential by its digest, unless a reference stands for it."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", ENV)
    secret = f"sha256 {digest(b'very-private')}"
    found = meant_by(project)["variables"]
    assert found == {
        "BASH_ENV": ["${A-B} $c.d.e ${my-var}"],
        "A": ["1"],
        "B": ["2"],
        "c": ["$A"],
        "c.d.e": ["5"],
        "my": ["6"],
        "my-var": ["7"],
        "LD_TOKEN": [secret],
        "LD_PASSWORD": ["ref://a/b"],
        "LD_TOKENS": ["plain"],
        "HTTPS_PROXY": [f"http://me:{secret}@h:1/x"],
        "HTTP_PROXY": ["http://${A}:${B}@h"],
    }


def test_the_part_after_a_dash_is_a_default_and_no_name(project):
    """`${A-B}` interpolates A, or a variable of the whole name; B is text."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "BASH_ENV=${A-B}$x.y\nA=1\nB=2\nx=3\ny=4\n")
    assert sorted(meant_by(project)["variables"]) == ["A", "BASH_ENV", "x"]


def test_each_value_of_a_name_counts_once(project):
    """Those of every file, sorted; within one file the last."""
    project.write(".envref.yaml", "project: app\n")
    for name, text in ((".env", "PATH=z\nPATH=b\n"), (".env.local", "PATH=a\n"), (".env.x", "PATH=b\nLD_A=1\n")):
        project.write(name, text)
    assert meant_by(project)["variables"] == {"PATH": ["a", "b"], "LD_A": ["1"]}


def test_secrets_of_others_are_named_once(project):
    """Sorted, wherever in a value they stand; the project's own are none."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", 'A=ref://k//b\nB="x${ref://k//a?optional} ref://k//b"\nC=ref://k/own\n')
    project.write(".env.local", "A=ref://k//c\n")
    assert meant_by(project)["foreign"] == ["ref://k//a?optional", "ref://k//b", "ref://k//c"]


COMPOSED = {
    "its slash": "A=/bank/main\nS=ref://k/$A\n",
    "all behind the scheme": 'A=k//bank/main\nS="ref://${A}"\n',
    "an alternative": "S=ref://k/${NONE:-/bank/main}\n",
    "the scheme": 'A=re\nS="${A}f://k//bank/main"\n',
    "its end, through another": "B=main\nA=bank/$B\nS=ref://k//$A\n",
    "the line that it overrides": "S=//bank/main\nS=ref://k$S\n",
}


@pytest.mark.parametrize("text", COMPOSED.values(), ids=COMPOSED)
@pytest.mark.parametrize("file", [".env", ".env.staging", ".env.local"])
def test_a_secret_of_others_is_named_however_it_is_composed(project, file, text):
    """After an agreement, a pull could have read any entry of a store without a question."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "C=1\n")
    before = [pin(project, profile) for profile in (None, "staging")]
    project.write(file, text)
    found = meant_by(project)["foreign"]
    assert "ref://k//bank/main" in found
    assert [pin(project, profile) for profile in (None, "staging")] not in (before, before[::-1])
    assert pin(project) == pin(project, "staging")
    project.write(file, text.replace("main", "other"))
    assert meant_by(project)["foreign"] != found
    project.write(file, "A=own\nS=ref://k/$A\nT=$A$A\n")
    assert meant_by(project)["foreign"] == []


def test_what_was_read_is_what_is_meant(project, tmp_path):
    """The disk may differ by now; a file from outside is known by where it is, whether it was read or not."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "PATH=read\n")
    project.write(".env.x", "LD_A=1\n")
    (tmp_path / "private").write_text("LD_B=1\n")
    (project.path / ".env.local").symlink_to(tmp_path / "private")
    read = load(str(project.path), may_read_outside=lambda _project: True)
    assert [file.name for file in read.files] == [".env", ".env.local"]
    project.write(".env", "PATH=written\n")
    meant = meaning(read)
    assert meant["variables"] == {"PATH": ["read"], "LD_A": ["1"]}
    assert meant["outside"] == {".env.local": str(tmp_path / "private")}
    assert {**meant, "variables": {**meant["variables"], "PATH": ["written"]}} == meant_by(project)


def test_what_was_read_is_what_other_profiles_compose_from(project):
    """The base that was read, with the file of each profile: not what the disk has of it by now."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=own\nS=ref://k/$A\n")
    project.write(".env.staging", "A=/bank/main\n")
    read = load(str(project.path))
    project.write(".env", "A=own\n")
    assert meaning(read)["foreign"] == ["ref://k//bank/main"]


def test_a_file_that_the_command_names_counts(project):
    """Beside the project's own."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "PATH=a\n")
    found = configured(str(project.path))
    named = with_files(found, [], [], [EnvFile.parse("PATH=b\nLD_A=c\n", "other.env")])
    assert meaning(named)["variables"] == {"PATH": ["a", "b"], "LD_A": ["c"]}


def test_every_profile_s_files_count(project):
    """Configured or there, with their personal ones; of what the project extends too, and of no other name."""
    (project.path.parent / "shared").mkdir()
    project.write("../shared/.envref.yaml", "project: mono\nprofiles: {deep: {env_file: deep.env}}\n")
    project.write(".envref.yaml", "project: app\nextends: ../shared\nprofiles: {own: {env_file: own.env}}\n")
    (project.path.parent / ".git").mkdir()
    counted = [
        *(".env", ".env.local", "own.env", ".env.there", ".env.there.local", "../shared/.env"),
        *("../shared/deep.env", "../shared/.env.there", "../shared/.env.other.local"),
    ]
    for number, name in enumerate([*counted, ".env.example", ".envx", "env.there", ".env.no good", "deep.env"]):
        project.write(name, f"LD_{number}=x\n")
    assert sorted(meant_by(project)["variables"]) == sorted(f"LD_{number}" for number in range(len(counted)))
    assert meant_by(project, "there") == meant_by(project)


def test_without_its_directory_there_is_no_profile(project):
    """What it extends may have gone since."""
    project.write(".envref.yaml", "project: app\n")
    found = configured(str(project.path))
    project.path.rename(project.path.with_name("moved"))
    assert meaning(found)["variables"] == {}


@pytest.mark.parametrize("change", [*QUIET, *LOUD])
def test_strict_mode_is_by_bytes(app, home, change):
    """Of the config and of the env files that can be read; of nothing else, and in default mode not at all."""
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True)
    assert "content" not in meant_by(app)
    own.write_text("trust: strict\n")
    before = meant_by(app)
    assert len(before["content"]) == 64
    name, text = {**QUIET, **LOUD}[change]
    app.write(name, text)
    unread = change in ("another file", "a broken env file", "a plugin's byte")
    assert (meant_by(app)["content"] == before["content"]) == unread


def test_the_bytes_that_a_meaning_is_read_from(app):
    """The config, each env file, which may not be there yet, and each program."""
    found = digests(configured(str(app.path)))
    there = [".envref.yaml", ".env", "tools/kv"]
    assert found == {
        **{str(app.path / name): digest((app.path / name).read_bytes()) for name in there},
        **dict.fromkeys((str(app.path / ".env.local"), str(app.path / ".env.staging")), ""),
    }
