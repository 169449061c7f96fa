"""Status: what a project has, what of it is resolved, and what to do next (commands.md 2.11). It holds no value."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NotRequired, TypedDict

from envref.checks import committed, example, schema
from envref.checks.example import Comparison
from envref.errors import pasted
from envref.fresh.ages import Age, ages
from envref.project import sealed
from envref.project.project import env_files, env_path, layers, shared_names, words_of
from envref.project.project import without_base as missing_base
from envref.refs.outcome import Failed, Found, Missing
from envref.refs.reference import Reference
from envref.resolve.store import ALWAYS
from envref.resolve.withheld import kept_names, withheld

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envref.env.environment import Answered, Filled, Variable
    from envref.env.file import EnvFile
    from envref.project.project import Project
    from envref.refs.outcome import Outcome
    from envref.resolve.resolution import Resolution


class File(TypedDict):
    name: str
    present: bool


class AgainstExample(TypedDict):
    file: str
    missing: list[str]
    extra: list[str]


class AgainstSchema(TypedDict):
    """`broken` are the variables that break their rules; values that come from stores are not judged."""

    file: str
    broken: list[str]


class Secrets(TypedDict):
    """`resolved` is None if no store was asked; then `missing` means nothing. `forgiven` are the backends whose secrets
    count as missing where nobody is signed in. `revisions` are those that stores told along with the values.
    """

    total: int
    resolved: int | None
    missing: list[str]
    backends: list[str]
    revisions: list[Age]
    forgiven: NotRequired[list[str]]


class Forgiven(TypedDict, total=False):
    forgiven: list[str]


class KeptForTools(TypedDict):
    """What `tools:` keeps from the shell: by tool, what is made of these, and the names that no env file sets."""

    tools: dict[str, list[str]]
    made_of_them: list[str]
    unset: list[str]


class Status(TypedDict):
    """The report, as `--format json` prints it. `keys` counts the variables, `config` those without a secret.

    `example` and `schema` are None without such a file; `issues` counts the variables that are unresolved, missing or
    break the schema.
    """

    project: str
    profile: str | None
    files: list[File]
    keys: int
    config: int
    secrets: Secrets
    example: AgainstExample | None
    schema: AgainstSchema | None
    tools: NotRequired[KeptForTools]
    hints: list[str]
    issues: int


def without_base(project: Project) -> Status:
    """The Status of a project that has no base file yet."""
    report = status(project, [])
    cure = missing_base(project).run or ("envref", "init")
    report["hints"].insert(0, f"Create {project.config.env_file}: {pasted(cure)}")
    report["issues"] += 1
    return report


def status(project: Project, variables: list[Variable], resolution: Resolution | None = None) -> Status:
    """The project's Status, from its variables and what became of them; without a resolution no store was asked."""
    secret = [variable.name for variable in variables if variable.plain is None]
    failed = _failed(resolution)
    compared = _compared(project, variables)
    missing_keys = compared.missing if compared else []
    judged = _judged(project, variables)
    broken = judged["broken"] if judged else []
    advice = [
        *(each.line() for each in committed.advice(project, _regular_files(project))),
        *(f"{variable.name} holds a text like ref://: {hint}" for variable, hint in committed.near_misses(variables)),
    ]
    return {
        "project": project.config.project,
        "profile": project.profile,
        "files": _files(project),
        "keys": len(variables),
        "config": len(variables) - len(secret),
        "secrets": {
            "total": len(secret),
            "resolved": None if resolution is None else len(secret) - len(failed),
            "missing": [filled.variable.name for filled in failed],
            "backends": [backend.name for backend in project.config.backends],
            "revisions": ages(_outcomes(resolution)),
            **_forgiven(project),
        },
        "example": {"file": example.FILE, "missing": compared.missing, "extra": compared.extra} if compared else None,
        "schema": judged,
        **_kept(project, variables),
        "hints": [
            *_waiting(project, failed),
            *_hints(failed, project.profile),
            *(f"Set missing key: envref set {name}=…" for name in missing_keys),
            *([f"See the type errors: {pasted(('envref', 'validate', *words_of(project.profile)))}"] if broken else []),
            *advice,
        ],
        "issues": len(failed) + len(missing_keys) + len(broken) + len(advice),
    }


