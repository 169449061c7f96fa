"""Many entries over one connection to the server: two hundred times as fast as the program (stores.md 6)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Generic, TypeVar

from envref.backends.answer import answered
from envref.backends.hashicorp_vault.complaints import NOT_FOUND, OK, Login, refusal, unreachable
from envref.backends.hashicorp_vault.entry import KvEntry, KvPlace, latest_revision, parsed, unversioned
from envref.backends.http.connection import Answer, NotHttp, Unusual, is_late
from envref.backends.http.query import encoded
from envref.backends.throttling import patiently
from envref.store_errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envref.backends.hashicorp_vault.endpoint import Endpoint

    Reply = KvEntry | BackendError

_Told = TypeVar("_Told")


def read_many(
    server: Endpoint, mount: str, places: Sequence[KvPlace], deadline: float, login: Login
) -> dict[KvPlace, Reply]:
    """What the server says of each place: the entry, or why there is none. A place is left out when time was up.

    Raises Unusual, and BackendError where the mount can't be read.
    """
    return _replies(server, mount, places, deadline, login, _Reader.entry)


def revisions(
    server: Endpoint, mount: str, places: Sequence[KvPlace], deadline: float, login: Login
) -> dict[KvPlace, str | BackendError]:
    """The revision of the latest version at each place, from the metadata; empty where that is deleted."""
    return _replies(server, mount, places, deadline, login, _Reader.revision)


def _replies(
    server: Endpoint,
    mount: str,
    places: Sequence[KvPlace],
    deadline: float,
    login: Login,
    question: Callable[[_Reader[_Told], KvPlace, int], _Told],
) -> dict[KvPlace, _Told | BackendError]:
    reader: _Reader[_Told] = _Reader(server, mount, deadline, login)
    replies: dict[KvPlace, _Told | BackendError] = {}
    try:
        engine = reader.engine()
        for place in places:
            replies[place] = answered(question, reader, place, engine)
    except Unusual:
        server.connections.close()  # before the program is started: the server may serve one of us at a time
        raise
    except (OSError, NotHttp) as failed:
        if not is_late(failed):
            return {**dict.fromkeys(places, unreachable(server.url, failed)), **replies}
        return dict(replies)
    else:
        return dict(replies)
    finally:  # an error knows where it was raised, and so what has a name here
        replies.clear()


class _Reader(Generic[_Told]):
    """One backend's requests to its mount."""

    def __init__(self, server: Endpoint, mount: str, deadline: float, login: Login) -> None:
        self._server = server
        self._mount = mount
        self._deadline = deadline
        self._login = login

    def engine(self) -> int:
        """The version of the mount's KV engine. Looked up first, as the program does: else every path would look
        absent.
        """
        target = _target(f"sys/internal/ui/mounts/{self._mount}")
        answer = self._read(target)
        if answer.status != OK:
            raise self._refusal(target, answer)
        mount = _members(_members(answer.body).get("data"))
        version = _members(mount.get("options")).get("version")
        if version not in ("1", "2") or mount.get("path") != f"{self._mount}/":
            raise Unusual
        return int(str(version))

    def revision(self, place: KvPlace, engine: int) -> str:
        """The revision of the latest version. Raises BackendError where there is none."""
        if engine == 1:
            raise unversioned(place.path)
        target = _target(f"{self._mount}/metadata/{place.path}")
        answer = self._read(target)
        if answer.status != OK:
            raise self._refusal(target, answer, place.path)
        return latest_revision(place.path, answer.body)

    def entry(self, place: KvPlace, engine: int) -> KvEntry:
        """Raises BackendError where there is none."""
        inner = f"data/{place.path}" if engine == 2 else place.path
        target = _target(f"{self._mount}/{inner}")
        answer = self._read(target if place.version is None else f"{target}?version={place.version}")
        # 404 with data means a deleted version that can be undeleted.
        is_deleted = answer.status == NOT_FOUND and bool(_members(answer.body).get("data"))
        if answer.status != OK and not is_deleted:
            raise self._refusal(target, answer, place.path)
        return parsed(place.path, answer.body, engine)

    def _read(self, target: str) -> Answer:
        (answer,) = patiently(
            lambda targets: [self._asked(each) for each in targets], [target], self._deadline, Answer.pause
        )
        return answer

    def _asked(self, target: str) -> Answer:
        return self._server.connections.ask("GET", target, self._server.headers(), self._deadline)

    def _refusal(self, target: str, answer: Answer, path: str = "") -> BackendError:
        errors = _members(answer.body).get("errors")
        listed = [str(error) for error in errors] if isinstance(errors, list) else None
        url, named = self._server.url, {"mount": self._mount, "path": path}
        return refusal(url, target, answer.status, listed, **named, login=self._login)


def _target(path: str) -> str:
    return f"/v1/{encoded(path, also='/')}"


def _members(value: object) -> dict[str, object]:
    """The members of a JSON object, or of its text; none for anything else."""
    if isinstance(value, bytes):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
