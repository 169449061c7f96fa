"""`envref team`: the people with whom the project's secrets are shared (commands.md 2.21)."""

from __future__ import annotations

import os

import click

from envref import streams
from envref.cli import candidates
from envref.cli.grammar import Command, Group, directory
from envref.cli.options import format_option
from envref.errors import EnvrefError, UsageError, printable
from envref.formats import shells
from envref.paths import expanded
from envref.project.config.document import Document
from envref.project.edit import edit
from envref.project.project import configured, find
from envref.project.recipient import Recipient
from envref.secrets import readers, sharing

_SHOWN = 16  # characters of a key that distinguish it from others


@click.group(cls=Group)
def team() -> None:
    """See and change whom the project's secrets can be shared with."""


@team.command("list", cls=Command)
@format_option("plain", "json")
def list_(format_: str) -> None:
    """List the members of the team and their public keys.

    Example: envref team list
    """
    project = configured(directory())
    streams.warn_each(project.warnings)
    members = project.config.team
    if format_ == "json":
        streams.write(shells.json_text([{"name": name, "public_key": key} for name, key in members.items()]))
        return
    if not members:
        streams.inform("no team members configured")
        streams.inform("  run: envref team add NAME KEY")
    streams.write("".join(f"{printable(f'{name:<20} {key}')}\n" for name, key in members.items()))


@team.command(cls=Command)
@click.argument("name")
@click.argument("key", shell_complete=candidates.files)
def add(name: str, key: str) -> None:
    """Add a member: a name, and an age or ssh public key or the file that holds it.

    Example: envref team add bob age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p
    """
    _check_name(name)
    recipient = _recipient(key.strip())

    def change(document: Document) -> Document:
        if name in _names(document):
            raise EnvrefError(f'team member "{name}" already exists in config', run=("envref", "team", "list"))
        return document.with_item("team", {"name": name, "public_key": recipient.text})

    path = find(directory())
    edit(path, change)
    _remember(os.path.dirname(path), recipient)
    streams.inform(f'added team member "{name}" with public key {_shortened(recipient)}')


def _recipient(text: str) -> Recipient:
    """The key, or the only one of a file."""
    path = os.path.join(directory(), expanded(text))
    if text.startswith(("age1", "ssh-")) or not os.path.isfile(path):
        return _of_text(text)
    found = sharing.recipients_of(path)
    if len(found) > 1:
        raise UsageError(f"{printable(text)}: {len(found)} public keys; a member has one")
    return found[0]


def _of_text(text: str) -> Recipient:
    try:
        return Recipient(text)
    except UsageError as error:
        if text.startswith(("age1", "ssh-")) or not (text.endswith(".pub") or "/" in text):
            raise
        raise UsageError(error.message, hint="there is no such file either") from None


def _remember(root: str, added: Recipient) -> None:
    """Whom the user adds themselves the next push need not ask about."""
    try:
        readers.remember(root, {*readers.known(root), readers.key_of(added.text)})
    except EnvrefError as error:
        streams.warn(f"{error.message}; the next push asks about them")


@team.command(cls=Command)
@click.argument("name", shell_complete=candidates.members)
def remove(name: str) -> None:
    """Remove a member. What was encrypted for them before stays readable for them.

    Example: envref team remove bob
    """

    def change(document: Document) -> Document:
        names = _names(document)
        if name not in names:
            raise EnvrefError(f'team member "{name}" not found in config', run=("envref", "team", "list"))
        return document.without_item("team", names.index(name))

    edit(find(directory()), change)
    streams.inform(f'removed team member "{name}"')


@team.command("rm", cls=Command, hidden=True)
@click.argument("name", shell_complete=candidates.members)
@click.pass_context
def remove_by_its_short_name(context: click.Context, name: str) -> None:
    """As `team remove`.

    Example: envref team rm bob
    """
    context.invoke(remove, name=name)


def _check_name(name: str) -> None:
    if not name.strip():
        raise UsageError("team member name must not be empty")
    if not name.isprintable() or name != name.strip():
        raise UsageError(
            f'invalid team member name "{name}"', hint="leave out control characters, and blanks around it"
        )


def _names(document: Document) -> list[object]:
    """The members' names, in the project's own file."""
    listed = document.get("team")
    items = listed if isinstance(listed, list) else []
    return [item.get("name") if isinstance(item, dict) else None for item in items]


def _shortened(recipient: Recipient) -> str:
    """Enough of the key to recognise it: ssh keys begin alike, age keys don't."""
    kind, _, rest = recipient.text.partition(" ")
    return f"{kind} ...{rest.split()[0][-_SHOWN:]}" if rest else f"{kind[:_SHOWN]}..."
