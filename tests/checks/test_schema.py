"""Schema and rule: what a value has to be, what a schema may say, and that neither stops the command for ever."""

from __future__ import annotations

import json
import os

import pytest

from envref.checks import pattern, schema
from envref.checks.rule import TYPES, Rule
from envref.checks.schema import InvalidSchema
from envref.errors import EnvrefError, MalformedFile
from envref.secret import Secret

EXPECTED = {name: type_.expected for name, type_ in TYPES.items()}


def parsed(content):
    text = content if isinstance(content, str) else json.dumps(content)
    return schema.parse(text.encode(), "s.json")


def messages(rule, value):
    """What a rule for K says of one value."""
    return [fault.message for fault in parsed({"K": rule}).faults({"K": value})]


def refusals(content):
    """The faults of a schema, without what they all begin with."""
    with pytest.raises(InvalidSchema) as caught:
        parsed(content)
    return [line.removeprefix("error: s.json: schema error: ") for line in caught.value.lines()]


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("string", ["x", "ref", " ", "é\n"]),
        ("number", ["0", "-1", "+1.5", ".5", "5.", "1e9", "1E-3", "007"]),
        ("boolean", ["true", "FALSE", "1", "0", "yes", "No", "on", "oFf"]),
        (
            "url",
            [
                "http://localhost",
                "https://u:p@h.example:8080/a?b#c",
                "postgres://u:p@ss@db/x",
                "mongodb://a:1,b:2/d",
                "http://[::1]:80/",
                "redis+tls://h",
                "http://ä.example/ü",
            ],
        ),
        ("email", ["a@b.example", "a.b+c@x-y.example.org"]),
        ("port", ["1", "80", "65535", "08080"]),
    ],
)
def test_a_value_of_the_type_passes(type_, values):
    """All these are ones."""
    assert [messages({"type": type_}, value) for value in values] == [[]] * len(values)


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("number", ["abc", "1_000", "0x10", "inf", "nan", "1,5", "1 ", "-", ".", "e5", "\u0661", "1\n"]),
        ("boolean", ["maybe", "2", "t", "y", "true ", "tru\u0435"]),
        (
            "url",
            [
                "x",
                "localhost:3000",
                "http://",
                "http:///p",
                "//h/p",
                "http://a b",
                "h t://x",
                "http://h:x/",
                "mailto:a@b",
            ],
        ),
        ("email", ["x@y", "@b.example", "a@", "a b@c.example", "A <a@b.example>", "a@b..c", "a@-b.c", "a@b.c\n"]),
        ("port", ["0", "65536", "70000", "-1", "http", "80.0", " 80", "123456", "\u0661"]),
    ],
)
def test_a_value_of_another_form_is_told(type_, values):
    """The message says what was expected and what is there."""
    for value in values:
        [message] = messages({"type": type_}, value)
        assert message.startswith(f'expected {EXPECTED[type_]}, got "')


@pytest.mark.parametrize(
    ("rule", "value", "message"),
    [
        ({"type": "port"}, "70000", 'expected a port number (1-65535), got "70000"'),
        ({"type": "number"}, "abc", 'expected a number, got "abc"'),
        ({"type": "boolean"}, "maybe", 'expected a boolean (true/false/1/0/yes/no/on/off), got "maybe"'),
        ({"type": "url"}, "x", 'expected a valid URL with scheme and host, got "x"'),
        ({"type": "enum", "values": ["q", "r"]}, "z", 'expected one of [q, r], got "z"'),
        ({"type": "number", "values": [1, 2]}, "3", 'expected one of [1, 2], got "3"'),
        ({"type": "email"}, "x@y", 'expected a valid email address, got "x@y"'),
        ({"pattern": "^[a-y]+$"}, "zz", 'value "zz" does not match pattern "^[a-y]+$"'),
        ({"required": True}, "", "required key has empty value"),
        ({"type": "port"}, "\x1b[2J", 'expected a port number (1-65535), got "\\x1b[2J"'),
        ({"type": "port"}, "x " * 500, f'expected a port number (1-65535), got "{"x " * 50}…"'),
        ({"type": "url"}, "u:hunter2@h", 'expected a valid URL with scheme and host, got "u:***@h"'),
        ({"pattern": "\ud800"}, "zz", 'value "zz" does not match pattern "\\ud800"'),
    ],
)
def test_the_messages(rule, value, message):
    """Word for word; a value is cut, escaped, and without what looks like a password."""
    assert messages(rule, value) == [message]


