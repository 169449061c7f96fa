"""ENVREF_SEEN: what it says, where it is written, and that nothing in a foreign one counts."""

from __future__ import annotations

import re
import types

import pytest

from envref.fresh import seen
from envref.fresh.seen import Seen, Unusable
from envref.project.project import configured
from envref.refs.address import Address
from envref.refs.outcome import Found
from envref.refs.reference import Reference
from envref.secret import Secret

INERT = re.compile(r"[A-Za-z0-9_@=.:+ -]*")


@pytest.fixture
def app(project):
    """A project with one plugin that keeps revisions."""
    project.write(
        ".envref.yaml",
        "project: app\nbackends:\n  - {name: store, type: plugin, config: {command: ./store}}\n",
    )
    project.write(
        "store",
        """#!/bin/sh
case $(cat) in
  *app/a*) echo '{"value": "value of a", "revision": "7"}' ;;
  *app/b*) echo '{"value": "value of b", "revision": "v1 $(id)"}' ;;
  *) echo '{"error": "not found"}' ;;
esac
""",
    ).chmod(0o755)
    project.write(".env", "PLAIN=1\nA=ref://store/a\nBOTH=${A}-${ref://store/b}-$A\nD=ref://store/none?default=d\n")
    return project


@pytest.fixture
def place(project):
    project.write(".envref.yaml", "project: app\n")
    return configured(str(project.path))


def told(text):
    """The words of an ENVREF_SEEN in what was printed, without the project's place."""
    (found,) = re.findall(r"ENVREF_SEEN.*?'(1 [^']*)'", text)
    assert INERT.fullmatch(found)
    return found.split(" ")[2:]


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "ksh", "dash", "fish", "tcsh", "powershell"])
def test_it_names_store_and_revision_of_every_name_with_references(app, trusted, shell):
    """Composed values have several, each once; a default is from no store; plain ones are not in it."""
    done = app.envref("resolve", "--export", "--shell", shell)
    assert told(done.stdout) == ["-", "A=store@7", "BOTH=store@7+store@v1:0020:0024:0028id:0029", "D=-", "."]


def test_nu_gets_it_in_its_json(app, trusted):
    """The ninth shell."""
    assert '"ENVREF_SEEN": "1 ' in app.envref("resolve", "--export", "--shell", "nu").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["resolve"],
        ["resolve", "--format", "json"],
        ["resolve", "--format", "docker"],
        ["resolve", "--format", "dotenv"],
        ["resolve", "--format", "shell"],
        ["resolve", "--export", "--only", "PLAIN"],
        ["resolve", "--export", "-f", ".env"],
        ["run", "--", "env"],
    ],
    ids=" ".join,
)
def test_nobody_else_gets_it(app, trusted, monkeypatch, arguments):
    """No format but shell code, no child of `run`, nothing without references, and no files that `stale` can't find."""
    monkeypatch.setenv("ENVREF_SEEN", "the caller's own")
    done = app.envref(*arguments)
    assert "PLAIN" in done.stdout
    assert "ENVREF_SEEN" not in done.stdout


def test_some_of_the_names_are_added_to_the_others(app, trusted, monkeypatch):
    """A shell that gets one name more still knows what it has of the rest; a foreign one adds nothing."""
    first = app.envref("resolve", "--export", "--only", "A").stdout
    (text,) = re.findall("ENVREF_SEEN='(.*)'", first)
    monkeypatch.setenv("ENVREF_SEEN", text)
    assert told(app.envref("resolve", "--export", "--only", "D").stdout) == ["-", "A=store@7", "D=-", "."]
    monkeypatch.setenv("ENVREF_SEEN", text.replace("1 ", "1 x", 1))
    assert told(app.envref("resolve", "--export", "--only", "D").stdout) == ["-", "D=-", "."]


def test_unsetting_takes_it_away(app, trusted):
    """With everything that it speaks of."""
    assert app.envref("resolve", "--unset").stdout.endswith("unset ENVREF_SEEN\n")
    assert "SEEN" not in app.envref("resolve", "--unset", "--only", "A").stdout


def test_it_is_read_as_it_was_written(place):
    """With and without a profile."""
    for profile in (None, "staging"):
        told = Seen(profile, {"A": ("kc@.5000", "-"), "B": ("s@7.1=",), "my-var": ("=",)}, {"A"})
        read = seen.parsed(told.text(place), place)
        assert (read.profile, read.sources, read.lacking) == (profile, told.sources, {"A"})


