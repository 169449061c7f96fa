"""One service of AWS, asked by envref's own requests where it can (ADR 30), and else through the `aws` program."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from envref.backends.answer import MAYBE_A_PROXY, answered, as_secret
from envref.backends.aws.complaints import Complaints, Refusal, throttled, tries, usual_sign_in
from envref.backends.base import Package
from envref.backends.direct import COMMAND, Direct
from envref.backends.program import Installation, Program
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendError, BackendInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.backends.aws.direct.client import Client
    from envref.backends.aws.questions import Answer, Answers, Document, Outcome, Question
    from envref.backends.command import Finished
    from envref.backends.program import Complaint
    from envref.client import Agent

PACKAGES = (Package("awscli2"),)
_ENVIRONMENT = {
    "AWS_CLI_AUTO_PROMPT": "off",
    "AWS_CLI_FILE_ENCODING": "UTF-8",
    # With `cli_history` on, every value would end up in a database in the home directory.
    "AWS_CLI_HISTORY_FILE": os.devnull,
    # `aws` itself would try again where nobody answers too, for minutes: envref does it, and for throttling alone.
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_PAGER": "",
}

# After one of these, each name of a batch is asked alone: the permission for the batch alone may be missing
# (commands.md 8.5), an `aws` of 2022 doesn't know the operation, and one name's fault is not the others'.
_ASK_ALONE = (BackendDenied, BackendInvalid)


class Aws:
    """One service of AWS, spoken to through the `aws` program with one region and profile.

    `label` begins every message, `service` is the program's word for the service, `actions` are the permissions that
    its hint asks for, `complaints` are the service's own words.
    """

    def __init__(
        self,
        label: str,
        service: str,
        *,
        options: Mapping[str, str],
        actions: Sequence[str],
        complaints: Sequence[Complaint],
    ) -> None:
        self.label = label
        self._service = service
        self._options = options
        self._tries = tries()
        self._direct = Direct("aws", self._client, COMMAND if options["command"] not in ("", "aws") else "")
        self.agent: Agent | None = None  # keeps the keys of roles
        self._profile = profile = options["profile"]
        self._words = Complaints(label, service, profile, actions=actions, own=complaints)
        self._program = Program(
            label,
            options["command"] or "aws",
            Installation(("awscli",), PACKAGES, usual_sign_in(profile)),
            root=options["root"],
            unset=("AWS_OUTPUT", "AWS_PAGER"),
            throttled=throttled,
            tries=self._tries,
        )
        self._role = options["role_arn"]
        self._assumed: Mapping[str, str] = {}
        given = {"--region": options["region"], "--profile": "" if self._role else profile}
        # One word each: a value that begins with a hyphen stays a value.
        self._settings = ["--output=json", *(f"{option}={value}" for option, value in given.items() if value)]

    @property
    def way(self) -> str:
        """How it was asked, and why through the program."""
        return self._direct.way

    def run(self, arguments: Sequence[str], deadline: float, *, about: str, payload: bytes | None = None) -> Finished:
        """One call that must succeed. Raises BackendError, in words about the name `about`."""
        from envref.backends.command import AsksOnTerminal

        extra = self._environment(deadline)
        try:
            finished = self._program.run(self._whole(arguments), deadline, payload=payload, extra=extra)
        except AsksOnTerminal:
            raise self._words.second_factor() from None
        if finished.status:
            raise self.error(finished.stderr, about)
        return finished

    def document(self, finished: Finished) -> Document:
        """The JSON object that a call printed. BackendInvalid for anything else."""
        try:
            document = json.loads(finished.stdout.decode("utf-8"))
        except (ValueError, RecursionError):
            # "from None": a decoder's error carries the text, and the text a value
            raise self.unexpected() from None
        if not isinstance(document, dict):
            raise self.unexpected()
        return document

    def ask(self, questions: Iterable[Question], deadline: float) -> Answers:
        """An answer for every name of the questions: asks all at once, then the names left unanswered, and so on."""
        answers: Answers = {}
        asked = list(questions)
        while asked:
            outcomes = self._outcomes(asked, deadline)
            pairs = zip(asked, outcomes, strict=True)
            asked = [again for question, outcome in pairs for again in self._take(question, outcome, answers)]
        return answers

    def _outcomes(self, asked: Sequence[Question], deadline: float) -> list[Outcome]:
        return self._direct.ask(
            lambda client: client.ask(asked, deadline, self._tries), lambda: self._printed(asked, deadline)
        )

    def _client(self) -> Client:
        from envref.backends.aws.direct.client import Client

        return Client(self.label, self._service, os.environ, self._options, self.agent)

    def _printed(self, asked: Sequence[Question], deadline: float) -> list[Outcome]:
        calls = [self._whole(question.arguments()) for question in asked]
        return [self._read(each) for each in self._program.run_many(calls, deadline, extra=self._environment(deadline))]

    def _read(self, outcome: Finished | BackendError) -> Outcome:
        from envref.backends.command import AsksOnTerminal

        if isinstance(outcome, AsksOnTerminal):
            return self._words.second_factor()
        if isinstance(outcome, BackendError):
            return outcome
        return Refusal(outcome.stderr) if outcome.status else answered(self.document, outcome)

    def listed(self, document: Document, key: str) -> list[Document]:
        """The objects of a list that a document must have."""
        if not isinstance(document.get(key), list):
            raise self.unexpected()
        return members(document, key)

    def secret(self, value: object, revision: str = "") -> Answer:
        """The value that a document holds; for a value that is not text, BackendInvalid as an answer, not raised."""
        return answered(as_secret, self.label, value, revision) if isinstance(value, str) else self.unexpected()

    def unexpected(self) -> BackendInvalid:
        """The error for output that is not what the operation prints."""
        return BackendInvalid(
            f"{self.label}: unexpected output of aws",
            hint=f"{MAYBE_A_PROXY}; aws sts get-caller-identity shows what is added to its output",
        )

    def error(self, text: str, about: str) -> BackendError:
        """The error that the program's text on stderr stands for (commands.md 13, rows 12 and 13)."""
        return self._words.error(text, about)

    def _environment(self, deadline: float) -> Mapping[str, str]:
        """What `aws` gets beside the caller's environment; with `role_arn`, the keys of the role, asked for once."""
        if self._role and not self._assumed:
            self._assumed = self._assume(deadline)
        return {**_ENVIRONMENT, **self._assumed}

    def _assume(self, deadline: float) -> Mapping[str, str]:
        from envref.backends.aws.credentials import VARIABLES
        from envref.backends.command import AsksOnTerminal

        arguments = ["sts", "assume-role", f"--role-arn={self._role}", "--role-session-name=envref"]
        settings = [*self._settings, *([f"--profile={self._profile}"] if self._profile else [])]
        try:
            finished = self._program.run([*arguments, *settings], deadline, extra=_ENVIRONMENT)
        except AsksOnTerminal:
            raise self._words.second_factor() from None
        if finished.status:
            raise self._words.of_role(finished.stderr, self._role)
        given = self.document(finished).get("Credentials")
        if not isinstance(given, dict):
            raise self.unexpected()
        keys = [Secret(str(given.get(name, ""))) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        # The profile still gives the region; as an option, it would come before the keys (botocore's resolver).
        named = {"AWS_PROFILE": self._profile} if self._profile else {}
        return {**named, **{name: key.reveal() for name, key in zip(VARIABLES, keys, strict=True)}}

    def _whole(self, arguments: Sequence[str]) -> list[str]:
        return [self._service, *arguments, *self._settings]

    def _take(self, question: Question, outcome: Outcome, answers: Answers) -> Iterable[Question]:
        """Records the answers to a question; returns the questions to ask next."""
        try:
            answers.update(question.read(self._good(outcome, question)))
        except BackendError as error:
            if question.again is None or not isinstance(error, _ASK_ALONE):
                answers.update(dict.fromkeys(question.names, error))
        left = [name for name in question.names if name not in answers]
        return question.again(left) if left and question.again else ()

    def _good(self, outcome: Outcome, question: Question) -> Document:
        if isinstance(outcome, BackendError):
            raise outcome
        if isinstance(outcome, Refusal):
            raise self.error(outcome.text, question.names[0])
        return outcome


def chunks(names: Sequence[str], size: int) -> list[Sequence[str]]:
    """The names, at most `size` at a time."""
    return [names[start : start + size] for start in range(0, len(names), size)]


def members(document: Document, key: str) -> list[Document]:
    """The objects of a document's list; an absent list is empty."""
    listed = document.get(key)
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
