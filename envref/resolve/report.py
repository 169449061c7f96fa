"""Report: the lines and rows about every variable's outcome, for people and JSON. No field of it can hold a value."""

from __future__ import annotations

from envref.env.environment import Filled
from envref.errors import pasted
from envref.refs.outcome import Failed, Found, Missing
from envref.refs.reference import Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypedDict

    from envref.env.environment import Answered
    from envref.project.project import Project
    from envref.resolve.resolution import Resolution

    class Explanation(TypedDict, total=False):
        """One variable of `resolve --explain --format json` (commands.md 2.2)."""

        key: str
        file: str
        line: int
        reference: str
        backend: str
        type: str
        scope: str
        outcome: str
        reason: str
        depends_on: list[str]
        overrides: list[str]


def complaints(filled: Iterable[Filled], note: str = "") -> list[str]:
    """The stderr lines for what could not be resolved, each with its cure; the last one counts the failed references.

    Variables that only depend on them are not counted (commands.md 2.2). `note` ends the last line. No line where
    nothing failed.
    """
    lines = []
    failed = 0
    variables = list(filled)
    shared = _shared(variables)
    for variable in variables:
        name = variable.variable.name
        for answered in variable.failures:
            lines += _once(name, answered, shared)
        waits_for = dict.fromkeys(variable.waits_for)
        lines += [f"error: {name}: depends on {other}, which could not be resolved" for other in waits_for]
        failed += len(variable.failures)
    return [*lines, f"{failed} reference(s) could not be resolved{note}"] if lines else []


def _shared(variables: Iterable[Filled]) -> dict[tuple[str, ...], list[str]]:
    """The variables that each failure of a store cost, by what it said. Those that cost one alone are left out."""
    cost: dict[tuple[str, ...], list[str]] = {}
    for variable in variables:
        for _, outcome in variable.failures:
            if isinstance(outcome, Failed) and outcome.backend is not None:
                cost.setdefault(_said(outcome), []).append(variable.variable.name)
    return {said: list(dict.fromkeys(names)) for said, names in cost.items() if len(names) > 1}


def _once(name: str, answered: Answered, shared: dict[tuple[str, ...], list[str]]) -> list[str]:
    """The lines of a failure; where it cost several variables, all of them at the first and nothing afterwards."""
    _, outcome = answered
    if not isinstance(outcome, Failed) or outcome.backend is None or _said(outcome) not in shared:
        return failure(name, answered)
    names = shared[_said(outcome)]
    lines = [f"error: {', '.join(names)}: {outcome.reason}", *(f"  {cure}" for cure in outcome.error.cure())]
    shared[_said(outcome)] = []
    return lines if names else []


def _said(outcome: Failed) -> tuple[str, ...]:
    return (outcome.reason, *outcome.error.cure())


def failure(name: str, answered: Answered) -> list[str]:
    """The lines about one reference of a variable."""
    reference, outcome = answered
    head = f"error: {name}: failed to resolve {reference.uri}: "
    if isinstance(outcome, Found):
        return []
    if isinstance(outcome, Failed):
        return [head + outcome.reason, *(f"  {cure}" for cure in outcome.error.cure())]
    return [head + outcome.reason + (f"; run: {pasted(outcome.run)}" if outcome.run else "")]


def rows(resolution: Resolution) -> list[Explanation]:
    """One row for each chosen variable, in order."""
    types = {backend.name: backend.type for backend in resolution.project.config.backends}
    lines = _lines(resolution.project)
    return [_row(resolution.filled[variable.name], types, lines) for variable in resolution.chosen]


def _lines(project: Project) -> dict[str, list[str]]:
    """Every line that sets a name, as FILE:LINE, in the order of the layers."""
    lines: dict[str, list[str]] = {}
    for file in project.files:
        for entry in file.entries:
            lines.setdefault(entry.name, []).append(f"{entry.file}:{entry.line}")
    return lines


def _row(filled: Filled, types: dict[str, str], lines: dict[str, list[str]]) -> Explanation:
    entry = filled.variable.entry
    row: Explanation = {"key": filled.variable.name, "file": entry.file, "line": entry.line}
    if filled.answers:
        row |= _answer(filled, types)
    row["outcome"] = _word(filled)
    if filled.waits_for:
        row["depends_on"] = list(dict.fromkeys(filled.waits_for))
    overridden = [line for line in lines[entry.name] if line != f"{entry.file}:{entry.line}"]
    if overridden:
        row["overrides"] = overridden
    return row


def _answer(filled: Filled, types: dict[str, str]) -> Explanation:
    reference, outcome = (filled.failures or filled.answers)[0]
    row: Explanation = {"reference": reference.uri}
    backend = None if isinstance(outcome, Missing) else outcome.backend
    if backend is not None:
        row["backend"] = backend
        row["type"] = types[backend]
    if isinstance(outcome, Found):
        row["scope"] = "project" if outcome.scope is None else f'profile "{outcome.scope}"'
    else:
        row["reason"] = outcome.reason
    return row


def _word(filled: Filled) -> str:
    """The OUTCOME column of commands.md 2.2."""
    if filled.waits_for and not filled.failures:
        return "depends"
    if not filled.answers:
        return "plain" if filled.variable.plain is not None else "resolved"
    reference, outcome = (filled.failures or filled.answers)[0]
    if isinstance(outcome, Missing) and isinstance(reference, Reference) and reference.optional:
        return "optional-missing"
    return outcome.word


def cells(explained: Iterable[Explanation]) -> list[tuple[str, ...]]:
    """NAME, FILE:LINE, REFERENCE or "config", BACKEND, OUTCOME."""
    return [
        (
            row["key"],
            f"{row['file']}:{row['line']}",
            row.get("reference", "config"),
            row.get("backend", "-"),
            row["outcome"] + (f" ({row['scope']})" if "scope" in row and row["outcome"] == "resolved" else ""),
        )
        for row in explained
    ]
