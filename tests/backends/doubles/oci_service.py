"""A double of OCI's vault and secrets services: it checks every signature, and refuses what the services refuse.

Bodies and error texts are modelled on Oracle's SDK (stores.md 10), not recorded.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading
import time
import urllib.parse

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.backends.doubles.loopback import LoopbackService

DELETED_ON = "2030-01-02T03:04:05.000Z"

_PATIENCE = 5  # seconds, of the 10 that envref lets `oci` wait for an answer
_CREATED_ON = "2026-01-02T03:04:05.678Z"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_SIGNED = re.compile(r'(\w+)="([^"]*)"')
_ABSENT = (404, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found.")


class Refusal(Exception):
    """An error answer: status, code, message."""


class OciService(LoopbackService):
    """Both services on one loopback port. `requests` is the log of request lines; it holds no bodies. `busiest` is
    how many requests were there at once.

    Switches: `latency` in seconds; `meeting` is how many have to be there at once before a value is told, for at most
    _PATIENCE; `hangs` answers nothing; `throttled` is how many of the next requests are refused,
    `refused` how many were; `failure` is an answer to everything; `denied` holds the
    actions that the caller may not do; `unsettled` is how often a changed secret is looked at before it is `settled`;
    `lies` stores another content than it was given; `ignores_names` lists all whatever name is asked for.
    """

    def __init__(self, public_key):
        super().__init__()
        self._public_key = public_key
        self._lock = threading.Condition()
        self._secrets = {}
        self._busy = 0
        self.reset()

    def reset(self):
        """Forgets all requests and puts every switch back; the secrets stay."""
        self.requests = []
        self.busiest = 0
        self.latency = 0.0
        self.meeting = 0
        self.hangs = self.lies = self.ignores_names = False
        self.failure = None
        self.throttled = self.refused = 0
        self.denied = set()
        self.unsettled = 0
        self.settled = "ACTIVE"

    def handler(self):
        return _handler(self)

    def secret(self, vault, name):
        """The secret itself, for the tests' own look at it; None where there is none, or none but deleted ones."""
        return next(
            (
                each
                for each in self._secrets.values()
                if (each["vaultId"], each["secretName"]) == (vault, name) and each["lifecycleState"] != "DELETED"
            ),
            None,
        )

    def put(self, vault, name, content, compartment="ocid1.compartment.oc1..test", *, ocid=None):
        """Stores `content`, bytes or base64, as somebody else than envref would; under that OCID where one is given."""
        text = base64.b64encode(content).decode() if isinstance(content, bytes) else content
        members = {
            "compartmentId": compartment,
            "vaultId": vault,
            "keyId": "ocid1.key.oc1.iad.test",
            "secretName": name,
        }
        self._create({}, {**members, "secretContent": {"content": ""}})
        secret = self._secrets[self.newest]
        secret.update(contents=[text], lifecycleState="ACTIVE")
        if ocid:
            self._secrets[ocid] = {**self._secrets.pop(self.newest), "id": ocid}

    def write(self, vault, name, content):
        """Stores bytes, as a new version where the secret is there."""
        known = self.secret(vault, name)
        if known:
            known["contents"].append(base64.b64encode(content).decode())
        else:
            self.put(vault, name, content)

    @property
    def newest(self):
        """The OCID of the secret that was created last."""
        return list(self._secrets)[-1]

    def roll_back(self, vault, name, number):
        """Makes an earlier version the current one, as `secret update --current-version-number` does."""
        self.secret(vault, name)["current"] = number

    def written(self):
        """When the first version of the newest secret was, as the services say it."""
        return _written_on(self._secrets[self.newest], 1)

    def content(self, vault, name):
        """The current content as the service holds it, which is base64."""
        return self.secret(vault, name)["contents"][-1]

    def answer(self, method, target, headers, body):
        """Status, headers and JSON of the answer to one request."""
        with self._lock:
            self.requests.append(f"{method} {target}")
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            self._lock.notify_all()
            if "/secretbundles/" in target:
                self._lock.wait_for(lambda: self.busiest >= self.meeting, _PATIENCE)
        if self.hangs:
            self.stopped.wait()
        time.sleep(self.latency)
        with self._lock:
            self._busy -= 1
            is_refused = self.throttled > 0
            self.throttled -= is_refused
            self.refused += is_refused
        try:
            if is_refused:
                raise Refusal(429, "TooManyRequests", "User-rate limit exceeded.")
            self._check_signature(method, target, headers, body)
            if self.failure:
                raise Refusal(*self.failure)
            with self._lock:
                return self._route(method, target, body)
        except Refusal as refusal:
            status, code, message = refusal.args
            return status, {}, {"code": code, "message": message}

    def _check_signature(self, method, target, headers, body):
        fields = dict(_SIGNED.findall(headers.get("authorization", "")))
        lines = [
            f"{name}: {method.lower()} {target}" if name == "(request-target)" else f"{name}: {headers.get(name, '')}"
            for name in fields.get("headers", "").split()
        ]
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        signs_body = "x-content-sha256" in fields.get("headers", "").split()
        if (body and not signs_body) or (signs_body and headers.get("x-content-sha256") != digest):
            raise Refusal(
                401,
                "NotAuthenticated",
                "The required information to complete authentication was not provided or was incorrect.",
            )
        try:
            self._public_key.verify(
                base64.b64decode(fields.get("signature", "")),
                "\n".join(lines).encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except (InvalidSignature, ValueError):
            raise Refusal(
                401,
                "NotAuthenticated",
                "The required information to complete authentication was not provided or was incorrect.",
            ) from None

    def _route(self, method, target, body):
        path, _, query = target.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        sent = json.loads(body) if body and body != b"null" else {}
        for wanted, pattern, action in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == wanted:
                if action in self.denied:
                    raise Refusal(*_ABSENT)
                return getattr(self, f"_{action}")(*match.groups(), asked, sent)
        raise Refusal(404, "NotFound", "no such path")

    def _get_by_name(self, asked, _):
        return 200, {}, self._bundle(self.secret(asked["vaultId"], asked["secretName"]), asked)

    def _get_bundle(self, identity, asked, _):
        return 200, {}, self._bundle(self._secrets.get(identity), asked)

    def _get(self, identity, *_):
        secret = self._known(identity)
        secret["looks"] -= 1
        if secret["looks"] < 0 and secret["lifecycleState"] in ("CREATING", "UPDATING"):
            secret["lifecycleState"] = self.settled
        return 200, {"etag": f"v{len(secret['contents'])}"}, _summary(secret)

    def _list(self, asked, _):
        filters = {
            "compartmentId": "compartmentId",
            "vaultId": "vaultId",
            "name": "secretName",
            "lifecycleState": "lifecycleState",
        }
        if self.ignores_names:
            del filters["name"]
        found = [
            _summary(secret)
            for secret in self._secrets.values()
            if all(secret[member] == asked[name] for name, member in filters.items() if name in asked)
        ]
        start, size = int(asked.get("page", "0")), min(int(asked.get("limit", "25")), 25)
        more = {"opc-next-page": str(start + size)} if start + size < len(found) else {}
        return 200, more, found[start : start + size]

    def _create(self, _, sent):
        if not _NAME.fullmatch(sent["secretName"]):
            raise Refusal(400, "InvalidParameter", "secretName has characters that are not allowed")
        if self.secret(sent["vaultId"], sent["secretName"]):
            raise Refusal(409, "IncorrectState", "A secret with this name already exists in the vault.")
        identity = f"ocid1.vaultsecret.oc1.iad.{len(self._secrets)}"
        secret = {
            **{name: sent[name] for name in ("compartmentId", "vaultId", "keyId", "secretName")},
            "id": identity,
            "description": None,
            "timeCreated": _CREATED_ON,
            "timeOfDeletion": None,
            "freeformTags": {},
            "definedTags": {},
            "lifecycleState": "CREATING",
            "looks": self.unsettled,
            "contents": [self._stored(sent)],
        }
        self._secrets[identity] = secret
        return 200, {"etag": "v1"}, _summary(secret)

    def _update(self, identity, _, sent):
        secret = self._known(identity)
        if secret["lifecycleState"] != "ACTIVE":
            raise Refusal(409, "IncorrectState", f"The secret is in state {secret['lifecycleState']}.")
        secret["contents"].append(self._stored(sent))
        secret.update(lifecycleState="UPDATING", looks=self.unsettled)
        return 200, {}, _summary(secret)

    def _schedule_deletion(self, identity, *_):
        secret = self._known(identity)
        if secret["lifecycleState"] != "ACTIVE":
            raise Refusal(409, "IncorrectState", f"The secret is in state {secret['lifecycleState']}.")
        secret.update(lifecycleState="PENDING_DELETION", timeOfDeletion=DELETED_ON)
        return 200, {}, None

    def _cancel_deletion(self, identity, *_):
        self._known(identity).update(lifecycleState="ACTIVE", timeOfDeletion=None)
        return 200, {}, None

    def _known(self, identity):
        if identity not in self._secrets:
            raise Refusal(*_ABSENT)
        return self._secrets[identity]

    def _stored(self, sent):
        content = sent["secretContent"]["content"]
        base64.b64decode(content, validate=True)
        return base64.b64encode(b"something else").decode() if self.lies else content

    def _bundle(self, secret, asked):
        if secret is None or secret["lifecycleState"] not in ("ACTIVE", "UPDATING"):
            raise Refusal(*_ABSENT)
        number = self._number(secret, asked)
        if not 0 < number <= len(secret["contents"]):
            raise Refusal(*_ABSENT)
        return {
            "secretId": secret["id"],
            "timeCreated": _written_on(secret, number),
            "versionNumber": number,
            "versionName": None,
            "secretBundleContent": {"contentType": "BASE64", "content": secret["contents"][number - 1]},
            "timeOfDeletion": None,
            "timeOfExpiry": None,
            "stages": ["CURRENT", "LATEST"],
            "metadata": {},
        }

    def _number(self, secret, asked):
        """The number of the version that is asked for; no secret has named versions here."""
        latest = len(secret["contents"])
        current = secret.get("current") or latest
        if "secretVersionName" in asked:
            return 0
        stages = {"CURRENT": current, "LATEST": latest, "PREVIOUS": latest - 1}
        return int(asked["versionNumber"]) if "versionNumber" in asked else stages.get(asked.get("stage", "CURRENT"), 0)


_ROUTES = (
    ("GET", r"/20190301/secretbundles/([^/]+)", "get_bundle"),
    ("POST", r"/20190301/secretbundles/actions/getByName", "get_by_name"),
    ("GET", r"/20180608/secrets", "list"),
    ("GET", r"/20180608/secrets/([^/]+)", "get"),
    ("POST", r"/20180608/secrets", "create"),
    ("PUT", r"/20180608/secrets/([^/]+)", "update"),
    ("POST", r"/20180608/secrets/([^/]+)/actions/scheduleDeletion", "schedule_deletion"),
    ("POST", r"/20180608/secrets/([^/]+)/actions/cancelDeletion", "cancel_deletion"),
)


def _summary(secret):
    shown = {name: value for name, value in secret.items() if name not in ("contents", "looks", "current")}
    return {**shown, "currentVersionNumber": secret.get("current") or len(secret["contents"])}


def _written_on(secret, number):
    """Each version has a date of its own (the SDK calls it the creation of the bundle, and nobody here saw another)."""
    minute, second = int("0" + re.sub(r"\D", "", secret["id"])[-4:]), number
    return f"2026-01-02T{minute // 60 % 24:02}:{minute % 60:02}:{second % 60:02}.678Z"


def _handler(service):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # A body that waits until the head of its answer is confirmed costs 40 ms a request on a kept connection.
        disable_nagle_algorithm = True

        def _serve(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, headers, answer = service.answer(self.command, self.path, self.headers, body)
            text = b"" if answer is None else json.dumps(answer).encode()
            request = self.headers.get("opc-request-id", "")
            self.send_response(status)
            for name, value in {**headers, "opc-request-id": request, "content-type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(text)))
            with contextlib.suppress(ConnectionError):  # the caller may have been stopped
                self.end_headers()
                self.wfile.write(text)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815, the library's names

        def log_message(self, *_):
            """Nothing: the service keeps its own log."""

    return Handler
