"""`envref validate`: the environment compared with its example file and its schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TypedDict

import click

from envref import streams
from envref.checks import example, schema
from envref.checks.example import Comparison
from envref.checks.schema import Fault, Schema
from envref.cli.activate import locked_stores
from envref.cli.chosen import Chosen, loaded
from envref.cli.consent import require
from envref.cli.files import file_options, named
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import format_option, profile_option
from envref.cli.timeout import timeout_of_environment
from envref.env.environment import Environment, Filled, Variable
from envref.env.file import EnvFile
from envref.errors import FAILED, OK, EnvrefError, MalformedFile
from envref.formats import shells
from envref.project.project import Project, env_path, find
from envref.resolve.report import complaints
from envref.resolve.resolution import environment_of, resolved
from envref.secret import Secret

_DEFAULT = ""  # of --schema without a value
_LOADING = "loading example file: "
_NEITHER = f"list the names there, describe them in {schema.FILE}, or name a file with -e or -s"


class Error(TypedDict):
    key: str
    rule: str
    message: str


class Report(TypedDict):
    """What `--format json` prints; envref/schemas/validate.json has its shape. It holds no secret value.

    `example` and `schema` are the files, None for one that is not used; `unresolved` is None without `--resolve`.
    """

    version: int
    valid: bool
    example: str | None
    schema: str | None
    keys: int
    missing: list[str]
    extra: list[str]
    errors: list[Error]
    unresolved: list[str] | None


@click.command(cls=Command)
@profile_option
@file_options
@click.option("-e", "--example", "example_file", metavar="FILE", help=f"The example file, by default {example.FILE}.")
@click.option(
    *("-s", "--schema", "schema_file"),
    metavar="[FILE]",
    is_flag=False,
    flag_value=_DEFAULT,
    help=f"The schema; {schema.FILE} without a FILE, and by default where it exists.",
)
@click.option("--no-schema", is_flag=True, help="Use no schema.")
@click.option("--resolve", is_flag=True, help="Also check the values that references stand for.")
@click.option("--ci", is_flag=True, help="Extra keys are errors; one line an error, none for success.")
@format_option("plain", "json")
def validate(
    profile: str | None,
    format_: str,
    file: tuple[str, ...],
    local_file: str | None,
    profile_file: str | None,
    example_file: str | None,
    schema_file: str | None,
    *,
    no_schema: bool,
    resolve: bool,
    ci: bool,
) -> int:
    """Check that the environment has the names of .env.example and the values that a schema asks for.

    Example: envref validate --ci --schema
    """
    exclusive(schema=schema_file is not None, no_schema=no_schema)
    chosen = named(file, local_file, profile_file)
    project = _project(profile, chosen, resolve=resolve)
    rules = None if no_schema else _schema(project, schema_file)
    promised = _example(project, example_file, required=rules is None)
    environment = environment_of(project)
    filled = _resolved(project, environment) if resolve else None
    report = _report(project, environment, filled, promised, rules)
    report["example"] = None if promised is None else example_file or example.FILE
    report["valid"] = not (report["missing"] or report["errors"] or report["unresolved"] or (ci and report["extra"]))
    if format_ == "json":
        streams.write(shells.json_text(report))
    elif ci:
        streams.say(_ci_lines(report))
    else:
        _tell(report)
    return OK if report["valid"] else FAILED


def _project(profile: str | None, chosen: Chosen, *, resolve: bool) -> Project:
    """The project with its files. With `--resolve` it needs a config, and trust for files outside it."""
    if resolve:
        find(directory())
    project = loaded(profile, chosen)
    if not resolve or not project.unread:
        return project
    require(project)
    return loaded(profile, chosen, project.files)


def _schema(project: Project, named: str | None) -> Schema | None:
    """The named schema, or the project's own; None if there is none and none was asked for."""
    if named:
        return schema.read(os.path.join(directory(), named), named)
    if named is None and not os.path.lexists(os.path.join(project.root, schema.FILE)):
        return None
    return schema.read(env_path(project.root, schema.FILE), schema.FILE)


def _example(project: Project, named: str | None, *, required: bool) -> list[str] | None:
    """The names of the example file; None if it is absent, and neither named nor `required`."""
    if not named and not required and not os.path.lexists(os.path.join(project.root, example.FILE)):
        return None
    try:
        if not named:
            return example.names_in(project.root)
        return [entry.name for entry in EnvFile.read(os.path.join(directory(), named), named).entries]
    except MalformedFile as error:
        raise MalformedFile(error.problems, prefix=_LOADING) from None
    except EnvrefError as error:
        is_there = named or os.path.lexists(os.path.join(project.root, example.FILE))
        raise EnvrefError(_LOADING + error.message, hint="" if is_there else _NEITHER) from None