def _regular_files(project: Project) -> list[EnvFile]:
    """The env files, but for pipes: what one holds was read already, and comes once."""
    return env_files(project, [name for name in layers(project) if os.path.isfile(os.path.join(project.root, name))])


def _files(project: Project) -> list[File]:
    """Those that a project usually has, and the others that are there."""
    usual = [*shared_names(project.config, project.profile), project.config.local_file]
    names = [name for name in layers(project) if name in usual or os.path.lexists(os.path.join(project.root, name))]
    names = [*dict.fromkeys([*names, *usual]), example.FILE]
    return [{"name": name, "present": os.path.lexists(os.path.join(project.root, name))} for name in names]


def _forgiven(project: Project) -> Forgiven:
    names = [backend.name for backend in project.config.backends if backend.optional == ALWAYS]
    return {"forgiven": names} if names else {}


class WithTools(TypedDict, total=False):
    tools: KeptForTools


def _kept(project: Project, variables: Iterable[Variable]) -> WithTools:
    """Where each variable goes that no shell gets; nothing in a project without `tools:`."""
    tools = {tool: [name for names in ways.values() for name in names] for tool, ways in project.config.tools.items()}
    if not tools:
        return {}
    known = {variable.name: variable for variable in variables}
    kept = kept_names(project.config)
    made = [name for name in withheld(project, known) if name not in kept]
    return {"tools": {"tools": tools, "made_of_them": made, "unset": sorted(kept - known.keys())}}


def _failed(resolution: Resolution | None) -> list[Filled]:
    return [filled for filled in resolution.filled.values() if filled.failed] if resolution else []


def _outcomes(resolution: Resolution | None) -> Iterator[tuple[str, Outcome]]:
    """What became of each reference in a variable's own value."""
    if resolution is None:
        return
    for variable in resolution.chosen:
        yield from ((variable.name, outcome) for _, outcome in resolution.filled[variable.name].answers)


def _compared(project: Project, variables: Iterable[Variable]) -> Comparison | None:
    """The comparison with the example; None without an example file, or without a base file."""
    both = (example.FILE, project.config.env_file)
    if not all(os.path.lexists(os.path.join(project.root, name)) for name in both):
        return None
    return Comparison(example.names_in(project.root), [variable.name for variable in variables])


def _judged(project: Project, variables: Iterable[Variable]) -> AgainstSchema | None:
    """The comparison with the schema; None without a schema, or without a base file."""
    if not all(os.path.lexists(os.path.join(project.root, name)) for name in (schema.FILE, project.config.env_file)):
        return None
    rules = schema.read(env_path(project.root, schema.FILE), schema.FILE)
    faults = rules.faults({variable.name: variable.plain for variable in variables})
    return {"file": schema.FILE, "broken": [fault.key for fault in faults]}


def _hints(failed: Iterable[Filled], profile: str | None) -> list[str]:
    """What to do, once for each missing secret and each store that gave no answer."""
    return list(dict.fromkeys(_hint(answered, profile) for filled in failed for answered in filled.failures))


def _waiting(project: Project, failed: Iterable[Filled]) -> list[str]:
    """That the team's files may have what no store has."""
    absent = any(
        isinstance(outcome, Missing) and not outcome.is_there for each in failed for _, outcome in each.failures
    )
    run = pasted(("envref", "onboard", *words_of(project.profile)))
    return [f"{name} waits, and may have what is missing; run: {run}" for name in sealed.there(project) if absent]


def _hint(answered: Answered, profile: str | None) -> str:
    reference, outcome = answered
    if isinstance(outcome, Missing) and outcome.run and outcome.is_there:
        return f"{outcome.reason}; run: {pasted(outcome.run)}"
    if isinstance(outcome, Missing) and isinstance(reference, Reference) and outcome.run:
        return f"Set missing secret: {pasted((*outcome.run, *words_of(profile)))}"
    if isinstance(outcome, Failed) and outcome.backend is not None:
        return "; ".join([outcome.reason, *outcome.error.cure()])
    return f"{reference.uri}: {outcome.reason}" if not isinstance(outcome, Found) else ""
