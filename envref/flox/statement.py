"""Statement: the lines of a native block that set one variable, or why no line can (flox.md 6.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envref.backends.retrieval import Retrieval, Unwritable, Wanted
from envref.backends.table import backend_class
from envref.env.interpolation import Pending
from envref.errors import EnvrefError
from envref.flox import names
from envref.formats import shells
from envref.refs.address import Address
from envref.refs.reference import InvalidReference, Reference
from envref.resolve.chain import ProjectStores

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envref.env.environment import Environment, Variable
    from envref.env.interpolation import Piece
    from envref.project.project import Project
    from envref.resolve.store import Store

_ABSENCE = "a store's program can't tell a missing secret from a locked store"
_MARK = "\0"  # around a name of the process environment; no env file holds it


class Statement(NamedTuple):
    """What sets one variable: a line, or several if it is made of parts or others are made of it."""

    variable: Variable
    lines: Sequence[Retrieval]
    is_composed: bool = False

    @property
    def name(self) -> str:
        return self.variable.name

    @property
    def is_plain(self) -> bool:
        return self.variable.plain is not None

    @property
    def kinds(self) -> set[str]:
        """The types of the stores that it asks."""
        return {kind for line in self.lines for kind in line.kinds}

    @property
    def uses(self) -> set[str]:
        """The variables that it waits for."""
        return _awaited([self.variable])

    @property
    def functions(self) -> set[str]:
        """The block's functions that it needs."""
        own = {"_envref_open", "_envref_close"} if self.is_composed else set()
        own |= {"_envref_ask"} if self.kinds else set()
        return own.union(*(line.functions for line in self.lines))


class Ambient(dict[str, str]):
    """The process environment at activation, unknown when the block is written: each value is a placeholder."""

    def __bool__(self) -> bool:
        return True

    def get(self, name: str, default: object = None) -> str:  # noqa: ARG002
        return f"{_MARK}{name}{_MARK}"


class Statements:
    """How the variables of a project become statements."""

    def __init__(self, project: Project, environment: Environment) -> None:
        self._profile = project.profile
        self._project = project.config.project
        self._options = {backend.name: backend.options for backend in project.config.backends}
        self._chain = ProjectStores(project)
        self._variables = environment.variables
        self._awaited = _awaited(environment.variables.values())

    def of(self, variable: Variable) -> Statement:
        """The Statement for the variable. Raises EnvrefError for what a block can't express."""
        self._check(variable)
        name = variable.name
        if variable.plain is not None:
            return Statement(variable, [_same(f"unset -v {name}; {shells.kept_line(name, variable.plain)}")])
        [first, *others] = variable.pieces
        if isinstance(first, Reference) and not others and (first.optional or name not in self._awaited):
            need = "optional" if first.optional else "required"
            return Statement(variable, [self._call(first).behind(f"_envref_get {need} {name}", "_envref_get")])
        return Statement(variable, [self._part(name, piece) for piece in variable.pieces], is_composed=True)

    def _check(self, variable: Variable) -> None:
        fault = names.fault(variable.name, variable.plain or "")
        if fault:
            raise EnvrefError(f"can't be set by a block: {fault}")
        if variable.under is not None:
            raise Unwritable("appends to a secret that an earlier line or a lower file refers to")
        for piece in variable.pieces:
            text = piece if isinstance(piece, str) else piece.uri if isinstance(piece, InvalidReference) else ""
            if _MARK in text:
                name = text.split(_MARK)[1]
                raise Unwritable(f"takes ${{{name}}} from the environment (interpolate_environment), which differs")

    def _part(self, name: str, piece: Piece) -> Retrieval:
        """The line that adds a piece to the text of a composed variable."""
        if isinstance(piece, str):
            return _same(f"_envref_text+={shells.kept_word(piece)}")
        if isinstance(piece, Pending):
            if piece.operator.endswith("+"):
                raise Unwritable(f"depends on whether {piece.name} is set, which a block does not ask")
            self._check_awaited(piece.name)
            return _same(f"_envref_use {piece.name}", "_envref_use")
        if isinstance(piece, Reference) and piece.optional:
            raise Unwritable(f"{piece} is optional inside a longer value: {_ABSENCE}")
        return self._call(piece).behind(f"_envref_part {name}", "_envref_part")

    def _check_awaited(self, name: str) -> None:
        # An alternative (${NAME:-text}) is never taken: a variable of this block is loaded and not empty, or left out.
        [first, *_] = self._variables[name].pieces
        if isinstance(first, Reference) and first.optional:
            raise Unwritable(f"interpolates {name}, which is optional: {_ABSENCE}")

    def _call(self, reference: Reference | InvalidReference) -> Retrieval:
        """The command for a reference, to the one store that is asked."""
        if isinstance(reference, InvalidReference):
            raise reference
        if reference.default is not None:
            raise Unwritable(f"{reference} has a default: {_ABSENCE}")
        if reference.encoding:
            raise Unwritable(f"{reference} is to be decoded, which no store's program does")
        if reference.is_file:
            raise Unwritable(f"{reference} is to be a file, which a block does not take away again")
        if reference.version is not None:
            raise Unwritable(f"{reference} asks for one version")
        if reference.store is not None:
            return self._of(self._chain.store(reference.store), reference)
        first = self._chain.store(None)
        other = next((store for store in self._chain if store is not first), None)
        if other is None or not first.backend.yields_elsewhere:
            return self._of(first, reference)
        own, others = self._of(first, reference), self._of(other, reference)
        return others._replace(macos=own.macos, kinds=(*own.kinds, *others.kinds))

    def _of(self, store: Store, reference: Reference) -> Retrieval:
        kind = backend_class(store.type)
        if not kind.is_retrievable():
            raise Unwritable(f'backend "{store.name}" of type {store.type} is read by envref only')
        if store.borrowed:
            raise Unwritable(
                f'backend "{store.name}" borrows its {" and ".join(store.borrowed)}, which only envref does'
            )
        address, field = self._place(store, reference)
        location = store.backend.location(address)
        if field is not None and not kind.retrieves_fields:
            raise Unwritable(f"no program of {store.type} prints the field {field} alone")
        if field is not None and field.startswith("/"):
            raise Unwritable(f"no program of {store.type} reads the JSON pointer {field}")
        options = {name: str(value) for name, value in self._options[store.name].items()}
        return kind.retrieval(Wanted(location, options, address, field))._replace(kinds=(store.type,))

    def _place(self, store: Store, reference: Reference) -> tuple[Address, str | None]:
        """The address at the effective scope, and the field; applies the store's `names:`."""
        if reference.foreign is not None:
            return Address("", "", foreign=reference.foreign), reference.field
        key, profile = reference.key, self._profile
        mapped = store.mapped(key, profile)
        if mapped is not None:
            name, _, field = mapped.partition("#")
            return Address("", "", foreign=name), reference.field or field or None
        if store.mapped(key, None) is not None:
            raise Unwritable(
                f'names: of backend "{store.name}" has {key} for the project only, and a block asks for one scope',
                f"add {profile}/{key} to names:",
            )
        return Address(self._project, key, profile=profile), reference.field


def _awaited(variables: Iterable[Variable]) -> set[str]:
    """The names that these variables wait for; names in alternatives are never needed."""
    return {piece.name for variable in variables for piece in variable.pieces if isinstance(piece, Pending)}


def _same(command: str, *functions: str) -> Retrieval:
    return Retrieval(command, command, functions)
