"""The trust question as a person reads it: what a project wants, and what changed (security.md 5.6)."""

from __future__ import annotations

import os
import re

from envref.env.file import merge
from envref.errors import pasted, printable
from envref.paths import shown
from envref.project.config.model import credential_way, is_credential
from envref.project.project import env_files
from envref.project.trust.meaning import content, fingerprint
from envref.project.trust.need import ADDRESS, FILE, NAMES, PLACE, PROGRAM, SECRETS
from envref.refs.reference import SCHEME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from envref.project.config.model import BackendConfig
    from envref.project.project import Project
    from envref.project.trust.need import Need
    from envref.project.trust.record import Record

_DIGITS = 12  # of a program's checksum: enough to compare by eye
_WANTS = "  it wants: "
_MOST_NAMES = 5  # that a line of a question shows
_LONGEST = 100  # characters of a value
_MOST_CHANGES = 20  # lines of a difference
_MOST_LINES = 5  # of a question
_DIGEST = re.compile("sha256 ([0-9a-f]{64})")


def refusal(
    project: Project, needs: Sequence[Need], others: Sequence[str], meant: Mapping[str, Any], record: Record | None
) -> list[str]:
    """Why the command stops, and the ways out of it."""
    pin = f"  review, then: {_trusting()}        in CI: ENVREF_TRUST={fingerprint(meant)}"
    return [*request(project, needs, others, meant, record), pin]


def _trusting() -> str:
    return pasted(("envref", "trust"))


def request(
    project: Project, needs: Sequence[Need], others: Sequence[str], meant: Mapping[str, Any], record: Record | None
) -> list[str]:
    """What would be granted; for a project that was trusted before, what is different now."""
    place = f"envref: {shown(project.root)}"
    changed = list(changes(record.meant, meant)) if record and record.granted else []
    if record and changed:
        more = [f"and {len(changed) - _MOST_CHANGES} more: {_trusting()} shows all"] * (len(changed) > _MOST_CHANGES)
        told = (*changed[:_MOST_CHANGES], *more)
        return [f"{place} changed since you trusted it on {record.date}:", *(f"  {line}" for line in told)]
    head = f"{place} is not trusted yet, nothing was run or read."
    return [
        head,
        *_at_most([*shared(project, others), *summary(project, meant), *wanted(project, needs, meant, _MOST_NAMES)]),
    ]


def shared(project: Project, others: Sequence[str]) -> list[str]:
    """Who else has the project's name, and so its secrets."""
    return [f'  project "{project.config.project}" is also used by {", ".join(map(shown, others))}'] if others else []


def _at_most(lines: list[str]) -> list[str]:
    """The lines, or the first and the last of more than a person reads at a prompt."""
    if len(lines) <= _MOST_LINES:
        return lines
    cut = f"{' ' * len(_WANTS)}and {len(lines) - _MOST_LINES + 1} more: {_trusting()} shows all"
    return [*lines[: _MOST_LINES - 2], cut, lines[-1]]


def summary(project: Project, meant: Mapping[str, Any]) -> list[str]:
    """In few lines what it sets and reads: variables and secrets by number, stores, and names that are not its own; and
    which variables only a tool gets.
    """
    entries = merge(project.files or env_files(project))
    secrets = sum(SCHEME in entry.text for entry in entries)
    stores = ", ".join(map(_store, project.config.backends))
    lines = [f"  it sets {len(entries)} variable(s), {secrets} with secrets from {stores or 'no store'}"]
    if meant["foreign"]:
        lines.append(f"  it reads {printable(_some(meant['foreign'], _MOST_NAMES))}")
    kept = meant.get("tools", {}).items()
    lines += [
        f"  it keeps {_some(names, _MOST_NAMES)} for {_getter(tool, way)}"
        for tool, ways in kept
        for way, names in ways.items()
    ]
    return lines


def _getter(tool: str, way: str) -> str:
    """Who gets it: `gh`, `git at github.com`."""
    server = way.removeprefix(credential_way(""))
    return printable(f"{tool} at {server}" if server != way else tool)


def _store(backend: BackendConfig) -> str:
    """With what leads it elsewhere: an address, a prefix, a namespace. Programs and paths have lines of their own."""
    told = [
        f"{name} {value}"
        for name, value in backend.options.items()
        if value and isinstance(value, str) and not is_credential(name) and name not in ("command", *backend.paths)
    ]
    return f"{backend.name} ({', '.join(told)})" if told else backend.name


