"""The grammar of `.env` files (commands.md 4, row by row), their layers (5.1) and their edits (12)."""

from __future__ import annotations

import json
import os

import pytest

from envref.checks import schema
from envref.env import edit, template
from envref.env import file as envfile
from envref.env.edit import with_value, without
from envref.env.file import EnvFile, merge
from envref.env.source import newline
from envref.errors import EnvrefError, MalformedFile, UsageError
from envref.formats import shells
from envref.project.config.load import load

VALUES = [
    ("FOO=bar", "bar"),
    ("FOO=", ""),
    ('FOO=""', ""),
    ("FOO=''", ""),
    ("  FOO  =  bar  ", "bar"),
    ("FOO=a b c", "a b c"),
    ('FOO ="q"', "q"),
    ("FOO=bar # c", "bar"),
    ("FOO=bar ## c", "bar"),
    ("FOO=bar\t#c", "bar"),
    ("FOO=bar#baz", "bar#baz"),
    ("FOO=#lead", "#lead"),
    ("FOO= #", ""),
    ("FOO= #gone", ""),
    ("FOO=\t#gone", ""),
    ('FOO="a # b" # c', "a # b"),
    ("FOO='a # b'", "a # b"),
    ('FOO="a"#c', "a"),
    ('FOO=a"b"c', 'a"b"c'),
    (r"FOO='hello\nworld $V'", r"hello\nworld $V"),
    (r'FOO="a\nb"', "a\nb"),
    (r'FOO="\t"', "\t"),
    (r'FOO="\r"', "\r"),
    (r'FOO="\\"', "\\"),
    (r'FOO="\""', '"'),
    (r'FOO="\x\a\$"', r"\x\a$$"),
    (r'FOO="\\\$A"', r"\$$A"),
    (r'FOO="$\$A\\$"', r"$$$$A\$"),
    (r"FOO=a\$b", r"a\$b"),
    (r'FOO="path\\"', "path\\"),
    (r'FOO="a\\\\b"', r"a\\b"),
    ('FOO="l1\nl2"', "l1\nl2"),
    ("FOO=`l1\nl2`", "l1\nl2"),
    ("FOO='l1\nl2'", "l1\nl2"),
    ("FOO='l1 \t\n l2 '", "l1 \t\n l2 "),
    ("FOO=bar\r\n", "bar"),
    ("FOO=bar\r", "bar"),
    ("FOO=a\rb", "a\rb"),
    ('FOO="l1\r\nl2"\r\n', "l1\nl2"),
    ("FOO='l1\r\nl2'\r\n", "l1\nl2"),
    ("FOO=`l1\r\nl2`\r\n", "l1\nl2"),
    ('FOO="l1\\\r\nl2"\r\n', "l1\\\nl2"),
    ("export FOO=b", "b"),
    ("export   FOO=b", "b"),
    ("export\tFOO=b", "b"),
    ("FOO====", "==="),
    ("FOO=dGVzdA==", "dGVzdA=="),
    ("FOO=some-ref://s/k", "some-ref://s/k"),
    ("FOO=ref:/x", "ref:/x"),
    ("FOO=see ref://s/k", "see ref://s/k"),
    ("FOO=ref://s/k", "ref://s/k"),
    ('FOO="ref://s/k"', "ref://s/k"),
    ("FOO='ref://s/k'", "ref://s/k"),
    ("FOO=`ref://s/k`", "ref://s/k"),
    ("FOO='${ref://s/k}'", "${ref://s/k}"),
    ("\ufeffFOO=bar", "bar"),
    ("FOO=\u00e4 \u2028", "\u00e4 \u2028"),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_a_value_is_read_as_the_table_says(text, value):
    """Every row of the table of commands.md 4 with a value, and what its rules add."""
    assert EnvFile.parse(text).get("FOO").text == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("exportFOO=b", "exportFOO"),
        ("export=b", "export"),
        ("export =b", "export"),
        ("export export=b", "export"),
        ("spring.a.b=b", "spring.a.b"),
        ("my-var=b", "my-var"),
        ("_=b", "_"),
    ],
)
def test_a_name_is_read_as_the_table_says(text, name):
    """`export` is a prefix only before blanks and a name; dots and dashes are part of names."""
    assert [(entry.name, entry.text) for entry in EnvFile.parse(text).entries] == [(name, "b")]


