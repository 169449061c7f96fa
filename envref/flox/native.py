"""The native block: a project's variables set by the stores' own programs, without envref (flox.md 6.4).

envref refuses what such a block can't express exactly, reports all of it at once with reasons, and leaves nothing out.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from envref.backends.table import BUILTIN, READ_BY_ALL, backend_class
from envref.env.environment import Environment
from envref.errors import EnvrefError, MalformedFile, pasted, sentence
from envref.flox.native_text import END, FUNCTIONS, NONES, START
from envref.flox.statement import Ambient, Statement, Statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envref.backends.retrieval import Retrieval
    from envref.env.environment import Variable
    from envref.errors import Problem
    from envref.project.project import Project

# A project's variable of such a name, or of READ_BY_ALL, must not be set before the stores are asked (security.md 5.8).
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")  # in either case


def native(project: Project, environment: Environment, *, strict: bool) -> str:
    """The block with its markers, each line ended. Raises MalformedFile with everything that it can't express."""
    wanted = list(environment.variables)
    if project.config.interpolate_environment:
        environment = Environment(project.files, Ambient())
    making = Statements(project, environment)
    statements, problems = [], []
    for variable in map(environment.variables.__getitem__, wanted):
        try:
            statements.append(making.of(variable))
        except EnvrefError as error:
            problems.append(_problem(variable, error))
    ordered = _ordered(statements)
    problems += _disturbed(ordered)
    if problems:
        raise MalformedFile(problems)
    return "".join(f"{line}\n" for line in _block(ordered, strict=strict))


def _problem(variable: Variable, error: EnvrefError) -> Problem:
    """The error at the variable's place: what can't be expressed, and what to do."""
    told = error.fact if error.subject == variable.name else error.message
    return variable.entry.problem(0, sentence(variable.name, told, error.hint or pasted(error.run)))


def _ordered(statements: Sequence[Statement]) -> list[Statement]:
    """Secrets first, then secrets that a store's program would read itself, then plain variables.

    So a store's program never has the project's variables in its environment, as in envref's own calls (security.md
    5.8).
    """
    kinds = {kind for statement in statements for kind in statement.kinds}
    late: set[str] = set()
    for statement in statements:
        name = statement.name
        if any(_reads(kind, name) for kind in kinds) or late & statement.uses:
            late.add(name)
    return sorted(statements, key=lambda each: 2 if each.is_plain else int(each.name in late))


def _disturbed(statements: Sequence[Statement]) -> Iterator[Problem]:
    """The variables that a program is asked for after a variable was set that this program reads."""
    for position, statement in enumerate(statements):
        name = statement.name
        for before in statements[:position]:
            read = before.name
            if any(_reads(kind, read) for kind in statement.kinds):
                reason = f"{name}: would be asked of its store's program after {read} is set, which the program reads"
                cure = "use the hook form (without --native)"
                yield statement.variable.entry.problem(0, f"{reason}; {cure}")
                break


def _reads(kind: str, name: str) -> bool:
    """Whether a variable of this name may change what the type's program does."""
    patterns = f"{READ_BY_ALL} {backend_class(kind).read_variables}".split()
    return any(_matches(name, pattern) for pattern in patterns) or name.upper() in _PROXIES


def _matches(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _block(statements: Sequence[Statement], *, strict: bool) -> Iterator[str]:
    needed = {name for statement in statements for name in statement.functions}
    stores = [backend_class(kind) for kind in BUILTIN]
    texts = FUNCTIONS | {name: text.strip() for store in stores for name, text in store.shell_functions().items()}
    functions = [name for name in texts if name in needed]
    usual = (store.prints_none for store in stores)
    say_none = dict.fromkeys(filter(None, [*usual, *(line.says_none for each in statements for line in each.lines)]))
    yield START
    for name in functions:
        yield from texts[name].replace(NONES, " | ".join(f"{program}:None" for program in say_none)).splitlines()
    yield "_envref_native() {"
    yield "  local -"
    yield "  set +aeux"
    if functions:
        composing = " _envref_loaded=' ' _envref_text='' _envref_short=''" if "_envref_open" in functions else ""
        yield f"  local +x _envref_failed=0{composing}"
    yield from _body(statements)
    if functions:
        lenient = "false" if strict else '[ "${ENVREF_STRICT:-0}" != 1 ]'
        yield f'  [ "$_envref_failed" -eq 0 ] || {lenient}'
    yield "}"
    yield "_envref_native || exit 1"
    yield f"unset -f {' '.join(['_envref_native', *functions])}"
    yield END


def _body(statements: Iterable[Statement]) -> Iterator[str]:
    for is_composed, group in groupby(statements, key=lambda statement: statement.is_composed):
        if not is_composed:
            yield from _lines([line for statement in group for line in statement.lines], "  ")
            continue
        for statement in group:
            yield f"  if _envref_open {statement.name}; then"
            yield from _lines(statement.lines, "    ")
            yield f"    _envref_close {statement.name}"
            yield "  fi"


def _lines(lines: Iterable[Retrieval], indent: str) -> Iterator[str]:
    """Each line; neighbours that differ by system share one condition."""
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
