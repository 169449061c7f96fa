"""Address: where a store keeps a secret; and the rules for keys (commands.md 6.4, 6.5)."""

from __future__ import annotations

from envref.errors import UsageError

HISTORY = ".__history."  # rotation keeps old values as KEY.__history.N
_LONGEST = 512  # bytes


class Address:
    """A secret as a store is asked for it.

    Either a key of a project, at profile scope if `profile` is set, or a `foreign` name: one that the store had already
    and that envref never writes. `field` is set only for stores that read fields themselves; `version` is an earlier
    value's, as a store with versions names it.
    """

    __slots__ = ("field", "foreign", "identity", "key", "profile", "project", "version")

    def __init__(
        self,
        project: str,
        key: str,
        *,
        profile: str | None = None,
        foreign: str | None = None,
        field: str | None = None,
        version: str | None = None,
    ) -> None:
        self.project = project
        self.key = key
        self.profile = profile
        self.foreign = foreign
        self.field = field
        self.version = version
        # What makes two addresses one. Made once: an activation looks for each address a dozen times.
        self.identity: tuple[str | None, ...] = (
            (project, profile, key, field, version) if foreign is None else (foreign, field, version)
        )

    def at(self, version: str | None) -> Address:
        """The same secret at a version; None for the latest."""
        return Address(
            self.project,
            self.key,
            profile=self.profile,
            foreign=self.foreign,
            field=self.field,
            version=version,
        )

    @property
    def full_key(self) -> str:
        """`PROJECT/KEY` or `PROJECT/PROFILE/KEY`: the name in stores without a layout of their own."""
        return f"{self.project}/{self.scoped_key}"

    @property
    def scoped_key(self) -> str:
        """`KEY` or `PROFILE/KEY`."""
        return self.key if self.profile is None else f"{self.profile}/{self.key}"

    def __str__(self) -> str:
        return self.full_key if self.foreign is None else self.foreign

    def __repr__(self) -> str:
        return f"Address({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)


def check_key(key: str) -> str:
    """`key`, if `secret` commands may use it; else raises a UsageError that says why not."""
    fault = _fault(key)
    if fault:
        raise UsageError(fault)
    return key


def _fault(key: str) -> str:
    if not key:
        return "key must not be empty"
    if len(key.encode("utf-8", "surrogatepass")) > _LONGEST:
        return f"key must not be longer than {_LONGEST} bytes"
    if key != key.strip():
        return f'key "{key}" must not have leading or trailing whitespace'
    if not key.isprintable():
        return f'key "{key}" must not contain control characters'
    if key.startswith("-"):
        return f'key "{key}" must not start with "-"'
    segments = key.split("/")
    if "" in segments:
        return f'key "{key}" must not have a leading, trailing or doubled "/"'
    if "." in segments or ".." in segments:
        return f'key "{key}" must not have "." or ".." as a segment'
    return ""