def wanted(project: Project, needs: Sequence[Need], meant: Mapping[str, Any], most: int | None = None) -> list[str]:
    """`it wants:` and a line for each thing; of variables at most so many."""
    lines = [_LINES[need.condition](need, project) for need in needs if need.condition != NAMES]
    if meant["variables"]:
        lines.append(f"to set {_some(_assignments(needs, meant), most)}")
    return [(" " * len(_WANTS) if index else _WANTS) + line for index, line in enumerate(lines)]


def _assignments(needs: Sequence[Need], meant: Mapping[str, Any]) -> list[str]:
    """What is risky now comes first, then what other profiles set, and what the values interpolate."""
    risky = {need.subject for need in needs if need.condition == NAMES}
    variables = sorted(meant["variables"].items(), key=lambda each: (each[0] not in risky, each[0]))
    return [f"{name}={_some(list(map(_value, values)), _MOST_NAMES, ' or ')}" for name, values in variables]


def _some(items: Sequence[str], most: int | None, between: str = ", ") -> str:
    more = 0 if most is None else len(items) - most
    return between.join(items[:most]) + (f" and {more} more" if more > 0 else "")


def _value(value: str) -> str:
    """Of a credential, the beginning of its digest."""
    told = _DIGEST.sub(lambda found: f"sha256 {found[1][:_DIGITS]}...", value)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}... ({len(told)} characters)"


def _program(need: Need, project: Project) -> str:
    return f"{_kind(need)} {_relative(need.detail or need.subject, project.root)}{_identity(need.detail, project.root)}"


def _identity(path: str, root: str) -> str:
    """What identifies a program: its checksum inside the project, where a link leads, or that it is missing."""
    if not path:
        return " (not there)"
    target = os.path.realpath(path)
    if target.startswith(os.path.join(root, "")):
        return f" (sha256 {content(target)[:_DIGITS]}...)"
    return "" if target == path else f" (a link to {shown(target)})"


def _address(need: Need, _project: Project) -> str:
    from envref.project.trust.endpoint import program

    path = program(need.backend) if need.backend else ""
    credential = f" with your {need.detail}" if need.detail else ""
    return f"{_kind(need)} {path} -> {need.subject}{credential}"


def _place(need: Need, _project: Project) -> str:
    kind = need.backend.type if need.backend else ""
    return f"{kind} {need.detail} {shown(need.subject)}"


def _file(need: Need, _project: Project) -> str:
    return f"to read {shown(need.detail)} as {need.subject}, with every variable it sets"


def _secrets(need: Need, _project: Project) -> str:
    return f'secrets of project "{need.subject}"'


_LINES = {PROGRAM: _program, ADDRESS: _address, PLACE: _place, FILE: _file, SECRETS: _secrets}


def _kind(need: Need) -> str:
    """The program of a store, `NAME CLI`; the store's type if each backend's program has its own name."""
    backend = need.backend
    if backend is None:
        return ""
    program = next(iter(backend.programs), "*")
    return backend.type if "*" in program else f"{program} CLI"


def _relative(path: str, root: str) -> str:
    """A path as people find it: relative to the project's root if it is inside."""
    below = os.path.join(root, "")
    return f"./{path.removeprefix(below)}" if path.startswith(below) else shown(path)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """`- addr: https://a` and `+ addr: https://b`, for all that is different."""
    old, new = dict(_flat(before)), dict(_flat(after))
    several = len({path[1] for path in (*old, *new) if len(path) > 1 and path[0] == "backends"}) > 1
    for path in dict.fromkeys([*old, *new]):
        if old.get(path) == new.get(path):
            continue
        for sign, values in (("-", old), ("+", new)):
            if path in values:
                named = several and len(path) > 1 and path[0] in ("backends", "programs")
                yield f"{sign} {_label(path)}: {values[path]}" + (f' (backend "{path[1]}")' if named else "")


def _flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every piece of text in the data, with the names that lead to it; for a list also its order."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _flat(member, (*path, str(key)))
    elif isinstance(value, list):
        yield path, ", ".join(map(_title, value))
        for member in value:
            if isinstance(member, dict):
                yield from _flat(member, (*path, _title(member)))
    elif value is not None:
        yield path, str(value)


def _title(member: Any) -> str:
    return str(member.get("name", member.get("backend", ""))) if isinstance(member, dict) else str(member)


def _label(path: tuple[str, ...]) -> str:
    """`addr` for an option of a backend, `profiles staging` for what has a name of its own."""
    return path[-1] if path[0] in ("backends", "programs") else " ".join(path)