def test_a_name_that_speaks_of_a_secret_hides_its_value():
    """A plain value that should not have been one does not get into a log of CI."""
    [fault] = parsed({"DB_PASSWORD": {"type": "port"}}).faults({"DB_PASSWORD": "hunter2"})
    assert "hunter2" not in fault.message


@pytest.mark.parametrize("rule", [{"type": "port"}, {"values": ["q"]}, {"pattern": "^q"}])
def test_a_secret_is_judged_and_not_shown(rule):
    """The rule's own words are told, the value is not."""
    [message] = messages(rule, Secret("s3cret-marker"))
    assert "***" in message
    assert "marker" not in message
    assert messages({"pattern": "^s3"}, Secret("s3cret-marker")) == []


def test_what_is_required():
    """A key with a default is never missing; an empty one that is not required is fine, whatever its type."""
    rules = parsed(
        {
            "A": {"required": True},
            "B": {"required": True, "default": "x"},
            "C": {"type": "port"},
            "D": {"type": "port"},
        }
    )
    assert [(fault.key, fault.rule, fault.message) for fault in rules.faults({"D": ""})] == [
        ("A", "required", "required key is missing")
    ]
    assert rules.faults({"A": None, "C": None}) == []


RULES = {"A": {"type": "port", "description": "the port"}}


@pytest.mark.parametrize(
    "content",
    [RULES, {"keys": RULES}, {"$schema": "https://x.example", "keys": RULES}, {"$comment": "", **RULES}],
)
def test_both_layouts(content):
    """The rules are the root, or its member `keys`; what starts with $ is for editors."""
    assert list(parsed(content).rules) == ["A"]
    assert len(parsed(content).faults({"A": "x"})) == 1


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"keys": {"type": "string"}}, ["keys"]),
        ({"keys": {"type": {"type": "string"}}}, ["type"]),
        ({"keys": {}}, []),
        ({"keys": {"type": "string"}, "B": {}}, ["keys", "B"]),
        ({}, []),
    ],
)
def test_a_variable_called_keys(content, names):
    """Its rule is told from an object of rules."""
    assert list(parsed(content).rules) == names


@pytest.mark.parametrize(
    ("rule", "refusal"),
    [
        ({"type": "foo"}, 'key "A" has unknown type "foo"'),
        ({"type": "prot"}, 'key "A" has unknown type "prot"; did you mean "port"?'),
        ({"type": None}, 'key "A" has "type" that is not a text'),
        ({"type": "enum"}, 'key "A" has type "enum" but no values defined'),
        ({"type": "enum", "values": []}, 'key "A" has type "enum" but no values defined'),
        ({"values": []}, 'key "A" has "values" that is not a list of texts'),
        ({"values": "q"}, 'key "A" has "values" that is not a list of texts'),
        ({"values": [["q"]]}, 'key "A" has "values" that is not a list of texts'),
        ({"required": "yes"}, 'key "A" has "required" that is not true or false'),
        ({"requird": True}, 'key "A" has unknown member "requird"; did you mean "required"?'),
        ({"default": {}}, 'key "A" has "default" that is not a text'),
        (
            {"type": "port", "default": "x"},
            'key "A" has a default that breaks its rule: expected a port number (1-65535), got "x"',
        ),
        ({"pattern": "("}, 'key "A" has invalid pattern "(": missing ), unterminated subpattern at position 0'),
        ({"pattern": "[[:alpha:]]"}, 'key "A" has invalid pattern "[[:alpha:]]": possible nested set at position 1'),
        ({"pattern": "x" * 1001}, f'key "A" has invalid pattern "{"x" * 1000}": longer than 1000 characters'),
        ({"pattern": 1.5, "description": []}, 'key "A" has "description" that is not a text'),
        ("port", 'key "A" has no object as its rule; write {"type": "string"}'),
    ],
)
def test_a_rule_that_is_wrong(rule, refusal):
    """The message names the key and says what is wrong."""
    assert refusals({"A": rule}) == [refusal]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", ['expected a JSON object of "NAME": {"type": …}']),
        ("null", ['expected a JSON object of "NAME": {"type": …}']),
        ('{"A": {}, "A": {}}', ['key "A" is defined twice']),
        ('{"keys": {"A": {}, "A": {}}}', ['key "A" is defined twice']),
        ('{"keys": {"A": {}}, "keys": {"A": {}}}', ['"keys" is defined twice']),
        ('{"A": {"type": "port", "type": "url"}}', ['key "A" has "type" twice']),
        ('{"keys": {"A": {}}, "key": 1}', ['unknown member "key" beside "keys"']),
        (
            '{"A B": {}}',
            ['key "A B" is not a variable name (allowed: letters, digits, _ . -, not starting with . or -)'],
        ),
        ('{"A": {"default": NaN}}', ['key "A" has "default" that is not a text']),
        (
            '{"A": {"type": "foo", "pattern": "("}, "B": 1}',
            [
                'key "A" has unknown type "foo"',
                'key "A" has invalid pattern "(": missing ), unterminated subpattern at position 0',
                'key "B" has no object as its rule; write {"type": "string"}',
            ],
        ),
    ],
)
def test_a_schema_that_is_wrong(text, expected):
    """All faults at once."""
    assert refusals(text) == expected


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'{"A":\n  {x}}', "2:4: not JSON: expecting property name enclosed in double quotes"),
        (b"", "1:1: not JSON: expecting value"),
        (b'{"A": {}} x', "1:11: not JSON: extra data"),
        (b'\xef\xbb\xbf{"A"\xff', "1:5: invalid UTF-8"),
        (b'{"A": ' + b"[" * 200_000, "1:1: nested too deeply"),
    ],
)
def test_what_is_not_json(data, place):
    """File, line, column."""
    with pytest.raises(MalformedFile) as caught:
        schema.parse(data, "s.json")
    assert caught.value.lines()[0] == f"error: loading schema file: s.json:{place}"


