"""Layout: how a prefix and a project become the names in a shared store (commands.md 8.2)."""

from __future__ import annotations

from envref.store_errors import BackendInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.refs.address import Address

_NAMESPACES = ("auto", "project", "none")


class Layout:
    """`PREFIX/KEY` under the project's own prefix, `PREFIX/PROJECT/KEY` under the default one, which projects share.

    `prefix` is empty where none is configured. `namespace` forces the project in (`project`) or out (`none`).
    """

    __slots__ = ("carries_project", "prefix")

    def __init__(self, prefix: str, *, default: str, namespace: str = "auto") -> None:
        if namespace not in _NAMESPACES:
            raise BackendInvalid(f'namespace must be one of {", ".join(_NAMESPACES)}, not "{namespace}"')
        self.prefix = (prefix or default).rstrip("/")
        self.carries_project = namespace == "project" or (namespace == "auto" and not prefix)

    def name(self, address: Address) -> str:
        """The store's name of an address that is not foreign."""
        return f"{self.root(address.project)}/{address.scoped_key}"

    def root(self, project: str) -> str:
        """What the names of all the project's secrets begin with, without the slash."""
        return f"{self.prefix}/{project}" if self.carries_project else self.prefix

    def key(self, name: str, project: str) -> str | None:
        """`KEY` or `PROFILE/KEY` of a name; None for a name that is not the project's."""
        root = f"{self.root(project)}/"
        return name.removeprefix(root) if name.startswith(root) and name != root else None
