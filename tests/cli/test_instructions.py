"""What an activation, `run`, the vault and completion cost, in instructions: no more than what is checked in."""

from __future__ import annotations

import contextlib
import pathlib

import pytest

from bench import callgrind, ratios
from bench.installed import PASS, installed
from bench.modules import Module, grown, modules_of
from bench.ratios import Measured, Ratio
from envref.backends.vault import session
from tests.requirements import first_python, missing, need


@pytest.fixture(scope="module")
def place():
    need("valgrind")
    with installed() as there:
        yield there


@pytest.fixture(scope="module")
def one(place):
    """What `python -c pass` costs: the same whatever envref does."""
    return callgrind.count(place.command(PASS))


@pytest.fixture(scope="module")
def hot(place, one):
    """What envref costs as it is."""
    if not session.remember("probe", "probe", 5):
        missing("the kernel's keyring is denied here")
    return ratios.measure(place, ratios.HOT, one)


@first_python
def test_hot_commands_cost_what_they_did(place, hot):
    """In instructions, over those of `python -c pass`. If it is meant to cost more: make counts."""
    known = ratios.read()
    if known is None:
        pytest.skip(f"nothing is checked in for Python {ratios.SERIES}: make counts")
    found = ratios.faults(known, hot)
    assert not found, ratios.explained(place, found)


@contextlib.contextmanager
def added(place, text_of):
    """More code at the end of modules of that envref, by their files below `envref/`."""
    files = {pathlib.Path(place.packages, "envref", file): more for file, more in text_of.items()}
    before = {file: file.read_bytes() for file in files}
    try:
        for file, more in files.items():
            file.write_bytes(before[file] + more.encode())
        yield
    finally:
        for file, content in before.items():
            file.write_bytes(content)


@first_python
def test_what_grew_is_named(place, one, hot):
    """An import that is new, and a module that does more."""
    modules = modules_of(place.command("plain"))
    with added(place, {"cli/activate.py": "import shlex\n", "streams.py": "for _ in range(20000): pass\n"}):
        [sentence] = ratios.faults(hot, ratios.measure(place, ["plain"], one)).values()
        lines = grown(modules, modules_of(place.command("plain")))
    assert sentence.startswith("plain: ")
    assert lines[0].startswith("new: shlex, about ")
    assert ", imported by envref.cli.activate, with " in lines[0]
    assert next(line for line in lines if line.startswith("grown: ")).startswith("grown: envref.streams, about ")


KNOWN = Measured("this build", {"run": Ratio(1.5, 2.0)})


@pytest.mark.parametrize(
    ("build", "ratio", "is_fault"),
    [
        ("this build", Ratio(1.5, 2.0), False),
        ("this build", Ratio(1.529, 2.19), False),
        ("this build", Ratio(1.531, 2.0), True),
        ("this build", Ratio(1.5, 2.21), True),
        ("this build", Ratio(1.0, 1.0), False),
        ("another", Ratio(1.57, 2.0), False),
        ("another", Ratio(1.58, 2.0), True),
    ],
)
def test_a_little_more_is_no_fault(build, ratio, is_fault):
    """Two percent of the interpreter's own instructions, five on a build that was not measured, ten of all."""
    assert bool(ratios.faults(KNOWN, Measured(build, {"run": ratio}))) == is_fault


def test_the_sentence_has_both_ratios():
    """And by how much it is more."""
    assert ratios.faults(KNOWN, Measured("this build", {"run": Ratio(1.575, 2.0)}))["run"] == (
        "run: 1.5750 times the instructions of `python -c pass` (the interpreter's own), was 1.5000: +5.0 %"
    )


def test_every_series_that_is_checked_in_has_all_hot_commands():
    """And what their modules did."""
    assert ratios.known_series()
    for series in ratios.known_series():
        assert set(ratios.read(series).ratios) == set(ratios.HOT)
        for name in ratios.HOT:
            assert "envref.__main__" in ratios.read_modules(name, series)


def test_a_module_in_c_is_named_too():
    """It executes no bytecode."""
    assert grown({}, {"_json": Module(0, 0)}) == ["new: _json, which is not Python, imported by -"]
    assert grown({"a": Module(5, 5)}, {"a": Module(5, 5)}) == ["no module executes more; what it calls in C does"]


CALLGRIND = """\
# callgrind format
events: Ir

ob=(1) /usr/bin/python3.11
fl=(1) a.c
fn=(1) main
12 100
+1 20
cob=(2) /lib/libc.so.6
cfn=(2) strlen
calls=3 0
* 900
-2 7

ob=(2)
fn=(2)
0 900

ob=(3) /lib/python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so
fn=(3)
0x40 11
totals: 1038
"""


def test_instructions_belong_to_the_file_they_are_in():
    """What a function calls has its own lines; callgrind names a file once."""
    found = callgrind.by_object(CALLGRIND.splitlines(keepends=True))
    assert found == {
        "/usr/bin/python3.11": 127,
        "/lib/libc.so.6": 900,
        "/lib/python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so": 11,
    }
    assert callgrind.counted(found) == callgrind.Count(interpreter=138, whole=1038)
