"""The real `aws` against moto's emulation of the services, on a free port of 127.0.0.1 (stores.md 7)."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tempfile
import urllib.request

import pytest

from envref.store_errors import BackendInvalid
from tests.backends.contract import EXACT, BackendContract, only_reading
from tests.backends.stores import shim
from tests.backends.stores.loaded import Loaded
from tests.requirements import need_store_program

UNREACHABLE = "http://127.0.0.1:9"
_SERVICE = pathlib.Path(__file__).parent.parent / "doubles" / "aws_service.py"


# What the Python of the real `aws` loads before it becomes it (tests/fork_server.py).
_LOADED = """\
import contextlib, functools, importlib, io, sys
import awscli.clidriver
from botocore import hooks, loaders

# Most of a call is finding out what each call finds: the files of a service's model, which services have some, what an
# event is called. It depends on what is named here, and on nothing of the caller's.
def once(owner, name, given=lambda self: None):
    find, kept = getattr(owner, name), {}

    @functools.wraps(find)
    def found(self, *asked, **named):
        key = str((asked, named, given(self)))
        if key not in kept:
            kept[key] = find(self, *asked, **named)
        return kept[key]

    setattr(owner, name, found)

once(loaders.JSONFileLoader, "load_file")
once(loaders.Loader, "list_available_services", lambda self: [*self._potential_locations()])
once(hooks.EventAliaser, "_alias_event_name")
for service, operation in ("ssm", "get-parameters"), ("secretsmanager", "get-secret-value"):
    driver = awscli.clidriver.create_clidriver()
    driver.session.create_client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with contextlib.redirect_stdout(io.StringIO()):
        driver.main([service, operation, "--generate-cli-skeleton"])

def become(arguments):
    importlib.reload(awscli)  # which notes in the environment where its data is
    sys.argv = arguments
    sys.exit(awscli.clidriver.main())
