"""`envref secret list`."""

from __future__ import annotations

import click

from envref import streams
from envref.cli.options import format_option
from envref.cli.secret.target import scoped, target_of
from envref.errors import printable
from envref.formats import shells
from envref.refs.address import HISTORY
from envref.secrets.scoped import doing


@scoped("list")
@click.option("--all", "history", is_flag=True, help="Also the values that rotation keeps.")
@format_option("plain", "json")
def list_(backend: str | None, profile: str | None, format_: str, *, history: bool) -> None:
    """List the names of the secrets at one scope; never a value.

    Example: envref secret list --profile staging
    """
    target = target_of(backend, profile)
    with doing("listing secrets"):
        names = target.own(target.store().listed())
    shown = [name for name in names if history or HISTORY not in name]
    if format_ == "json":
        streams.write(shells.json_text(shown))
        return
    if not shown:
        of_profile = f' for profile "{target.scope.profile}"' if target.scope.profile else ""
        streams.inform(f"no secrets found{of_profile}")
    streams.write("".join(f"{printable(name)}\n" for name in shown))
