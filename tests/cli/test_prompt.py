"""`envref completion --prompt`: the segment in the shells themselves, with somebody who types."""

from __future__ import annotations

import re

import pytest

from envref.cli import prompt_segment
from envref.env.file import reserved
from envref.fresh import stamp
from envref.project.trust.dangerous import is_dangerous
from envref.tools import lookup
from tests.cli.terminal import Terminal
from tests.requirements import first_python, need

SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
STARTS = {
    "bash": "PS1='> '; bind 'set enable-bracketed-paste off'; PROMPT_COMMAND='true;'",
    "zsh": "PROMPT='> '; unsetopt zle_bracketed_paste",
    "fish": "function fish_prompt; test $status -eq 0; and echo -n '> '; or echo -n '1> '; end",
}
SET = {"bash": "export {}={}", "zsh": "export {}={}", "fish": "set -gx {} {}"}
UNSET = {"bash": "unset ENVREF_SEEN", "zsh": "unset ENVREF_SEEN", "fish": "set -e ENVREF_SEEN"}


class Typing:
    """A shell with the segment, and an `envref` that writes down each call and says how many are old."""

    def __init__(self, project, tmp_path, shell, script):
        self.shell = shell
        self.calls = tmp_path / "calls"
        self.count = tmp_path / "count"
        self.calls.write_text("")
        (tmp_path / "segment").write_text(f"{STARTS[shell]}\n{script}\n{script}")  # twice: somebody sources it again
        self.terminal = Terminal(project.path, *SHELLS[shell][1:], program=[need(shell)])
        self.number = 0
        self.type(f"source {tmp_path / 'segment'}")

    def type(self, line):
        """What the terminal shows since the output of the last line: the prompt, the line, its own output."""
        before = self.terminal.output.rfind(f"DONE{self.number}\r\n")
        self.number += 1
        self.terminal.type(f"{line}; echo D''ONE{self.number}\n")
        self.terminal.await_text(f"DONE{self.number}\r\n")
        return self.terminal.output[max(before, 0) :]

    def shows(self, text):
        """Whether the prompt, after one more, has the text."""
        self.type("true")
        return text in self.type("true")

    def asked(self):
        return self.calls.read_text().splitlines()

    def end(self):
        self.terminal.type("exit\n")
        self.terminal.end()


@pytest.fixture
def typing(project, tmp_path, monkeypatch):
    """Starts a Typing; the double of envref is on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "envref"
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\ncat {tmp_path}/count\n')
    program.chmod(0o755)
    (tmp_path / "count").write_text("2\n")
    monkeypatch.setenv("ENVREF_SEEN", "1 here - A=vault@1")
    started = []

    def start(shell, *arguments):
        script = project.envref("completion", "--prompt", shell, *arguments)
        assert (script.returncode, script.stderr) == (0, "")
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        started.append(Typing(project, tmp_path, shell, script.stdout))
        return started[-1]

    yield start
    for each in started:
        each.end()


@first_python
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("is_new", [True, False], ids=["no stamp yet", "a stamp"])
def test_a_prompt_asks_only_when_something_was_written(typing, shell, is_new):
    """At the first prompt with values, and at each touch; not at others, nor when values were just given."""
    if not is_new:
        stamp.touch()
    here = typing(shell)
    assert here.shows("[2 old] > ")
    assert here.asked() == ["stale --count --timeout 3"]
    stamp.touch()
    here.count.write_text("0\n")
    assert not here.shows("old] ")
    assert len(here.asked()) == 2
    here.count.write_text("1\n")
    stamp.touch()
    assert here.shows("[1 old] > ")
    assert here.shows("[1 old] > ")
    assert len(here.asked()) == 3
    here.type(SET[shell].format("ENVREF_SEEN", "other"))
    assert not here.shows("old] ")
    here.type(UNSET[shell])
    stamp.touch()
    assert not here.shows("old] ")
    assert len(here.asked()) == 3


@first_python
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("answer", ["", "no number\n", "1 old\n", "a[$(touch evil)]\n", "-1\n"])
def test_what_is_no_number_shows_nothing(typing, project, shell, answer):
    """An error of envref's, or another program of that name: nothing is evaluated."""
    stamp.touch()
    here = typing(shell)
    here.count.write_text(answer)
    stamp.touch()
    here.type("true")
    assert not here.shows(" old] ")
    assert not (project.path / "evil").exists()


