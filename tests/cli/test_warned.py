"""What every command says of the project's config, and that -q keeps it, and all else that is no error, to itself."""

from __future__ import annotations

import pytest

from tests.backends.doubles.memory import Kept
from tests.requirements import first_python

pytestmark = first_python

KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
WARNING = '.envref.yaml:1:4: unknown key "flarp"'
ONCE = [
    *(["backend", "list"], ["flox-hook"], ["flox-hook", "--write", "manifest.toml"], ["get", "B"]),
    *(["list"], ["lock"], ["lock", "--check"], ["onboard"], ["profile", "diff", "staging", "qa"]),
    *(["profile", "export", "staging"], ["profile", "list"], ["profile", "use", "staging"], ["resolve"]),
    *(["secret", "copy", "k", "--from", "other"], ["secret", "delete", "a", "-f"], ["secret", "generate", "n"]),
    *(["secret", "get", "a"], ["secret", "list"], ["secret", "rotate", "a"], ["secret", "set", "a"]),
    *(["secret", "share", "a", "--to", KEY], ["shim"], ["shim", "--path"], ["shim", "--remove"], ["status"]),
    *(["sync", "push", "--to", KEY], ["team", "list"], ["trust"], ["trust", "--print"], ["trust", "--revoke"]),
    *(["resolve", "--export"], ["resolve", "--explain"], ["resolve", "--unset"], ["validate"]),
]
SILENT = [["set", "C=2"], ["unset", "B"], ["audit"], ["profile", "create", "new"], ["init"], ["audit-log"]]
SILENT += [words for words in ONCE if words != ["trust"]]  # which says what it allows


@pytest.fixture
def flarp(shelf):
    """A project with all that the commands here need, and one thing that is wrong with its config."""
    shelf.configure(
        profiles={"staging": None, "qa": None}, tools={"gh": ["B"]}, team=[{"name": "bob", "public_key": KEY}]
    )
    shelf.write(".envref.yaml", shelf.read(".envref.yaml").replace("{", '{  "flarp": 1, ', 1))
    shelf.write(".env", "A=ref://secrets/a\nB=1\n")
    shelf.write(".env.example", "A=\nB=\n")
    shelf.write("manifest.toml", "version = 1\n")
    shelf.write("envref.lock", "envref-lock 1\nA one app/a unpinned\n")
    shelf.values["one"] |= {"app/a": "v", "other/k": "v"}
    return shelf


@pytest.mark.parametrize("words", ONCE, ids=" ".join)
def test_what_is_wrong_with_the_config_is_told_once(flarp, words):
    """By each command that goes by it, on stderr, as a warning."""
    done = flarp.said(*words, stdin="value")
    assert done.stderr.count(f"warning: {WARNING}\n") == 1
    assert "flarp" not in done.stdout


@pytest.mark.parametrize("words", SILENT, ids=" ".join)
def test_quiet_says_nothing_that_is_no_error(flarp, words):
    """On stderr; what was asked for is on stdout."""
    done = flarp.said(*words, "-q", stdin="value")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "words",
    [
        *(["get", "--resolve", "A"], ["lock"], ["onboard"], ["resolve"], ["resolve", "--export"], ["status"]),
        *(["secret", "copy", "k", "--from", "other"], ["secret", "generate", "n"], ["secret", "get", "a"]),
        *(["secret", "rotate", "a"], ["secret", "share", "a", "--to", KEY], ["sync", "push", "--to", KEY]),
        ["validate", "--resolve"],
    ],
    ids=" ".join,
)
def test_what_a_store_has_to_say_is_told_once(flarp, monkeypatch, words):
    """By each command that asks it."""
    asked = Kept.get_many

    def get_many(store, addresses, deadline):
        store.warnings = ["the store is full"]
        return asked(store, addresses, deadline)

    monkeypatch.setattr(Kept, "get_many", get_many)
    flarp.write(".env", "A=ref://one/a\n")
    told = [line for line in flarp.said(*words, stdin="v").stderr.splitlines() if "the store is full" in line]
    assert len(told) == 1
    assert told[0].startswith("warning: ")
