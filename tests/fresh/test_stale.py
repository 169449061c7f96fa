"""`envref stale`: of twenty secrets in a real store exactly those that were written again; the rest is said."""

from __future__ import annotations

import json
import pathlib
import re
import sys
import time

import pytest

from envref.backends.hashicorp_vault.store import HashicorpVault
from envref.backends.keychain.store import Keychain
from envref.backends.password_store.store import PassStore
from envref.backends.vault import lifecycle
from envref.fresh import stale
from envref.refs.address import Address
from envref.secret import Secret
from tests.backends.asking import soon
from tests.backends.conftest import secret_service  # noqa: F401  # a fixture
from tests.backends.stores.openbao import OpenBao, link, sign_in
from tests.backends.stores.pass_store import Passwords
from tests.backends.vaults import unlocked_vault
from tests.cli.conftest import VAULT_ENTRY, config
from tests.requirements import first_python

pytestmark = first_python

KEYS = [f"key{number}" for number in range(20)]


def export(project, monkeypatch, *arguments):
    """What `eval "$(envref resolve --export)"` does to the environment of the shell."""
    done = project.envref("resolve", "--export", *arguments)
    assert done.returncode == 0, done.stderr
    for name, quoted, bare in re.findall(r"^export (\w+)=(?:'([^']*)'|(\S*))$", done.stdout, re.MULTILINE):
        monkeypatch.setenv(name, quoted or bare)


def fill(made, values):
    """Past a program that starts once a value, where there is a way. pass: one encryption for all, and one commit."""
    if isinstance(made.store, HashicorpVault):
        for address, value in values.items():
            made.store.server.put(f"envref/{address}", {"value": value})
    elif isinstance(made.store, PassStore):
        first, *others = [pathlib.Path(f"{made.passwords.path}/envref/{address}.gpg") for address in values]
        made.passwords.put(f"envref/{next(iter(values))}", b"value of all\n")
        for other in others:
            other.write_bytes(first.read_bytes())
        if isinstance(made, TwentyInGit):
            made.passwords.git("add", ".")
            made.passwords.git("commit", "-qm", "all")
    else:
        made.store.change({address: Secret(value) for address, value in values.items()}, soon())


def names(text):
    return [line.split("  ")[0] for line in text.splitlines() if not line.startswith(" ")]


class Twenty:
    """A store that envref fills, the entry for it, and how long to wait where it counts seconds. `lock` closes it."""

    def __init__(self, store, entry, pause=0.0, lock=None):
        self.store = store
        self.entry = {"name": "store", **entry}
        self.pause = pause
        self.lock = lock

    def put(self, key, value):
        self.store.set(Address("app", key), Secret(value), soon())

    def roll_back(self, address, value):
        """By writing the old value, which is one more writing."""
        self.store.set(address, Secret(value), soon())
        return "old"


class TwentyInGit(Twenty):
    """pass, with a git that has every file of before."""

    def roll_back(self, address, value):
        self.passwords.git("revert", "--no-edit", "HEAD")
        return "the very file of before"


@pytest.fixture
def a_vault(project, monkeypatch):
    vault = unlocked_vault(project.path / "v.db", monkeypatch)

    def lock():
        monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
        lifecycle.lock(vault.file)

    return Twenty(vault, VAULT_ENTRY, lock=lock)


@pytest.fixture
def a_pass(gpg, home, monkeypatch):
    for name, value in gpg.environment.items():
        monkeypatch.setenv(name, value)
    made = Twenty(PassStore("store"), {"type": "pass"})
    made.passwords = Passwords(home / ".password-store")
    return made


@pytest.fixture
def a_pass_with_git(passes):
    made = TwentyInGit(PassStore("store"), {"type": "pass"})
    made.passwords = passes.passwords
    return made


@pytest.fixture
def a_server(tmp_path, monkeypatch):
    with OpenBao(tmp_path / "openbao") as running:
        sign_in(monkeypatch, running, link(tmp_path / "programs", "vault"))
        store = HashicorpVault("store")
        store.server = running
        yield Twenty(store, {"type": "hashicorp-vault"})


@pytest.fixture
def a_keyring(secret_service):  # noqa: F811
    return Twenty(Keychain("store"), {"type": "keychain"}, 1.1, secret_service.lock)  # it counts seconds


