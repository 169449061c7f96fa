"""YAML's own dangers are refused with their place, and scalars mean what YAML 1.2 core says."""

import json
import re
import time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envref.errors import EnvrefError
from envref.project.config import files
from envref.project.config import load as config
from envref.project.config import yaml as config_yaml
from envref.project.config.yaml import DEEPEST, Mapping, parse


@pytest.fixture(autouse=True, params=["CSafeLoader", "SafeLoader"])
def loader(request, monkeypatch):
    """PyYAML with libyaml, and without it: both must give the same answers."""
    monkeypatch.setattr(config_yaml, "_Loader", getattr(yaml, request.param))


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def nested(depth):
    """A document of mappings and lists, `depth` levels in all."""
    return "a: " + "[" * (depth - 1) + "]" * (depth - 1)


REFUSED = [
    ("project: &a app", "1:10: anchors are not allowed"),
    ("team: &a []", "1:7: anchors are not allowed"),
    ("profiles: &a {}", "1:11: anchors are not allowed"),
    ("&a project: app", "1:1: anchors are not allowed"),
    ("project: *a", "1:10: aliases are not allowed"),
    ("*a : app", "1:1: aliases are not allowed"),
    ("project: !!str app", "1:10: tags are not allowed"),
    ("project: ! app", "1:10: tags are not allowed"),
    ("project: !!python/object/apply:os.system [id]", "1:10: tags are not allowed"),
    ("%TAG ! tag:example.org:\n---\nproject: app", "1:1: tags are not allowed"),
    ("project: app\nproject: b", '2:1: duplicate key "project"'),
    ("a: {b: 1, c: 2, b: 3}", '1:17: duplicate key "b"'),
    ('project: app\n"project": b', '2:1: duplicate key "project"'),
    ("? [a]\n: b", "1:3: a key must be text"),
    ("? {a: b}\n: b", "1:3: a key must be text"),
    ("- a", '1:1: expected "key: value" lines'),
    ("app", '1:1: expected "key: value" lines'),
    ("a: 1\n---\nb: 2", "2:1: a second document is not allowed"),
    ("a: 1\n...\n---\n...", "3:1: a second document is not allowed"),
    (nested(DEEPEST + 1), f"1:{DEEPEST + 3}: nested deeper than {DEEPEST} levels"),
    ('a: "\\0"', "1:4: no text may hold NUL or half a character"),
    ("a: b\n \x1b", "2:2: control character"),
    ("\x00", "1:1: control character"),
    ("a:\n\tb: 1", "2:1: a tab in the indentation; YAML takes blanks only"),
    ("a:\n- b:\n  \tc: 1", "3:3: a tab in the indentation; YAML takes blanks only"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_refused_is_told_with_its_place(text, message):
    """`loading config: .envref.yaml:LINE:COL: TEXT`, the place being that of the refused thing."""
    with pytest.raises(EnvrefError) as caught:
        parse(text.encode(), ".envref.yaml")
    assert caught.value.message == f"loading config: .envref.yaml:{message}"


@pytest.mark.parametrize(
    ("text", "place"), [("a: [b}", "1:6"), ("a: b: c", "1:5"), ("a: 'b", "1:6"), ("a:\n\t- b", "2:1"), ("a: @b", "1:4")]
)
def test_a_syntax_error_has_its_place(text, place):
    """What is no YAML at all is told in the parser's words, with line and column from 1."""
    with pytest.raises(EnvrefError) as caught:
        parse(text.encode(), ".envref.yaml")
    assert caught.value.message.startswith(f"loading config: .envref.yaml:{place}: ")
    assert caught.value.message.isprintable()


def test_bytes_that_are_no_text_have_their_place():
    """Invalid UTF-8 is told at its line and character, and so is a file in another encoding."""
    for data, place in ((b"a: b\n\xc3\xa9\xff", "2:2"), ("a: b".encode("utf-16"), "1:1")):
        with pytest.raises(EnvrefError) as caught:
            parse(data, ".envref.yaml")
        assert caught.value.message == f"loading config: .envref.yaml:{place}: not UTF-8 text"


def test_an_alias_bomb_ends_at_its_first_anchor():
    """Nine levels of nine aliases: refused before anything is built (security.md 5.7)."""
    started = time.process_time()
    with pytest.raises(EnvrefError, match=r"1:4: anchors are not allowed"):
        parse(BOMB.encode(), ".envref.yaml")
    assert time.process_time() - started < 0.5


def test_brackets_without_end_are_refused_at_once():
    """Depth is counted while parsing: a file of brackets neither overflows a stack nor takes time."""
    started = time.process_time()
    for text in ("a: " + "[" * 200_000, "- " * 100_000, "? " * 100_000, "{" * 200_000):
        with pytest.raises(EnvrefError):
            parse(text.encode(), ".envref.yaml")
    assert time.process_time() - started < 2


def test_the_deepest_allowed_nesting_is_read():
    """Twenty levels are fine."""
    assert list(parse(nested(DEEPEST).encode(), ".envref.yaml").entries) == ["a"]


def test_a_file_that_is_too_large_is_not_read(project):
    """256 KiB are fine; one byte more is refused."""
    head = "project: app\n#"
    path = str(project.write(".envref.yaml", head + "x" * (files.LARGEST - len(head))))
    assert config.load(path).project == "app"
    project.write(".envref.yaml", head + "x" * (files.LARGEST - len(head) + 1))
    with pytest.raises(EnvrefError) as caught:
        config.load(path)
    assert caught.value.message == "loading config: .envref.yaml:1:1: larger than 256 KiB"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "null", "~", "\ufeff", "---\n..."])
