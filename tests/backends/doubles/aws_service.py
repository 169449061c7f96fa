"""moto's AWS, with the refusals of the real services that it lacks. Run by the Python that moto is installed in.

Parameter Store: a standard parameter's limit, references in values, the characters of a name. Secrets Manager: the
limit of a batch, and no new version of a secret whose deletion is scheduled. Both: throttling.
"""

import os
import re
import threading

import moto.server
from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.exceptions import ValidationException as InvalidSecret
from moto.secretsmanager.models import SecretsManagerBackend
from moto.ssm.exceptions import ValidationException as InvalidParameter
from moto.ssm.models import SimpleSystemManagerBackend
from werkzeug.serving import make_server


def refused(owner, operation, refusal):
    """Has `refusal` look at the arguments of an operation first; it raises what the service says."""
    accepted = getattr(owner, operation)

    def checked(self, *positional, **named):
        refusal(self, *positional, **named)
        return accepted(self, *positional, **named)

    setattr(owner, operation, checked)


def put_parameter(_, name, description, value, *rest, **named):
    if len(value or "") > 4096:
        raise InvalidParameter(
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
            "parameter value, upgrade the parameter to use the advanced-parameter tier."
        )
    if "{{" in value:
        raise InvalidParameter('Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.')
    if not re.fullmatch(r"[A-Za-z0-9_./-]+", name):
        raise InvalidParameter("Parameter name: can't contain any other characters than letters, numbers and . - _ /")


def batch_get_secret_value(_, secret_id_list=None, **named):
    if len(secret_id_list or []) > 20:
        raise InvalidSecret("Member must have length less than or equal to 20")


def put_secret_value(self, secret_id, *rest, **named):
    if secret_id in self.secrets and self.secrets[secret_id].is_deleted():
        raise InvalidRequestException(
            "You can't perform this operation on the secret because it was marked for deletion."
        )


refused(SimpleSystemManagerBackend, "put_parameter", put_parameter)
refused(SecretsManagerBackend, "batch_get_secret_value", batch_get_secret_value)
refused(SecretsManagerBackend, "put_secret_value", put_secret_value)


# What the JSON services say of a key that nobody has (terraform-provider-aws#2420).
UNKNOWN_KEY = (
    b'{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}'
)


class Started:
    """A response's beginning, held back until its body is known."""

    def __init__(self, real):
        self.real = real

    def __call__(self, status, headers, failed=None):
        self.status, self.headers = status, headers

    def go(self):
        self.real(self.status, self.headers)


class Throttling:
    """In front of the services: the next requests are refused as the real ones refuse them (segmentio/chamber#34).

    `POST /throttle/N` refuses the next N; `GET /throttle` says how many were refused since. `GET /requests` lists the
    operations that were asked for, in their order.
    """

    def __init__(self, application):
        self.application = application
        self.left = self.refused = 0
        self.requests = []
        self.lock = threading.Lock()

    def __call__(self, environment, start):
        path = environment["PATH_INFO"]
        if path.startswith("/throttle"):
            return self.controlled(path.removeprefix("/throttle").strip("/"), start)
        if path == "/requests":
            start("200 OK", [("Content-Type", "text/plain")])
            return [" ".join(self.requests).encode()]
        with self.lock:
            self.requests += [environment["HTTP_X_AMZ_TARGET"]] if "HTTP_X_AMZ_TARGET" in environment else []
            is_refused = self.left > 0 and "HTTP_X_AMZ_TARGET" in environment
            self.left -= is_refused
            self.refused += is_refused
        if is_refused:
            return self.refusal(start, b'{"__type":"ThrottlingException","message":"Rate exceeded"}')
        body = b"".join(self.application(environment, start := Started(start)))
        if start.status.startswith("403") and b"InvalidClientTokenId" in body and "HTTP_X_AMZ_TARGET" in environment:
            # moto answers in the XML of other services, in which `aws` finds no code.
            return self.refusal(start.real, UNKNOWN_KEY)
        start.go()
        return [body]

    def refusal(self, start, body):
        start("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
        return [body]

    def controlled(self, times, start):
        start("200 OK", [("Content-Type", "text/plain")])
        refused = self.refused
        if times:
            self.left, self.refused = int(times), 0
        return [str(refused).encode()]


def run(host, port, application, *, request_handler, **options):
    """Serves on a port that is free, and prints it once it listens."""
    server = make_server(host, port, Throttling(application), threaded=True, request_handler=request_handler)
    os.environ["MOTO_PORT"] = str(server.port)
    print(server.port, flush=True)
    server.serve_forever()


moto.server.run_simple = run
moto.server.main(["-H", "127.0.0.1", "-p", "0"])
