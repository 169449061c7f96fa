"""shells: what each format writes, refuses and leaves out (commands.md 9)."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from envref.env.file import is_name, is_shell_name
from envref.errors import EnvrefError
from envref.formats import shells
from envref.formats.shells import FORMATS, SHELLS, json_text, render, shell_of_environment, unset
from envref.formats.text import Unencodable, environment_text
from envref.secret import Secret

LINES = [
    ("plain", "a b\nc", "K=a b\nc\n"),
    ("plain", "", "K=\n"),
    ("shell", "abcXYZ019_@%+:,./-", "export K=abcXYZ019_@%+:,./-\n"),
    ("shell", "", "export K=''\n"),
    ("shell", "=ls", "export K='=ls'\n"),
    ("shell", "~root", "export K='~root'\n"),
    ("shell", "a b", "export K='a b'\n"),
    ("shell", "it's", "export K='it'\\''s'\n"),
    ("shell", "a\n$b\n", "export K='a\n$b\n'\n"),
    ("shell", "é", "export K='é'\n"),
    ("dotenv", "abcXYZ019_./:@%+,-", "K=abcXYZ019_./:@%+,-\n"),
    ("dotenv", "", "K=\n"),
    ("dotenv", "a #b", "K='a #b'\n"),
    ("dotenv", "a\nb", "K='a\nb'\n"),
    ("dotenv", "\\n $HOME", "K='\\n $HOME'\n"),
    ("fish", "a", "set -gx K 'a';\n"),
    ("fish", "", "set -gx K '';\n"),
    ("fish", "it's \\ $b\n", "set -gx K 'it\\'s \\\\ $b\n';\n"),
    ("tcsh", "a", "setenv K 'a';\n"),
    ("tcsh", "", "setenv K '';\n"),
    ("tcsh", "it's", "setenv K 'it'\\''s';\n"),
    ("tcsh", "hey!", "setenv K 'hey'\\!'';\n"),
    ("tcsh", "a\nb", "setenv K 'a'$'\\n''b';\n"),
    ("json", "a&b", '[\n  {\n    "key": "K",\n    "value": "a\\u0026b"\n  }\n]\n'),
    ("nu", "é", '{\n  "K": "é"\n}\n'),
    ("powershell", "a b", "${env:K} = 'a b'\n"),
    ("powershell", "", "${env:K} = ''\n"),
    ("powershell", "it's $(x)\n", "${env:K} = 'it''s $(x)\n'\n"),
    ("powershell", "\u2018\u2019\u201a\u201b", "${env:K} = '\u2018\u2018\u2019\u2019\u201a\u201a\u201b\u201b'\n"),
    ("docker", 'it\'s "$x" #1', 'K=it\'s "$x" #1\n'),
    ("docker", "", "K=\n"),
    ("systemd", "a b", 'K="a b"\n'),
    ("systemd", "", 'K=""\n'),
    ("systemd", '\\ " $ ` %n', 'K="\\\\ \\" \\$ \\` %n"\n'),
    ("systemd", "a\nb", 'K="a\nb"\n'),
]


@pytest.mark.parametrize(("format_name", "value", "text"), LINES)
def test_a_variable_is_written_as_the_table_says(format_name, value, text):
    """One variable in each format, by the rules of commands.md 9."""
    assert render(format_name, [("K", value)]).text == text


@pytest.mark.parametrize(
    ("format_name", "text"),
    [(name, {"json": "[]\n", "nu": "{}\n"}.get(name, "")) for name in FORMATS],
)
def test_no_variables_are_an_empty_text_or_an_empty_json_value(format_name, text):
    """Without variables there is nothing to evaluate, and JSON is still JSON."""
    assert render(format_name, []).text == text


@pytest.mark.parametrize("format_name", FORMATS)
def test_variables_keep_their_order(format_name):
    """The order of the env files is the order of the output."""
    text = render(format_name, [("ZZZ", "1"), ("AAA", "2"), ("MMM", "3")]).text
    assert text.index("ZZZ") < text.index("AAA") < text.index("MMM")


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_secret_is_written_like_text(format_name):
    """A Secret and a str with the same value give the same output."""
    secret = render(format_name, [("K", Secret("it is s3cret"))]).text
    assert secret == render(format_name, [("K", "it is s3cret")]).text
    assert "s3cret" in secret


def test_json_escapes_what_html_and_javascript_would_read():
    """`&`, `<`, `>`, U+2028 and U+2029 are escaped; other text outside ASCII stays as it is."""
    text = json_text({"K": "&<>\u2028\u2029 ü \U0001f511"})
    assert "\\u0026\\u003c\\u003e\\u2028\\u2029 ü \U0001f511" in text
    assert json.loads(text) == {"K": "&<>\u2028\u2029 ü \U0001f511"}


@pytest.mark.parametrize("format_name", ["shell", "fish", "tcsh", "powershell", "docker", "systemd"])
def test_a_name_that_no_shell_knows_is_left_out(format_name):
    """`my-var` and `a.b` are reported, in order, and the others are written as if they were not there."""
    rendered = render(format_name, [("my-var", "1"), ("K", "2"), ("a.b", "3")])
    assert rendered.left_out == ["my-var", "a.b"]
    assert rendered.text == render(format_name, [("K", "2")]).text


@pytest.mark.parametrize("format_name", ["plain", "json", "nu", "dotenv"])
def test_formats_that_are_no_shell_carry_every_name_of_an_env_file(format_name):
    """`my-var` and `a.b` are written; what an env file couldn't define is left out."""
    rendered = render(format_name, [("my-var", "1"), ("a.b", "2"), ("x\nPATH", "3"), ("-n", "4"), ("a b", "5")])
    assert rendered.left_out == ["x\nPATH", "-n", "a b"]
    assert "my-var" in rendered.text
    assert "a.b" in rendered.text


