"""Names that no block in a manifest may set, and why (flox.md 6.1, property 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.env.file import is_shell_name
from envref.errors import MalformedFile, Problem
from envref.formats.shells import is_evaluated
from envref.project.trust.dangerous import leads_every_program
from envref.refs.reference import SCHEME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envref.env.file import Entry

# Flox replays what a hook exported into the user's own shell, where these are not variables like any other:
# read-only, or tied to another one (in zsh `path` is PATH, and USERNAME is who you are).
_SPECIAL = frozenset(
    """
    _ aliases argv builtins cdpath commands cwd dirstack fignore fpath funcstack functions galiases histchars history
    hostname jobdirs jobstates jobtexts keymaps mailpath manpath module_path modules nameddirs options owd parameters
    patchars path pipestatus prompt psvar reswords saliases signals status termcap terminfo umask userdirs version watch
    widgets
    BASH BASHOPTS BASHPID COMP_WORDBREAKS DIRSTACK EGID EUID FUNCNAME GID GROUPS HISTCMD OLDPWD OPTARG PIPESTATUS PPID
    PWD REPLY SHLVL UID USERNAME
    """.split()  # noqa: SIM905  # a list would take a line a name
)
_RESERVED = {
    "ENVREF_": "it is envref's own",
    "_envref": "it is the block's own",
    "FLOX_": "it is Flox's own",
    "_FLOX_": "it is Flox's own",
    "BASH_": "it is bash's own",
    "FISH_": "it is fish's own",
    "fish_": "it is fish's own",
    "__fish_": "it is fish's own",
    "zsh_": "it is zsh's own",
    "ZSH_": "it is zsh's own",
}


def check(entries: Iterable[Entry], *, undone: bool = False) -> None:
    """Raises MalformedFile with every variable that must not be loaded; `undone` means that a block unsets them later.

    A plain value that runs code or redirects a credential passes, unless it is unset: trust asks about it each time.
    """
    faults = [(entry, fault) for entry in entries if (fault := _fault_of(entry, undone=undone))]
    if faults:
        raise MalformedFile(
            [Problem(entry.file, entry.line, entry.column, f"{entry.name}: {fault}") for entry, fault in faults]
        )


def exported(entries: Iterable[Entry]) -> list[str]:
    """The names that a shell accepts; `resolve --export` leaves the others out, with a warning."""
    return [entry.name for entry in entries if is_shell_name(entry.name)]


def fault(name: str, value: str = "") -> str:
    """Why no block may set the variable, and what to do; empty if a block may.

    `value` is empty if it is unknown until a store is asked.
    """
    if not is_shell_name(name):
        return "no shell has variables of this name; use letters, digits and _ only"
    if leads_every_program(name, value):
        return "it would run code or redirect credentials of every program; set it by hand where it is needed"
    return _reserved(name, value)


def _fault_of(entry: Entry, *, undone: bool) -> str:
    if entry.text.startswith(SCHEME) or "${" + SCHEME in entry.text:
        return fault(entry.name)
    if undone and is_shell_name(entry.name):
        return fault(entry.name, entry.text)
    return _reserved(entry.name, entry.text)


def _reserved(name: str, value: str) -> str:
    reason = next((reason for prefix, reason in _RESERVED.items() if name.startswith(prefix)), "")
    if not value and is_evaluated(name):
        reason = "shells would evaluate its value as arithmetic"
    if name in _SPECIAL:
        reason = "it is special to a shell"
    return f"{reason}; use another name" if reason else ""
