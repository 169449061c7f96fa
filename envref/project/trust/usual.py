"""Whether a program that the project chose by its path is one that the user runs anyway (security.md 5.1 a)."""

from __future__ import annotations

import os

from envref.backends.programs import find, is_inside, repository_around

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# What these lead to depends on who looks: /proc/self/cwd is wherever the project is.
_SHIFTING = ("/proc/", "/dev/")
_OTHERS_WRITE = 0o022


def is_usual(command: str, programs: Iterable[str], root: str) -> bool:
    """Whether a project's `command` needs no trust, because it is a store's program where the user has it.

    By name it is what PATH finds. By an absolute path it has to be the file that PATH finds, or one that only root can
    change; a path of the project's repository, or one that means something else for every process, never is.
    """
    name = os.path.basename(command)
    if not any(_matches(name, program) for program in programs):
        return False
    if "/" not in command:
        return True
    if not os.path.isabs(command):
        return False
    path = "/" + os.path.normpath(command).lstrip("/")
    if path.startswith(_SHIFTING) or is_inside(path, repository_around(root)):
        return False
    return _is_found(path, name) or _is_roots(path)


def _matches(name: str, program: str) -> bool:
    return name.startswith(program[:-1]) if program.endswith("*") else name == program


def _is_found(path: str, name: str) -> bool:
    """Whether PATH finds this very file, maybe by another spelling of its directory."""
    found = find(name)
    return found is not None and _directory(found) == _directory(path)


def _directory(path: str) -> str:
    return os.path.realpath(os.path.dirname(path))


def _is_roots(path: str) -> bool:
    """Whether nobody but root can change or make the file, the folders above it, or a link on the way.

    Root may have cloned a repository too: what lies in one is its author's.
    """
    target = os.path.realpath(path)
    places = {*_upwards(path), *_upwards(target)}
    return not any(map(_is_cloned, [_directory(path), os.path.dirname(target)])) and all(map(_is_roots_alone, places))


def _is_cloned(folder: str) -> bool:
    return repository_around(folder) != folder or os.path.lexists(os.path.join(folder, ".git"))


def _upwards(path: str) -> Iterable[str]:
    while path != os.path.dirname(path):
        yield path
        path = os.path.dirname(path)
    yield path


def _is_roots_alone(path: str) -> bool:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return True  # whoever may write the folder above could make it
    except OSError:
        return False
    is_link = os.path.islink(path)  # whose mode says nothing
    return status.st_uid == 0 and (is_link or not status.st_mode & _OTHERS_WRITE)
