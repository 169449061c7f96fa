"""The real `oci` against the loopback double of its services, with credentials made for the test (stores.md 10)."""

from __future__ import annotations

import itertools
import warnings

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.backends.doubles.oci_service import OciService
from tests.backends.stores.loaded import Loaded

COMPARTMENT = "ocid1.compartment.oc1..test"
ENCRYPTION_KEY = "ocid1.key.oc1.iad.test"
_DISCARD = 9  # the port where nobody answers
UNREACHABLE = f"http://127.0.0.1:{_DISCARD}"

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


# What the Python of the real `oci` loads before it becomes it (tests/fork_server.py).
_LOADED = """\
import functools, sys
import difflib, cryptography.hazmat.backends.openssl.backend  # as each call does, late
from oci_cli.cli import cli
import oci.secrets, oci.vault
from oci._vendor.requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError
from urllib3.util.retry import Retry
import services.secrets.src.oci_cli_secrets.secrets_cli_extended
import services.vault.src.oci_cli_vaults.vaults_cli_extended

# In some whole runs one request on loopback failed: oci says "timed out" of whatever goes wrong there, and hides
# what did. What is tested is what envref makes of oci's answers, so oci may ask again. What was lost is written down.
class Noted(Retry):
    def increment(self, method=None, url=None, *, error=None, _pool=None, **more):
        if _pool.host != "127.0.0.1" or _pool.port == {discard}:
            raise MaxRetryError(_pool, url, error)
        with open({log!r}, "a") as log:
            print(method, repr(error), file=log)
        return super().increment(method, url, error=error, _pool=_pool, **more)

again = Noted(3, backoff_factor=0.2, allowed_methods=None)
HTTPAdapter.__init__ = functools.partialmethod(HTTPAdapter.__init__, max_retries=again)

def become(arguments):
    sys.argv = arguments
    sys.exit(cli())
"""


class LoadedOci(Loaded):
    """The real `oci`, loaded beforehand. Warns of each request that it had to repeat."""

    def __init__(self, directory):
        self._log = directory / "again"
        super().__init__(directory, "oci", "oci", _LOADED.format(log=str(self._log), discard=_DISCARD))

    def __exit__(self, *_):
        super().__exit__()
        if self._log.exists():
            warnings.warn(f"oci asked again: {self._log.read_text()}", stacklevel=1)
