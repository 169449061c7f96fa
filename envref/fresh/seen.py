"""ENVREF_SEEN: which writing of each secret a shell was given, beside the values, in its environment (docs/adr/0032).

`1 PLACE PROFILE NAME=SOURCE+SOURCE … .`: a source is `STORE@REVISION`, `STORE@REVISION=` where envref.lock pins it, `-`
where no store gave anything, and `=` where the reference names a version. A `+` at the end says that the shell got no
value. It holds no value and nothing made of one, in characters without a meaning to any shell. An activation with
references loads this module.
"""

from __future__ import annotations

import os

from envref.digest import digest
from envref.env.file import is_name
from envref.refs.outcome import Found
from envref.refs.reference import Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envref.env.environment import Filled
    from envref.project.project import Project
    from envref.refs.outcome import Outcome
    from envref.refs.reference import InvalidReference
    from envref.resolve.resolution import Resolution

    Sources = tuple[str, ...]

NAME = "ENVREF_SEEN"
NOTHING = "-"  # no store gave it: a default, an absent optional secret, or a failure
PINNED = "="
LONGEST = 32 * 1024  # characters; eight hundred names
_VERSION = "1"
_END = "."  # what is cut off lacks it
_NO_PROFILE = "-"
_INERT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@=.:+- ")


class Unusable(Exception):
    """Why an ENVREF_SEEN counts for nothing; the text is envref's own and quotes nothing of it."""


class Seen:
    """What a shell was given: the profile, and the sources of each name that references had a part in.

    `lacking` are those of the names that got no value.
    """

    __slots__ = ("lacking", "profile", "sources")

    def __init__(self, profile: str | None, sources: dict[str, Sources], lacking: Iterable[str] = ()) -> None:
        self.profile = profile
        self.sources = sources
        self.lacking = set(lacking)

    def take(self, newer: Seen) -> None:
        """Takes what the shell was given since."""
        self.lacking = self.lacking.difference(newer.sources) | newer.lacking
        self.sources = {**self.sources, **newer.sources}

    def text(self, project: Project) -> str:
        """The variable's value; empty where it would be too long, or hold what might mean something to a shell."""
        lacking = self.lacking
        entries = [
            f"{name}={'+'.join(sources)}{'+' if name in lacking else ''}" for name, sources in self.sources.items()
        ]
        text = " ".join([_VERSION, _place(project), self.profile or _NO_PROFILE, *entries, _END])
        return text if len(text) <= LONGEST and _INERT.issuperset(text) else ""


def is_of_lock(source: str) -> bool:
    """Whether envref.lock said which version it was to be."""
    return source.endswith(PINNED) and source != PINNED


def of(resolution: Resolution) -> Seen:
    """What becomes of a shell that gets this resolution's values."""
    lacking = [variable.name for variable in resolution.chosen if resolution.filled[variable.name].value is None]
    return Seen(resolution.project.profile, sources_of(resolution), lacking)


def sources_of(resolution: Resolution) -> dict[str, Sources]:
    """The sources of each chosen variable that has any, in merged order."""
    filled = [(variable.name, resolution.filled[variable.name]) for variable in resolution.chosen]
    return {name: sources(each) for name, each in filled if each.sources and name not in resolution.untrusted}


def sources(filled: Filled) -> Sources:
    """What each reference in a variable's value came from, in their order."""
    return tuple([_source(reference, outcome) for reference, outcome in filled.sources])


def _source(reference: Reference | InvalidReference, outcome: Outcome) -> str:
    version = reference.version if isinstance(reference, Reference) else None
    if isinstance(outcome, Found) and outcome.backend is not None and outcome.address is not None:
        source = f"{outcome.backend}@{outcome.secret.revision}"
        if outcome.address.version != version:
            return f"{source}{PINNED}"
        return source if version is None else PINNED
    return NOTHING if version is None else PINNED


def parsed(text: str, project: Project) -> Seen:
    """What is written in an ENVREF_SEEN. Raises Unusable unless envref wrote it here, for this project, whole."""
    if len(text) > LONGEST or not _INERT.issuperset(text):
        raise Unusable("is not envref's own")
    version, *words = text.split(" ")
    if version != _VERSION:
        raise Unusable("is of another version of envref, or not envref's own")
    if words[-1:] != [_END] or len(words) < 3:
        raise Unusable("is cut off")
    place, profile, *entries, _ = words
    if place != _place(project):
        raise Unusable("is of another project, or of another machine")
    found = [_entry(entry) for entry in entries]
    sources = {name: told for name, told, _ in found}
    return Seen(None if profile == _NO_PROFILE else profile, sources, [name for name, _, lacks in found if lacks])


def of_environment(project: Project, environment: Mapping[str, str] = os.environ) -> Seen:
    """What this shell was given. Raises Unusable."""
    if not environment.get(NAME):
        raise Unusable("is not set: nothing with a reference was exported into this shell")
    return parsed(environment[NAME], project)


def profile_of(environment: Mapping[str, str]) -> str | None:
    """The profile of a well-formed ENVREF_SEEN, for who has to load the project before the rest can be judged."""
    words = environment.get(NAME, "")[:LONGEST].split(" ", 3)
    known = len(words) == 4 and words[0] == _VERSION and words[2] != _NO_PROFILE and _INERT.issuperset(words[2])
    return words[2] if known else None


def _entry(entry: str) -> tuple[str, Sources, bool]:
    """Name, sources, and whether it got no value."""
    name, equals, text = entry.partition("=")
    sources = text.removesuffix("+").split("+")
    if not is_name(name) or not equals or not all(map(_is_source, sources)):
        raise Unusable("is not envref's own")
    return name, tuple(sources), text.endswith("+")


def _is_source(text: str) -> bool:
    if text in (NOTHING, PINNED):
        return True
    from envref.backends.revision import is_revision  # an activation only writes them

    store, at, revision = text.removesuffix(PINNED).partition("@")
    return bool(store and at) and is_revision(revision)


def split(source: str) -> tuple[str, str]:
    """Store and revision of a source; no store where none gave it."""
    store, at, revision = source.removesuffix(PINNED).partition("@")
    return (store, revision) if at else ("", "")


def before(project: Project, profile: str | None, environment: Mapping[str, str] = os.environ) -> Seen:
    """What this shell has of the project already, for the profile; nothing where it can't tell."""
    try:
        known = of_environment(project, environment)
    except Unusable:
        return Seen(profile, {})
    return known if known.profile == profile else Seen(profile, {})


def _place(project: Project) -> str:
    """What tells this project on this machine from others. A digest, so that it tells nobody which they are."""
    machine = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    told = f"{machine}\0{project.root}\0{project.config.project}"
    return digest(told.encode("utf-8", "surrogateescape"))[:12]
