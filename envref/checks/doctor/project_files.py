"""What can be wrong around the env files: the config, git, who may read what is personal, and direnv."""

from __future__ import annotations

import json
import os
import re
import stat
import time
from typing import TYPE_CHECKING

from envref.backends import command
from envref.checks import committed
from envref.checks.doctor.finding import Finding, from_error, from_problem, typed
from envref.errors import EnvrefError, MalformedFile, Operator
from envref.fresh import lock
from envref.paths import open_file
from envref.project import git, sealed
from envref.project.config.files import FILE
from envref.project.project import words_of
from envref.project.tokens import committed_tokens
from envref.store_errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envref.backends.command import Finished
    from envref.checks.doctor.case import Case

_DIRENV_FILE = ".envrc"
_PATIENCE = 5.0  # seconds for direnv
_NOT_OURS = 0o066  # the group and others, reading and writing


def config_warnings(case: Case) -> Iterator[Finding]:
    for warning in (*case.project.warnings, *committed_tokens(case.project)):
        yield Finding(FILE, warning, hint=f"correct {FILE}")


def untrusted_config(case: Case) -> Iterator[Finding]:
    """The project chose programs, servers or files: doctor does not look at its stores until the user trusts it."""
    if case.is_untrusted:
        message = "asks for something that needs trust; its stores were not looked at"
        yield Finding(FILE, message, run=("envref", "trust"))


def committable_local_files(case: Case) -> Iterator[Finding]:
    """A personal file is in a git work tree, and git does not ignore it, or even tracks it."""
    if not case.may_run_programs:
        return
    root = case.project.root
    for name in _personal(case):
        ignored = git.ask(root, "check-ignore", "--quiet", "--", name)
        if ignored is None or ignored.status != 1:  # 0: git ignores it; 128: not a work tree, or one that git refuses
            continue
        if git.tracks(root, name):
            run = ("git", "rm", "--cached", typed(os.path.join(root, name), case.start))
            yield Finding(name, "tracked by git, so that everybody with the repository has it", run=run)
        else:
            yield Finding(name, "in a git work tree, and not ignored by git", run=_ignoring(case, name))


def _personal(case: Case) -> list[str]:
    """The personal files that are there, also those of profiles that are not in effect."""
    root, local = case.project.root, case.project.config.local_file
    of_profiles = [name for name in os.listdir(root) if re.fullmatch(r"\.env\..+\.local", name)]
    return [name for name in dict.fromkeys([local, *sorted(of_profiles)]) if os.path.lexists(os.path.join(root, name))]


def _ignoring(case: Case, name: str) -> tuple[str, ...]:
    """The command that adds a personal file to .gitignore, also to one whose last line has no end."""
    path = os.path.join(case.project.root, ".gitignore")
    try:
        with open_file(path) as file:
            is_cut = file.read()[-1:] not in (b"", b"\n")
    except OSError:
        is_cut = False
    listing = (Operator(">>"), typed(path, case.start))
    ending = ("echo", *listing, Operator("&&")) if is_cut else ()
    return (*ending, "echo", name, *listing)


def ignored_files(case: Case) -> Iterator[Finding]:
    """A file for everybody that git ignores."""
    if case.may_run_programs:
        for file, fact, run, hint in committed.ignored(case.project, case.files):
            yield Finding(file, fact, run=run, hint=hint)


def unusable_lock(case: Case) -> Iterator[Finding]:
    """The lock can't be read, or lacks the section that `locked: true` makes everything ask for."""
    project = case.project
    try:
        if project.config.locked and any(True for _ in case.references()):
            lock.section(project.root, project.profile)
        else:
            lock.read(project.root)
    except MalformedFile as error:
        yield from map(from_problem, error.problems)
    except EnvrefError as error:
        yield from_error(lock.FILE, error)


def waiting_secrets(case: Case) -> Iterator[Finding]:
    """A file of the team's secrets that was not taken in on this machine since it was written."""
    for name in sealed.waiting(case.project):
        run = ("envref", "onboard", *words_of(case.project.profile))
        yield Finding(name, "has secrets for the team, which were not taken in here yet", run=run, is_note=True)


def readable_local_files(case: Case) -> Iterator[Finding]:
    for name in _personal(case):
        path = os.path.join(case.project.root, name)
        try:
            mode = os.stat(path).st_mode
        except OSError:
            continue
        if stat.S_ISREG(mode) and mode & _NOT_OURS:
            message = f"readable by others (mode {stat.S_IMODE(mode):04o})"
            yield Finding(name, message, run=("chmod", "600", typed(path, case.start)))


def blocked_envrc(case: Case) -> Iterator[Finding]:
    """There is an `.envrc` and a direnv, but the user has not allowed it: direnv loads nothing."""
    path = os.path.join(case.project.root, _DIRENV_FILE)
    if not case.may_run_programs or not os.path.exists(path):
        return
    status = _run("direnv", ["status", "--json"], case.project.root)
    if status is not None and _allowed(status.stdout.decode("utf-8", "replace"), path) is False:
        message = "not allowed in direnv, so that it loads nothing"
        yield Finding(_DIRENV_FILE, message, run=("direnv", "allow", typed(path, case.start)))


def _run(name: str, arguments: Sequence[str], directory: str) -> Finished | None:
    """The finished program; None if it is missing or doesn't answer."""
    program = command.find(name)
    if program is None:
        return None
    deadline = time.monotonic() + _PATIENCE
    try:
        return command.run([program, *arguments], deadline=deadline, label=name, directory=directory)
    except BackendError:
        return None


def _allowed(status: str, path: str) -> bool | None:
    """Whether direnv would load the file at `path`; None if it doesn't say.

    2.33 and later print JSON, in which 0 means allowed; older ones ignore `--json` and print lines.
    """
    try:
        found = json.loads(status)["state"]["foundRC"] or {}
        place, allowed = found.get("path"), found.get("allowed")
    except (ValueError, KeyError, TypeError):
        facts = dict(line.rsplit(" ", 1) for line in status.splitlines() if line.startswith("Found RC "))
        place, allowed = status.partition("Found RC path ")[2].partition("\n")[0], facts.get("Found RC allowed")
    if allowed is None or place != path:
        return None
    return str(allowed).lower() in ("0", "true")
