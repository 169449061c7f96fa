"""Oracle's SDK, in the Python that `oci` is installed in: what `oci` itself would sign and send."""

from __future__ import annotations

from tests.backends.stores.oracle import Oracle

_ORACLE = """\
import email.utils, getpass, os
from unittest import mock
from click.testing import CliRunner
from oci import regions_definitions, signer
from oci._vendor import requests
from oci.auth.signers import SecurityTokenSigner
from oci_cli.cli import cli
import services.secrets.src.oci_cli_secrets.secrets_cli_extended
import services.vault.src.oci_cli_vaults.vaults_cli_extended

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

def realms():
    return {name: regions_definitions.REALMS[realm] for name, realm in regions_definitions.REGION_REALMS.items()}

# The request that `oci` would send for one of its commands, signed at that time, and for HTTPS whom it would trust: a
# file of authorities, or True for the usual ones. None where it sends none.
def sends(environment, arguments, at):
    sent, trusted = [], []
    def send(_, request, **more):
        sent.append(request)
        trusted.append(more["verify"] if request.url.startswith("https:") else None)
        raise OSError("not sent")
    kept = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        with (
            mock.patch.object(requests.Session, "send", send),
            mock.patch.object(email.utils, "formatdate", lambda usegmt: _formatdate(at, usegmt=usegmt)),
            mock.patch.object(getpass, "getpass", lambda *_: ""),
        ):
            CliRunner().invoke(cli, arguments)
    finally:
        os.environ.clear()
        os.environ.update(kept)
    headers = {name.lower(): value for name, value in sent[0].headers.items()} if sent else {}
    return {"url": sent[0].url, "authorization": headers["authorization"], "trusted": trusted[0]} if sent else None
"""


class OciSdk(Oracle):
    """The oracle's functions are `sign`, `reads_key`, `realms` and `sends`."""

    def __init__(self):
        super().__init__("oci", _ORACLE)
