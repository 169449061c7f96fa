"""`envref secret delete`."""

from __future__ import annotations

import click

from envref import streams
from envref.cli import prompt
from envref.cli.secret.target import keyed, target_of
from envref.cli.secret.users import users
from envref.refs.address import check_key
from envref.secret import Secret
from envref.secrets import rotation
from envref.secrets.scoped import ScopedStore, doing
from envref.secrets.target import Target


@keyed("delete")
@click.option("-f", "--force", is_flag=True, help="Ask nothing.")
@click.option("--history", is_flag=True, help="Also the values that rotation keeps.")
def delete(key: str, backend: str | None, profile: str | None, *, force: bool, history: bool) -> None:
    """Delete a secret from one scope of one backend.

    Example: envref secret delete api_key --force
    """
    check_key(key)
    target = target_of(backend, profile)
    target.store().check_own(key)
    question = f'Delete secret "{key}" from {target}. Confirm deletion? (y/N) '
    if not force and not prompt.confirmed(question):
        streams.inform("deletion cancelled")
        return
    with doing("deleting secret"):
        store = target.store()
        store.change(_with_history(store, key) if history else {key: None})
    target.log("delete", key)
    streams.inform(f'secret "{key}" deleted from {target}')
    _tell_users(target, key)


def _with_history(store: ScopedStore, key: str) -> dict[str, Secret | None]:
    """The key and its old values. Looks for the key first: deleting several at once does not say which was missing."""
    if store.get(key) is None:
        raise store.not_found(key)
    return dict.fromkeys([key, *rotation.history(store, key).values()])


def _tell_users(target: Target, key: str) -> None:
    """Names the variables that still refer to the key; their lines are left alone."""
    names = users(target, key)
    if names:
        streams.inform(f'note: {", ".join(names)} still refer{"" if len(names) > 1 else "s"} to "{key}"')
