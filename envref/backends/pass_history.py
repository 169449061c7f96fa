"""Earlier versions of entries of pass: what its git has under a revision, decrypted by gpg as pass does it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from envref.backends import command, pass_gpg
from envref.backends.program import Complaint, plain, understood
from envref.errors import BackendError, BackendInvalid, BackendUnavailable, SecretNotFound, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envref.backends.command import Finished
    from envref.backends.program import Program

_REVISION = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@{}~^./_-]*")
BLOB = "blob-"  # how a revision of envref's own begins, which is the id that git gives the encrypted file
_BLOB = re.compile(f"{BLOB}[0-9a-f]{{40}}")
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


def entries(
    program: Program, versions: Sequence[tuple[str, str]], deadline: float, extra: Mapping[str, str]
) -> dict[tuple[str, str], Finished | BackendError]:
    """What gpg prints of each entry at its revision, both given as text; else why there is nothing."""
    read: dict[tuple[str, str], Finished | BackendError] = {
        each: _refused(program.label, each[1]) for each in versions if not _REVISION.fullmatch(each[1])
    }
    asked = [each for each in dict.fromkeys(versions) if each not in read]
    calls = [("git", "show", _object(name, revision)) for name, revision in asked]
    sealed: dict[tuple[str, str], bytes] = {}
    for each, shown in zip(asked, program.run_many(calls, deadline, extra=extra), strict=True):
        if isinstance(shown, BackendError):
            read[each] = shown
        elif not shown.stdout:  # pass ends well whatever its git says
            read[each] = understood(program.label, _fatal(shown.stderr), _COMPLAINTS)
        else:
            sealed[each] = shown.stdout
    return {**read, **_decrypted(program, sealed, deadline, extra)}


def _decrypted(
    program: Program, sealed: Mapping[tuple[str, str], bytes], deadline: float, extra: Mapping[str, str]
) -> dict[tuple[str, str], Finished | BackendError]:
    if not sealed:
        return {}
    gpg = next(pass_gpg.programs(), "")
    if not gpg:
        missing = BackendUnavailable(
            f"{program.label}: start gpg: executable file not found in $PATH", hint="install gnupg"
        )
        return dict.fromkeys(sealed, missing)
    given = os.environ.get("PASSWORD_STORE_GPG_OPTS", "").split()
    calls = [
        command.Call([gpg, *given, "--quiet", "--batch", "--use-agent", "--decrypt"], each) for each in sealed.values()
    ]
    outcomes = command.run_many(calls, deadline=deadline, label=program.label, environment=program.environment(extra))
    return dict(zip(sealed, outcomes, strict=True))


def _object(name: str, revision: str) -> str:
    """What git is asked for: the entry at a revision, or the content that a revision of envref's own names."""
    return revision.removeprefix(BLOB) if _BLOB.fullmatch(revision) else f"{revision}:./{name}.gpg"


def _fatal(text: str) -> str:
    """Git's own line, among its advice."""
    return next((line for line in plain(text).splitlines() if line.startswith("fatal:")), text)


def _refused(label: str, revision: str) -> BackendInvalid:
    return BackendInvalid(
        f'{label}: "{printable(revision)}" is not a revision of git', hint="write one as pass git log shows, or HEAD~1"
    )
