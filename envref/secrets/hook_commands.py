"""The commands in a Flox manifest's scripts that put a secret into a variable: `export NAME=$(PROGRAM …)`.

The forms are those of Flox's page on secrets (flox/floxdocs, docs/concepts/secrets-management.md, 2026).
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from envref.secrets.claim import Claim
from envref.secrets.toml_file import parsed, table

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXPORTED = re.compile(r"""^\s*(?:export\s+)?([A-Za-z_]\w*)=(["']?)(?:\$\((?P<new>.*)\)|`(?P<old>.*)`)\2\s*(?:#.*)?$""")
_WHOEVER_ASKS = ("$USER", "${USER}", "$LOGNAME")  # a store knows its user
_SHELL = frozenset("|;&<>`")


def claims(text: str, name: str, _profile: str | None) -> Iterator[Claim]:
    """What the hook and the profile scripts export. MalformedFile for what is not TOML."""
    data = parsed(text, name)
    scripts = [table(data, "hook").get("on-activate"), *table(data, "profile").values()]
    for script in scripts:
        for line in script.replace("\\\n", " ").splitlines() if isinstance(script, str) else ():
            match = _EXPORTED.match(line)
            if match:
                yield _claim(match[1], match["new"] or match["old"] or "")


def _claim(name: str, command: str) -> Claim:
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words or _SHELL & set(command.replace("\\|", "")) or "$(" in command:
        return Claim(name, reason="its command is more than one program's call")
    if any("$" in word and word not in _WHOEVER_ASKS for word in words):
        return Claim(name, reason="its command depends on another variable")
    return Claim(name, said={"command": "\0".join(words)}, reason="no store of envref knows the command")
