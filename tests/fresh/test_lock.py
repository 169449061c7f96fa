"""`envref lock`, and what `--locked` makes of it: the versions that the file names, in the project's own places."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time

import pytest

from envref.cli.credential.values import values
from envref.errors import EnvrefError
from envref.resolve.resolution import load
from tests import transcripts
from tests.backends.vaults import unlocked_vault
from tests.cli.conftest import VAULT_ENTRY, config
from tests.fresh.test_stale import export
from tests.requirements import first_python

pytestmark = first_python

SSM = {"name": "ssm", "type": "aws-ssm"}


def undated(done):
    """The lines of stdout, without how long ago each was."""
    return [re.sub(r" \((just now|.* ago)\)", "", line) for line in done.stdout.splitlines()]


class Shop:
    """A project whose secrets are in Parameter Store, and a way to them that is not envref's."""

    def __init__(self, project, service):
        self.envref, self.write, self.read, self.path = project.envref, project.write, project.read, project.path
        self.service = service
        self.write(".envref.yaml", config(SSM, profiles={"staging": None}))

    def put(self, **values):
        for name, value in values.items():
            place = f"/envref/app/{name.replace('__', '/')}"
            self.service.call("AmazonSSM.PutParameter", Name=place, Value=value, Type="SecureString", Overwrite=True)

    def delete(self, name):
        self.service.call("AmazonSSM.DeleteParameter", Name=f"/envref/app/{name}")

    def lines(self):
        """The lines of the lock, without dates."""
        return [re.sub(r"(@\d+)\.\d+$", r"\1", line) for line in self.read("envref.lock").splitlines()[3:]]

    def values(self, *arguments):
        done = self.envref("resolve", "--format", "json", *arguments)
        rows = json.loads(done.stdout or "[]")
        return {row["key"]: row["value"] for row in rows}, done.stderr, done.returncode


@pytest.fixture
def shop(project, service, program, trusted):
    return Shop(project, service)


def test_a_rotation_is_a_reviewed_line(shop):
    """What is pinned stays pinned until it is updated; until then the check fails, and `--locked` has the old value."""
    shop.put(a="first a", b="first b")
    shop.write(".env", "PLAIN=1\nB=ref://ssm/b\nA=ref://secrets/a\nURL=x://${A}@${ref://ssm/b}/\n")
    made = shop.envref("lock")
    assert undated(made) == [f"{name}  nothing -> ssm 1" for name in ("A", "B", "URL")]
    assert (made.stderr, made.returncode) == ("", 0)
    assert shop.lines() == ["A ssm app/a @1", "B ssm app/b @1", "URL ssm app/b @1"]
    assert "first" not in shop.read("envref.lock")
    checked = shop.envref("lock", "--check")
    assert (checked.stdout, checked.stderr, checked.returncode) == ("", "", 0)

    shop.put(b="second b")
    checked = shop.envref("lock", "--check")
    assert (undated(checked), checked.returncode) == (["B  ssm 1 -> 2", "URL  ssm 1 -> 2"], 3)
    before = shop.read("envref.lock")
    again = shop.envref("lock")
    assert (again.stdout, again.returncode, shop.read("envref.lock")) == ("", 0, before)
    assert "to take that, run: envref lock --update B URL" in again.stderr
    locked = {"PLAIN": "1", "B": "first b", "A": "first a", "URL": "x://first a@first b/"}
    assert shop.values("--locked") == (locked, "", 0)
    assert shop.values()[0]["URL"] == "x://first a@second b/"
    assert shop.envref("run", "--locked", "--only", "B", "--", "printenv", "B").stdout == "first b\n"

    updated = shop.envref("lock", "--update")
    assert (undated(updated), updated.returncode) == (["B  ssm 1 -> 2", "URL  ssm 1 -> 2"], 0)
    assert shop.lines() == ["A ssm app/a @1", "B ssm app/b @2", "URL ssm app/b @2"]
    assert shop.values("--locked")[0]["B"] == "second b"


