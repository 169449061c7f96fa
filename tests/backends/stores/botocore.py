"""botocore, in the Python that `aws` is installed in: what `aws` itself would sign, send and connect to."""

from __future__ import annotations

from tests.backends.stores.oracle import Oracle

_ORACLE = """\
import datetime, os
from unittest import mock
from botocore import auth, credentials, session
from botocore.awsrequest import AWSRequest

def sign(method, url, query, headers, body, keys, region, service, at):
    params = [(name, value) for name, value in query]
    request = AWSRequest(method, url, headers=headers, data=body.encode("latin-1"), params=params)
    moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    with mock.patch.object(auth, "get_current_datetime", lambda *_, **__: moment):
        auth.SigV4Auth(credentials.Credentials(*keys), service, region).add_auth(request)
    return dict(request.headers.items())

def endpoint(service, region):
    made = session.Session().create_client(
        service, region_name=region, aws_access_key_id="x", aws_secret_access_key="x"
    )
    return made.meta.endpoint_url

def regions(service):
    made = session.Session()
    return [each for name in made.get_available_partitions() for each in made.get_available_regions(service, name)]

# What a profile and an environment come to: keys, region and endpoint of the service, or the failure.
def settle(service, environment, profile, region):
    kept = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        made = session.Session(profile=profile or None)
        client = made.create_client(service, region_name=region or None)
        found = made.get_credentials()
        keys = found and found.get_frozen_credentials()
        return {"keys": keys and keys[:3], "region": client.meta.region_name, "endpoint": client.meta.endpoint_url}
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}
    finally:
        os.environ.clear()
        os.environ.update(kept)
"""


class Botocore(Oracle):
    """The oracle's functions are `sign`, `endpoint`, `regions` and `settle`."""

    def __init__(self):
        super().__init__("aws", _ORACLE)
