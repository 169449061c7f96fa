"""Earlier versions of entries of pass: what its git has under a revision, decrypted by gpg as pass does it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from envref.backends import command
from envref.backends.password_store import gpg
from envref.backends.password_store.blob import MARK, blob
from envref.backends.program import Complaint, plain, understood
from envref.errors import printable
from envref.store_errors import BackendError, BackendInvalid, BackendUnavailable, SecretNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.backends.command import Finished
    from envref.backends.program import Program

_REVISION = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@{}~^./_-]*")
_BLOB = re.compile(f"{MARK}[0-9a-f]{{40}}")
# git's words, in English (LC_ALL=C); git 2.39.
_COMPLAINTS = (
    Complaint(
        "is not a git repository",
        BackendInvalid,
        says="the store keeps no versions: it has no git",
        run=("pass", "git", "init"),
    ),
    Complaint("invalid object name", SecretNotFound),
    Complaint("unknown revision", SecretNotFound),
    Complaint("does not exist in", SecretNotFound),
    Complaint("bad object", SecretNotFound),
    Complaint("but not in", SecretNotFound),
)


class Earlier(NamedTuple):
    """What gpg prints of an entry, or why there is nothing; and which content of git's that is."""

    outcome: Finished | BackendError
    revision: str = ""


def entries(
    program: Program, versions: Sequence[tuple[str, str]], deadline: float, extra: Mapping[str, str]
) -> dict[tuple[str, str], Earlier]:
    """Each entry at its revision, both given as text."""
    read = {each: Earlier(_refused(program.label, each[1])) for each in versions if not _REVISION.fullmatch(each[1])}
    asked = [each for each in dict.fromkeys(versions) if each not in read]
    commits = _commits(program, asked, deadline, extra)
    calls = [("git", "show", _object(name, revision)) for name, revision in asked]
    sealed: dict[tuple[str, str], bytes] = {}
    for each, shown in zip(asked, program.run_many(calls, deadline, extra=extra), strict=True):
        fault = _fault(program.label, shown) or _fault(program.label, commits.get(each, shown))
        if fault:
            read[each] = Earlier(fault)
        elif not isinstance(shown, BackendError):
            sealed[each] = shown.stdout
    opened = _decrypted(program, sealed, deadline, extra)
    return {**read, **{each: Earlier(outcome, blob(sealed[each])) for each, outcome in opened.items()}}


def committed(
    program: Program, versions: Iterable[tuple[str, str]], deadline: float, extra: Mapping[str, str]
) -> set[tuple[str, str]]:
    """Those of the entries that had their content, named by a revision of envref's own, in a commit of the store's."""
    found = _commits(program, versions, deadline, extra)
    return {each for each, outcome in found.items() if not _fault(program.label, outcome)}


def _commits(
    program: Program, versions: Iterable[tuple[str, str]], deadline: float, extra: Mapping[str, str]
) -> dict[tuple[str, str], Finished | BackendError]:
    """The commit in which each entry got its content: by its name alone git gives that of any other entry too."""
    asked = [each for each in versions if _BLOB.fullmatch(each[1])]
    # A merge may have dropped the side where it was: the full history has it.
    words = ("git", "--literal-pathspecs", "log", "--full-history", "-1", "--format=%H")
    calls = [(*words, f"--find-object={_object(*each)}", "--", f"./{each[0]}.gpg") for each in asked]
    return dict(zip(asked, program.run_many(calls, deadline, extra=extra) if calls else (), strict=True))


def _fault(label: str, outcome: Finished | BackendError) -> BackendError | None:
    """Why git printed nothing; pass ends well whatever its git says."""
    if isinstance(outcome, BackendError):
        return outcome
    if outcome.stdout:
        return None
    return understood(label, _fatal(outcome.stderr), _COMPLAINTS) if outcome.stderr else _not_of_it(label)


def _not_of_it(label: str) -> SecretNotFound:
    return SecretNotFound(f"{label}: no commit of the store has this content of the entry")


def _decrypted(
    program: Program, sealed: Mapping[tuple[str, str], bytes], deadline: float, extra: Mapping[str, str]
) -> dict[tuple[str, str], Finished | BackendError]:
    if not sealed:
        return {}
    path = next(gpg.programs(), "")
    if not path:
        missing = BackendUnavailable(
            f"{program.label}: start gpg: executable file not found in $PATH", hint="install gnupg"
        )
        return dict.fromkeys(sealed, missing)
    given = os.environ.get("PASSWORD_STORE_GPG_OPTS", "").split()
    calls = [
        command.Call([path, *given, "--quiet", "--batch", "--use-agent", "--decrypt"], each) for each in sealed.values()
    ]
    outcomes = command.run_many(calls, deadline=deadline, label=program.label, environment=program.environment(extra))
    return dict(zip(sealed, outcomes, strict=True))


def _object(name: str, revision: str) -> str:
    """What git is asked for: the entry at a revision, or the content that a revision of envref's own names."""
    return revision.removeprefix(MARK) if _BLOB.fullmatch(revision) else f"{revision}:./{name}.gpg"


def _fatal(text: str) -> str:
    """Git's own line, among its advice."""
    return next((line for line in plain(text).splitlines() if line.startswith("fatal:")), text)


def _refused(label: str, revision: str) -> BackendInvalid:
    return BackendInvalid(
        f'{label}: "{printable(revision)}" is not a revision of git', hint="write one as pass git log shows, or HEAD~1"
    )