ALLOWED = "(allowed: letters, digits, _ . -, not starting with . or -)"
ERRORS = [
    ("FOO='x' y", "1:9: unexpected text after the closing quote"),
    ('FOO="p"q', "1:8: unexpected text after the closing quote"),
    ('FOO="p\nq" r', "2:4: unexpected text after the closing quote"),
    ('A=1\n\nFOO="x', "3:5: unterminated double-quoted value"),
    ('FOO="x\\"', "1:5: unterminated double-quoted value"),
    ("FOO=`x", "1:5: unterminated backtick-quoted value"),
    ("FOO='x", "1:5: unterminated single-quoted value"),
    ("A=1\nJUSTKEY", "2:1: expected NAME=VALUE"),
    ("  JUSTKEY", "1:3: expected NAME=VALUE"),
    ("export a b", "1:1: expected NAME=VALUE"),
    ("=v", '1:1: empty name before "="'),
    ("foo bar=1", f'1:4: invalid name "foo bar" {ALLOWED}'),
    ("$(x)=1", f'1:1: invalid name "$(x)" {ALLOWED}'),
    ("A;B=1", f'1:2: invalid name "A;B" {ALLOWED}'),
    ("  .A=1", f'1:3: invalid name ".A" {ALLOWED}'),
    ("Ä=1", f'1:1: invalid name "Ä" (U+00C4 LATIN CAPITAL LETTER A WITH DIAERESIS; {ALLOWED[1:]}'),
    ("P\u0410TH=1", f'1:2: invalid name "P\u0410TH" (U+0410 CYRILLIC CAPITAL LETTER A; {ALLOWED[1:]}'),
    ("A\u00a0=1", f'1:2: invalid name "A\u00a0" (U+00A0 NO-BREAK SPACE; {ALLOWED[1:]}'),
    ("A\ue000=1", f'1:2: invalid name "A\\ue000" (U+E000 without a name; {ALLOWED[1:]}'),
    ("\ufeff-A=1", f'1:1: invalid name "-A" {ALLOWED}'),
    ("_envref_every=1", "1:1: _envref_every: names starting with _envref_ are reserved and can't be set from a file"),
    ("__envref_x=1", "1:1: __envref_x: names starting with __envref_ are reserved and can't be set from a file"),
    ("_ENVREF_SHIM=1", "1:1: _ENVREF_SHIM: names starting with _ENVREF_ are reserved and can't be set from a file"),
    ("export ENVREF_X=1", "1:8: ENVREF_X: names starting with ENVREF_ are reserved and can't be set from a file"),
    ("A=1\nB=\0", "2:3: NUL character"),
    ("A=1\nB=ä\udcff", "2:4: invalid UTF-8"),
    ("\udcff=1", "1:1: invalid UTF-8"),
]


@pytest.mark.parametrize(("text", "problem"), ERRORS)
def test_an_error_names_file_line_column_and_fault(text, problem):
    """Every error row of the table of commands.md 4, with its exact position."""
    with pytest.raises(MalformedFile) as caught:
        EnvFile.parse(text, "x/.env")
    assert str(caught.value) == f"x/.env:{problem}"


def test_all_errors_of_a_file_are_reported_in_order():
    """Reading goes on after an error, also after one inside a value of several lines."""
    with pytest.raises(MalformedFile) as caught:
        EnvFile.parse("JUST\nA='\n' x\n=\nB=\0\nC=1 \n.D='a\nb'\n`")
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [
        (1, 1),
        (3, 3),
        (4, 1),
        (5, 3),
        (7, 1),
        (9, 1),
    ]


