"""The native block: a project's variables set by the stores' own programs, without envref (flox.md 6.4).

What such a block can't express exactly is refused with the reason, all of it at once, and never left out.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from envref import shells
from envref.address import Address
from envref.chain import Chain
from envref.environment import Environment, Pending
from envref.errors import EnvrefError, MalformedFile
from envref.flox import names, retrieval
from envref.flox.native_text import END, FUNCTIONS, GET, START
from envref.flox.retrieval import Call, Question, Unwritable
from envref.reference import InvalidReference, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envref.chain import Store
    from envref.environment import Piece, Variable
    from envref.errors import Problem
    from envref.project import Project

_ABSENCE = "a store's program does not tell a secret that is not there from a locked store"
_MARK = "\0"  # around a name of the process environment; no env file holds it


class _Line(NamedTuple):
    """A line on macOS, and the one elsewhere."""

    macos: str
    elsewhere: str


class _Composed(NamedTuple):
    """A variable made of parts, or one that others are made of."""

    name: str
    lines: Sequence[_Line]


def native(project: Project, environment: Environment, *, strict: bool) -> str:
    """The block with its markers, each line ended. Raises MalformedFile with everything that it can't express."""
    if project.config.interpolate_environment:
        environment = Environment(project.entries, _Ambient())
    script = _Script(project, environment)
    statements = [statement for variable in environment.variables.values() for statement in script.of(variable)]
    if script.problems:
        raise MalformedFile(script.problems)
    return "".join(f"{line}\n" for line in _block(statements, script, strict=strict))


class _Ambient(dict[str, str]):
    """The process environment at activation, which nobody knows when the block is written: each value is a mark."""

    def __bool__(self) -> bool:
        return True

    def get(self, name: str, default: object = None) -> str:  # noqa: ARG002
        return f"{_MARK}{name}{_MARK}"


class _Script:
    """The statements of a block as they are made, what they need, and what stands against them."""

    def __init__(self, project: Project, environment: Environment) -> None:
        self._profile = project.profile
        self._project = project.config.project
        self._options = {backend.name: backend.options for backend in project.config.backends}
        self._chain = Chain(project.config, project.root)
        self._variables = environment.variables
        self._awaited = {
            piece.name
            for variable in environment.variables.values()
            for piece in variable.pieces
            if isinstance(piece, Pending)
        }
        self.functions: set[str] = set()
        self.say_none = {"aws": None}
        self.problems: list[Problem] = []

    def of(self, variable: Variable) -> Iterator[_Line | _Composed]:
        """What sets the variable; nothing, and a problem noted, where nothing can."""
        try:
            self._check(variable)
            yield self._statement(variable)
        except EnvrefError as error:
            text = (
                error.message if error.message.startswith(f"{variable.name}: ") else f"{variable.name}: {error.message}"
            )
            cure = error.hint or error.run
            self.problems.append(variable.entry.problem(0, f"{text}; {cure}" if cure else text))

    def _check(self, variable: Variable) -> None:
        fault = names.fault(variable.name, variable.plain or "")
        if fault:
            raise EnvrefError(f"can't be set by a block: {fault}")
        for piece in variable.pieces:
            text = piece if isinstance(piece, str) else piece.uri if isinstance(piece, InvalidReference) else ""
            if _MARK in text:
                name = text.split(_MARK)[1]
                raise Unwritable(f"takes ${{{name}}} from the environment (interpolate_environment), which differs")

    def _statement(self, variable: Variable) -> _Line | _Composed:
        name = variable.name
        if variable.plain is not None:
            line = shells.kept_line(name, variable.plain)
            return _Line(line, line)
        [first, *others] = variable.pieces
        if isinstance(first, Reference) and not others and (first.optional or name not in self._awaited):
            call = self._call(first)
            self.functions.add("_envref_get")
            start = f"_envref_get {'optional' if first.optional else 'required'} {name}"
            return _Line(f"{start} {call.macos}", f"{start} {call.elsewhere}")
        self.functions |= {"_envref_open", "_envref_close"}
        return _Composed(name, [self._part(name, piece) for piece in variable.pieces])

    def _part(self, name: str, piece: Piece) -> _Line:
        """What adds a piece to the text of a composed variable."""
        if isinstance(piece, str):
            line = f"_envref_text+={shells.kept_word(piece)}"
            return _Line(line, line)
        if isinstance(piece, Pending):
            self._check_awaited(piece.name)
            self.functions.add("_envref_use")
            return _Line(f"_envref_use {piece.name}", f"_envref_use {piece.name}")
        if isinstance(piece, Reference) and piece.optional:
            raise Unwritable(f"{piece} is optional inside a longer value: {_ABSENCE}")
        call = self._call(piece)
        self.functions.add("_envref_part")
        return _Line(f"_envref_part {name} {call.macos}", f"_envref_part {name} {call.elsewhere}")

    def _check_awaited(self, name: str) -> None:
        # An alternative (${NAME:-text}) is never taken: a variable of this block is loaded and not empty, or left out.
        [first, *_] = self._variables[name].pieces
        if isinstance(first, Reference) and first.optional:
            raise Unwritable(f"interpolates {name}, which is optional: {_ABSENCE}")

    def _call(self, reference: Reference | InvalidReference) -> Call:
        """The command for a reference, of the one store that is asked."""
        if isinstance(reference, InvalidReference):
            raise reference
        if reference.default is not None:
            raise Unwritable(f"{reference} has a default: {_ABSENCE}")
        if reference.encoding:
            raise Unwritable(f"{reference} is to be decoded, which no store's program does")
        call = (
            self._of_chain(reference) if reference.store is None else self._of(self._named(reference.store), reference)
        )
        self.functions.update(call.functions)
        if call.says_none:
            self.say_none[call.says_none] = None
        return call

    def _named(self, name: str) -> Store:
        return self._chain.store(name)

    def _of_chain(self, reference: Reference) -> Call:
        """The first store's; a keychain before another store is that of a Mac (commands.md 2.24)."""
        first = self._chain.store(None)
        other = next((store for store in self._chain if store is not first), None)
        if first.type != "keychain" or other is None:
            return self._of(first, reference)
        return self._of(other, reference)._replace(macos=self._of(first, reference).macos)

    def _of(self, store: Store, reference: Reference) -> Call:
        if not retrieval.is_writable(store.type):
            raise Unwritable(f'backend "{store.name}" of type {store.type} is read by envref only')
        address, field = self._place(store, reference)
        location = store.backend.location(address)  # type: ignore[attr-defined]  # every writable type is Located
        options = {name: str(value) for name, value in self._options[store.name].items()}
        return retrieval.call(store.type, Question(location, options, address, field))

    def _place(self, store: Store, reference: Reference) -> tuple[Address, str | None]:
        """The address at the effective scope, and the field; `names:` of the store included."""
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


