"""Request: what `envref resolve` is asked for, and the closed grammar of its hot door `resolve --export`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.env.file import EnvFile

_SHORTEST, _LONGEST = 0.1, 600.0  # seconds of --timeout


class Request:
    """What to resolve, and in which format. `only` holds variable names; empty means all. `timeout` is in seconds.

    `table` is the file of `--from-flox-plugin`, which replaces the env files. `captured` says that Flox records what
    the output does, and does it again to later shells. `files` are named in the place of the base file. `keep` lets the
    environment win over the files. `known` are env files that were read already: a pipe can't be read twice.
    `is_code` says that a shell evaluates the output, `is_direnv` that an `.envrc` does. `agent`: what the stores give
    is kept in it, also where the user's config says nothing of it. `locked`: whether secrets are those that envref.lock
    pins; None leaves that to the project's config. `everything` adds what `tools:` keeps for some program. `life` says
    what the files of `?as=file` last as long as: "process", "session", or "refused" for no file; empty if nothing is to
    get the values.
    """

    __slots__ = (
        *("agent", "captured", "directory", "everything", "files", "format", "is_code", "is_direnv", "keep", "known"),
        *("life", "locked", "only", "profile", "strict", "table", "timeout"),
    )

    def __init__(
        self,
        directory: str = ".",
        *,
        profile: str | None = None,
        format_: str = "shell",
        only: Sequence[str] = (),
        strict: bool = False,
        timeout: float | None = None,
        table: str | None = None,
        captured: bool = False,
        files: tuple[str, ...] = (),
        keep: bool = False,
        is_code: bool = False,
        agent: bool = False,
        locked: bool | None = None,
        everything: bool = False,
        is_direnv: bool = False,
    ) -> None:
        self.directory = directory
        self.profile = profile
        self.format = format_
        self.only = only
        self.strict = strict
        self.timeout = timeout
        self.table = table
        self.captured = captured
        self.files = files
        self.keep = keep
        self.is_code = is_code
        self.agent = agent
        self.locked = locked
        self.everything = everything
        self.is_direnv = is_direnv
        self.known: Sequence[EnvFile] = ()
        self.life = ""

    @property
    def is_remembered(self) -> bool:
        """Whether the shell is told of the revisions: `stale` compares those of the project's own files."""
        return self.is_code and self.table is None and not self.files


_FLAGS = {
    "--export": "export",
    "--direnv": "direnv",
    "--strict": "strict",
    "--agent": "agent",
    "--locked": "locked",
    "--all": "everything",
}
VALUES = {
    "--shell": "shell",
    "-C": "directory",
    "--project": "directory",
    "-P": "profile",
    "--profile": "profile",
    "--only": "only",
    "--timeout": "timeout",
    "--from-flox-plugin": "table",
}


def parse(arguments: Iterable[str], environment: Mapping[str, str]) -> Request | None:
    """The request of `resolve --export` or `--direnv`; None for anything else, which the click door takes.

    Whatever is wrong or merely unusual gives None too: the click door words the complaint.
    """
    options = _options(arguments)
    if options is None or not ("export" in options or "direnv" in options):
        return None
    table = options.get("table", [None])[-1]
    shell = options.get("shell", ["sh"])[-1]
    spoken = format_of(shell, environment)
    limit = options.get("timeout", [environment.get("ENVREF_TIMEOUT") or None])[-1]
    request = Request(
        start(options.get("directory", [None])[-1], table, environment),
        profile=options.get("profile", [None])[-1],
        format_="shell" if "direnv" in options else spoken,
        only=[name for names in options.get("only", ()) for name in names.split(",")],
        strict="strict" in options or wants_strict(environment),
        timeout=None if limit is None else seconds(limit),
        table=table,
        captured="direnv" not in options and is_captured(shell, environment),
        is_code=True,
        agent="agent" in options,
        locked=True if "locked" in options else None,
        everything="everything" in options,
        is_direnv="direnv" in options,
    )
    if (request.everything and request.only) or (request.locked and table):
        return None
    usual = spoken and request.directory and request.profile != "" and "" not in request.only
    return request if usual and (request.timeout is None) == (limit is None) else None


def _options(arguments: Iterable[str]) -> dict[str, list[str]] | None:
    """The words of each option by its name; None if one is not in the hot door's grammar."""
    options: dict[str, list[str]] = {}
    words = iter(arguments)
    for word in words:
        if word in _FLAGS:
            options[_FLAGS[word]] = []
            continue
        option, equals, value = word.partition("=")
        if option not in VALUES or (equals and not option.startswith("--")):
            return None
        text = value if equals else next(words, None)
        if text is None:
            return None
        options.setdefault(VALUES[option], []).append(text)
    return options


def wants_strict(environment: Mapping[str, str]) -> bool:
    """Whether ENVREF_STRICT asks for all or nothing."""
    return environment.get("ENVREF_STRICT", "") not in ("", "0")


def format_of(shell: str, environment: Mapping[str, str]) -> str:
    """The format that `--shell SHELL` stands for; empty for an unknown word."""
    from envref.formats import shells  # here: other hot doors take their options and their Request from this file

    word = shells.shell_of_environment(environment) if shell == "auto" else shell
    return shells.SHELLS.get(word, "")


def start(directory: str | None, table: str | None, environment: Mapping[str, str]) -> str:
    """Where to look for the config: `-C`; else, for a Flox plugin's table, the project of `flox activate`."""
    if directory is not None:
        return directory
    return (environment.get("FLOX_ENV_PROJECT") or ".") if table is not None else "."


def is_captured(shell: str, environment: Mapping[str, str]) -> bool:
    """Whether Flox records what the output of `--shell SHELL` does: a hook asks for bash, inside an activation."""
    return shell == "bash" and bool(environment.get("FLOX_ENV"))


def seconds(text: str) -> float | None:
    """The value of `--timeout`: a number from 0.1 to 600, else None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if _SHORTEST <= number <= _LONGEST else None
