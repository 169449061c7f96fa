"""Need: what in a project needs the user's trust: conditions a to e of security.md 5.1, and those of strict mode.

Every activation runs this module, also where no trust is needed: it reads only links and PATH.
"""

from __future__ import annotations

import os

from envref.backends.programs import find, is_inside, repository_around
from envref.env.file import merge
from envref.paths import configuration_path, expanded, is_within
from envref.project.project import env_files, layers, outside
from envref.project.trust.dangerous import is_dangerous

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envref.env.file import EnvFile
    from envref.project.config.model import BackendConfig, Config
    from envref.project.project import Project

PROGRAM, ADDRESS, PLACE, FILE, NAMES, SECRETS = "a", "b", "c", "d", "e", "strict"

_OWN_PLACES = ("$XDG_CONFIG_HOME", "$XDG_DATA_HOME")  # the user's configuration and data (security.md 5.1 c)


class Need:
    """One thing that needs trust: its condition, what it is about, and for a backend which one.

    `detail` is the program that was found, the credential that would be sent, or where a link leads.
    """

    __slots__ = ("backend", "condition", "detail", "subject")

    def __init__(self, condition: str, subject: str, detail: str = "", backend: BackendConfig | None = None) -> None:
        self.condition = condition
        self.subject = subject
        self.detail = detail
        self.backend = backend


def needs(project: Project, environment: Mapping[str, str] = os.environ) -> list[Need]:
    """Everything in the project that needs trust, in the order to show it; empty for most projects.

    The whole config counts, not the backend in use, so that the answer does not depend on the command.
    """
    return [
        *_of_backends(project, environment),
        *(Need(FILE, name, target) for name, target in outside_files(project)),
        *(Need(NAMES, name) for name in dangerous_names(project)),
        *([Need(SECRETS, project.config.project)] if is_strict(project.config) else []),
    ]


def is_strict(config: Config) -> bool:
    """Whether the user's own config asks for trust before any store is used (security.md 5.2)."""
    return config.trust == "strict"


def _of_backends(project: Project, environment: Mapping[str, str]) -> Iterator[Need]:
    config, root = project.config, project.root
    theirs = "backends" in config.from_project
    for backend in config.backends:
        arguments = backend.arguments(root, environment)
        yield from _program(backend, str(arguments.get("command", "")), backend.home or root, theirs=theirs)
        if theirs:
            yield from _address(backend, environment)
            yield from _places(backend, arguments, root, environment)


def _program(backend: BackendConfig, command: str, root: str, *, theirs: bool) -> Iterator[Need]:
    """Condition a. A program inside the project needs trust, whoever names it: the project decides what it does."""
    names = [command] if command else [name.replace("*", backend.name) for name in backend.programs]
    found = next(filter(None, (find(name, root=root) for name in names)), "")
    chosen = theirs and bool(command) and not _is_usual(command, backend.programs, root)
    if chosen or (found and is_inside(found, repository_around(root))):
        yield Need(PROGRAM, command or os.path.basename(found), found, backend)


def _is_usual(command: str, programs: Iterable[str], root: str) -> bool:
    from envref.project.trust.usual import is_usual  # most projects choose no program

    return is_usual(command, programs, root)


def _address(backend: BackendConfig, environment: Mapping[str, str]) -> Iterator[Need]:
    """Condition b: an address that is not the user's own would get the user's credential."""
    if backend.borrowed:
        from envref.project.trust.endpoint import destination

        # Whatever the address is, this machine's too: which secret goes there is the project's choice.
        yield from (Need(ADDRESS, destination(backend), lent, backend) for lent in backend.borrowed.values())
        return
    if any("*" in program for program in backend.programs):
        if backend.options.keys() <= {"command", "batch"}:
            return
        from envref.project.trust.endpoint import places_of_plugin

        yield from (Need(ADDRESS, place, "", backend) for place in places_of_plugin(backend))
        return
    address = str(backend.options.get("addr", ""))
    if not address or backend.options.get("token"):
        return
    from envref.project.trust.endpoint import credential, is_own

    ambient = credential(backend.type, environment)
    if ambient and not is_own(address, backend, environment):
        yield Need(ADDRESS, address, ambient, backend)


def _places(
    backend: BackendConfig, arguments: Mapping[str, object], root: str, environment: Mapping[str, str]
) -> Iterator[Need]:
    """Condition c, for every option that is a path; the program is condition a's."""
    for option in backend.paths:
        place = str(arguments[option])
        allowed = [backend.home or root] if option in backend.data else []
        if (
            option != "command"
            and backend.options[option]
            and not is_within(place, (*allowed, *_own(backend, environment)))
        ):
            yield Need(PLACE, place, option, backend)


def _own(backend: BackendConfig, environment: Mapping[str, str]) -> Iterator[str]:
    """The user's own places, and the places where the store's users keep entries."""
    places = [configuration_path(environment=environment)]
    places += [expanded(place, environment) for place in _OWN_PLACES]
    places += [
        environment.get(place[1:], "") if place.startswith("$") else expanded(place, environment)
        for place in backend.places
    ]
    yield from filter(os.path.isabs, places)


def outside_files(project: Project) -> list[tuple[str, str]]:
    """Condition d: the env files of every profile that a symlink takes out of the project, and where to."""
    config = project.config
    names = dict.fromkeys([*layers(project), *config.profiles.values()])
    targets = ((name, outside(project.root, name)) for name in names)
    return [*_outside_parents(project), *((name, target) for name, target in targets if target)]


def _outside_parents(project: Project) -> list[tuple[str, str]]:
    """What it extends outside of its repository: the files and the stores there count."""
    if not project.config.parents:
        return []
    from envref.project.inherited import outside_parents

    return outside_parents(project.root, project.config)


def dangerous_names(project: Project) -> list[str]:
    """Condition e: the names that the env files set, in merged order. Files of condition d are not read for this."""
    files = project.files or env_files(project)
    flagged = dangerous((entry.name, entry.text) for entry in merge(files))
    return _interpolated(project, files, flagged) if flagged else []


def _interpolated(project: Project, files: Sequence[EnvFile], flagged: list[str]) -> list[str]:
    """The names that are still dangerous once their values are known: `http://${HOST}` may be this machine."""
    from envref.env.environment import Environment
    from envref.errors import EnvrefError

    try:
        variables = Environment(files, project.ambient).variables
    except EnvrefError:
        return flagged  # these files give no values
    return dangerous((name, variables[name].plain or "") for name in flagged)


def dangerous(variables: Iterable[tuple[str, str]]) -> list[str]:
    """The names, of names and values, that are dangerous, which is the same in both modes (security.md 5.10)."""
    return [name for name, value in variables if is_dangerous(name, value)]
