"""Gpg as `pass show` starts it: asked without `pass` where that gives the same (docs/adr/0028).

Seen in pass 1.7.3, 1.7.4, Debian's 1.7.4-6 and the last of its repository (2025-06).
"""

from __future__ import annotations

import os
from binascii import crc32

from envref.backends import command
from envref.paths import open_file
from envref.store_errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envref.backends.command import Finished
    from envref.backends.program import Program

_USUAL = "pass"  # the command of a backend that names none
_NAMES = ("gpg2", "gpg")  # in the order in which pass looks for it
_OPTIONS = ("-d", "--quiet", "--yes", "--compress-algo=none", "--no-encrypt-to")
_WITH_AGENT = ("--batch", "--use-agent")

# The parts of the script that decide what `pass show` does: up to a mark, from a mark to another, and their checksums.
# They tell a pass that does something else, not a forged one: who can change it runs programs of the user already.
_HEAD_END = b"#\n# BEGIN helper functions"
_HEADS = {0xC2AA35F2, 0x69DD23EB, 0xC0E11767}  # 1.7 to 1.7.3; 1.7.4 and Debian's; the last
_SHOW, _SHOW_END = b"\ncmd_show() {\n", b"\n}\n"
_SHOWS = {0x15D3D40E, 0x90F1B257, 0x7BBB29C2}  # 1.7.3; 1.7.4; Debian's and the last
_TAIL = b'\nPROGRAM="${0##*/}"\n'
_TAILS = {0xD48F70F2}
_ONCE = (_SHOW, b"\nGPG_OPTS=", b"\nGPG=", b"\nPREFIX=")  # what a later line would overrule
_NEVER = (b"\ngpg", b"\nfunction gpg", b"\nalias ")  # nor is gpg anything but the program
_LARGEST = 256 * 1024  # bytes; pass has 26 KB

_DIRECTORY = "PASSWORD_STORE_DIR"  # the one setting of pass that envref makes itself
_SETTINGS = "PASSWORD_STORE_"
_OF_BASH = ("BASH_ENV", "SHELLOPTS", "BASHOPTS")  # what bash runs or changes before a script's first line
_FUNCTION = "BASH_FUNC_"  # an exported function, which may stand in for a program
_NO_TERMINAL = "not a tty"  # what pass tells gpg of a standard input that is none, in the words of `tty`


def entries(
    program: Program, files: Sequence[str], deadline: float, extra: Mapping[str, str]
) -> dict[str, Finished | BackendError]:
    """What gpg makes of the entries, each a path, four at a time; without those that `pass` has to be asked for."""
    # a command of the user's own is asked, whatever it is
    gpg = _instead_of(program.path()) if files and program.name == _USUAL else ()
    if not gpg:
        return {}
    environment = program.environment(extra)
    environment["GPG_TTY"] = environment.get("GPG_TTY") or _NO_TERMINAL
    calls = [command.Call([*gpg, file]) for file in files]
    outcomes = command.run_many(calls, deadline=deadline, label=program.label, environment=environment)
    return {file: outcome for file, outcome in zip(files, outcomes, strict=True) if _is_answer(file, outcome)}


def programs() -> Iterator[str]:
    """The absolute paths of gpg, the one that pass prefers first."""
    return filter(None, map(command.find, _NAMES))


def _is_answer(file: str, outcome: Finished | BackendError) -> bool:
    """Not if gpg did not start, wanted the terminal, or the entry went away meanwhile: pass says more of that."""
    if isinstance(outcome, BackendError):
        return not isinstance(outcome, (command.NotStarted, command.AsksOnTerminal))
    return outcome.status == 0 or os.path.isfile(file)


def _instead_of(path: str) -> tuple[str, ...]:
    """The words before an entry's file that do what the `pass` at `path` does to show it; none if something differs."""
    if not (_is_usual(os.environ) and _is_known(path)):
        return ()
    places = os.environ.get("PATH", "").split(os.pathsep)  # the only ones where pass looks for gpg
    gpg = next((gpg for gpg in programs() if os.path.dirname(gpg) in places), "")
    if not gpg:
        return ()
    has_agent = bool(os.environ.get("GPG_AGENT_INFO")) or os.path.basename(gpg) == _NAMES[0]
    return (gpg, *_OPTIONS, *(_WITH_AGENT if has_agent else ()))


def _is_usual(environment: Mapping[str, str]) -> bool:
    """Whether no variable changes what pass or the shell that runs it does."""
    if not all(map(os.path.isabs, environment.get("PATH", "").split(os.pathsep))):
        return False  # where pass would find gpg depends on the directory
    return not any(
        name in _OF_BASH or name.startswith(_FUNCTION) or (name.startswith(_SETTINGS) and name != _DIRECTORY)
        for name in environment
    )


def _is_known(path: str) -> bool:
    """Whether the script shows an entry in the way that was seen."""
    try:
        with open_file(path) as file:
            script = file.read(_LARGEST)
    except OSError:
        return False
    notice, _, body = script.partition(b"\numask ")
    first, *comments = notice.split(b"\n")
    head = body.partition(_HEAD_END)[0]
    show = script.partition(_SHOW)[2].partition(_SHOW_END)[0]
    tail = script.partition(_TAIL)[2]
    is_once = all(script.count(line) == 1 for line in _ONCE) and not any(mark in script for mark in _NEVER)
    is_bash = first.startswith(b"#!/") and first.endswith((b"/bash", b"/env bash"))
    is_bash = is_bash and all(line.startswith(b"#") for line in comments if line)
    return is_bash and is_once and crc32(head) in _HEADS and crc32(show) in _SHOWS and crc32(tail) in _TAILS
