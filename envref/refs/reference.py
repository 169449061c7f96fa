"""Reference: `ref://<store>/<key>[?options][#field]`, parsed and printed (commands.md 6)."""

from __future__ import annotations

import envref
from envref.errors import EnvrefError, UsageError
from envref.refs.address import check_key

SCHEME = envref.SCHEME
CHAIN = "secrets"  # the selector that asks every store, in the configured order

_HEX = frozenset("0123456789abcdefABCDEF")
_NO_KEYCHAR = frozenset(' /?#%{}"<>\\^|`')
_IN_KEY = frozenset("/")
_IN_TEXT = frozenset("/?")
_IN_QUERY = frozenset("/?=")
_SELECTOR = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")
IN_NAME = _UNRESERVED | frozenset(":")  # a name of the store's own may be a URL or an ARN
_OPTIONS = ("optional", "default", "encoding", "version", "as")


class InvalidReference(EnvrefError):
    """A text that starts with `ref://` and is not a reference; `uri` is that text.

    It makes that reference Failed; it is not a fatal error.
    """

    def __init__(self, fault: str) -> None:
        super().__init__(f"invalid ref:// URI: {fault}")
        self.uri = ""


class Reference:
    """A secret, as a `.env` file names it.

    `store` is a configured backend's name, or None for the whole chain. `foreign` means that `key` is the store's own
    name for the secret. `default` is the text used when the secret is absent, `encoding` is None or "base64", `version`
    a version as the store names it, `field` a member's name or a JSON Pointer. `is_file` makes the variable the path of
    a file that holds the value. Prints as the text it came from; equal if every decoded part is equal.
    """

    __slots__ = ("default", "encoding", "field", "foreign", "is_file", "key", "optional", "store", "uri", "version")

    def __init__(
        self,
        store: str | None,
        key: str,
        *,
        uri: str,
        foreign: str | None = None,
        options: dict[str, str] | None = None,
        field: str | None = None,
    ) -> None:
        options = options or {}
        self.store = store
        self.key = key
        self.foreign = foreign
        self.optional = options.get("optional") == "true"
        self.default = options.get("default")
        self.encoding = options.get("encoding")
        self.version = options.get("version")
        self.is_file = "as" in options
        self.field = field
        self.uri = uri

    @classmethod
    def parse(cls, uri: str) -> Reference:
        """The reference that `uri` is. Raises InvalidReference, columns counted in characters from 1."""
        try:
            return cls._parse(uri)
        except InvalidReference as error:
            error.uri = uri
            raise

    @classmethod
    def _parse(cls, uri: str) -> Reference:
        selector, start = _selector(uri)
        end, field_start = _sections(uri, start)
        foreign = uri.startswith("/", start)
        key = _foreign(uri, start + 1, end) if foreign else _key(uri, start, end)
        if foreign and selector == CHAIN:
            raise InvalidReference(
                f'"{uri}" names no backend (a name of the store\'s own needs ref://<backend>//<name>)'
            )
        query: list[str] | None = [] if foreign and "://" in key else None
        options = _options(uri, end + 1, field_start - 1, query)
        return cls(
            None if selector == CHAIN else selector,
            "" if foreign else _checked(key),
            uri=uri,
            foreign=_with_query(key, query) if foreign else None,
            options=options,
            field=_field(uri, field_start),
        )

    def _identity(self) -> tuple[object, ...]:
        own = (self.optional, self.default, self.encoding, self.version, self.field, self.is_file)
        return (self.store, self.key, self.foreign, *own)

    def __str__(self) -> str:
        return self.uri

    def __repr__(self) -> str:
        return f"Reference({self.uri!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())


def uri_of(key: str, store: str | None = None) -> str:
    """The reference to `key` as text, with percent escapes where the grammar asks for them."""
    return f"{SCHEME}{store or CHAIN}/{escaped(key)}"


def escaped(text: str, inert: frozenset[str] = _UNRESERVED) -> str:
    """A key, a name or a field as it is written in a reference; `inert` needs no percent escape."""
    return "".join(
        character if character in inert else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in text
    )


def _selector(uri: str) -> tuple[str, int]:
    """The selector, and where the key begins."""
    rest = uri.removeprefix(SCHEME)
    if not rest:
        raise InvalidReference(f'empty ref:// URI: "{uri}"')
    selector, slash, key = rest.partition("/")
    if not slash:
        raise InvalidReference(f'ref:// URI missing path: "{uri}" (expected ref://<backend>/<path>)')
    if not selector:
        raise InvalidReference(f'ref:// URI has empty backend: "{uri}"')
    if not _SELECTOR.issuperset(selector) or not selector[0].isalnum():
        raise InvalidReference(f'invalid backend name "{selector}" (allowed: letters, digits, _ - .)')
    return selector, len(uri) - len(key)


