"""What can be wrong with the env files. The first four sentences are those of commands.md 2.12."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.checks import committed
from envref.checks.committed import near_misses
from envref.checks.doctor.finding import Finding
from envref.env.file import is_shell_name
from envref.env.unset import words
from envref.refs.reference import InvalidReference
from envref.resolve import others

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envref.checks.doctor.case import Case
    from envref.env.file import Entry, EnvFile

_BLANKS = " \t"


def unreadable(case: Case) -> Iterable[Finding]:
    """Files and lines that stop every other command."""
    return [*case.faults, *case.interpolation_faults]


def duplicate_keys(case: Case) -> Iterator[Finding]:
    for file in case.files:
        seen: dict[str, Entry] = {}
        for entry in file.entries:
            if entry.name in seen:
                before = f"(previously defined on line {seen[entry.name].line}, using latest value)"
                yield _about(entry, f'duplicate key "{entry.name}" {before}', "keep one of the lines")
            seen[entry.name] = entry


def ignored_lines(case: Case) -> Iterator[Finding]:
    """`export NAME` alone: a shell's habit that sets nothing here."""
    for file in case.files:
        # The reader warns about these and about duplicates; a duplicate is an entry.
        entries = {entry.line for entry in file.entries} if file.warnings else set()
        for warning in file.warnings:
            if warning.line not in entries:
                hint = "give it a value, or delete the line"
                yield Finding(warning.file, warning.text, hint=hint, line=warning.line, column=warning.column)


def unquoted_spaces(case: Case) -> Iterator[Finding]:
    for entry in _unquoted(case.files):
        if any(blank in entry.text for blank in _BLANKS):
            hint = "consider quoting to avoid portability issues"
            yield _about(entry, f'unquoted value with spaces for "{entry.name}" ({hint})', hint, is_said=True)


def empty_values(case: Case) -> Iterator[Finding]:
    for entry in _unquoted(case.files):
        if not entry.text:
            hint = 'use KEY="" if intentional'
            message = f'empty value for "{entry.name}" without explicit quotes ({hint})'
            yield _about(entry, message, hint, is_said=True, is_note=True)


def trailing_whitespace(case: Case) -> Iterator[Finding]:
    for file in case.files:
        text = str(file)
        for entry in _unquoted([file]):
            if entry.text and _ends_in_blanks(text, entry.end):
                message = f'trailing whitespace in unquoted value for "{entry.name}"'
                yield _about(entry, message, "delete it; it is not part of the value")


def unexportable_names(case: Case) -> Iterator[Finding]:
    for file in case.files:
        for entry in {entry.name: entry for entry in file.entries}.values():
            if not is_shell_name(entry.name):
                message = f'"{entry.name}" is not a valid shell variable name; shell output leaves it out'
                yield _about(entry, message, "use letters, digits and _; envref run and JSON carry any name")


def undefined_names(case: Case) -> Iterator[Finding]:
    """`$NAME` of a name that no earlier line sets: it becomes empty text."""
    for entry, part in case.environment.unset:
        line, column = entry.position(part.offset)
        message, hint = words(entry, part, case.environment.variables)
        yield Finding(entry.file, message, hint=hint, line=line, column=column, key=entry.name)


def bad_references(case: Case) -> Iterator[Finding]:
    """References that no store can answer."""
    configured = [backend.name for backend in case.project.config.backends]
    for variable, reference in case.references():
        entry = variable.entry
        if isinstance(reference, InvalidReference):
            yield _about(entry, reference.message, 'write ref://<backend>/<path>, "secrets" for any backend')
        elif case.configured and not configured:
            yield _about(entry, "a reference, and no backends configured in .envref.yaml", "list one under backends:")
        elif case.configured and reference.store not in (None, *configured):
            known = f'(configured: {", ".join(configured)}; "secrets" asks them all)'
            yield _about(entry, f'unknown backend "{reference.store}" {known}', "name one that is configured")
    for variable, hint in near_misses(case.variables):
        yield _about(variable.entry, f'"{variable.name}" holds a text like ref://, and no reference', hint)


def plain_secrets(case: Case) -> Iterator[Finding]:
    """Values that belong into a store, in files for everybody."""
    for file, fact, run, hint in committed.plain_secrets(case.project, case.files, case.start):
        yield Finding(file, fact, run=run, hint=hint)


def foreign_references(case: Case) -> Iterator[Finding]:
    """Values that another tool would resolve, and envref exports as they are."""
    for each in others.found(case.variables, case.project.config):
        yield _about(each.variable.entry, each.fact, each.cure)


def _about(entry: Entry, message: str, hint: str, *, is_said: bool = False, is_note: bool = False) -> Finding:
    line, column = entry.line, entry.column
    return Finding(
        entry.file, message, hint=hint, is_said=is_said, is_note=is_note, line=line, column=column, key=entry.name
    )


def _unquoted(files: Iterable[EnvFile]) -> Iterator[Entry]:
    return (entry for file in files for entry in file.entries if not entry.quote)


def _ends_in_blanks(text: str, at: int) -> bool:
    """Whether only blanks follow `at` in its line."""
    end = text.find("\n", at)
    rest = text[at : len(text) if end < 0 else end].removesuffix("\r")
    return bool(rest) and not rest.strip(_BLANKS)
