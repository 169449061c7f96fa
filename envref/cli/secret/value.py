"""The value that a command stores: from its option, from standard input, or typed at the terminal (commands.md 2.7)."""

from __future__ import annotations

from envref import streams
from envref.cli import prompt
from envref.errors import EnvrefError
from envref.secret import Secret

_BASE64 = "store it as base64 and add ?encoding=base64 to the reference"


def of_option(value: str) -> Secret:
    """The value of `--value`; warns that others can see it there."""
    streams.warn("--value is visible in process lists and shell history; prefer the prompt or stdin")
    return _storable(Secret(value))


def typed_or_piped(*, raw: bool) -> Secret:
    """One hidden line if standard input is a terminal, else all of standard input."""
    if prompt.at_terminal():
        return _storable(prompt.hidden("Enter secret value: "))
    return piped(raw=raw)


def piped(*, raw: bool) -> Secret:
    """All of standard input, to the byte; unless `raw`, without one final line end."""
    data = streams.given()
    if not data:
        raise EnvrefError(
            "reading secret value: no input provided", hint="give it on standard input: … | envref secret set KEY"
        )
    try:
        text = data.decode()
    except UnicodeDecodeError:
        # "from None": a decoder's error carries the undecodable value
        raise EnvrefError("reading secret value: not UTF-8 text", hint=_BASE64) from None
    return _storable(Secret(text if raw else _without_line_end(text)))


def check_filled(value: Secret) -> None:
    """EnvrefError for an empty value, which is more often a mistake than intended."""
    if value == Secret(""):
        raise EnvrefError("secret value must not be empty", hint="give --allow-empty to store it")


def _without_line_end(text: str) -> str:
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")


def _storable(value: Secret) -> Secret:
    """The value, if an environment variable can hold it."""
    text = value.reveal()
    if "\0" in text:
        raise EnvrefError("secret value must not contain NUL", hint=_BASE64)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise EnvrefError("secret value is not UTF-8 text", hint=_BASE64) from None
    return value
