"""`envref secret generate`, `rotate` and `copy`: values that no person types."""

from __future__ import annotations

import pytest

from tests.cli.conftest import VAULT_ENTRY, config
from tests.requirements import others_at_night

pytestmark = others_at_night


def test_generate_stores_a_value_and_shows_it_only_with_print(shop):
    """stderr names length and charset; stdout has the value with --print and nothing without."""
    done = shop.envref("secret", "generate", "k")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == 'secret "k" generated and stored in backend "store" (32 chars, alphanumeric)\n'
    shown = shop.envref("secret", "generate", "k2", "-p", "-l", "64", "-c", "hex")
    assert shown.stdout == shop.values["app/k2"] + "\n"
    assert len(shown.stdout) == 65
    assert shown.stderr == 'secret "k2" generated and stored in backend "store" (64 chars, hex)\n'


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["-l", "0"], "length must be at least 1"),
        (["-l", "1025"], "length must not exceed 1024"),
        (["-c", "x"], 'unknown charset "x" (valid: alphanumeric, ascii, hex, base64)'),
    ],
)
@pytest.mark.parametrize("command", ["generate", "rotate"])
def test_values_that_can_t_be_made(shop, command, options, text):
    """A wrong length or charset is a usage error, and nothing is stored."""
    done = shop.envref("secret", command, "k", *options)
    assert (done.returncode, done.stderr.splitlines()[0], shop.values) == (2, f"error: {text}", {})


def test_generate_overwrites_with_a_warning(shop):
    """An existing value is replaced, and that is said."""
    shop.fill(k="old")
    done = shop.envref("secret", "generate", "k")
    assert done.stderr.startswith('warning: the previous value of "k" in backend "store" was overwritten\n')
    assert shop.values["app/k"] != "old"


def test_generate_if_missing_keeps_what_is_there(shop):
    """With --if-missing a script can be run again; --print shows the value that the key has."""
    shop.fill(k="old")
    done = shop.envref("secret", "generate", "k", "--if-missing", "--print")
    assert (done.returncode, done.stdout) == (0, "old\n")
    assert done.stderr == 'secret "k" is already in backend "store"; kept\n'
    assert shop.values == {"app/k": "old"}
    shop.envref("secret", "generate", "new", "--if-missing")
    assert len(shop.values["app/new"]) == 32


def test_generate_writes_the_reference(shop):
    """--env as with set."""
    shop.envref("secret", "generate", "k", "--env", "K")
    assert shop.read(".env") == "K=ref://secrets/k\n"


@pytest.fixture(params=["plugin", "vault"])
def place(request, shop):
    """A project without and one with a store that makes several changes at once."""
    if request.param == "vault":
        request.getfixturevalue("vaulted")
    return shop


def history(shop):
    """Every stored value by its key, through envref."""
    names = shop.envref("secret", "list", "--all").stdout.split()
    return {name: shop.envref("secret", "get", name, "-n").stdout for name in names}


def test_rotate_archives_the_old_values_newest_first(place):
    """Slot 1 is the newest; --keep bounds how many there are, and drops the oldest."""
    for value in ("1", "2", "3", "4"):
        place.envref("secret", "rotate", "k", "--value-stdin", "--keep", "2", stdin=value)
    assert history(place) == {"k": "4", "k.__history.1": "3", "k.__history.2": "2"}


def test_rotate_with_a_smaller_keep_drops_what_is_above(place):
    """--keep 0 deletes all history, also the value that was just replaced."""
    for value in ("1", "2", "3"):
        place.envref("secret", "rotate", "k", "--value-stdin", stdin=value)
    done = place.envref("secret", "rotate", "k", "--keep", "0", "--value-stdin", stdin="4")
    assert done.stderr.endswith("; no history kept\n")
    assert history(place) == {"k": "4"}


def test_rotate_tells_what_it_did(shop):
    """The line names length and charset; --print shows the new value only."""
    shop.fill(k="old")
    done = shop.envref("secret", "rotate", "k", "--print")
    assert done.stdout == shop.values["app/k"] + "\n"
    assert done.stderr == ('secret "k" rotated in backend "store" (32 chars, alphanumeric); previous value archived\n')


def test_rotate_of_a_missing_key_generates_it(shop):
    """There is nothing to archive, and the message and the log say what happened."""
    done = shop.envref("secret", "rotate", "k")
    assert done.stderr == 'secret "k" generated and stored in backend "store" (32 chars, alphanumeric)\n'
    assert list(shop.values) == ["app/k"]
    assert [line["operation"] for line in shop.logged()] == ["generate"]


