"""The stores envref knows: one line a kind, imported on first use."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.backends.protocol import Backend

BUILTIN = {
    "keychain": "envref.backends.keychain:Keychain",
    "vault": "envref.backends.vault:Vault",
    "plugin": "envref.backends.plugin:Plugin",
}


def backend_class(kind: str) -> type[Backend]:
    """The class of a backend type. KeyError for a type that is not in `BUILTIN`."""
    module_name, _, class_name = BUILTIN[kind].partition(":")
    module = __import__(module_name, fromlist=[class_name])
    found: type[Backend] = getattr(module, class_name)
    return found