UNENCODABLE = [
    ("dotenv", "it's", "contains a single quote, which dotenv files cannot hold"),
    ("dotenv", "a\rb", "contains a carriage return, which dotenv files cannot hold"),
    ("dotenv", "a\\\\b", "contains two backslashes in a row, which dotenv files cannot hold"),
    ("dotenv", "${HOME}", 'contains "${", which dotenv files cannot hold'),
    ("dotenv", "a b\\", "ends in a backslash, which dotenv files cannot hold"),
    ("docker", "a\nb", "contains a newline, which docker env files cannot hold"),
    ("docker", "a\rb", "contains a carriage return, which docker env files cannot hold"),
    ("docker", " a", "starts or ends with a blank, which docker env files cannot hold"),
    ("docker", "a\t", "starts or ends with a blank, which docker env files cannot hold"),
    ("systemd", "a\tb", "contains a control character, which systemd environment files cannot hold"),
    ("systemd", "a\x7f", "contains a control character, which systemd environment files cannot hold"),
]


@pytest.mark.parametrize(("format_name", "value", "reason"), UNENCODABLE)
def test_what_a_format_cannot_hold_is_an_error_that_names_variable_and_reason(format_name, value, reason):
    """Nothing is written that a reader would read as another value."""
    with pytest.raises(Unencodable) as caught:
        render(format_name, [("A", "1"), ("KEY", value)])
    assert caught.value.lines() == [f"error: KEY: value {reason}; no output produced"]


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("hunter2\0", "contains a NUL character, which no environment can hold"),
        ("hunter2\udcff", "is not valid UTF-8, which every output is"),
    ],
)
def test_nul_and_invalid_utf8_are_errors_that_do_not_hold_the_value(format_name, value, reason):
    """No format takes NUL or bytes that are not UTF-8; neither the error nor its causes hold the value."""
    with pytest.raises(Unencodable) as caught:
        render(format_name, [("KEY", Secret(value))])
    assert caught.value.message == f"KEY: value {reason}; no output produced"
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "hunter2" not in repr(caught.value.args)


def test_an_unencodable_value_is_an_ordinary_error():
    """The doors print it like every EnvrefError, with exit status 1."""
    assert issubclass(Unencodable, EnvrefError)
    assert Unencodable("KEY", "is odd").status == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux' own")
