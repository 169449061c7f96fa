"""Cargo's own config: which program gives the token of a registry. The rest of the file keeps every byte."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import tomlkit
from tomlkit.exceptions import TOMLKitError

from envref.errors import EnvrefError
from envref.paths import expanded, shown
from envref.project.place import parse
from envref.tools.settings import asking, taken

if TYPE_CHECKING:
    from typing import Any

    from envref.project.place import ServerPlace

_PROVIDER = "credential-provider"
_FROM_STDOUT = "cargo:token-from-stdout"


def path() -> str:
    return os.path.join(os.environ.get("CARGO_HOME") or expanded("~/.cargo"), "config.toml")


def _provider(root: str) -> list[str]:
    return [_FROM_STDOUT, *asking(root, "cargo")]


def edit(text: str, root: str, name: str, place: ServerPlace) -> str:
    """The file with envref as the provider of the registry with this index, under its name there or the given one.

    EnvrefError for a file that is not Cargo's, or where something of the user's stands in the place.
    """
    try:
        document = tomlkit.parse(text)
        where, table = _registry(document, name, place)
        _set_provider(table, where, _provider(root))
        return tomlkit.dumps(document)
    except (TOMLKitError, AttributeError, TypeError) as error:
        raise _broken(error) from None


def without(text: str, root: str) -> str:
    """The file without that provider. The index of a registry stays: it names the registry, and asks nobody."""
    try:
        document = tomlkit.parse(text)
        for name, table in [("", document.get("registry", {})), *document.get("registries", {}).items()]:
            if list(table.get(_PROVIDER, ())) == _provider(root):
                del table[_PROVIDER]
                if not name and not table:
                    del document["registry"]
        return tomlkit.dumps(document)
    except (TOMLKitError, AttributeError, TypeError) as error:
        raise _broken(error) from None


def _broken(error: Exception) -> EnvrefError:
    reason = str(error) if isinstance(error, TOMLKitError) else "not a config of Cargo"
    return EnvrefError(f"{shown(path())}: {reason}")


def _registry(document: Any, name: str, place: ServerPlace) -> tuple[str, Any]:
    """The registry's table, which may be new, and what it is called."""
    if place.is_crates_io:
        return "registry", document.setdefault("registry", tomlkit.table())
    registries = document.setdefault("registries", tomlkit.table(is_super_table=True))
    for each, table in registries.items():
        index = parse(str(table.get("index", "")))
        if index and place.covers(index):
            return f"registries.{each}", table
    if "://" not in place.text:
        fact = f"{shown(path())}: no registry has the index {place.text}"
        raise EnvrefError(fact, hint="in tools: write it as Cargo does, sparse+https://…/")
    own = name if name not in registries else f"{name}-{place.host.replace('.', '-')}"
    table = registries.setdefault(own, tomlkit.table())
    table.setdefault("index", place.text)
    return f"registries.{own}", table


def _set_provider(table: Any, where: str, wanted: list[str]) -> None:
    old = table.get(_PROVIDER)
    if old is not None and list(old)[:2] != wanted[:2]:
        raise taken(f"{where}.{_PROVIDER}", shown(path()), "take it out there")
    if old is None or list(old) != wanted:
        table[_PROVIDER] = wanted
