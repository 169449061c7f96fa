"""A manifest keeps every byte that is not envref's; what is not to be touched is refused with its place."""

from __future__ import annotations

import json
import tomllib

import hypothesis
import pytest
from hypothesis import strategies as st
from tomlkit.exceptions import TOMLKitError

from envref.errors import EnvrefError, MalformedFile
from envref.flox import block
from envref.flox.block import SHELLS
from envref.flox.manifest import HOOK, PROFILE, SCRIPTS, UNDO, Manifest
from envref.flox.schema_version import PLUGINS_SINCE, UNDO_SINCE
from tests.flox import schema
from tests.flox.manifests import CRLF, FRESH, KEPT, REWRITTEN

BLOCK = block.hook()
PROFILED = {PROFILE[shell]: block.in_profile(shell) for shell in SHELLS}
UNDONE = {UNDO[shell]: block.undo(shell, ["A", "B"]) for shell in SHELLS}


def valid(edited):
    """The text of a manifest that Flox's schema accepts."""
    return schema.accepted(str(edited))


def outdented(script):
    return "\n".join(line.strip() for line in script.splitlines())


def with_all(text, blocks):
    edited = Manifest(text, "manifest.toml")
    for path in reversed(blocks):
        edited = edited.with_block(path, blocks[path])
    return edited


def without_all(edited):
    for path in SCRIPTS:
        edited = edited.without_block(path)
    return str(edited)


@pytest.mark.parametrize("name", KEPT)
def test_a_hook_block_goes_in_and_out(name):
    """Every other byte stays; out again, the file is what it was; twice is as good as once."""
    before = KEPT[name]
    edited = with_all(before, {HOOK: BLOCK})
    after = valid(edited)
    assert outdented(BLOCK) in outdented(tomllib.loads(after)["hook"]["on-activate"])
    assert str(with_all(after, {HOOK: BLOCK})) == after
    assert str(edited.without_block(HOOK)) == before
    assert without_all(Manifest(after, "m")) == before


@pytest.mark.parametrize("name", KEPT)
def test_profile_blocks_go_in_and_out(name):
    """The same for four scripts, and for four that undo them where the schema has those."""
    before = KEPT[name]
    new_enough = Manifest(before, "m").schema >= UNDO_SINCE
    blocks = UNDONE | PROFILED if new_enough else PROFILED
    rewritten = name == "profile and deactivate in any order"  # bash = 'true'
    edited = with_all(before, blocks)
    after = valid(edited)
    assert edited.blocks() == dict.fromkeys(blocks, "profile")
    assert str(with_all(after, blocks)) == after
    literal = before.replace("bash = 'true'", "bash = '''\ntrue'''")
    assert without_all(edited) == (literal if rewritten else before)


def test_scripts_of_a_profile_stand_in_the_order_of_the_shells():
    """Each above the next, below the header that is there."""
    text = str(with_all(FRESH, PROFILED))
    places = [text.index(f"\n{shell} = '''") for shell in SHELLS]
    assert [text.index("[profile]\n"), *places, text.index("# common")] == sorted(
        [text.index("[profile]\n"), *places, text.index("# common")]
    )


@pytest.mark.parametrize("name", REWRITTEN)
def test_a_string_that_cannot_hold_a_block_becomes_literal(name):
    """The decoded text stays, in ''' from then on; comments around it too."""
    before = REWRITTEN[name]
    script = tomllib.loads(before)["hook"]["on-activate"]
    edited = with_all(before, {HOOK: BLOCK})
    assert valid(edited).count("'''") == 2
    assert tomllib.loads(without_all(edited))["hook"]["on-activate"] == script
    assert str(with_all(str(edited), {HOOK: BLOCK})) == str(edited)
    assert "# two" in str(edited) or "# two" not in before


@pytest.mark.parametrize("name", ["a hook", "a hook that ends in blanks"])
def test_only_lines_are_added(name):
    """Every line that was there is there, in its place."""
    before, after = KEPT[name].splitlines(True), str(with_all(KEPT[name], {HOOK: BLOCK})).splitlines(True)
    at = next(number for number, line in enumerate(after) if ">>> envref" in line)
    count = BLOCK.count("\n") + 1
    assert after[:at] + after[at + count :] == before


