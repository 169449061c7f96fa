"""Agreement: whether anybody here has agreed to what a project sets and does, before anything of it reaches a shell.

Agreement is recorded with the meaning that was agreed to (`record`, `meaning`); a change of meaning asks again. An
activation looks at a seal first: a line for each state of the project whose meaning was compared and found agreed to,
made of the bytes of its files. A state that has its seal costs one small file, and nothing of the gate is loaded.
"""

from __future__ import annotations

import os

from envref.errors import EnvrefError
from envref.paths import expanded, is_within, open_ours, state_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from envref.project.project import Project
    from envref.project.trust.record import Record

VARIABLE = "ENVREF_TRUST"
_EVERYTHING = "all"
_MOST_SEALS = 16  # states that one project is in by turns, e.g. its profiles
_LONGEST_NAME = 200  # bytes, of the 255 that a file name may have
_CI = ("true", "1")


def is_settled(project: Project, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether one look tells that it is agreed to: everything is allowed here, or this state has its seal."""
    if is_granted_beforehand(project, environment):
        return True
    return _seal(project, environment) in _seals(project.root, environment)


def is_agreed(project: Project, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the project may export into a shell as it is now. Records what direnv or Flox agreed to already.

    Nothing of the project is run, contacted or read beyond its own files.
    """
    if is_settled(project, environment):
        return True
    from envref.project.trust import record
    from envref.project.trust.meaning import meaning

    seal = _seal(project, environment)  # before the record is read: who decides meanwhile decides about this
    meant, kept = meaning(project, environment), record.read(project.root, environment)
    if not _is_recorded(project, meant, kept, environment):
        return _is_agreed_for_now(project, meant, kept, environment)
    # A first record is made here, after the seal: it gets its own next time.
    if _has_its_name(project, environment) and kept and not _runs_from_repository(project, meant, environment):
        _keep(seal, project.root, environment)
    return True


def _has_its_name(project: Project, environment: Mapping[str, str]) -> bool:
    """Whether nobody else has the project's name; then it is the project's."""
    from envref.project.trust.names import Name

    name = Name(project, environment)
    if name.others():
        return False
    name.give()
    return True


def _runs_from_repository(project: Project, meant: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    """Whether bytes outside the sealed files decide: those of the project's programs, or of one that PATH may find."""
    if any("sha256" in program for program in meant["programs"]):
        return True
    if not any(backend.programs for backend in project.config.backends):
        return False
    from envref.backends.programs import repository_around

    repository = repository_around(project.root)
    searched = f"{environment.get('PATH', '')}:{environment.get('ENVREF_STORE_PATH', '')}".split(os.pathsep)
    return any(is_within(directory, [repository]) for directory in filter(os.path.isabs, searched))


def is_granted_beforehand(project: Project, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user allows everything here: by ENVREF_TRUST=all or `trusted_paths` of their own config."""
    return environment.get(VARIABLE) == _EVERYTHING or _is_trusted_path(project, environment)


def _is_trusted_path(project: Project, environment: Mapping[str, str]) -> bool:
    """Whether a directory of `trusted_paths` is the project's root, or above it."""
    if not project.config.trusted_paths:
        return False
    absolute = filter(os.path.isabs, project.config.trusted_paths)
    return is_within(project.root, (expanded(path, environment) for path in absolute))


def _is_recorded(
    project: Project, meant: Mapping[str, Any], kept: Record | None, environment: Mapping[str, str]
) -> bool:
    """Whether somebody agreed to just this meaning; direnv's and Flox's agreement becomes the first record."""
    if kept is not None:
        return kept.allows(meant)
    from envref.project.trust import record

    if not (_direnv_agreed(project, environment) or _flox_agreed(project, environment)):
        return False
    try:
        record.write(project.root, meant, environment, granted=True)
    except EnvrefError:
        pass  # state that can't be written: they agree again the next time
    return True


def _is_agreed_for_now(
    project: Project, meant: Mapping[str, Any], kept: Record | None, environment: Mapping[str, str]
) -> bool:
    """Whether a pin names this meaning, or CI runs what asks for nothing: true of this environment, and not kept."""
    from envref.project.trust.need import needs

    if is_pinned(meant, environment):
        return True
    if kept is not None:
        return False  # somebody decided, and about another meaning or against this one
    return environment.get("CI") in _CI and not needs(project, environment)


def is_pinned(meant: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    """Whether ENVREF_TRUST names just this meaning by its fingerprint."""
    from envref.project.trust.meaning import fingerprint

    pins = environment.get(VARIABLE, "").replace(" ", "").split(",")
    return pins != [""] and fingerprint(meant) in pins


def _direnv_agreed(project: Project, environment: Mapping[str, str]) -> bool:
    """Whether a running `.envrc` calls, in the project or below it: direnv asked before it ran the repository's code.

    direnv 2.32 sets DIRENV_IN_ENVRC and runs the file in its own directory; DIRENV_DIR is unset then (measured).
    """
    if environment.get("DIRENV_IN_ENVRC") != "1":
        return False
    here = os.getcwd()
    return is_within(here, [project.root]) and os.path.isfile(os.path.join(here, ".envrc"))


def _flox_agreed(project: Project, environment: Mapping[str, str]) -> bool:
    """Whether `flox activate` runs the hook of this project's own environment: Flox runs the repository's code then.

    A remote environment lies elsewhere, and its owner has not agreed to this directory.
    """
    root, run = environment.get("FLOX_ENV_PROJECT", ""), environment.get("FLOX_ENV", "")
    own = os.path.join(project.root, ".flox", "run", "")
    return bool(root and run) and os.path.realpath(root) == project.root and os.path.abspath(run).startswith(own)


def _seal(project: Project, environment: Mapping[str, str]) -> str:
    """SHA-256 of all that decides whether it is agreed to: config, env files, where programs are found, the record.

    The record counts by what the system says of its file: another decision, or none, is another file.
    """
    from envref.digest import record_path, sha256

    parts = [_state(record_path(project.root, environment)), str(len(project.config.source)), project.root]
    parts += [environment.get("PATH", ""), environment.get("ENVREF_STORE_PATH", ""), project.config.trust]
    for file in project.files:
        parts += (file.name, str(file))
    found = sha256(project.config.source)
    found.update("".join([f"\0{len(part)}:{part}" for part in parts]).encode("utf-8", "surrogateescape"))
    return str(found.hexdigest())


def _state(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_ino} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_size}"


def _place(root: str, environment: Mapping[str, str]) -> bytes:
    """Two long paths with one ending share a file; each then finds the other's root in it, and no seal of its own."""
    directory = state_path("agreed", environment=environment)
    name = os.fsencode(root).replace(b"/", b"%")[-_LONGEST_NAME:]
    return os.path.join(os.fsencode(directory), name) if directory else b""


def _seals(root: str, environment: Mapping[str, str]) -> list[str]:
    path = _place(root, environment)
    try:
        with open_ours(path) as file:
            kept_root, *seals = file.read().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return []
    return seals if kept_root == root else []


def _keep(seal: str, root: str, environment: Mapping[str, str]) -> None:
    """Adds the seal. State that can't be written makes the next activation slower, and stops nobody."""
    from envref import atomic
    from envref.project.trust.record import private_directory

    seals = [seal, *_seals(root, environment)][:_MOST_SEALS]
    try:
        private_directory("agreed", environment)
        path = os.fsdecode(_place(root, environment))
        atomic.write(path, "\0".join([root, *seals]).encode("utf-8", "surrogateescape"), mode=0o600)
    except EnvrefError:
        pass
