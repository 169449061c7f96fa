"""`envref import`, `sync` and `onboard` when something goes wrong, and at a real terminal."""

from __future__ import annotations

import json
import subprocess

import pyrage
import pytest

from tests.cli.terminal import Terminal
from tests.requirements import need, others_at_night

pytestmark = others_at_night

READER = pyrage.x25519.Identity.generate()


def file_of(shop, *values):
    shop.write("old.env", "".join(f"TOKEN_{number}={value}\n" for number, value in enumerate(values)))


def test_a_store_that_fails_half_way_leaves_the_file_as_it_was(shop):
    """What was stored before stays stored, nothing is lost, and the same command goes on where it stopped."""
    file_of(shop, "correcthorse", "batterystaple")
    shop.configure(fail_at="2")
    done = shop.envref("import", "old.env")
    assert done.returncode == 1
    assert "error: storing secret: " in done.stderr
    assert shop.read("old.env") == "TOKEN_0=correcthorse\nTOKEN_1=batterystaple\n"
    shop.configure()
    assert shop.envref("import", "old.env").returncode == 0
    assert shop.read("old.env") == "TOKEN_0=ref://secrets/token_0\nTOKEN_1=ref://secrets/token_1\n"


def test_an_imported_secret_may_have_any_text(shop):
    """A PEM key over several lines, quotes, a trailing line end: what is read back is what stood there."""
    pem = "-----BEGIN PRIVATE KEY-----\nMIIB'\"\\n\n-----END PRIVATE KEY-----\n"
    shop.write("old.env", f"PEM=`{pem}`\n")
    assert shop.envref("import", "old.env").returncode == 0
    assert shop.envref("secret", "get", "pem", "--raw", "-n").stdout == pem
    assert shop.read("old.env") == "PEM=`ref://secrets/pem`\n"


def test_no_value_is_told(shop):
    """stderr names variables and keys only."""
    file_of(shop, "correcthorse", "pa$word-of-mail")
    done = shop.envref("import", "old.env", "-v")
    assert "correcthorse" not in done.stdout + done.stderr
    assert "word-of-mail" not in done.stdout + done.stderr


def test_a_key_that_is_mapped_to_an_existing_secret_is_not_imported(shop):
    """`names:` says that it lives elsewhere; the file stays."""
    shop.configure(names={"token_0": "Other"})
    file_of(shop, "correcthorse")
    done = shop.envref("import", "old.env")
    assert done.returncode == 1
    assert 'key "token_0" is mapped to an existing secret' in done.stderr
    assert shop.read("old.env") == "TOKEN_0=correcthorse\n"


def push(shop, *options):
    shop.write("identity", f"# me\n{READER}\n")
    return shop.envref("sync", "push", "--to", str(READER.to_public()), *options)


@pytest.fixture
def team(shop):
    """A project of two, the second of whom a pull has brought."""
    mine, theirs = (str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2))
    shop.fill(a="1")
    assert shop.envref("team", "add", "me", mine).returncode == 0
    config = json.loads(shop.read(".envref.yaml"))
    brought = json.dumps({**config, "team": [*config["team"], {"name": "eve", "public_key": theirs}]})
    return shop, brought, theirs


def test_a_member_that_a_pull_brought_is_named_and_asked_about(team):
    """SEC-B4: nobody reads the secrets because a file of the repository says so."""
    shop, brought, theirs = team
    assert shop.envref("sync", "push", "--to-team").returncode == 0
    sealed = shop.read(".envref.secrets.age")
    shop.write(".envref.yaml", brought)
    done = shop.envref("sync", "push", "--to-team", "--file", ".envref.secrets.age")
    assert (done.returncode, shop.read(".envref.secrets.age")) == (1, sealed)
    assert f"new since the last push: eve {theirs}\n" in done.stderr
    assert "  run: envref sync push --to-team --yes --file .envref.secrets.age\n" in done.stderr
    for options, told in ((["--yes"], True), ([], False)):
        done = shop.envref("sync", "push", "--to-team", *options)
        assert (done.returncode, theirs in done.stderr) == (0, told)
        assert "encrypted for 2 recipients" in done.stderr


@pytest.mark.parametrize(("answer", "status"), [("n", 1), ("", 1), ("y", 0)])
def test_a_person_is_asked_about_new_members(team, answer, status):
    """No is the answer of an empty line, and nothing is written then."""
    shop, brought, _ = team
    shop.write(".envref.yaml", brought)
    terminal = Terminal(shop.path, "sync", "push", "--to-team")
    terminal.await_text("encrypt for 1 new member(s)? [y/N] ")
    terminal.type(f"{answer}\n")
    assert terminal.end() == status
    assert (shop.path / ".envref.secrets.age").exists() == (status == 0)


