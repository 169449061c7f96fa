"""functions: a shell's own functions that call shims; each shell reads the path back."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from envref.tools.functions import define, quoted
from tests.requirements import first_python

PLACE = "/tmp/it's a !\\ $place"


@first_python
@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh", "fish", "tcsh"])
def test_a_path_is_one_word_of_the_shell(shell):
    """Byte for byte."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    code = f"printf %s {quoted(shell, PLACE)}"
    arguments = ["-f", "-c"] if shell in ("zsh", "tcsh") else ["-c"]
    done = subprocess.run([shell, *arguments, code], capture_output=True, text=True, check=True)
    assert done.stdout == PLACE


def test_each_tool_has_one():
    """In the shells that have them here; none in another."""
    assert define("tcsh", ["a", "b"], "/s") == "alias a '/s/a';\nalias b '/s/b';\n"
    assert define("bash", ["a", "b"], "/s").count("command '/s/") == 2
    assert define("nu", ["a"], "/s") == ""
