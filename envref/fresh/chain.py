"""RevisionChain: the project's stores in their order and behind the gate, asked for revisions and for no value."""

from __future__ import annotations

from envref.resolve.chain import VariableChain
from envref.resolve.store import Store
from envref.secret import Unread
from envref.store_errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envref.backends.base import Backend
    from envref.refs.address import Address
    from envref.refs.outcome import Answer


class RevisionStore(Store):
    """A store that is asked for revisions. What a reference pins to a version is not asked for: it stays what it is."""

    __slots__ = ()

    def _question(self, backend: Backend, addresses: Sequence[Address], until: float) -> Mapping[Address, Answer]:
        latest = [address for address in addresses if address.version is None]
        told = backend.revisions(latest, until) if latest else {}
        pinned: dict[Address, Answer] = {address: Unread("") for address in addresses if address.version is not None}
        answers: dict[Address, Answer] = {
            address: each if isinstance(each, BackendError) else Unread(each) for address, each in told.items()
        }
        return {**pinned, **answers}


class RevisionChain(VariableChain):
    """The search for a secret is that of its value: the same places, in the same order."""

    __slots__ = ()

    kind = RevisionStore
