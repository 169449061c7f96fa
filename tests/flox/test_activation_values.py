"""Exact values by every way from a vault to a program, in the simulator of the documented contract (flox.md 8, A6).

One activation carries the whole list of flox.md 6.6.
"""

from __future__ import annotations

import os
import random

import pytest

from envref.flox.replay import BREAKS
from tests.flox.conftest import HOOK, PROFILES, manifest
from tests.flox.simulator import SHELLS, Flox
from tests.flox.trace import Record
from tests.requirements import first_python, need

pytestmark = first_python

PEM = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC+/=\n" * 20 + "-----END PRIVATE KEY-----\n"
VALUES = {
    "SINGLE_QUOTE": "it's one",
    "DOUBLE_QUOTE": 'say "it"',
    "BANG": "wow! !! !x !$",
    "BACKSLASH": "a\\b\\\\c",
    "BACKSLASH_QUOTE": "a\\'b",
    "BACKSLASH_BANG": "a\\!b",
    "TRAILING_BACKSLASH": "the end\\",
    "PEM": PEM,
    "TRAILING_NEWLINE": "ends twice\n\n",
    "DOLLAR": "$x ${HOME} $(id) $((1+1))",
    "BACKTICKS": "`id`",
    "TEXT": "naïve – 秘密 🔑",
    "TAB": "a\tb\t",
    "BLANKS": "  two  spaces ",
    "LEADING_DASH": "-n --help",
    "GLOBS": "* ? [a-z] {a,b} ~ ~root =ls # %",
    "EQUALS": "=ls",
    "EQUALS_ZERO": "=0",
    "LONG": "".join(random.Random("64 KiB").choices("abcXYZ019+/=$'\"\\! ", k=65536)),
}
BROKEN = {shell: {name for name, value in VALUES.items() if breaks(value)} for shell, breaks in BREAKS.items()}


@pytest.fixture
def full(place):
    """The whole list in the vault."""
    place.stock(VALUES)
    return place


def differing(environment, values=VALUES):
    """Names only: no value in a test's output."""
    return [name for name, value in values.items() if environment.get(name) != value]


def test_the_hook_gives_every_value_to_a_program_bash_and_zsh(full):
    """By `flox activate -- CMD`, and by replay in a new shell and in place."""
    start = full.start(full.flox(manifest(hook=HOOK)))
    assert (start.stderr, differing(start.additions), differing(start.environment())) == ("", [], [])
    for shell in ("bash", "zsh"):
        whole = {name: value for name, value in VALUES.items() if name not in BROKEN.get(shell, ())}
        start.without(BROKEN.get(shell, ()))
        for way in ("shell", "in place"):
            session = start.attach(shell, way=way)
            assert (differing(session.environment, whole), session.stderr) == ([], "")


@pytest.mark.parametrize("shell", BREAKS)
def test_what_the_replay_breaks_is_named_by_the_hook(full, shell):
    """A warning with the name and the cure for each such value; the others reach that shell exactly.

    Whatever makes Flox choose the shell: SHELL, which a hook sees, FLOX_SHELL, or the shell that it is called in.
    """
    flox, path = full.flox(manifest(hook=HOOK)), f"/usr/bin/{shell}"
    cure = f"Flox cannot replay this value into {shell}; run: envref flox-hook --write --placement profile"
    warned = [f"warning: {name}: {cure}" for name in VALUES if name in BROKEN[shell]]
    assert warned
    for signs, calling in (({"FLOX_SHELL": path}, "bash"), ({}, shell), ({"SHELL": path}, "bash")):
        start = full.start(flox, caller={**os.environ, "SHELL": "/bin/bash", **signs}, shell=calling)
        assert start.stderr.splitlines() == warned
    assert differing(start.environment()) == []
    start.without(BROKEN[shell])
    session = start.attach(shell, way="in place")
    whole = {name: value for name, value in VALUES.items() if name not in BROKEN[shell]}
    assert (differing(session.environment, whole), session.stderr) == ([], "")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_profile_gives_every_value_to_its_shell(full, shell):
    """In a new shell and in place, in all four."""
    profile = PROFILES[shell]
    start = full.start(full.flox(manifest(profiles={shell: profile})))
    for way in ("shell", "in place"):
        session = start.attach(shell, way=way)
        assert (differing(session.environment), session.stdout, session.stderr) == ([], "", "")


@pytest.mark.parametrize("shell", BREAKS)
def test_the_rule_for_what_the_replay_breaks_is_that_of_the_real_shell(shell, tmp_path):
    """For 40 arbitrary values of the characters that matter, it foretells what the shell makes of the replay."""
    need(shell)
    need("bash")
    flox = Flox(tmp_path, "version = 1\n", project=None)
    start = flox.start()
    wrong = []
    rng = random.Random(f"replay into {shell}")
    values = ["\\", "\\'", "\\!", "\\\\", "'\\", "!\\", "\\n", "\\ ", "!", "'", "\n", "a\n", "$x`"]
    values += ["=", "=ls", "=abc", "==x", "=+/abc=", "=a b", "a=b", "=0", "=1", "=-", "=12", "=-a", "=a-", "=_", "=="]
    values += ["".join(rng.choices("\\\\'!n \"$x" + "\n" * (shell == "tcsh"), k=rng.randint(1, 5))) for _ in range(27)]
    for value in values:
        start.records = [Record("set", "X", None, value)]
        got = start.attach(shell, way="in place").environment.get("X")
        wrong += [value] * ((got != value) is not BREAKS[shell](value))
    assert wrong == []