def test_twenty_errors_are_enough():
    """A file that is no `.env` file at all doesn't fill the terminal."""
    with pytest.raises(MalformedFile) as caught:
        EnvFile.parse("x\n" * 30 + "\0\n" * 30)
    assert [problem.line for problem in caught.value.problems] == list(range(1, 21))


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("foo bar=1", ["  foo bar=1", "     ^"]),
        ("A='x' y # c", ["  A='x' y # c", "        ^"]),
        ("A=abcdefghijklmnop' '\nB='a' b", ["  B='a' b", "        ^"]),
    ],
)
def test_an_error_shows_the_line_and_points_at_the_character(text, excerpt):
    """The caret stands below the column that the message names."""
    with pytest.raises(MalformedFile) as caught:
        EnvFile.parse(text)
    assert caught.value.problems[0].excerpt() == excerpt


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A='0123456789abcdef' y", "A='****************' y"),
        ("A='0123456789abcde' y", "A='0123456789abcde' y"),
        ("API_TOKEN='p4ss w' y", "API_TOKEN='**** *' *"),
        ("SMTP_PASS='p4ss w' y", "SMTP_PASS='**** *' *"),
        ("MASTER_KEY='p4ss w' y", "MASTER_KEY='**** *' *"),
        ("db_password='p4ss\nhunter2' y", "*******' *"),
        ("sk_live_0123456789abcdef", "*" * 24),
        ("sk_live_0123456789abcdef:x=1", "*" * 24 + ":x=1"),
        ("my password=hunter2", "** ********=*******"),
        ("ENVREF_TOKEN=hunter2", "ENVREF_TOKEN=*******"),
        ("A=hunter2\0", "*=*******?"),
        ("A B=\x1b[1m\ty", "A B=?[1m\ty"),
        ("\ufeffJUSTKEY\r\n", "JUSTKEY"),
    ],
)
def test_an_error_hides_what_may_be_a_secret(text, shown):
    """Character for character, so that the caret stays right; nothing that steers a terminal gets through."""
    with pytest.raises(MalformedFile) as caught:
        EnvFile.parse(text)
    assert caught.value.problems[0].source == shown


def test_an_invalid_name_is_no_way_out_for_a_secret():
    """A token on the left of a `=` is hidden in the message, and a long name cut."""
    with pytest.raises(MalformedFile) as caught:
        EnvFile.parse("sk_live_0123456789abcdef:x=1\n" + "a b " * 20 + "=1")
    first, second = caught.value.problems
    assert f'"{"*" * 24}:x"' in first.text
    assert f'"{"a b " * 10}"' in second.text


def test_duplicates_give_a_warning_and_the_last_value():
    """The warning names both places; the entries keep both."""
    file = EnvFile.parse("FOO=1\nBAR=2\nFOO=3\n")
    assert list(map(str, file.warnings)) == [
        '.env:3:1: duplicate key "FOO" (previously defined on line 1, using latest value)'
    ]
    assert file.get("FOO").text == "3"
    assert [entry.name for entry in file.entries] == ["FOO", "BAR", "FOO"]


def test_export_without_a_value_is_ignored_with_a_warning():
    """As in a shell, it sets nothing."""
    file = EnvFile.parse("A=1\nexport  FOO\n")
    assert list(map(str, file.warnings)) == ['.env:2:1: "export FOO" without a value is ignored']
    assert file.get("FOO") is None


def test_an_entry_knows_its_place():
    """File, line, column of the name, quote and prefix."""
    entry = EnvFile.parse("\ufeff# c\r\n  export FOO = 'x'\r\n", ".env.local").get("FOO")
    assert (entry.file, entry.line, entry.column, entry.quote, entry.exported) == (".env.local", 2, 10, "'", True)
    assert not EnvFile.parse(" FOO=1").get("FOO").exported


@pytest.mark.parametrize(
    ("text", "offset", "position"),
    [
        ("\ufeffFOO= a$b", 1, (1, 7)),
        ("FOO='ab'", 1, (1, 7)),
        (r'FOO="\n\"\x$"', 4, (1, 12)),
        ('FOO="a\r\nb$"', 3, (2, 2)),
        ("FOO=`a\nb$`", 3, (2, 2)),
    ],
)
def test_a_character_of_a_value_is_found_in_the_file(text, offset, position):
    """Escapes, line ends and quotes count as they stand in the file, not as they are read."""
    assert EnvFile.parse(text).get("FOO").position(offset) == position