def test_one_name_is_updated_alone(shop):
    """And what has the same secret with it; a name that the project does not have is a mistake."""
    shop.put(a="1", b="1")
    shop.write(".env", "A=ref://ssm/a\nB=ref://ssm/b\nC=ref://ssm/a\n")
    shop.envref("lock")
    shop.put(a="2", b="2")
    assert undated(shop.envref("lock", "--update", "C")) == ["A  ssm 1 -> 2", "C  ssm 1 -> 2"]
    assert shop.lines() == ["A ssm app/a @2", "B ssm app/b @1", "C ssm app/a @2"]
    shop.write(".env", "A=ref://ssm/a\nB=ref://ssm/b\nC=ref://ssm/a\nD=${B}-${ref://ssm/a}\n")
    shop.put(a="3")
    assert undated(shop.envref("lock", "--update", "A")) == ["A  ssm 2 -> 3", "C  ssm 2 -> 3"]
    assert shop.lines() == ["A ssm app/a @3", "B ssm app/b @1", "C ssm app/a @3"]
    unknown = shop.envref("lock", "--update", "NONE")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "error: NONE: no committed file of the project sets it by a reference" in unknown.stderr
    for words in (["A"], ["--json"], ["--check", "A"], ["--check", "--update"]):
        assert shop.envref("lock", *words).returncode == 2


def test_a_composed_name_is_updated_with_what_it_interpolates(shop):
    """Its value is made of those secrets; a name that has no reference of its own left the lock as it was, or empty."""
    shop.put(a="1", b="1", c="1")
    shop.write(".env", "A=ref://ssm/a\nB=ref://ssm/b\nC=ref://ssm/c\nURL=x://$A@${B}/\nMORE=$URL-${ref://ssm/a}\n")
    assert undated(shop.envref("lock", "--update", "URL")) == ["A  nothing -> ssm 1", "B  nothing -> ssm 1"]
    assert shop.lines() == ["A ssm app/a @1", "B ssm app/b @1"]
    shop.envref("lock")
    shop.put(a="2", b="2", c="2")
    assert undated(shop.envref("lock", "--update", "MORE")) == [
        "A  ssm 1 -> 2",
        "B  ssm 1 -> 2",
        "MORE  ssm 1 -> 2",
    ]
    assert shop.lines() == ["A ssm app/a @2", "B ssm app/b @2", "C ssm app/c @1", "MORE ssm app/a @2"]


def test_a_store_out_of_reach_holds_up_only_its_own_names(shop):
    """Neither is it written down as one that has nothing, although the config lets it be skipped elsewhere."""
    shop.write(".envref.yaml", config(SSM, {"name": "op", "type": "plugin", "optional": True}))
    shop.put(a="1", b="1")
    shop.write(".env", "A=ref://ssm/a\nB=ref://secrets/b\n")
    assert shop.envref("lock").returncode == 0
    before = shop.lines()
    shop.write(".env", "A=ref://ssm/a\nB=ref://secrets/b\nO=ref://op/o?default=x\n")
    shop.put(a="2")
    refused = shop.envref("lock")
    assert (refused.returncode, shop.lines()) == (1, before)
    assert "error: O: failed to resolve ref://op/o?default=x" in refused.stderr
    checked = shop.envref("lock", "--check")
    assert checked.stdout.startswith("A  ssm 1 -> 2 (")
    assert "O  can not be told: " in checked.stdout
    assert undated(shop.envref("lock", "--update", "A")) == ["A  ssm 1 -> 2"]
    assert shop.lines() == ["A ssm app/a @2", "B ssm app/b @1"]
    again = shop.envref("lock", "--check")
    assert (again.stdout[:6], again.returncode) == ("O  can", 1)


def test_lines_follow_the_files(shop):
    """A new reference is added, one that is gone is taken out, one that means another secret is pinned anew."""
    shop.put(a="1", b="1")
    shop.write(".env", "A=ref://ssm/a\nB=ref://ssm/b\n")
    shop.envref("lock")
    shop.write(".env", "A=ref://ssm/b\nC=ref://ssm/b\n")
    expected = {
        "A": "A  ssm app/a 1 -> ssm app/b 1",
        "B": "B  gone: no committed file sets it by a reference",
        "C": "C  nothing -> ssm 1",
    }
    checked = shop.envref("lock", "--check")
    assert (undated(checked), checked.returncode) == (list(expected.values()), 3)
    rows = json.loads(shop.envref("lock", "--check", "--json").stdout)
    assert [(row["name"], row["status"]) for row in rows] == [("A", "stale"), ("B", "gone"), ("C", "stale")]
    assert undated(shop.envref("lock")) == list(expected.values())
    assert shop.lines() == ["A ssm app/b @1", "C ssm app/b @1"]


