"""The texts of the blocks, and how a block gets into a script and out again."""

from __future__ import annotations

import re
import subprocess

import hypothesis
import pytest
from hypothesis import strategies as st

from envref.flox import block
from envref.flox.block import SHELLS
from tests.requirements import first_python, need

pytestmark = first_python

OPTIONS = [{}, {"profile": "staging"}, {"strict": True}, {"profile": "staging", "strict": True}]
ENDINGS = ["", " --profile staging", " --strict", " --profile staging --strict"]
UNDO = {shell: block.undo(shell, ["GH_TOKEN", "DATABASE_URL"]) for shell in SHELLS}
TEXTS = {
    "hook": block.hook(),
    "hook-strict": block.hook(profile="a-b", strict=True),
    **{f"profile-{shell}": block.in_profile(shell) for shell in SHELLS},
    **{f"profile-{shell}-strict": block.in_profile(shell, profile="x", strict=True) for shell in SHELLS},
    **{f"undo-{shell}": text for shell, text in UNDO.items()},
}
READS_ONLY = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"], "tcsh": ["tcsh", "-n"]}

# Two and three lines of a script that a block may meet: with and without indentation, blank, of blanks, of tabs.
LINES = st.lists(
    st.sampled_from(["", " ", "  ", "\t", "echo hi", "  echo hi", "    # x", "\techo", "a\r", "\r"]), max_size=5
)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_survives_flox_and_toml(name):
    """Spaces only, ASCII only, no here-document, no ''', one pair of markers, no line end after the last."""
    text = TEXTS[name]
    assert text.isascii()
    assert not re.search(r"\t|\r|\0|<<-?['\"\w]|'''|[ \t]$", text, re.MULTILINE)
    assert block.find(text) == (0, text.count("\n"), name.partition("-")[0].replace("undo", "profile"))
    assert "\n\n" not in text


@pytest.mark.parametrize("shell", ["hook", *SHELLS])
def test_options_change_the_call_and_the_last_test_only(shell):
    """-P and --strict go behind the arguments of `envref resolve`, in this order; the hook's test becomes `false`."""
    make = block.hook if shell == "hook" else lambda **options: block.in_profile(shell, **options)
    plain = make().split("\n")
    for options, ending in zip(OPTIONS, ENDINGS, strict=True):
        changed = [(a, b) for a, b in zip(plain, make(**options).split("\n"), strict=True) if a != b]
        calls = [pair for pair in changed if "resolve" in pair[0]]
        assert all(b.replace(ending, "", 1) == a for a, b in calls)
        assert len(calls) == bool(ending)
        tests = [pair for pair in changed if pair not in calls]
        assert {b.strip() for _, b in tests} == ({"false"} if shell == "hook" and "strict" in options else set())


def test_the_undo_names_the_variables():
    """By literal names, in the words of each shell: envref is no longer on PATH then."""
    assert {shell: text.split("\n")[1] for shell, text in UNDO.items()} == {
        "bash": "unset GH_TOKEN DATABASE_URL",
        "zsh": "unset GH_TOKEN DATABASE_URL",
        "fish": "set -e GH_TOKEN; set -e DATABASE_URL",
        "tcsh": "unsetenv GH_TOKEN; unsetenv DATABASE_URL",
    }