@first_python
@pytest.mark.parametrize("shell", SHELLS)
def test_a_question_that_failed_is_asked_again_in_the_project(typing, project, shell):
    """Elsewhere envref can't tell, and somebody wrote meanwhile. It is not asked in each other directory."""
    stamp.touch()
    here = typing(shell)
    assert here.shows("[2 old] > ")
    here.count.write_text("")
    here.type("cd /")
    stamp.touch()
    assert not here.shows(" old] ")
    here.type("cd /usr")
    here.type("cd /usr/bin")
    here.type("true")
    assert len(here.asked()) == 2
    here.count.write_text("3\n")
    (project.path / "sub").mkdir()
    here.type(f"cd {project.path / 'sub'}")
    assert here.shows("[3 old] > ")
    here.type(f"cd {project.path}")
    assert here.shows("[3 old] > ")
    assert len(here.asked()) == 3


@first_python
@pytest.mark.parametrize("shell", SHELLS)
def test_a_prompt_asks_again_after_a_time(typing, shell):
    """--every is the user's choice: without it nothing asks by itself."""
    here = typing(shell, "--every", "1s")
    for _ in range(3):
        here.type("sleep 1.1")
    here.type("true")
    assert len(here.asked()) >= 3


@first_python
@pytest.mark.parametrize("shell", SHELLS)
def test_the_status_of_a_command_stays(typing, shell):
    """`$?` in a prompt and after it is that of the command, not of the segment."""
    here = typing(shell)
    stamp.touch()
    here.terminal.type("false\n")
    status = "$status" if shell == "fish" else "$?"
    assert f"status 1{chr(13)}" in here.type(f"echo status {status}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--prompt", "tcsh"], 'unsupported shell "tcsh": --prompt has one of bash, zsh, fish'),
        (["--prompt", "bash", "zsh"], "--prompt names the shell already"),
        (["--prompt", "bash", "--install"], "if any flags in the group [install prompt] are set"),
        (["--every", "5m"], "--every needs --prompt\n  run: envref completion --prompt bash --every 5m\n"),
        (
            ["--prompt", "bash", "--every", "0s"],
            'invalid duration "0s": must be a number with s, m, h or d, at most 7d',
        ),
        (["--prompt", "bash", "--every", "1;id"], 'invalid duration "1;id"'),
    ],
)
def test_a_wrong_question(project, arguments, said):
    """A usage error, and nothing to evaluate."""
    done = project.envref("completion", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}")


@pytest.mark.parametrize("shell", prompt_segment.SHELLS)
def test_no_file_sets_what_the_segment_keeps(shell):
    """One that set `_envref_every` was evaluated as arithmetic by bash, which runs what stands in a subscript."""
    script = prompt_segment.segment(shell, 0)
    own = set(re.findall(r"^ *(?:local|set -l) ([^;\n]*)", script, re.MULTILINE))
    local = {word.partition("=")[0] for words in own for word in words.split()} | {"files"}
    kept = {*re.findall(r"(?:^|[\s(])(\w+)=", script), *re.findall(r"set -g (\w+)", script)} - local
    assert {name for name in kept if "envref" in name}
    assert [name for name in sorted(kept) if not (reserved(name) or is_dangerous(name))] == []


def test_no_file_sets_what_tells_envref_s_children_anything():
    """With `_ENVREF_COMPLETE` each later call would print words to complete, and succeed."""
    assert all(reserved(name) for name in (lookup.MARK, lookup.ASKED, "_ENVREF_COMPLETE", "ENVREF_SEEN"))
