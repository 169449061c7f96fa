"""Which program a shim becomes: never a shim, never the wrapper that called it, and never for ever."""

from __future__ import annotations

import os

import pytest

from envref.tools.lookup import HEAD, MARK, NotThere, program

SCRIPT, BINARY, NODE, SHIM = b"#!/bin/sh\n", b"\x7fELF", b"#!/usr/bin/env node\n", HEAD + b"1: gh\n"
ME, PARENT, OTHER = 100, 99, 98


@pytest.fixture
def path(tmp_path):
    """Makes `gh` with these contents, each in a folder of its own; returns PATH and the places."""

    def made(*contents):
        places = []
        for index, content in enumerate(contents):
            place = tmp_path / str(index) / "gh"
            place.parent.mkdir()
            if content is not None:
                place.write_bytes(content)
                place.chmod(0o755)
            places.append(str(place))
        return os.pathsep.join(os.path.dirname(place) for place in places), places

    return made


def found(path, mark=""):
    return program("gh", {"PATH": path, MARK: mark}, (ME, PARENT))


def test_no_shim_of_any_project_is_it(path):
    """Nor a folder of the tool's name, nor one that is not there."""
    where, places = path(SHIM, None, SHIM, BINARY, BINARY)
    os.mkdir(places[1])
    assert (found(where).path, found(where).is_behind) == (places[3], False)
    assert found(where).mark == f"gh=1={ME}={places[3]}"


@pytest.mark.parametrize("pid", [ME, PARENT])
@pytest.mark.parametrize("depth", [1, 19])
def test_a_script_that_calls_the_tool_again_gets_what_is_behind_it(path, pid, depth):
    """In its place, or as its child. A link to the script in another folder is the same script."""
    where, places = path(SHIM, BINARY, SCRIPT, None, BINARY)
    os.symlink(places[2], places[3])
    behind = found(where, f"gh={depth}={pid}={places[2]}")
    assert (behind.path, behind.is_behind, behind.mark) == (places[4], True, f"gh={depth + 1}={ME}={places[4]}")


def test_a_script_that_has_left_path_meanwhile_gets_the_first(path):
    where, places = path(SHIM, BINARY)
    other, [wrapper] = str(os.path.dirname(places[0])) + "/more", [os.path.dirname(places[0]) + "/more/gh"]
    os.mkdir(other)
    with open(wrapper, "wb") as file:
        file.write(SCRIPT)
    assert (found(where, f"gh=1={ME}={wrapper}").path, found(where, f"gh=1={ME}={wrapper}").is_behind) == (
        places[1],
        True,
    )


@pytest.mark.parametrize(("content", "pid"), [(BINARY, PARENT), (NODE, PARENT), (SCRIPT, OTHER)])
def test_a_program_that_runs_itself_is_the_same_program(path, content, pid):
    """npm runs a script that calls npm, gh an extension that calls gh: not an older one behind it."""
    where, places = path(SHIM, content, BINARY)
    again = found(where, f"gh=1={pid}={places[1]}")
    assert (again.path, again.is_behind, again.mark) == (places[1], False, f"gh=2={ME}={places[1]}")


def test_other_tools_keep_their_marks(path):
    where, places = path(BINARY)
    marked = found(where, f"psql=1={PARENT}=/bin/psql:gh=3={OTHER}={places[0]}").mark
    assert marked == f"psql=1={PARENT}=/bin/psql:gh=4={ME}={places[0]}"


@pytest.mark.parametrize("mark", ["gh", "gh=1", "gh=x=100=/x", "gh=1=100=", "=1=100=/x", "::", "gh=²=100=/x"])
def test_a_mark_that_is_not_envref_s_counts_for_nothing(path, mark):
    where, places = path(BINARY)
    assert found(where, mark).mark.endswith(f"gh=1={ME}={places[0]}")


def test_what_is_not_there_is_said_with_127(path):
    where, places = path(SHIM, SCRIPT)
    for told, mark, places_ in (
        ("gh: command not found: on PATH is only its shim", "", os.path.dirname(places[0])),
        (f"gh: {places[1]} calls gh again, and no other gh is behind it on PATH", f"gh=1={ME}={places[1]}", where),
        (f"gh: {places[1]} calls gh again and again, and gets itself", f"gh=20={OTHER}={places[1]}", where),
    ):
        with pytest.raises(NotThere) as caught:
            found(places_, mark)
        assert (caught.value.status, caught.value.message) == (127, told)
        assert "gh" in caught.value.hint
