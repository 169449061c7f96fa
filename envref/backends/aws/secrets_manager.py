"""AWS Secrets Manager, through the `aws` program (stores.md 9)."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

from envref.backends.aws.complaints import of_operation
from envref.backends.aws.questions import Question
from envref.backends.aws.service import chunks, members
from envref.backends.aws.store import AwsStore
from envref.backends.program import Complaint
from envref.backends.revision import revision
from envref.backends.throttling import Throttled
from envref.errors import printable
from envref.secret import Secret, Unread
from envref.store_errors import BackendDenied, BackendInvalid, HoldsBytes, SecretNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envref.backends.aws.questions import Answer, Document
    from envref.backends.retrieval import Retrieval, Wanted
    from envref.refs.address import Address

_SECRETS_A_CALL = 20
# What a name with a version is written as here; no name has a question mark.
_AT = "?version="
_VERSION = re.compile(r"(?!-)[A-Za-z0-9_+=.@/-]{1,256}")
_IDENTITY = re.compile(r"[A-Za-z0-9-]{32,64}")  # what AWS calls a version's own name; a stage may be any other word
# How Amazon ECS writes it, `ARN:KEY:STAGE:VERSION`, each of them empty where it is not meant; and Parameter Store.
_OF_ECS = re.compile(r"(arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+):([^:]*):?([^:]*):?([^:]*)")
_OF_SSM = re.compile(r"(?!arn:)([^:]+):([A-Za-z0-9_.-]+)")
_ABSENT = SecretNotFound("aws-secrets-manager: no such secret")
_RESTORE = "its deletion is scheduled, and aws secretsmanager restore-secret brings it back"


class PendingDeletion(SecretNotFound):
    """The secret was deleted, and AWS still keeps it: 30 days, or what was asked for."""


class AwsSecretsManager(AwsStore):
    """AWS Secrets Manager, one secret a key; read directly where possible, all else by aws

    Deleting schedules the deletion, as AWS does by default: for 30 days `aws secretsmanager restore-secret` brings the
    secret back. Setting a key whose deletion is scheduled restores it with the new value.
    """

    type = "aws-secrets-manager"
    service = "secretsmanager"
    others = ("ref+awssecrets://",)
    tools = ("aws-sm", "awssm")
    asked_by = ("get-secret-value", "--secret-id")
    versions = "an id, or a stage such as AWSPREVIOUS"
    default_prefix = "envref"
    actions = ("GetSecretValue", "PutSecretValue", "CreateSecret", "DeleteSecret", "RestoreSecret", "ListSecrets")
    revision_action = "DescribeSecret"
    complaints = (
        Complaint("(ResourceNotFoundException)", SecretNotFound),
        Complaint("currently marked deleted", PendingDeletion, hint=_RESTORE),
        Complaint("marked for deletion", PendingDeletion, hint=_RESTORE),
        Complaint("scheduled for deletion", PendingDeletion, hint=_RESTORE),
        Complaint(
            "(DecryptionFailure)",
            BackendDenied,
            hint="the role needs kms:Decrypt and kms:Encrypt on a key that is enabled",
        ),
        Complaint(
            "(ResourceExistsException)", BackendInvalid, hint="somebody else made it at the same moment; try again"
        ),
        Complaint("(InvalidParameterException)", BackendInvalid),
    )
    own_name = re.compile(r"(?=.{1,512}\Z)(?!-)[A-Za-z0-9/_+=.@-]+")
    # Secrets that AWS manages itself have a `!` in their names.
    any_name = re.compile(r"(?!-)[A-Za-z0-9/_+=.@!-]+|arn:[A-Za-z0-9/_+=.@!:-]+")
    name_rule = "a secret's name has at most 512 letters, digits and / _ + = . @ -"
    faults = (
        (lambda text: not text, "a secret can't be empty"),
        (lambda text: len(text.encode()) > 65536, "a secret holds at most 65536 bytes"),
    )

    @staticmethod
    def retrieval(wanted: Wanted) -> Retrieval:
        name = wanted.word(wanted.location[0])
        operation = f"secretsmanager get-secret-value --secret-id {name} --query SecretString"
        return AwsStore.retrieval_by(operation, wanted)

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        """Stores a new version. Creates the secret if there is none, restores it if its deletion is scheduled."""
        name = self._written_name(address)
        payload = self._payload(value)
        try:
            self._write(["put-secret-value", "--secret-id", name], name, payload, deadline)
        except PendingDeletion:
            self._aws.run(["restore-secret", "--secret-id", name], deadline, about=name)
            self._write(["put-secret-value", "--secret-id", name], name, payload, deadline)
        except SecretNotFound:
            self._write(["create-secret", "--name", name], name, payload, deadline)

    def delete(self, address: Address, deadline: float) -> None:
        name = self._written_name(address)
        try:
            self._aws.run(["delete-secret", "--secret-id", name], deadline, about=name)
        except SecretNotFound:
            raise self.absent(address) from None

    def list(self, project: str, deadline: float) -> Iterable[str]:
        root = self._root(project)
        filters = json.dumps([{"Key": "name", "Values": [f"{root}/"]}])
        finished = self._aws.run(["list-secrets", "--filters", filters], deadline, about=f"{root}/")
        return self._keys(finished, "SecretList", project)

    def _write(self, arguments: Sequence[str], name: str, payload: bytes, deadline: float) -> None:
        self._aws.run([*arguments, "--secret-string", "file:///dev/stdin"], deadline, about=name, payload=payload)

    def _questions(self, names: Sequence[str], roots: Sequence[str]) -> Iterator[Question]:  # noqa: ARG002
        # A batch has the current versions alone.
        yield from self._alone([name for name in names if _AT in name])
        for chunk in chunks([name for name in names if _AT not in name], _SECRETS_A_CALL):
            if len(chunk) == 1:
                yield from self._alone(chunk)
            else:
                asked = {"SecretIdList": chunk}
                yield Question("BatchGetSecretValue", asked, chunk, partial(self._named, chunk), self._alone)

    def _at(self, name: str, version: str) -> str:
        if not _VERSION.fullmatch(version):
            raise self._no_version(version)
        return f"{name}{_AT}{version}"

    def _name(self, address: Address) -> str:
        """Raises BackendInvalid for a name with a version in it, as other services write one."""
        name = address.foreign or ""
        ecs, ssm = _OF_ECS.fullmatch(name), _OF_SSM.fullmatch(name)
        if ecs:
            raise _miswritten(name, ecs[1], ecs[4] or ecs[3], ecs[2])
        if ssm:
            raise _miswritten(name, ssm[1], ssm[2])
        return super()._name(address)

    def _alone(self, names: Sequence[str]) -> Iterator[Question]:
        for name in names:
            called, _, version = name.partition(_AT)
            kind = "VersionId" if _IDENTITY.fullmatch(version) else "VersionStage"
            parameters = {"SecretId": called, **({kind: version} if version else {})}
            yield Question("GetSecretValue", parameters, [name], partial(self._one, name))

    def _one(self, name: str, document: Document) -> Mapping[str, Answer]:
        return {name: self._value(name, document)}

    def _named(self, names: Sequence[str], document: Document) -> Mapping[str, Answer]:
        """The values by name or ARN, and what AWS says of each of the others.

        A partial ARN stays unanswered, and so does what was throttled: both are asked alone then.
        """
        found: dict[str, Answer] = {}
        for item in members(document, "SecretValues"):
            called = {item.get("Name"), item.get("ARN")}
            found.update({name: self._value(name, item) for name in names if name in called})
        for item in members(document, "Errors"):
            name, code = str(item.get("SecretId")), item.get("ErrorCode")
            error = self._aws.error(of_operation(str(code), "GetSecretValue", str(item.get("Message"))), name)
            found |= {} if isinstance(error, Throttled) else {name: error}
        return found

    def _value(self, name: str, item: Document) -> Answer:
        told = revision(item.get("VersionId"))
        if "SecretString" not in item and "SecretBinary" in item:
            return HoldsBytes.about(self.type, name, Secret(str(item["SecretBinary"]), told))
        return self._aws.secret(item.get("SecretString"), told)

    def _revision_questions(self, names: Sequence[str], roots: Sequence[str]) -> Iterator[Question]:
        """One listing for all that share a beginning; for the others, and where listing is refused, one each."""
        left = names
        for root in roots:
            below = [name for name in left if name.startswith(f"{root}/")]
            if len(below) > 1:
                asked = {"Filters": [{"Key": "name", "Values": [f"{root}/"]}]}
                yield Question("ListSecrets", asked, below, partial(self._listed_revisions, below), self._described)
                left = [name for name in left if name not in below]
        yield from self._described(left)

    def _described(self, names: Sequence[str]) -> Iterator[Question]:
        for name in names:
            yield Question("DescribeSecret", {"SecretId": name}, [name], partial(self._described_revision, name))

    def _listed_revisions(self, names: Sequence[str], document: Document) -> Mapping[str, Answer]:
        items = {str(item.get("Name")): item for item in self._aws.listed(document, "SecretList")}
        return {name: _told(items[name], "SecretVersionsToStages") if name in items else _ABSENT for name in names}

    def _described_revision(self, name: str, document: Document) -> Mapping[str, Answer]:
        return {name: _ABSENT if document.get("DeletedDate") else _told(document, "VersionIdsToStages")}


def _told(item: Document, member: str) -> Answer:
    """The id of the current version; a version's id is new for each, so it needs no date."""
    stages = item.get(member)
    known = stages.items() if isinstance(stages, dict) else ()
    current = [identity for identity, names in known if isinstance(names, list) and "AWSCURRENT" in names]
    return Unread(revision(current[0])) if current else _ABSENT


def _miswritten(name: str, secret: str, version: str, field: str = "") -> BackendInvalid:
    meant = secret + (_AT + version if version else "") + (f"#{field}" if field else "")
    return BackendInvalid(
        f'{AwsSecretsManager.type}: "{printable(name)}" is not how a secret is named',
        hint=f"write {printable(meant)}",
    )