"""


class LoadedAws(Loaded):
    """The real `aws`, loaded beforehand: a call takes a sixth of the time."""

    def __init__(self, directory):
        super().__init__(directory, "aws", "aws", _LOADED)


def program():
    """The absolute path of `aws` as it is installed. aws/test_service.py and flox/test_native.py start it."""
    return need_store_program("aws", "aws")


class AwsService:
    """The services, running; `environment` makes `aws` use them, as somebody whom they permit everything.

    `program` is the `aws` that is loaded beside them.
    """

    def __enter__(self):
        python = need_store_program("aws", "python")
        need_store_program("aws", "moto_server")
        self._directory = tempfile.TemporaryDirectory()
        self._loaded = LoadedAws(pathlib.Path(self._directory.name)).__enter__()
        self.program = self._loaded.program
        self._process = subprocess.Popen(
            [python, str(_SERVICE)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        port = self._process.stdout.readline().strip()
        assert port, "the services could not be started"
        self.endpoint = f"http://127.0.0.1:{port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return self

    def __exit__(self, *_):
        self._loaded.__exit__()
        self._directory.cleanup()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def reset(self):
        """Forgets every secret, and throttles nobody."""
        self._post("reset", b"")
        self.throttle(0)

    def throttle(self, times):
        """Refuses the next requests, as from somebody who asks too often; a function that counts the refusals."""
        url = f"{self.endpoint}/throttle"
        urllib.request.urlopen(urllib.request.Request(f"{url}/{times}", b""), timeout=5).close()

        def count():
            with urllib.request.urlopen(url, timeout=5) as answer:
                return int(answer.read())

        return count

    @property
    def requests(self):
        """Every operation that was asked for until now, as `AmazonSSM.GetParameter`."""
        with urllib.request.urlopen(f"{self.endpoint}/requests", timeout=5) as answer:
            return answer.read().decode().split()

    def limited_to(self, *actions):
        """The environment of somebody who may do these actions and no others; `unlimited` ends it."""
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        self.aws("iam", "create-user", "--user-name", "limited")
        document = ["--policy-document", json.dumps(policy)]
        self.aws("iam", "put-user-policy", "--user-name", "limited", "--policy-name", "limit", *document)
        key = self.aws("iam", "create-access-key", "--user-name", "limited")["AccessKey"]
        self._post("reset-auth", b"0")
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def unlimited(self):
        """Everybody may do everything."""
        self._post("reset-auth", b"1000000000")

    def aws(self, *arguments, stdin=""):
        """What `aws ARGUMENTS` prints, past envref."""
        done = subprocess.run(
            [self.program, *arguments, "--output=json"],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, **self.environment},
            check=True,
        )
        return json.loads(done.stdout or "{}")

    def call(self, target, *, region="us-east-1", **arguments):
        """An operation of a service, without the cost of `aws`: `call("AmazonSSM.PutParameter", Name=…)`."""
        service = {"AmazonSSM": "ssm", "secretsmanager": "secretsmanager"}[target.partition(".")[0]]
        headers = {
            "X-Amz-Target": target,
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20300101/{region}/{service}/aws4_request",
        }
        request = urllib.request.Request(self.endpoint, json.dumps(arguments).encode(), headers)
        with urllib.request.urlopen(request) as response:
            return json.loads(response.read() or b"{}")

    def _post(self, action, body):
        url = f"{self.endpoint}/moto-api/{action}"
        headers = {"Content-Type": "text/plain"}
        urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=5).close()


def use(service, directory, monkeypatch, aws=None):
    """Has this process and its children use the service, which holds nothing; a record of the starts of `aws`.

    `aws` is the program, if it is not the one that is loaded.
    """
    service.reset()
    for name, value in service.environment.items():
        monkeypatch.setenv(name, value)
    recorded = shim.recorded(directory, aws or service.program, "aws")
    monkeypatch.setenv("PATH", recorded.path, prepend=":")
    return recorded


def stand_in(directory, monkeypatch, script):
    """A program called `aws`, first on PATH: `script` in sh, after it read all of its standard input."""
    shim.stand_in(directory, "aws", f"cat > /dev/null\n{script}", monkeypatch)


def saying(text, status=255):
    """The script of a stand-in that complains."""
    return f"cat >&2 <<'END'\n{text}\nEND\nexit {status}"


class AwsContract(BackendContract):
    """The contract, in fewer starts of a program that takes half a second for each."""

    holds_empty = False
    holds = tuple(EXACT)  # the kinds of values that the store holds
    keys = ()  # keys of every kind that the store holds, and some that it does not
    refused_keys = ()
    alike = ("a/b", "a.b", "a_b", "a-b", "A/b")

    @pytest.mark.parametrize("kind", ["all"])
    def test_a_value_comes_back_as_it_was_set(self, store, kind):
        """Every character of a value survives, whatever it looks like; all but carriage returns."""
        kept = {kind: EXACT[kind] for kind in self.holds if kind != "carriage_returns"}
        for key, value in kept.items():
            self.put(store, key, value)
        answers = store.get_many([self.address(key) for key in kept], self.deadline)
        assert {address.key: answer.reveal() for address, answer in answers.items()} == kept

    @pytest.mark.parametrize("end", ["\n\n"])
    def test_line_ends_at_the_end_of_a_value_are_kept(self, store, end):
        """A value keeps the line feeds that it ends with."""
        super().test_line_ends_at_the_end_of_a_value_are_kept(store, end)

    @pytest.mark.parametrize("key", ["all"])
    def test_a_key_may_be_any_text(self, store, key):
        """Every key that the service has a name for is stored, listed and deleted under its name."""
        for key in self.keys:
            self.put(store, key, f"value of {key}")
        assert sorted(store.list("app", self.deadline)) == sorted(self.keys)
        addresses = [self.address(key) for key in self.keys]
        answers = store.get_many(addresses, self.deadline)
        assert [answers[address].reveal() for address in addresses] == [f"value of {key}" for key in self.keys]
        for address in addresses:
            store.delete(address, self.deadline)
        assert store.get_many(addresses, self.deadline) == {}

    def test_many_are_answered_at_once(self, store, service, monkeypatch):
        """Forty keys of one question get their own values, the absent ones none; written past `aws`, for speed."""
        monkeypatch.setattr(self, "put", lambda _, key, value: self.write(service, f"app/{key}", value))
        super().test_many_are_answered_at_once(store)

    throttles = True

    @pytest.fixture(autouse=True)
    def _service(self, service):
        self.service, self.throttle = service, service.throttle

    def write(self, service, name, value):
        """Writes a secret under the default prefix, past envref."""
        raise NotImplementedError

    def test_a_key_without_a_name_there_is_refused_and_absent(self, store, program):
        """A key that the service has no name for is refused with the rule, is not there, and no program is started."""
        for key in self.refused_keys:
            with pytest.raises(BackendInvalid, match="no name for key"):
                self.put(store, key, "value")
            assert self.read(store, key) is None
        assert program.count() == 0

    def test_a_carriage_return_is_refused(self, store, program):
        """`aws` would store another value: it is refused before the call, with a way out."""
        for value in ("one\rtwo", "one\r\n"):
            with pytest.raises(BackendInvalid) as caught:
                self.put(store, "key", value)
            assert caught.value.message == (
                f"{store.type}: aws turns carriage returns into line feeds; "
                "store the value as base64 and add ?encoding=base64"
            )
        assert program.count() == 0

    def test_no_value_is_an_argument(self, store, program):
        """What `aws` is started with holds no value, whatever is done with it."""
        marker = "marker-51c7e0"
        for value in (f"{marker}-1", f"{marker}-2"):
            self.put(store, "key", value)
        assert self.read(store, "key") == f"{marker}-2"
        store.delete(self.address("key"), self.deadline)
        assert marker not in str(program.argvs())
        assert program.count() >= 3


def of_reading(contract):
    """Leaves of a class of tests those that read; it writes past envref, for the program is slow."""
    contract.put = lambda self, _, key, value: self.write(self.service, f"app/{key}", value)
    return pytest.mark.usefixtures("through_aws")(only_reading(contract))
