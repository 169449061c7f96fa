"""What an edit of a config looks like: as what stands around it. That nothing else changes is a property's business."""

from __future__ import annotations

import pytest

from envref.errors import EnvrefError
from envref.project.config.document import Document

BOB = {"name": "bob", "public_key": "k2"}

ENTRIES = [
    ("a: 1\n", "a: 1\nprofiles:\n  x:\n"),
    ("a: 1", "a: 1\nprofiles:\n  x:"),
    ("", "profiles:\n  x:\n"),
    ("# only a comment\n", "# only a comment\nprofiles:\n  x:\n"),
    ("profiles:\n", "profiles:\n  x:\n"),
    ("profiles:   # none\na: 1\n", "profiles:   # none\n  x:\na: 1\n"),
    ("profiles: null # none\n", "profiles: # none\n  x:\n"),
    ("profiles: {} # none\n", "profiles: # none\n  x:\n"),
    ("profiles: {  # none\n}\n", "profiles: {x: null  # none\n}\n"),
    ("profiles:\n    y:\na: 1\n", "profiles:\n    y:\n    x:\na: 1\n"),
    (
        "profiles:\n  y:\n    # of y\n  # of all\n# of a\na: 1\n",
        "profiles:\n  y:\n    # of y\n  x:\n  # of all\n# of a\na: 1\n",
    ),
    ("profiles:\n  # y:\n\na: 1\n", "profiles:\n  # y:\n  x:\n\na: 1\n"),
    ("profiles:\n  y:\n\n    # of y\na: 1\n", "profiles:\n  y:\n\n    # of y\n  x:\na: 1\n"),
    ("profiles: {y: }\n", "profiles: {y: , x: null }\n"),
    ("profiles: {y: {}}\n", "profiles: {y: {}, x: null}\n"),
    ("profiles: {\n  y: {}, # c\n  z: {} # d\n}\n", "profiles: {\n  y: {}, # c\n  z: {}, # d\n  x: null\n}\n"),
    ("profiles: {\n  y: {}, # c\n}\n", "profiles: {\n  y: {}, # c\n  x: null,\n}\n"),
    ("profiles: {\r\n  y: {} # c\r\n}\r\n", "profiles: {\r\n  y: {}, # c\r\n  x: null\r\n}\r\n"),
    ('{"a": 1, "profiles": {"y": {}}}\n', '{"a": 1, "profiles": {"y": {}, "x": null}}\n'),
    ('{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "profiles": {"x": null}\n}\n'),
    ("{profiles: null, a: 1}\n", "{profiles: {x: null}, a: 1}\n"),
    ("{a: 1, profiles}\n", "{a: 1, profiles: {x: null}}\n"),
    ("a: 1\r\nb:\r\n   c: 2\r\n", "a: 1\r\nb:\r\n   c: 2\r\nprofiles:\r\n   x:\r\n"),
    ("---\na: 1\n...\n", "---\na: 1\nprofiles:\n  x:\n...\n"),
    ("{}\n", '{"profiles": {"x": null}}\n'),
    ("a: |+\n  text\n\n", "a: |+\n  text\n\nprofiles:\n  x:\n"),
]


@pytest.mark.parametrize(("before", "after"), ENTRIES)
def test_an_entry(before, after):
    """In block or brackets, below the comments that are indented deeper, with the file's own indentation."""
    assert Document(before.encode(), "f").with_entry("profiles", "x", None).source.decode() == after


ITEMS = [
    ("a: 1\n", "a: 1\nteam:\n  - name: bob\n    public_key: k2\n"),
    ("a:\n- b\n", "a:\n- b\nteam:\n- name: bob\n  public_key: k2\n"),
    ("team: []\n", "team:\n  - name: bob\n    public_key: k2\n"),
    ("team:\n  -\n    name: a\n", "team:\n  -\n    name: a\n  - name: bob\n    public_key: k2\n"),
    (
        "team:\n-   name: a # c\n    # d\n# e\n",
        "team:\n-   name: a # c\n    # d\n-   name: bob\n    public_key: k2\n# e\n",
    ),
    ("team:\n  - {name: a}\n", "team:\n  - {name: a}\n  - {name: bob, public_key: k2}\n"),
    ("team: [{name: a}]\n", "team: [{name: a}, {name: bob, public_key: k2}]\n"),
    ("team: [\n  {name: a}\n]\n", "team: [\n  {name: a},\n  {name: bob, public_key: k2}\n]\n"),
    ("? team\n: - name: a\n", "? team\n: - name: a\n  - name: bob\n    public_key: k2\n"),
    ('{"team": []}', '{"team": [{"name": "bob", "public_key": "k2"}]}'),
]


@pytest.mark.parametrize(("before", "after"), ITEMS)
def test_an_item(before, after):
    """As the last one is written; lists that are not indented stay so."""
    assert Document(before.encode(), "f").with_item("team", BOB).source.decode() == after


REMOVED = [
    ("team:\n  - {name: a}\n  -\n  - {name: b}\n", 1, "team:\n  - {name: a}\n  - {name: b}\n"),
    ("team: [\n  {name: a},\n  {name: b}\n]\n", 1, "team: [\n  {name: a}\n]\n"),
    ("team:\n  - name: a # c\n\n  # of b\n  - name: b\n", 0, "team:\n\n  # of b\n  - name: b\n"),
    (
        "team:\n  - name: a\n  # of b\n  - name: b\n    # more\nx: 1\n",
        1,
        "team:\n  - name: a\n  # of b\n    # more\nx: 1\n",
    ),
    ("team: # c\n  - name: a\n", 0, "team: [] # c\n"),
    ("team:\n  -\n    name: a\n  -\n    name: b\n", 1, "team:\n  -\n    name: a\n"),
    ("team: [{name: a}, {name: b}]\n", 0, "team: [{name: b}]\n"),
    ("team: [{name: a}] # c\n", 0, "team: [] # c\n"),
    ("team: [\n  {name: a} # c\n]\n", 0, "team: [\n]\n"),
    ("team: [{name: a}, {name: b}]\n", 1, "team: [{name: a}]\n"),
    ("team: [{name: a}, {name: b},]\n", 1, "team: [{name: a}, ]\n"),
    ("team: [\n  {name: a}, # c\n  # d\n  {name: b} # e\n]\n", 0, "team: [\n  # d\n  {name: b} # e\n]\n"),
    ("team: [\n  {name: a}, # c\n  # d\n  {name: b} # e\n]\n", 1, "team: [\n  {name: a} # c\n  # d\n]\n"),
]


