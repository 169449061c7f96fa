"""Claims: what files of other tools say that a variable is, and the reference of envref that is the same.

Readers say it in the other tool's words. The stores' classes know which of these words mean them.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from envref.backends.table import BUILTIN, backend_class
from envref.refs.reference import IN_NAME, SCHEME, escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envref.backends.base import Backend
    from envref.project.config.model import BackendConfig, Config


class Claim(NamedTuple):
    """A variable as another tool's file has it: a plain `text`, a `reason` why it can't be taken, or a secret.

    For a secret, `tool` is what the file calls its store, empty for a command line, and `said` what it says of it.
    `suffix` is the reference's own, e.g. `?optional`; `pointer` leads into the secret.
    """

    name: str
    text: str | None = None
    reason: str = ""
    tool: str = ""
    said: Mapping[str, str] = {}
    suffix: str = ""
    pointer: str = ""


def suffix(default: object, *, is_optional: bool, is_file: bool = False) -> str:
    """The options of a reference to a secret that has this default, None for none, or that may be absent."""
    options = ["as=file"] if is_file else []
    if default is not None:
        options.append(f"default={quote(str(default), safe='')}")
    elif is_optional:
        options.append("optional")
    return "?" + "&".join(options) if options else ""


def reference(claim: Claim, config: Config) -> tuple[str, str]:
    """The reference to a configured backend, and else why there is none."""
    missing = ""
    if not claim.said:
        return "", claim.reason
    for kind, name, options in _meant(claim):
        uri = next((_uri(each.name, name, claim) for each in config.backends if _has(each, kind, options)), "")
        if uri:
            return uri, ""
        with_options = "".join(f", {option}: {value}" for option, value in options.items())
        missing = missing or f"list a backend under backends: with type: {kind}{with_options}, and import it again"
    return "", missing or claim.reason


def _meant(claim: Claim) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The types whose class says that it is theirs, each with the name and the options."""
    for kind in BUILTIN:
        store = backend_class(kind)
        if claim.tool in store.tools or (not claim.tool and claim.said.get("command")):
            name, options = store.elsewhere(claim.said)
            if name:
                yield kind, name, options


def _has(backend: BackendConfig, kind: str, options: Mapping[str, str]) -> bool:
    """Whether the backend reads from the same place: another region or vault would hold another secret."""
    if backend.type != kind:
        return False
    usual = _defaults(backend_class(kind))
    return all(str(backend.options.get(option, usual.get(option))) == value for option, value in options.items())


def _defaults(store: type[Backend]) -> dict[str, object]:
    return {name: each.default for name, each in inspect.signature(store.__init__).parameters.items()}


def _uri(backend: str, name: str, claim: Claim) -> str:
    key, _, field = name.partition("#")
    field = field or claim.pointer
    return f"{SCHEME}{backend}//{escaped(key, IN_NAME)}{claim.suffix}" + (
        f"#{escaped(field, IN_NAME)}" if field else ""
    )
