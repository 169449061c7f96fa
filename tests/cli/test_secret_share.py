"""`envref secret share`: ciphertext on stdout, for the right readers."""

from __future__ import annotations

import pyrage
import pytest
import yaml

READER = pyrage.x25519.Identity.generate()
KEY = str(READER.to_public())


def test_the_reader_gets_the_exact_value(shop):
    """stdout is an armoured age file of the value to the byte; stderr is silent."""
    shop.fill(k="exact\n")
    done = shop.envref("secret", "share", "k", "--to", KEY)
    assert (done.returncode, done.stderr) == (0, "")
    assert pyrage.decrypt(done.stdout.encode(), [READER]) == b"exact\n"


def test_recipients_come_from_a_file_where_the_command_was_started(shop):
    """--to-file is relative to the current directory, or to -C."""
    shop.fill(k="v")
    shop.write("sub/team.pub", f"# us\n{KEY}\n")
    for place in ({"cwd": shop.path / "sub"}, {}):
        arguments = ["secret", "share", "k", "--to-file", "team.pub", *([] if place else ["-C", "sub"])]
        assert pyrage.decrypt(shop.envref(*arguments, **place).stdout.encode(), [READER]) == b"v"


def test_the_profile_s_value_is_shared(shop):
    """Profile scope first, as with get; the log says which scope it was."""
    shop.fill(k="project", staging__k="profile")
    done = shop.envref("secret", "share", "k", "--to", KEY, "-P", "staging")
    assert pyrage.decrypt(done.stdout.encode(), [READER]) == b"profile"
    assert shop.logged()[0]["profile"] == "staging"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], "either --to or --to-file is required"),
        (["--to", KEY, "--to-file", "f"], "--to and --to-file are mutually exclusive"),
        (["--to", "junk"], 'invalid age public key "junk"'),
        (
            ["--to", KEY, "--to", "age1yubikey1q"],
            '"age1yubikey1q" is a key of the age plugin "yubikey", which envref never starts',
        ),
    ],
)
def test_wrong_recipients_are_usage_errors(shop, options, text):
    """Nothing is written, and no store is asked."""
    shop.fill(k="v")
    done = shop.envref("secret", "share", "k", *options)
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (2, "", f"error: {text}")


def test_a_missing_secret_is_not_shared(shop):
    """stdout stays empty and nothing is logged."""
    done = shop.envref("secret", "share", "k", "--to", KEY)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith('error: retrieving secret: plugin "store": secret not found: "app/k"\n')
    assert shop.logged() == []


def test_a_member_is_named(shop):
    """Whose key this user added."""
    shop.fill(k="v")
    assert shop.envref("team", "add", "bob", KEY).returncode == 0
    done = shop.envref("secret", "share", "k", "--to", "bob")
    assert pyrage.decrypt(done.stdout.encode(), [READER]) == b"v"


def test_a_member_whose_key_a_pull_brought_is_not_trusted_by_name(shop):
    """Else whoever can push to the repository reads what is meant for Bob. The cure shows the key, and cures."""
    shop.fill(k="v")
    pulled = yaml.safe_load(shop.read(".envref.yaml")) | {"team": [{"name": "bob", "public_key": KEY}]}
    shop.write(".envref.yaml", yaml.safe_dump(pulled))
    done = shop.envref("secret", "share", "k", "--to", "bob")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "error: bob: nobody here has added or pushed to the key that .envref.yaml has for them",
        f"  run: envref secret share k --to {KEY}",
    ]
    assert shop.envref("secret", "share", "k", "--to", KEY).returncode == 0


def share(project, whom):
    return project.envref("secret", "share", "key", "--to", whom)


def test_a_name_that_is_no_member_s(project):
    """What may be a member's name mistyped leads to those there are; no key that is wrong does."""
    project.write(".envref.yaml", "project: app\n")
    assert "hint: the team has no member of that name: it has none yet" in share(project, "ann").stderr
    project.write(".envref.yaml", f"project: app\nteam: [{{name: ann, public_key: {KEY}}}]\n")
    assert "hint: the team has no member of that name: its members are ann\n" in share(project, "nan").stderr
    assert "no member" not in share(project, KEY[:-1] + "b").stderr