@pytest.mark.parametrize("name", CRLF)
def test_crlf_is_refused_where_a_shell_would_run_it(name):
    """Flox keeps each CR, and bash then loads nothing, without a failure (flox-activations of 1.15.0, run)."""
    for path in (HOOK, PROFILE["zsh"]):
        with pytest.raises(MalformedFile) as caught:
            with_all(CRLF[name], {path: BLOCK})
        assert caught.value.message == (
            "manifest.toml:1:12: line ends are CRLF, with which no shell runs a block; convert the file to LF"
        )


def test_some_line_ends_that_are_crlf_are_a_warning():
    """The block itself has LF; what stands around it is its owner's."""
    edited = with_all(KEPT["mixed line ends"], {HOOK: BLOCK})
    own = str(edited).partition("# >>> envref")[2].partition("# <<< envref")[0]
    assert own
    assert "\r" not in own
    assert edited.warnings == [
        "manifest.toml: some line ends are CRLF, which Flox hands to the shells as they are; LF is safe"
    ]


@pytest.mark.parametrize("name", ["a hook", "no table"])
def test_a_block_whose_line_ends_git_changed(name):
    """It is not up to date, since no shell runs it; it can be taken out."""
    crlf = str(with_all(KEPT[name], {HOOK: BLOCK})).replace("\n", "\r\n")
    with pytest.raises(MalformedFile, match="line ends are CRLF"):
        with_all(crlf, {HOOK: BLOCK})
    assert without_all(Manifest(crlf, "m")) == KEPT[name].replace("\n", "\r\n")


def test_a_block_is_replaced_where_it_stands():
    """Text before and after it stays, another form takes its lines."""
    before = "version = 1\n[hook]\non-activate = '''\n  before\n" + "".join(
        f"  {line}\n" for line in block.hook(strict=True).split("\n")
    )
    edited = with_all(before + "  after\n'''\n", {HOOK: BLOCK})
    script = tomllib.loads(valid(edited))["hook"]["on-activate"]
    assert script.startswith("  before\n  # >>> envref hook v1")
    assert script.endswith("  # <<< envref hook v1 <<<\n  after\n")
    assert "false" not in script


def test_a_table_that_got_other_keys_stays():
    """What envref made goes only when nothing else is in it."""
    text = str(with_all("version = 1\n", {HOOK: BLOCK})) + "# mine\n"
    assert without_all(Manifest(text, "m")) == "version = 1\n\n[hook]\n# mine\n"
    text = str(with_all("version = 1\n", {HOOK: BLOCK})) + "\n[vars]\nA = 'b'\n"
    assert without_all(Manifest(text, "m")) == "version = 1\n\n[vars]\nA = 'b'\n"


def test_a_block_that_was_edited_by_hand_still_goes():
    """The markers count, not the text between them; a key that was moved onto other lines stays, empty."""
    text = str(with_all("version = 1\n", {HOOK: BLOCK})).replace("local -", "local - # mine")
    assert without_all(Manifest(text, "m")) == "version = 1\n"
    text = str(with_all("version = 1\n", {HOOK: BLOCK})).replace("on-activate = ", "on-activate=   ")
    assert tomllib.loads(without_all(Manifest(text, "m"))) == {"version": 1, "hook": {"on-activate": ""}}


