"""Install: the stores' own programs in a manifest's `[install]` (flox.md 7)."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

from envref.backends.table import backend_class
from envref.env.source import newline
from envref.errors import EnvrefError
from envref.flox import toml_text
from envref.refs.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envref.backends.base import Package
    from envref.env.environment import Environment
    from envref.project.project import Project

MANIFEST = ".flox/env/manifest.toml"


_UNFREE = ("options", "allow", "unfree")


def kinds_of(project: Project, environment: Environment) -> list[str]:
    """The types of the stores that the project's references may ask, in the order of the chain."""
    asked = {
        reference.store
        for variable in environment.variables.values()
        for reference in variable.references()
        if isinstance(reference, Reference)
    }
    kinds = [backend.type for backend in project.config.backends if {None, backend.name} & asked]
    return list(dict.fromkeys(kinds))


def with_programs(text: str, kinds: Iterable[str], *, file: str = MANIFEST) -> str:
    """The manifest's text with the packages that the types' programs need and `[install]` lacks.

    `file` is what messages call the manifest. Raises EnvrefError where an unfree package is not allowed, or an entry
    can't be added.
    """
    manifest = tomllib.loads(text)
    installed = toml_text.table_at(manifest, ("install",))
    wanted = {package.path: package for kind in kinds for package in backend_class(kind).packages}
    missing = [
        package for package in wanted.values() if _applies(package, manifest) and not _is_installed(package, installed)
    ]
    if any(package.unfree for package in missing):
        _check_unfree(text, manifest, missing, file)
    for package in missing:
        identity = _free_id(package, toml_text.table_at(tomllib.loads(text), ("install",)), file)
        text = _with_entry(text, identity, _fields(package, manifest), file)
    return text


def _applies(package: Package, manifest: dict[str, Any]) -> bool:
    return not package.systems or bool(_systems(package, manifest))


def _systems(package: Package, manifest: dict[str, Any]) -> list[str]:
    """The package's systems that the environment has; a manifest that names none has all of them."""
    chosen = manifest.get("options", {}).get("systems") or package.systems
    return [system for system in package.systems if system in chosen]


def _is_installed(package: Package, installed: dict[str, Any]) -> bool:
    paths = {entry.get("pkg-path") for entry in installed.values() if isinstance(entry, dict)}
    return bool(paths & {package.path, package.also or package.path})


def _check_unfree(text: str, manifest: dict[str, Any], missing: Iterable[Package], file: str) -> None:
    """Refuses unfree packages if the manifest does. Flox allows them if the manifest doesn't say."""
    if toml_text.at(manifest, _UNFREE) is not False:
        return
    unfree = [package.path for package in missing if package.unfree]
    are = "is" if len(unfree) == 1 else "are"
    raise EnvrefError(
        f"{file}:{_line_of_refusal(text)}: options.allow.unfree = false, and {', '.join(unfree)} {are} unfree",
        hint="change that line to unfree = true, or install the program outside Flox and leave out --install",
    )


def _line_of_refusal(text: str) -> int:
    """The number of the line that says `unfree = false` in any form: the line whose change allows it."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        allowing = [*lines[:number], re.sub(r"\bfalse\b", "true", line), *lines[number + 1 :]]
        if "unfree" in line and toml_text.at(toml_text.read("\n".join(allowing)) or {}, _UNFREE) is True:
            return number + 1
    return 1


def _free_id(package: Package, installed: dict[str, Any], file: str) -> str:
    """The package's own name as its id; if that is taken, an id that says who wants it."""
    for identity in (package.path, f"envref-{package.path.lstrip('_')}"):
        if identity not in installed:
            return identity
    raise EnvrefError(
        f"{file}: install.{package.path} and install.{identity} are both taken by other packages",
        hint=f'add pkg-path = "{package.path}" under an id of your own',
    )


def _fields(package: Package, manifest: dict[str, Any]) -> dict[str, str | list[str]]:
    fields: dict[str, str | list[str]] = {"pkg-path": package.path}
    if package.group:
        fields["pkg-group"] = package.group
    if package.systems:
        fields["systems"] = _systems(package, manifest)
    return fields


def _with_entry(text: str, identity: str, fields: dict[str, str | list[str]], file: str) -> str:
    """The text with the entry as dotted keys, and no other byte changed."""
    entry = [f"{identity}.{name} = {json.dumps(value)}" for name, value in fields.items()]
    changed = toml_text.chosen(text, _placed(text, entry), {("install", identity): fields})
    if changed is None:
        raise EnvrefError(f"{file}: no place for an entry in [install]", hint=f"add these lines: {'; '.join(entry)}")
    return changed


def _placed(text: str, entry: Sequence[str]) -> Iterator[str]:
    """The text with the entry at each place where it may belong."""
    lines = text.splitlines(keepends=True)
    end = newline(text)
    for number, line in enumerate(lines):
        if re.match(r"[ \t]*\[[ \t]*\"?install\"?[ \t]*\]", line):
            for place in _ends(lines, number):
                yield _inserted(lines, place, entry, end)
        elif re.match(r"[ \t]*install[ \t]*\.", line):
            yield _inserted(lines, number + 1, [f"install.{each}" for each in entry], end)
        elif re.match(r"[ \t]*install[ \t]*=[ \t]*\{", line):
            yield from _inlined(lines, number, entry)
    gap = [""] if lines and lines[-1].strip() else []
    yield _inserted(lines, len(lines), [*gap, "[install]", *entry], end)


def _ends(lines: Sequence[str], header: int) -> Iterator[int]:
    """Where the entries below a header end: after the last one, or else after the comments that follow the header."""
    last = header
    for number in range(header + 1, len(lines)):
        line = lines[number].strip()
        if re.match(r"\[[^\]\[]+\]|\[\[", line):
            break
        if line and not line.startswith("#"):
            last = number
    if last > header:
        yield last + 1
    below = header + 1
    while below < len(lines) and lines[below].lstrip().startswith("#"):
        below += 1
    yield below


def _inserted(lines: Sequence[str], place: int, entry: Sequence[str], end: str) -> str:
    before, after = list(lines[:place]), lines[place:]
    if before and not before[-1].endswith("\n"):
        before[-1] += end
    previous = before[-1] if before else ""
    indent = previous[: len(previous) - len(previous.lstrip(" \t"))] if previous.strip() else ""
    return "".join([*before, *(f"{indent if line else ''}{line}{end}" for line in entry), *after])


def _inlined(lines: Sequence[str], number: int, entry: Sequence[str]) -> Iterator[str]:
    """The entry at the end of an inline table of one line."""
    line = lines[number]
    for at in (match.start() for match in re.finditer(r"\}", line)):
        start = line[:at].rstrip()
        comma = " " if start.endswith("{") else ", "
        space = " " if line[:at].endswith(" ") or start.endswith("{") else ""
        yield "".join([*lines[:number], f"{start}{comma}{', '.join(entry)}{space}{line[at:]}", *lines[number + 1 :]])
