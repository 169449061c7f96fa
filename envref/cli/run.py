"""`envref run`: a child process with the project's variables in its environment."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import click

from envref import memory, streams
from envref.cli import activate
from envref.cli.consent import require
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import only_option, profile_option, timeout_option
from envref.cli.request import Request
from envref.errors import FAILED, EnvrefError
from envref.formats import shells
from envref.resolve.report import complaints

if TYPE_CHECKING:
    from envref.resolve.resolution import Resolution

# The child does not get envref's own switches and the vault's passphrase (security.md 5.8, P15).
_REMOVED = (
    "ENVREF_VAULT_PASSPHRASE",
    "ENVREF_VAULT_PASSPHRASE_FILE",
    "ENVREF_VAULT_PASSPHRASE_FD",
    "ENVREF_TRUST",
    "ENVREF_STORE_PATH",
)
_PRISTINE = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TZ", "TMPDIR", "XDG_RUNTIME_DIR")


@click.command(cls=Command, context_settings={"allow_interspersed_args": False})
@profile_option
@click.option("--strict", is_flag=True, help="Start nothing if anything is unresolved (the default).")
@click.option("--partial", is_flag=True, help="Start it without what is unresolved.")
@only_option
@click.option("--pristine", is_flag=True, help="Of the caller's environment, only PATH, HOME and the like.")
@timeout_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    profile: str | None,
    only: list[str],
    timeout: float | None,
    command: tuple[str, ...],
    *,
    strict: bool,
    partial: bool,
    pristine: bool,
) -> int:
    """Run a command with the project's variables.

    Example: envref run --only DATABASE_URL -- ./migrate.sh
    """
    exclusive(strict=strict, partial=partial)
    request = Request(directory(), profile=profile, only=only, timeout=timeout)
    lenient = partial or (not strict and os.environ.get("ENVREF_STRICT") == "0")
    coerced = _coerced_locale()  # before any value arrives: a protected process may not read its own environment
    resolution = _resolved(request)
    streams.say(complaints(resolution.filled.values(), "" if lenient else " (strict mode)"))
    if resolution.failed and not lenient:
        return FAILED
    environment = _environment(pristine=pristine)
    if coerced:
        environment.pop(b"LC_CTYPE", None)
    for name, value in resolution.values():
        environment[name.encode()] = shells.environment_text(name, value).encode()
    _replace_process(command, environment)
    return FAILED


def _resolved(request: Request) -> Resolution:
    """The child's variables: all of them, or the run ends here; a variable left out would go unnoticed."""
    resolution = activate.resolve(request)
    if not resolution.untrusted:
        return resolution
    require(resolution.project)
    return activate.resolve(request)


def _environment(*, pristine: bool) -> dict[bytes, bytes]:
    """The caller's environment, as far as the child may have it."""
    return {
        name: value
        for name, value in os.environb.items()
        if os.fsdecode(name) not in _REMOVED and not (pristine and not _is_pristine(os.fsdecode(name)))
    }


def _is_pristine(name: str) -> bool:
    return name in _PRISTINE or name.startswith("LC_")


def _coerced_locale() -> bool:
    """Whether Python itself set LC_CTYPE, as it does in the C locale (PEP 538), so that the caller had none.

    Only Linux shows a process the environment it was started with.
    """
    try:
        with open("/proc/self/environ", "rb") as started_with:
            return not any(line.startswith(b"LC_CTYPE=") for line in started_with.read().split(b"\0"))
    except OSError:
        return False


def _replace_process(command: tuple[str, ...], environment: dict[bytes, bytes]) -> None:
    """Becomes the command, which gets pid, terminal, signals and exit status. Ends only by EnvrefError."""
    sys.stdout.flush()
    memory.release()
    # Python ignores these, and an ignored signal stays ignored in the new program.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execve(_program(command[0]), command, environment)  # noqa: S606  the user's own command, as written
    except FileNotFoundError:
        raise EnvrefError(
            f"command not found: {command[0]}", hint="after -- stand the program and its arguments"
        ) from None
    except PermissionError:
        raise EnvrefError(f"{command[0]}: permission denied", hint="chmod +x makes a file a program") from None
    except OSError as error:
        raise EnvrefError(f"{command[0]}: {error.strerror}") from None


def _program(command: str) -> str:
    """The command's path on the caller's PATH. A file that is not executable counts too: execve refuses it."""
    if os.path.dirname(command):
        return command
    places = [os.path.join(part or ".", command) for part in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    files = [place for place in places if os.path.isfile(place)]
    runnable = [place for place in files if os.access(place, os.X_OK)]
    return (runnable or files or [command])[0]
