"""GitHub Actions: variables for the later steps of a job, and masks that keep their secrets out of its log.

The runner takes commands from a step's stdout, so the masks go there; the variables go into the file that GITHUB_ENV
names, each between delimiters that no value can guess (setting variables through stdout led to CVE-2020-15228).
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING
from uuid import uuid4

from envref import streams
from envref.env.file import is_shell_name
from envref.errors import EnvrefError
from envref.formats.shells import Rendered
from envref.formats.text import exact_text
from envref.paths import open_to_append
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FILE = "GITHUB_ENV"
_REFUSED = ("GITHUB_", "RUNNER_")  # the runner's own; it also refuses NODE_OPTIONS, which runs code in every action
_SHORTEST_MASK = 4  # characters; a shorter mask hides half the log, and the gaps reveal the value


class JobVariables(Rendered):
    """`text` is what stdout gets, the masks; `entries` is what the environment file gets."""

    __slots__ = ("_file", "entries")

    def __init__(self, masks: str, entries: str, left_out: list[str], file: EnvironmentFile) -> None:
        super().__init__(masks, left_out)
        self.entries = entries
        self._file = file

    def write(self) -> None:
        """Writes the masks to stdout first, so that the job never has an unmasked value; then the variables."""
        super().write()
        self._file.append(self.entries)


class EnvironmentFile:
    """The file that later steps get their variables from."""

    def __init__(self, path: str) -> None:
        self._path = path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> EnvironmentFile:
        """The runner's file. EnvrefError outside a runner, before any store is asked."""
        path = environment.get(_FILE)
        if not path:
            raise EnvrefError(f"{_FILE} is not set", hint="--format github is for a step of a GitHub Actions job")
        return cls(path)

    def render(self, values: Iterable[tuple[str, str | Secret]]) -> JobVariables:
        """Masks for the secrets among the values, entries for all. EnvrefError for a name that the runner reserves."""
        variables = list(values)
        refused = next((name for name, _ in variables if name == "NODE_OPTIONS" or name.startswith(_REFUSED)), None)
        if refused:
            raise EnvrefError(
                f"{refused}: GitHub Actions lets no step set this variable; no output produced",
                hint="use another name for the variable",
            )
        carried = [(name, value) for name, value in variables if is_shell_name(name)]
        left_out = [name for name, _ in variables if not is_shell_name(name)]
        masks = "".join(_masks(carried))
        entries = "".join(_entry(name, exact_text(name, value)) for name, value in carried)
        return JobVariables(masks, entries, left_out, self)

    def append(self, entries: str) -> None:
        """Appends all the entries, or none."""
        try:
            with open_to_append(self._path) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise EnvrefError(
                        f"refusing to write {_FILE}: it is not a regular file",
                        hint="--format github is for a step of a GitHub Actions job",
                    )
                _write_whole(file.fileno(), entries.encode())
        except OSError as error:
            raise EnvrefError(f"writing {_FILE}: {error.strerror}") from None


def _write_whole(file: int, data: bytes) -> None:
    """Writes all of it, or nothing: half a variable would swallow what the next step appends."""
    size = os.fstat(file).st_size
    try:
        while data:
            data = data[os.write(file, data) :]
    except OSError:
        os.ftruncate(file, size)
        raise


def _masks(values: Iterable[tuple[str, str | Secret]]) -> Iterator[str]:
    """The masks of a value. The runner looks for a mask within a line, so each line of a value needs its own."""
    masked: set[str] = set()
    for name, value in values:
        if not isinstance(value, Secret):
            continue
        text = exact_text(name, value)
        for part in (text, *text.replace("\r", "\n").split("\n")):
            if not part.strip() or part in masked:
                continue
            if len(part) < _SHORTEST_MASK:
                streams.warn(
                    f"{name}: a value or line of fewer than {_SHORTEST_MASK} characters is a poor mask for a log"
                )
            masked.add(part)
            yield f"::add-mask::{_escaped(part)}\n"


def _escaped(text: str) -> str:
    """Text on one line of a command to the runner."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _entry(name: str, text: str) -> str:
    delimiter = f"ghadelimiter_{uuid4()}"
    while delimiter in text:
        delimiter = f"ghadelimiter_{uuid4()}"
    return f"{name}<<{delimiter}\n{text}\n{delimiter}\n"