def test_each_profile_has_its_section(shop):
    """Writing one leaves the others alone; the profile's own secret is pinned, and none that comes before it later."""
    shop.put(a="base", staging__b="of staging")
    shop.write(".env", "A=ref://ssm/a\n")
    shop.write(".env.staging", "B=ref://secrets/b\n")
    shop.envref("lock")
    assert "no section for profile" in shop.envref("resolve", "--locked", "-P", "staging").stderr
    assert "run: envref lock --profile staging" in shop.envref("lock", "--check", "-P", "staging").stderr
    shop.envref("lock", "-P", "staging")
    section = ["[staging]", "A ssm app/a @1", "B ssm app/staging/b @1"]
    assert shop.lines() == ["A ssm app/a @1", "", *section]
    shop.put(staging__a="in front of it", a="second")
    assert shop.values("--locked", "-P", "staging")[0] == {"A": "base", "B": "of staging"}
    moved = shop.envref("lock", "--check", "-P", "staging")
    assert undated(moved) == ["A  ssm app/a 1 -> ssm app/staging/a 1"]
    shop.envref("lock", "--update")
    assert shop.lines() == ["A ssm app/a @2", "", *section]


def test_what_is_gone_is_an_error_and_never_another_version(shop):
    """Whatever the reference or the backend says of absent secrets; one that is made again is another writing."""
    shop.write(".envref.yaml", config({**SSM, "optional": True}))
    shop.put(a="first a", b="first b", c="first c")
    shop.write(".env", "A=ref://ssm/a?default=x\nB=ref://secrets/b?optional=true\nC=ref://ssm/c\n")
    shop.envref("lock")
    shop.delete("a")
    shop.delete("b")
    time.sleep(1.1)  # moto counts seconds
    shop.put(b="made again")
    values, said, status = shop.values("--locked")
    assert (values, status) == ({"C": "first c"}, 3)
    assert 'aws-ssm: version 1 of "app/a", which envref.lock names, is no more' in said
    assert 'aws-ssm: version 1 of "app/b", which envref.lock names, is another writing now' in said
    assert "made again" not in said
    assert "  run: envref lock --update A\n" in said
    assert "  run: envref lock --update B\n" in said
    assert shop.envref("run", "--locked", "--", "true").returncode == 1
    assert shop.envref("resolve", "--locked", "--export", "--strict").stdout == "false\n"
    shop.envref("lock", "--update")
    assert shop.lines() == ["A ssm app/a absent", "B ssm app/b @1", "C ssm app/c @1"]
    assert shop.values("--locked")[0] == {"A": "x", "B": "made again", "C": "first c"}


def test_what_the_lock_lacks_is_an_error_that_its_cure_cures(shop):
    """A new reference. What a personal file says is neither in the lock nor held by it."""
    shop.put(a="a", b="b")
    shop.write(".env", "A=ref://ssm/a\n")
    missing = shop.envref("resolve", "--locked")
    assert "error: no envref.lock in the project\n  run: envref lock\n" in missing.stderr
    assert shop.envref("lock", "--check").returncode == 1
    shop.envref("lock")
    shop.write(".env", "A=ref://ssm/a\nB=ref://ssm/b\n")
    values, said, status = shop.values("--locked")
    assert (values, status) == ({"A": "a"}, 3)
    line = "error: B: failed to resolve ref://ssm/b: envref.lock does not have it as it is here\n  run: envref lock\n"
    assert line in said
    shop.envref("lock")
    assert shop.values("--locked")[0] == {"A": "a", "B": "b"}
    shop.put(c="c")
    shop.write(".env.local", "A=ref://ssm/c\nP=1\n")
    assert shop.envref("lock", "--check").returncode == 0
    assert shop.values("--locked") == ({"A": "c", "B": "b", "P": "1"}, "", 0)
    shop.write(".env.local", "A=ref://ssm/b\n")
    shop.put(b="second b")
    assert shop.values("--locked") == ({"A": "b", "B": "b"}, "", 0)


