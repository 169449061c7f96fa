"""activate: what `envref resolve` does: project -> references -> outcomes -> one write.

This file imports nothing that the run does not need.
"""

from __future__ import annotations

import os

from envref import streams
from envref.errors import FAILED, OK, PARTIAL, EnvrefError, about, pasted
from envref.project.config.files import FILE
from envref.project.config.model import FILES, KEPT
from envref.resolve import resolution as resolutions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from envref.cli.request import Request
    from envref.client import Agent
    from envref.env.environment import Environment, Variable
    from envref.formats.shells import Sink
    from envref.project.project import Project
    from envref.refs.outcome import Outcome
    from envref.refs.reference import Reference
    from envref.resolve.chain import VariableChain
    from envref.resolve.resolution import Placing, Resolution, Values


_FOR_ELSEWHERE = ("docker", "github", "systemd")  # a container, a later step or a service reads it
_SURELY_FITS = 64 * 1024  # characters of code: less is never more than a system lets a program have


def activate(request: Request, sink: Sink | None = None) -> int:
    """Resolves the project and writes its variables to the sink, by default stdout in the request's format.

    Returns the exit status. Reports every error on stderr; where a shell evaluates the output, stdout gets code that
    fails.
    """
    from envref.formats import shells  # here: `run` has the rest of this file, and writes for no shell

    sink = sink or shells.sink(request.format)
    request.life = "refused" if request.format in _FOR_ELSEWHERE else "session"
    try:
        resolution = exported(request) if sink.failure else resolve(request)
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


def warn_people() -> None:
    """The line for a person who looks at what a shell should evaluate."""
    if streams.shown_to_people():
        streams.warn("this output is meant for eval and shows secret values")


def untrusted_warning(names: Iterable[str]) -> str:
    """The one line that names the dangerous variables that were left out."""
    run = pasted(("envref", "trust"))
    return f"{', '.join(names)}: left out, a file may set this only in a trusted project; run: {run}"


def _written(request: Request, resolution: Resolution, sink: Sink) -> int:
    values = resolution.values()
    if request.is_remembered and resolution.has_references and values:
        values += _seen(request, resolution)
    rendered = sink.render(values)
    if sink.failure and len(rendered.text) > _SURELY_FITS:
        from envref.formats.limits import check

        check(values, os.environb)
    if request.is_direnv and resolution.project.config.tools:
        from envref.tools.shims import for_direnv

        rendered.text += for_direnv(resolution.project, request.profile)
    if request.captured:
        rendered.begin_anew([name for name, _ in values])
    if request.strict and (resolution.failed or rendered.left_out):
        sink.fail()
        streams.say([f"error: {line}" for line in rendered.omissions(request.format)])
        streams.say(_complaints(resolution, " (strict mode: no output produced)"))
        return FAILED
    if sink.failure:
        warn_people()
    sink.write(rendered)
    streams.warn_each(rendered.omissions(request.format))
    if request.captured and _may_break(rendered.text, len(values) - len(rendered.left_out)):
        _warn_of_replay(values)
    streams.say(_complaints(resolution))
    return PARTIAL if resolution.failed else OK


def _seen(request: Request, resolution: Resolution) -> Values:
    """What the shell is told of the revisions; with what it had before where it gets only some of the names."""
    from envref.fresh import seen

    now = seen.of(resolution)
    if request.only:
        known = seen.before(resolution.project, now.profile)
        known.take(now)
        now = known
    text = now.text(resolution.project)
    return [(seen.NAME, text)] if text else []


def _complaints(resolution: Resolution, note: str = "") -> list[str]:
    if not resolution.failed:
        return []
    from envref.resolve.report import complaints

    return complaints(resolution.filled.values(), note)


def _may_break(code: str, count: int) -> bool:
    """Whether some value has a backslash, a line end or a leading `=`, without which every shell reads Flox's quoting.

    Each variable is a line of the code, below the one that unsets them all; further lines are in values.
    """
    return "\\" in code or "='=" in code or code.count("\n") > count + 1


def _warn_of_replay(values: Values) -> None:
    from envref.flox import replay

    streams.warn_each(replay.warnings(values, os.environ))


def resolve(request: Request) -> Resolution:
    """What becomes of the request's variables. Raises EnvrefError for what is fatal before any store is asked."""
    resolution = _resolved(_load(request), request, _require)
    if resolution.is_plain:
        resolution.untrusted = resolutions.untrusted_names(resolution.project, resolution.chosen)
    return resolution


def complete(request: Request) -> Resolution:
    """The same, all of it or an error: a program's variable that is left out would go unnoticed."""
    resolution = resolve(request)
    if not resolution.untrusted:
        return resolution
    from envref.cli.consent import require

    require(resolution.project)
    resolution.untrusted = ()
    return resolution


