"""How each shell (POSIX, fish, tcsh, nu, PowerShell) and file format writes a variable: its quoting (commands.md 9).

A format is one function that writes variables and one line of `FORMATS`. If a format can't carry a variable, that is an
error that names it, or the name is left out; a value never changes.
"""

from __future__ import annotations

import os.path

from envref import streams
from envref.env.file import is_name, is_shell_name
from envref.formats.text import Unencodable, environment_text, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envref.secret import Secret

    Values = Iterable[tuple[str, str | Secret]]
    Variables = Sequence[tuple[str, str]]
    Writer = Callable[[Variables], str]

# Characters that have no meaning to any shell or dotenv reader, wherever they are.
# "=" is not inert: zsh expands `export X==ls` to the path of ls, and "~" to a home directory.
_INERT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+:,./-")


class Rendered:
    """The complete text for stdout, and the names that the format can't carry, in order."""

    __slots__ = ("left_out", "text")

    def __init__(self, text: str, left_out: list[str]) -> None:
        self.text = text
        self.left_out = left_out

    def begin_anew(self, names: Iterable[str]) -> None:
        """Code for bash that takes away what it will set, ahead of it.

        Flox records an export as what it did to the old value (append, prepend, set if absent: env_trace.rs of
        1.15), and does that again to another shell's. What was unset before is recorded as the value.
        """
        carried = [name for name in names if name not in self.left_out]
        if carried:
            self.text = f"unset -v {' '.join(carried)}\n{self.text}"

    def write(self) -> None:
        """To stdout, whole."""
        streams.write(self.text)

    def omissions(self, format_name: str) -> list[str]:
        """A line for people about each name that was left out."""
        return [f"{name}: not a valid shell variable name; left out of {format_name} output" for name in self.left_out]


class Sink:
    """Where variables go: who renders them, who writes the result, and `failure`, the code to write instead."""

    __slots__ = ("failure", "render")

    def __init__(self, render: Callable[[Values], Rendered], failure: str = "") -> None:
        self.render = render
        self.failure = failure

    def write(self, rendered: Rendered) -> None:
        """Writes what was rendered to where it belongs."""
        rendered.write()

    def fail(self) -> None:
        """Writes the failure code: a shell that evaluates the output must not mistake a failure for "no variables"."""
        self.write(Rendered(self.failure, []))


class Format:
    """One way to write variables.

    `write` gets checked names and values and returns the whole text. `carries` says which names it takes. `unset` is
    the line that unsets a variable, with `{}` for its name. `failure` is the code that makes an evaluation fail.
    """

    __slots__ = ("carries", "failure", "unset", "write")

    def __init__(
        self, write: Writer, *, carries: Callable[[str], bool] | None = None, unset: str = "", failure: str = ""
    ) -> None:
        self.write = write
        self.carries = carries or is_shell_name
        self.unset = unset
        self.failure = failure

    @property
    def evaluable(self) -> bool:
        """A shell runs the text, so a failure must be code too (commands.md 2.2)."""
        return bool(self.failure)


def sink(format_name: str) -> Sink:
    """The sink that writes this format to stdout."""
    return Sink(lambda variables: render(format_name, variables), FORMATS[format_name].failure)


def render(format_name: str, variables: Iterable[tuple[str, str | Secret]]) -> Rendered:
    """The variables in their order. Raises Unencodable for a value that the format can't hold exactly."""
    form = FORMATS[format_name]
    text_of = environment_text if form.evaluable else exact_text
    carried, left_out = [], []
    for name, value in variables:
        if form.carries(name):
            carried.append((name, text_of(name, value)))
        else:
            left_out.append(name)
    return Rendered(form.write(carried), left_out)


def unset(format_name: str, names: Iterable[str]) -> str:
    """Code that unsets the variables. A name that the format can't carry was never set, so it has no line."""
    form = FORMATS[format_name]
    return "".join([form.unset.format(name) for name in names if form.carries(name)])


def shell_of_environment(environment: Mapping[str, str]) -> str:
    """The word of `SHELLS` that `--shell auto` stands for. An unknown shell counts as one that reads POSIX code."""
    path = environment.get("FLOX_SHELL") or environment.get("SHELL") or "sh"
    word = os.path.basename(path)
    return word if word in SHELLS else "sh"


def kept_line(name: str, value: str) -> str:
    """`export NAME=VALUE` for bash, without a line end, for a text that gets stored and indented: one ASCII line."""
    text = environment_text(name, value)
    _refuse_arithmetic(name, text)
    return f"export {name}={text if text and _INERT.issuperset(text) else kept_word(text)}"


def kept_word(text: str) -> str:
    """The text as one quoted word of bash, on one line, all ASCII, and never with three quotes in a row.

    So it can be part of a TOML string between `'''`, whatever the indentation.
    """
    if text.isascii() and text.isprintable() and "'" not in text:
        return f"'{text}'"
    return "$'" + "".join([_kept_byte(byte) for byte in text.encode()]) + "'"


def _kept_byte(byte: int) -> str:
    """How to write a byte between `$'` and `'`."""
    short = {"'": "\\'", "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return short.get(chr(byte)) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")


def is_evaluated(name: str) -> bool:
    """Whether some shell evaluates the variable's value as arithmetic, whatever its quotes."""
    return name in _ARITHMETIC


def json_text(data: object) -> str:
    """JSON with a line end. What HTML or JavaScript would read as code is escaped; it occurs in strings only."""
    import json

    text = json.dumps(data, indent=2, ensure_ascii=False)
    for character in "&<>\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text + "\n"