@pytest.mark.parametrize("kind", ["a_vault", "a_pass", "a_pass_with_git", "a_server", "a_keyring"])
def test_of_twenty_exactly_those_that_were_written_again(project, request, monkeypatch, trusted, kind):
    """Changed, deleted and made again, rolled back, gone, and written again unchanged; fifteen are not named.

    A value that is written again unchanged counts as a new writing: whoever asks for no value can't know better. Only
    GNOME Keyring does not count that (measured). Nor is that old which git brings back: it is the file of before. What
    is locked meanwhile tells the same.
    """
    made = request.getfixturevalue(kind)
    store = made.store
    project.write(".envref.yaml", config(made.entry))
    project.write(".env", "".join(f"{key.upper()}=ref://secrets/{key}\n" for key in KEYS))
    addresses = {key: Address("app", key) for key in KEYS}
    fill(made, {address: f"value of {key}" for key, address in addresses.items()})
    export(project, monkeypatch)
    fresh = project.envref("stale")
    assert (fresh.stdout, fresh.stderr, fresh.returncode) == ("", "", 0)

    time.sleep(made.pause)
    store.set(addresses["key1"], Secret("another"), soon())
    store.delete(addresses["key2"], soon())
    store.set(addresses["key2"], Secret("value of key2"), soon())
    store.delete(addresses["key3"], soon())
    if kind != "a_keyring":
        store.set(addresses["key4"], Secret("value of key4"), soon())
    store.set(addresses["key5"], Secret("a bad one"), soon())
    rolled_back = made.roll_back(addresses["key5"], "value of key5")
    written = ["KEY1", "KEY2", "KEY3"]
    written += [] if kind == "a_keyring" else ["KEY4"]
    written += ["KEY5"] if rolled_back == "old" else []
    old = project.envref("stale")
    assert (names(old.stdout), old.returncode) == (written, 3)
    assert 'KEY3  gone: secret "key3" not found' in old.stdout
    assert "value of" not in old.stdout + old.stderr
    assert project.envref("stale", "KEY6", "KEY7").returncode == 0
    quiet = project.envref("stale", "-q")
    assert (quiet.stdout, quiet.returncode) == ("", 3)
    if made.lock:
        made.lock()
        locked = project.envref("stale")
        assert (names(locked.stdout), locked.stderr, locked.returncode) == (written, "", 3)


@pytest.mark.parametrize("kind", ["parameters", "managed", "bundles"])
def test_of_twenty_exactly_those_are_named_in_the_clouds(project, request, monkeypatch, trusted, kind):
    """The same there. A rollback in Secrets Manager or OCI restores the version that the shell has: it is not old.

    OCI tells its revisions only along with the values. Parameter Store has no rollback.
    """
    store = request.getfixturevalue(kind)
    words = ("stale", "--read") if kind == "bundles" else ("stale",)
    project.write(".envref.yaml", config(store.entry))
    project.write(".env", "".join(f"{key.upper()}=ref://secrets/{key}\n" for key in KEYS))
    for key in KEYS:
        store.put(key, f"value of {key}")
    export(project, monkeypatch)
    assert project.envref(*words).returncode == 0

    store.put("key1", "another")
    store.make_again("key2")
    store.delete("key3")
    store.put("key4", "value of key4")
    if kind != "parameters":
        store.put("key5", "bad")
        assert names(project.envref(*words, "KEY5").stdout) == ["KEY5"]
        store.roll_back("key5")
    told = project.envref(*words, "--json")
    rows = {row["name"]: row for row in json.loads(told.stdout)}
    old = [name for name, row in rows.items() if row["status"] != "fresh"]
    assert (old, told.returncode) == (["KEY1", "KEY2", "KEY3", "KEY4"], 3)
    assert rows["KEY3"]["status"] == "gone"
    assert 'secret "key3" not found' in rows["KEY3"]["reason"]
    assert "value of" not in told.stdout + told.stderr


@pytest.fixture
def app(project, trusted):
    """A plugin whose secrets, revisions and answers a file says."""
    project.write(".envref.yaml", config({"name": "store", "type": "plugin", "config": {"command": "./store"}}))
    project.write(
        "store",
        f"#!{sys.executable} -IS\n"
        """
import json, sys
request, state = json.load(sys.stdin), json.load(open("state.json"))
answer = state.get(request["operation"])
key = request.get("key", "").rpartition("/")[2]
if answer is None and key in state["values"]:
    answer = {"value": state["values"][key][0], "revision": state["values"][key][1]}
if answer is None and request["operation"] == "revisions":
    found = {key: state["values"].get(key.rpartition("/")[2]) for key in request["keys"]}
    answer = {"revisions": {key: each[1] for key, each in found.items() if each}}
print(json.dumps(answer or {"error": "not found"}))
""",
    ).chmod(0o755)
    project.write(
        ".env", "PLAIN=1\nA=ref://store/a\nB=ref://store/b\nBOTH=${A}@${ref://store/b}\nD=ref://store/d?default=x\n"
    )
    project.state = lambda **state: project.write("state.json", json.dumps(state))
    project.state(values={"a": ["value-a", "1"], "b": ["value-b", "1"]})
    return project


