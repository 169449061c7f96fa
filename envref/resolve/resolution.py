"""Resolution: a project's chosen variables, each with its value or the reason why it has none. The room's entrance."""

from __future__ import annotations

import os

from envref import CIPHERTEXT, OTHERS, streams
from envref.env.environment import Environment, Filled
from envref.errors import EnvrefError
from envref.project import project as projects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from envref.client import Agent
    from envref.env.composing import Composer
    from envref.env.environment import Variable
    from envref.env.file import EnvFile
    from envref.project.project import Project
    from envref.refs.outcome import Outcome
    from envref.refs.reference import Reference
    from envref.resolve.chain import Chain, VariableChain
    from envref.resolve.resolve import Scope
    from envref.secret import Secret

    Values = list[tuple[str, str | Secret]]
    AgentOf = Callable[[Project], Agent | None]
    Placing = Callable[[Project, dict["Reference", Outcome]], dict["Reference", Outcome]]
    Gate = Callable[[Project], object]


_AN_ADDRESS = "://"  # is in every reference of another tool


class Resolution:
    """`filled` holds the chosen variables and those that they wait for, in merged order.

    `untrusted` are dangerous names that an untrusted project sets: `values` leaves them out. `kept` are names whose
    values are the process environment's, secrets among them. `has_references`: a store may have had a part in it.
    """

    __slots__ = ("chosen", "filled", "has_references", "kept", "project", "untrusted")

    def __init__(
        self, project: Project, chosen: list[Variable], filled: dict[str, Filled], *, has_references: bool = True
    ) -> None:
        self.has_references = has_references
        self.project = project
        self.chosen = chosen
        self.filled = filled
        self.untrusted: Sequence[str] = ()
        self.kept: Container[str] = ()

    @property
    def is_plain(self) -> bool:
        """Whether no reference had a part in any of it, so that no store was asked."""
        return all(filled.variable.plain is not None for filled in self.filled.values())

    @property
    def failed(self) -> bool:
        """Whether anything could not be resolved."""
        return any(variable.failed for variable in self.filled.values())

    def values(self) -> Values:
        """Name and value of the chosen variables that have one, in merged order; without the untrusted ones."""
        names = [variable.name for variable in self.chosen]
        if self.untrusted:
            names = [name for name in names if name not in self.untrusted]
        filled = self.filled
        values = [(name, value) for name in names if (value := filled[name].value) is not None]
        return self._hidden(values) if self.kept else values

    def _hidden(self, values: Values) -> Values:
        from envref.secret import Secret

        return [
            (name, Secret(value) if name in self.kept and isinstance(value, str) else value) for name, value in values
        ]


def load(
    directory: str, profile: str | None = None, patience: float | None = None, known: Iterable[EnvFile] = ()
) -> Project:
    """The project around a directory with its env files; those outside it only if the user trusts it."""
    return projects.load(directory, profile, may_read_outside=is_trusted, patience=patience, known=known)


def is_trusted(project: Project) -> bool:
    """Whether the user trusts the project as it is. Loads the gate."""
    from envref.project.trust.gate import is_granted

    return is_granted(project)


def environment_of(project: Project, kept: Mapping[str, str] | None = None) -> Environment:
    """The project's variables; prints the project's warnings, and with -v the files.

    `kept` are values of the process environment, for names whose lines don't count.
    """
    if streams.level >= streams.VERBOSE:
        _say_files(project, kept or ())
    streams.warn_each(project.warnings)
    environment = Environment(project.files, project.ambient, kept)
    if environment.unset:
        from envref.env.unset import warnings

        streams.warn_each(warnings(environment))
    if _may_hold_others(project):
        from envref.resolve import others

        streams.warn_each(others.warnings(environment.variables.values(), project.config))
    return environment


def _may_hold_others(project: Project) -> bool:
    """Whether its files have the beginning of what another tool reads somewhere."""
    for text in map(str, project.files):
        if CIPHERTEXT in text or (_AN_ADDRESS in text and any(mark in text for mark in OTHERS)):
            return True
    return False


def _say_files(project: Project, kept: Iterable[str]) -> None:
    """The files that were read, and names whose lines don't count."""
    from envref.project.linked import is_personal_file

    for file in project.files:
        path = os.path.join(project.root, file.name)
        borrowed = file.name.startswith("../") and is_personal_file(project.root, path)
        streams.detail(f"read {file.name}{', which the main work tree has' if borrowed else ''}")
    for name in kept:
        streams.detail(f"{name}: the environment has a value, which stays")