def _sections(uri: str, start: int) -> tuple[int, int]:
    """Where the key ends, and where the field begins; past the end of the text if there is none."""
    mark = uri.find("#", start)
    field_start = mark + 1 if mark >= 0 else len(uri) + 1
    query = uri.find("?", start, field_start - 1)
    return (query if query >= 0 else field_start - 1), field_start


def _key(uri: str, start: int, end: int) -> str:
    if start < end and "" in uri[start:end].split("/"):
        raise InvalidReference(f'empty segment in key "{uri[start:end]}"')
    return _foreign(uri, start, end)


def _foreign(uri: str, start: int, end: int) -> str:
    """A name of the store's own: it may begin with a slash, or be a URL, whose segments are empty here and there."""
    if start >= end:
        raise InvalidReference(f'ref:// URI has empty path: "{uri}"')
    written = uri[start:end]
    key = _decode(uri, start, end, _IN_KEY)
    for segment in written.split("/"):
        if _decode(segment, 0, len(segment), _IN_KEY) in (".", ".."):
            raise InvalidReference(f'"." and ".." can\'t be a segment of key "{written}"')
    return key


def _checked(key: str) -> str:
    try:
        return check_key(key)
    except UsageError as error:
        raise InvalidReference(error.message) from None


def _with_query(name: str, query: list[str] | None) -> str:
    return f"{name}?{'&'.join(query)}" if query else name


def _options(uri: str, start: int, end: int, query: list[str] | None) -> dict[str, str]:
    """The options between `?` and `#`; empty when there is no `?`. What a URL itself has there is added to `query`."""
    found: dict[str, str] = {}
    while start <= end:
        stop = uri.find("&", start, end)
        stop = end if stop < 0 else stop
        name, equals, _ = uri[start:stop].partition("=")
        if query is not None and name not in _OPTIONS:
            query.append(_decode(uri, start, stop, _IN_QUERY))
            start = stop + 1
            continue
        if name not in _OPTIONS:
            raise InvalidReference(f'unknown option "{name}" (valid: {", ".join(_OPTIONS)})')
        if name in found:
            raise InvalidReference(f'option "{name}" is given twice')
        text = _decode(uri, start + len(name) + len(equals), stop, _IN_TEXT)
        found[name] = _option_value(name, text, given=bool(equals))
        start = stop + 1
    return found


def _option_value(name: str, text: str, *, given: bool) -> str:
    if name == "optional":
        if given and text not in ("true", "false"):
            raise InvalidReference(f'option "optional" is true or false, not "{text}"')
        return text or "true"
    if not given or (name == "version" and not text):
        raise InvalidReference(f'option "{name}" needs a value: {name}=…')
    if name == "encoding" and text != "base64":
        raise InvalidReference(f'unknown encoding "{text}" (valid: base64)')
    if name == "as" and text != "file":
        raise InvalidReference(f'a value can\'t be given as "{text}" (valid: file)')
    return text


def _field(uri: str, start: int) -> str | None:
    if start > len(uri):
        return None
    if start == len(uri):
        raise InvalidReference('empty field after "#"')
    _, query, option = uri[start:].partition("?")
    if query and option.partition("=")[0] in _OPTIONS:
        raise InvalidReference('"?" after "#" (write the options before the field)')
    return _decode(uri, start, len(uri), _IN_TEXT)


def _decode(uri: str, start: int, end: int, also: frozenset[str]) -> str:
    """`uri[start:end]` without its percent escapes; `also` names the characters allowed besides keychars."""
    written = uri[start:end]
    if _UNRESERVED.issuperset(written):
        return written
    encoded = bytearray()
    position = start
    while position < end:
        character = uri[position]
        if character == "%":
            encoded += _escaped_byte(uri, position, end)
            position += 3
            continue
        if (character in _NO_KEYCHAR and character not in also) or not character.isprintable():
            raise InvalidReference(_unexpected(character, position + 1))
        encoded += character.encode()
        position += 1
    return _text(bytes(encoded), written)


def _escaped_byte(uri: str, position: int, end: int) -> bytes:
    digits = uri[position + 1 : min(position + 3, end)]
    if len(digits) != 2 or not _HEX.issuperset(digits):
        raise InvalidReference(f'bad percent escape "%{digits}" at column {position + 1}')
    return bytes.fromhex(digits)


def _unexpected(character: str, column: int) -> str:
    escape = "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
    name = "space" if character == " " else f'"{character}"'
    return f"{name} at column {column} (write {escape})"


def _text(encoded: bytes, written: str) -> str:
    try:
        text = encoded.decode()
    except UnicodeDecodeError:
        raise InvalidReference(f'percent escapes in "{written}" are not UTF-8') from None
    if not text.isprintable():
        raise InvalidReference(f'control character in "{written}"')
    return text


def parsed(uri: str) -> Reference | InvalidReference:
    """The reference, or what is wrong with it: one bad reference fails alone."""
    try:
        return Reference.parse(uri)
    except InvalidReference as error:
        return error
