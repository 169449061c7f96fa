"""`envref secret generate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from envref import streams
from envref.cli import candidates
from envref.cli.secret.reference import reference_line, variable_option
from envref.cli.secret.target import keyed, written
from envref.cli.secret.users import tell_unused
from envref.secret import Secret
from envref.secrets.generation import CHARSETS, DEFAULT_CHARSET, DEFAULT_LENGTH, Recipe
from envref.secrets.scoped import doing
from envref.secrets.target import Target


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--length`, `--charset` and `--print`, for commands that make a value."""
    for option in (
        click.option("-p", "--print", "print_", is_flag=True, help="Print the value."),
        click.option(
            "-c",
            "--charset",
            metavar="C",
            default=DEFAULT_CHARSET,
            shell_complete=candidates.choice(*CHARSETS),
            help=f"One of {', '.join(CHARSETS)}.",
        ),
        click.option("-l", "--length", metavar="N", type=int, default=DEFAULT_LENGTH, help="Characters, 1 to 1024."),
    ):
        command = option(command)
    return command


@keyed("generate")
@recipe_options
@click.option("--if-missing", is_flag=True, help="Keep a value that is there.")
@variable_option
def generate(
    key: str,
    backend: str | None,
    profile: str | None,
    variable: str | None,
    length: int,
    charset: str,
    *,
    print_: bool,
    if_missing: bool,
) -> None:
    """Store a random value.

    Example: envref secret generate api_key --length 64 --charset hex
    """
    recipe = Recipe(length, charset)
    target = written(key, backend, profile)
    line = reference_line(target.project, variable, key)
    secret = _stored(target, key, recipe, keep=if_missing)
    if line:
        line.write()
    else:
        tell_unused(target, key)
    if print_:
        streams.write(f"{secret.reveal()}\n")


def _stored(target: Target, key: str, recipe: Recipe, *, keep: bool) -> Secret:
    """Stores the new value, or keeps an old one with --if-missing; returns the value that the key has then."""
    with doing("storing secret"):
        store = target.store()
        old = store.get(key)
        if old is not None and keep:
            streams.inform(f'secret "{key}" is already in {target}; kept')
            return old
        new = recipe.make()
        store.change({key: new})
    if old is not None:
        streams.warn(f'the previous value of "{key}" in {target} was overwritten')
    target.log("generate", key)
    streams.inform(f'secret "{key}" generated and stored in {target} ({recipe})')
    return new
