"""Where a shell finds the completions of its user by itself, and the script that `completion --install` puts there.

fish looks into `completions/` of its configuration (fish's manual, "Where to put completions"), bash into
`bash-completion/completions/` of the user's data where the package bash-completion is (its README). zsh looks nowhere
of the user's, nor does bash without that package: there a line of `.zshrc` or `.bashrc` reads the script.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from envref import atomic, streams
from envref.cli import lines
from envref.cli.completing import VARIABLE
from envref.cli.scripts import SCRIPTS
from envref.errors import EnvrefError, Home, UsageError, pasted
from envref.paths import NO_HOME, data_directories, expanded, make_private, shown

SHELLS = ("bash", "zsh", "fish")


class _Destination(NamedTuple):
    """The file of the script, and the file that has to read it: empty where the shell looks by itself."""

    script: str
    start: str


def install(shell: str | None) -> None:
    """Puts the script in its place and says so; says too what was there already. Raises EnvrefError."""
    chosen = shell or os.path.basename(os.environ.get("SHELL", ""))
    if chosen not in SHELLS:
        raise _cannot(shell, chosen)
    place = _place(chosen)
    for path in filter(None, place):
        if not os.path.isabs(path):
            raise EnvrefError(f"installing the completion for {chosen}: no home directory", hint=NO_HOME)
    if os.path.isfile(place.script) and VARIABLE.encode() not in lines.read(place.script):
        raise EnvrefError("is not a script of envref's", subject=shown(place.script), hint="move it away and try again")
    with _advising(f"envref completion {chosen} prints it, to put elsewhere"):
        streams.inform(_write(chosen, place.script))
    undo = pasted(["rm", Home(shown(place.script))])
    if place.start:
        line = _line(place)
        with _advising(f"put this line where {chosen} reads it: {line}"):
            added = lines.add(place.start, line)
        streams.inform(
            f"  added to {shown(place.start)}: {line}" if added else f"  {shown(place.start)} reads it already"
        )
        undo += f", and take that line out of {shown(place.start)}"
    streams.inform(f"  a new {chosen} has it; to undo it: {undo}")
    if chosen == "bash" and not place.start:
        streams.inform("  where bash does not load the package bash-completion, let ~/.bashrc read that file")


@contextmanager
def _advising(hint: str) -> Iterator[None]:
    """Says what to do instead where a file can't be written."""
    try:
        yield
    except EnvrefError as error:
        raise EnvrefError(error.message, hint=hint) from None


def _cannot(shell: str | None, chosen: str) -> UsageError:
    if shell == "powershell":
        return UsageError("envref can't install for powershell", hint="envref completion powershell >> $PROFILE")
    which = f'unsupported shell "{chosen}"' if chosen else "SHELL does not say which shell is yours"
    return UsageError(f"{which}: name one of {', '.join(SHELLS)}", run=("envref", "completion", "--install", "bash"))


def _place(shell: str) -> _Destination:
    if shell == "fish":
        return _Destination(expanded("$XDG_CONFIG_HOME/fish/completions/envref.fish"), "")
    if shell == "zsh":
        own = os.environ.get("ZDOTDIR", "")
        start = os.path.join(own if os.path.isabs(own) else expanded("~"), ".zshrc")
        return _Destination(expanded("$XDG_DATA_HOME/envref/completion.zsh"), start)
    folders = os.environ.get("BASH_COMPLETION_USER_DIR", "").split(":")
    own = next(filter(os.path.isabs, folders), "") or expanded("$XDG_DATA_HOME/bash-completion")
    start = "" if _has_bash_completion() else expanded("~/.bashrc")
    return _Destination(os.path.join(own, "completions", "envref"), start)


def _has_bash_completion() -> bool:
    return any(os.path.isfile(os.path.join(each, "bash-completion/bash_completion")) for each in data_directories())


def _write(shell: str, path: str) -> str:
    """Writes the script, also over an older one of envref's; returns what it did."""
    text = SCRIPTS[shell].encode()
    if lines.read(path) == text:
        return f"completion for {shell} is in {shown(path)} already"
    _make_folder(os.path.dirname(path))
    atomic.write(path, text)
    return f"completion for {shell} written to {shown(path)}"


def _make_folder(folder: str) -> None:
    try:
        stranger = make_private(folder)
    except OSError as error:
        raise EnvrefError(f"creating {shown(folder)}: {error.strerror}") from None
    if stranger:
        raise EnvrefError("belongs to another user", subject=shown(stranger), hint="make that directory yours")


def _line(place: _Destination) -> str:
    word = pasted([Home(shown(place.script))])
    return f"[ ! -r {word} ] || . {word}  # envref completion --install"