def test_a_number_of_any_length_is_its_text():
    """Python refuses to read an integer of many digits."""
    assert parsed('{"A": {"default": %s}}' % ("1" * 5000)).rules["A"].default == "1" * 5000


def test_a_file_is_read_up_to_its_bound(tmp_path):
    """Blanks count."""
    rules = b'{"A": {"type": "port"}}'
    (tmp_path / "s.json").write_bytes(rules.ljust(schema.LARGEST))
    assert schema.read(str(tmp_path / "s.json"), "s.json").rules["A"].type == "port"


def test_a_file_that_can_not_be_read(tmp_path):
    """Missing, a named pipe, too large: an error at once."""
    place = tmp_path / "s.json"
    with pytest.raises(EnvrefError, match=r"^loading schema file: s\.json: no such file or directory$"):
        schema.read(str(place), "s.json")
    os.mkfifo(place)
    with pytest.raises(EnvrefError, match="not a regular file"):
        schema.read(str(place), "s.json")
    place.unlink()
    place.write_bytes(b" " * (schema.LARGEST + 1))
    with pytest.raises(EnvrefError, match="more than 1024 KiB"):
        schema.read(str(place), "s.json")


@pytest.fixture
def impatient(monkeypatch):
    """A limit that keeps the tests short."""
    monkeypatch.setattr(pattern, "LIMIT", 0.2)


def test_a_pattern_that_never_ends_is_stopped(impatient):
    """The key and the pattern are told, in place of an answer."""
    found = parsed({"K": {"pattern": "^(a|aa)*$"}})
    with pytest.raises(InvalidSchema) as caught:
        found.faults({"K": "a" * 3000 + "!"})
    assert 'key "K" has a pattern that takes too long: "^(a|aa)*$"' in caught.value.message


@pytest.mark.parametrize("pattern", ["^(a+)+$", ".*.*.*.*.*.*b$"])
def test_a_pattern_that_looks_hard_is_answered(pattern):
    """These take Python for ever."""
    assert len(parsed({"K": {"pattern": pattern}}).faults({"K": "a" * 3000 + "!"})) == 1


def test_a_default_that_a_pattern_never_ends_on_is_stopped(impatient):
    """Reading a schema is limited as well."""
    [refusal] = refusals({"K": {"pattern": "^(a|aa)*$", "default": "a" * 3000 + "!"}})
    assert refusal.startswith('key "K" has a pattern that takes too long')


