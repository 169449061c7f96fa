"""A store in memory: what the core does with answers is tested with it, never how a real store answers."""

from __future__ import annotations

from envref.backends.answer import not_found
from envref.backends.base import Backend
from envref.secret import Secret
from envref.store_errors import BackendError


class Memory(Backend):
    """Secrets in memory: `contents` maps a store's name to full key or foreign name -> text or error, or to an error.

    `asked` is the log of all calls: the store's name and what it was asked for.
    """

    type = "memory"
    contents = None
    asked = None

    def get_many(self, addresses, deadline):
        Memory.asked.append((self.name, [str(address) for address in addresses]))
        contents = Memory.contents[self.name]
        if isinstance(contents, BackendError):
            raise contents
        found = {address: contents[str(address)] for address in addresses if str(address) in contents}
        return {address: Secret(value) if isinstance(value, str) else value for address, value in found.items()}

    def absent(self, address):
        return not_found("memory", str(address))


class Versioned(Memory):
    """The same, where every secret also has the versions that `earlier` holds: (name, version) -> text."""

    type = "versioned"
    versions = "a number"
    earlier = None

    def get_many(self, addresses, deadline):
        latest = [address for address in addresses if address.version is None]
        asked = {address: (str(address), address.version) for address in addresses if address.version is not None}
        found = {address: Secret(Versioned.earlier[key]) for address, key in asked.items() if key in Versioned.earlier}
        return {**super().get_many(latest, deadline), **found}


class Kept(Memory):
    """One that can be written to: `contents` maps a store's name to the texts that it has, by full key."""

    type = "kept"

    def set(self, address, value, deadline):
        Memory.contents[self.name][str(address)] = value.reveal()

    def delete(self, address, deadline):
        if Memory.contents[self.name].pop(str(address), None) is None:
            raise self.absent(address)

    def list(self, project, deadline):
        return [key.removeprefix(f"{project}/") for key in Memory.contents[self.name] if key.startswith(f"{project}/")]
