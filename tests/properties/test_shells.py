"""shells, read back by the real shells and readers: every value is exact, or there is an error; nothing is executed."""

from __future__ import annotations

import io
import json
import os
import random
import subprocess

import dotenv
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envref.formats.shells import FORMATS, render, unset
from envref.formats.text import Unencodable
from tests.nightly import count
from tests.properties import readers
from tests.requirements import ENVIRONMENTS, first_python, need

pytestmark = first_python

COUNT = 1_000  # variables that a shell gets at once: tcsh takes time in proportion to the square of it
NUSHELL = ENVIRONMENTS / "nushell" / "nu"  # as `make test` gets it
BATCHES = range(count(10, 100))
TIMES = pytest.mark.parametrize("batch", BATCHES)
LONGEST = 131_072 - len("V0000=") - 1  # bytes that Linux allows a value of that name

POSIX = 'eval "$(cat "$TEXT")"'
SHELLS = {
    "sh": ("shell", ["sh"], POSIX),
    "dash": ("shell", ["dash"], POSIX),
    "bash": ("shell", ["bash"], POSIX),
    "bash --posix": ("shell", ["bash", "--posix"], POSIX),
    "zsh": ("shell", ["zsh", "-f"], POSIX),
    "zsh with globs": ("shell", ["zsh", "-f", "-o", "extendedglob", "-o", "magicequalsubst"], POSIX),
    "ksh": ("shell", ["ksh"], POSIX),
    "mksh": ("shell", ["mksh"], POSIX),
    "busybox": ("shell", ["busybox", "sh"], POSIX),
    "fish": ("fish", ["fish", "--no-config"], "cat $TEXT | source"),
    "tcsh by source": ("tcsh", ["tcsh", "-f"], "source $TEXT"),
    # Without the redirection tcsh itself prints "[1] PID" in one of a hundred runs, when the pipe's writer ends early.
    "tcsh by pipe": ("tcsh", ["tcsh", "-f"], "cat $TEXT | source /dev/stdin > /dev/null"),
    "tcsh by eval": ("tcsh", ["tcsh", "-f"], 'eval "`cat $TEXT`"'),
}
EVERY_SHELL = pytest.mark.parametrize("shell", SHELLS)

# In the C locale tcsh itself loses bytes of a pipe or "`…`" that holds more than 4 KiB and text outside ASCII.
UTF8_ONLY = ("tcsh by pipe", "tcsh by eval")
LOCALES = [(shell, "C.UTF-8") for shell in SHELLS] + [(shell, "C") for shell in SHELLS if shell not in UTF8_ONLY]

CHARACTERS = [chr(code) for code in range(1, 256)] + [chr(code) for code in range(0x2018, 0x2030)]
PAYLOADS = [
    *("$(touch canary)", "`touch canary`", "'; touch canary; '", '"; touch canary; "', "\ntouch canary\n"),
    *("'$(touch canary)'", "\\'; touch canary #", "'\\''; touch canary; '\\''", "(touch canary)", "<(touch canary)"),
    *("!!", "!touch", "!-1", "^a^b^", "=ls", "==ls", "~", "~root", "a:~root", "-n", "--help", "-", "#", " #x"),
    *("*", "?", "[a-z]*", "{a,b}", "**/*", "(#i)x", "*(e:touch canary:)", "%s", "%HOME%", "%n%%", "\\", "\\n", "\\x41"),
    *("$HOME", "${HOME}", "${HOME:-x}", "$$", "$'\\n'", "$((1+1))", "$?", "$!", "${(e)x}", "${x@P}", "&&", "||", ";;"),
    *(
        "\x1b[31m",
        "\x1b]0;x\x07",
        "\r\n",
        "\n\n\n",
        "x\n",
        "\t x ",
        "  ",
        "é",
        "\u2028",
        "\u202e",
        "🔑",
        "\ufeff",
        "\uffff",
    ),
    *("\U0010ffff", "e\u0301", "%0a", "EOF", "END\n", "if", "done", "}", "{", "))", "'", "''", '"', '""', "\\\\"),
]
LONG = ["x" * LONGEST, "'" * 20_000, "!\n" * 20_000, "\\" * 20_000, "é\n'" * 5_000]


def arbitrary_values(batch=0):
    """COUNT values, the same in every run: in batch 0 each character and payload alone, and long ones; mixtures."""
    rng = random.Random(f"envref: every value is exact, {batch}")
    values, long = (["", *CHARACTERS, *PAYLOADS], LONG) if batch == 0 else ([], [])
    while len(values) < COUNT - len(long):
        pieces = rng.choices([*CHARACTERS, *PAYLOADS], k=rng.randint(2, 12))
        values.append("".join(pieces) + "\n" * rng.choice([0, 0, 0, 1, 3]))
    return [*values, *long]  # the long ones last: tcsh copies all before each variable