def test_who_was_left_out_once_is_new_again(team):
    """The last push counts, not any before it; a comment makes no other key."""
    shop, brought, _ = team
    before = shop.read(".envref.yaml")
    for config, options, status in (
        (brought, ["--yes"], 0),
        (before, [], 0),
        (brought, [], 1),
    ):
        shop.write(".envref.yaml", config)
        assert shop.envref("sync", "push", "--to-team", *options).returncode == status


def test_the_comment_of_a_key_is_neither_shown_nor_compared(shop, tmp_path):
    """Its author writes it: eve's key may call itself alice@laptop."""
    subprocess.run(
        [need("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "alice", "-f", tmp_path / "k"], check=True
    )
    key = (tmp_path / "k.pub").read_text().strip()
    shop.fill(a="1")
    assert shop.envref("team", "add", "alice", key).returncode == 0
    shop.write(".envref.yaml", shop.read(".envref.yaml").replace(key, key.replace(" alice", " another")))
    assert shop.envref("sync", "push", "--to-team").returncode == 0


def test_pull_stops_before_it_writes_when_the_store_fails(shop):
    """An outage must not look like absence, or every value would be overwritten."""
    shop.fill(a="1", b="2")
    assert push(shop).returncode == 0
    shop.write("plugin", '#!/bin/sh\necho \'{"error": "backend exploded"}\'\n')
    done = shop.envref("sync", "pull", "-i", "identity", "--force")
    assert done.returncode == 1
    assert "error: retrieving secret: " in done.stderr
    assert "backend exploded" in done.stderr


def test_a_push_names_the_scope_only(shop):
    """Project scope holds no profile's secrets and no history."""
    shop.fill(a="1", staging__a="2")
    shop.envref("secret", "rotate", "a")
    assert push(shop).returncode == 0
    sealed = shop.read(".envref.secrets.age").encode()
    assert b'"staging' not in pyrage.decrypt(sealed, [READER])
    assert b"__history" not in pyrage.decrypt(sealed, [READER])
    assert push(shop, "--profile", "staging", "-f", "staging.age").returncode == 0
    assert b'"a": "2"' in pyrage.decrypt(shop.read("staging.age").encode(), [READER])


def test_each_scope_has_a_file_of_its_own(shop):
    """A push of staging leaves the project's file as it was, also when it is named; pull takes the right one."""
    shop.fill(a="1", staging__a="2")
    assert push(shop).returncode == 0
    before = shop.read(".envref.secrets.age")
    done = push(shop, "--profile", "staging")
    assert (done.returncode, "to .envref.secrets.staging.age (" in done.stderr) == (0, True)
    theirs = shop.read(".envref.secrets.staging.age")
    for name, options in ((".envref.secrets.age", ("-P", "staging")), ("./.envref.secrets.staging.age", ())):
        done = push(shop, "-f", name, *options)
        assert (done.returncode, f"error: {name} is the file of " in done.stderr) == (2, True)
    assert (shop.read(".envref.secrets.age"), shop.read(".envref.secrets.staging.age")) == (before, theirs)
    for options, value in (((), "1"), (("-P", "staging"), "2")):
        shop.write("store.json", '{"values": {}, "writes": 0, "log": []}')
        assert shop.envref("sync", "pull", "-i", "identity", *options).returncode == 0
        assert shop.envref("secret", "get", "a", *options).stdout == f"{value}\n"


def test_a_profile_in_the_file_of_former_times_is_still_read(shop):
    """It was the only file; whose secrets it has stands in it."""
    shop.fill(staging__a="2")
    assert push(shop, "-P", "staging", "-f", "free.age").returncode == 0
    shop.write(".envref.secrets.age", shop.read("free.age"))
    assert shop.envref("sync", "pull", "-i", "identity", "-P", "staging").returncode == 0


@pytest.fixture
def clone(shop, home):
    """The second person's machine: what the repository holds, an empty store, an SSH key of their own in ~/.ssh."""
    folder = home / ".ssh"
    folder.mkdir(mode=0o700)
    for name in ("other", "mine"):
        make = [need("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", folder / name]
        subprocess.run(make, check=True, timeout=60)
    shop.fill(a="1", b="2", staging__b="3")
    shop.write(".env", "A=ref://secrets/a\nB=ref://secrets/b\n")
    shop.write("mine.pub", (folder / "mine.pub").read_text())
    for options in ((), ("-P", "staging")):
        assert shop.envref("sync", "push", "--to-file", "mine.pub", *options).returncode == 0
    shop.write("store.json", '{"values": {}, "writes": 0, "log": []}')
    return shop


def test_a_clone_and_onboard_are_all(clone):
    """The key is found by what the file says of its readers, and nothing is asked for."""
    done = clone.envref("onboard")
    assert (done.returncode, done.stdout) == (0, "")
    assert "pulled 2 secrets from .envref.secrets.age (2 imported, 0 skipped)" in done.stderr
    assert "[ok] All secrets are resolved" in done.stderr
    assert clone.envref("secret", "get", "b").stdout == "2\n"
    assert clone.envref("onboard").stderr == "[ok] All secrets are resolved and no missing keys found.\n"


def test_they_are_all_where_nobody_made_the_vault_yet(clone, monkeypatch):
    """The passphrase is the environment's here; test_passphrase.py types it."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    clone.write(".envref.yaml", "project: app\nbackends: [{name: vault}]\n")
    assert clone.envref("onboard", "--dry-run").returncode == 1
    done = clone.envref("onboard")
    assert done.returncode == 0
    assert "vault initialized at ~/.config/envref/vault.db" in done.stderr
    assert "[ok] All secrets are resolved" in done.stderr
    assert clone.envref("secret", "get", "b").stdout == "2\n"


def test_a_profile_takes_its_own_file_and_the_project_s(clone):
    """Each goes where it belongs."""
    assert clone.envref("onboard", "-P", "staging").returncode == 0
    values = [clone.envref("secret", "get", "b", *options).stdout for options in ((), ("-P", "staging"))]
    assert values == ["2\n", "3\n"]
    assert clone.envref("secret", "get", "a").stdout == "1\n"


@pytest.mark.parametrize(("typed", "status"), [("secret phrase", 0), ("mistyped", 1)])
def test_an_ssh_key_with_a_passphrase_opens_it_by_age(clone, home, typed, status):
    """age asks at the terminal, where nothing shows."""
    need("age")
    change = [need("ssh-keygen"), "-q", "-p", "-N", "secret phrase", "-f", home / ".ssh" / "mine"]
    subprocess.run(change, check=True, timeout=60)
    terminal = Terminal(clone.path, "sync", "pull")
    terminal.await_text("Enter passphrase for")
    terminal.await_silence()
    terminal.type(f"{typed}\r")
    assert terminal.end() == status, terminal.output
    assert typed not in terminal.output
    assert ("pulled 2 secrets" in terminal.output) == (status == 0)
    assert (".envref.secrets.age: age did not open it" in terminal.output) == (status == 1)


def test_at_a_terminal_a_key_that_is_not_found_is_asked_for(clone, home):
    """Its path may begin at home."""
    (home / ".ssh/mine.pub").unlink()
    (home / ".ssh/mine").rename(home / "elsewhere")
    terminal = Terminal(clone.path, "onboard")
    terminal.await_text("Your private key file")
    terminal.type("~/elsewhere\r")
    assert terminal.end() == 0, terminal.output
    assert "All secrets are resolved" in terminal.output


@pytest.mark.parametrize("lacking", ["program", "terminal"])
def test_without_age_or_a_terminal_such_a_key_has_a_cure(clone, home, monkeypatch, lacking):
    """Nobody is asked, and nothing waits."""
    change = [need("ssh-keygen"), "-q", "-p", "-N", "secret phrase", "-f", home / ".ssh" / "mine"]
    subprocess.run(change, check=True, timeout=60)
    if lacking == "terminal":
        output = clone.envref("sync", "pull").stderr
    else:
        monkeypatch.setenv("PATH", "/nowhere")
        terminal = Terminal(clone.path, "sync", "pull")
        terminal.end()
        output = terminal.output
    assert "mine: this SSH key has a passphrase, which age asks for at a terminal" in output
    assert "ssh-keygen -p -N" in output


def test_pull_finds_the_key_too(clone):
    """Without --identity."""
    assert clone.envref("sync", "pull").returncode == 0
    assert clone.envref("secret", "get", "a").stdout == "1\n"


def test_who_is_no_reader_is_told_and_asked_for_the_values(clone, home):
    """The way to become one stands there; onboard goes on."""
    (home / ".ssh/mine.pub").unlink()
    done = clone.envref("onboard", stdin="one\n\n")
    assert done.returncode == 0
    assert (
        "error: .envref.secrets.age waits, and no key of yours was found that opens it\n  hint: name it" in done.stderr
    )
    assert "Configured: 1" in done.stderr
    done = clone.envref("onboard", "--identity", str(home / ".ssh/mine"))
    assert "warning: a: kept; " in done.stderr
    assert "[ok] All secrets are resolved" in done.stderr


def test_a_file_that_waits_is_named(clone):
    """By status while something is missing, by doctor until it was taken in, by onboard's list."""
    assert (
        ".envref.secrets.age waits, and may have what is missing; run: envref onboard\n"
        in clone.envref("status").stdout
    )
    assert "  1. A  ref://secrets/a\n" in clone.envref("onboard", "--dry-run").stdout
    assert ".envref.secrets.age waits, and may have them." in clone.envref("onboard", "--dry-run").stdout
    assert clone.envref("secret", "list").stdout == ""
    # The push of the fixture was this machine's: a colleague's file is another one.
    clone.write(".envref.secrets.age", clone.read(".envref.secrets.age") + "\n")
    told = "were not taken in here yet"
    assert told in clone.envref("doctor").stderr
    assert clone.envref("onboard").returncode == 0
    assert told not in clone.envref("doctor").stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "identity: no identities in this file"),
        ("hunter2\n", "identity: not an age identity file (lines AGE-SECRET-KEY-1…)"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n", "identity: no SSH key that age can use"),
    ],
)
def test_a_file_that_is_no_identity_is_named_and_not_shown(shop, text, reason):
    """The message has none of its text: it may be a private key."""
    shop.fill(a="1")
    push(shop)
    shop.write("identity", text)
    done = shop.envref("sync", "pull", "-i", "identity")
    assert done.returncode == 1
    assert reason in done.stderr
    assert "  hint: " in done.stderr
    assert "hunter2" not in done.stderr


def test_a_damaged_file_is_refused(shop):
    """One flipped character anywhere, and nothing is stored."""
    shop.fill(a="1")
    push(shop)
    sealed = shop.read(".envref.secrets.age")
    middle = len(sealed) // 2
    shop.write(".envref.secrets.age", sealed[:middle] + ("A" if sealed[middle] != "A" else "B") + sealed[middle + 1 :])
    done = shop.envref("sync", "pull", "-i", "identity")
    assert (done.returncode, done.stdout) == (1, "")
    assert "none of the identities decrypts it" in done.stderr


def test_at_a_terminal_a_value_is_not_shown(shop):
    """Each question hides what is typed; an empty answer skips."""
    shop.write(".env", "A=ref://secrets/a\nB=ref://secrets/b\n")
    terminal = Terminal(shop.path, "onboard")
    terminal.await_text("[1/2] A")
    terminal.await_text("skip): ")
    assert not terminal.echoes()
    terminal.type("hunter2\n")
    terminal.await_text("stored")
    terminal.await_text("[2/2] B")
    terminal.await_text("skip): ", count=2)  # what is typed before the question is thrown away
    terminal.type("\n")
    assert terminal.end() == 0
    assert "hunter2" not in terminal.output
    assert "Configured: 1" in terminal.output
    assert shop.envref("secret", "get", "a").stdout == "hunter2\n"


def test_when_nobody_answers_the_rest_is_skipped(shop):
    """The end of standard input is no value."""
    shop.write(".env", "A=ref://secrets/a\nB=ref://secrets/b\n")
    done = shop.envref("onboard", stdin="one\n")
    assert done.returncode == 0
    assert done.stderr.endswith("Summary:\n  Configured: 1\n  Skipped:    1\n")


def test_a_value_goes_where_its_reference_points(shop):
    """A named store gets it, whatever stands first; -b is for references to the whole chain."""
    other = {"name": "vault", "type": "vault", "config": {"path": "v.db"}}
    shop.configure(other)
    shop.write(".env", "A=ref://store/a\n")
    done = shop.envref("onboard", "--backend", "vault", stdin="one\n")
    assert done.returncode == 0
    assert shop.envref("secret", "get", "a", "--backend", "store").stdout == "one\n"


def test_a_store_that_refuses_is_told_and_the_next_is_asked_for(shop):
    """The exit status says that not all was stored."""
    shop.configure(fail_at="1")
    shop.write(".env", "A=ref://secrets/a\n")
    done = shop.envref("onboard", stdin="one\n")
    assert done.returncode == 1
    assert "error: storing secret: " in done.stderr
    assert "Configured: 0" in done.stderr
