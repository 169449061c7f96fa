"""`envref secret set`."""

from __future__ import annotations

import click

from envref import streams
from envref.cli import prompt
from envref.cli.secret import value as secret_value
from envref.cli.secret.reference import reference_line, variable_option
from envref.cli.secret.target import keyed, written
from envref.cli.secret.users import tell_unused
from envref.secret import Secret
from envref.secrets.scoped import doing


@keyed("set")
@click.option("-v", "short", metavar="V", hidden=True)
@click.option("--value", metavar="V", help="The value; prefer the prompt or stdin, which nobody else can see.")
@click.option("--raw", is_flag=True, help="Keep the line end at the end of stdin.")
@click.option("--allow-empty", is_flag=True, help="Store an empty value too.")
@variable_option
def set_(
    key: str,
    backend: str | None,
    profile: str | None,
    variable: str | None,
    short: str | None,
    value: str | None,
    *,
    raw: bool,
    allow_empty: bool,
) -> None:
    """Store a secret: typed without echo, or from stdin.

    Example: envref secret set database_url --env DATABASE_URL < url.txt
    """
    target = written(key, backend, profile)
    line = reference_line(target.project, variable, key)
    given = value if short is None else short
    if given is None and prompt.at_terminal():
        with doing("storing secret"):  # before a person has typed a value, which would be lost
            target.store().check_usable()
    secret = _given(given, raw=raw, allow_empty=allow_empty)
    if short is not None:
        streams.warn("-v will mean --verbose here too from the next release on; write --value")
    with doing("storing secret"):
        target.store().change({key: secret})
    target.log("set", key)
    streams.inform(f'secret "{key}" stored in {target}')
    if line:
        line.write()
    else:
        tell_unused(target, key)


def _given(value: str | None, *, raw: bool, allow_empty: bool) -> Secret:
    secret = secret_value.typed_or_piped(raw=raw) if value is None else secret_value.of_option(value)
    if not allow_empty:
        secret_value.check_filled(secret)
    return secret
