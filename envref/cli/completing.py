"""The hot door of completion: bash asks for the commands that begin with a word. click answers everything else."""

from __future__ import annotations

from envref import streams
from envref.cli.summaries import SECTIONS
from envref.errors import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz-")


def parse(environment: Mapping[str, str]) -> str | None:
    """The beginning of a command's name that bash's script of `envref completion` asks about; None for anything else.

    The variables are click's: what is asked, the line's words, and the place of the one at the cursor.
    """
    if environment.get("_ENVREF_COMPLETE") != "bash_complete" or environment.get("COMP_CWORD") != "1":
        return None
    program, _, word = environment.get("COMP_WORDS", "").partition(" ")
    return word if program == "envref" and _LETTERS.issuperset(word) and word[:1] != "-" else None


def complete(beginning: str) -> int:
    """Writes the commands as bash's script reads them."""
    names = sorted(name for commands in SECTIONS.values() for name in commands if name.startswith(beginning))
    streams.write("\n".join([f"plain,{name}" for name in names]) + "\n")
    return OK