def exported(request: Request, names: Callable[[Project], Sequence[str]] | None = None) -> Resolution:
    """The same for a shell: nothing of a project that nobody here has agreed to gets there (security.md 5).

    `names` tells those to resolve where that depends on the project.
    """
    project = project_of(request)
    gate = agree(project)
    if names:
        request.only = names(project)
    return _resolved(project_of(request) if project.unread else project, request, gate)


def _resolved(project: Project, request: Request, gate: Callable[[Project], object]) -> Resolution:
    keeping = kept(project, request)
    environment = resolutions.environment_of(project, keeping)
    wanted = chosen(request, project, environment, keeping)
    is_locked = project.config.locked if request.locked is None else request.locked
    stores = _locked(request, project, environment.closure(wanted)) if is_locked else None
    placing = placing_for(request.life) if request.life else None
    resolution = resolutions.resolved(
        project, environment, wanted, request.timeout, gate, _agent_for(request), stores, placing
    )
    resolution.kept = keeping
    return resolution


def placing_for(life: str) -> Placing:
    """What makes the files of `?as=file`; loads nothing until there is one to make."""

    def placing(project: Project, outcomes: dict[Reference, Outcome]) -> dict[Reference, Outcome]:
        from envref.tools import files

        return files.refused(outcomes) if life == "refused" else files.placed(project, outcomes, files.LIVES[life]())

    return placing


def chosen(
    request: Request, project: Project, environment: Environment, keeping: Container[str] = ()
) -> list[Variable]:
    """The variables that the request is about, in merged order: without names, what every program may see."""
    if request.only:
        return environment.select(request.only)
    if project.config.tools and not request.everything:
        from envref.resolve.withheld import for_shells

        return for_shells(project, environment, keeping)
    return list(environment.variables.values())


def _locked(request: Request, project: Project, variables: Iterable[Variable]) -> type[VariableChain] | None:
    """The stores that give what envref.lock pins. Files that the command line names have no lock."""
    if request.files:
        return None
    if request.table:
        run = ("envref", "flox-hook", "--write", "--placement", "hook")
        raise EnvrefError("locked: true in .envref.yaml, and envref.lock has nothing of Flox's plugin", run=run)
    return locked_stores(project, variables)


def locked_stores(project: Project, variables: Iterable[Variable]) -> type[VariableChain]:
    """The stores that give these variables what envref.lock pins, and no other version."""
    from envref.fresh import locked

    return locked.chain(project, variables)


def _agent_for(request: Request) -> Callable[[Project], Agent | None]:
    return (lambda project: agent_of(project, KEPT, request.directory)) if request.agent else agent_of


def agent_of(project: Project, usual: int = 0, directory: str = "") -> Agent | None:
    """The agent, where the user wants it for some store (docs/agent.md).

    `usual`: for the stores of which the user's config says nothing, as long as the environment of `directory` is used.
    """
    config = project.config
    if not any(config.agent_seconds(backend, usual) for backend in config.backends):
        return None
    from envref.client import Agent, folder, use_of

    return Agent(folder(), _start, use_of(directory) if usual else b"", usual)


def _start(place: str) -> None:
    from envref.agent.start import start

    start(place)


def kept(project: Project, request: Request) -> dict[str, str]:
    """The environment's values of names that the files set too, where the environment wins."""
    if not request.keep and project.config.precedence == FILES:
        return {}
    names = {entry.name for file in project.files for entry in file.entries}
    return {name: value for name, value in os.environ.items() if name in names}


def agree(project: Project) -> Callable[[Project], object]:
    """Raises unless the project is agreed to. Returns what its stores have to pass."""
    from envref.project.trust.agreement import is_agreed, is_settled

    if is_settled(project):
        return _pass
    if not is_agreed(project):
        from envref.cli import consent

        consent.agree(project)
    return _tell_of_others


def _tell_of_others(project: Project) -> None:
    from envref.project.trust.names import Name

    if Name(project).others():
        from envref.cli.consent import tell_of_others

        tell_of_others(project)


def _pass(_project: Project) -> None:
    """The gate of a project that was agreed to, and whose name nobody else has."""


def _load(request: Request) -> Project:
    """The project with all its files. A file that waits for trust stops it: nobody knows what that file sets."""
    project = project_of(request)
    if not project.unread:
        return project
    _require(project)
    return project_of(request)


def project_of(request: Request) -> Project:
    """The project with its env files, or with a Flox plugin's table instead."""
    about(request.directory, FILE)
    if request.table is None:
        project = _read(request)
        request.known = project.files if project.unread else ()
        return project
    from envref.flox import table

    return table.load(request.directory, request.profile, request.table)


def _read(request: Request) -> Project:
    if not request.files:
        return resolutions.load(request.directory, request.profile, request.timeout, request.known)
    from envref.cli.chosen import Chosen, with_named
    from envref.project.project import configured

    named = Chosen(request.directory, request.files)
    return with_named(configured(request.directory, request.profile), named, request.known)


def _require(project: Project) -> None:
    from envref.cli.consent import require

    require(project)
