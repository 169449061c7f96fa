"""Which variables a block may load: not those that a shell, Flox or the loader gives a meaning (flox.md 6.1, rule 9)."""

from __future__ import annotations

from collections.abc import Iterable

from envref.dangerous import is_dangerous
from envref.envfile import Entry
from envref.errors import MalformedFile, Problem
from envref.reference import SCHEME
from envref.shells import is_shell_name

# Read-only, or tied to something else than their value, in bash, zsh, fish or tcsh: Flox hands what a hook exports to
# all four. `export path=…` in zsh is the end of PATH.
_SHELL = frozenset(
    """
    _ argv aliases builtins cdpath commands cwd dirstack fignore fpath functions funcstack galiases histchars history
    historywords hostname jobdirs jobstates jobtexts keymaps mailpath manpath module_path modules nameddirs options
    parameters patchars path pipestatus precmd prompt psvar reswords saliases signals status termcap terminfo umask
    userdirs usergroups version watch widgets zle_bracketed_paste zsh_eval_context zsh_scheduled_events
    BASHOPTS EGID EUID FISH_VERSION GID IFS OLDPWD OPTARG OPTIND PPID PWD SHELLOPTS SHLVL TTY UID USERNAME
    """.split()  # noqa: SIM905  # a list would take a line a name
)
_SHELL_PREFIXES = ("BASH_", "fish_", "__fish_", "_envref_")
_FLOX_PREFIXES = ("FLOX_", "_FLOX_")


def check(entries: Iterable[Entry], *, undone: bool = False) -> None:
    """Raises MalformedFile with every variable that no block may load; `undone` if a block will unset them too."""
    faults = [(entry, fault) for entry in entries if (fault := _fault(entry, undone=undone))]
    if faults:
        raise MalformedFile(
            [Problem(entry.file, entry.line, entry.column, f"{entry.name}: {fault}") for entry, fault in faults]
        )


def fault(name: str, value: str = "") -> str:
    """Why no secret may be loaded under this name, and what to do; empty when it may."""
    if not is_shell_name(name):
        return "not a valid shell variable name; rename the variable"
    return _reserved(name) or _dangerous(name, value)


def exported(entries: Iterable[Entry]) -> list[str]:
    """The names that a shell can be told of; `resolve --export` leaves the others out, with a warning."""
    return [entry.name for entry in entries if is_shell_name(entry.name)]


def _fault(entry: Entry, *, undone: bool) -> str:
    # What is no secret and stays set is the trust gate's business, each time it is exported.
    secret = entry.text.startswith(SCHEME) or "${" + SCHEME in entry.text
    if secret:
        return fault(entry.name)
    return _reserved(entry.name) or (_dangerous(entry.name, entry.text) if undone else "")


def _reserved(name: str) -> str:
    if name.startswith(_FLOX_PREFIXES):
        return "the name is one of Flox's own; rename the variable"
    if name in _SHELL or name.startswith(_SHELL_PREFIXES):
        return "the name means something to a shell that Flox starts; rename the variable"
    return ""


def _dangerous(name: str, value: str) -> str:
    if not is_dangerous(name, value):
        return ""
    return "setting it runs code or moves a credential; rename the variable, or set it in [vars] of the manifest"
