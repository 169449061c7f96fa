"""The child of `envref run`: the project's variables in its environment, and this process in its place.

Both doors of `run` end here. This file imports nothing that a child that starts does not need.
"""

from __future__ import annotations

import os
import sys

from envref import streams
from envref.cli import activate
from envref.errors import FAILED, EnvrefError, printable
from envref.formats.text import environment_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.cli.run_request import Run
    from envref.resolve.resolution import Resolution

# The child does not get envref's own switches and the vault's passphrase (security.md 5.8, P15).
PASSPHRASE = (b"ENVREF_VAULT_PASSPHRASE", b"ENVREF_VAULT_PASSPHRASE_FD")
PASSPHRASE_FILE = b"ENVREF_VAULT_PASSPHRASE_FILE"
_REMOVED = (
    *PASSPHRASE,
    PASSPHRASE_FILE,
    b"ENVREF_TRUST",
    b"ENVREF_STORE_PATH",
    b"ENVREF_SEEN",  # of the shell's values; the child gets newer ones
)
_SHELL = "/bin/sh"
_FIRST_LINE = 256  # bytes of it that Linux reads
_PRISTINE = b"PATH HOME USER LOGNAME SHELL TERM LANG TZ TMPDIR XDG_RUNTIME_DIR".split()


def run(wanted: Run) -> int:
    """Becomes the command. Returns the exit status, or raises EnvrefError, where it can't."""
    resolution, environment = prepared(wanted)
    if resolution:
        become(wanted.command, environment)
    return FAILED


def prepared(wanted: Run) -> tuple[Resolution | None, dict[bytes, bytes]]:
    """The variables, and the command's environment with them; no resolution where the command is not to be started."""
    coerced = coerced_locale()  # before any value arrives: a protected process may not read its own environment
    wanted.request.life = "process"  # which the command gets
    resolution = activate.complete(wanted.request)
    if resolution.failed:
        from envref.resolve.report import complaints

        streams.say(complaints(resolution.filled.values(), "" if wanted.lenient else " (strict mode)"))
        if not wanted.lenient:
            return None, {}
    environment = _environment(pristine=wanted.pristine)
    if coerced:
        environment.pop(b"LC_CTYPE", None)
    add(resolution, environment)
    return resolution, environment


def add(resolution: Resolution, environment: dict[bytes, bytes]) -> None:
    """Puts the variables into the environment of a program that is to start."""
    for name, value in resolution.values():
        key = name.encode()
        kept = name in resolution.kept
        environment[key] = os.environb[key] if kept else environment_text(name, value).encode()


def _environment(*, pristine: bool) -> dict[bytes, bytes]:
    """The caller's environment, as far as the child may have it."""
    return {
        name: value
        for name, value in os.environb.items()
        if name not in _REMOVED and (not pristine or _is_pristine(name))
    }


def _is_pristine(name: bytes) -> bool:
    return name in _PRISTINE or name.startswith(b"LC_")


def coerced_locale() -> bool:
    """Whether Python itself set LC_CTYPE, as it does in the C locale (PEP 538), so that the caller had none.

    Only Linux shows a process the environment it was started with.
    """
    try:
        with open("/proc/self/environ", "rb") as started_with:
            return not any(line.startswith(b"LC_CTYPE=") for line in started_with.read().split(b"\0"))
    except OSError:
        return False


def become(command: tuple[str, ...], environment: dict[bytes, bytes]) -> None:
    """Becomes the command, which gets pid, terminal, signals and exit status. Ends only by EnvrefError."""
    if sys.stdout is not None:
        sys.stdout.flush()
    if "envref.memory" in sys.modules:
        from envref import memory

        memory.release()
    _heed_signals()
    program = _program(command[0])
    try:
        _execute(program, command, environment)
    except OSError as error:
        raise _not_started(command[0], program, environment, error) from None


def _heed_signals() -> None:
    """Python ignores these, and an ignored signal stays ignored in the new program."""
    # `signal` costs more than all of envref's own work: it makes an enum of each number.
    import _signal  # type: ignore[import-not-found]

    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(_signal, name):
            _signal.signal(getattr(_signal, name), _signal.SIG_DFL)


def _execute(program: str, command: tuple[str, ...], environment: dict[bytes, bytes]) -> None:
    try:
        os.execve(program, command, environment)  # noqa: S606  the user's own command, as written
    except OSError as error:
        import errno

        if error.errno != errno.ENOEXEC:
            raise
    # A script without `#!`: shells, env and nohup let sh run it (execvp(3)).
    os.execve(_SHELL, (_SHELL, program, *command[1:]), environment)  # noqa: S606


class CannotStart(EnvrefError):
    """The command is there, and can't be started."""

    status = 126  # as in a shell (POSIX, 2.8.2)


class NoSuchCommand(EnvrefError):
    """There is no such command."""

    status = 127


def _not_started(command: str, program: str, environment: dict[bytes, bytes], error: OSError) -> EnvrefError:
    """Why the system did not start it."""
    import errno

    if error.errno == errno.E2BIG:
        from envref.formats import limits

        return limits.too_large(limits.sizes_of(environment))
    if isinstance(error, FileNotFoundError):
        interpreter = _interpreter(program)
        if not interpreter:
            return NoSuchCommand(f"command not found: {command}", hint="after -- stand the program and its arguments")
        cut = "its first line ends in a CR; save it with line ends LF" if "\r" in interpreter else ""
        cure = cut or "correct its first line, or install that program"
        return CannotStart(f"{command}: its interpreter {printable(interpreter)} does not exist", hint=cure)
    if isinstance(error, PermissionError):
        return CannotStart(f"{command}: permission denied", hint="chmod +x makes a file a program")
    return CannotStart(f"{command}: {error.strerror}")


def _interpreter(program: str) -> str:
    """What the first line of a script names; empty where there is no file."""
    from envref.paths import open_file

    try:
        with open_file(program) as file:
            line = file.read(_FIRST_LINE).partition(b"\n")[0]
    except OSError:
        return ""
    words = line.removeprefix(b"#!").strip(b" \t").split(b" ")
    return os.fsdecode(words[0]) if line.startswith(b"#!") else "(its dynamic loader)"


def _program(command: str) -> str:
    """The command's path on the caller's PATH. A file that is not executable counts too: execve refuses it."""
    if os.path.dirname(command):
        return command
    places = [os.path.join(part or ".", command) for part in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    files = [place for place in places if os.path.isfile(place)]
    runnable = [place for place in files if os.access(place, os.X_OK)]
    return (runnable or files or [command])[0]