def test_a_label_and_a_foreign_name_are_pinned_to_a_number(shop):
    """What a label means is moved; `?version=` then is the place, and the number the version."""
    shop.put(a="first")
    shop.service.call("AmazonSSM.PutParameter", Name="/team/db", Value='{"user": "bob"}', Type="SecureString")
    label = {"Name": "/envref/app/a", "Labels": ["prod"]}
    shop.service.call("AmazonSSM.LabelParameterVersion", ParameterVersion=1, **label)
    shop.write(".env", "A=ref://ssm/a?version=prod\nB=ref://ssm//team/db#user\n")
    assert shop.envref("lock").returncode == 0
    assert shop.lines() == ["A ssm app/a?version=prod @1", "B ssm //team/db @1"]
    shop.put(a="second")
    shop.service.call("AmazonSSM.LabelParameterVersion", ParameterVersion=2, **label)
    assert shop.values("--locked")[0] == {"A": "first", "B": "bob"}
    assert shop.values()[0]["A"] == "second"
    assert undated(shop.envref("lock", "--check")) == ["A  ssm 1 -> 2"]


def test_a_store_without_versions_is_listed(shop, monkeypatch):
    """And gives what it has; where it would be skipped because it is optional, it is not."""
    vault = unlocked_vault(shop.path / "v.db", monkeypatch, {"t": "token"})
    assert vault.versions == ""
    shop.write(".envref.yaml", config(SSM, VAULT_ENTRY))
    shop.put(a="a")
    shop.write(".env", "A=ref://secrets/a\nT=ref://secrets/t\nD=ref://secrets/d?default=d\n")
    done = shop.envref("lock")
    assert done.stderr == 'warning: T: unpinned, backend "vault" keeps no versions that can be read again\n'
    assert shop.lines() == ["A ssm app/a @1", "D vault app/d absent", "T vault app/t unpinned"]
    assert shop.values("--locked") == ({"A": "a", "T": "token", "D": "d"}, "", 0)
    assert shop.envref("lock", "--check").returncode == 0
    shop.put(d="there by now")
    assert shop.values("--locked")[0]["D"] == "d"
    assert "D  vault app/d absent -> ssm app/d 1" in shop.envref("lock", "--check").stdout


def test_a_secret_that_nobody_has_pins_nothing(shop):
    """The file stays as it was."""
    shop.put(a="a")
    shop.write(".env", "A=ref://ssm/a\n")
    shop.envref("lock")
    before = shop.read("envref.lock")
    shop.write(".env", "A=ref://ssm/a\nB=ref://ssm/b\nC=ref://nobody/c\nE=ref://ssm/?\n")
    done = shop.envref("lock")
    assert (done.returncode, done.stdout, shop.read("envref.lock")) == (1, "", before)
    assert "run: envref secret set b --backend ssm" in done.stderr
    assert 'unknown backend "nobody"' in done.stderr
    assert "error: envref.lock is as it was" in done.stderr
    checked = shop.envref("lock", "--check")
    assert checked.returncode == 3
    assert 'B  gone: secret "b" not found in backend "ssm"' in checked.stdout
    assert "C  can not be told: unknown backend" in checked.stdout


def test_a_locked_shell_is_old_when_the_lock_moves(shop, monkeypatch):
    """And not before: what is pinned is what it should have. No store is asked for what the lock says."""
    shop.put(a="first", b="b")
    shop.write(".env", "A=ref://ssm/a\nB=ref://ssm/b\nC=ref://ssm/a?version=1\n")
    shop.envref("lock")
    shop.put(a="second")
    export(shop, monkeypatch, "--locked")
    assert os.environ["A"] == "first"
    assert re.search(r" A=ssm@1\.\d+= B=ssm@1\.\d+= C== \.$", os.environ["ENVREF_SEEN"])
    before = len(shop.service.requests)
    fresh = shop.envref("stale")
    assert (fresh.stdout, fresh.stderr, fresh.returncode) == ("", "", 0)
    assert len(shop.service.requests) == before
    assert shop.envref("refresh").stdout == ""

    shop.envref("lock", "--update", "A")
    old = shop.envref("stale")
    assert (undated(old), old.returncode) == (["A  ssm 1 -> 2"], 3)
    done = shop.envref("refresh")
    first, second = done.stdout.splitlines()
    assert (first, done.stderr, done.returncode) == ("export A=second", "", 0)
    assert re.fullmatch(r"export ENVREF_SEEN='.* A=ssm@2\.\d+= B=ssm@1\.\d+= C== \.'", second)

    monkeypatch.setenv("A", "by hand")
    assert "A: its value in this shell is not the one that envref gave it" in shop.envref("refresh").stderr