BEGIN = '# >>> envref hook v1 >>> generated by "envref flox-hook"'
END = "# <<< envref hook v1 <<<"
HOOKED = "version = 1\n[hook]\non-activate = '''\n"
REFUSED = {
    "unbalanced": (f"{HOOKED}  {BEGIN}\n'''\n", "4:3: a block of envref begins and never ends"),
    "unbalanced end": (f"{HOOKED}x\n{END}\n'''\n", "5:1: a block of envref ends that never began"),
    "nested": (f"{HOOKED}{BEGIN}\n {BEGIN}\n{END}\n{END}\n'''\n", "5:2: a block of envref begins inside another one"),
    "doubled": (f"{HOOKED}{BEGIN}\n{END}\nx\n{BEGIN}\n{END}\n'''\n", "7:1: a second block of envref begins"),
    "in a profile": (f"version = 1\n[profile]\nzsh = '''{BEGIN}'''\n", "3:10: a block of envref begins and never ends"),
    "in a basic string": (f'version = 1\n[hook]\non-activate = "a\\n{END}"\n', "3:15: a block of envref ends"),
    "hook.script": (
        "version = 1\n[hook]\nscript = 'x'\n",
        "3:10: Flox has no hook.script any more; rename it to hook.on-activate",
    ),
    "hook.script dotted": ("version = 1\nhook.script = 'x'\n", "2:15: Flox has no hook.script"),
    "both versions": (
        "version = 1\nschema-version = '1.12.0'\n",
        "1:11: both version and schema-version; delete one, version = 1 is the older",
    ),
    "no version": ("[vars]\n", '1:1: neither version nor schema-version; add version = 1 or schema-version = "1.12.0"'),
    "version 2": ("version = 2\n", "1:11: version is always 1"),
    "version as text": ("version = '1'\n", "1:11: version is always 1"),
    "no schema": ("schema-version = 'banana'\n", "1:18: schema-version that Flox does not know"),
    "a schema that never was": ("schema-version = '1.12.1'\n", "1:18: schema-version that Flox does not know"),
    "schema as number": ("schema-version = 1\n", "1:18: schema-version that Flox does not know"),
    "no TOML": ("version = 1\n[hook\n", "2:6: not valid TOML: "),
    "no TOML at the end": ("version = 1\nx = '''\n", "3:1: not valid TOML: "),
    "a key twice": ("version = 1\n[hook]\n[hook]\n", "3:6: not valid TOML: cannot declare"),
    "byte order mark": ("\ufeffversion = 1\n", "1:1: not valid TOML: "),
    "hook is no table": ("version = 1\nhook = 'x'\n", "2:8: hook is not a table"),
    "a script is no string": ("version = 1\n[hook]\non-activate = ['x']\n", "3:15: hook.on-activate is not a string"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_to_be_touched_is_refused(name):
    """With line, column and what to do."""
    text, message = REFUSED[name]
    with pytest.raises(MalformedFile) as caught:
        Manifest(text, ".flox/env/manifest.toml")
    assert caught.value.message.startswith(f".flox/env/manifest.toml:{message}")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("\"a'''b\"", "3:15: hook.on-activate would have to become a ''' string, which can't hold '''"),
        (
            '"a\\u0007b"',
            "3:15: hook.on-activate would have to become a ''' string, which can't hold control characters",
        ),
        ('"a\\r\\nb"', "3:15: hook.on-activate would have to become a ''' string, which can't hold control characters"),
        (
            '"a\\u007fb"',
            "3:15: hook.on-activate would have to become a ''' string, which can't hold control characters",
        ),
    ],
)
def test_a_text_that_no_literal_string_holds_is_refused(script, message):
    """A ''' or a control character in a string that would have to be rewritten."""
    with pytest.raises(MalformedFile) as caught:
        with_all(f"version = 1\n[hook]\non-activate = {script}\n", {HOOK: BLOCK})
    assert caught.value.message.startswith(f"manifest.toml:{message}")


def test_a_place_that_cannot_be_had_is_refused():
    """An array of tables where a table should be: nothing is guessed."""
    with pytest.raises(EnvrefError, match="hook is not a table"):
        Manifest("version = 1\n[[hook]]\n", "m")


@pytest.mark.parametrize("known", ["1.10.0", "1.13.0", "1.19.0"])
def test_schemas_that_flox_has_pass(known):
    """Without a warning."""
    assert Manifest(f"schema-version = '{known}'\n", "m").warnings == []


def test_a_newer_schema_is_a_warning():
    """It is used as it is."""
    edited = with_all(KEPT["a newer schema"], {HOOK: BLOCK})
    assert edited.warnings == ["manifest.toml: schema-version is newer than the newest that envref knows (1.19.0)"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("version = 1  # why\n[vars]\n", 'schema-version = "1.14.0"  # why\n[vars]\n'),
        ("'version' = 1\n", 'schema-version = "1.14.0"\n'),
        ("[vars]\nversion = 'x'\n[hook]\n", None),
        ("schema-version = '1.10.0' # x\n", 'schema-version = "1.14.0" # x\n'),
        ("schema-version = '1.14.0'\n", "schema-version = '1.14.0'\n"),
        ("schema-version = '1.16.0'\n", "schema-version = '1.16.0'\n"),
    ],
)
def test_a_schema_is_raised_in_its_place_and_never_lowered(before, after):
    """`version = 1` becomes `schema-version`, comments stay."""
    if after is None:
        with pytest.raises(MalformedFile):
            Manifest(before, "m")
        return
    assert valid(Manifest(before, "m").with_schema(PLUGINS_SINCE)) == after


