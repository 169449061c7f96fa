"""Names of Doppler's: where a secret of an address is kept, and which key a name stands for.

A name is upper case, digits and underscores, so several keys share one name. A listed name does not show which key was
meant: keys are listed in lower case, or as this run spelt them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from envref.backends.doppler.complaints import LABEL
from envref.errors import printable
from envref.refs.address import HISTORY
from envref.store_errors import BackendInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envref.refs.address import Address

_KEY = re.compile(r"[A-Za-z0-9_/.-]+")
_UNDERSCORED = str.maketrans("/.-", "___")
_BETWEEN = "__"  # a profile and its key, where one config holds all profiles
_PAST = re.compile(r"(.+)___HISTORY_([1-9][0-9]*)")  # KEY.__history.N, as a name


class DopplerName(NamedTuple):
    """A secret as Doppler names it. An empty project or config means the one that the program is set up for."""

    project: str
    config: str
    name: str

    @property
    def source(self) -> tuple[str, str]:
        """What is downloaded for it."""
        return self.project, self.config


class DopplerNames:
    """The names of one backend, whose options name a project and a config, or leave them empty."""

    def __init__(self, project: str, config: str) -> None:
        self._project = project
        self._config = config
        self._spellings: dict[DopplerName, str] = {}

    def place(self, address: Address) -> DopplerName | None:
        """Where the secret is kept; None for a key that can't be written as a Doppler name."""
        if address.foreign is not None:
            return self._foreign(address.foreign)
        place = self._named(address)
        if not _KEY.fullmatch(address.scoped_key) or place.name[0].isdigit():
            return None
        self._spellings[place] = address.scoped_key
        return place

    def _foreign(self, written: str) -> DopplerName | None:
        """`NAME`, `CONFIG/NAME` or `PROJECT/CONFIG/NAME`; no part of them holds a slash itself."""
        *places, name = written.split("/")
        if len(places) > 2 or not all((*places, name)):
            return None
        *project, config = places or [self._config]
        return DopplerName(project[0] if project else self._project, config, name)

    def _named(self, address: Address) -> DopplerName:
        config, name = self._config, _name(address.key)
        if address.profile is not None and config:
            name = f"{_name(address.profile)}{_BETWEEN}{name}"
        return DopplerName(self._project, config or address.profile or "", name)

    def own_place(self, address: Address) -> DopplerName | None:
        if address.foreign is not None:
            raise BackendInvalid(
                f'{LABEL}: "{printable(address.foreign)}" is a foreign name, which is only read',
                hint="change it in Doppler",
            )
        return self.place(address)

    def key_of(self, place: DopplerName) -> str:
        """`KEY` or `PROFILE/KEY` of a name: as this run spelt it, else in lower case, as most keys are."""
        if place in self._spellings:
            return self._spellings[place]
        past = _PAST.fullmatch(place.name)
        if past:
            return f"{self.key_of(place._replace(name=past[1]))}{HISTORY}{past[2]}"
        name = place.name.lower()
        if place.config != self._config:
            return f"{place.config}/{name}"
        profile, _, key = name.partition(_BETWEEN)
        return f"{profile}/{key}" if self._config and profile and key else name


def no_name(address: Address) -> BackendInvalid:
    return BackendInvalid(
        f'{LABEL}: key "{printable(address.scoped_key)}" can have no name there: '
        'only letters, digits, "_", "/", "." and "-", and no digit first'
    )


def _name(key: str) -> str:
    return key.upper().translate(_UNDERSCORED)


def shared(places: Mapping[Address, DopplerName]) -> dict[Address, BackendInvalid]:
    """An error for each of several keys that are one secret: a value written to one would be read as the other's."""
    keys: dict[DopplerName, list[Address]] = {}
    for address, place in places.items():
        if address.foreign is None:
            keys.setdefault(place, []).append(address)
    return {
        address: BackendInvalid(f"{LABEL}: {_spelt(sharing)} are one secret there, {place.name}; use one of them")
        for place, sharing in keys.items()
        for address in sharing
        if len(sharing) > 1
    }


def _spelt(addresses: Iterable[Address]) -> str:
    return " and ".join(f'"{address.scoped_key}"' for address in addresses)
