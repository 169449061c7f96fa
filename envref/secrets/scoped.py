"""ScopedStore: one store at one scope of a project, for the commands that write secrets (commands.md 2.7).

Its errors carry the backend's name. Reading for people goes through `resolve`, which knows the whole chain.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from envref import streams
from envref.agent.tell import UNTOLD, Writing
from envref.backends.base import Backend
from envref.errors import EnvrefError
from envref.fresh import stamp
from envref.refs.address import Address
from envref.resolve.progress import Progress
from envref.resolve.resolve import Scope
from envref.resolve.store import Store
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendError


class ScopedStore:
    """The secrets of exactly one scope: the profile's where there is one, else the project's."""

    def __init__(self, store: Store, scope: Scope) -> None:
        self.name = store.name
        self.scope = scope
        self._store = store

    def address(self, key: str) -> Address:
        """Where the store keeps `key`."""
        return Address(self.scope.project, key, profile=self.scope.profile)

    def at(self, scope: Scope) -> ScopedStore:
        """The same store at another scope."""
        return ScopedStore(self._store, scope)

    def check_own(self, key: str) -> None:
        """Raises EnvrefError for a key that means a secret which envref did not make (commands.md 6.5)."""
        if self._store.mapped(key, self.scope.profile) is not None:
            raise EnvrefError(f'key "{key}" is mapped to an existing secret in backend "{self.name}"; change it there')

    def check_usable(self) -> None:
        """Raises BackendError if the store can't be used now: not reached, locked, set up wrongly, or too slow.

        A credential that may not read may still write.
        """
        with contextlib.suppress(BackendDenied), self._signed():
            complaint = self._opened.probe(self._store.deadline)
            if complaint:
                raise complaint

    def get(self, key: str) -> Secret | None:
        """The value, or None where there is none. Raises BackendError."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Sequence[str]) -> dict[str, Secret]:
        """The values of the keys that exist, asked for at once. Raises BackendError for the first that fails."""
        if not keys:
            return {}
        addresses = [self.address(key) for key in keys]
        with self._signed():
            answers = self._opened.get_many(addresses, self._store.deadline)
            if self._store.reads:
                self._store.reads.note(self.name, answers)
            return {address.key: _value(answers[address]) for address in addresses if address in answers}

    def revisions(self, keys: Sequence[str]) -> dict[str, str]:
        """Which writing of each key the store has, without values. Raises BackendError for the first that fails."""
        if not keys:
            return {}
        addresses = {key: self.address(key) for key in keys}
        with self._signed():
            told = self._opened.revisions(list(addresses.values()), self._store.deadline)
            return {key: _text(told[each]) for key, each in addresses.items() if each in told}

    def change(self, changes: Mapping[str, Secret | None]) -> None:
        """Writes the values and deletes the keys that have None: at once if the store can, else one by one in order.

        Raises BackendError; SecretNotFound only if the single change deletes an absent key.
        """
        try:
            with self._signed(), Writing(self._store.type) as writing:
                self._change(changes)
        finally:  # a store that fails may have written, or some of several
            stamp.tell()
        if not writing.is_safe:
            streams.warn(UNTOLD)

    def change_and_verify(self, values: Mapping[str, Secret]) -> None:
        """Writes the values, then reads them back. BackendError; EnvrefError for a value that came back changed."""
        self.change(values)
        back = self.get_many(list(values))
        wrong = [key for key, value in values.items() if back.get(key) != value]
        if wrong:
            raise EnvrefError(
                f'{", ".join(wrong)}: not read back as stored in backend "{self.name}"',
                hint="look at it with the store's own program",
            )

    @property
    def transactional(self) -> bool:
        """Whether the store makes all of several changes, or none."""
        return self._store.backend.transactional

    def not_found(self, key: str) -> BackendError:
        """The error that says that the store has no such key."""
        return self._store.signed(self._store.backend.absent(self.address(key)))

    def names(self) -> list[str]:
        """Every name of the project, sorted, whatever its scope: `KEY` and `PROFILE/KEY`. Raises BackendError."""
        with self._signed():
            return sorted(self._opened.list(self.scope.project, self._store.deadline))

    def listed(self) -> list[str]:
        """The keys at this scope, sorted; at project scope those of profiles are among them, as PROFILE/KEY.

        A name alone does not show whether it begins with a profile or a key's segment: callers filter known profiles.
        """
        profile = self.scope.profile
        if profile is None:
            return self.names()
        prefix = f"{profile}/"
        return [name.removeprefix(prefix) for name in self.names() if name.startswith(prefix)]

    @property
    def _opened(self) -> Backend:
        return self._store.opened(self._store.deadline)

    def _change(self, changes: Mapping[str, Secret | None]) -> None:
        if len(changes) > 1:
            wanted = {self.address(key): value for key, value in changes.items()}
            self._opened.change(wanted, self._store.deadline)
            return
        for key, value in changes.items():
            self._change_one(key, value)

    def _change_one(self, key: str, value: Secret | None) -> None:
        backend = self._opened
        if value is None:
            backend.delete(self.address(key), self._store.deadline)
        else:
            backend.set(self.address(key), value, self._store.deadline)

    @contextlib.contextmanager
    def _signed(self) -> Iterator[None]:
        """Says what is waited for, adds the backend's name to its errors, and prints its warnings, each once."""
        self._store.busy = True
        try:
            with Progress([self._store, *self._store.lenders]):
                yield
        except BackendError as error:
            raise self._store.signed(self._store.timely(error)) from None
        finally:
            self._store.busy = False
        for warning in self._store.backend.warnings:
            if warning not in self._store.warnings:
                self._store.warnings.append(warning)
                streams.warn(warning)


def _text(told: str | BackendError) -> str:
    if isinstance(told, BackendError):
        raise told
    return told


def _value(answer: Secret | BackendError) -> Secret:
    if isinstance(answer, BackendError):
        raise answer
    return answer


@contextlib.contextmanager
def doing(what: str) -> Iterator[None]:
    """Puts what was being done in front of a store's error: `storing secret: …` (commands.md 13, row 35)."""
    try:
        yield
    except BackendError as error:
        raise EnvrefError(f"{what}: {error.message}", run=error.run, hint=error.hint) from None
