"""Flox's plugin convention: the table [plugins.envref], and what it imports from the tables of Flox's own plugins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from envref.backends.table import BUILTIN, backend_class
from envref.env.environment import Environment, Variable
from envref.errors import EnvrefError
from envref.flox import names
from envref.flox.manifest import PLUGIN, Manifest
from envref.project.config.model import Config
from envref.refs.reference import InvalidReference, Reference

KIND = "plugin"
IMPORTED = "import"  # a separate block: a later run without --import leaves it

_MADE_BY = {KIND: "envref flox-hook --plugin", IMPORTED: "envref flox-hook --plugin --import"}
_OTHER_FORM = "use the hook form: envref flox-hook --write --placement hook"

_UNSERVED = {"infisical": ""}  # Flox's plugins that no store of envref serves
_INERT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")


def entries(environment: Environment) -> dict[str, str]:
    """Every variable that is a reference, with the reference; plain ones are not for the table.

    Raises EnvrefError for a variable that the table can't hold: a value composed of secrets; or if there is no
    reference.
    """
    variables = [variable for variable in environment.variables.values() if variable.plain is None]
    names.check(variable.entry for variable in variables)
    return {variable.name: _reference(variable) for variable in variables}


def _reference(variable: Variable) -> str:
    [first, *rest] = variable.pieces
    if isinstance(first, InvalidReference):
        raise EnvrefError(f"{variable.name}: {first.message}")
    if rest or not isinstance(first, Reference):
        raise EnvrefError(
            f"{variable.name}: is composed of secrets, and a plugin's table holds whole references only",
            hint=_OTHER_FORM,
        )
    return first.uri


def with_table(manifest: Manifest, wanted: Mapping[str, str]) -> Manifest:
    """The manifest with these entries in [plugins.envref]; the user's own stay, and so do those that were imported."""
    foreign = _foreign(manifest)
    for name, uri in wanted.items():
        if foreign.get(name, uri) != uri:
            raise EnvrefError(
                f"{manifest.name}: {name} has another value in [plugins.{PLUGIN[1]}] already",
                hint="delete that line, or the variable in the env file",
            )
    kept = {name: uri for name, uri in manifest.entries(IMPORTED).items() if name not in wanted}
    manifest = manifest.with_entries(IMPORTED, kept, _MADE_BY[IMPORTED])
    missing = {name: uri for name, uri in wanted.items() if name not in foreign}
    return manifest.with_entries(KIND, missing, _MADE_BY[KIND])


def without_table(manifest: Manifest) -> Manifest:
    """The manifest without what envref wrote to [plugins.envref]."""
    return manifest.without_entries(IMPORTED).without_entries(KIND)


def _foreign(manifest: Manifest) -> dict[str, Any]:
    """The entries of [plugins.envref] that its owner wrote."""
    ours = {**manifest.entries(KIND), **manifest.entries(IMPORTED)}
    return {name: value for name, value in manifest.table(PLUGIN).items() if name not in ours}


class Imports(NamedTuple):
    """The entries to take over from the tables of Flox's own plugins, and one line about each that can't be."""

    entries: dict[str, str]
    left: list[str]


def imports(manifest: Manifest, config: Config) -> Imports:
    """The entries of Flox's own plugin tables as references to the configured backend of that type."""
    found = Imports({}, [])
    served = {plugin: kind for kind in BUILTIN for plugin in backend_class(kind).flox_plugins}
    for plugin, kind in {**served, **_UNSERVED}.items():
        table = manifest.value(("plugins", plugin))
        for name, value in table.items() if isinstance(table, dict) else ():
            uri, reason = _imported(name, value, kind, config)
            if uri and name not in found.entries:
                found.entries[name] = uri
            else:
                found.left.append(f"plugins.{plugin}.{name}: left: {reason or 'another table has that name'}")
    return found


def with_imports(manifest: Manifest, found: Mapping[str, str]) -> Manifest:
    """The manifest with these entries added to [plugins.envref], unless another entry has that name."""
    old = manifest.entries(IMPORTED)
    others = set(manifest.table(PLUGIN)).difference(old)
    new = {name: uri for name, uri in found.items() if name not in others}
    return manifest.with_entries(IMPORTED, {**old, **new}, _MADE_BY[IMPORTED])


def _imported(name: str, value: object, kind: str, config: Config) -> tuple[str, str]:
    """The reference, or why there is none."""
    if not kind:
        return "", "no store of envref serves it"
    fault = names.fault(name)
    store = backend_class(kind)
    parts = store.flox_entry(value) if isinstance(value, str) else None
    if fault or parts is None:
        return "", fault or "not in a form that envref knows"
    place, item, field = parts
    option, default = store.flox_place
    for backend in config.backends:
        if backend.type == kind and backend.options.get(option, default) == place:
            return f"ref://{backend.name}//{_escaped(item)}#{_escaped(field)}", ""
    return "", f"no backend of type {kind} with {option}: {place} in .envref.yaml"


def _escaped(text: str) -> str:
    return "".join(
        character if character in _INERT else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in text
    )
