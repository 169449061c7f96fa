"""What a project's shared env files should not be: full of secrets, ignored by git, or with near misses of references.

`doctor` makes findings of it, `status` and `init` lines.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from envref.checks.audit import suspects
from envref.errors import pasted
from envref.fresh.lock import FILE as LOCK
from envref.project import git
from envref.project.project import committed_layers, words_of
from envref.project.trust.agreement import is_agreed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envref.env.environment import Variable
    from envref.env.file import EnvFile
    from envref.project.project import Project

_SHOWN = 3  # names in a message
_NEARLY = re.compile(r"(?<![A-Za-z0-9])ref:/", re.IGNORECASE)


class Advice(NamedTuple):
    """A fact about a file and its cure: a command, or a hint."""

    file: str
    fact: str
    run: tuple[str, ...] = ()
    hint: str = ""

    def line(self) -> str:
        cure = f"run: {pasted(self.run)}" if self.run else self.hint
        return f"{self.file}: {self.fact}; {cure}"


def plain_secrets(project: Project, files: Iterable[EnvFile], start: str) -> Iterator[Advice]:
    """The files for everybody that hold what looks like a secret. Personal files may. Cures are typed in `start`."""
    shared = committed_layers(project)
    for file in files:
        names = [entry.name for entry, _ in suspects(file)] if file.name in shared else []
        if names:
            more = ", …" if len(names) > _SHOWN else ""
            what = "1 value looks like a secret" if len(names) == 1 else f"{len(names)} values look like secrets"
            path = os.path.relpath(os.path.join(project.root, file.name), start)
            run = ("envref", "import", path, *_of_profile(project, file.name))
            yield Advice(file.name, f"{what}: {', '.join(names[:_SHOWN])}{more}", run=run)


def _of_profile(project: Project, name: str) -> tuple[str, ...]:
    is_its = project.profile is not None and name == project.config.profile_file(project.profile)
    return words_of(project.profile) if is_its else ()


def ignored(project: Project, files: Iterable[EnvFile]) -> Iterator[Advice]:
    """The files for everybody that git ignores, the lock too: what is in them reaches nobody. Asks git; trust comes
    before.
    """
    shared = committed_layers(project)
    held = {file.name: "references" for file in files if file.name in shared}
    if os.path.lexists(os.path.join(project.root, LOCK)):
        held[LOCK] = "pins"
    for name, what in held.items():
        rule = _ignoring(project.root, name)
        if rule:
            hint = f"delete that line, or write !{name} below it, and commit the file"
            yield Advice(name, f"git ignores it ({rule}), so nobody else gets its {what}", hint=hint)


def _ignoring(root: str, name: str) -> str:
    """Place and pattern of the line for which git ignores a file that it does not track; empty if none does."""
    answer = git.ask(root, "check-ignore", "--verbose", "--", name)
    if answer is None or answer.status != 0:
        return ""
    place, _, pattern = answer.stdout.decode("utf-8", "replace").partition("\t")[0].rpartition(":")
    return "" if pattern.startswith("!") else f"{place}: {pattern}"  # a rule that takes it back


def near_misses(variables: Iterable[Variable]) -> Iterator[tuple[Variable, str]]:
    """Values with a text that is nearly a reference, which is exported as it stands; each with the cure."""
    for variable in variables:
        text = variable.plain
        if text is None or not _NEARLY.search(text):
            continue
        if "${ref://" in text:
            hint = "write ${ref://…} with both braces, and not in single quotes"
        else:
            hint = "a whole value is ref://STORE/KEY; within a longer value write ${ref://STORE/KEY}"
        yield variable, hint


def advice(project: Project, files: Iterable[EnvFile]) -> list[Advice]:
    """All of it about files, for `status` and `init`."""
    files = list(files)
    return [*plain_secrets(project, files, os.getcwd()), *(ignored(project, files) if is_agreed(project) else ())]
