"""`envref secret list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envref import streams
from envref.cli.options import format_option
from envref.cli.output import columns
from envref.cli.secret.target import scoped, target_of
from envref.errors import printable
from envref.formats import shells
from envref.fresh.ages import age, words
from envref.refs.address import HISTORY
from envref.secrets.scoped import doing

if TYPE_CHECKING:
    from envref.secrets.scoped import ScopedStore


@scoped("list")
@click.option("--all", "history", is_flag=True, help="Also the values that rotation keeps.")
@click.option("--revisions", is_flag=True, help="Also which version each has, and how old that is.")
@format_option("plain", "json")
def list_(backend: str | None, profile: str | None, format_: str, *, history: bool, revisions: bool) -> None:
    """List the names of the secrets at one scope; never a value.

    Example: envref secret list --profile staging
    """
    target = target_of(backend, profile)
    with doing("listing secrets"):
        names = target.own(target.store().listed())
    shown = [name for name in names if history or HISTORY not in name]
    if revisions:
        _write_ages(target.store(), shown, format_)
        return
    if format_ == "json":
        streams.write(shells.json_text(shown))
        return
    if not shown:
        of_profile = f' for profile "{target.scope.profile}"' if target.scope.profile else ""
        streams.inform(f"no secrets found{of_profile}")
    streams.write("".join(f"{printable(name)}\n" for name in shown))


def _write_ages(store: ScopedStore, names: list[str], format_: str) -> None:
    with doing("asking for revisions"):
        told = store.revisions(names)
    rows = [age(name, store.name, revision) for name, revision in told.items()]
    if format_ == "json":
        streams.write(shells.json_text(rows))
    else:
        streams.write(columns([(row["name"], words(row)) for row in rows]))
