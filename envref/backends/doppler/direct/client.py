"""Configs of Doppler, each downloaded over envref's own connection, several at once."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from envref.backends.answer import no_answer
from envref.backends.doppler.complaints import LABEL, DopplerRefusal, throttled
from envref.backends.doppler.direct.settings import settings
from envref.backends.http.connection import Answer, Connection, Unusual
from envref.backends.http.pool import connections_to, judged
from envref.backends.http.query import encoded_query
from envref.backends.throttling import patiently

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envref.backends.doppler.complaints import Downloaded
    from envref.store_errors import BackendError

    Source = tuple[str, str]  # a project and a config

_DOWNLOAD = "/v3/configs/config/secrets/download"
_AT_ONCE = 4
_GOOD = range(200, 300)
_MESSAGES = "messages"
_UNREACHED = "dial tcp"  # how Go begins when it can't connect


class DopplerClient:
    """The service as the settings in force have it."""

    def __init__(self, environment: Mapping[str, str], directory: str) -> None:
        """The directory is the project's. Raises Unusual where `doppler` has to be asked."""
        self._access = settings(environment, directory)
        self._connections = connections_to(self._access.server)

    def downloads(self, sources: Sequence[Source], deadline: float) -> Sequence[Downloaded]:
        """What each config holds, as JSON; one that is throttled is asked again. Raises Unusual."""
        started = time.monotonic()

        def late() -> BackendError:
            return no_answer(LABEL, started, deadline)

        def ask(some: Sequence[Source]) -> list[Downloaded]:
            outcomes = self._connections.side_by_side(self._download, some, _AT_ONCE, deadline)
            return [judged(outcome, late, _unreached) for outcome in outcomes]

        return patiently(ask, sources, deadline, _pause)

    def close(self) -> None:
        self._connections.close()

    def _download(self, connection: Connection, source: Source) -> Downloaded:
        project, config = source
        asked = {
            "project": project or self._access.project,
            "config": config or self._access.config,
            "format": "json",
            "include_dynamic_secrets": "true",
        }
        headers = {
            "Authorization": f"Bearer {self._access.token.reveal()}",
            "Accept": "application/json",
            "User-Agent": "envref",
        }
        answer = connection.ask("GET", f"{_DOWNLOAD}?{encoded_query(asked.items())}", headers)
        return answer.body if answer.status in _GOOD else _refusal(answer)


def _refusal(answer: Answer) -> DopplerRefusal:
    """The service's words as `doppler` puts them (its http.go: performRequest)."""
    said = f"Request failed with HTTP {answer.status}"
    if answer.headers.get("content-type", "").startswith("application/json"):
        said = _messages(answer.body)
    after = answer.pause() or 0.0
    return DopplerRefusal(said, after if throttled(said) is not None else None)


def _messages(body: bytes) -> str:
    """Raises Unusual for another document, which Go has words of its own for."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise Unusual("an answer that is not JSON") from None
    if told is None:
        return ""
    # Go takes a member's name in any case.
    if not isinstance(told, dict) or any(name.lower() == _MESSAGES != name for name in told):
        raise Unusual("an answer that is not the service's")
    messages = told.get(_MESSAGES) or []
    if not isinstance(messages, list) or not all(isinstance(each, str) for each in messages):
        raise Unusual("an answer that is not the service's")
    return "\n".join(messages)


def _unreached(failed: OSError) -> Downloaded:
    if isinstance(failed, ConnectionResetError | BrokenPipeError):
        raise Unusual("a connection that ended")
    return DopplerRefusal(_UNREACHED, None)


def _pause(outcome: Downloaded) -> float | None:
    return outcome.pause if isinstance(outcome, DopplerRefusal) else None