def test_an_edit_that_changes_more_is_refused():
    """Whatever text a caller makes, only what it announced may differ."""
    before = "version = 1\n[vars]\nA = 'b'\n"
    with pytest.raises(EnvrefError, match=r"would change more than its own lines here; nothing was changed"):
        Manifest(before, "m").with_text(before.replace("'b'", "'other'"), below=[("install",)])


# A manifest of any shape: pieces that are valid in any order below `version = 1`.
TABLES = {
    "[vars]\nA = 'b'\n": "vars",
    '[install]\nx.pkg-path = "x" # [hook]\n': "install",
    "[hook]\n": "hook",
    "[hook]\n# c\n\n": "hook",
    "[hook]\non-activate = '''\n  echo '[hook]'\n  '''\n": "hook",
    "[hook] # x\non-activate = '''a'''": "hook",
    "[profile]\ncommon = '''\n[profile]\n'''\n": "profile",
    "[profile]\nbash = '''\n\n'''\nfish = '''\n  x'''\n\n": "profile",
    "[build.x]\ncommand = '''\n[hook]\non-activate = 1'''\n": "build",
    "[options]\n\n": "options",
}
PIECES = st.lists(st.sampled_from(sorted(TABLES)), unique_by=TABLES.get).map(
    lambda pieces: "\n".join(["version = 1 # v", *(piece.rstrip("\n") for piece in pieces)])
)


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(PIECES, st.sampled_from(["", "\n", "\n\n"]))
def test_any_manifest_gets_its_bytes_back(text, end):
    """Hook and profile blocks in and out, in any file; out also of one that became CRLF."""
    before = text + end
    for blocks in ({HOOK: BLOCK}, PROFILED):
        edited = with_all(before, blocks)
        assert str(with_all(str(edited), blocks)) == str(edited)
        assert without_all(edited) == before
        crlf = str(edited).replace("\n", "\r\n")
        assert without_all(Manifest(crlf, "m")) == before.replace("\n", "\r\n")


def test_a_fault_is_counted_from_the_first_character():
    """A line end is on the line that it ends."""
    manifest = Manifest("\n\nversion = 1\n", "m")
    places = [str(manifest.fault(offset, "x")) for offset in (0, 1, 2, 4)]
    assert places == ["m:1:1: x", "m:2:1: x", "m:3:1: x", "m:3:3: x"]


def test_entries_of_a_plugin_go_in_and_out():
    """Those between the markers of their kind, and no others; putting them in again changes nothing."""
    empty = Manifest('schema-version = "1.14.0"\n[plugins.envref]\nMINE = "ref://a/mine"\n', "m")
    assert empty.entries("plugin") == {}
    entries = {"A": "ref://a/a", "B": "ref://a/b"}
    full = empty.with_entries("plugin", entries, "test")
    assert (full.entries("plugin"), full.entries("import")) == (entries, {})
    assert tomllib.loads(str(full))["plugins"]["envref"] == {"MINE": "ref://a/mine", **entries}
    assert str(full.with_entries("plugin", entries, "test")) == str(full)
    both = full.with_entries("import", {"C": "ref://a/c"}, "test")
    assert str(both).partition("# >>> envref import")[0] == str(full).partition("MINE")[0]  # right behind the other
    assert (both.entries("plugin"), both.entries("import")) == (entries, {"C": "ref://a/c"})
    assert str(full.with_entries("plugin", {}, "test")) == str(full.without_entries("plugin")) == str(empty)


def test_a_fault_without_a_place_is_at_the_start(monkeypatch):
    """tomlkit names no place for some; one at the end of the file is behind its last character."""
    for text, place in (("version = 1\nx = '''ab", "2:10"), ("version = 1\nx = '''ab\n", "3:1")):
        with pytest.raises(MalformedFile, match=rf"^m:{place}: not valid TOML: "):
            Manifest(text, "m")

    def refuse(_text):
        raise TOMLKitError('Key "x" already exists.')

    monkeypatch.setattr("envref.flox.toml_text.is_kept", refuse)
    with pytest.raises(MalformedFile, match=r'^m:1:1: not valid TOML: key "x" already exists\.$'):
        Manifest("version = 1\n\n", "m")


