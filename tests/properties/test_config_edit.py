"""An edit of a config changes what it is asked to change, whatever the layout, and not one other byte."""

from __future__ import annotations

import difflib
import re

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from envref.errors import EnvrefError
from envref.project.config import yaml as config_yaml
from envref.project.config.document import Document
from tests.nightly import count
from tests.requirements import oldest_and_newest

pytestmark = oldest_and_newest

MANY = hypothesis.settings(
    max_examples=count(40, 2000), deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
NAME, KEY = "prod", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
NAMES = ["staging", "qa", "null", "1", "a-b"]


@pytest.fixture(autouse=True, params=["CSafeLoader", "SafeLoader"])
def loader(request, monkeypatch):
    """PyYAML with libyaml, and without it: they don't agree on where an empty value is."""
    monkeypatch.setattr(config_yaml, "_Loader", getattr(yaml, request.param))


class Layout:
    """A config that is being written, every choice of its layout drawn. Each comment has a number of its own."""

    def __init__(self, draw):
        self.draw = draw
        self.comments = 0

    def one_of(self, *choices):
        return self.draw(st.sampled_from(choices))

    def some(self, most=3):
        return self.draw(st.integers(0, most))

    def comment(self):
        self.comments += 1
        return f"# c{self.comments}{self.one_of('', ' : -', ' {', ' ü')}"

    def inline(self):
        """What may follow on a line."""
        return self.one_of("", "", "  ", " " + self.comment(), "   " + self.comment())

    def between(self, indent=""):
        """Lines that say nothing."""
        return [self.nothing(indent) for _ in range(self.one_of(0, 0, 0, 1, 2))]

    def nothing(self, indent):
        return self.one_of("", "  ", indent + self.comment(), self.comment(), indent + "  " + self.comment())

    def quoted(self, text, *, flow=False):
        bare = text not in ("null", "1")
        return self.one_of(*([text, text] if bare else []), f'"{text}"', f"'{text}'")

    def key(self, text):
        return self.quoted(text) + self.one_of("", "", "", " ") + ":"

    def block(self, entries, indent):
        """A block mapping as lines. `entries` is pairs of key and (kind, data)."""
        lines = []
        for name, value in entries:
            lines += self.between(indent)
            lines += self.entry(name, value, indent)
        return lines

    def entry(self, name, value, indent):
        head = indent + self.key(name)
        if isinstance(value, str):
            return self.scalar(head, value, indent)
        if value is None:
            return [head + self.one_of("", "", " null", " ~") + self.inline()]
        if not value:
            empty = self.one_of("[]", "[ ]") if isinstance(value, list) else self.one_of("{}", "{ }")
            return [f"{head} {empty}{self.inline()}"]
        if self.one_of(True, False):
            return [f"{head} {self.flow(value, indent + ' ')}{self.inline()}"]
        if isinstance(value, dict):
            deeper = indent + " " * self.one_of(1, 2, 2, 4)
            return [head + self.inline(), *self.block(value.items(), deeper)]
        return [head + self.inline(), *self.items(value, indent + self.one_of("", "  ", "    "))]

    def scalar(self, head, value, indent):
        kind = self.one_of("inline", "inline", "inline", "folded", "below")
        if kind == "folded":
            return [f"{head} >-{self.inline()}", f"{indent}   {value}", *[""] * self.some(1)]
        if kind == "below":
            return [head + self.inline(), f"{indent}  {self.quoted(value)}{self.inline()}"]
        return [f"{head}{self.one_of(' ', ' ', '   ')}{self.quoted(value)}{self.inline()}"]

    def items(self, items, indent):
        lines = []
        for item in items:
            lines += self.between(indent)
            gap = self.one_of(" ", " ", "   ")
            if self.one_of(True, False, False):
                lines.append(f"{indent}-{gap}{self.flow(item, indent + '   ')}{self.inline()}")
                continue
            first, *rest = [
                line
                for number, (name, value) in enumerate(item.items())
                for line in [
                    *(self.between(indent + " " + gap) if number else []),
                    *self.plain_entry(name, value, indent + " " + gap),
                ]
            ]
            if self.one_of(True, True, False):
                lines += [f"{indent}-{gap}{first.lstrip()}", *rest]
            else:
                lines += [f"{indent}-{self.inline()}", first, *rest]
        return lines

    def plain_entry(self, name, value, indent):
        return [f"{indent}{self.key(name)} {self.quoted(value)}{self.inline()}"]

    def flow(self, value, indent):
        """In brackets, over one line or many."""
        self.lines = self.one_of(False, False, True)
        return self.in_brackets(value, indent)

    def space(self, indent):
        if not self.lines:
            return self.one_of("", "", " ")
        return self.one_of("", " ", f"\n{indent}", f"\n{indent}", f" {self.comment()}\n{indent}")

    def in_brackets(self, value, indent):
        if value is None:
            return self.one_of("null", "~", "", "", "")
        if isinstance(value, str):
            return self.quoted(value)
        space = lambda: self.space(indent)  # noqa: E731
        if isinstance(value, list):
            parts = [self.in_brackets(each, indent) for each in value]
            opening, closing = "[]"
        else:
            parts = [f"{self.quoted(name)}: {self.in_brackets(each, indent)}" for name, each in value.items()]
            opening, closing = "{}"
        text = "".join(space() + part + space() + "," for part in parts)
        if parts and not self.one_of(True, False, False):
            text = text[:-1]
        return opening + text + space() + closing


@st.composite
def texts(draw):
    """A config's text."""
    layout = Layout(draw)
    entries = {"project": "app"}
    if layout.one_of(True, False):
        entries["active_profile"] = layout.one_of("staging", "qa", None)
    if layout.one_of(True, True, False):
        names = NAMES[: layout.some(len(NAMES))]
        fields = [None, None, {}, {"env_file": "deploy/x.env"}]
        entries["profiles"] = layout.one_of(None, {name: layout.one_of(*fields) for name in names})
    if layout.one_of(True, True, False):
        members = [{"name": f"m{number}", "public_key": f"key{number}"} for number in range(layout.some())]
        entries["team"] = layout.one_of(None, members)
    order = draw(st.permutations(list(entries)))
    ordered = [(name, entries[name]) for name in order]
    if layout.one_of(True, False, False, False):
        lines = [*layout.between(), *layout.flow(dict(ordered), "  ").split("\n"), *layout.between()]
    else:
        lines = [*layout.block(ordered, layout.one_of("", "", "", "  ")), *layout.between()]
    if layout.one_of(True, False, False):
        lines = [*layout.between(), "---" + layout.inline(), *lines]
    text = "\n".join(lines) + layout.one_of("\n", "\n", "", "\n...\n", "\n\n")
    return layout.one_of("", "", "\ufeff") + text.replace("\n", layout.one_of("\n", "\n", "\r\n"))


def document(text):
    try:
        return Document(text.encode(), "f")
    except EnvrefError:
        hypothesis.reject()  # a comment beside a scalar that goes on, or the like


def lines_of(text):
    """The lines without line ends: a last line that gets one is still itself."""
    return [line.rstrip("\r") for line in text.split("\n")]


def changed(before, after):
    """The lines that are only in the old text, and those that are only in the new one."""
    old, new = lines_of(before), lines_of(after)
    opcodes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    gone = [line for kind, a, b, _, _ in opcodes if kind != "equal" for line in old[a:b]]
    come = [line for kind, _, _, a, b in opcodes if kind != "equal" for line in new[a:b]]
    return [line for line in gone if line], [line for line in come if line]


def is_within(part, whole):
    """Whether `whole` is `part` with something put into it."""
    rest = iter(whole)
    return all(character in rest for character in part)


def comments(text):
    return re.findall(r"# c\d+", text)


def check_line_ends(before, after):
    """The file's line ends, its BOM and its missing last line end are as they were."""
    assert after.startswith("\ufeff") == before.startswith("\ufeff")
    if "\n" in before:
        assert ("\r\n" in before) == ("\r\n" in after) or "\n" not in after
        assert "\r\n" not in before or "\n" not in after.replace("\r\n", "")


def check_added(before, after, most):
    assert comments(before) == comments(after)
    gone, _ = changed(before, after)
    assert len(gone) <= most
    check_line_ends(before, after)
    assert before.endswith("\n") == after.endswith("\n") or before == ""


def data(text):
    """What another reader makes of it, the words of scalars kept."""
    return yaml.load(text.removeprefix("\ufeff"), yaml.BaseLoader)


@MANY
@hypothesis.given(texts())
def test_a_value_is_set(text):
    """`active_profile` is added, replaced or filled; a value keeps its quotes."""
    old = document(text)
    new = old.with_value("active_profile", NAME).source.decode()
    assert data(new) == {**data(text), "active_profile": NAME}
    assert list(data(new))[: len(data(text))] == list(data(text))
    gone, _ = changed(text, new)
    assert len(gone) <= 3
    check_line_ends(text, new)
    if old.get("active_profile") is None:
        check_added(text, new.replace(NAME, "") if new == text else new, 1)


@MANY
@hypothesis.given(texts())
def test_a_value_is_taken_away(text):
    """With its own lines, and nothing more: in brackets a comma goes with it."""
    old = document(text)
    new = old.without("active_profile").source.decode()
    intended = {key: value for key, value in data(text).items() if key != "active_profile"}
    assert (data(new) or {}) == intended
    assert is_within(new, text)
    gone, come = changed(text, new)
    assert len(gone) <= 3
    assert len(come) <= 2
    assert old.without("active_profile").without("active_profile").source.decode() == new


@MANY
@hypothesis.given(texts(), st.booleans())
def test_an_entry_is_added_to_a_mapping(text, filed):
    """Block, brackets, empty, null or no mapping at all."""
    old = document(text)
    fields = {"env_file": "deploy/p.env"} if filed else None
    after = old.with_entry("profiles", NAME, fields)
    new = after.source.decode()
    before = old.get("profiles") or {}
    assert after.get("profiles") == {**before, NAME: fields}
    assert list(data(new)["profiles"]) == [*before, NAME]
    assert {**data(new), "profiles": 0} == {**data(text), "profiles": 0}
    check_added(text, new, 1)
    if before:
        assert is_within(text, new)


@MANY
@hypothesis.given(texts(), st.booleans())
def test_an_item_is_added_to_a_list(text, first):
    """Written as the last one is, or before the first."""
    old, bob = document(text), {"name": "bob", "public_key": KEY}
    new = old.with_item("team", bob, first=first).source.decode()
    before = old.get("team") or []
    assert data(new)["team"] == ([bob, *before] if first else [*before, bob])
    assert {**data(new), "team": 0} == {**data(text), "team": 0}
    check_added(text, new, 1)
    if before:
        assert is_within(text, new)


def text_of(node, text, *words):
    """The text of an item: to its bracket, or from the first to the last of its words."""
    if node.flow:
        return text.removeprefix("\ufeff")[node.start : node.end]
    places = [text.index(word) for word in words]
    return text[min(places) : max(places)]


@MANY
@hypothesis.given(texts(), st.data())
def test_an_item_is_taken_out_of_a_list(text, choice):
    """Comments that stand on lines of their own before, between and after the items stay; the last item leaves `[]`."""
    old = document(text)
    members = old.get("team")
    hypothesis.assume(members)
    index = choice.draw(st.integers(0, len(members) - 1))
    after = old.without_item("team", index)
    new = after.source.decode()
    assert data(new) == {**data(text), "team": members[:index] + members[index + 1 :]}
    assert is_within(new.replace(": []", ":", 1) if len(members) == 1 else new, text)
    kept = [line for line in lines_of(new) if line.strip().startswith("#")]
    inside = comments(text_of(old.top.entries["team"].items[index], text, f"m{index}", f"key{index}"))
    own = [line for line in lines_of(text) if line.strip().startswith("#") and comments(line)[0] not in inside]
    assert [line for line in own if line not in kept and comments(line)] == []


PIECES = st.sampled_from(
    [*"{}[],:-#?|>'\"\n\n\n  ", "team:", "team: ", "profiles:", "active_profile: ", "- name: a", "a", "~", "# c", "  ",
     "\r\n", "\r", "\t", "\u2028", "---\n", "...\n", "? ", "é", "- ", ": ", "|+\n  x\n\n", "\ufeff"]
)  # fmt: skip
EDITS = [
    (lambda old: old.with_value("active_profile", NAME)),
    (lambda old: old.without("active_profile")),
    (lambda old: old.with_entry("profiles", NAME, None)),
    (lambda old: old.with_item("team", {"name": "bob"})),
    (lambda old: old.with_item("team", {"name": "bob"}, first=True)),
    (lambda old: old.without_item("team", 0)),
]


BASES = st.sampled_from(
    ["", "project: app\n", "team:\n- name: a\n", "team: [a, b]\n", "{team: [a], b: ", "profiles:\n  y:\n",
     "active_profile: x\n", "active_profile: >\n  x\n"]
)  # fmt: skip
SOUPS = st.builds(
    lambda *parts: "".join(map("".join, parts)), st.lists(PIECES, max_size=4), BASES, st.lists(PIECES, max_size=6)
)


@hypothesis.settings(MANY, max_examples=count(150, 7500))
@hypothesis.given(SOUPS, st.sampled_from(EDITS))
def test_a_layout_that_cannot_be_edited_is_refused(text, edit):
    """Nothing but EnvrefError is raised, and what is not refused reads back as intended."""
    old = document(text)
    team = old.get("team")
    hypothesis.assume(edit is not EDITS[-1] or (isinstance(team, list) and team))
    try:
        new = edit(old)
    except EnvrefError:
        return
    for key in old.top.entries:
        assert key in ("active_profile", "profiles", "team") or new.get(key) == old.get(key)
