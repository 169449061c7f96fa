"""activate: what `envref resolve` does: project -> references -> outcomes -> one write.

This file imports nothing that the run does not need.
"""

from __future__ import annotations

from envref import streams
from envref.errors import FAILED, OK, PARTIAL, EnvrefError
from envref.formats import shells
from envref.resolve import resolution as resolutions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from envref.cli.request import Request
    from envref.formats.shells import Sink
    from envref.project.project import Project
    from envref.resolve.resolution import Resolution


def activate(request: Request, sink: Sink | None = None) -> int:
    """Resolves the project and writes its variables to the sink, by default stdout in the request's format.

    Returns the exit status. Reports every error on stderr; where a shell evaluates the output, stdout gets code that
    fails.
    """
    sink = sink or shells.sink(request.format)
    try:
        resolution = resolve(request)
        if resolution.untrusted:
            streams.warn(untrusted_warning(resolution.untrusted))
        return _written(request, resolution, sink)
    except EnvrefError as error:
        sink.fail()
        streams.complain(error)
        return error.status
    except Exception:
        streams.write(sink.failure)  # where a shell evaluates the output, a bug must not look like an empty project
        raise


def untrusted_warning(names: Iterable[str]) -> str:
    """The one line that names the dangerous variables that were left out."""
    return f"{', '.join(names)}: left out, a file may set this only in a trusted project; run: envref trust"


def _written(request: Request, resolution: Resolution, sink: Sink) -> int:
    rendered = sink.render(resolution.values())
    if request.strict and (resolution.failed or rendered.left_out):
        sink.fail()
        streams.say([f"error: {line}" for line in rendered.omissions(request.format)])
        streams.say(_complaints(resolution, " (strict mode: no output produced)"))
        return FAILED
    if sink.failure and streams.shown_to_people():
        streams.warn("this output is meant for eval and shows secret values")
    sink.write(rendered)
    streams.warn_each(rendered.omissions(request.format))
    if request.replay:
        _warn_of_replay(request.replay, resolution)
    streams.say(_complaints(resolution))
    return PARTIAL if resolution.failed else OK


def _complaints(resolution: Resolution, note: str = "") -> list[str]:
    if not resolution.failed:
        return []
    from envref.resolve.report import complaints

    return complaints(resolution.filled.values(), note)


def _warn_of_replay(shell: str, resolution: Resolution) -> None:
    from envref.flox import replay

    streams.warn_each(replay.warnings(shell, resolution.values()))


def resolve(request: Request) -> Resolution:
    """What becomes of the request's variables. Raises EnvrefError for a fatal error, before any store is asked."""
    project = _load(request)
    environment = resolutions.environment_of(project)
    chosen = environment.select(request.only) if request.only else list(environment.variables.values())
    return resolutions.resolved(project, environment, chosen, request.timeout, _require)


def _load(request: Request) -> Project:
    """The project with all its files. A file that waits for trust stops it: nobody knows what that file sets."""
    project = project_of(request)
    if not project.unread:
        return project
    _require(project)
    return project_of(request)


def project_of(request: Request) -> Project:
    """The project with its env files, or with a Flox plugin's table instead."""
    if request.table is None:
        return resolutions.load(request.directory, request.profile)
    from envref.flox import table

    return table.load(request.directory, request.profile, request.table)


def _require(project: Project) -> None:
    from envref.cli.consent import require

    require(project)
