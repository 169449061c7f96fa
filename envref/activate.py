"""activate: what `envref resolve` does. Project -> references -> outcomes -> one write.

Nothing is imported here that this run does not need.
"""

from __future__ import annotations

import os

from envref import shells, streams
from envref.environment import Environment
from envref.errors import FAILED, OK, PARTIAL, EnvrefError
from envref.project import load
from envref.reference import Reference
from envref.resolution import Resolution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from envref.outcome import Outcome
    from envref.project import Project
    from envref.request import Request
    from envref.resolution import Values
    from envref.shells import Rendered


def activate(request: Request, render: Callable[[Values], Rendered] | None = None) -> int:
    """Resolves the project and writes its variables in the request's format, or as `render` does.

    The exit status; every error is told on stderr, and code that fails is written where a shell evaluates the output.
    """
    failure = "" if render else shells.FORMATS[request.format].failure
    try:
        resolution = resolve(request)
        rendered = render(resolution.values()) if render else shells.render(request.format, resolution.values())
        return _write(request, resolution, rendered, failure)
    except EnvrefError as error:
        streams.write(failure)
        streams.complain(error)
        return error.status
    except Exception:
        streams.write(failure)  # a bug must not pass for an empty project where a shell evaluates the output
        raise


def _write(request: Request, resolution: Resolution, rendered: Rendered, failure: str) -> int:
    if request.strict and (resolution.failed or rendered.left_out):
        streams.write(failure)
        streams.say([f"error: {_left_out(name, request)}" for name in rendered.left_out])
        streams.say(complaints(resolution, " (strict mode: no output produced)"))
        return FAILED
    if failure and streams.shown_to_people():
        streams.warn("this output is meant for eval and shows secret values")
    streams.write(rendered.text)
    for name in rendered.left_out:
        streams.warn(_left_out(name, request))
    streams.say(complaints(resolution))
    return PARTIAL if resolution.failed else OK


def _left_out(name: str, request: Request) -> str:
    return f"{name}: not a valid shell variable name; left out of {request.format} output"


def complaints(resolution: Resolution, note: str = "") -> list[str]:
    """The stderr lines for all that failed and their number; empty when nothing did."""
    if not resolution.failed:
        return []
    from envref import report

    return report.complaints(resolution.filled.values(), note)


def resolve(request: Request) -> Resolution:
    """What becomes of the request's variables. Raises EnvrefError for what is fatal before any store is asked."""
    project = load(request.directory, request.profile)
    environment = environment_of(project)
    chosen = environment.select(request.only) if request.only else list(environment.variables.values())
    variables = environment.closure(chosen)
    references = [
        reference
        for variable in variables
        if variable.plain is None
        for reference in variable.references()
        if isinstance(reference, Reference)
    ]
    outcomes = _ask(project, references, request.timeout) if references else {}
    return Resolution(project, chosen, environment.fill(variables, outcomes))


def environment_of(project: Project) -> Environment:
    """The project's variables; says the project's warnings, and with -v the files."""
    for file in project.files:
        streams.detail(f"read {file.name}")
    for warning in project.warnings:
        streams.warn(warning)
    return Environment(project.entries, os.environ if project.config.interpolate_environment else None)


def _ask(project: Project, references: Iterable[Reference], timeout: float | None) -> dict[Reference, Outcome]:
    from envref.chain import Chain
    from envref.resolve import Scope, resolve

    if not project.config.backends:
        raise EnvrefError("ref:// references found but no backends configured in .envref.yaml")
    chain = Chain(project.config, project.root, timeout)
    outcomes = resolve(references, chain, Scope(project.config.project, project.profile))
    for warning in chain.warnings():
        streams.warn(warning)
    for store in chain:
        if store.asked:
            streams.detail(f'asked backend "{store.name}" for {store.asked} key(s): {store.seconds:.3f} s')
    return outcomes
