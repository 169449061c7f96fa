"""Which directories use a project's name: another one of that name reads the same secrets (security.md 5.1).

Each name has a file in `$XDG_STATE_HOME/envref/projects/` with one directory a line: most activations only read that
file. The first directory to use a name has it; envref warns about another one until `envref trust` is run in it.
"""

from __future__ import annotations

import os

from envref.paths import open_ours, state_path
from envref.project.config.files import FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from envref.project.project import Project

_LARGEST = 1024 * 1024  # bytes


class Name:
    """The name of a project, and the directories that have it.

    A name that comes from the user's own config is meant to be shared: nobody else has it.
    """

    __slots__ = ("_environment", "_path", "_root", "_theirs", "known", "text")

    def __init__(self, project: Project, environment: Mapping[str, str] = os.environ) -> None:
        self.text = project.config.project
        self._root = project.root
        self._environment = environment
        self._theirs = "project" in project.config.from_project and "\n" not in project.root
        # A checked name has no slash and at most 128 bytes.
        self._path = state_path("projects", self.text, environment=environment)
        self.known = self._read() if self._theirs else []

    def others(self) -> list[str]:
        """The other directories of this name; none once the project's has it too.

        Work trees and directories of one git repository don't count, nor do directories that are no longer projects.
        """
        if self._root in self.known:
            return []
        others = [path for path in self.known if os.path.lexists(os.path.join(path, FILE))]
        if not others:
            return []
        from envref.project.trust.worktree import is_same_repository

        return [path for path in others if not is_same_repository(self._root, path)]

    def give(self) -> None:
        """Lets the project's directory have the name. Goes on if the state can't be written."""
        if self._theirs and self._root not in self.known:
            self._write([*self.known, self._root])

    def take(self) -> None:
        """The opposite."""
        if self._root in self.known:
            self._write([path for path in self.known if path != self._root])

    def _read(self) -> list[str]:
        """The directories of exactly this name: a file system may treat two spellings as one."""
        try:
            with open_ours(self._path) as file:
                lines = file.read(_LARGEST).decode("utf-8", "surrogateescape").split("\n")
        except OSError:
            return []
        return [line for line in lines[1:] if line] if lines[0] == self.text else []

    def _write(self, directories: list[str]) -> None:
        from envref import atomic
        from envref.errors import EnvrefError
        from envref.project.trust.record import private_directory

        self.known = directories
        text = "".join(f"{line}\n" for line in (self.text, *directories))
        try:
            private_directory("projects", self._environment)
            atomic.write(self._path, text.encode("utf-8", "surrogateescape"), mode=0o600)
        except EnvrefError:
            pass  # its user is told of the other directory again
