"""AWS Systems Manager Parameter Store, through the `aws` program (stores.md 8)."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from envref.backends.aws.questions import Question
from envref.backends.aws.service import chunks, members
from envref.backends.aws.store import AwsStore
from envref.backends.program import Complaint
from envref.backends.revision import revision
from envref.secret import Unread
from envref.store_errors import BackendDenied, BackendInvalid, SecretNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envref.backends.aws.questions import Answer, Document
    from envref.backends.retrieval import Retrieval, Wanted
    from envref.refs.address import Address
    from envref.secret import Secret

_NAMES_A_CALL = 10
_NAMES_A_LISTING = 50
# Reading by path brings ten parameters a round trip. With more than this many unwanted ones, names cost less.
_OTHERS = 100
_VERSION = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_ABSENT = SecretNotFound("aws-ssm: no such parameter")


class AwsSsm(AwsStore):
    """AWS Systems Manager Parameter Store, as SecureString; read directly where possible, all else by aws"""

    type = "aws-ssm"
    service = "ssm"
    others = ("ref+awsssm://",)
    tools = ("aws-ps", "awsps")
    asked_by = ("get-parameter", "--name")
    root = "/"
    versions = "a number, or a label"
    default_prefix = "/envref"
    actions = ("GetParameter", "PutParameter", "DeleteParameter", "GetParametersByPath")
    revision_action = "DescribeParameters"
    complaints = (
        Complaint("(ParameterNotFound)", SecretNotFound),
        Complaint("(ParameterVersionNotFound)", SecretNotFound),
        Complaint(
            "(InvalidKeyId)", BackendDenied, hint="the role needs kms:Decrypt and kms:Encrypt on a key that is enabled"
        ),
        Complaint("(HierarchyTypeMismatchException)", BackendInvalid, hint="delete the parameter, then set it again"),
        Complaint("(HierarchyLevelLimitExceededException)", BackendInvalid),
    )
    own_name = re.compile(r"(?=.{1,1011}\Z)(?:/[A-Za-z0-9_.-]+){1,15}")
    # A top-level name needs no slash, `:` begins a version or label, an ARN is a parameter that another account shares.
    any_name = re.compile(r"(?!-)[A-Za-z0-9_./-]+(?::[A-Za-z0-9_.-]+)?|arn:[A-Za-z0-9_./:-]+")
    name_rule = "a parameter's name has at most 15 levels of letters, digits and . - _"
    faults = (
        (lambda text: not text, "a parameter can't be empty"),
        (lambda text: len(text) > 4096, "a standard parameter holds at most 4096 characters"),
        (lambda text: "{{" in text, 'a parameter can\'t hold "{{", which stands for another parameter'),
    )

    @staticmethod
    def retrieval(wanted: Wanted) -> Retrieval:
        name = wanted.word(wanted.location[0])
        operation = f"ssm get-parameter --name {name} --with-decryption --query Parameter.Value"
        return AwsStore.retrieval_by(operation, wanted)

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        name = self._written_name(address)
        arguments = ["put-parameter", "--name", name, "--type", "SecureString", "--overwrite"]
        payload = self._payload(value)
        self._aws.run([*arguments, "--value", "file:///dev/stdin"], deadline, about=name, payload=payload)

    def delete(self, address: Address, deadline: float) -> None:
        name = self._written_name(address)
        try:
            self._aws.run(["delete-parameter", "--name", name], deadline, about=name)
        except SecretNotFound:
            raise self.absent(address) from None

    def list(self, project: str, deadline: float) -> Iterable[str]:
        """Lists by path without decryption: that needs only permissions that reading needs anyway."""
        path = self._root(project) or "/"
        finished = self._aws.run(["get-parameters-by-path", "--path", path, "--recursive"], deadline, about=path)
        return self._keys(finished, "Parameters", project)

    def _prefix(self, prefix: str) -> str:
        return f"/{prefix.lstrip('/')}" if prefix else ""

    def _foreign(self, name: str) -> str:
        """`a/b` is `/a/b`: a name with levels begins with a slash."""
        return name if "/" not in name or name.startswith(("/", "arn:")) else f"/{name}"

    def _at(self, name: str, version: str) -> str:
        """AWS's own form, `NAME:VERSION`."""
        if not _VERSION.fullmatch(version) or ":" in name.rpartition("parameter/")[2]:
            raise self._no_version(version)
        return f"{name}:{version}"

    def _questions(self, names: Sequence[str], roots: Sequence[str]) -> Iterator[Question]:
        """Asks by path where several names share a root: the documented permissions include that."""
        left = names
        for root in roots:
            below = [name for name in left if name.startswith(f"{root}/") and ":" not in name]
            if len(below) > 1:
                yield self._by_path(root or "/", below)
                left = [name for name in left if name not in below]
        yield from self._together(left)

    def _by_path(self, path: str, names: Sequence[str]) -> Question:
        parameters = {"Path": path, "Recursive": True, "WithDecryption": True}
        read = partial(self._below, names)
        return Question("GetParametersByPath", parameters, names, read, self._together, most=len(names) + _OTHERS)

    def _together(self, names: Sequence[str]) -> Iterator[Question]:
        # The answer to a batch has names only: which version, label or ARN was meant is lost.
        plain = [name for name in names if ":" not in name]
        yield from self._alone([name for name in names if ":" in name])
        for chunk in chunks(plain, _NAMES_A_CALL):
            if len(chunk) == 1:
                yield from self._alone(chunk)
            else:
                parameters = {"Names": chunk, "WithDecryption": True}
                yield Question("GetParameters", parameters, chunk, partial(self._named, chunk), self._alone)

    def _alone(self, names: Sequence[str]) -> Iterator[Question]:
        for name in names:
            parameters = {"Name": name, "WithDecryption": True}
            yield Question("GetParameter", parameters, [name], partial(self._one, name))

    def _below(self, names: Sequence[str], document: Document) -> Mapping[str, Answer]:
        """The names in a listing by path. If the listing is complete, the other names are absent."""
        self._aws.listed(document, "Parameters")
        absent = {} if document.get("NextToken") else dict.fromkeys(names, _ABSENT)
        return {**absent, **self._values(names, document)}

    def _named(self, names: Sequence[str], document: Document) -> Mapping[str, Answer]:
        invalid = document.get("InvalidParameters")
        absent = [name for name in names if isinstance(invalid, list) and name in invalid]
        return {**dict.fromkeys(absent, _ABSENT), **self._values(names, document)}

    def _one(self, name: str, document: Document) -> Mapping[str, Answer]:
        parameter = document.get("Parameter")
        item = parameter if isinstance(parameter, dict) else {}
        return {name: self._aws.secret(item.get("Value"), _revision(item))}

    def _values(self, names: Sequence[str], document: Document) -> Mapping[str, Answer]:
        items = {str(item.get("Name")): item for item in members(document, "Parameters")}
        return {
            name: self._aws.secret(items[name].get("Value"), _revision(items[name])) for name in names if name in items
        }

    def _revision_questions(self, names: Sequence[str], roots: Sequence[str]) -> Iterator[Question]:
        """By path and without decryption, which needs no key; what is elsewhere, or among many others, by its name."""
        left = names
        for root in roots:
            below = [name for name in left if name.startswith(f"{root}/") and ":" not in name]
            if below:
                asked = {"Path": root or "/", "Recursive": True}
                read = partial(self._told, below)
                most = len(below) + _OTHERS
                yield Question("GetParametersByPath", asked, below, read, self._described, most=most)
                left = [name for name in left if name not in below]
        yield from self._described(left)

    def _described(self, names: Sequence[str]) -> Iterator[Question]:
        for chunk in chunks(names, _NAMES_A_LISTING):
            only = {"Key": "Name", "Option": "Equals", "Values": list(chunk)}
            yield Question("DescribeParameters", {"ParameterFilters": [only]}, chunk, partial(self._told, chunk))

    def _told(self, names: Sequence[str], document: Document) -> Mapping[str, Answer]:
        """The revisions in a listing. If it is complete, the other names are absent."""
        items = {str(item.get("Name")): item for item in self._aws.listed(document, "Parameters")}
        absent = {} if document.get("NextToken") else dict.fromkeys(names, _ABSENT)
        return {**absent, **{name: Unread(_revision(items[name])) for name in names if name in items}}


def _revision(item: Mapping[str, object]) -> str:
    return revision(item.get("Version"), item.get("LastModifiedDate"))