def test_a_project_can_be_locked_for_everything(shop, monkeypatch):
    """`locked: true`: each command that gives values gives those of the lock, without a word on its command line."""
    shop.write(".envref.yaml", config(SSM, locked=True, profiles={"staging": None}))
    shop.put(a="first")
    shop.write(".env", "A=ref://ssm/a\n")
    for words in (["resolve", "--export"], ["run", "--", "true"]):
        refused = shop.envref(*words)
        assert (refused.stdout, refused.returncode) == ("false\n" if "--export" in words else "", 1)
        assert "error: no envref.lock in the project\n  run: envref lock\n" in refused.stderr
    assert shop.envref("lock").returncode == 0
    shop.put(a="second")
    for words in (["resolve"], ["run", "--", "sh", "-c", "echo A=$A"], ["resolve", "--format", "shell"]):
        assert "A=first" in shop.envref(*words).stdout, words
    assert shop.envref("get", "--resolve", "A").stdout == "first\n"
    assert "second" not in shop.envref("profile", "export").stdout
    assert shop.envref("resolve", "-f", ".env").stdout == "A=second\n"
    assert "run: envref lock --profile staging" in shop.envref("resolve", "-P", "staging").stderr
    assert "Locked: true" in shop.envref("config", "show").stdout
    plugged = shop.envref("resolve", "--export", "--from-flox-plugin", "-", stdin='{"A": "ref://ssm/a"}')
    assert (plugged.stdout, plugged.returncode) == ("false\n", 1)
    assert "run: envref flox-hook --write --placement hook" in plugged.stderr
    for form in ("--native", "--plugin"):
        assert "locked: true in .envref.yaml, and " + form in shop.envref("flox-hook", form).stderr


def test_a_shell_of_before_the_lock_gets_what_is_pinned(shop, monkeypatch):
    """`refresh` never gives another version than an activation would."""
    shop.write(".env", "A=ref://ssm/a\n")
    shop.put(a="first")
    shop.envref("lock")
    shop.put(a="second")
    export(shop, monkeypatch)
    assert os.environ["A"] == "second"
    shop.write(".envref.yaml", config(SSM, locked=True))
    assert undated(shop.envref("stale")) == ["A  ssm 2 -> 1"]
    assert shop.envref("refresh").stdout.startswith("export A=first\n")


@pytest.mark.parametrize("words", [["-f", "other.env"], ["--from-flox-plugin", "-"]])
def test_other_files_have_no_lock(shop, words):
    """Their cure would not be `envref lock`."""
    shop.write("other.env", "A=ref://ssm/a\n")
    assert shop.envref("resolve", "--locked", *words).returncode == 2


@pytest.fixture
def clone(project, monkeypatch, trusted):
    """A project whose vault and plugin write down what they are asked for."""
    entry = {"name": "store", "type": "plugin", "config": {"command": "./store"}}
    project.write(".envref.yaml", config(entry))
    script = 'cat >> asked; echo >> asked; echo \'{"value": "v", "revision": "1"}\'\n'
    project.write("store", "#!/bin/sh\n" + script).chmod(0o755)
    project.write(".env", "A=ref://store/a\n")
    return project


