"""Target: the secrets that a command means: a project's, at one scope, in one of its stores (commands.md 2.7)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from envref.errors import UsageError
from envref.project.project import is_known
from envref.refs.address import HISTORY
from envref.resolve.resolve import Scope
from envref.secrets import audit_log
from envref.secrets.read_target import ReadTarget
from envref.secrets.scoped import ScopedStore

if TYPE_CHECKING:
    from collections.abc import Sequence


class Target(ReadTarget):
    """A ReadTarget whose secrets a command writes too."""

    def __str__(self) -> str:
        return f'backend "{self.backend}"{self.of_profile}'

    @property
    def of_profile(self) -> str:
        """` (profile "NAME")`, or nothing at project scope."""
        return "" if self.scope.profile is None else f' (profile "{self.scope.profile}")'

    def of_project(self) -> Target:
        """The same at project scope, whatever profile is in effect."""
        target = copy.copy(self)
        target.scope = Scope(self.scope.project)
        return target

    def store(self) -> ScopedStore:
        """The backend at the effective scope, its time beginning now."""
        return ScopedStore(self.chain().store(self.backend), self.scope)

    def check_writable(self, key: str) -> None:
        """Refuses a key that `secret` commands don't write (commands.md 6.4, 6.5)."""
        if HISTORY in f"{key}.":
            raise UsageError(f'key "{key}" is reserved for the values that rotation keeps')
        first = key.partition("/")[0]
        if self.scope.profile is None and "/" in key and self._is_profile(first):
            raise UsageError(f'"{first}" is a profile; use --profile {first}')
        self.store().check_own(key)

    def own(self, names: Sequence[str]) -> list[str]:
        """The names listed at the effective scope, without those of profiles that the project or its log knows."""
        if self.scope.profile is not None:
            return list(names)
        logged = audit_log.profiles(self.project.root)
        firsts = {name.partition("/")[0] for name in names if "/" in name}
        profiles = {first for first in firsts if first in logged or self._is_profile(first)}
        return [name for name in names if "/" not in name or name.partition("/")[0] not in profiles]

    def log(self, operation: str, key: str, detail: str | None = None) -> None:
        """Records in the audit log what was done."""
        event = audit_log.Event(operation, key, self.backend, self.scope.project, self.scope.profile, detail)
        audit_log.record(self.project.root, event)

    def _is_profile(self, name: str) -> bool:
        return is_known(name, self.project.root, self.project.config)
