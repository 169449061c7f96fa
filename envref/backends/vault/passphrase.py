"""Where the vault's passphrase comes from, in the order of commands.md 2.8; and what a new one must be."""

from __future__ import annotations

import os
import select
import stat
import time

from envref.errors import EnvrefError
from envref.paths import without_waiting
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendLocked, BackendTimeout

_PROMPT = "Enter vault passphrase: "
_AGAIN = "Wrong passphrase; enter it again: "
_NEW_PROMPT = "Enter new vault passphrase: "
_CONFIRMATION = "Confirm vault passphrase: "
_SHORTEST, _COMFORTABLE = 8, 14  # characters
_ONE_LINE = "the passphrase is one line of text"
_LONGEST = 65536  # bytes read from a file or descriptor
_DESCRIPTORS = "/dev/fd/"
_WORDS = 7
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aiou"  # 16 and 4: a word of consonants and vowels in turn holds 16 bits


def given(deadline: float | None = None) -> Secret | None:
    """The passphrase from the environment; None if the environment names no source.

    BackendTimeout for a pipe that has not ended by `deadline`, a time of `time.monotonic()`; None waits for ever.
    """
    if direct := os.environ.get("ENVREF_VAULT_PASSPHRASE"):
        return Secret(direct)
    if path := os.environ.get("ENVREF_VAULT_PASSPHRASE_FILE"):
        # A shell's `<(…)` is a pipe, whose path a process with protected memory may not open.
        number = path.removeprefix(_DESCRIPTORS)
        return _from_file(path, deadline) if number == path else _from_descriptor(number, deadline)
    if descriptor := os.environ.get("ENVREF_VAULT_PASSPHRASE_FD"):
        return _from_descriptor(descriptor, deadline)
    return None


def is_given() -> bool:
    """Whether the environment names a source of it, which `given` reads."""
    return any(os.environ.get(f"ENVREF_VAULT_PASSPHRASE{end}") for end in ("", "_FILE", "_FD"))


def asked(*, beside_data: bool, again: bool = False) -> Secret:
    """The passphrase from the terminal, typed without echo. BackendLocked if nobody `can_be_asked`.

    `again`: after a wrong one.
    """
    _require_terminal(beside_data=beside_data)
    return Secret(_typed(_AGAIN if again else _PROMPT))


def chosen(warnings: list[str]) -> Secret:
    """A passphrase for a new vault: from the environment, else asked twice. Adds to `warnings` if it is short."""
    return _checked(given() or _asked_twice(_PROMPT), warnings)


def chosen_anew(warnings: list[str]) -> Secret:
    """A passphrase to replace the old one, which the environment may hold: always asked twice."""
    return _checked(_asked_twice(_NEW_PROMPT), warnings)


def suggestion() -> str:
    """Seven words of 16 random bits each, to be spoken and typed."""
    return "-".join(_word(int.from_bytes(os.urandom(2), "big")) for _ in range(_WORDS))


def _word(bits: int) -> str:
    return (
        _CONSONANTS[bits >> 12]
        + _VOWELS[bits >> 10 & 3]
        + _CONSONANTS[bits >> 6 & 15]
        + _VOWELS[bits >> 4 & 3]
        + _CONSONANTS[bits & 15]
    )


def _asked_twice(prompt: str) -> Secret:
    _require_terminal()
    _tell("hint: press Enter for a suggestion of seven words")
    first = _typed(prompt)
    if not first:
        first = suggestion()
        _tell(f"suggestion, write it down: {first}")
    if _typed(_CONFIRMATION) != first:
        raise EnvrefError("passphrases do not match", hint="try again; nothing was changed")
    return Secret(first)


def _checked(passphrase: Secret, warnings: list[str]) -> Secret:
    length = len(passphrase.reveal())
    if length < _SHORTEST:
        raise EnvrefError(f"vault passphrase must have at least {_SHORTEST} characters", hint="use several words")
    if length < _COMFORTABLE:
        warnings.append(f"a vault passphrase of fewer than {_COMFORTABLE} characters is easy to guess")
    return passphrase


def _from_file(path: str, deadline: float | None) -> Secret:
    try:
        file = open(path, "rb", buffering=0, opener=without_waiting)  # noqa: SIM115  `_content` waits, but not for ever
    except OSError as error:
        raise BackendLocked(f"reading vault passphrase: {path}: {error.strerror}") from None
    with file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise BackendDenied(
                f"vault passphrase file {path} is accessible by others (mode {mode:04o})",
                run=("chmod", "600", path),
            )
        return _line(_content(file.fileno(), path, deadline), path)


_read: dict[str, Secret] = {}  # by descriptor: a pipe gives its content only once


def _from_descriptor(number: str, deadline: float | None) -> Secret:
    if number not in _read:
        source = f"descriptor {number}"
        try:
            descriptor = int(number)
        except ValueError:
            raise BackendLocked(f'ENVREF_VAULT_PASSPHRASE_FD is not a number: "{number}"') from None
        _read[number] = _line(_content(descriptor, source, deadline), source)
        os.set_inheritable(descriptor, False)  # noqa: FBT003  a file's content could be read again by what is started
    return _read[number]


def _content(descriptor: int, source: str, deadline: float | None) -> bytes:
    """Everything up to 64 KiB that the file holds; a pipe may have a writer that never ends."""
    content = b""
    poll = select.poll()
    try:
        poll.register(descriptor, select.POLLIN)
        while len(content) < _LONGEST:
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            if not poll.poll(left):
                raise BackendTimeout(
                    f"reading vault passphrase: {source}: no end within the time limit", hint=_ONE_LINE
                )
            chunk = os.read(descriptor, _LONGEST - len(content))
            if not chunk:
                break
            content += chunk
    except OSError as error:
        raise BackendLocked(f"reading vault passphrase: {source}: {error.strerror}") from None
    return content


def _line(raw: bytes, source: str) -> Secret:
    """The passphrase without one line end after it."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BackendDenied(f"reading vault passphrase: {source}: not UTF-8 text", hint=_ONE_LINE) from None
    passphrase = text.removesuffix("\n").removesuffix("\r")
    if not passphrase:
        raise BackendLocked(f"reading vault passphrase: {source}: empty", hint=_ONE_LINE)
    return Secret(passphrase)


def can_be_asked(*, beside_data: bool = True) -> bool:
    """Whether a person is there to type it; with `beside_data` even if standard input is not a terminal."""
    return os.isatty(2) and _in_foreground() and (beside_data or os.isatty(0))


def _require_terminal(*, beside_data: bool = True) -> None:
    if not can_be_asked(beside_data=beside_data):
        raise required()


def _in_foreground() -> bool:
    """Whether this process may read the terminal: a background process would be stopped if it tried.

    stdin does not matter: `envref vault import < backup.json` may ask as well.
    """
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _typed(prompt: str) -> str:
    import termios

    from envref.backends.typed_line import typed

    try:
        return typed(prompt)
    except (EOFError, OSError, termios.error):
        raise required() from None


def _tell(text: str) -> None:
    """Writes to the terminal itself: a suggested passphrase must not reach a log that collects stderr."""
    with open("/dev/tty", "w", encoding="utf-8") as terminal:
        terminal.write(f"{text}\n")


def required() -> BackendLocked:
    return BackendLocked("vault passphrase required: set ENVREF_VAULT_PASSPHRASE or use an interactive terminal")


def unattended() -> BackendLocked:
    return BackendLocked(
        "vault: there is no terminal to type the passphrase at",
        hint="set ENVREF_VAULT_PASSPHRASE_FILE, or type it once: envref vault unlock --ttl 8h",
    )