def test_a_problem_with_a_value_shows_its_line():
    """What interpolation finds is reported like what reading finds."""
    problem = EnvFile.parse("A=1\nDB_PASSWORD=x${y z}").get("DB_PASSWORD").problem(1, "bad")
    assert str(problem) == ".env:2:14: bad"
    assert problem.source == "DB_PASSWORD=*${* *}"


def test_a_link_that_leads_nowhere_is_said_to_be_one(tmp_path):
    """The file "does not exist" although it is listed: its name alone would puzzle."""
    (tmp_path / ".env.local").symlink_to("nowhere")
    with pytest.raises(EnvrefError) as caught:
        EnvFile.read(str(tmp_path / ".env.local"), ".env.local")
    assert caught.value.lines() == [
        "error: .env.local: it is a symlink to nowhere, which does not exist",
        "  hint: delete the link, or make that file",
    ]


@pytest.mark.parametrize(("quote", "interpolated"), [("", True), ('"', True), ("'", False), ("`", False)])
def test_only_two_kinds_of_values_are_interpolated(quote, interpolated):
    """Single quotes and backticks are literal (commands.md 5.2)."""
    assert EnvFile.parse(f"FOO={quote}x{quote}").get("FOO").interpolated is interpolated


def test_a_later_layer_replaces_the_entry_and_keeps_its_place():
    """Value, quoting and origin are the later ones, the position the first; new names come last."""
    base = EnvFile.parse("A=1\nB=2\nA=3\nC=4\n", ".env")
    local = EnvFile.parse("D='5'\nB='6'\n", ".env.local")
    assert [(entry.name, entry.text, entry.quote, entry.file) for entry in merge([base, local])] == [
        ("A", "3", "", ".env"),
        ("B", "6", "'", ".env.local"),
        ("C", "4", "", ".env"),
        ("D", "5", "'", ".env.local"),
    ]


def test_an_entry_does_not_show_its_value():
    """A traceback or a debugger shows the name only."""
    assert repr(EnvFile.parse("FOO=hunter2").get("FOO")) == "<Entry FOO>"


def test_a_value_of_a_mebibyte_is_read():
    """There is no limit to a line, and no time that grows faster than the value."""
    for value in ("x" * 2**20, '\\"' * 2**19, "\\n" * 2**19):
        assert len(EnvFile.parse(f'FOO="{value}"').get("FOO").text) == len(value.replace("\\", ""))


def test_a_file_of_holes_is_not_read(tmp_path):
    """An archive holds terabytes of zeros in a few bytes; reading them would take all memory at a `cd`."""
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\n")
    os.truncate(path, (64 << 20) + 1)
    with pytest.raises(EnvrefError, match=r"^\.env: larger than 64 MiB$"):
        EnvFile.read(str(path), ".env")


def test_a_file_is_read_from_disk(tmp_path):
    """Bytes and all: BOM, CRLF, a character of several bytes."""
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfA=\xc3\xa4\r\n")
    file = EnvFile.read(str(tmp_path / ".env"), ".env")
    assert file.get("A").text == "ä"
    assert str(file).encode() == b"\xef\xbb\xbfA=\xc3\xa4\r\n"


def test_bytes_that_are_not_utf_8_have_a_position(tmp_path):
    """The column counts characters; each bad byte is one."""
    (tmp_path / ".env").write_bytes(b"A=1\nB=\xc3\xa4\xff\xfe\n")
    with pytest.raises(MalformedFile) as caught:
        EnvFile.read(str(tmp_path / ".env"), ".env")
    assert str(caught.value) == ".env:2:4: invalid UTF-8; .env:2:5: invalid UTF-8"


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    """The text of commands.md 5.1."""
    with pytest.raises(EnvrefError, match=r"^\.env: no such file or directory$"):
        EnvFile.read(str(tmp_path / ".env"), ".env")


def test_a_pipe_nobody_writes_to_does_not_hang(tmp_path):
    """A repository could hold one, and activation would wait for ever."""
    os.mkfifo(tmp_path / ".env")
    with pytest.raises(EnvrefError, match=r"^\.env: not a regular file$"):
        EnvFile.read(str(tmp_path / ".env"), ".env")