def hostile_names(batch=0):
    """COUNT names, most of them no name at all; the number at the end keeps them apart and off the shells' own."""
    rng = random.Random(f"envref: every name is refused or exact, {batch}")
    pieces = [
        *PAYLOADS,
        "A",
        "b",
        "_",
        "9",
        ".",
        "=",
        "+=",
        "[0]",
        "[$(touch canary)]",
        "%%",
        "()",
        " ",
        "é",
        "\uff21",
        "\0",
        *("\udcff", "\udc80\udc41", "\udce2\udc82"),  # bytes that are no UTF-8, as Python reads them
    ]
    words = [rng.choice(["", "A", "_x"]) + "".join(rng.choices(pieces, k=rng.randint(0, 2))) for _ in range(COUNT)]
    return [f"{word}{index}" for index, word in enumerate(words)]


def run_shell(shell, text, directory, *, then):
    """Loads `text` into the shell the way users do, then runs `then`; the result, with bytes."""
    _, (program, *options), load = SHELLS[shell]
    path = directory / "text"
    path.write_bytes(text.encode())
    environment = {**os.environ, "TEXT": str(path), "ENV": "", "PRINT": need("env")}
    return subprocess.run(
        [need(program), *options, "-c", f"{load}\n{then}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=directory,
        env=environment,
        timeout=120,
        check=False,
    )


def environment_after(shell, text, directory):
    """The environment that programs get from the shell once it has read `text`."""
    result = run_shell(shell, text, directory, then="exec $PRINT -0")
    assert (result.returncode, result.stderr[:500]) == (0, b"")
    entries = result.stdout.decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


def differences(expected, actual):
    """The first few variables that are not as expected, shortened: readable when a test fails."""
    wrong = [(name, value, actual.get(name)) for name, value in expected.items() if actual.get(name) != value]
    return [tuple(repr(part)[:200] for part in row) for row in wrong[:3]]


@TIMES
@pytest.mark.parametrize(("shell", "locale"), LOCALES)
def test_every_value_reaches_the_environment_exactly(shell, locale, batch, tmp_path, monkeypatch):
    """10,000 arbitrary values come out of each shell byte for byte; no command in them is run."""
    monkeypatch.setenv("LC_ALL", locale)
    variables = [(f"V{index:04}", value) for index, value in enumerate(arbitrary_values(batch))]
    text = render(SHELLS[shell][0], variables).text
    assert differences(dict(variables), environment_after(shell, text, tmp_path)) == []
    assert not (tmp_path / "canary").exists()


@TIMES
@EVERY_SHELL
def test_every_name_is_refused_or_exact(shell, batch, tmp_path):
    """10,000 arbitrary names: what is written defines exactly that variable; no command in the others is run."""
    variables = [(name, f"value of {index}") for index, name in enumerate(hostile_names(batch))]
    rendered = render(SHELLS[shell][0], variables)
    carried = {name: value for name, value in variables if name not in rendered.left_out}
    before = environment_after(shell, "", tmp_path)
    after = environment_after(shell, rendered.text, tmp_path)
    assert len(carried) > COUNT / 20
    assert len(rendered.left_out) > COUNT / 2
    assert differences(carried, after) == []
    assert set(after) - set(before) == set(carried)
    assert not (tmp_path / "canary").exists()


@EVERY_SHELL
def test_unset_takes_away_what_was_set(shell, tmp_path):
    """After `--unset` no variable is left, whatever the names."""
    format_name = SHELLS[shell][0]
    names = hostile_names()
    text = render(format_name, [(name, "x") for name in names]).text + unset(format_name, names)
    assert set(environment_after(shell, text, tmp_path)) == set(environment_after(shell, "", tmp_path))
    assert not (tmp_path / "canary").exists()


@EVERY_SHELL
def test_a_failure_is_not_hidden_by_evaluation(shell, tmp_path):
    """Loading the failure text leaves a status that is not 0; loading variables leaves 0."""
    format_name = SHELLS[shell][0]
    status = "exit $?" if format_name == "shell" else "exit $status"
    assert run_shell(shell, FORMATS[format_name].failure, tmp_path, then=status).returncode == 1
    assert run_shell(shell, render(format_name, [("K", "v")]).text, tmp_path, then=status).returncode == 0


@pytest.mark.parametrize(
    ("shell", "integers"),
    [("bash", "declare -ip"), ("zsh", "typeset -i +"), ("ksh", "typeset -i"), ("mksh", "typeset -i")],
)
def test_no_variable_of_the_shell_evaluates_a_value(shell, integers, tmp_path):
    """What the shell itself declares as an integer, and would evaluate, is refused or runs nothing."""
    listing = run_shell(shell, "", tmp_path, then=integers).stdout.decode()
    names = [line.split("=")[0].split()[-1] for line in listing.splitlines()]
    assert "RANDOM" in names
    for name in names:
        for array in ("a", "path"):  # zsh evaluates the subscripts of arrays that exist
            try:
                text = render("shell", [(name, f"{array}[$(touch canary)]")]).text
            except Unencodable:
                continue
            run_shell(shell, text, tmp_path, then=":")
            assert not (tmp_path / "canary").exists(), f"{name} ran a command"


def encodable(format_name, values):
    """The values that a format's writer accepts, with a name each."""
    for index, value in enumerate(values):
        variable = (f"V{index:04}", value)
        try:
            render(format_name, [variable])
        except Unencodable:
            continue
        yield variable


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("it is # not a comment")
@example("$HOME\n\\n\n")
@example("a\\'b")
def test_python_dotenv_reads_what_the_writer_accepts(value):
    """Whatever the dotenv writer writes, python-dotenv reads back, also with its interpolation on."""
    for name, accepted in encodable("dotenv", [value]):
        text = render("dotenv", [(name, accepted), ("AFTER", "x")]).text
        assert dotenv.dotenv_values(stream=io.StringIO(text, newline="")) == {name: accepted, "AFTER": "x"}


@TIMES
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_python_dotenv_and_a_posix_shell_read_the_same_file(shell, batch, tmp_path):
    """Of 10,000 arbitrary values the accepted ones mean the same to python-dotenv, and to sh and bash by source."""
    variables = list(encodable("dotenv", arbitrary_values(batch)))
    assert len(variables) > COUNT / 4
    text = render("dotenv", variables).text
    assert differences(dict(variables), dotenv.dotenv_values(stream=io.StringIO(text, newline=""))) == []
    exported = f"set -a\n{text}"
    assert differences(dict(variables), environment_after(shell, exported, tmp_path)) == []


@TIMES
def test_node_reads_what_the_writer_accepts(batch, tmp_path):
    """`node --env-file` reads the values of a file exactly."""
    node = need("node")
    variables = list(encodable("dotenv", arbitrary_values(batch)))
    path = tmp_path / "variables.env"
    path.write_bytes(render("dotenv", variables).text.encode())
    script = "process.stdout.write(JSON.stringify(process.env))"
    result = subprocess.run([node, f"--env-file={path}", "-e", script], capture_output=True, timeout=120, check=False)
    assert (result.returncode, result.stderr[:500]) == (0, b"")
    assert differences(dict(variables), json.loads(result.stdout)) == []


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=8))
@example(["&<>\u2028\u2029", "\x7f\x80\ufeff", '"\\'])
def test_json_reads_back(values):
    """`json` and `nu` hold every value exactly, in UTF-8, without a character that HTML or JavaScript would read."""
    variables = [(f"my-var.{index}", value) for index, value in enumerate(values)]
    array, whole = render("json", variables).text, render("nu", variables).text
    assert json.loads(array.encode()) == [{"key": name, "value": value} for name, value in variables]
    assert json.loads(whole.encode()) == dict(variables)
    assert not set("&<>\u2028\u2029") & set(array + whole)


