"""Resolution: a project's chosen variables, each with its value or the reason why it has none."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from envref.env.environment import Filled, Variable
    from envref.project.project import Project
    from envref.secret import Secret

    Values = list[tuple[str, str | Secret]]


class Resolution:
    """`filled` holds the chosen variables and those that they wait for, in merged order.

    `untrusted` are names that code could be run with, set by a project that the user does not trust: their values are
    not given out.
    """

    __slots__ = ("chosen", "filled", "project", "untrusted")

    def __init__(
        self, project: Project, chosen: list[Variable], filled: dict[str, Filled], untrusted: Sequence[str] = ()
    ) -> None:
        self.project = project
        self.chosen = chosen
        self.filled = filled
        self.untrusted = untrusted

    @property
    def failed(self) -> bool:
        """Whether anything could not be resolved."""
        return any(variable.failed for variable in self.filled.values())

    def values(self) -> Values:
        """Name and value of the chosen variables that have one, in merged order; without the untrusted ones."""
        names = [variable.name for variable in self.chosen if variable.name not in self.untrusted]
        found = [(name, self.filled[name].value) for name in names]
        return [(name, value) for name, value in found if value is not None]