def resolved(  # the last three are where the answers come from, and where they go
    project: Project,
    environment: Environment,
    chosen: list[Variable],
    timeout: float | None,
    gate: Gate,
    agent_of: AgentOf | None = None,
    stores: type[VariableChain] | None = None,
    placing: Placing | None = None,
) -> Resolution:
    """What becomes of these variables of the project, which `stores` are asked for; by default the chain's values.

    `agent_of` gives the agent that keeps what its stores say, if there is to be one. `timeout` is seconds a store may
    take, None for its own. `gate` raises for a project whose stores may not be asked. `placing` makes the files that
    `?as=file` wants; without it such a value is the secret itself. Raises EnvrefError for a fatal error, before any
    store is asked.
    """
    variables = environment.closure(chosen)
    references = _references([variable for variable in variables if variable.plain is None])
    outcomes = _ask(project, references, timeout, gate, agent_of, stores) if references else {}
    if placing and any(reference.is_file for reference in references):
        outcomes = placing(project, outcomes)
    return Resolution(project, chosen, fill(variables, outcomes), has_references=bool(references))


def _references(variables: Iterable[Variable]) -> list[Reference]:
    """Those that the stores are asked for."""
    if not variables:
        return []
    from envref.refs.reference import Reference

    found = [reference for variable in variables for reference in variable.references()]
    return [reference for reference in found if isinstance(reference, Reference)]


def fill(variables: list[Variable], outcomes: Mapping[Reference, Outcome]) -> dict[str, Filled]:
    """What becomes of each variable; `variables` also holds all that these wait for, in merged order.

    Most runs have only plain variables and load nothing for references; most references are the whole of a value.
    """
    filled = {variable.name: Filled(variable, variable.plain) for variable in variables}
    others = [variable for variable in variables if variable.plain is None]
    if not others:
        return filled
    from envref.env.filling import Filling

    composer: Composer | None = None
    for variable in others:
        if variable.is_reference:
            filled[variable.name] = Filling(variable, outcomes).filled()
            continue
        from envref.env.composing import Composer

        composer = composer or Composer(filled, outcomes)
        composer.compose(variable)
    return filled


def untrusted_names(project: Project, variables: Iterable[Variable]) -> list[str]:
    """The variables that a file must not set in a project that the user does not trust (security.md P13)."""
    from envref.project.trust.dangerous import is_dangerous

    found = [variable.name for variable in variables if is_dangerous(variable.name, variable.plain or "")]
    return found if found and not is_trusted(project) else []


def _ask(
    project: Project,
    references: Iterable[Reference],
    timeout: float | None,
    gate: Gate,
    agent_of: AgentOf | None,
    stores: type[VariableChain] | None,
) -> dict[Reference, Outcome]:
    from envref.resolve.chain import VariableChain
    from envref.resolve.resolve import Scope
    from envref.resolve.store import NO_BACKENDS

    if not project.config.backends:
        raise EnvrefError("ref:// references found but no backends configured in .envref.yaml", hint=NO_BACKENDS)
    agent = agent_of(project) if agent_of else None
    chain = (stores or VariableChain)(project, timeout, gate, agent)
    scope = Scope.of(project)
    outcomes = answers(references, chain, scope)
    _tell_of(chain)
    if agent and agent.note:
        streams.detail(agent.note)
    return outcomes


def answers(references: Iterable[Reference], chain: Chain, scope: Scope) -> dict[Reference, Outcome]:
    """What the stores say. Who watches is told of the slow ones."""
    from envref.resolve.resolve import resolve

    if not streams.watched():
        return resolve(references, chain, scope)
    from envref.resolve.progress import Progress

    with Progress(chain):
        return resolve(references, chain, scope)


def _tell_of(chain: VariableChain) -> None:
    """Prints the stores' warnings, and with -v how long each store took, and by which way."""
    streams.warn_each(chain.warnings())
    for store in chain:
        if store.asked:
            way = f", {store.way}" if store.way else ""
            streams.detail(f'asked backend "{store.name}" for {store.asked} key(s): {store.seconds:.3f} s{way}')