@TIMES
@pytest.mark.parametrize(
    ("format_name", "least"), [("powershell", COUNT), ("systemd", COUNT / 5), ("docker", COUNT / 5)]
)
def test_a_reader_written_from_the_documentation_reads_what_the_writer_accepts(format_name, least, batch):
    """Of 10,000 arbitrary values, whatever is written is read back exactly; the rest is refused."""
    variables = list(encodable(format_name, arbitrary_values(batch)))
    assert len(variables) >= least
    read = getattr(readers, format_name)(render(format_name, variables).text)
    assert differences(dict(variables), read) == []
    assert len(read) == len(variables)


@TIMES
def test_nushell_loads_every_value(batch, tmp_path):
    """`from json | load-env` sets 10,000 arbitrary values exactly."""
    nu = str(NUSHELL) if NUSHELL.exists() else need("nu")
    variables = [(f"V{index:04}", value) for index, value in enumerate(arbitrary_values(batch))]
    (tmp_path / "text").write_bytes(render("nu", variables).text.encode())
    script = "open --raw text | from json | load-env; ^env -0"
    result = subprocess.run(
        [nu, "--no-config-file", "-c", script], capture_output=True, cwd=tmp_path, timeout=120, check=False
    )
    entries = result.stdout.decode().split("\0")
    assert differences(dict(variables), dict(entry.split("=", 1) for entry in entries if entry)) == []