@pytest.mark.parametrize(("keep", "text"), [("-1", "keep must be at least 0"), ("101", "keep must not exceed 100")])
def test_how_many_old_values_can_be_kept(shop, keep, text):
    """0 to 100."""
    done = shop.envref("secret", "rotate", "k", f"--keep={keep}")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, f"error: {text}")


def test_rotate_works_at_the_profile_s_scope(shop):
    """The profile's value and its history lie below the profile."""
    shop.fill(k="project", staging__k="profile")
    shop.envref("secret", "rotate", "k", "-P", "staging")
    assert shop.values["app/staging/k.__history.1"] == "profile"
    assert shop.values["app/k"] == "project"


def test_copy_takes_the_value_of_another_project(shop):
    """The same key, or --to-key, at this project's scope."""
    shop.write("store.json", '{"values": {"other/k": "v"}, "writes": 0, "log": []}')
    done = shop.envref("secret", "copy", "k", "--from", "other")
    assert (done.stdout, done.stderr) == ("", 'secret "k" copied from project "other" to "app" (backend "store")\n')
    named = shop.envref("secret", "copy", "k", "--from", "other", "--to-key", "k2")
    assert named.stderr == 'secret "k" copied from project "other" to "app" as "k2" (backend "store")\n'
    assert shop.values == {"other/k": "v", "app/k": "v", "app/k2": "v"}


def test_copy_between_profiles(shop):
    """Both scopes are exact, and both are told."""
    shop.write("store.json", '{"values": {"other/prod/k": "v", "other/k": "no"}, "writes": 0, "log": []}')
    done = shop.envref("secret", "copy", "k", "--from", "other", "--from-profile", "prod", "-P", "staging")
    assert done.stderr == (
        'secret "k" copied from project "other" (profile "prod") to "app" (profile "staging") (backend "store")\n'
    )
    assert shop.values["app/staging/k"] == "v"
    assert shop.logged()[-1]["detail"] == "from other/prod/k"


def test_copy_of_what_is_not_there(shop):
    """The error names the project that was read; the project's scope is no stand-in for a profile's."""
    shop.write("store.json", '{"values": {"other/k": "v"}, "writes": 0, "log": []}')
    done = shop.envref("secret", "copy", "k", "--from", "other", "--from-profile", "prod")
    assert done.returncode == 1
    assert done.stderr == (
        'error: reading secret from project "other": plugin "store": secret not found: "other/prod/k"\n'
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], 'required flag(s) "from" not set'),
        (["--from", "other/prod"], r"project name must not contain path separators (/ or \)"),
        (["--from", "other", "--from-profile", "a/b"], 'invalid profile name "a/b"'),
        (["--from", "other", "--to-key", "staging/k"], '"staging" is a profile; use --profile staging'),
    ],
)
def test_copy_refuses_names_that_reach_into_another_scope(shop, options, text):
    """Usage errors, before any store is asked."""
    done = shop.envref("secret", "copy", "k", *options)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, f"error: {text}")
    assert not (shop.path / "store.json").exists()


def test_copy_stays_within_one_backend(shop, vaulted):
    """-b names the backend that is read and written."""
    shop.configure(VAULT_ENTRY)
    shop.write("store.json", '{"values": {"other/k": "v"}, "writes": 0, "log": []}')
    assert shop.envref("secret", "copy", "k", "--from", "other", "-b", "vault").returncode == 1
    assert shop.envref("secret", "copy", "k", "--from", "other", "-b", "store").returncode == 0


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "store", "type": "pass", "config": {"prefix": "team"}},
        {"name": "store", "type": "pass", "config": {"namespace": "none"}},
        {"name": "store", "type": "doppler"},
    ],
)
def test_copy_refuses_a_store_without_projects(project, entry):
    """Where names hold no project, every project has the same secrets; nothing is asked."""
    project.write(".envref.yaml", config(entry))
    done = project.envref("secret", "copy", "k", "--from", "other", env={"PATH": "/nonexistent"})
    assert (done.returncode, done.stderr) == (
        1,
        (
            'error: backend "store" does not keep projects apart; there is no other one to copy from\n'
            "  hint: envref secret set KEY stores the value\n"
        ),
    )
