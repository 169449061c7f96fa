"""`envref profile diff`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict

import click

from envref import streams
from envref.cli import candidates, output
from envref.cli.grammar import Command
from envref.cli.options import format_option
from envref.cli.profile.known import project_of
from envref.env.environment import Environment
from envref.env.shown import shown
from envref.errors import printable
from envref.formats import shells
from envref.project.project import Project

_KINDS = ("only_a", "only_b", "changed")


class ProfileDifference(TypedDict, total=False):
    """A variable that two profiles set differently, in `--format json`."""

    key: str
    kind: str
    value_a: str
    value_b: str


@click.command(cls=Command)
@click.argument("a", metavar="A", shell_complete=candidates.profiles)
@click.argument("b", metavar="B", shell_complete=candidates.profiles)
@format_option("plain", "json", "table")
def diff(a: str, b: str, format_: str) -> None:
    """Compare the variables of two profiles; references stay as they are.

    Example: envref profile diff staging production
    """
    projects = [project_of(a), project_of(b)]
    streams.warn_each(dict.fromkeys(warning for project in projects for warning in project.warnings))
    values_a, values_b = map(_values, projects)
    found = list(_differences(values_a, values_b))
    if format_ == "json":
        streams.write(shells.json_text(found))
    elif not found:
        streams.write(f'Profiles "{a}" and "{b}" are identical ({len(values_a)} keys)\n')
    else:
        streams.write(_table(found, a, b) if format_ == "table" else _text(found, a, b))


def _values(project: Project) -> dict[str, str]:
    """Merged and interpolated, references as their URIs."""
    environment = Environment(project.files, project.ambient)
    return shown(environment)


def _differences(a: Mapping[str, str], b: Mapping[str, str]) -> Iterable[ProfileDifference]:
    for key in sorted({*a, *b}):
        if key not in b:
            yield {"key": key, "kind": "only_a", "value_a": a[key]}
        elif key not in a:
            yield {"key": key, "kind": "only_b", "value_b": b[key]}
        elif a[key] != b[key]:
            yield {"key": key, "kind": "changed", "value_a": a[key], "value_b": b[key]}


def _text(found: list[ProfileDifference], a: str, b: str) -> str:
    labels = {"only_a": f"only in {a}", "only_b": f"only in {b}", "changed": "changed"}
    lines = [printable(_line(each)) for each in found]
    width = max(map(len, lines))
    shown = [f"{line:<{width}}   ({labels[each['kind']]})" for line, each in zip(lines, found, strict=True)]
    counts = {kind: sum(each["kind"] == kind for each in found) for kind in _KINDS}
    summary = ", ".join(f"{count} {labels[kind]}" for kind, count in counts.items() if count)
    return "".join(f"{line}\n" for line in [*shown, "", f"{len(found)} difference(s): {summary}"])


def _line(each: ProfileDifference) -> str:
    if each["kind"] == "changed":
        return f"~ {each['key']}: {each['value_a']} -> {each['value_b']}"
    return f"- {each['key']}={each['value_a']}" if each["kind"] == "only_a" else f"+ {each['key']}={each['value_b']}"


def _table(found: list[ProfileDifference], a: str, b: str) -> str:
    """The table. A value that a profile does not set shows as a dash, an empty value as nothing."""
    return output.table(
        ("KEY", a, b), [(each["key"], each.get("value_a", "-"), each.get("value_b", "-")) for each in found]
    )
