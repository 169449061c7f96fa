"""The items that a foreign name may mean: `SERVICE`, `SERVICE/ACCOUNT`, or `ATTRIBUTE=VALUE,ATTRIBUTE=VALUE`.

A service may hold slashes, as the address of a registry does, and an account may be empty. So every slash may be the
one before the account; the keychain knows which of these items there is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from envref.backends.keychain.entry import LABEL, Attributes, KeychainEntry
from envref.errors import printable
from envref.store_errors import BackendInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envref.backends.keychain.entry import Sought

_ATTRIBUTES = re.compile(r"[A-Za-z_][\w:.-]*=")
_NEXT = re.compile(rf",(?={_ATTRIBUTES.pattern})")
_ACCOUNT = ("account", "username")  # secret-tool's users write the one, python keyring the other


def meant(name: str) -> Sequence[Sought]:
    """What a foreign name may mean."""
    return _attributes(name) if _ATTRIBUTES.match(name) else _pairs(name)


def likeliest(name: str) -> tuple[str, str]:
    """Service and account, for a program that can't look which one there is. An account of "" is the login name."""
    if _ATTRIBUTES.match(name):
        (wanted,) = _attributes(name)
        if isinstance(wanted, Attributes):
            raise BackendInvalid(
                f'{LABEL}: "{printable(name)}" does not name a service and an account',
                hint="name both: SERVICE/ACCOUNT",
            )
        return wanted
    service, _, account = name.rpartition("/") if "://" in name else name.partition("/")
    return (service or account, account if service else "")


def _attributes(name: str) -> Sequence[Sought]:
    pairs = dict(pair.split("=", 1) for pair in _NEXT.split(name))
    account = next((pairs[each] for each in _ACCOUNT if each in pairs), None)
    if "service" in pairs and account is not None and len(pairs) == 2:
        return [KeychainEntry(pairs["service"], account)]
    return [Attributes(tuple(pairs.items()))]


def _pairs(name: str) -> Sequence[Sought]:
    """A name in `names:` may have its slashes escaped, as in a reference."""
    parts = name.split("/")
    pairs = [("/".join(parts[:end]), "/".join(parts[end:])) for end in range(1, len(parts))]
    entries = [KeychainEntry(*pair) for pair in pairs if pair[0]] + [KeychainEntry(name, _login_name())]
    unescaped = [KeychainEntry(unquote(entry.service), unquote(entry.account)) for entry in entries]
    return list(dict.fromkeys([*entries, *unescaped]))


def _login_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""