@pytest.mark.parametrize(
    "line",
    [
        "A store app/other unpinned",
        "A store //a unpinned",
        "A other app/a unpinned",
        "B store app/a unpinned",
        "A store app/a @1",
        "A store app/a absent",
        "A store app/qa/a unpinned",
    ],
)
def test_a_hostile_lock_asks_for_nothing(clone, line):
    """Of another address or name, of a version that such a store has not, or absent where the project wants a value."""
    clone.write("envref.lock", f"envref-lock 1\n{line}\n")
    done = clone.envref("resolve", "--locked")
    assert (done.stdout, done.returncode) == ("", 3)
    assert "envref.lock does not have it as it is here\n  run: envref lock\n" in done.stderr
    assert not (clone.path / "asked").exists()
    clone.write("envref.lock", "envref-lock 1\nA store app/a unpinned\nZ store app/z unpinned\n")
    assert clone.envref("resolve", "--locked").stdout == "A=v\n"
    assert "app/z" not in clone.read("asked")


def test_a_conflict_stops_it_before_any_store(clone):
    """With every line of it; where a shell evaluates the output, it fails."""
    clone.write("envref.lock", "envref-lock 1\n<<<<<<< HEAD\nA store app/a unpinned\n=======\n>>>>>>> x\n")
    done = clone.envref("resolve", "--export", "--locked")
    assert (done.stdout, done.returncode) == ("false\n", 1)
    assert done.stderr.count("a conflict that git left open") == 3
    assert "envref.lock:2:1: " in done.stderr
    for words in (["lock"], ["lock", "--check"], ["run", "--locked", "--", "true"]):
        assert clone.envref(*words).returncode == 1
    assert not (clone.path / "asked").exists()


def test_nothing_of_a_project_that_waits_for_trust_is_asked(clone, monkeypatch):
    """The lock gives no consent."""
    monkeypatch.delenv("ENVREF_TRUST")
    clone.write("envref.lock", "envref-lock 1\nA store app/a unpinned\n")
    for words in (["lock"], ["lock", "--check"], ["resolve", "--locked"]):
        assert clone.envref(*words).returncode == 4
    assert not (clone.path / "asked").exists()


@pytest.mark.parametrize("kind", ["parameters", "managed", "entries", "bundles", "passes"])
def test_every_store_with_versions_gives_the_one_that_is_pinned(project, request, trusted, kind):
    """After a rotation too; a version that was dropped is an error that names it, and no other one."""
    store = request.getfixturevalue(kind)
    project.write(".envref.yaml", config(store.entry))
    project.write(".env", "A=ref://secrets/a\nB=ref://secrets/b?default=nothing\n")
    store.put("a", "first a")
    store.put("b", "first b")
    made = project.envref("lock")
    assert (made.stderr, made.returncode) == ("", 0)
    assert "first" not in project.read("envref.lock")
    assert project.read("envref.lock").count(" @") == 2
    assert project.envref("lock", "--check").returncode == 0
    store.put("a", "second a")
    assert project.envref("resolve", "--locked").stdout == "A=first a\nB=first b\n"
    assert project.envref("resolve", "--only", "A").stdout == "A=second a\n"
    drift = project.envref("lock", "--check")
    assert (drift.returncode, [line.split()[0] for line in drift.stdout.splitlines()]) == (3, ["A"])
    store.drop("a")
    gone = project.envref("resolve", "--locked", "--only", "A")
    assert (gone.stdout, gone.returncode) == ("", 3)
    assert re.search(r'version \S+ of "app/a", which envref.lock names, is (no more|another writing now)', gone.stderr)
    assert project.envref("run", "--locked", "--", "true").returncode == 1


def destroyed(entries):
    entries._server.ask("POST", "secret/destroy/envref/app/a", {"versions": [1]})


def deleted(entries):
    entries._server.ask("POST", "secret/delete/envref/app/a", {"versions": [1]})


def made_again(store):
    store.make_again("a")


def without_a_stage(managed):
    """AWS calls it deprecated, and may delete it."""
    managed.put("a", "third a")


def collected(passes):
    """git threw it away, after somebody wrote its history anew."""
    passes.drop("a")
    for words in (["reflog", "expire", "--expire=now", "--all"], ["gc", "-q", "--prune=now"]):
        passes.passwords.git(*words)


