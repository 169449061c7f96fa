"""What a store said, made fit for a message, and the errors that every store shares.

`label` begins a store's messages: its type, e.g. `aws-ssm`, or `plugin "mystore"` (commands.md 13).
"""

from __future__ import annotations

from envref.errors import printable, sentence
from envref.secret import Secret, redact
from envref.store_errors import BackendError, BackendInvalid, BackendTimeout, SecretNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import ParamSpec, TypeVar

    _Arguments = ParamSpec("_Arguments")
    _Key = TypeVar("_Key")
    _Result = TypeVar("_Result")

_LONGEST_EXCERPT = 300  # characters, commands.md 13
# Why an answer may be none of the store's: a captive portal's page comes with status 200.
MAYBE_A_PROXY = "a proxy or the network's sign-in page may have answered"
_BASE64 = "store it as base64 and add ?encoding=base64"


def excerpt(text: str) -> str:
    """The line of a store's text that says what happened: escaped, without values, at most 300 characters.

    That is the first line; of a Python traceback it is the last.
    """
    lines = [line.strip() for line in redact(text).splitlines() if line.strip()] or [""]
    shown = printable(lines[-1] if lines[0].startswith("Traceback ") else lines[0])
    return shown if len(shown) <= _LONGEST_EXCERPT else shown[: _LONGEST_EXCERPT - 1] + "…"


def no_answer(label: str, started: float, deadline: float) -> BackendTimeout:
    """The error of a call that began at `started` and found its time used up; both of `time.monotonic()`."""
    # The user's limit is a little more than what was left when the call began: round up to what they may have typed.
    left = deadline - started
    if left <= 0:
        fact = "it was not asked: its time was used up before"
        error = BackendTimeout(fact, subject=label, advice="raise --timeout or the backend's timeout")
        error.is_asked = False
        return error
    step = 0.5 if left > 1 else 0.1
    limit = -(-left // step) * step
    return BackendTimeout(
        f"no answer within {limit:g} s", subject=label, advice="raise --timeout or the backend's timeout"
    )


def not_found(label: str, key: str, advice: str = "") -> SecretNotFound:
    """The error for a key that a store does not have."""
    error = SecretNotFound(f'secret not found: "{printable(key)}"', subject=label, advice=advice)
    error.note = sentence(label, "secret not found", advice)
    return error


def answered(
    read: Callable[_Arguments, _Result], *arguments: _Arguments.args, **named: _Arguments.kwargs
) -> _Result | BackendError:
    """What `read` returns, or the error that it raises: when one address fails, the others don't."""
    try:
        return read(*arguments, **named)
    except BackendError as error:
        return error


def there(answers: Mapping[_Key, _Result | BackendError | None]) -> dict[_Key, _Result | BackendError]:
    """The answers, less None and SecretNotFound, which both mean "not there"."""
    return {
        key: answer for key, answer in answers.items() if answer is not None and not isinstance(answer, SecretNotFound)
    }


def as_secret(label: str, raw: bytes | str, revision: str = "") -> Secret:
    """The value that a store gave. BackendInvalid when no environment variable can hold it (commands.md 7)."""
    try:
        value = raw.decode("utf-8") if isinstance(raw, bytes) else _without_surrogates(raw)
    except UnicodeError:
        # "from None": a decoder's error carries the undecodable value
        raise BackendInvalid("the value is not UTF-8 text", subject=label, advice=_BASE64) from None
    if "\0" in value:
        raise BackendInvalid("the value contains NUL", subject=label, advice=_BASE64)
    return Secret(value, revision)


def as_bytes(label: str, value: Secret) -> bytes:
    """The bytes of a value to store. BackendInvalid for one that `as_secret` would not read back (stores.md 1.8)."""
    return as_secret(label, value.reveal()).reveal().encode("utf-8")


def _without_surrogates(text: str) -> str:
    text.encode("utf-8")
    return text