def _array(variables: Variables) -> str:
    return json_text([{"key": name, "value": value} for name, value in variables])


def _object(variables: Variables) -> str:
    return json_text(dict(variables))


def _plain(name: str, value: str) -> str:
    return f"{name}={value}\n"


# Integers to bash, zsh, ksh or mksh, which evaluate what they are set to, whatever its quotes: `export
# RANDOM='a[$(id)]'` runs id (measured in bash 5.2, zsh 5.9, mksh R59; REPORTTIME, PERIOD and their like run it later).
_ARITHMETIC = frozenset(
    """
    BASHPID BAUD COLUMNS DIRSTACKSIZE EGID ERRNO EUID FUNCNEST GID HISTCMD HISTSIZE JOBMAX KEYTIMEOUT KSHEGID KSHEUID
    KSHGID KSHUID LINENO LINES LISTMAX LOGCHECK MAILCHECK OPTIND PERIOD PGRP PPID RANDOM REPORTMEMORY REPORTTIME
    SAVEHIST SECONDS SHLVL SRANDOM TMOUT TRY_BLOCK_ERROR TRY_BLOCK_INTERRUPT UID USER_ID
    """.split()  # noqa: SIM905  # a list would take a line a name
)


def _refuse_arithmetic(name: str, value: str) -> None:
    if name in _ARITHMETIC and not (value.isascii() and value.removeprefix("-").isdecimal()):
        raise Unencodable(name, "is not a whole number, and shells would evaluate it as arithmetic")


def _posix(name: str, value: str) -> str:
    _refuse_arithmetic(name, value)
    if value and _INERT.issuperset(value):
        return f"export {name}={value}\n"
    quoted = value.replace("'", "'\\''")
    return f"export {name}='{quoted}'\n"


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}';\n"


def _tcsh(name: str, value: str) -> str:
    # "!" calls the history even inside quotes, and a literal line end breaks eval "`…`".
    quoted = value.replace("'", "'\\''").replace("!", "'\\!'").replace("\n", "'$'\\n''")
    return f"setenv {name} '{quoted}';\n"


# Readers of .env files disagree on these: some decode or expand them, or end the value there (security.md 6).
_UNLIKE_IN_DOTENV = {
    "'": "a single quote",
    "\r": "a carriage return",
    "\\\\": "two backslashes in a row",
    "${": '"${"',
}


def _dotenv(name: str, value: str) -> str:
    if _INERT.issuperset(value):
        return f"{name}={value}\n"
    for text, what in _UNLIKE_IN_DOTENV.items():
        if text in value:
            raise Unencodable(name, f"contains {what}, which dotenv files cannot hold")
    if value.endswith("\\"):
        raise Unencodable(name, "ends in a backslash, which dotenv files cannot hold")
    return f"{name}='{value}'\n"


# PowerShell ends a quoted text at each of these; doubled, each stands for itself.
_POWERSHELL_QUOTES = "'\u2018\u2019\u201a\u201b"


def _powershell(name: str, value: str) -> str:
    quoted = "".join([character * 2 if character in _POWERSHELL_QUOTES else character for character in value])
    return f"${{env:{name}}} = '{quoted}'\n"


def _docker(name: str, value: str) -> str:
    if "\n" in value:
        raise Unencodable(name, "contains a newline, which docker env files cannot hold")
    if "\r" in value:
        raise Unencodable(name, "contains a carriage return, which docker env files cannot hold")
    if value != value.strip():
        raise Unencodable(name, "starts or ends with a blank, which docker env files cannot hold")
    return f"{name}={value}\n"


def _systemd(name: str, value: str) -> str:
    # Inside double quotes systemd reads `\` before these four as the character itself, and decodes nothing else.
    quoted = value
    for character in '\\"$`':
        quoted = quoted.replace(character, "\\" + character)
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in value if character != "\n"):
        raise Unencodable(name, "contains a control character, which systemd environment files cannot hold")
    return f'{name}="{quoted}"\n'


def _by_line(line: Callable[[str, str], str]) -> Writer:
    return lambda variables: "".join([line(name, value) for name, value in variables])


_FALSE = "false\n"

FORMATS = {
    "plain": Format(_by_line(_plain), carries=is_name),
    "json": Format(_array, carries=is_name),
    "shell": Format(_by_line(_posix), unset="unset {}\n", failure=_FALSE),
    "dotenv": Format(_by_line(_dotenv), carries=is_name),
    "fish": Format(_by_line(_fish), unset="set -e {};\n", failure=_FALSE),
    "tcsh": Format(_by_line(_tcsh), unset="unsetenv {};\n", failure=_FALSE),
    "nu": Format(_object, carries=is_name, unset="hide-env --ignore-errors {}\n"),
    "powershell": Format(
        _by_line(_powershell),
        unset="Remove-Item -ErrorAction SilentlyContinue Env:{}\n",
        failure="throw 'envref failed'\n",
    ),
    "docker": Format(_by_line(_docker)),
    "systemd": Format(_by_line(_systemd)),
}

# The words of `--shell`, and the format that each shell reads.
SHELLS = {
    "sh": "shell",
    "bash": "shell",
    "zsh": "shell",
    "ksh": "shell",
    "dash": "shell",
    "fish": "fish",
    "tcsh": "tcsh",
    "csh": "tcsh",
    "nu": "nu",
    "powershell": "powershell",
    "pwsh": "powershell",
}
