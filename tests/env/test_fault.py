"""What is wrong with a file as a whole, in one line; and cures for what other readers allow."""

from __future__ import annotations

import codecs

import pytest

from envref.env.file import EnvFile
from envref.errors import MalformedFile


def said(data):
    with pytest.raises(MalformedFile) as caught:
        EnvFile.decoded(data, ".env")
    return caught.value.lines()


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (codecs.BOM_UTF16_LE + "A=1\r\nB=ä\r\n".encode("utf-16-le"), "UTF-16"),
        (codecs.BOM_UTF16_BE + "A=1\n".encode("utf-16-be"), "UTF-16"),
        ("A=1\nB=2\n".encode("utf-16-le"), "UTF-16LE"),
        ("A=1\nB=2\n".encode("utf-16-be"), "UTF-16BE"),
        ("A=".encode("utf-16-le"), "UTF-16LE"),
        (codecs.BOM_UTF32_LE + "A=1\n".encode("utf-32-le"), "UTF-32"),
        (codecs.BOM_UTF32_BE + "A=1\n".encode("utf-32-be"), "UTF-32"),
    ],
)
def test_another_encoding_is_named_in_one_line(data, encoding):
    """What PowerShell and editors of Windows write."""
    assert said(data) == [
        f"error: .env:1:1: the file is {encoding}; save it as UTF-8, e.g. with iconv -f {encoding} -t UTF-8"
    ]


@pytest.mark.parametrize("text", ["A=1\rB=2\r", "# note\rA=1", "\ufeffA=1\r# end\r", "# don't\rA=1\rB='x'"])
def test_line_ends_of_old_macs_are_named_in_one_line(text):
    """They would make the file one variable."""
    expected = r"error: .env:1:1: the lines end in CR alone; save it with line ends LF, e.g. with tr '\r' '\n'"
    assert said(text.encode()) == [expected]


@pytest.mark.parametrize("text", ["A=1\r", "A=1\r\nB=2\r\n", "A=a\rb", "A=é\n", "B='\r#'", 'B="\rA=1"'])
def test_other_carriage_returns_and_letters_are_read(text):
    """Windows' line ends, a lone CR within a value, a last line without LF."""
    assert str(EnvFile.decoded(text.encode(), ".env")) == text


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("V='Let\\'s go!'", "a backslash is literal in single quotes: use double quotes"),
        ("V=`pwd`/bin", "backticks are quotes here and run no command"),
        ("K=-----BEGIN KEY-----\nAAAA\n-----END KEY-----", "a value of several lines needs quotes around it"),
        ('J={"a":\n"b"}', "a value of several lines needs quotes around it"),
        ("C=one \\\ntwo", "a value of several lines needs quotes around it"),
    ],
)
def test_what_others_allow_has_its_cure_in_the_message(text, cure):
    """Compose documents the first; the others come from real files."""
    assert said(text.encode())[0].endswith(f"; {cure}")


def test_a_line_of_its_own_is_no_part_of_a_value():
    """Nothing is opened before it."""
    assert said(b"A=1\nJUSTKEY")[0] == "error: .env:2:1: expected NAME=VALUE"