def test_the_longest_is_of_32_kib(place):
    """It takes room in every program's environment."""
    short = len(Seen(None, {"A": ("store@",)}).text(place))
    longest = Seen(None, {"A" + "a" * (32 * 1024 - short): ("store@",)}).text(place)
    assert len(longest) == 32 * 1024
    assert seen.parsed(longest, place).sources
    assert Seen(None, {"A" + "a" * (32 * 1024 - short + 1): ("store@",)}).text(place) == ""
    with pytest.raises(Unusable):
        seen.parsed(longest.replace("Aa", "Aaa"), place)


def test_what_would_be_too_long_is_left_out(place):
    """Half of it would be worse than nothing; so would characters that mean something to a shell."""
    assert Seen(None, {f"NAME_{number}": ("store@" + "a" * 64,) for number in range(1000)}).text(place) == ""
    assert Seen(None, {"A": ("store@$(id)",)}).text(place) == ""


def test_one_that_was_not_written_here_counts_for_nothing(place):
    """Forged, foreign, cut off, of another version, 64 KB: each is refused with a text that quotes nothing of it."""
    good = Seen("prod", {"A": ("store@7.1",), "B": ("-",)}).text(place)
    marker = "MARKER"
    bad = [
        "",
        "1",
        " ",
        good[:-2],
        good[: len(good) // 2],
        good.replace("1 ", "2 ", 1),
        good.replace("1 ", "1 f", 1),
        good.replace("A=", f"{marker}"),
        good.replace("A=", f"$({marker})="),
        good.replace("store@", f"{marker}"),
        *(
            good.replace("7.1", forged)
            for forged in ("7:zz", "7:d800", "7.x", "7." + "9" * 20, "7.1.2", "7@8", "7==", "7++")
        ),
        good.replace("A=", ".-="),
        good.replace(" B=-", f"\n{marker}=1"),
        good.replace(" .", f" {'x' * 64 * 1024}={marker}@1 ."),
        f"é{good}{marker}",
        f"{marker}\0",
    ]
    for text in bad:
        with pytest.raises(Unusable) as caught:
            seen.parsed(text, place)
        assert marker not in str(caught.value)
        assert str(caught.value)


def test_another_project_or_machine_is_told_apart(project, place, monkeypatch):
    """By the place of the project and the machine's name; neither is readable in it."""
    text = Seen(None, {"A": ("store@7",)}).text(place)
    assert str(project.path) not in text
    monkeypatch.setattr("os.uname", lambda: type("Uname", (), {"nodename": "elsewhere"}))
    with pytest.raises(Unusable, match="another project, or of another machine"):
        seen.parsed(text, place)


def test_a_shell_without_any_secret_is_told_so(place):
    """Its names had references once: that there is none now is worth knowing."""
    nothing = Seen(None, {}).text(place)
    assert (seen.parsed(nothing, place).sources, seen.parsed(nothing, place).profile) == ({}, None)
    with pytest.raises(Unusable, match="is cut off"):
        seen.parsed(nothing.rpartition(" ")[0], place)


def test_what_a_shell_did_not_get_is_not_remembered():
    """Plain values, and what waits for trust: `refresh` would set it."""
    reference = Reference.parse("ref://store/a")
    given = (reference, Found(Secret("v", "7"), "store", address=Address("app", "a")))
    filled = {
        name: types.SimpleNamespace(sources=sources) for name, sources in (("A", [given]), ("B", [given]), ("C", []))
    }
    chosen = [types.SimpleNamespace(name=name) for name in filled]
    resolution = types.SimpleNamespace(chosen=chosen, filled=filled, untrusted=["B"])
    assert seen.sources_of(resolution) == {"A": ("store@7",)}


def test_what_a_shell_has_already_is_that_of_its_profile(place):
    """Of another profile, of another project, or of nobody it has nothing."""
    text = Seen("qa", {"A": ("store@7",)}).text(place)
    assert seen.before(place, "qa", {seen.NAME: text}).sources == {"A": ("store@7",)}
    assert seen.before(place, None, {seen.NAME: text}).sources == {}
    assert seen.before(place, "qa", {seen.NAME: text[:-1]}).sources == {}
    assert seen.before(place, "qa", {}).sources == {}
