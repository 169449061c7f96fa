"""Questions to OCI's services of secrets over envref's own connections, several at once."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from envref.backends.answer import no_answer
from envref.backends.http.connection import LARGEST_BODY, TOO_MANY_REQUESTS, Unusual
from envref.backends.http.pool import connections_to, judged
from envref.backends.http.query import encoded_query
from envref.backends.oci.complaints import LABEL, UNREACHED
from envref.backends.oci.direct.settings import settings
from envref.backends.oci.questions import Misunderstood, OciRefusal, hyphenated
from envref.backends.throttling import patiently

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envref.backends.http.connection import Answer, Connection
    from envref.backends.oci.questions import OciQuestion
    from envref.store_errors import BackendError

_Told = TypeVar("_Told")

_AT_ONCE = 8  # a round trip is mostly waiting
_GOOD = range(200, 300)
_TRANSIENT = (500, 502, 503, 504)  # oci.circuit_breaker's, for which the SDK has an exception of its own
_IN_A_PATH = re.compile(r"\{(\w+)\}")
_PLAIN = re.compile(r"[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*")  # means itself in a path, whoever normalizes it


class OciClient:
    """The services as the settings in force have them."""

    def __init__(self, environment: Mapping[str, str], *, profile: str, auth: str) -> None:
        """Raises Unusual where `oci` has to be asked."""
        access = settings(environment, profile=profile, auth=auth)
        self._signer = access.signer
        self._reading, self._listing = connections_to(access.reading), connections_to(access.listing)

    def ask(self, questions: Sequence[OciQuestion[_Told]], deadline: float) -> list[_Told | OciRefusal | BackendError]:
        """An answer for each question, at least one and all of one service; one that is throttled is asked again.

        Raises Unusual.
        """
        started = time.monotonic()
        connections = self._listing if questions[0].operation.is_listing else self._reading

        def late() -> BackendError:
            return no_answer(LABEL, started, deadline)

        def ask(some: Sequence[OciQuestion[_Told]]) -> list[_Told | OciRefusal | BackendError]:
            outcomes = connections.side_by_side(self._answer, some, _AT_ONCE, deadline)
            return [judged(outcome, late, lambda _: OciRefusal(UNREACHED, None)) for outcome in outcomes]

        return patiently(ask, questions, deadline, _pause)

    def close(self) -> None:
        self._reading.close()
        self._listing.close()

    def _answer(self, connection: Connection, question: OciQuestion[_Told]) -> _Told | OciRefusal:
        """What the service says, all of its pages."""
        operation, parameters = question.operation, dict(question.parameters)
        listed: list[object] = []
        size = 0
        while True:
            answer = self._asked(connection, operation.method, operation.path, parameters)
            if answer.status not in _GOOD:
                return _refusal(answer)
            document = _document(answer.body.decode())
            if not operation.is_listing:
                return question.read(_as_printed(document))
            listed += _page(document)
            size += len(answer.body)
            parameters["page"] = answer.headers.get("opc-next-page", "")
            if not parameters["page"]:
                return question.read(listed)
            if size > LARGEST_BODY:
                raise Unusual("a long listing")

    def _asked(self, connection: Connection, method: str, path: str, parameters: Mapping[str, str]) -> Answer:
        query = encoded_query((name, value) for name, value in parameters.items() if f"{{{name}}}" not in path)
        target = _IN_A_PATH.sub(lambda name: _plain(parameters[name[1]]), path) + (f"?{query}" if query else "")
        headers = self._signer.signed(method, target, connection.server.authority)
        return connection.ask(method, target, {**headers, "Accept": "application/json", "User-Agent": "envref"})


def _plain(text: str) -> str:
    """A part of a path. Unusual for one that not everybody would read alike."""
    if not _PLAIN.fullmatch(text):
        raise Unusual("an OCID with other characters than OCIDs have")
    return text


def _document(text: str) -> object:
    """The JSON in a text. ValueError for another text."""
    try:
        return json.loads(text)
    except RecursionError:
        raise Misunderstood from None


def _page(document: object) -> list[object]:
    if not isinstance(document, list):
        raise Misunderstood
    return [_as_printed(each) for each in document]


def _as_printed(document: object) -> object:
    """An object with the names of members that `oci` prints."""
    if not isinstance(document, dict):
        return document
    return {hyphenated(name): value for name, value in document.items()}


def _refusal(answer: Answer) -> OciRefusal:
    """The service's code and words as `oci` puts them (oci.base_client, oci.exceptions.ServiceError)."""
    told: object = answer.body.decode()
    with suppress(ValueError):
        told = _document(str(told))
    code, said = (told.get("code"), told.get("message")) if isinstance(told, dict) else (None, told)
    if answer.status == TOO_MANY_REQUESTS:
        code = "TooManyRequests"
    without_code = "TransientServiceError" if answer.status in _TRANSIENT else "ServiceError"
    said = said or f"The service returned error code {answer.status}"
    return OciRefusal(f"{code or without_code}: {said}", answer.pause())


def _pause(outcome: object) -> float | None:
    return outcome.pause if isinstance(outcome, OciRefusal) else None