def test_the_types_take_no_time_for_long_values():
    """Half a mebibyte of what is nearly one is refused within the limit."""
    long = 2**19
    texts = {
        "number": "1" * long + "x",
        "url": "http://" + "a," * (long // 2) + "/",
        "email": "a" * long + "@" + "a." * (long // 2),
        "port": "1" * long,
    }
    rules = parsed({type_: {"type": type_} for type_ in texts})
    assert [fault.key for fault in rules.faults(texts)] == ["number", "url", "email", "port"]
    more = {"url": "http://" + "@" * long, "email": "a@" + "a-" * long}
    assert [fault.key for fault in rules.faults(more)] == ["url", "email"]


def test_a_fault_names_the_member(monkeypatch):
    """Of the rule that is broken; one that only the library refuses is the schema's."""
    found = parsed({"K": {"type": "port"}, "L": {"values": ["a"]}}).faults({"K": "x", "L": "b"})
    assert [(fault.key, fault.rule) for fault in found] == [("K", "type"), ("L", "values")]
    rules = parsed({"K": {"pattern": "a+"}})

    def refuse(*_):
        raise pattern.InvalidPattern("too odd")

    monkeypatch.setattr("envref.checks.rule.is_found", refuse)
    with pytest.raises(InvalidSchema, match=r'^s\.json: schema error: key "K" has invalid pattern "a\+": too odd$'):
        rules.faults({"K": "b"})


@pytest.mark.parametrize("length", [99, 100, 101])
def test_a_long_value_is_cut(length):
    """After a hundred characters."""
    value = ("x, " * 40)[:length]
    shown = value if length <= 100 else f"{value[:100]}…"
    assert messages({"type": "port"}, value) == [f'expected {EXPECTED["port"]}, got "{shown}"']


def test_nothing_is_read_after_a_pattern_that_took_too_long(monkeypatch):
    """Whatever comes next would take long too."""

    def slow(*_):
        raise pattern.TooSlow

    monkeypatch.setattr(pattern, "check", slow)
    [fault] = refusals({"A": {"pattern": "a"}, "B": {"pattern": "b"}, "1 C": {}})
    assert fault.startswith('key "A" has a pattern that takes too long: "a"')


@pytest.mark.parametrize(
    ("type_", "taken", "refused"),
    [
        ("port", ["1", "80", "65535", "00080"], ["0", "65536", "99999", "-1", "x", "", "1.0"]),
        ("boolean", ["true", "OFF", "1", "no"], ["2", "t", "", "null"]),
        ("string", ["", "anything"], []),
        ("enum", ["", "anything"], []),
    ],
)
def test_what_a_type_takes(type_, taken, refused):
    """At its very ends."""
    assert [text for text in (*taken, *refused) if TYPES[type_].accepts(text)] == taken


def test_a_rule_that_says_nothing_takes_anything():
    """And takes nothing for required."""
    assert Rule() == ("string", False, None, (), None, "")
    assert parsed({"K": {}}).faults({}) == []


def test_a_rule_of_every_member_is_one_of_a_variable_called_keys():
    """Whatever else the object could be."""
    every = {"type": "port", "required": True, "default": 80, "values": [80], "pattern": "8", "description": "a port"}
    [(name, rule)] = parsed({"keys": every}).rules.items()
    assert (name, rule) == ("keys", Rule("port", True, "80", ("80",), "8", "a port"))


@pytest.mark.parametrize(("written", "text"), [(True, "true"), (False, "false"), (7, "7"), ("x", "x")])
def test_a_default_is_the_text_that_an_env_file_would_have(written, text):
    """Also one that JSON writes otherwise; so with each of the values."""
    rules = parsed({"K": {"default": written, "values": [written]}}).rules
    assert (rules["K"].default, rules["K"].values) == (text, (text,))


def test_a_default_is_judged_by_its_pattern(monkeypatch):
    """Where the library can't, the schema is at fault."""
    assert refusals({"K": {"default": "b", "pattern": "a"}}) == [
        'key "K" has a default that breaks its rule: value "b" does not match pattern "a"'
    ]

    def refuse(*_):
        raise pattern.InvalidPattern("too odd")

    monkeypatch.setattr("envref.checks.rule.is_found", refuse)
    assert refusals({"K": {"default": "b", "pattern": "a"}}) == ['key "K" has invalid pattern "a": too odd']
