"""What a store can answer instead of a value: an error class for each outcome of commands.md 7.

Apart from `errors`, which every command loads: ten classes cost 2 % of an activation that asks no store.
"""

from __future__ import annotations

from envref.errors import EnvrefError, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.secret import Secret


class BackendError(EnvrefError):
    """What a store answered instead of a value. `outcome` is its class in commands.md 7.

    `backend` is the store's name in the config, once the message says it.
    """

    outcome = "unavailable"
    backend = ""

    def signed(self, name: str) -> BackendError:
        """The error with the backend's name at its end, unless its message says it already."""
        if self.backend:
            return self
        signed = type(self)(self.message + signature(name), run=self.run, hint=self.hint)
        signed.advice, signed.backend = self.advice, name
        return signed


def signature(backend: str) -> str:
    """The end of a message whose beginning does not name its backend."""
    return f' (backend "{backend}")'


class BackendDenied(BackendError):
    """No permission, or bad credentials."""

    outcome = "denied"


class BackendLocked(BackendError):
    """The store is locked, or nobody is signed in."""

    outcome = "locked"


class BackendUnavailable(BackendError):
    """The store can't be reached: no program, no bus, no network, or an answer that envref does not know."""

    outcome = "unavailable"


class BackendTimeout(BackendError):
    """The store gave no answer within its time limit. `is_asked` is False if the limit had passed before."""

    outcome = "timeout"
    is_asked = True


class BackendInvalid(BackendError):
    """The answer or the request breaks the rules: not UTF-8, NUL, bad JSON, no such field."""

    outcome = "invalid"


class HoldsBytes(BackendInvalid):
    """The secret is bytes. `encoded`, their base64, is for a reference with `?encoding=base64`; others fail."""

    encoded: Secret

    @classmethod
    def about(cls, label: str, name: str, encoded: Secret) -> HoldsBytes:
        """The error about the secret of that name."""
        error = cls(f'"{printable(name)}" holds bytes, not text', subject=label, hint="add ?encoding=base64")
        error.encoded = encoded
        return error


class FieldNotFound(BackendError):
    """The secret is there, and has no such field. The search goes on as for an absent secret, and nothing offers to set
    it: that would overwrite the rest of it.
    """

    outcome = "not_found"


class SecretNotFound(BackendError):
    """The store answered, and has no such key. Only this lets a search go on to the next store.

    `note` is the sentence without the key, for a list of stores that all lack the same key.
    """

    outcome = "not_found"
    note = ""