@pytest.mark.parametrize(
    ("kind", "lose"),
    [
        ("entries", destroyed),
        ("entries", deleted),
        ("parameters", made_again),
        ("managed", made_again),
        ("managed", without_a_stage),
        ("bundles", made_again),
        ("passes", collected),
    ],
)
def test_a_version_that_is_lost_is_named(project, request, trusted, kind, lose):
    """However it got lost, the error names it and its cure cures. moto still has what no stage names, as AWS may."""
    store = request.getfixturevalue(kind)
    project.write(".envref.yaml", config(store.entry))
    project.write(".env", "A=ref://secrets/a?default=nothing\n")
    store.put("a", "first a")
    project.envref("lock")
    store.put("a", "second a")
    lose(store)
    lost = project.envref("resolve", "--locked")
    if lose is without_a_stage:
        assert lost.stdout in ("A=first a\n", "")
    else:
        assert (lost.stdout, lost.returncode) == ("", 3)
        assert re.search(
            r'version \S+ of "app/a", which envref.lock names, is (no more|another writing now)', lost.stderr
        )
        assert "  run: envref lock --update A\n" in lost.stderr
    assert project.envref("lock", "--update", "A").returncode == 0
    assert project.envref("resolve", "--locked").stdout.startswith("A=")


def test_what_no_store_would_call_a_version_is_named(project, entries, trusted):
    """A line that a person wrote."""
    project.write(".envref.yaml", config(entries.entry))
    project.write(".env", "A=ref://secrets/a\n")
    entries.put("a", "a")
    project.write("envref.lock", "envref-lock 1\nA store app/a @latest\n")
    done = project.envref("resolve", "--locked")
    assert (done.stdout, done.returncode) == ("", 3)
    assert 'version "latest" is not a number, as envref.lock names it\n  run: envref lock --update A\n' in done.stderr


def test_a_lock_can_t_make_pass_open_another_entry(project, passes, trusted):
    """Git gives any content by its id: only one that a commit had in this very entry counts."""
    project.write(".envref.yaml", config(passes.entry))
    project.write(".env", "A=ref://secrets/a\n")
    passes.put("a", "of a")
    passes.put("other", "of other")
    project.envref("lock")
    lines = project.read("envref.lock")
    own = re.search("blob-[0-9a-f]+", lines)[0]
    other = passes.passwords.git("rev-parse", "HEAD:envref/app/other.gpg").strip()
    for forged, word in ((f"blob-{other}", "is no more"), ("HEAD", "is another writing now"), ("HEAD-x", "is no more")):
        project.write("envref.lock", lines.replace(own, forged))
        done = project.envref("resolve", "--locked")
        assert (done.stdout, done.returncode) == ("", 3)
        assert word in done.stderr
    project.write("envref.lock", lines)
    assert project.envref("resolve", "--locked").stdout == "A=of a\n"


def test_what_no_commit_has_is_unpinned(project, passes, trusted):
    """Nobody could find it again; the same where the store has no git."""
    project.write(".envref.yaml", config(passes.entry))
    project.write(".env", "A=ref://secrets/a\nB=ref://secrets/b\n")
    passes.put("a", "of a")
    (passes.passwords.path / ".git").rename(passes.passwords.path / "moved")
    passes.put("b", "of b")
    both = project.envref("lock")
    assert both.stderr == 'warning: A, B: unpinned, backend "store" keeps no versions that can be read again\n'
    (passes.passwords.path / "moved").rename(passes.passwords.path / ".git")
    one = project.envref("lock")
    assert one.stderr.startswith("warning: B: unpinned")
    assert undated(one)[0].startswith("A  store unpinned -> ")
    assert project.envref("resolve", "--locked").stdout == "A=of a\nB=of b\n"


def test_the_page_shows_what_happens(service, program, project, tmp_path):
    """docs/lock.md, with its example against Parameter Store."""
    page = transcripts.ROOT / "docs" / "lock.md"
    settings = "".join(f"$ export {name}={value}\n" for name, value in service.environment.items())
    text = page.read_text().replace("```text with=aws\n", f"```console\n{settings}")
    (tmp_path / "page.md").write_text(text.rpartition("```console")[0])
    steps = transcripts.replay(tmp_path / "page.md", project.path)
    assert len(steps) > 15
    for step, printed in steps:
        assert transcripts.matches(step.expected, printed), (step.command, printed)


