"""activate: what `envref resolve` does. Project -> references -> outcomes -> one write.

Nothing is imported here that this run does not need.
"""

from __future__ import annotations

from envref import streams
from envref.errors import FAILED, OK, PARTIAL, EnvrefError
from envref.formats import shells
from envref.resolve import resolution as resolutions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from envref.cli.request import Request
    from envref.formats.shells import Rendered
    from envref.project.project import Project
    from envref.resolve.resolution import Resolution, Values


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
        streams.say([f"error: {line}" for line in rendered.omissions(request.format)])
        streams.say(resolution.complaints(" (strict mode: no output produced)"))
        return FAILED
    if failure and streams.shown_to_people():
        streams.warn("this output is meant for eval and shows secret values")
    write(rendered)
    streams.warn_each(rendered.omissions(request.format))
    if request.replay:
        _warn_of_replay(request.replay, resolution)
    streams.say(resolution.complaints())
    return PARTIAL if resolution.failed else OK


def _warn_of_replay(shell: str, resolution: Resolution) -> None:
    from envref.flox import replay

    streams.warn_each(replay.warnings(shell, resolution.values()))


def resolve(request: Request) -> Resolution:
    """What becomes of the request's variables. Raises EnvrefError for what is fatal before any store is asked."""
    project = _load(request)
    environment = resolutions.environment_of(project)
    chosen = environment.select(request.only) if request.only else list(environment.variables.values())
    return resolutions.resolved(project, environment, chosen, request.timeout, _require)


def _load(request: Request) -> Project:
    """The project with all its files: what one that waits for trust holds can't be told, so it can't be left out."""
    project = project_of(request)
    if not project.unread:
        return project
    _require(project)
    return project_of(request)


def project_of(request: Request) -> Project:
    """The project with its env files, or with the table of a Flox plugin in their place."""
    if request.table is None:
        return resolutions.load(request.directory, request.profile)
    from envref.flox import table

    return table.load(request.directory, request.profile, request.table)


def _require(project: Project) -> None:
    from envref.cli.consent import require

    require(project)