def _block(statements: Sequence[_Line | _Composed], script: _Script, *, strict: bool) -> Iterator[str]:
    functions = [name for name in FUNCTIONS if name in script.functions]
    nothing = " | ".join(f"{program}:None" for program in script.say_none)
    yield START
    for name in functions:
        yield from FUNCTIONS[name].replace(GET, nothing).splitlines()
    yield "_envref_native() {"
    yield "  local -"
    yield "  set +aeux"
    composes = "_envref_open" in functions
    if functions:
        more = " _envref_loaded=' ' _envref_text='' _envref_short=''" if composes else ""
        yield f"  local +x _envref_failed=0{more}"
    yield from _body(statements)
    if functions:
        lenient = "false" if strict else '[ "${ENVREF_STRICT:-0}" != 1 ]'
        yield f'  [ "$_envref_failed" -eq 0 ] || {lenient}'
    yield "}"
    yield "_envref_native || exit 1"
    yield f"unset -f {' '.join(['_envref_native', *functions])}"
    yield END


def _body(statements: Iterable[_Line | _Composed]) -> Iterator[str]:
    for is_composed, group in groupby(statements, key=lambda statement: isinstance(statement, _Composed)):
        if not is_composed:
            yield from _lines([line for line in group if isinstance(line, _Line)], "  ")
            continue
        for statement in group:
            if isinstance(statement, _Composed):
                yield f"  if _envref_open {statement.name}; then"
                yield from _lines(statement.lines, "    ")
                yield f"    _envref_close {statement.name}"
                yield "  fi"


def _lines(lines: Iterable[_Line], indent: str) -> Iterator[str]:
    """Each line; neighbours that differ by system under one condition."""
    for differ, group in groupby(lines, key=lambda line: line.macos != line.elsewhere):
        together = list(group)
        if not differ:
            yield from (f"{indent}{line.macos}" for line in together)
            continue
        yield f'{indent}case "$OSTYPE" in'
        yield from _branch("darwin*", [line.macos for line in together], indent + "  ")
        yield from _branch("*", [line.elsewhere for line in together], indent + "  ")
        yield f"{indent}esac"


def _branch(pattern: str, commands: Sequence[str], indent: str) -> Iterator[str]:
    if len(commands) == 1:
        yield f"{indent}{pattern}) {commands[0]} ;;"
        return
    yield f"{indent}{pattern})"
    yield from (f"{indent}  {command}" for command in commands)
    yield f"{indent}  ;;"
