"""Finding a secret for a command that reads it: in one backend or in the whole chain (commands.md 2.7, 7)."""

from __future__ import annotations

from envref import streams
from envref.errors import EnvrefError, UsageError
from envref.project.project import words_of
from envref.refs.address import Address, check_key
from envref.refs.outcome import Failed, Found, Missing
from envref.refs.reference import SCHEME, Reference, uri_of
from envref.resolve.resolution import answers
from envref.store_errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.resolve.chain import Chain
    from envref.secrets.read_target import ReadTarget


def look_up(key: str, source: ReadTarget) -> Found:
    """The secret from the backend of `-b`, else from the first in the chain that has it; prints the warnings.

    `key` may be a whole reference.

    Raises EnvrefError, `retrieving secret: …`, if it is absent or can't be read.
    """
    reference = _reference(key, source.given_backend)
    chain = source.chain()
    outcome = answers([reference], chain, source.scope)[reference]
    streams.warn_each(chain.warnings())
    if isinstance(outcome, Found):
        return outcome
    if isinstance(outcome, Failed):
        cause = _failure(outcome, chain)
    elif outcome.is_there or reference.uri == key:
        cause = EnvrefError(outcome.reason, run=outcome.run)
    else:
        cause = _absence(key, source, chain, outcome)
    raise EnvrefError(f"retrieving secret: {cause.message}", run=cause.run, hint=cause.hint)


def _reference(key: str, backend: str | None) -> Reference:
    """The reference itself, or that to a key. Raises UsageError, InvalidReference."""
    if not key.startswith(SCHEME):
        return Reference(backend, check_key(key), uri=uri_of(key, backend))
    if backend is not None:
        raise UsageError("a reference names its backend", hint="leave --backend out")
    return Reference.parse(key)


def _failure(outcome: Failed, chain: Chain) -> EnvrefError:
    error, store = outcome.error, chain.get(outcome.backend or "")
    return store.signed(error) if store and isinstance(error, BackendError) else error


def _absence(key: str, source: ReadTarget, chain: Chain, missing: Missing) -> EnvrefError:
    """The error for an absent secret: the store's own if only one was asked, else the chain's."""
    backend = ("--backend", source.given_backend) if source.given_backend else ()
    run = ("envref", "secret", "set", key, *words_of(source.scope.profile), *backend)
    if source.given_backend is None and len(chain) > 1:
        return EnvrefError(missing.reason, run=run)
    store = chain.store(source.given_backend)
    address = Address(source.scope.project, key, profile=source.scope.profile)
    return EnvrefError(store.signed(store.backend.absent(address)).message, run=run)