def test_an_empty_document_is_an_empty_mapping(text):
    """Nothing at all is told later: the project name is required."""
    assert parse(text.encode(), ".envref.yaml").entries == {}


def test_a_byte_order_mark_is_no_part_of_the_first_key():
    """Windows editors write one."""
    assert list(parse("\ufeffproject: app".encode(), ".envref.yaml").entries) == ["project"]


def test_a_merge_key_is_an_ordinary_key():
    """`<<` merges nothing in YAML 1.2."""
    parsed = parse(b"a: {<<: {b: 1}}", ".envref.yaml").entries["a"]
    assert isinstance(parsed, Mapping)
    assert list(parsed.entries) == ["<<"]


def scalar(text):
    return parse(f"a: {text}".encode(), ".envref.yaml").entries["a"]


@pytest.mark.parametrize("text", ["true", "True", "TRUE"])
def test_true(text):
    """The three spellings of YAML 1.2 core."""
    assert scalar(text).boolean() is True


@pytest.mark.parametrize("text", ["false", "False", "FALSE"])
def test_false(text):
    """The three spellings of YAML 1.2 core."""
    assert scalar(text).boolean() is False


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "y", "1", "tRUE", '"true"', "'false'", "|\n  true"])
def test_nothing_else_is_a_boolean(text):
    """YAML 1.1's other words, and whatever is quoted, are text."""
    assert scalar(text).boolean() is None


@pytest.mark.parametrize("text", ["", "null", "Null", "NULL", "~"])
def test_null(text):
    """No value, or one of YAML 1.2 core's words for it."""
    assert scalar(text).is_null


@pytest.mark.parametrize("text", ['""', '"null"', "'~'", "nil", "none"])
def test_nothing_else_is_null(text):
    """What is quoted is text, empty or not."""
    assert not scalar(text).is_null


@pytest.mark.parametrize(("text", "number"), [("10", 10), ("0.5", 0.5), (".5", 0.5), ("1e2", 100), ("+3.", 3)])
def test_numbers(text, number):
    """Decimal numbers of YAML 1.2 core."""
    assert scalar(text).number() == number


@pytest.mark.parametrize("text", ['"10"', "1_000", "1:30", ".inf", ".nan", "0x10", "ten", "1 s"])
def test_nothing_else_is_a_number(text):
    """YAML 1.1's sexagesimals and underscores are text; so is what no number of seconds can be."""
    assert scalar(text).number() is None


YAML_CHARACTERS = st.text(alphabet="ab:-?[]{},#&*!|>'\"%@`~<. \n\t\\0\x85\ufeff\u2028é", max_size=60)
KEYS = st.sampled_from(["project", "env_file", "profiles", "backends", "team", "services", "active_profile", "trust"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["plugin", "", "../x", "/x", "a b", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "type", "config", "names", "timeout", "env_file", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | YAML_CHARACTERS.map(lambda text: text.encode()))
def test_no_file_is_a_bug(data):
    """Whatever the bytes are, the answer is a mapping or an error with a place, never another exception."""
    try:
        assert isinstance(parse(data, "f"), Mapping)
    except EnvrefError as error:
        assert re.match(r"loading config: f:\d+:\d+: ", error.message)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_no_structure_is_a_bug(tmp_path, document):
    """Any value in the place of any other is a config or an invalid config, never another exception."""
    path = tmp_path / ".envref.yaml"
    path.write_text(json.dumps(document))
    for door in (config.load, config.inspect):
        try:
            assert door(str(path)).project
        except EnvrefError as error:
            assert error.message.startswith("loading config: invalid config: ")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "~\n", "null\n", "---\n...\n"])
def test_what_says_nothing_is_an_empty_mapping(text):
    """Which begins where the file does."""
    found = parse(text.encode(), "f")
    assert (found.entries, found.problem("x")) == ({}, "f:1:1: x")
