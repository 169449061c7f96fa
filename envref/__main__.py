"""The doors: activation, `run`, `get`, `secret get`, `credential`, `version` load what they use; click has the rest."""

from __future__ import annotations

import gc
import os
import sys

from envref import __version__, finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from envref.cli.credential.asked import Asked
    from envref.cli.request import Request
    from envref.cli.run_request import Run
    from envref.cli.secret.reading import SecretGet
    from envref.cli.shim_call import ShimCall
    from envref.cli.variable import Get
    from envref.errors import EnvrefError


# New objects until Python looks for cycles among them. As Python has it, a command does that twenty times while it is
# loaded, which finds nothing and costs a twentieth of the whole.
_MANY = 100_000


def main() -> None:
    """Runs the command that `sys.argv` holds, and ends the process with its exit status."""
    gc.set_threshold(_MANY)
    finder.install()  # before anything else of ours is looked for
    arguments = sys.argv[1:]
    hot = _hot(arguments)
    if hot is not None:
        # Everything is written by now. An orderly shutdown would cost a sixth of Python's start, and nothing needs it.
        os._exit(_guarded(hot))
    sys.exit(_guarded(lambda: _click(arguments)))


def docker() -> None:
    """The program `docker-credential-envref`: docker knows its helpers by their names, and gives them no arguments."""
    sys.argv[1:1] = ["credential", "docker"]
    main()


def _hot(arguments: list[str]) -> Callable[[], int] | None:
    """What a hot door does for this command line; None where only click has a door."""
    if "_ENVREF_COMPLETE" in os.environ:
        from envref.cli import completing

        return completing.answer(os.environ)
    if "ENVREF_DEBUG" in os.environ:
        return None
    if arguments[:1] == ["resolve"]:
        from envref.cli.request import parse

        request = parse(arguments[1:], os.environ)
        return None if request is None else lambda: _activate(request)
    if arguments[:1] == ["run"]:
        from envref.cli.run_request import parse as parse_run

        wanted = parse_run(arguments[1:], os.environ)
        return None if wanted is None else lambda: _run(wanted)
    if arguments[:2] == ["shim", "--call"]:
        from envref.cli.shim_call import parse as parse_call

        called = parse_call(arguments[1:], os.environ)
        return None if called is None else lambda: _call(called)
    if arguments[:1] == ["get"]:
        from envref.cli.variable import parse as parse_get

        asked = parse_get(arguments[1:])
        return None if asked is None else lambda: _get(asked)
    if arguments[:2] == ["secret", "get"]:
        from envref.cli.secret.reading import parse as parse_secret

        secret = parse_secret(arguments[2:])
        return None if secret is None else lambda: _get_secret(secret)
    if "credential" in arguments[:3]:
        from envref.cli.credential.asked import parse as parse_asked

        question = parse_asked(arguments)
        return None if question is None else lambda: _answer(question)
    return _version if arguments == ["version"] else None


def _version() -> int:
    from envref import streams
    from envref.errors import OK

    streams.write(f"envref {__version__}\n")
    return OK


def _run(wanted: Run) -> int:
    from envref.cli.child import run

    return _interruptible(lambda: run(wanted))


def _call(wanted: ShimCall) -> int:
    from envref.cli.shim_call import call

    return _interruptible(lambda: call(wanted))


def _get(wanted: Get) -> int:
    from envref.cli.variable import get

    return _interruptible(lambda: get(wanted))


def _get_secret(wanted: SecretGet) -> int:
    from envref.cli.secret.reading import get

    return _interruptible(lambda: get(wanted))


def _answer(question: Asked) -> int:
    from envref.cli.credential.answer import answer

    return _interruptible(lambda: answer(question))


def _interruptible(command: Callable[[], int]) -> int:
    try:
        return command()
    except KeyboardInterrupt:
        from envref import streams

        streams.ask("\n")  # as click does: a prompt may have left the cursor behind it
        raise


def _activate(request: Request) -> int:
    from envref.cli.activate import activate

    return activate(request)


def _click(arguments: list[str]) -> int:
    from envref.cli.commands import run

    return run(arguments)


def _guarded(command: Callable[[], int]) -> int:
    """The command's exit status. An error prints its lines, a bug one line without a value; Ctrl-C ends the process."""
    from envref import streams
    from envref.errors import FAILED, EnvrefError

    try:
        return command()
    except KeyboardInterrupt:
        streams.inform("interrupted")
        _end_by_interrupt()
        return FAILED
    except EnvrefError as error:
        streams.complain(error)
        return error.status
    except Exception as error:  # noqa: BLE001  a bug must not print values that its traceback may hold
        if streams.debugging():
            _trace(error)
        streams.complain(_bug(error))
        return FAILED


def _bug(error: Exception) -> EnvrefError:
    from envref.errors import EnvrefError
    from envref.paths import NO_DIRECTORY

    if isinstance(error, FileNotFoundError) and _is_nowhere():
        return EnvrefError(NO_DIRECTORY, hint="cd to one that does")
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = "?" if place is None else f"{os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}"
    return EnvrefError(
        f"internal error: {type(error).__name__} at {where}",
        hint="this is a bug in envref; please report it with the output of the same command under --debug",
    )


def _is_nowhere() -> bool:
    """Whether the current directory was removed."""
    try:
        return not os.getcwd()
    except FileNotFoundError:
        return True


def _trace(error: Exception) -> None:
    """The trace without local variables and without the exception's own text, which may hold a value."""
    import traceback

    from envref import streams

    frames = traceback.format_tb(error.__traceback__)
    streams.say([f"debug: {line}" for frame in frames for line in frame.rstrip().split("\n")])


def _end_by_interrupt() -> None:
    """Dies of SIGINT, so that the caller's shell sees Ctrl-C and not an exit status."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main()
