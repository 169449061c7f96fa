"""`envref lock`: pins each secret of the project to the writing that its store has now (docs/lock.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envref import streams
from envref.checks import committed
from envref.cli import candidates, consent
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import profile_option, timeout_option
from envref.cli.stale import json_of, status, text_of
from envref.errors import OK, EnvrefError, UsageError, pasted
from envref.flox import unlocked
from envref.fresh import lock, pinning
from envref.fresh.lock import FILE, UNPINNED
from envref.fresh.stale import FRESH, GONE, UNKNOWN, Verdict
from envref.project.project import words_of
from envref.project.trust.agreement import is_agreed
from envref.refs.outcome import Failed, Missing
from envref.resolve import resolution as resolutions
from envref.resolve.report import failure

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from envref.fresh.lock import Pin
    from envref.fresh.pinning import Now
    from envref.project.project import Project
    from envref.refs.outcome import Outcome


@click.command("lock", cls=Command)
@profile_option
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=candidates.variables)
@click.option("--update", is_flag=True, help="Take what the stores have now, for all or for these names.")
@click.option("--check", is_flag=True, help="Write nothing; exit status 3 if the lock is not what the stores have.")
@click.option("--json", "as_json", is_flag=True, help="With --check: every name with its status, as JSON.")
@timeout_option
def command(
    profile: str | None, names: tuple[str, ...], timeout: float | None, *, update: bool, check: bool, as_json: bool
) -> int:
    """Pin the project's secrets to the versions that their stores have, in envref.lock.

    What is pinned stays so until --update; envref resolve --locked and envref run --locked then give exactly that.

    Example: envref lock --update DB_PASSWORD
    """
    exclusive(update=update, check=check)
    if (names and not update) or (as_json and not check):
        raise UsageError("NAME goes with --update, and --json with --check")
    project = pinning.shared(_load(profile, timeout))
    if check:
        return _checked(project, timeout, as_json=as_json)
    with lock.edited(project.root):
        return _renewed(project, timeout, names) if names else _written(project, timeout, update=update)


def _load(profile: str | None, timeout: float | None) -> Project:
    project = resolutions.load(directory(), profile, timeout)
    if not project.unread:
        return project
    consent.require(project)
    return resolutions.load(directory(), profile, timeout)


def _now(project: Project, timeout: float | None, asked: Container[str] | None = None) -> Now:
    return pinning.Now(project, resolutions.environment_of(project), timeout, consent.require, asked)


def _checked(project: Project, timeout: float | None, *, as_json: bool) -> int:
    pins = lock.section(project.root, project.profile)
    now = _now(project, timeout)
    found = _with_faults(pinning.differences(pins, now.pins), now)
    streams.write(json_of(found) if as_json else text_of(found))
    return status(found)


def _with_faults(verdicts: Iterable[Verdict], now: Now) -> list[Verdict]:
    """The verdicts, with those of names that the project has no longer, or whose secrets are gone or can't be told."""
    found = {verdict.name: verdict for verdict in verdicts}
    for name in found.keys() - set(now.names):
        found[name] = Verdict(name, GONE, found[name].seen, reason="no committed file sets it by a reference")
    for name, (_, outcome) in now.faults:
        found[name] = _faulty(name, found[name].seen if name in found else (), outcome)
    return [found[name] for name in sorted(found)]


def _faulty(name: str, seen: tuple[str, ...], outcome: Outcome) -> Verdict:
    if isinstance(outcome, Failed):
        return Verdict(name, UNKNOWN, seen, reason=outcome.reason, cure=outcome.error.cure())
    return Verdict(name, GONE, seen, reason=outcome.reason if isinstance(outcome, Missing) else "")


def _written(project: Project, timeout: float | None, *, update: bool) -> int:
    sections = lock.read(project.root)
    now = _now(project, timeout)
    pins = now.pins if update else pinning.merged(sections.get(project.profile, []), now.pins)
    return _write(project, sections, now, pins)


def _renewed(project: Project, timeout: float | None, names: tuple[str, ...]) -> int:
    """Only the stores of these names are asked: another one may be out of reach."""
    sections = lock.read(project.root)
    now = _now(project, timeout, names)
    unknown = [name for name in names if name not in now.names]
    if unknown:
        fact = f"{unknown[0]}: no committed file of the project sets it by a reference"
        raise EnvrefError(fact, hint="envref list shows the variables that there are")
    return _write(project, sections, now, pinning.renewed(sections.get(project.profile, []), now.pins, now.names))


def _write(project: Project, sections: Mapping[str | None, list[Pin]], now: Now, pins: list[Pin]) -> int:
    if now.faults:
        streams.say([line for fault in now.faults for line in failure(*fault)])
        raise EnvrefError(f"{FILE} is as it was: not every secret can be pinned", hint="cure the errors above first")
    before = sections.get(project.profile, [])
    lock.write(project.root, {**sections, project.profile: pins})
    changed = [each for each in _with_faults(pinning.differences(before, pins), now) if each.status != FRESH]
    streams.write(text_of(changed))
    streams.warn_each([*_unpinned(pins), *_unlocked(project)])
    _tell_of_later(project, pins, now)
    if is_agreed(project):  # no program of anybody runs where nobody here agreed
        streams.warn_each(each.line() for each in committed.ignored(project, ()))
    return OK


def _unpinned(pins: Iterable[Pin]) -> list[str]:
    """The names that the lock does not hold fast, by backend."""
    names: dict[str, list[str]] = {}
    for pin in pins:
        if pin.state == UNPINNED:
            names.setdefault(pin.store, []).append(pin.name)
    lines = [f'{", ".join(sorted(set(each)))}: unpinned, backend "{store}"' for store, each in names.items()]
    return [f"{line} keeps no versions that can be read again" for line in lines]


def _unlocked(project: Project) -> list[str]:
    """Where Flox loads the project's secrets in a way that no lock holds."""
    found = unlocked.of_project(project.root)
    if found is None:
        return []
    name, form = found
    return [f"{name}: the {form.kind} form in it {unlocked.FACT}; run: {pasted(unlocked.cure(form))}"]


def _tell_of_later(project: Project, pins: Iterable[Pin], now: Now) -> None:
    """What the stores have now and the lock keeps out."""
    asked = {pin.name for pin in now.pins}
    held = [pin for pin in pins if pin.name in asked]
    later = [each.name for each in pinning.differences(held, now.pins) if each.status != FRESH]
    if later:
        run = pasted(("envref", "lock", "--update", *later, *words_of(project.profile)))
        streams.inform(f"{', '.join(later)}: pinned to another version than the latest; to take that, run: {run}")