@pytest.mark.parametrize("name", TEXTS)
def test_its_shell_can_read_it(name, tmp_path):
    """The real shell parses the block, and says nothing."""
    shell = next((shell for shell in SHELLS if shell in name), "bash")
    need(shell)
    script = tmp_path / "script"
    script.write_text(TEXTS[name] + "\n")
    done = subprocess.run([*READS_ONLY[shell], script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "name", [name for name in TEXTS if "zsh" not in name and "fish" not in name and "tcsh" not in name]
)
def test_shellcheck_has_nothing_to_say(name):
    """No finding of any severity in what bash runs."""
    done = subprocess.run(
        [need("shellcheck"), "--shell=bash", "-"],
        input=TEXTS[name] + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_shellcheck_can_find_something():
    """The check above would see a fault."""
    need("shellcheck")
    broken = block.hook().replace('eval "$_envref_out"', "eval $_envref_out")
    done = subprocess.run(
        ["shellcheck", "--shell=bash", "-"], input=broken, capture_output=True, text=True, timeout=60, check=False
    )
    assert "SC2086" in done.stdout


@hypothesis.settings(deadline=None)
@hypothesis.given(LINES)
def test_out_again_leaves_what_was_there(lines):
    """Byte for byte, whatever stood around, with and without a last line end; a second time changes nothing."""
    script = "\n".join(lines)
    with_block = block.put(script, block.hook())
    assert block.take(with_block) == script
    assert block.put(with_block, block.hook()) == with_block
    other = block.put(with_block, block.hook(strict=True))
    assert "false" in other
    assert block.take(other) == script


@pytest.mark.parametrize(
    ("script", "indentation"),
    [
        ("echo\n", 0),
        ("    echo\n", 4),
        ("    if x; then\n      y\n    fi\n  ", 4),
        ("  a\n b\n", 1),
        ("\techo\n", 0),
        ("", 0),
    ],
)
def test_it_is_indented_as_its_surroundings(script, indentation):
    """As the least indented line, so that what Flox cuts off every line stays the same."""
    lines = block.put(script, block.hook()).split("\n")
    own = [line for line in lines if line.strip() in block.hook().replace("  ", "").split("\n") or ">>>" in line]
    assert min(len(line) - len(line.lstrip(" ")) for line in own) == indentation


def test_a_block_that_was_indented_by_hand_is_no_other_block():
    """Its own indentation counts, whatever was written around it since."""
    script = "\n".join("      " + line for line in block.hook().split("\n"))
    assert block.put("a\n" + script + "\nb\n", block.hook()) == "a\n" + script + "\nb\n"


def test_a_block_that_got_carriage_returns_is_written_anew():
    """bash finds a syntax error in such a block and loads nothing; put again, it is one that bash can read."""
    crlf = f"a\r\n{block.hook()}\nb\n".replace("\n", "\r\n").replace("\r\r", "\r")
    assert subprocess.run(["bash", "-n"], input=crlf.encode(), capture_output=True, check=False).returncode != 0
    again = block.put(crlf, block.hook())
    assert again == f"a\r\n{block.hook()}\nb\r\n"
    assert subprocess.run(["bash", "-n"], input=again.encode(), capture_output=True, check=False).returncode == 0


BEGIN, END = '# >>> envref hook v1 >>> generated by "x"', "# <<< envref hook v1 <<<"


@pytest.mark.parametrize(
    ("lines", "number", "text"),
    [
        (["a", BEGIN], 1, "begins and never ends"),
        ([BEGIN, "a", BEGIN, END, END], 2, "begins inside another one"),
        ([BEGIN, END, "a", BEGIN, END], 3, "a second block"),
        (["a", f"  {END}"], 1, "ends that never began"),
        ([BEGIN, "# <<< envref native v1 <<<"], 1, "ends that never began"),
    ],
)
def test_markers_that_make_no_block_are_refused(lines, number, text):
    """Unbalanced, nested or doubled, with the line."""
    with pytest.raises(block.BrokenMarkers, match=text) as caught:
        block.find("\n".join(lines))
    assert caught.value.line == number


def test_no_block_is_no_fault():
    """Comments that look alike are none of ours."""
    assert block.find("# >>> conda initialize >>>\n# <<< conda initialize <<<\n") is None
    assert block.take("a\n") == "a\n"


@pytest.mark.parametrize(
    ("script", "with_block"),
    [
        ("", "\nB"),
        ("a", "a\nB"),
        ("a\n", "a\nB\n"),
        ("a\n  ", "a\nB\n  "),
        ("a\nb\n", "a\nb\nB\n"),
        (" \t", " \t\nB"),
        ("  a\n", "  a\n  B\n"),
    ],
)
def test_where_a_block_is_put(script, with_block):
    """After the last line; before one of blanks only, which stands before the closing quotes."""
    assert block.put(script, "B") == with_block
