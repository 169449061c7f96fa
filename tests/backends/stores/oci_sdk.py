"""Oracle's SDK, in the Python that `oci` is installed in: what `oci` itself would sign."""

from __future__ import annotations

from tests.backends.stores.oracle import Oracle

_ORACLE = """\
import email.utils
from unittest import mock
from oci import signer
from oci._vendor import requests
from oci.auth.signers import SecurityTokenSigner

_formatdate = email.utils.formatdate

# `owner` is a token, or a tenancy, a user and a fingerprint. Names of headers are in lower case.
def sign(method, url, body, owner, pem, passphrase, at):
    if isinstance(owner, str):
        made = SecurityTokenSigner(owner, signer.load_private_key(pem, passphrase))
    else:
        made = signer.Signer(*owner, None, pass_phrase=passphrase, private_key_content=pem)
    # As oci.base_client sends it.
    request = requests.Request(method, url, headers={"content-type": "application/json"}, data=body.encode("latin-1"))
    prepared = requests.Session().prepare_request(request)
    with mock.patch.object(email.utils, "formatdate", lambda usegmt: _formatdate(at, usegmt=usegmt)):
        headers = made(prepared).headers
    return {name.lower(): value for name, value in headers.items()}

def reads_key(pem, passphrase):
    try:
        return hasattr(signer.load_private_key(pem, passphrase), "private_numbers")
    except Exception as error:
        return type(error).__name__
"""


class OciSdk(Oracle):
    """The oracle's functions are `sign` and `reads_key`."""

    def __init__(self):
        super().__init__("oci", _ORACLE)