FIRST = [
    ("team:\n  - name: amy\n", "team:\n  - name: bob\n    public_key: k\n  - name: amy\n"),
    ("team:  # t\n# of amy\n- name: amy\n", "team:  # t\n- name: bob\n  public_key: k\n# of amy\n- name: amy\n"),
    ("team: [{name: amy}] # c\n", "team: [{name: bob, public_key: k}, {name: amy}] # c\n"),
    ("team: [ # c\n  {name: amy},\n]\n", "team: [{name: bob, public_key: k},  # c\n  {name: amy},\n]\n"),
    ("team: []\n", "team:\n  - name: bob\n    public_key: k\n"),
    ("project: app\n", "project: app\nteam:\n  - name: bob\n    public_key: k\n"),
    ("team:\r\n- name: amy", "team:\r\n- name: bob\r\n  public_key: k\r\n- name: amy"),
]


@pytest.mark.parametrize(("before", "after"), FIRST)
def test_an_item_before_the_first(before, after):
    """Comments above the first item stay with it."""
    added = Document(before.encode(), "f").with_item("team", {"name": "bob", "public_key": "k"}, first=True)
    assert added.source.decode() == after


@pytest.mark.parametrize(("before", "index", "after"), REMOVED)
def test_a_removed_item(before, index, after):
    """Its own lines go, comments on lines of their own stay, a last one leaves `[]`."""
    assert Document(before.encode(), "f").without_item("team", index).source.decode() == after


VALUES = [
    ("a: old # c\n", "a: new # c\n"),
    ("a: 'old'\n", "a: 'new'\n"),
    ('"a" :   "old"   \n', '"a" :   "new"   \n'),
    ("a: # c\nb: 1\n", "a: new # c\nb: 1\n"),
    ("a: ~\n", "a: new\n"),
    ("a: >-\n  old\n\nb: 1\n", "a: new\n\nb: 1\n"),
    ("a: >-\n  old\n  er\nb: 1\n", "a: new\nb: 1\n"),
    ("a:\n  old\nb: 1\n", "a:\n  new\nb: 1\n"),
    ("{a}\n", "{a: new}\n"),
    ("{b: 1, a: , c: 2}\n", "{b: 1, a: new , c: 2}\n"),
    ("b: 1\n", "b: 1\na: new\n"),
]


@pytest.mark.parametrize(("before", "after"), VALUES)
def test_a_value(before, after):
    """In the quotes of the old one, and where it was."""
    assert Document(before.encode(), "f").with_value("a", "new").source.decode() == after


KEYS = [
    ("profiles: {\n  y: {}\n}\na: 1\n", "a: 1\n"),
    ("a: 1\nprofiles: |\n  text\nb: 2\n", "a: 1\nb: 2\n"),
    ("a: 1\nprofiles: x", "a: 1\n"),
    ("{profiles: 1, a: 1}\n", "{a: 1}\n"),
    ("{profiles: 1}\n", "{}\n"),
    ("{a: 1,\n profiles: 2,\n c: 3}\n", "{a: 1,\n c: 3}\n"),
    ("{a: 1, # x\n profiles: 2}\n", "{a: 1 # x\n }\n"),
    ("a: 1\n", "a: 1\n"),
]


@pytest.mark.parametrize(("before", "after"), KEYS)
def test_a_removed_key(before, after):
    """With all that is below it, and nothing of its neighbours."""
    assert Document(before.encode(), "f").without("profiles").source.decode() == after


@pytest.mark.parametrize("text", ["? a\n: b\n", "b: 1\r? a\r: c\r"])
def test_a_layout_that_can_t_be_edited(text):
    """An error with the cure, and nothing half done."""
    with pytest.raises(EnvrefError, match="nothing was changed") as refused:
        Document(text.encode(), ".envref.yaml").without("a")
    assert "envref edit --config" in refused.value.hint


@pytest.mark.parametrize("text", ["team:\n  - {name: a}\r  - {name: b}\n", "team:\n  - {name: a}\r  - {name: b}"])
def test_an_item_on_a_line_that_only_yaml_knows(text):
    """A carriage return ends a line there: nothing is taken away with it."""
    with pytest.raises(EnvrefError, match="this layout can't be changed"):
        Document(text.encode(), "f").without_item("team", 1)


@pytest.mark.parametrize("value", ["x", "{a: b}", ""])
def test_an_item_of_what_is_no_list(value):
    """It is named with its place."""
    with pytest.raises(EnvrefError, match=r"^loading config: f:1:[67]: team must be a list$"):
        Document(f"team: {value}\n".encode(), "f").without_item("team", 0)


@pytest.mark.parametrize("text", ["? profiles\n: a:\n", "? a\n", "profiles:\n  ? a\n  : b\n"])
def test_an_addition_that_would_break_the_text_is_refused(text):
    """Whether or not the result can still be read."""
    with pytest.raises(EnvrefError, match="nothing was changed"):
        Document(text.encode(), "f").with_entry("profiles", "b", {"env_file": "x"})