def _resolved(project: Project, environment: Environment) -> dict[str, Filled]:
    """What became of every variable; reports what could not be resolved."""
    chosen = list(environment.variables.values())
    stores = locked_stores(project, environment.closure(chosen)) if project.config.locked else None
    resolution = resolved(project, environment, chosen, timeout_of_environment(), require, stores=stores)
    streams.say(complaints(resolution.filled.values()))
    return resolution.filled


def _report(
    project: Project,
    environment: Environment,
    filled: dict[str, Filled] | None,
    promised: list[str] | None,
    rules: Schema | None,
) -> Report:
    names = list(environment.variables)
    compared = Comparison(names if promised is None else promised, names)
    faults = rules.faults(_values(project, environment, filled)) if rules else []
    known = rules.rules if rules and promised is None else names
    return {
        "version": 1,
        "valid": False,
        "example": None,
        "schema": rules.file if rules else None,
        "keys": len([name for name in names if name in known]),
        "missing": compared.missing,
        "extra": compared.extra,
        "errors": [_error(fault) for fault in faults],
        "unresolved": None if filled is None else [name for name, each in filled.items() if each.failed],
    }


def _error(fault: Fault) -> Error:
    return {"key": fault.key, "rule": fault.rule, "message": fault.message}


def _values(
    project: Project, environment: Environment, filled: dict[str, Filled] | None
) -> dict[str, str | Secret | None]:
    """The values that the schema judges: those of the variables that are set; None for an unknown one."""
    ambient = project.config.interpolate_environment
    values: dict[str, str | Secret | None] = {}
    for name, variable in environment.variables.items():
        each = filled[name] if filled else None
        value = each.value if each else variable.plain
        if each and value is None and not each.failed:
            continue  # an absent optional secret: the variable is not set
        # The process environment holds secrets too, e.g. the tokens of a CI job.
        values[name] = Secret(value) if isinstance(value, str) and ambient and _interpolates(variable) else value
    return values


def _interpolates(variable: Variable) -> bool:
    return "$" in variable.entry.text and variable.entry.interpolated


def _tell(report: Report) -> None:
    """Prints what is wrong on stderr, or one line on stdout that all is well."""
    if not report["valid"]:
        streams.say(_lines(report))
    elif report["extra"]:
        if streams.level != streams.QUIET:
            heading, *items = _extra(report)
            streams.say([f"warning: {heading}", *items])
    elif streams.level != streams.QUIET:
        against = report["example"] or report["schema"]
        also = f"; schema {report['schema']} OK" if report["example"] and report["schema"] else ""
        streams.write(f"OK: all {report['keys']} keys match {against}{also}\n")


def _extra(report: Report) -> list[str]:
    return [
        f"Extra keys (defined in environment but not in {report['example']}):",
        *(f"  - {name}" for name in report["extra"]),
    ]


def _lines(report: Report) -> Iterator[str]:
    if report["missing"]:
        yield f"Missing keys (defined in {report['example']} but not in environment):"
        yield from (*(f"  - {name}" for name in report["missing"]), "")
    if report["extra"]:
        yield from (*_extra(report), "")
    if report["errors"]:
        yield f"Type errors (from {report['schema']}):"
        yield from (*(f"  - {error['key']}: {error['message']}" for error in report["errors"]), "")
    yield f"Validation failed: {_counts(report)}"
    yield f"{_number(report) - len(report['extra'])} validation error(s)"


def _ci_lines(report: Report) -> Iterator[str]:
    if report["valid"]:
        return
    yield from (f"error: missing key {name} (required by {report['example']})" for name in report["missing"])
    yield from (f"error: extra key {name} (not in {report['example']})" for name in report["extra"])
    yield from (f"error: {error['key']}: {error['message']}" for error in report["errors"])
    yield f"validation failed: {_number(report)} error(s) ({_counts(report)})"


def _counts(report: Report) -> str:
    missing, extra, errors = len(report["missing"]), len(report["extra"]), len(report["errors"])
    unresolved = f", {len(report['unresolved'])} unresolved" if report["unresolved"] else ""
    return f"{missing} missing, {extra} extra, {errors} type error(s){unresolved}"


def _number(report: Report) -> int:
    return len(report["missing"]) + len(report["extra"]) + len(report["errors"]) + len(report["unresolved"] or ())
