"""secretspec.toml, read for `envref import` (cachix/secretspec: its configuration reference, August 2026)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from envref.secrets.claim import Claim, suffix
from envref.secrets.toml_file import parsed, table, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_USUAL = "secretspec/{project}/{profile}/{key}"
_DEFAULT = "default"  # the profile that the others inherit from
_NOT_HERE = "its provider stands in its user's own config: add providers = [...] to it, and import it again"
_PLAIN_FILE = "it is a file whose text stands here: store that text, and refer to it with ?as=file"
_BY_HAND = (
    "its value is not in a store that envref knows; run: secretspec get {name} | envref secret set {key} --env {name}"
)


def claims(text: str, name: str, profile: str | None) -> Iterator[Claim]:
    """The secrets of the default profile, or with a profile its own. MalformedFile for what is not TOML."""
    data = parsed(text, name)
    profiles = table(data, "profiles")
    base, chosen = table(profiles, _DEFAULT), profile or _DEFAULT
    own = table(profiles, chosen)
    project = str(table(data, "project").get("name", ""))
    providers, usual = table(data, "providers"), table(own, "defaults").get("providers")
    inherits = table(own, "defaults").get("inherit", True)
    for variable, secret in own.items():
        if variable == "defaults":
            continue
        declared = {**(table(base, variable) if inherits else {}), **table(secret)}
        names = {"project": project, "profile": chosen, "key": variable}
        yield _claim(names, declared, providers, usual or table(base, "defaults").get("providers"))


def _claim(names: Mapping[str, str], secret: Mapping[str, Any], providers: Mapping[str, Any], usual: object) -> Claim:
    name, default = names["key"], secret.get("default")
    unlike = next((option for option in ("composed", "encoding") if secret.get(option)), "")
    if unlike:
        return Claim(name, reason=f"envref import does not read {unlike}")
    chain = secret.get("providers") or usual
    alias = chain[0] if isinstance(chain, list) and chain else ""
    is_file = bool(secret.get("as_path"))
    if not alias and is_file:
        return Claim(name, reason=_PLAIN_FILE)
    if not alias:
        return Claim(name, text=None if default is None else str(default), reason=_NOT_HERE)
    url, template = _provider(str(alias), providers)
    scheme, said = _parts(url)
    coordinates = secret.get("ref") or table(secret, "refs").get(str(alias)) or template
    said |= _coordinates(coordinates, said, names)
    options = suffix(default, is_optional=secret.get("required") is False, is_file=is_file)
    pointer = str(table(secret, "extract").get("pointer", ""))
    reason = _BY_HAND.format(name=name, key=name.lower())
    return Claim(name, reason=reason, tool=scheme, said=said, suffix=options, pointer=pointer)


def _provider(alias: str, providers: Mapping[str, Any]) -> tuple[str, object]:
    """The URL of an alias, with its template for names; an alias that is not declared is a URL itself."""
    declared = providers.get(alias, alias)
    return (str(declared.get("uri", "")), declared.get("ref")) if isinstance(declared, dict) else (str(declared), None)


def _parts(url: str) -> tuple[str, dict[str, str]]:
    """The scheme, and host, path and options. A scheme may stand alone."""
    scheme, _, rest = url.partition(":")
    parts = urlsplit(f"x:{rest}") if rest else urlsplit("")
    return scheme, {**dict(parse_qsl(parts.query)), "host": parts.netloc, "path": parts.path}


def _coordinates(given: object, said: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """What names the secret: what the file says of it, else where SecretSpec would have put it."""
    if isinstance(given, dict):
        return {key: _filled(text, names) for key, text in texts(given).items()}
    folders = f"{said['host']}{said['path']}"
    template = said.get("template") or (folders if "{key}" in folders else _USUAL)
    prefix = said.get("prefix", "").strip("/")
    item = _filled(template, names).strip("/")
    return {"item": f"{prefix}/{item}" if prefix else item, "is_usual": "yes"}


def _filled(text: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text
