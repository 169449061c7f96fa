"""Adoption: an env file with real values becomes one with references (commands.md 2.25)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envref import CIPHERTEXT
from envref.checks.audit import suspects
from envref.env import template
from envref.env.edit import with_value
from envref.errors import EnvrefError
from envref.refs.reference import SCHEME, uri_of
from envref.resolve import others
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.env.file import Entry, EnvFile
    from envref.project.config.model import Config


_DECRYPT = "it is dotenvx's ciphertext, which only dotenvx can read; run: dotenvx decrypt, then import the file"
# Names and references, which have the words of many a poor password: `secret`, `password`, `token`.
_NO_VALUE = re.compile(r"^[^\S\n]*(export\s+)?[\w.-]+[^\S\n]*=|ref://[^\s\"'}]*", re.MULTILINE)


class Candidate(NamedTuple):
    """A variable whose value will be stored, and the key that it gets."""

    name: str
    key: str
    value: Secret


class Adopted(NamedTuple):
    """A variable whose value is another tool's reference, that text, and envref's reference to the same secret."""

    name: str
    value: str
    uri: str


class Plan(NamedTuple):
    """What will be stored, what only becomes a reference, and the names that stay as they are.

    `left` are those that can't be taken, each with the reason; `plain` those that don't look like a secret.
    """

    candidates: list[Candidate]
    adopted: list[Adopted]
    left: dict[str, str]
    plain: list[str]


def plan(file: EnvFile, only: Sequence[str], without: Sequence[str], config: Config) -> Plan:
    """What to take of the file: the names in `only`, or all values that may be secrets but those in `without`.

    EnvrefError for a name that the file does not set.
    """
    last = {entry.name: entry for entry in file.entries}
    unknown = next((name for name in (*only, *without) if name not in last), None)
    if unknown is not None:
        raise EnvrefError(f'key "{unknown}" not found in {file.name}')
    suspected = {entry.at for entry, _ in suspects(file)}
    found = Plan([], [], {}, [])
    taken: dict[str, str] = {}
    for entry in last.values():
        chosen = entry.name in only if only else entry.name not in without
        if chosen and _is_anothers(entry.text):
            _adopt(entry, config, found)
        elif chosen and (only or entry.at in suspected):
            _take(entry, taken, found)
        elif _is_plain(entry.text) and entry.at not in suspected:
            found.plain.append(entry.name)
    return found


def _is_plain(text: str) -> bool:
    return bool(text) and not text.startswith(SCHEME) and not _is_anothers(text)


def _is_anothers(text: str) -> bool:
    return others.is_foreign(text) or text.startswith(CIPHERTEXT)


def _adopt(entry: Entry, config: Config, found: Plan) -> None:
    """A value that another tool would resolve is no secret itself: storing it would look like success."""
    kind, uri = others.reference(entry.text, config)
    if entry.text.startswith(CIPHERTEXT):
        found.left[entry.name] = _DECRYPT
    elif not uri:
        found.left[entry.name] = "it is a reference of another tool to a store that envref does not know"
    elif not others.is_configured(kind, config):
        found.left[entry.name] = f"it is a reference of another tool; list {kind} under backends: and import it again"
    else:
        found.adopted.append(Adopted(entry.name, entry.text, uri))


def _take(entry: Entry, taken: dict[str, str], found: Plan) -> None:
    key = entry.name.lower()
    reason = _obstacle(entry, taken.get(key))
    taken.setdefault(key, entry.name)
    if reason:
        found.left[entry.name] = reason
    else:
        found.candidates.append(Candidate(entry.name, key, Secret(entry.text)))


def _obstacle(entry: Entry, other: str | None) -> str:
    """Why the value can't be stored under its name; empty if it can."""
    if entry.text.startswith(SCHEME):
        return "it is a reference already"
    if not entry.text:
        return "it is empty"
    if other is not None:
        return f"{other} has the same key"
    # Another reader may take a live `$` literally, so nobody but the user knows what the real value is.
    if entry.interpolated and "$" in entry.text and template.parse(entry.template, ()) != (entry.text,):
        return "its value has a live $; write it in single quotes if the $ is meant as it stands"
    return ""


def rewritten(file: EnvFile, stored: Iterable[Candidate], adopted: Iterable[Adopted] = ()) -> EnvFile:
    """The file with references in the place of these values; every other byte stays.

    A name whose value is no longer the stored one stays as it is.
    """
    for candidate in stored:
        entry = file.get(candidate.name)
        if entry is not None and Secret(entry.text) == candidate.value:
            file = with_value(file, candidate.name, uri_of(candidate.key))
    for name, value, uri in adopted:
        entry = file.get(name)
        if entry is not None and entry.text == value:
            file = with_value(file, name, uri)
    return file


def remains(file: EnvFile, stored: Iterable[Candidate]) -> dict[int, str]:
    """Lines, from 1, that still hold a stored value, or an older one of its name; with the name."""
    found: dict[int, str] = {}
    text = _NO_VALUE.sub(lambda match: " " * len(match[0]), str(file))
    older = list(suspects(file))
    for candidate in stored:
        for match in re.finditer(_word(candidate.value.reveal()), text):
            found.setdefault(text.count("\n", 0, match.start()) + 1, candidate.name)
        found |= {entry.line: entry.name for entry, _ in older if entry.name == candidate.name}
    return dict(sorted(found.items()))


def _word(value: str) -> str:
    """A pattern for the value, not as a part of a word: passwords like `root` are a part of many."""
    begin = r"(?<![A-Za-z0-9])" if value[:1].isalnum() else ""
    end = r"(?![A-Za-z0-9])" if value[-1:].isalnum() else ""
    return f"{begin}{re.escape(value)}{end}"


class Overlap(NamedTuple):
    """Candidates by what the store has under their key: nothing, the same value, or another."""

    new: list[Candidate]
    same: list[Candidate]
    other: list[Candidate]


def compare(candidates: Sequence[Candidate], present: Mapping[str, Secret]) -> Overlap:
    """Which candidates have to be stored, and which must not be."""
    there = [candidate for candidate in candidates if candidate.key in present]
    return Overlap(
        new=[candidate for candidate in candidates if candidate.key not in present],
        same=[candidate for candidate in there if present[candidate.key] == candidate.value],
        other=[candidate for candidate in there if present[candidate.key] != candidate.value],
    )