def test_a_text_that_would_not_be_kept_is_refused(monkeypatch):
    """With what to do instead."""
    monkeypatch.setattr("envref.flox.toml_text.is_kept", lambda _text: False)
    with pytest.raises(EnvrefError, match=r"^m: envref would change more than its own lines here; nothing was chang"):
        Manifest("version = 1\n", "m")


@pytest.mark.parametrize("character", [*map(chr, range(33)), *map(chr, range(126, 161)), "\u2028", "é"])
def test_every_control_character_is_refused_and_no_other(character):
    """But for tab and line feed, which a ''' string holds."""
    text = f'version = 1\n[hook]\non-activate = "a\\u{ord(character):04x}b"\n'
    if character not in "\t\n" and (character < " " or character == "\x7f"):
        with pytest.raises(MalformedFile, match="control characters"):
            with_all(text, {HOOK: BLOCK})
    else:
        assert f"a{character}b" in tomllib.loads(str(with_all(text, {HOOK: BLOCK})))["hook"]["on-activate"]


def test_what_has_its_block_already_is_not_written_anew():
    """Whatever kind of string it is in, and whatever else that holds."""
    for script in (f"{BLOCK}\n'''\n", f"\a\n{BLOCK}\n"):
        text = f"version = 1\n[hook]\non-activate = {json.dumps(script)}\n"
        assert str(with_all(text, {HOOK: BLOCK})) == text


FIRST, LAST = '# >>> envref plugin v1 >>> generated by "x"', "# <<< envref plugin v1 <<<"
TABLED = 'schema-version = "1.14.0"\n[plugins.envref]\n'
MARKED = {
    "begun twice": ((FIRST, FIRST, LAST), "4:1: envref's marker is here a second time; delete one"),
    "ended twice": ((FIRST, LAST, LAST), "5:1: envref's marker is here a second time; delete one"),
    "twice": ((FIRST, LAST, "", FIRST, LAST), "6:1: envref's marker is here a second time; delete one"),
    "never ended": (("A = 'b'", FIRST), "4:1: this marker of envref has no partner; delete it by hand"),
    "never begun": (("", "", LAST), "5:1: this marker of envref has no partner; delete it by hand"),
    "turned round": ((LAST, FIRST), "4:1: this marker of envref has no partner; delete it by hand"),
}


@pytest.mark.parametrize("case", MARKED)
def test_markers_of_a_table_that_make_no_block_are_refused(case):
    """Each of them with its place, before anything is edited."""
    lines, told = MARKED[case]
    found = Manifest(TABLED + "\n".join(lines) + "\n", "m")
    for edit in (
        lambda: found.entries("plugin"),
        lambda: found.with_entries("plugin", {"A": "ref://a/a"}, "x"),
        lambda: found.without_entries("plugin"),
    ):
        with pytest.raises(MalformedFile) as caught:
            edit()
        assert caught.value.message == f"m:{told}"
    assert found.entries("import") == {}


def test_a_table_that_envref_made_goes_with_its_entries():
    """And stays where its owner has something in it; the other kind's block goes behind this one."""
    for before in ('schema-version = "1.14.0"\n', TABLED, TABLED + "MINE = 'x'\n", 'schema-version = "1.14.0"'):
        edited = Manifest(before, "m")
        for kind in ("import", "plugin"):
            edited = edited.with_entries(kind, {f"OF_{kind}": "ref://a/a"}, "x")
        text = str(edited)
        assert (
            text.index("envref import v1 >>>") < text.index("envref import v1 <<<") < text.index("envref plugin v1 >>>")
        )
        assert text.count("[plugins.envref]") == 1
        after = str(edited.without_entries("plugin").without_entries("import"))
        assert after == ('schema-version = "1.14.0"\n' if before == TABLED else before)
        assert str(edited.without_entries("import").without_entries("plugin")) == after


def test_a_table_that_is_written_otherwise_is_not_written_to():
    """Its place is told."""
    found = Manifest('schema-version = "1.14.0"\nplugins = { envref = { MINE = "x" } }\n', "m")
    with pytest.raises(MalformedFile) as caught:
        found.with_entries("plugin", {"A": "ref://a/a"}, "x")
    assert caught.value.message == "m:2:22: envref writes to a table of its own; write it as [plugins.envref]"