EDITS = [
    ("", "B", "1", "B=1\n"),
    ("A=1\n", "B", "", "A=1\nB=\n"),
    ("A=1", "B", "2", "A=1\nB=2"),
    ("A=1\r\nC=2\r\n", "B", "2", "A=1\r\nC=2\r\nB=2\r\n"),
    ("\ufeff", "B", "2", "\ufeffB=2\n"),
    ("B=1 # c", "B", "2", "B=2 # c"),
    ("  export  B\t=  1\t# c\r\nC=1", "B", "x y", "  export  B\t=  'x y'\t# c\r\nC=1"),
    ("B=1\nA=2\nB=3\n", "B", "4", "B=1\nA=2\nB=4\n"),
    ("B='1'\n", "B", "2", "B='2'\n"),
    ("B=`1`\n", "B", "it's", "B=`it's`\n"),
    ('B="1"#c\n', "B", "2", 'B="2"#c\n'),
    ("B='1'\n", "B", "it's", 'B="it\'s"\n'),
    ('B="1"\n', "B", "a$b", "B='a$b'\n"),
    ("B=`1`\n", "B", "a`$'b", 'B="a`\\$\'b"\n'),
    ("B= # c\n", "B", "1", "B=1 # c\n"),
    ("B=1 # c\n", "B", "", "B= # c\n"),
    ("", "B", "a/b:c,d.e@f%g+h=i~j^k-l_", "B=a/b:c,d.e@f%g+h=i~j^k-l_\n"),
    ("", "B", "#x", "B='#x'\n"),
    ("", "B", "a\n\t\r\"\\'", 'B="a\\n\\t\\r\\"\\\\\'"\n'),
    ("", "B", "$x", "B='$x'\n"),
    ("", "B", '{"a":"b c"}', 'B=\'{"a":"b c"}\'\n'),
    ('B="1"\n', "B", 'C:\\new "x"', "B='C:\\new \"x\"'\n"),
    ("", "B", "C:\\dir\\", "B=C:\\dir\\\n"),
    ("B='1'\n", "B", "C:\\my dir\\", 'B="C:\\\\my dir\\\\"\n'),
    ('B="1"\n', "B", "it's", 'B="it\'s"\n'),
    ("", "B", "$'", 'B="\\$\'"\n'),
    ("", "B", "$\r", 'B="\\$\\r"\n'),
    ("A=1\r\nB='1'\r\n", "B", "x\ny", "A=1\r\nB='x\r\ny'\r\n"),
    ("B='1\n2' # c\nA=1\n", "B", "3", "B='3' # c\nA=1\n"),
    ("", "B", "ref://secrets/db_pass", "B=ref://secrets/db_pass\n"),
]


@pytest.mark.parametrize(("before", "name", "value", "after"), EDITS)
def test_an_edit_changes_only_the_value(before, name, value, after):
    """Prefix, blanks, comments, line ends, BOM and a missing final newline stay (commands.md 12)."""
    assert str(with_value(EnvFile.parse(before), name, value)) == after


def test_expand_keeps_a_template_live():
    """Double quotes and `$` as it is; escapes as ever."""
    file = with_value(EnvFile.parse("B='1' # c\n"), "B", '${A:-"x"}\n$C', expand=True)
    assert str(file) == 'B="${A:-\\"x\\"}\\n$C" # c\n'
    assert file.get("B").text == '${A:-"x"}\n$C'


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "export B=2\n"), (" B = 1\n", " export B = 2\n"), ("export B=1\n", "export B=2\n")],
)
def test_an_export_prefix_is_added_once(before, after):
    """`set --export-prefix`, for a new line and an old one."""
    assert str(with_value(EnvFile.parse(before), "B", "2", exported=True)) == after


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a b", 'invalid name "a b"'),
        ("", 'invalid name ""'),
        ("A\nB", 'invalid name "A\\nB"'),
        ("ENVREF_X", "ENVREF_X: names starting with ENVREF_ are reserved and can't be set from a file"),
    ],
)
def test_a_name_that_no_file_may_set_is_refused(name, message):
    """It is a usage error, and nothing is written."""
    with pytest.raises(UsageError) as caught:
        with_value(EnvFile.parse(""), name, "1")
    assert caught.value.message == message


