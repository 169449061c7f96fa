"""Which variables no block in a manifest sets (flox.md 6.1, property 9)."""

from __future__ import annotations

from envref.dangerous import is_dangerous
from envref.shells import is_evaluated, is_shell_name

# Flox replays what a hook exported into the user's own shell, where these are not variables like any other:
# read-only, or tied to another one (`path` is PATH in zsh).
_SPECIAL = frozenset(
    """
    _ argv cdpath cwd dirstack euid fignore fpath gid histchars history home hostname keymap mailpath manpath
    module_path options owd path pipestatus pgid prompt prompt2 prompt3 psvar shell signals status tcsh term tty uid
    umask user version watch
    COMP_WORDBREAKS DIRSTACK FUNCNAME GROUPS HISTCMD EUID OLDPWD OPTARG PIPESTATUS PPID PWD REPLY UID
    """.split()  # noqa: SIM905  # a list would take a line a name
)
_RESERVED = {
    "ENVREF_": "it is envref's own",
    "_envref": "it is the block's own",
    "FLOX_": "it is Flox's own",
    "_FLOX_": "it is Flox's own",
    "BASH": "it is bash's own",
    "FISH_": "it is fish's own",
    "fish_": "it is fish's own",
    "zsh_": "it is zsh's own",
    "ZSH_": "it is zsh's own",
}


def fault(name: str, value: str = "") -> str:
    """Why no block may set the variable, and what to do; empty where it may.

    `value` is empty where it is not known before a store was asked.
    """
    if not is_shell_name(name):
        return "no shell has variables of this name; use letters, digits and _ only"
    if is_dangerous(name, value):
        return "it would run code or redirect credentials of every program; set it by hand where it is needed"
    reason = next((reason for prefix, reason in _RESERVED.items() if name.startswith(prefix)), "")
    if not value and is_evaluated(name):
        reason = "shells would evaluate its value as arithmetic"
    if name in _SPECIAL:
        reason = "it is special to a shell"
    return f"{reason}; use another name" if reason else ""
