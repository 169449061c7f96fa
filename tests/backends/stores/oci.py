"""The real `oci` against the loopback double of its services, with credentials made for the test (stores.md 10)."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests import reaper
from tests.backends.doubles.oci_service import OciService
from tests.requirements import need_store_program

COMPARTMENT = "ocid1.compartment.oc1..test"
ENCRYPTION_KEY = "ocid1.key.oc1.iad.test"

_PATIENCE = 60  # seconds to load oci on a machine that has much else to do
_BITS = 1024  # `oci` checks its key at every call, which takes it a tenth of a second with 2048 bits
_numbers = itertools.count(1)


class Account:
    """A key pair, the service that knows it, and the environment that makes `oci` use both without a config file."""

    def __init__(self, directory):
        self._directory = directory
        self._key = _new_key()
        self.service = OciService(self._key.public_key())

    def __enter__(self):
        self.service.__enter__()
        return self

    def __exit__(self, *_):
        self.service.__exit__()

    @property
    def environment(self):
        return {
            **self.credentials(self._key),
            "OCI_CLI_ENDPOINT": self.service.endpoint,
        }

    def strangers(self):
        """The environment of somebody whose key the service does not know."""
        return {**self.environment, **self.credentials(_new_key())}

    def credentials(self, key):
        file = self._directory / f"key{next(_numbers)}.pem"
        file.touch(0o600)
        file.write_bytes(_pem(key, serialization.NoEncryption()))
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        digest = hashes.Hash(hashes.MD5())
        digest.update(public)
        return {
            "OCI_CLI_USER": "ocid1.user.oc1..test",
            "OCI_CLI_TENANCY": "ocid1.tenancy.oc1..test",
            "OCI_CLI_REGION": "us-ashburn-1",
            "OCI_CLI_KEY_FILE": str(file),
            "OCI_CLI_FINGERPRINT": digest.finalize().hex(":"),
        }

    def locked_key(self):
        """The account's private key as a file that needs a passphrase."""
        return _pem(self._key, serialization.BestAvailableEncryption(b"passphrase"))


def _new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=_BITS)


def _pem(key, encryption):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def options(vault=None, **more):
    """The options of a backend; without `vault`, one of its own that nobody has used."""
    vault = vault or f"ocid1.vault.oc1.iad.{next(_numbers)}"
    return {"vault_id": vault, "compartment_id": COMPARTMENT, "key_id": ENCRYPTION_KEY, **more}


# Started by the Python of the real `oci`: loads it once, then becomes it, in a copy of itself, for every caller.
_LOADED = """\
import functools, json, os, signal, socket, sys
from oci_cli.cli import cli
import oci.secrets, oci.vault
from oci._vendor.requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry
import services.secrets.src.oci_cli_secrets.secrets_cli_extended
import services.vault.src.oci_cli_vaults.vaults_cli_extended

# In two of some ten whole runs a busy machine had no connection on loopback for it for a while: oci says
# "timed out" of whatever goes wrong there. What is tested is what envref makes of its answers, so it may try again.
HTTPAdapter.__init__ = functools.partialmethod(HTTPAdapter.__init__, max_retries=Retry(3, backoff_factor=0.2))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + ".new")
listener.listen(16)
os.rename(sys.argv[1] + ".new", sys.argv[1])  # who finds it is heard
while True:
    caller, _ = listener.accept()
    if os.fork():
        caller.close()
        continue
    listener.close()
    message, descriptors, _, _ = socket.recv_fds(caller, 1 << 20, 3)
    arguments, environment, directory = json.loads(message)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
    sys.argv = arguments
    status = 0
    try:
        cli()
    except SystemExit as end:
        status = end.code or 0
        if isinstance(status, str):
            print(status, file=sys.stderr)
            status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        caller.sendall(bytes([status]))
        os._exit(0)
"""

_CALLER = """\
#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [json.dumps([["oci", *sys.argv[1:]], dict(os.environ), os.getcwd()]).encode()], [0, 1, 2])
sys.exit((server.recv(1) or b"\\1")[0])
"""


class LoadedOci:
    """The real `oci` without its start, which is most of what a call of it costs. `path` goes first on PATH.

    `program` is its path. `oci` as it is installed is `need_store_program("oci", "oci")`.
    """

    def __init__(self, directory):
        self._directory = directory
        self.path = str(directory / "loaded")
        self.program = f"{self.path}/oci"

    def __enter__(self):
        program = need_store_program("oci", "oci")
        address = self._directory / "oci.socket"
        self._process = subprocess.Popen(
            [os.path.join(os.path.dirname(program), "python"), "-c", _LOADED, str(address)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # no terminal to ask on, as under envref
            env={"PATH": os.defpath, "HOME": str(self._directory), "LC_ALL": "C", **reaper.mark()},
        )
        os.mkdir(self.path)
        with open(self.program, "w", opener=_executable) as script:
            script.write(_CALLER.format(python=sys.executable, address=str(address)))
        self._await(address)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def _await(self, address):
        patience = time.monotonic() + _PATIENCE
        while not address.exists():
            if time.monotonic() > patience or self._process.poll() is not None:
                raise RuntimeError("oci could not be loaded")
            time.sleep(0.02)


def _executable(path, flags):
    return os.open(path, flags, 0o755)