@pytest.mark.parametrize(("value", "fault"), [("a\0", "NUL character"), ("a\udcff", "invalid UTF-8")])
def test_a_value_that_no_file_can_hold_is_refused(value, fault):
    """The error points at the line that would have been written."""
    with pytest.raises(MalformedFile, match=f"^.env:2:5: {fault}$"):
        with_value(EnvFile.parse("A=1\n"), "B", value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A=1\nB=2 # c\nC=3", "A=1\nC=3"),
        ("B='1\n2'\r\n# c\r\n  export B=3", "# c\r\n"),
        ("\ufeffB=1\nA=1\n", "\ufeffA=1\n"),
        ("A=1\n", "A=1\n"),
    ],
)
def test_removal_takes_every_line_of_the_name(before, after):
    """An earlier duplicate must not come back to life."""
    assert str(without(EnvFile.parse(before), "B")) == after


NAMES = ["A", "_", "a1", "A_B", "my-var", "a.b", "A-", "_.-", "class", "ENV"]
SHELL_NAMES = ["A", "_", "a1", "A_B", "class", "ENV"]
NO_NAMES = ["", "-a", ".a", "A B", "A;B", "A=", "Ä", "A²", "Aª", "A\n", "\nA", "A\u0661", "A$", "A*", "\ud800"]


@pytest.mark.parametrize("text", [*NAMES, *NO_NAMES])
def test_everybody_takes_the_same_names(text, project):
    """An env file, `${…}`, the formats, a schema, `services:` of a config; and shells the same ones among them."""
    answers = {
        "grammar": envfile.is_name(text),
        "file": _accepts(lambda: EnvFile.parse(f"{text}=1\n").entries[0].name == text),
        "edit": _accepts(lambda: with_value(EnvFile.parse(""), text, "1").get(text) is not None),
        "format": shells.FORMATS["json"].carries(text),
        "schema": _accepts(lambda: schema.parse(json.dumps({text: {"type": "string"}}).encode())),
        "config": _accepts(lambda: _services(project, text)),
    }
    assert answers == dict.fromkeys(answers, text in NAMES)
    assert shells.FORMATS["shell"].carries(text) == (text in SHELL_NAMES)
    if "-" not in text:  # there it is an operator, unless the name is known
        assert _accepts(lambda: template.parse(f"${{{text}:-x}}", ())[0].name == text) == (text in NAMES)


def _services(project, text):
    path = project.write(".envref.yaml", json.dumps({"project": "app", "services": {"web": [text]}}))
    return load(str(path))


def _accepts(ask):
    try:
        return bool(ask())
    except EnvrefError:
        return False


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", "\n"), ("A", "\n"), ("A\r\n", "\r\n"), ("A\r\nB\n", "\n"), ("A\r\nB\r\nC\n", "\r\n"), ("A\rB\r", "\n")],
)
def test_most_lines_decide_the_line_end(text, expected, project):
    """The same for an env file, a config and `.gitignore`."""
    assert newline(text) == expected
    if "B" not in text:
        project.write(".gitignore", text.encode())
        assert project.envref("init").returncode == 0
        assert (project.path / ".gitignore").read_bytes().endswith(f".env.local{expected}".encode())


def test_an_edit_that_would_not_read_back_changes_nothing(monkeypatch):
    """A fault of the writer's own does not get into anybody's file."""
    monkeypatch.setattr(edit, "_escaped", lambda text, _, **__: f"{text}!")
    with pytest.raises(EnvrefError, match=r"^\.env: A would not read back as given; nothing was changed$"):
        with_value(EnvFile.parse("A=1\n", ".env"), "A", "2")


def test_a_line_that_appends_is_no_duplicate():
    """It says what it means by the one above."""
    assert EnvFile.parse("A=1\nA=$A:2\n", ".env").warnings == []
    [warning] = EnvFile.parse("A=1\nA='$A:2'\n", ".env").warnings
    assert (warning.line, warning.text) == (2, 'duplicate key "A" (previously defined on line 1, using latest value)')
