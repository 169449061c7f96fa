"""fnox.toml, read for `envref import` (jdx/fnox: crates/fnox-core/src/config.rs and its providers, August 2026)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envref.secrets.claim import Claim, suffix
from envref.secrets.toml_file import parsed, table, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLAIN = "plain"  # the provider whose values stand in the file
_BY_HAND = "its value is not in a store that envref knows; run: fnox get {name} | envref secret set {key} --env {name}"


def claims(text: str, name: str, profile: str | None) -> Iterator[Claim]:
    """The secrets of the top level, or with a profile those of its own. MalformedFile for what is not TOML."""
    data = parsed(text, name)
    own = table(table(data, "profiles"), profile) if profile else {}
    providers = {**table(data, "providers"), **table(own, "providers")}
    usual = own.get("default_provider", data.get("default_provider"))
    for variable, secret in table(own if profile else data, "secrets").items():
        yield _claim(variable, table(secret), providers, usual)


def _claim(name: str, secret: Mapping[str, Any], providers: Mapping[str, Any], usual: object) -> Claim:
    provider = table(providers, str(secret.get("provider") or usual or ""))
    default, value, kind = secret.get("default"), secret.get("value"), str(provider.get("type", ""))
    if value is None or not provider:
        return Claim(name, text=None if default is None else str(default), reason="it has no value in this file")
    if kind == _PLAIN:
        return Claim(name, text=str(value))
    unlike = next((option for option in ("as_file", "line") if secret.get(option)), "")
    if unlike:
        return Claim(name, reason=f"envref has nothing like {unlike}")
    reason = _BY_HAND.format(name=name, key=name.lower())
    options = suffix(default, is_optional=secret.get("if_missing") == "ignore")
    path = secret.get("json_path")
    pointer = "".join(f"/{part}" for part in path.split(".")) if isinstance(path, str) else ""
    said = {**texts(provider), "value": str(value)}
    return Claim(name, reason=reason, tool=kind, said=said, suffix=options, pointer=pointer)
