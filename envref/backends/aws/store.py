"""What both AWS stores share: how options, names and values are checked, and how answers come back to addresses.

Each store's file says which operation answers which question.
"""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise
from typing import TYPE_CHECKING

from envref.backends.answer import answered, as_bytes, not_found
from envref.backends.aws.service import PACKAGES, Aws
from envref.backends.base import Backend
from envref.backends.layout import Layout
from envref.errors import printable
from envref.secret import Secret
from envref.store_errors import BackendDenied, BackendError, BackendInvalid, SecretNotFound

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envref.backends.aws.questions import Question
    from envref.backends.command import Finished
    from envref.backends.program import Complaint
    from envref.backends.retrieval import Retrieval, Wanted
    from envref.client import Agent
    from envref.refs.address import Address

# The program reads every file as text, standard input too, and turns each end of line into a line feed (v1 and v2).
_CARRIAGE_RETURN = (
    lambda text: "\r" in text,
    "aws turns carriage returns into line feeds; store the value as base64 and add ?encoding=base64",
)


# Options that leave the value what it is. `--with-decryption` has no value, so it has to be the last.
_PRINTING = frozenset(
    ("--secret-id", "--name", "--query", "--output", "--region", "--profile", "--with-decryption", "--no-cli-pager")
)


class AwsStore(Backend):
    """A store of AWS: how its options, names and values are checked, and how answers come back to addresses.

    Its subclasses say in attributes what AWS calls things, and which operations answer what.
    """

    programs = ("aws",)
    keeps_revisions = True
    packages = PACKAGES
    read_variables = "AWS_* PYTHON*"
    prints_none = "aws"

    service: str
    default_prefix: str
    asked_by: tuple[str, str]  # the operation of `aws` that prints a secret, and its option for the name
    root = ""  # what a name at the top begins with
    actions: tuple[str, ...]
    revision_action: str  # what it takes to ask for the revision of any name
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

    @property
    def way(self) -> str:  # type: ignore[override]
        return self._aws.way

    def keep_credentials(self, agent: Agent) -> None:
        self._aws.agent = agent

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
        return self._answers(addresses, deadline, self._questions)

    def revisions(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, str | BackendError]:
        """By listings, as the store's questions for revisions say."""
        answers = self._answers(addresses, deadline, self._revision_questions)
        for each in answers.values():
            if isinstance(each, BackendDenied) and not each.run:  # what renews a login comes before a policy
                each.hint = f"the role needs {self.service}:{self.revision_action}"
        return {address: each.revision if isinstance(each, Secret) else each for address, each in answers.items()}

    def _answers(
        self,
        addresses: Sequence[Address],
        deadline: float,
        questions: Callable[[Sequence[str], Sequence[str]], Iterable[Question]],
    ) -> dict[Address, Secret | BackendError]:
        roots = dict.fromkeys(self._root(address.project) for address in addresses if address.foreign is None)
        names = {address: answered(self._asked_name, address) for address in addresses}
        wanted = list(dict.fromkeys(name for name in names.values() if name and isinstance(name, str)))
        answers = self._aws.ask(questions(wanted, list(roots)), deadline)
        found = {address: answers[name] if isinstance(name, str) else name for address, name in names.items() if name}
        absent = {address: answer for address, answer in found.items() if isinstance(answer, SecretNotFound)}
        self._hints = {address: answer.hint for address, answer in absent.items()}
        return {address: answer for address, answer in found.items() if address not in absent}

    @abstractmethod
    def _questions(self, names: Sequence[str], roots: Sequence[str]) -> Iterable[Question]:
        """The calls that ask for the names; `roots` are the beginnings of the names that envref made."""

    @abstractmethod
    def _revision_questions(self, names: Sequence[str], roots: Sequence[str]) -> Iterable[Question]:
        """The calls that ask for the revisions of the names, each an Unread, and for no value."""

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

    @abstractmethod
    def _at(self, name: str, version: str) -> str:
        """The name of a version, as the store's own questions take it. Raises BackendInvalid."""

    def _no_version(self, version: str) -> BackendInvalid:
        return BackendInvalid(
            f'"{printable(version)}" is not a version', subject=self.type, advice=f"write {self.versions}"
        )

    def _keys(self, finished: Finished, member: str, project: str) -> list[str]:
        """The project's keys among the names that a listing has at `member`."""
        listed = self._aws.listed(self._aws.document(finished), member)
        keys = (self._layout.key(str(item.get("Name")), project) for item in listed)
        return [key for key in keys if key]

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
