"""Functions of the user's own shell that call shims: an activation within another puts its programs before the shims.

A function is found before PATH is looked at. One that the user has of that name stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.paths import SHIMS

if TYPE_CHECKING:
    from collections.abc import Iterable

# `function NAME` because an alias of that name would be expanded before `NAME()`. {path} is the shim, quoted.
_DEFINE = {
    "bash": 'case "$(declare -f -- {tool})" in "" | *{folder}*) function {tool} {{ command {path} "$@"; }} ;; esac\n',
    "zsh": 'case "${{functions[{tool}]-}}" in "" | *{folder}*) function {tool} {{ command {path} "$@"; }} ;; esac\n',
    "fish": "if not functions -q {tool}; or string match -q '*{folder}*' -- (functions {tool})\n"
    "    function {tool}; command {path} $argv; end\nend;\n",
    "tcsh": "alias {tool} {path};\n",
}


def define(shell: str, tools: Iterable[str], directory: str) -> str:
    """Code that defines them; empty for a shell that has none here."""
    form = _DEFINE.get(shell, "")
    return "".join(form.format(tool=tool, folder=SHIMS, path=quoted(shell, f"{directory}/{tool}")) for tool in tools)


def quoted(shell: str, path: str) -> str:
    """The path as one word of that shell. Its bytes stay: dash, which may be sh, does not know `$'…'`."""
    if shell == "fish":
        return "'" + path.replace("\\", "\\\\").replace("'", "\\'") + "'"
    quoted = "'" + path.replace("'", "'\\''") + "'"
    return quoted.replace("!", "'\\!'") if shell == "tcsh" else quoted