def test_a_composed_value_is_old_with_any_of_its_secrets(app, monkeypatch):
    """And says which; a default is old as soon as the secret is there."""
    export(app, monkeypatch)
    app.state(values={"a": ["value-a", "1"], "b": ["new", "2"], "d": ["there", "1"]})
    done = app.envref("stale")
    assert done.stdout == "B  store 1 -> 2\nBOTH  store 1 -> 2\nD  nothing -> store 1\n"
    assert done.returncode == 3
    rows = json.loads(app.envref("stale", "--json").stdout)
    assert [(row["name"], row["status"]) for row in rows] == [
        ("A", "fresh"),
        ("B", "stale"),
        ("BOTH", "stale"),
        ("D", "stale"),
    ]
    assert rows[2]["seen"] == ["store@1", "store@1"]
    assert rows[2]["now"] == ["store@1", "store@2"]


def test_a_name_that_nothing_is_known_of_is_an_error(app, monkeypatch):
    """Which says why: it is plain, no file has it, or it came later."""
    export(app, monkeypatch)
    app.write(".env", app.read(".env") + "LATER=ref://store/a\n")
    for name, reason in {
        "PLAIN": "there is no reference in its value",
        "NOPE": "no file of the project sets it",
        "LATER": "this shell was not given it\n  hint: export the variables again",
    }.items():
        done = app.envref("stale", name)
        assert (done.stdout, done.returncode) == ("", 1)
        assert done.stderr.startswith(f"error: {name}: {reason}")


def test_a_store_that_does_not_answer_is_never_fresh(app, monkeypatch):
    """Exit status 1, with the store's reason; anything that is old beside it is 3."""
    export(app, monkeypatch)
    app.state(values={}, revisions={"error": "denied"})
    done = app.envref("stale")
    assert done.returncode == 1
    assert 'A  can not be told: backend "store": plugin "store": denied' in done.stdout


def test_reading_tells_what_nothing_else_does(app, monkeypatch):
    """By the revision that comes with a value; where there is none, by the value, which is dropped."""
    for revision in ("1", ""):
        app.state(values={"a": ["value-a", revision], "b": ["value-b", revision]}, revisions={})
        export(app, monkeypatch)
        assert app.envref("stale", "A").returncode == 1
        assert "hint: compare by reading: envref stale --read" in app.envref("stale", "A").stdout
        assert app.envref("stale", "--read").returncode == 0
        app.state(values={"a": ["swapped", revision and "2"], "b": ["value-b", revision]}, revisions={})
        done = app.envref("stale", "--read")
        assert (names(done.stdout), done.returncode) == (["A", "BOTH"], 3)
        assert "swapped" not in done.stdout


def test_a_name_that_no_file_sets_any_more_is_gone(app, monkeypatch):
    """The shell still has it."""
    app.write(".env", "KV=ref://store/a\n")
    export(app, monkeypatch)
    app.write(".env", "OTHER=1\n")
    done = app.envref("stale")
    assert (done.stdout, done.returncode) == ("KV  gone: no file of the project sets it\n", 3)


@pytest.mark.parametrize("text", [None, "", "1 MARKER", "2 a b .", "x" * 65536, "1 $(touch MARKER) - A=store@1 .", "é"])
def test_a_foreign_one_is_refused_with_a_line(app, monkeypatch, text):
    """Nothing of it is shown or reaches a store."""
    if text is not None:
        monkeypatch.setenv("ENVREF_SEEN", text)
    app.write("store", "#!/bin/sh\ntouch asked\n").chmod(0o755)
    done = app.envref("stale")
    assert (done.stdout, done.returncode) == ("", 1)
    assert len(done.stderr.splitlines()) == 2
    assert done.stderr.startswith("error: ENVREF_SEEN is ")
    assert "MARKER" not in done.stderr
    assert not (app.path / "asked").exists()


def test_another_project_s_is_refused(app, monkeypatch, tmp_path):
    """`cd` into another project: its own store is not asked about the first one's names."""
    export(app, monkeypatch)
    other = tmp_path / "other"
    other.mkdir()
    for name in (".envref.yaml", ".env", "store", "state.json"):
        (other / name).write_bytes((app.path / name).read_bytes())
    done = app.envref("stale", cwd=other)
    assert done.returncode == 1
    assert "of another project, or of another machine" in done.stderr


