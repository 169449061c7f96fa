"""Files: what `?as=file` asks for: a variable is the path of a file that holds the secret (docs/adr/0041-files.md)."""

from __future__ import annotations

import os

from envref.errors import EnvrefError
from envref.paths import expanded, runtime_directory, shown
from envref.refs.outcome import Failed, Found
from envref.refs.reference import Reference
from envref.tools import life as lives
from envref.tools.file_folder import FileFolder, file_name
from envref.tools.mounts import is_in_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envref.project.project import Project
    from envref.refs.outcome import Outcome

    Outcomes = dict[Reference, Outcome]

_WHERE = "set XDG_RUNTIME_DIR to a directory in memory, or files_directory: in your own config"
_LIFELESS = "nothing here lives long enough to say when the file may go"


def placed(project: Project, outcomes: Outcomes, life: str) -> Outcomes:
    """The outcomes, with a file for each found one that wants it; where there can be none, the failure."""
    wanted = _wanted(outcomes)
    if not wanted:
        return outcomes
    try:
        place = place_of(project)
        _write(project, wanted, life, place)
    except EnvrefError as error:
        return {**outcomes, **{reference: Failed(error) for reference in wanted}}
    except OSError as error:
        failure = _failure(error)
        return {**outcomes, **{reference: Failed(failure) for reference in wanted}}
    return outcomes


def named(project: Project, outcomes: Outcomes, life: str) -> Outcomes:
    """The outcomes, with the path that `placed` gives each file. Makes none."""
    try:
        folder = FileFolder(place_of(project))
    except EnvrefError:
        return outcomes
    for reference, found in _wanted(outcomes).items():
        found.file = _path(project, reference, life, folder)
    return outcomes


def refused(outcomes: Outcomes) -> Outcomes:
    """The outcomes for a reader that is not on this machine, or not now: a path would lead it nowhere."""
    error = EnvrefError("a file is made for envref run and for a shell only", hint="leave ?as=file out for this format")
    return {**outcomes, **{reference: Failed(error) for reference in _wanted(outcomes)}}


def _wanted(outcomes: Mapping[Reference, Outcome]) -> dict[Reference, Found]:
    return {each: found for each, found in outcomes.items() if each.is_file and isinstance(found, Found)}


def place_of(project: Project) -> str:
    """The folder for such files. Raises EnvrefError if there is none that may hold them."""
    own = project.config.files_directory
    if own:
        return expanded(own)
    runtime = runtime_directory()
    if not runtime:
        raise EnvrefError("XDG_RUNTIME_DIR is not set: there is no place in memory for a file", hint=_WHERE)
    try:
        if is_in_memory(runtime):
            return os.path.join(runtime, "envref", "files")
    except OSError:
        pass
    raise EnvrefError(f"{shown(runtime)} is not in memory: XDG_RUNTIME_DIR is no place for a file", hint=_WHERE)


def _write(project: Project, wanted: Mapping[Reference, Found], life: str, place: str) -> None:
    if not life:
        raise EnvrefError(_LIFELESS, hint="start the program by envref run")
    with FileFolder(place) as folder:
        folder.sweep()
        folder.begin(life)
        folder.attend(life)  # before the first value is there
        for reference, found in wanted.items():
            path = _path(project, reference, life, folder)
            folder.write(path, found.secret.reveal().encode("utf-8", "surrogateescape"))
            found.file = path


def _path(project: Project, reference: Reference, life: str, folder: FileFolder) -> str:
    identity = f"{project.root}\0{project.profile}\0{reference}"
    return folder.path_of(life, identity, file_name(reference.foreign or reference.key))


def _failure(error: OSError) -> EnvrefError:
    where = f"{shown(os.fsdecode(error.filename))}: " if error.filename else ""
    return EnvrefError(f"no file could be made: {where}{error.strerror}", hint=_WHERE)


LIVES: Mapping[str, Callable[[], str]] = {
    "process": lambda: lives.of_process(os.getpid()),
    "session": lives.of_session,
}
