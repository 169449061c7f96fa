"""Foreign values: what other tools resolve or decrypt, for which env files were written. envref exports it as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envref import CIPHERTEXT, OTHERS
from envref.backends.table import BUILTIN, backend_class
from envref.errors import printable
from envref.refs.reference import IN_NAME, SCHEME, escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envref.env.environment import Variable
    from envref.project.config.model import Config


DECRYPT = "only dotenvx can read it; run: dotenvx decrypt, then envref import"


class Foreign(NamedTuple):
    """A variable whose value is another tool's reference or ciphertext. `cure` says what to write in its place."""

    variable: Variable
    fact: str
    cure: str


def found(variables: Iterable[Variable], config: Config) -> Iterator[Foreign]:
    """Every variable with such a value."""
    for variable in variables:
        text = variable.plain
        if text is not None and text.startswith(CIPHERTEXT):
            fact = f"{variable.name}: its value is dotenvx's ciphertext, and is exported as this text"
            yield Foreign(variable, fact, DECRYPT)
        elif text is not None and is_foreign(text):
            fact = f'{variable.name}: "{printable(text)}" is a reference of another tool, and is exported as this text'
            yield Foreign(variable, fact, _cure(text, config))


def is_foreign(text: str) -> bool:
    """Whether a value is another tool's reference."""
    return text.startswith(OTHERS) and "://" in text


def warnings(variables: Iterable[Variable], config: Config) -> Iterator[str]:
    """A line for each of them, with its place and its cure."""
    for each in found(variables, config):
        entry = each.variable.entry
        yield f"{entry.file}:{entry.line}: {each.fact}; {each.cure}"


def _cure(text: str, config: Config) -> str:
    """The reference to write instead. A store that is configured comes first."""
    kind, uri = reference(text, config)
    if uri:
        return f"write {uri}" if is_configured(kind, config) else f"write {uri}, and list {kind} under backends:"
    return "keep the value in a store of envref and write ref://secrets/KEY"


def reference(text: str, config: Config) -> tuple[str, str]:
    """The type of store that another tool's reference means, and envref's reference to it; both empty if none does.

    A store that is configured comes first; for one that isn't, the type stands for its name.
    """
    types = {backend.type: backend.name for backend in reversed(config.backends)}
    for kind in dict.fromkeys([*types, *BUILTIN]):
        store = backend_class(kind)
        name = store.adopted(text) if text.startswith(store.others) else ""
        if name:
            return kind, _uri(types.get(kind, kind), name)
    return "", ""


def is_configured(kind: str, config: Config) -> bool:
    """Whether a backend of the project is of this type."""
    return any(backend.type == kind for backend in config.backends)


def _uri(store: str, name: str) -> str:
    key, mark, field = name.partition("#")
    return f"{SCHEME}{store}//{escaped(key, IN_NAME)}{mark}{escaped(field, IN_NAME)}"