def test_another_profile_s_is_refused(app, monkeypatch):
    """The profile of the export counts; where it is another one by now, the shell has to be filled anew."""
    app.write(".env.staging", "A=ref://store/b\n")
    export(app, monkeypatch, "--profile", "staging")
    assert app.envref("stale").returncode == 0
    export(app, monkeypatch)
    monkeypatch.setenv("ENVREF_PROFILE", "staging")
    assert "ENVREF_SEEN is of no profile, and here it is profile" in app.envref("stale").stderr


def test_nothing_of_a_project_that_waits_for_trust_runs(app, monkeypatch):
    """Nobody is asked either: a prompt calls this."""
    export(app, monkeypatch)
    monkeypatch.delenv("ENVREF_TRUST")
    app.write("store", "#!/bin/sh\ntouch asked\n").chmod(0o755)
    done = app.envref("stale")
    assert done.returncode == 4
    assert not (app.path / "asked").exists()


def test_services_with_an_old_name_are_named(app, monkeypatch):
    """Those that .envref.yaml gives the name, and those of the manifest that get everything."""
    app.write(".envref.yaml", app.read(".envref.yaml").rstrip("}") + ', "services": {"api": ["A"], "worker": ["B"]}}')
    app.write(".flox/env/manifest.toml", '[services]\napi.command = "x"\nweb.command = "y"\nworker.command = "z"\n')
    export(app, monkeypatch)
    app.state(values={"a": ["value-a", "2"], "b": ["value-b", "1"]})
    assert app.envref("stale", "--services").stderr == "services to restart: flox services restart api web\n"


def test_a_borrowed_credential_is_read_although_no_value_is(project, monkeypatch, trusted):
    """What a store signs in with is a value, whatever it is asked for."""
    vault = unlocked_vault(project.path / "v.db", monkeypatch)
    vault.set(Address("app", "token"), Secret("the-real-token"), soon())
    entry = {"name": "store", "type": "plugin", "config": {"command": "./store", "token": "ref://vault/token"}}
    project.write(".envref.yaml", config(entry, VAULT_ENTRY))
    project.write(
        "store",
        """#!/bin/sh
case $ENVREF_PLUGIN_CONFIG in *the-real-token*) ;; *) echo '{"error": "denied"}'; exit ;; esac
case $(cat) in *revisions*) echo '{"revisions": {"app/a": "1"}}' ;; *) echo '{"value": "v", "revision": "1"}' ;; esac
""",
    ).chmod(0o755)
    project.write(".env", "A=ref://store/a\n")
    export(project, monkeypatch)
    assert project.envref("stale").returncode == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "just now"), (1, "1 second ago"), (150, "2 minutes ago"), (7200, "2 hours ago"), (86400 * 3, "3 days ago")],
)
def test_an_age_is_told_in_its_largest_unit(seconds, text, monkeypatch):
    """People read it at a prompt."""
    monkeypatch.setattr(stale.time, "time", lambda: 1_000_000.0 + seconds)
    assert stale.age(1_000_000.0) == text


@pytest.mark.parametrize(
    ("revision", "text"),
    [
        ("12345678901.1795725041000", "12345678901"),
        ("7d0f1c4e-0a1b", "7d0f1c4e"),
        ("short", "short"),
        ("blob-0123456789", "01234567"),
        (".1795725041000", "2026-11-26T20:30:41Z"),
        ("a:001bb", "a?b"),
    ],
)
def test_a_revision_is_shown_short(revision, text):
    """A number whole, a digest by its beginning, a date where there is no more; nothing that a terminal would obey."""
    assert stale.shown(revision) == text


@pytest.mark.parametrize(
    ("old", "now", "line"),
    [
        (("ssm@7",), ("-",), "A  ssm 7 -> default"),
        (("-",), ("ssm@7",), "A  nothing -> ssm 7"),
        (("-",), ("own@",), "A  nothing -> own"),
        (("own@",), ("-",), "A  own -> default"),
        (("ssm@7",), ("ssm@8",), "A  ssm 7 -> 8"),
        (("ssm@7", "sm@a"), ("ssm@7", "vault@b"), "A  sm a -> vault b"),
        (("ssm@7", "sm@a"), ("ssm@8", "sm@b"), "A  ssm 7 -> 8, sm a -> b"),
    ],
)
def test_a_change_says_from_what_to_what(old, now, line):
    """Of each source that changed."""
    assert stale.Verdict("A", stale.STALE, old, now).line() == line