@pytest.mark.parametrize("format_name", [name for name, form in FORMATS.items() if form.evaluable])
def test_a_variable_longer_than_linux_allows_is_an_error_where_it_would_be_exported(format_name):
    """`NAME=VALUE` and its NUL may have 131,072 bytes, counted in UTF-8."""
    longest = "é" * ((131_072 - len("KEY=") - 1) // 2) + "x"
    assert len(f"KEY={longest}\0".encode()) == 131_072
    assert longest in render(format_name, [("KEY", longest)]).text
    with pytest.raises(Unencodable, match="KEY: value exceeds, with its name, the 131072 bytes"):
        render(format_name, [("KEY", longest + "x")])


@pytest.mark.parametrize("format_name", [name for name, form in FORMATS.items() if not form.evaluable])
def test_formats_that_are_not_evaluated_have_no_limit(format_name):
    """A file may hold a value that a process could not."""
    assert "x" * 200_000 in render(format_name, [("KEY", "x" * 200_000)]).text


def test_the_environment_of_a_process_is_checked_by_the_same_rules():
    """`run` asks for the text of one value; it is exact, or an error."""
    assert environment_text("KEY", Secret("a\nb")) == "a\nb"
    with pytest.raises(Unencodable, match="NUL"):
        environment_text("KEY", "a\0b")


@pytest.mark.parametrize("name", ["RANDOM", "SECONDS", "COLUMNS", "REPORTTIME", "TMOUT", "UID"])
@pytest.mark.parametrize("value", ["path[$(id)]", "x", "1+1", "", "-", "1 ", "١"])
def test_a_variable_that_shells_evaluate_takes_whole_numbers_only(name, value):
    """bash, zsh and mksh run the command in `export RANDOM='a[$(id)]'`, so it is never written."""
    with pytest.raises(Unencodable, match="not a whole number"):
        render("shell", [(name, value)])


@pytest.mark.parametrize("value", ["0", "1000", "-1"])
def test_a_variable_that_shells_evaluate_may_be_a_number(value):
    """`COLUMNS=80` and `HISTSIZE=-1` are ordinary settings."""
    assert render("shell", [("HISTSIZE", value)]).text == f"export HISTSIZE={value}\n"


@pytest.mark.parametrize(
    ("format_name", "text"),
    [
        ("shell", "unset A\nunset B\n"),
        ("fish", "set -e A;\nset -e B;\n"),
        ("tcsh", "unsetenv A;\nunsetenv B;\n"),
        ("nu", "hide-env --ignore-errors A\nhide-env --ignore-errors B\n"),
        (
            "powershell",
            "Remove-Item -ErrorAction SilentlyContinue Env:A\nRemove-Item -ErrorAction SilentlyContinue Env:B\n",
        ),
    ],
)
def test_unset_takes_every_variable_away(format_name, text):
    """The lines of commands.md 9; a name that could not be set has none."""
    assert unset(format_name, ["A", "x;id", "B"]) == text


def test_formats_say_whether_a_shell_runs_them():
    """An evaluable format has code that fails; JSON for nu and files have none (commands.md 9)."""
    assert {name for name, form in FORMATS.items() if form.evaluable} == {"shell", "fish", "tcsh", "powershell"}
    assert {form.failure for form in FORMATS.values()} == {"false\n", "throw 'envref failed'\n", ""}


def test_every_shell_has_a_format_that_can_take_variables_away():
    """`--shell S --unset` works for every S."""
    assert all(unset(format_name, ["K"]) for format_name in SHELLS.values())


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"FLOX_SHELL": "/nix/store/x/bin/fish", "SHELL": "/bin/bash"}, "fish"),
        ({"FLOX_SHELL": "", "SHELL": "/bin/zsh"}, "zsh"),
        ({"SHELL": "tcsh"}, "tcsh"),
        ({"SHELL": "/usr/bin/xonsh"}, "sh"),
        ({"SHELL": "/bin/"}, "sh"),
        ({}, "sh"),
    ],
)
def test_auto_is_the_shell_of_flox_then_of_the_user_then_sh(environment, word):
    """A shell that envref doesn't know gets POSIX code."""
    assert shell_of_environment(environment) == word


NAMES = [
    ("A", True, True),
    ("_a1", True, True),
    ("my-var", False, True),
    ("a.b", False, True),
    ("", False, False),
    ("1A", False, True),
    ("-a", False, False),
    (".a", False, False),
    ("a b", False, False),
    ("A\n", False, False),
    ("Ä", False, False),
    ("\uff21", False, False),  # a full-width A is a Python identifier
    ("a;b", False, False),
    ("A[0]", False, False),
]


@pytest.mark.parametrize(("name", "shell", "file"), NAMES)
def test_names_are_checked_by_the_rules_of_section_4(name, shell, file):
    """Shells take letters, digits and `_`; env files `.` and `-` too, and a digit first; nobody `.` or `-` first."""
    assert is_shell_name(name) is shell
    assert is_name(name) is file


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "''"), ("a b", "'a b'"), ("it's", "$'it\\'s'"), ("a\nb", "$'a\\nb'"), ("ü", "$'\\xc3\\xbc'")],
)
def test_one_word_that_a_manifest_keeps(text, word):
    """On one line, ASCII, and read back by bash as it was."""
    assert shells.kept_word(text) == word
    printed = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True).stdout
    assert printed.decode() == text


@pytest.mark.parametrize(
    ("value", "line"), [("plain", "export A=plain"), ("", f"export A={shells.kept_word('')}"), ("it's", None)]
)
def test_a_kept_line_sets_the_variable_in_bash(value, line):
    """What is stored and indented is one ASCII line."""
    written = shells.kept_line("A", value)
    assert line in (None, written)
    assert written.isascii()
    assert "\n" not in written
    read = subprocess.run(["bash", "-c", f'{written}\nprintf %s "$A"'], capture_output=True, text=True, check=True)
    assert read.stdout == value


def test_a_sink_writes_what_was_rendered(capfd):
    """And its failure instead, where nothing may be taken for everything."""
    sink = shells.Sink(lambda values: shells.Rendered("A=1\n", []), failure="false\n")
    sink.write(sink.render([]))
    sink.fail()
    assert capfd.readouterr().out == "A=1\nfalse\n"
