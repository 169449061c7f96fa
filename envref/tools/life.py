"""Life: how long a secret's file is there, as one line of text that any process of the user can judge.

`process PID START` lasts as long as that process, `folder PATH` as long as that folder.
"""

from __future__ import annotations

import os

from envref import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_PROCESS, _FOLDER = "process", "folder"
_START_OPTION = b"--start-state-dir"  # of the script that sources a hook (flox 6536dac28, attach_diff/mod.rs:405)


def of_process(process: int) -> str:
    """As long as the process runs, whatever program it becomes."""
    return f"{_PROCESS} {process} {processes.start_of(process)}"


def of_session(environment: Mapping[str, str] = os.environ) -> str:
    """As long as what the caller's variables are for: Flox's activation in its hook, else the shell's session.

    Empty if nothing that outlives this process can be seen.
    """
    start = _flox_start(os.getppid()) if "FLOX_ENV" in environment else ""
    return f"{_FOLDER} {start}" if start else _of_leader()


def has_ended(life: str) -> bool:
    """Whether nobody needs the file any more."""
    kind, _, rest = life.partition(" ")
    if kind == _FOLDER:
        return not os.path.isdir(rest)
    process, _, started = rest.partition(" ")
    if kind != _PROCESS or not process.isdigit():
        return True
    return processes.start_of(int(process)) != started if started else not _runs(int(process))


def process_of(life: str) -> int:
    """The process that it lasts as long as; 0 for a folder."""
    kind, _, rest = life.partition(" ")
    return int(rest.partition(" ")[0]) if kind == _PROCESS else 0


def _runs(process: int) -> bool:
    """Where there is no /proc."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _flox_start(process: int) -> str:
    """The folder that Flox keeps for an activation until its last shell left, if the process runs Flox's hook."""
    words = processes.words_of(process)
    place = words[words.index(_START_OPTION) + 1 :][:1] if _START_OPTION in words else []
    return next((os.fsdecode(each) for each in place if os.path.isdir(each)), "")


def _of_leader() -> str:
    """As long as the leader of the session, whoever is between it and us.

    A leader may be gone, or not visible in a container: then the oldest process of the session above us. We may lead
    ourselves, where an editor started us: then the session of the one that did.
    """
    leader = os.getsid(0)
    if leader == os.getpid():
        leader = _session_of(os.getppid())
    if leader > 0 and _began(leader):
        return of_process(leader)
    oldest, process = 0, os.getppid()
    while leader >= 0 < process and _session_of(process) == leader:
        oldest, process = process, _parent_of(process)
    return of_process(oldest) if oldest else ""


def _began(process: int) -> bool:
    return bool(processes.start_of(process)) or (not processes.are_shown() and _runs(process))


def _session_of(process: int) -> int:
    try:
        return os.getsid(process) if process > 0 else -1
    except OSError:
        return -1


def _parent_of(process: int) -> int:
    """0 where nobody says."""
    found = processes.find(process)
    return found.parent if found else 0
