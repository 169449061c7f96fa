"""Plugin: the table [plugins.envref] of Flox's plugin convention, and what the tables of Flox's own plugins hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from envref.env.environment import Environment, Variable
from envref.errors import EnvrefError
from envref.flox import names
from envref.flox.manifest import PLUGIN, Manifest
from envref.project.config.model import Config
from envref.refs.reference import InvalidReference, Reference

KIND = "plugin"
IMPORTED = "import"  # a block of its own: a later run without --import leaves it

_MADE_BY = {KIND: "envref flox-hook --plugin", IMPORTED: "envref flox-hook --plugin --import"}
_OTHER_FORM = "use the hook form: envref flox-hook --write"

# Flox's plugin -> the type of backend that serves its references; None where no backend of envref does.
_STORES = {"1password": "1password", "vault": "hashicorp-vault", "openbao": "hashicorp-vault", "infisical": None}
_OP = "op://"
_PLACES = {"1password": ("vault", "Personal"), "hashicorp-vault": ("mount", "secret")}  # option and its default
_FIELDS = {"hashicorp-vault": "value"}  # what Flox's example plugin reads when no field is named
_INERT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")


def entries(environment: Environment) -> dict[str, str]:
    """Every variable that is a reference, with the reference; plain ones are not for the table.

    Raises EnvrefError for one that the table can't hold: a value that is composed of secrets, or no reference at all.
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
                f"{manifest.name}: {name} stands in [plugins.{PLUGIN[1]}] with another value",
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
    """What can be taken over from the tables of Flox's own plugins, and one line about everything that can't."""

    entries: dict[str, str]
    left: list[str]


def imports(manifest: Manifest, config: Config) -> Imports:
    """The entries of Flox's own plugin tables as references to the configured backend of that type."""
    found = Imports({}, [])
    for plugin, kind in _STORES.items():
        table = manifest.value(("plugins", plugin))
        for name, value in table.items() if isinstance(table, dict) else ():
            uri, reason = _imported(name, value, kind, config)
            if uri and name not in found.entries:
                found.entries[name] = uri
            else:
                found.left.append(f"plugins.{plugin}.{name}: left: {reason or 'another table has that name'}")
    return found


def with_imports(manifest: Manifest, found: Mapping[str, str]) -> Manifest:
    """The manifest with these entries added to [plugins.envref], where no other of that name is."""
    old = manifest.entries(IMPORTED)
    others = set(manifest.table(PLUGIN)).difference(old)
    new = {name: uri for name, uri in found.items() if name not in others}
    return manifest.with_entries(IMPORTED, {**old, **new}, _MADE_BY[IMPORTED])


def _imported(name: str, value: object, kind: str | None, config: Config) -> tuple[str, str]:
    """The reference, or why there is none."""
    if kind is None:
        return "", "no store of envref serves it"
    fault = names.fault(name)
    parts = _parts(value, kind) if isinstance(value, str) else None
    if fault or parts is None:
        return "", fault or "not in a form that envref knows"
    place, item, field = parts
    option, default = _PLACES[kind]
    for backend in config.backends:
        if backend.type == kind and backend.options.get(option, default) == place:
            return f"ref://{backend.name}//{_escaped(item)}#{_escaped(field)}", ""
    return "", f"no backend of type {kind} with {option}: {place} in .envref.yaml"


def _parts(value: str, kind: str) -> tuple[str, str, str] | None:
    """Vault or mount, item or path, and field; None for a value in another form."""
    if kind == "1password":
        parts = value.removeprefix(_OP).split("/")
        return (parts[0], parts[1], parts[2]) if value.startswith(_OP) and len(parts) == 3 and all(parts) else None
    path, _, field = value.partition("#")
    mount, _, rest = path.partition("/")
    usable = mount and rest and all(rest.split("/")) and "://" not in value
    return (mount, rest, field or _FIELDS[kind]) if usable else None


def _escaped(text: str) -> str:
    return "".join(
        character if character in _INERT else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in text
    )
