"""`envref secret rotate`."""

from __future__ import annotations

import click

from envref import streams
from envref.cli.secret import value as secret_value
from envref.cli.secret.generate import recipe_options
from envref.cli.secret.target import keyed, written
from envref.secret import Secret
from envref.secrets import rotation
from envref.secrets.generation import Recipe
from envref.secrets.scoped import doing
from envref.secrets.target import Target


@keyed("rotate")
@click.option(
    "-k", "--keep", metavar="N", type=int, default=rotation.DEFAULT_KEEP, help="How many old values to keep, 0 to 100."
)
@recipe_options
@click.option("--value-stdin", is_flag=True, help="Take the new value from stdin.")
def rotate(
    key: str,
    backend: str | None,
    profile: str | None,
    keep: int,
    length: int,
    charset: str,
    *,
    print_: bool,
    value_stdin: bool,
) -> None:
    """Give a secret a new value, and keep the old ones as KEY.__history.N.

    Example: envref secret rotate api_key --keep 10
    """
    rotation.check_keep(keep)
    recipe = Recipe(length, charset)
    target = written(key, backend, profile)
    given = _given() if value_stdin else None
    new = recipe.make() if given is None else given
    made = "" if given else f" ({recipe})"
    if _rotated(target, key, new, keep):
        target.log("rotate", key)
        kept = "previous value archived" if keep else "no history kept"
        streams.inform(f'secret "{key}" rotated in {target}{made}; {kept}')
    else:
        target.log("set" if given else "generate", key)
        streams.inform(f'secret "{key}" {"" if given else "generated and "}stored in {target}{made}')
    if print_:
        streams.write(f"{new.reveal()}\n")


def _given() -> Secret:
    value = secret_value.piped(raw=False)
    secret_value.check_filled(value)
    return value


def _rotated(target: Target, key: str, new: Secret, keep: int) -> bool:
    """Whether there was a value to rotate; else `new` is just stored."""
    with doing("storing secret"):
        store = target.store()
        current = store.get(key)
        if current is None:
            store.change({key: new})
            return False
        rotation.rotate(store, key, current, new, keep=keep)
        return True
