"""`envref trust`: shows what the project wants, then allows it (commands.md 2.23)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envref import streams
from envref.cli import consent
from envref.cli.grammar import Command, directory, exclusive
from envref.errors import FAILED, OK, printable
from envref.paths import shown
from envref.project.project import Project, configured
from envref.project.trust import gate, message, record
from envref.project.trust.meaning import fingerprint, meaning
from envref.project.trust.names import Name
from envref.project.trust.need import needs
from envref.secrets import audit_log

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@click.command("trust", cls=Command)
@click.option("--print", "print_", is_flag=True, help="Print the fingerprint, for ENVREF_TRUST.")
@click.option("--revoke", is_flag=True, help="Forget this project.")
@click.option("--list", "list_", is_flag=True, help="List the projects that were decided about.")
def command(*, print_: bool, revoke: bool, list_: bool) -> int:
    """Show what the project's config asks for, and allow it.

    Example: ENVREF_TRUST=$(envref trust --print)
    """
    exclusive(print=print_, revoke=revoke, list=list_)
    if list_:
        return _list()
    project = configured(directory())
    streams.warn_each(project.warnings)
    if print_:
        streams.write(f"{fingerprint(meaning(project))}\n")
        return OK
    return _revoke(project) if revoke else grant(project)


def _list() -> int:
    lines = [
        f"{shown(each.path)}  {each.date}  {each.fingerprint}{'' if each.granted else '  (denied)'}"
        for each in record.every()
    ]
    if not lines:
        streams.inform("no trusted projects found")
    streams.write("".join(f"{printable(line)}\n" for line in lines))
    return OK


def _revoke(project: Project) -> int:
    forgotten = record.remove(project.root)
    Name(project).take()
    place = shown(project.root)
    streams.inform(f"{place} is not trusted any more" if forgotten else f"{place} was not trusted")
    return OK


def grant(project: Project) -> int:
    """Shows the request and records the answer; FAILED for a no.

    If nobody can be asked, running the command is the consent.
    """
    place, meant = shown(project.root), meaning(project)
    streams.say(_shown(project, meant))
    if consent.at_terminal() and not consent.is_yes(consent.QUESTION):
        gate.deny(project, meant)
        streams.inform(f"{place} is not trusted")
        return FAILED
    gate.grant(project, meant)
    pin = fingerprint(meant)
    audit_log.record(project.root, audit_log.Event("trust", "", "", project.config.project, detail=pin))
    streams.inform(f"{place} is trusted")
    return OK


def _shown(project: Project, meant: Mapping[str, Any]) -> list[str]:
    """What would be allowed; for a project that was trusted before, first what changed."""
    wanted, others, kept = needs(project), Name(project).others(), record.read(project.root)
    changed = list(message.changes(kept.meant, meant)) if kept and kept.granted else []
    lines = [f"envref: {shown(project.root)}"]
    if kept and changed:
        lines = [f"{lines[0]} changed since you trusted it on {kept.date}:", *(f"  {line}" for line in changed)]
    return [
        *lines,
        *message.shared(project, others),
        *message.summary(project, meant),
        *message.wanted(project, wanted, meant),
    ]
