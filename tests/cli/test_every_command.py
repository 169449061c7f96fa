"""What holds for every command that there is."""

from __future__ import annotations

import inspect
import re

import pytest

from envref.cli.commands import COMMANDS
from envref.cli.summaries import SECTIONS
from tests.cli.subcommands import commands, leaves
from tests.transcripts import PAGES, steps

EVERY = pytest.mark.parametrize("words", list(leaves()))
SESSIONS = "\n".join(step.command for page in PAGES for step in steps(page))


@EVERY
def test_a_transcript_shows_it(words):
    """Some page of the documentation or of the tests runs it and shows what it prints."""
    assert re.search(rf"envref (-\S+ )*{re.escape(words)}\b", SESSIONS)


@EVERY
def test_its_help_has_an_example(words, project):
    """`--help` says what it does, and one use of it to copy."""
    done = project.envref(*words.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"envref {words}" in done.stdout.partition("Example:")[2]


def test_the_help_lists_every_command_by_the_first_sentence_of_its_own():
    """Each once, whole; who adds a command or rewords one says it there too."""
    listed = [(name, text) for summaries in SECTIONS.values() for name, text in summaries.items()]
    own = {name: command for name, command in commands() if name in COMMANDS}
    assert sorted(listed) == sorted((name, _first_sentence(command.help)) for name, command in own.items())
    assert len(listed) == len(COMMANDS)


def _first_sentence(text):
    paragraph = " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
    return re.split(r"(?<=\.) ", paragraph)[0]


def test_a_command_takes_its_options_by_name():
    """No `**flags`: each is a parameter, typed as its option, so that the type check finds one that is not there."""
    wrong = [words for words, command in commands() if _taken(command) != _given(command)]
    assert wrong == []


def _taken(command):
    """Name, and whether it is a flag, of each parameter of the function; `*` and `**` show in the names."""
    parameters = inspect.signature(command.callback).parameters.values()
    return {str(each).partition(":")[0]: each.annotation == "bool" for each in parameters if "Context" not in str(each)}


def _given(command):
    """The same of each option and argument that click hands over."""
    return {each.name: getattr(each, "is_flag", False) for each in command.params if each.expose_value}
