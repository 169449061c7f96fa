"""What both AWS stores share: the `aws` program, the meaning of its error messages, and how a batch is asked.

Each store's file says which operation answers which question; this file turns AWS's sentences into error classes.
"""

from __future__ import annotations

import json
import os
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from envref.backends.answer import answered, as_bytes, as_secret, not_found
from envref.backends.aws_complaints import Complaints, throttled, tries, usual_sign_in
from envref.backends.aws_credentials import VARIABLES
from envref.backends.base import Backend, Package
from envref.backends.command import AsksOnTerminal, Finished
from envref.backends.layout import Layout
from envref.backends.program import Installation, Program
from envref.errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    SecretNotFound,
    printable,
)
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envref.backends.program import Complaint
    from envref.backends.retrieval import Retrieval, Wanted
    from envref.refs.address import Address

    Document = dict[str, object]
    Answer = Secret | BackendError
    Answers = dict[str, Answer]

# The program reads every file as text, standard input too, and turns each end of line into a line feed (v1 and v2).
_CARRIAGE_RETURN = (
    lambda text: "\r" in text,
    "aws turns carriage returns into line feeds; store the value as base64 and add ?encoding=base64",
)

_PACKAGES = (Package("awscli2"),)
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


class Question(NamedTuple):
    """One call that reads `names`.

    `read` takes the answers by name from what the call printed; SecretNotFound is an answer. Names that it does not
    answer are asked again with the questions that `again` makes. Without `again`, `read` must answer every name.
    """

    arguments: Sequence[str]
    names: Sequence[str]
    read: Callable[[Document], Mapping[str, Answer]]
    again: Callable[[Sequence[str]], Iterable[Question]] | None = None


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
        self._profile = profile = options["profile"]
        self._words = Complaints(label, service, profile, actions=actions, own=complaints)
        self._program = Program(
            label,
            options["command"] or "aws",
            Installation(("awscli",), _PACKAGES, usual_sign_in(profile)),
            root=options["root"],
            unset=("AWS_OUTPUT", "AWS_PAGER"),
            throttled=throttled,
            tries=tries(),
        )
        self._role = options["role_arn"]
        self._assumed: Mapping[str, str] = {}
        given = {"--region": options["region"], "--profile": "" if self._role else profile}
        # One word each: a value that begins with a hyphen stays a value.
        self._settings = ["--output=json", *(f"{option}={value}" for option, value in given.items() if value)]

    def run(self, arguments: Sequence[str], deadline: float, *, about: str, payload: bytes | None = None) -> Finished:
        """One call that must succeed. Raises BackendError, in words about the name `about`."""
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
            calls = [self._whole(question.arguments) for question in asked]
            outcomes = self._program.run_many(calls, deadline, extra=self._environment(deadline))
            pairs = zip(asked, outcomes, strict=True)
            asked = [again for question, outcome in pairs for again in self._take(question, outcome, answers)]
        return answers

    def listed(self, document: Document, key: str) -> list[Document]:
        """The objects of a list that a document must have."""
        if not isinstance(document.get(key), list):
            raise self.unexpected()
        return members(document, key)

    def secret(self, value: object) -> Answer:
        """The value that a document holds; for a value that is not text, BackendInvalid as an answer, not raised."""
        return answered(as_secret, self.label, value) if isinstance(value, str) else self.unexpected()

    def unexpected(self) -> BackendInvalid:
        """The error for output that is not what the operation prints."""
        return BackendInvalid(
            f"{self.label}: unexpected output of aws",
            hint="aws sts get-caller-identity shows what is added to its output",
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

    def _take(self, question: Question, outcome: Finished | BackendError, answers: Answers) -> Iterable[Question]:
        """Records the answers of a call; returns the questions to ask next."""
        try:
            answers.update(question.read(self._printed(outcome, question)))
        except BackendError as error:
            if question.again is None or not isinstance(error, _ASK_ALONE):
                answers.update(dict.fromkeys(question.names, error))
        left = [name for name in question.names if name not in answers]
        return question.again(left) if left and question.again else ()

    def _printed(self, outcome: Finished | BackendError, question: Question) -> Document:
        if isinstance(outcome, AsksOnTerminal):
            raise self._words.second_factor()
        if isinstance(outcome, BackendError):
            raise outcome
        if outcome.status:
            raise self.error(outcome.stderr, question.names[0])
        return self.document(outcome)


# Options that leave the value what it is. `--with-decryption` has no value, so it has to be the last.
_PRINTING = frozenset(
    ("--secret-id", "--name", "--query", "--output", "--region", "--profile", "--with-decryption", "--no-cli-pager")
)


class AwsStore(Backend):
    """A store of AWS: how its options, names and values are checked, and how answers come back to addresses.

    Its subclasses say in attributes what AWS calls things, and which operations answer what.
    """

    programs = ("aws",)
    packages = _PACKAGES
    read_variables = "AWS_* PYTHON*"
    prints_none = "aws"

    service: str
    default_prefix: str
    asked_by: tuple[str, str]  # the operation of `aws` that prints a secret, and its option for the name
    root = ""  # what a name at the top begins with
    actions: tuple[str, ...]
    complaints: tuple[Complaint, ...]
    # What a name of envref's own may be, and any other one. Neither begins with a hyphen, nor as a URL, which `aws`
    # would fetch.
    own_name: re.Pattern[str]
    any_name: re.Pattern[str]
    name_rule: str
    # What a value must not look like, and why.
    faults: tuple[tuple[Callable[[str], bool], str], ...]

    def __init__(
        self,
        name: str,
        *,
        prefix: str = "",
        region: str = "",
        profile: str = "",
        role_arn: str = "",
        command: str = "aws",
        namespace: str = "auto",
        root: str = "",
    ) -> None:
        super().__init__(name)
        self._hints: dict[Address, str] = {}  # what is known about an absent secret
        self._layout = Layout(self._prefix(prefix), default=self.default_prefix, namespace=namespace)
        self.carries_project = self._layout.carries_project
        options = {"region": region, "profile": profile, "role_arn": role_arn, "command": command, "root": root}
        self._aws = Aws(self.type, self.service, options=options, actions=self.actions, complaints=self.complaints)

    def absent(self, address: Address) -> SecretNotFound:
        return not_found(self.type, str(address), self._hints.get(address, ""))

    def location(self, address: Address) -> tuple[str, ...]:
        """The name."""
        return (self._checked_name(address),)

    @classmethod
    def elsewhere(cls, said: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """fnox: `prefix` and `value`; SecretSpec: `item`, profile and region in the URL; the program's own words."""
        words = said.get("command", "").split("\0")
        flags = dict(pairwise(words))
        if said.get("command"):
            asked = words[:3] == ["aws", cls.service, cls.asked_by[0]] and _PRINTING.issuperset(words[3::2])
            name, own = (flags.get(cls.asked_by[1], ""), flags) if asked else ("", {})
            options = {option: own[f"--{option}"] for option in ("region", "profile") if f"--{option}" in own}
            return name, options
        profile, _, region = said.get("host", "").rpartition("@")
        options = {"region": said.get("region") or region, "profile": said.get("profile") or profile}
        options |= {"role_arn": said.get("role_arn", "")}
        name, field = said.get("item", ""), said.get("field", "")
        if said.get("value"):
            name = said.get("prefix", "") + said["value"]
        elif said.get("is_usual"):
            name = f"{cls.root}{name}"
        return f"{name}#{field}" if name and field else name, {key: text for key, text in options.items() if text}

    @staticmethod
    def retrieval_by(operation: str, wanted: Wanted) -> Retrieval:
        """The secret by an operation of AWS. Unwritable with `role_arn`: `aws` takes no role as an option."""
        if wanted.options.get("role_arn"):
            raise wanted.unwritable(
                "role_arn takes a call of its own", "name a profile with that role, or use the hook form"
            )
        program = wanted.program("aws")
        flags = wanted.flag("--region {}", "region") + wanted.flag("--profile {}", "profile")
        return wanted.by(f"{program} {operation} --output text {flags}".rstrip(), says_none=program)

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """Asks in few calls, as the store's questions say; a name that the store can't hold counts as absent."""
        roots = dict.fromkeys(self._root(address.project) for address in addresses if address.foreign is None)
        names = {address: answered(self._asked_name, address) for address in addresses}
        wanted = list(dict.fromkeys(name for name in names.values() if name and isinstance(name, str)))
        answers = self._aws.ask(self._questions(wanted, list(roots)), deadline)
        found = {address: answers[name] if isinstance(name, str) else name for address, name in names.items() if name}
        absent = {address: answer for address, answer in found.items() if isinstance(answer, SecretNotFound)}
        self._hints = {address: answer.hint for address, answer in absent.items()}
        return {address: answer for address, answer in found.items() if address not in absent}

    def _questions(self, names: Sequence[str], roots: Sequence[str]) -> Iterable[Question]:
        """The calls that ask for the names; `roots` are the beginnings of the names that envref made."""
        raise NotImplementedError

    def _prefix(self, prefix: str) -> str:
        return prefix

    def _root(self, project: str) -> str:
        """What the project's names begin with. BackendInvalid where the store can't hold such names."""
        root = self._layout.root(project)
        if root and not self.own_name.fullmatch(root):
            raise BackendInvalid(f'{self.type}: no name can begin with "{printable(root)}": {self.name_rule}')
        return root

    def _name(self, address: Address) -> str:
        """The store's name of an address; empty where the store can't hold that name."""
        if address.foreign is not None:
            name = self._foreign(address.foreign)
            return name if self.any_name.fullmatch(name) else ""
        name = self._layout.name(address)
        return name if self.own_name.fullmatch(name) else ""

    def _foreign(self, name: str) -> str:
        return name

    def _asked_name(self, address: Address) -> str:
        """The name to ask for, with the version; empty for none that there can be. Raises BackendInvalid."""
        name = self._name(address)
        return self._at(name, address.version) if name and address.version is not None else name

    def _at(self, name: str, version: str) -> str:
        """The name of a version, as the store's own questions take it. Raises BackendInvalid."""
        raise NotImplementedError

    def _no_version(self, version: str) -> BackendInvalid:
        return BackendInvalid(
            f'"{printable(version)}" is no version', subject=self.type, advice=f"write {self.versions}"
        )

    def _written_name(self, address: Address) -> str:
        """The name of an address to write to. BackendInvalid for one that envref can't write."""
        if address.foreign is not None:
            raise BackendInvalid(f'{self.type}: envref only reads "{printable(address.foreign)}"; change it there')
        return self._checked_name(address)

    def _checked_name(self, address: Address) -> str:
        if address.foreign is None:
            self._root(address.project)
        name = self._name(address)
        if not name:
            key = address.scoped_key if address.foreign is None else address.foreign
            raise BackendInvalid(f'{self.type}: no name for key "{printable(key)}": {self.name_rule}')
        return name

    def _payload(self, value: Secret) -> bytes:
        """The value as `aws` reads it. BackendInvalid for a value that would not read back unchanged."""
        payload = as_bytes(self.type, value)
        text = value.reveal()
        for is_faulty, reason in (*self.faults, _CARRIAGE_RETURN):
            if is_faulty(text):
                raise BackendInvalid(f"{self.type}: {reason}")
        return payload


def chunks(names: Sequence[str], size: int) -> list[Sequence[str]]:
    """The names, at most `size` at a time."""
    return [names[start : start + size] for start in range(0, len(names), size)]


def members(document: Document, key: str) -> list[Document]:
    """The objects of a document's list; an absent list is empty."""
    listed = document.get(key)
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
