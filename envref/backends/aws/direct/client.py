"""Questions to one service of AWS over envref's own connections, several at once."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from envref.backends.answer import no_answer
from envref.backends.aws.complaints import Refusal, of_operation
from envref.backends.aws.direct.keys import keys
from envref.backends.aws.direct.purse import Purse
from envref.backends.aws.direct.settings import settings
from envref.backends.aws.direct.signature import Credentials, Unsigned, signed
from envref.backends.http.connection import Answer, Connection, Unusual
from envref.backends.http.pool import connections_to, judged
from envref.backends.throttling import patiently
from envref.store_errors import BackendTimeout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envref.backends.aws.questions import Document, Outcome, Question
    from envref.client import Agent

# By the program's word for a service: its name in settings, and what its operations' names begin with.
_SERVICES = {"ssm": ("SSM", "AmazonSSM"), "secretsmanager": ("SECRETS_MANAGER", "secretsmanager")}
_AT_ONCE = 8  # a round trip is mostly waiting; AWS allows 40 a second and more
_GOOD = 200


class Client:
    """A service as the settings in force have it, and the keys for it."""

    def __init__(
        self,
        label: str,
        service: str,
        environment: Mapping[str, str],
        options: Mapping[str, str],
        agent: Agent | None = None,
    ) -> None:
        """The options are a backend's region, profile and role_arn. Raises Unusual where `aws` has to be asked."""
        self._label = label
        self._service = service
        name, self._target = _SERVICES[service]
        self._settings = settings(environment, region=options["region"], profile=options["profile"])
        self._server, self._url = self._settings.server(name, self._settings.region)
        self._connections = connections_to(self._server)
        self._role = options["role_arn"]
        self._keys: Credentials | None = None
        self._purse = Purse(agent)

    def ask(self, questions: Sequence[Question], deadline: float, tries: int) -> list[Outcome]:
        """An outcome for each question; one that is throttled is asked again. Raises Unusual."""
        outcomes = self._asked(questions, deadline, tries)
        if self._purse.has_given and any(map(_is_about_keys, outcomes)):
            self._purse.empty()
            self._keys = None
            return self._asked(questions, deadline, tries)
        return outcomes

    def _asked(self, questions: Sequence[Question], deadline: float, tries: int) -> list[Outcome]:
        started = time.monotonic()
        if self._keys is None:
            self._keys = keys(self._settings, deadline, self._role, self._purse)

        def ask(some: Sequence[Question]) -> list[Outcome]:
            outcomes = self._connections.side_by_side(self._document, some, _AT_ONCE, deadline)
            return [self._outcome(outcome, started, deadline) for outcome in outcomes]

        return patiently(ask, questions, deadline, _pause, tries=tries)

    def close(self) -> None:
        self._connections.close()

    def _document(self, connection: Connection, question: Question) -> Document | Refusal:
        """What an operation answers, all of its pages, or as many as the question wants."""
        asked: dict[str, object] = dict(question.parameters)
        whole: dict[str, object] = {}
        while True:
            answer = self._answer(connection, question.operation, asked)
            page = _object(answer)
            if answer.status != _GOOD:
                return _refusal(answer, page, question.operation)
            items = _joined(whole, page)
            asked["NextToken"] = whole["NextToken"] = page.get("NextToken")
            if not page.get("NextToken") or (question.most and items >= question.most):
                return whole

    def _answer(self, connection: Connection, operation: str, asked: Mapping[str, object]) -> Answer:
        body = json.dumps(asked).encode()
        headers = {
            "Host": self._server.authority,
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{self._target}.{operation}",
        }
        given = signed(Unsigned("POST", "/", (), headers, body), self._known, self._settings.region, self._service)
        # Not signed: a proxy on the way may write another one.
        return connection.ask("POST", "/", {**given, "User-Agent": "envref"}, body)

    @property
    def _known(self) -> Credentials:
        if self._keys is None:
            raise Unusual("no credentials")
        return self._keys

    def _outcome(self, outcome: Document | Refusal | Exception, started: float, deadline: float) -> Outcome:
        """Raises Unusual for what only `aws` can judge."""
        return judged(
            outcome,
            lambda: no_answer(self._label, started, deadline),
            lambda failed: Refusal(_unreached(failed, self._url)),
        )


def _is_about_keys(outcome: Outcome) -> bool:
    return isinstance(outcome, Refusal) and outcome.is_about_keys


def _pause(outcome: Outcome) -> float | None:
    return outcome.pause() if isinstance(outcome, Refusal) else None


def _object(answer: Answer) -> dict[str, object]:
    """The answer's JSON. Of another text botocore makes a message, which no good answer is."""
    try:
        document = json.loads(answer.body) if answer.body else {}
    except (ValueError, RecursionError):
        document = {"message": answer.body.decode("utf-8", "replace")}
        if answer.status == _GOOD:
            raise Unusual("an answer that is not JSON") from None
    if not isinstance(document, dict):
        raise Unusual("an answer that is no object")
    return document


def _joined(whole: dict[str, object], page: Mapping[str, object]) -> int:
    """Adds a page's lists to those of the pages before; the length of the longest."""
    longest = 0
    for name, value in page.items():
        before = whole.get(name)
        joined = whole[name] = [*before, *value] if isinstance(before, list) and isinstance(value, list) else value
        longest = max(longest, len(joined) if isinstance(joined, list) else 0)
    return longest


def _refusal(answer: Answer, page: Mapping[str, object], operation: str) -> Refusal:
    """The service's code and words, found as botocore finds them (parsers.BaseJSONParser)."""
    is_page = answer.body.lstrip().startswith(b"<html>") or not answer.body.strip()
    if is_page and answer.status >= 500:
        from http import HTTPStatus

        named = {each.value: each.phrase for each in HTTPStatus}
        return Refusal(of_operation(str(answer.status), operation, named.get(answer.status, "")))
    code = str(page.get("__type", answer.status)).partition(":")[0].rpartition("#")[2]
    query = answer.headers.get("x-amzn-query-error", "").partition(";")
    said = page.get("message", page.get("Message", ""))
    return Refusal(of_operation(query[0] if query[1] else code, operation, str(said)))


def _unreached(failed: OSError, url: str) -> str:
    """What `aws` says of a connection that failed (botocore.exceptions)."""
    if isinstance(failed, BackendTimeout | TimeoutError):
        return f'Connect timeout on endpoint URL: "{url}"'
    if isinstance(failed, ConnectionResetError | BrokenPipeError):
        return f'Connection was closed before we received a valid response from endpoint URL: "{url}".'
    return f'Could not connect to the endpoint URL: "{url}"'
