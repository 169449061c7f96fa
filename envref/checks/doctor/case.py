"""Case: what doctor examines: the project, its env files as far as they can be read, and the stores they refer to."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

from envref.checks.doctor.finding import Finding, from_error, from_problem
from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.errors import EnvrefError, MalformedFile
from envref.fresh.ages import Age, ages
from envref.fresh.chain import RevisionChain
from envref.paths import shown
from envref.project.project import PATIENCE, outside, readable, without_base
from envref.project.trust.agreement import is_agreed
from envref.project.trust.gate import is_granted, is_waiting
from envref.refs.reference import InvalidReference, Reference
from envref.resolve import readiness
from envref.resolve.resolve import Scope, resolve
from envref.store_errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from envref.env.environment import Variable
    from envref.project.project import Project
    from envref.resolve.store import Store

    Layer = tuple[str, str]  # path, and name in messages; an empty path means the project's own file of that name

_READABLE = "make it a readable file inside the project"


class Case:
    """A project, or a directory without a config, on its visit.

    `start` is the directory where cures are typed, `ambient` the process environment as far as `${NAME}` may fall back
    to it, `timeout` the seconds a store may take, None for its own. `faults` say what could not be read.
    """

    def __init__(
        self,
        project: Project,
        layers: Iterable[Layer],
        *,
        start: str,
        ambient: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> None:
        self.project = project
        self.start = start
        self.ambient = ambient or {}
        self.timeout = timeout
        self.faults: list[Finding] = []
        self.files = list(self._read(layers))

    @property
    def configured(self) -> bool:
        """Whether there is an `.envref.yaml`."""
        return bool(self.project.config.path)

    @cached_property
    def variables(self) -> list[Variable]:
        """The interpolated variables; none if that can't be done: then `interpolation_faults` says why."""
        return list(self.environment.variables.values())

    @property
    def interpolation_faults(self) -> list[Finding]:
        return self._interpolated[1]

    def references(self) -> Iterator[tuple[Variable, Reference | InvalidReference]]:
        """Every reference with the variable that has it."""
        return ((variable, reference) for variable in self.variables for reference in variable.references())

    @cached_property
    def is_untrusted(self) -> bool:
        """Whether the user has to trust the project before its stores may be looked at (security.md 5.2)."""
        return is_waiting(self.project)

    @cached_property
    def may_run_programs(self) -> bool:
        """Whether git and direnv may be asked: no program of anybody runs in a project nobody here agreed to."""
        return is_agreed(self.project)

    @cached_property
    def stores(self) -> dict[Store, list[BackendError]]:
        """The stores that references use, each with what is wrong with it. Asks for no value."""
        named = {reference.store for _, reference in self.references() if isinstance(reference, Reference)}
        used = [] if not named or self.is_untrusted else [each for each in self._chain if named & {None, each.name}]
        if not used:
            return {}
        with ThreadPoolExecutor(len(used)) as pool:
            return dict(zip(used, pool.map(_faults, used), strict=True))

    @cached_property
    def ages(self) -> list[Age]:
        """Which writing of each secret the stores have; none while one of them is not ready. Asks for no value."""
        if not self.stores or any(self.stores.values()):
            return []
        asked = [(each.name, reference) for each, reference in self.references() if isinstance(reference, Reference)]
        scope = Scope.of(self.project)
        until = time.monotonic() + max(store.limit for store in self.stores)
        outcomes = resolve([reference for _, reference in asked], self._chain, scope, until)
        return ages((name, outcomes[reference]) for name, reference in asked)

    @cached_property
    def _chain(self) -> RevisionChain:
        """One for all, so that a store borrows its credential once."""
        return RevisionChain(self.project, self.timeout)

    def _read(self, layers: Iterable[Layer]) -> Iterator[EnvFile]:
        for path, name in layers:
            try:
                place = path or readable(self.project, name, is_granted)
                if place:
                    yield EnvFile.read(place, name, self.timeout or PATIENCE)
                else:
                    self.faults.append(_outside(self.project, name))
            except MalformedFile as error:
                self.faults += map(from_problem, error.problems)
            except EnvrefError as error:
                is_absent = not path and not os.path.lexists(os.path.join(self.project.root, name))
                known = without_base(self.project) if is_absent and name == self.project.config.env_file else error
                self.faults.append(from_error(name, known, _READABLE))

    @property
    def environment(self) -> Environment:
        """The interpolated variables, as far as that can be done."""
        return self._interpolated[0]

    @cached_property
    def _interpolated(self) -> tuple[Environment, list[Finding]]:
        try:
            return Environment(self.files, self.ambient), []
        except MalformedFile as error:
            return Environment(()), list(map(from_problem, error.problems))
        except EnvrefError as error:
            return Environment(()), [
                Finding(self.project.config.env_file, error.message, hint="write the reference out")
            ]


def _outside(project: Project, name: str) -> Finding:
    """An env file that a symlink takes out of a project which the user does not trust."""
    target = shown(outside(project.root, name))
    return Finding(name, f"a symlink to {target}, outside the project: it is not read", run=("envref", "trust"))


def _faults(store: Store) -> list[BackendError]:
    """What is wrong with a store, apart from what its `optional` allows."""
    return [fault for fault in readiness.faults(store) if not store.allows(fault)]
