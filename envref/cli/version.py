"""`envref version`."""

from __future__ import annotations

import platform
from importlib import metadata

import click

from envref import __version__, streams
from envref.cli.grammar import Command
from envref.formats import shells

_LIBRARIES = ("click", "cryptography", "keyring", "pyrage", "PyYAML", "SecretStorage", "tomlkit")


@click.command(cls=Command)
@click.option("--format", "format_", type=click.Choice(["plain", "json"]), default="plain", help="The output format.")
def version(format_: str) -> None:
    """Print the version; with -v those of Python and the libraries too.

    Example: envref version -v
    """
    facts = {"envref": __version__}
    if streams.level >= streams.VERBOSE:
        facts |= {"python": platform.python_version(), "platform": platform.platform(), **_libraries()}
    if format_ == "json":
        streams.write(shells.json_text(facts))
        return
    streams.write("".join(f"{name} {text}\n" for name, text in facts.items()))


def _libraries() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # SecretStorage exists only on Linux; a Nix build may have no metadata
    return found