def test_an_outage_is_neither_a_default_nor_a_line(clone):
    """What `optional` forgives elsewhere: here it would be another secret than the one that is pinned."""
    entry = {"name": "store", "type": "plugin", "optional": "always", "config": {"command": "./store"}}
    clone.write(".envref.yaml", config(entry))
    clone.write(".env", "A=ref://store/a?default=other\n")
    clone.write("envref.lock", "envref-lock 1\nA store app/a unpinned\n")
    before = clone.read("envref.lock")
    clone.write("store", '#!/bin/sh\necho \'{"error": "locked", "code": "locked"}\'\n')
    for words in (["resolve", "--locked"], ["lock"], ["lock", "--check"]):
        done = clone.envref(*words)
        assert (done.returncode, "locked" in done.stdout + done.stderr) == (3 if "--locked" in words else 1, True)
        assert "other" not in done.stdout
    assert clone.read("envref.lock") == before
    (clone.path / "store").unlink()
    gone = clone.envref("resolve", "--locked")
    assert (gone.stdout, gone.returncode) == ("", 3)


def test_one_secret_has_one_pin(clone):
    """Although a reference to it lacks its field, and so has its default; or another store's absence is noted."""
    clone.write("store", """#!/bin/sh\ncat > /dev/null; echo '{"value": "{\\\\"g\\\\": \\\\"of g\\\\"}"}'\n""")
    clone.write(".env", "A=ref://store/a?default=x#f\nB=ref://store/a#g\n")
    assert clone.envref("lock").returncode == 0
    assert "A store app/a unpinned\nB store app/a unpinned\n" in clone.read("envref.lock")
    assert clone.envref("lock", "--check").returncode == 0
    assert clone.envref("resolve", "--locked").stdout == "A=x\nB=of g\n"


def test_what_an_earlier_backend_lacks_is_in_a_later_one(shop, monkeypatch):
    """Also where a second reference of the name notes that the earlier one has nothing."""
    unlocked_vault(shop.path / "v.db", monkeypatch)
    shop.write(".envref.yaml", config(VAULT_ENTRY, SSM))
    shop.put(a="a")
    shop.write(".env", "A=${ref://vault/a?default=none}-${ref://secrets/a}\n")
    shop.envref("lock")
    assert shop.lines() == ["A ssm app/a @1", "A vault app/a absent"]
    assert shop.values("--locked") == ({"A": "none-a"}, "", 0)


def test_it_is_said_where_git_ignores_the_file(clone):
    """Its pins would reach nobody. It is written all the same, and git is asked only where somebody agreed."""
    subprocess.run(["git", "init", "-q"], cwd=clone.path, check=True)
    assert "git" not in clone.envref("lock").stderr
    clone.write(".gitignore", "# built\n*.lock\n")
    said = clone.envref("lock").stderr
    assert "warning: envref.lock: git ignores it (.gitignore:2: *.lock), so nobody else gets its pins; delete" in said
    subprocess.run(["git", "add", "-f", "envref.lock"], cwd=clone.path, check=True)
    assert "git" not in clone.envref("lock").stderr


def test_it_is_said_where_flox_follows_no_lock(clone):
    """A plugin's table gives the latest versions; the cure takes it out."""
    manifest = ".flox/env/manifest.toml"
    clone.write(manifest, 'schema-version = "1.14.0"\n')
    assert "manifest" not in clone.envref("lock").stderr
    assert clone.envref("flox-hook", "--write", "--plugin").returncode == 0
    fact = f"warning: {manifest}: the plugin form in it gives the latest versions, whatever envref.lock has; run: "
    [said] = [line for line in clone.envref("lock").stderr.splitlines() if manifest in line]
    assert said.startswith(fact)
    assert clone.envref(*said.removeprefix(f"{fact}envref ").split()).returncode == 0
    assert "manifest" not in clone.envref("lock").stderr


def test_a_credential_helper_follows_a_locked_project(clone, monkeypatch):
    """It resolves past the activation's door."""
    monkeypatch.chdir(clone.path)
    clone.write(".envref.yaml", clone.read(".envref.yaml").rstrip("}") + ', "locked": true}')
    with pytest.raises(EnvrefError, match=r"no envref\.lock"):
        values(load(str(clone.path)), ["A"])
    clone.write("envref.lock", "envref-lock 1\nA store app/a unpinned\n")
    assert values(load(str(clone.path)), ["A"]) == ["v"]
