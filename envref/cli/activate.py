"""activate: what `envref resolve` does. Project -> references -> outcomes -> one write.

Nothing is imported here that this run does not need.
"""

from __future__ import annotations

import os

from envref import streams
from envref.env.environment import Environment
from envref.errors import FAILED, OK, PARTIAL, EnvrefError
from envref.formats import shells
from envref.project.project import load
from envref.project.trust.dangerous import is_dangerous, is_dangerous_in_strict_mode
from envref.refs.reference import Reference
from envref.resolve.resolution import Resolution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from envref.cli.request import Request
    from envref.env.environment import Variable
    from envref.formats.shells import Rendered
    from envref.project.project import Project
    from envref.refs.outcome import Outcome
    from envref.resolve.resolution import Values


def _to_stdout(rendered: Rendered) -> None:
    streams.write(rendered.text)


def activate(
    request: Request,
    render: Callable[[Values], Rendered] | None = None,
    write: Callable[[Rendered], None] = _to_stdout,
) -> int:
    """Resolves the project and writes its variables in the request's format, or as `render` and `write` do.

    The exit status; every error is told on stderr, and code that fails is written where a shell evaluates the output.
    """
    failure = "" if render else shells.FORMATS[request.format].failure
    try:
        resolution = resolve(request)
        if resolution.untrusted:
            streams.warn(untrusted_warning(resolution.untrusted))
        rendered = render(resolution.values()) if render else shells.render(request.format, resolution.values())
        return _written(request, resolution, rendered, failure, write)
    except EnvrefError as error:
        write(shells.Rendered(failure, []))
        streams.complain(error)
        return error.status
    except Exception:
        streams.write(failure)  # a bug must not pass for an empty project where a shell evaluates the output
        raise


def untrusted_warning(names: Iterable[str]) -> str:
    """The one line that tells of dangerous names that were left out."""
    return f"{', '.join(names)}: left out, a file may set this only in a trusted project; run: envref trust"


def _written(
    request: Request, resolution: Resolution, rendered: Rendered, failure: str, write: Callable[[Rendered], None]
) -> int:
    if request.strict and (resolution.failed or rendered.left_out):
        write(shells.Rendered(failure, []))
        streams.say([f"error: {_left_out(name, request)}" for name in rendered.left_out])
        streams.say(complaints(resolution, " (strict mode: no output produced)"))
        return FAILED
    if failure and streams.shown_to_people():
        streams.warn("this output is meant for eval and shows secret values")
    write(rendered)
    for name in rendered.left_out:
        streams.warn(_left_out(name, request))
    if request.replay:
        _warn_of_replay(request.replay, resolution)
    streams.say(complaints(resolution))
    return PARTIAL if resolution.failed else OK


def _warn_of_replay(shell: str, resolution: Resolution) -> None:
    from envref.flox import replay

    for warning in replay.warnings(shell, resolution.values()):
        streams.warn(warning)


def _left_out(name: str, request: Request) -> str:
    return f"{name}: not a valid shell variable name; left out of {request.format} output"


def complaints(resolution: Resolution, note: str = "") -> list[str]:
    """The stderr lines for all that failed and their number; empty when nothing did."""
    if not resolution.failed:
        return []
    from envref.resolve import report

    return report.complaints(resolution.filled.values(), note)


def resolve(request: Request) -> Resolution:
    """What becomes of the request's variables. Raises EnvrefError for what is fatal before any store is asked."""
    project = _load(request)
    environment = environment_of(project)
    chosen = environment.select(request.only) if request.only else list(environment.variables.values())
    return resolved(project, environment, chosen, request.timeout)


def resolved(
    project: Project, environment: Environment, chosen: list[Variable], timeout: float | None = None
) -> Resolution:
    """What becomes of these variables of the project. Raises EnvrefError as `resolve` does."""
    variables = environment.closure(chosen)
    references = [
        reference
        for variable in variables
        if variable.plain is None
        for reference in variable.references()
        if isinstance(reference, Reference)
    ]
    outcomes = _ask(project, references, timeout) if references else {}
    untrusted = () if references else untrusted_names(project, chosen)
    return Resolution(project, chosen, environment.fill(variables, outcomes), untrusted)


def _load(request: Request) -> Project:
    """The project with all its files: what one that waits for trust holds can't be told, so it can't be left out."""
    project = project_of(request)
    if not project.unread:
        return project
    from envref.project.trust.gate import require

    require(project)
    return project_of(request)


def untrusted_names(project: Project, variables: Iterable[Variable]) -> list[str]:
    """The variables that a file must not set in a project that the user does not trust (security.md P13)."""
    judge = is_dangerous if project.config.trust == "default" else is_dangerous_in_strict_mode
    found = [variable.name for variable in variables if judge(variable.name, variable.plain or "")]
    if not found:
        return []
    from envref.project.trust.gate import is_granted

    return [] if is_granted(project) else found


def project_of(request: Request) -> Project:
    """The project with its env files, or with the table of a Flox plugin in their place."""
    if request.table is None:
        return load(request.directory, request.profile)
    from envref.flox import table as flox_table

    return flox_table.load(request.directory, request.profile, request.table)


def environment_of(project: Project) -> Environment:
    """The project's variables; says the project's warnings, and with -v the files."""
    for file in project.files:
        streams.detail(f"read {file.name}")
    for warning in project.warnings:
        streams.warn(warning)
    return Environment(project.entries, os.environ if project.config.interpolate_environment else None)


def _ask(project: Project, references: Iterable[Reference], timeout: float | None) -> dict[Reference, Outcome]:
    from envref.backends import table as backends
    from envref.resolve.chain import NO_BACKENDS, Chain
    from envref.resolve.resolve import Scope, resolve

    if not project.config.backends:
        raise EnvrefError("ref:// references found but no backends configured in .envref.yaml", hint=NO_BACKENDS)
    backends.asks_beside_data = False
    chain = Chain(project, timeout)
    scope = Scope(project.config.project, project.profile)
    if streams.watched():
        from envref.resolve.progress import Progress

        with Progress(chain):
            outcomes = resolve(references, chain, scope)
    else:
        outcomes = resolve(references, chain, scope)
    for warning in chain.warnings():
        streams.warn(warning)
    for store in chain:
        if store.asked:
            streams.detail(f'asked backend "{store.name}" for {store.asked} key(s): {store.seconds:.3f} s')
    return outcomes
