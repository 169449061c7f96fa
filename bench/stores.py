"""What the stores that delegate to a program cost: real programs, against servers on this machine.

The services of AWS, Doppler and OCI are emulated here, and 1Password's program is a double: these numbers leave out the
time of a network and a service.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench.place import PROJECT
from bench.scenarios import (
    FEW,
    KEYS,
    MANY,
    REFERENCES,
    Missing,
    Pair,
    Processes,
    Ratio,
    Scenario,
    cpu,
    difference,
    installed,
    pair,
    wall,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.place import Place
    from bench.sample import Command

_SLOW = 5  # runs, of programs that take half a second and more to start
_ROOT = pathlib.Path(__file__).parent.parent


@contextmanager
def parameters(place: Place) -> Iterator[Pair]:
    """A hundred parameters below one path, and plain variables."""
    with _amazon(place) as service:
        for key in KEYS:
            service.call(
                "AmazonSSM.PutParameter", Name=f"/envref/{PROJECT}/{key}", Value="a value", Type="SecureString"
            )
        yield _beside_plain(place, REFERENCES, "{name: ssm, type: aws-ssm}")


@contextmanager
def scattered_parameters(place: Place) -> Iterator[Pair]:
    """A hundred parameters that no path has in common, and plain variables."""
    with _amazon(place) as service:
        for key in KEYS:
            service.call("AmazonSSM.PutParameter", Name=f"/{key}/of/others", Value="a value", Type="SecureString")
        lines = [f"{key.upper()}=ref://ssm//{key}/of/others" for key in KEYS]
        yield _beside_plain(place, lines, "{name: ssm, type: aws-ssm}")


@contextmanager
def aws_secrets(place: Place) -> Iterator[Pair]:
    """A hundred secrets of Secrets Manager, and plain variables."""
    with _amazon(place) as service:
        for key in KEYS:
            service.call("secretsmanager.CreateSecret", Name=f"envref/{PROJECT}/{key}", SecretString="a value")
        yield _beside_plain(place, REFERENCES, "{name: asm, type: aws-secrets-manager}")


@contextmanager
def beside_doppler(place: Place) -> Iterator[Pair]:
    """A hundred secrets with envref, and the one program that it would run for them without its own requests."""
    with doppler(place) as (many, _):
        through = replace(many, environment={**many.environment, "DOPPLER_KNOWN_TO_NOBODY": "1"})
        yield many, _only_program(place, through)


@contextmanager
def hashicorp_vault(place: Place) -> Iterator[Pair]:
    """A hundred entries, and one `vault kv get`."""
    _require("light", "bao")
    from tests.backends.stores.openbao import TOKEN, OpenBao, binary

    place.install("vault", binary())
    with OpenBao(pathlib.Path(place.directory, "openbao")) as server:
        place.variables.update({"VAULT_ADDR": server.url, "VAULT_TOKEN": TOKEN})
        for key in KEYS:
            server.put(f"envref/{PROJECT}/{key}", {"value": "a value"})
        path = f"envref/{PROJECT}/{KEYS[0]}"
        one = place.command(["vault", "kv", "get", "-field=value", "-mount=secret", path])
        yield place.resolve(REFERENCES, "{name: hcvault, type: hashicorp-vault}"), one


@contextmanager
def doppler(place: Place) -> Iterator[Pair]:
    """A hundred secrets of a config, and one."""
    place.install("doppler", _require("light", "doppler"))
    from tests.backends.doubles.doppler_service import DopplerService
    from tests.backends.stores.doppler import environment

    with DopplerService() as service:
        service.configs["dev"].update({key.upper(): "a value" for key in KEYS})
        place.variables.update(environment(service))
        yield pair(place, "{name: doppler, type: doppler}")


@contextmanager
def onepassword(place: Place) -> Iterator[Pair]:
    """A hundred references to the double of 1Password, and one; one item in a hundred is missing."""
    from tests.backends.doubles.onepassword.account import OP, Account

    place.install("op", str(OP))
    directory = pathlib.Path(place.directory, "account")
    directory.mkdir()
    place.variables["OP_DOUBLE"] = str(directory)
    account = Account(directory)
    for key in KEYS[1:]:
        account.note(f"{PROJECT}/{key}", "a value")
    lines = [f"{REFERENCES[0]}?optional", *REFERENCES[1:]]
    store = "{name: op, type: 1password}"
    yield place.resolve(lines, store), place.resolve(lines[1:2], store)


@contextmanager
def pass_store(place: Place) -> Iterator[Pair]:
    """Twenty entries, and one `pass show`."""
    place.install("pass", installed("pass"))
    installed("gpg")
    from tests.backends.stores.pass_store import GnuPg, Passwords

    with GnuPg() as gnupg, _environment(gnupg.environment):
        directory = pathlib.Path(place.directory, "passwords")
        place.variables.update({**gnupg.environment, "PASSWORD_STORE_DIR": str(directory)})
        passwords = Passwords(directory)
        for key in KEYS[:FEW]:
            passwords.put(f"envref/{PROJECT}/{key}", b"a value\n")
        one = place.command(["pass", "show", f"envref/{PROJECT}/{KEYS[0]}"])
        yield place.resolve(REFERENCES[:FEW], "{name: pass, type: pass}"), one


@contextmanager
def passwords_and_gpg(place: Place) -> Iterator[Pair]:
    """A hundred entries, and as many bare `gpg -d` in the pool of processes that envref has."""
    place.install("pass", installed("pass"))
    from tests.backends.stores.pass_store import GnuPg, Passwords

    with GnuPg() as gnupg, _environment(gnupg.environment):
        directory = pathlib.Path(place.directory, "passwords")
        place.variables.update({**gnupg.environment, "PASSWORD_STORE_DIR": str(directory)})
        Passwords(directory).put(f"envref/{PROJECT}/{KEYS[0]}", b"a value\n")
        first, *others = (directory / f"envref/{PROJECT}/{key}.gpg" for key in KEYS)
        for path in others:
            shutil.copy(first, path)
        bare = [sys.executable, "-c", _POOL, installed("gpg"), *map(str, (first, *others))]
        yield place.resolve(REFERENCES, "{name: pass, type: pass, timeout: 60}"), place.command(bare)


_POOL = """\
import sys, time
from envref.backends import command
gpg, *entries = sys.argv[1:]
calls = [command.Call([gpg, "--quiet", "-d", entry]) for entry in entries]
command.run_many(calls, deadline=time.monotonic() + 60, label="gpg")
"""


@contextmanager
def oci_vault(place: Place) -> Iterator[Pair]:
    """Twenty secrets, and one."""
    place.install("oci", _require("oci", "oci"))
    from tests.backends.stores.oci import COMPARTMENT, ENCRYPTION_KEY, Account

    with Account(pathlib.Path(place.directory)) as account:
        place.variables.update(account.environment)
        for key in KEYS[:FEW]:
            account.service.put("V", f"{PROJECT}.-{key}", b"a value")
        options = f"vault_id: V, compartment_id: {COMPARTMENT}, key_id: {ENCRYPTION_KEY}"
        store = f"{{name: oci, type: oci-vault, timeout: 60, config: {{{options}}}}}"
        yield place.resolve(REFERENCES[:FEW], store), place.resolve(REFERENCES[:1], store)


@contextmanager
def _amazon(place: Place) -> Iterator[Any]:
    """The emulated services; `aws` is signed in to them."""
    place.install("aws", _require("aws", "aws"))
    _require("aws", "moto_server")
    from tests.backends.stores.aws import AwsService

    with AwsService() as service:
        place.variables.update(service.environment)
        yield service


def _beside_plain(place: Place, lines: Sequence[str], backend: str) -> Pair:
    """The activation of a project with these lines, and of one without secrets."""
    # One less: a project's directory has the number of its lines in its name.
    plain = [f"VARIABLE_{number}=value-{number}" for number in range(len(lines) - 1)]
    return place.resolve(lines, backend), place.resolve(plain, "name: vault")


def _require(group: str, program: str) -> str:
    """The path of a program that setup/stores.py installs; raises Missing without it."""
    path = _ROOT / ".venvs" / f"stores-{group}" / "bin" / program
    if not path.exists():
        raise Missing(f"{program} is not installed here")
    return str(path)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets the variables in this process, for a fixture that reads them there."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


def _only_program(place: Place, command: Command) -> Command:
    """The command that envref would run, without envref."""
    (argv,) = place.starts(command)
    return replace(command, arguments=argv)


SCENARIOS = (
    Scenario(
        parameters,
        (
            Ratio(f"{MANY} references of SSM by path / plain: wall", wall, 5),
            Processes(f"{MANY} references of SSM by path: processes", 0),
        ),
        runs=_SLOW,
    ),
    Scenario(
        scattered_parameters,
        (
            Ratio(f"{MANY} references of SSM, scattered / plain: wall", wall, 5),
            Processes(f"{MANY} references of SSM, scattered: processes", 0),
        ),
        runs=_SLOW,
    ),
    Scenario(
        aws_secrets,
        (
            Ratio(f"{MANY} references of Secrets Manager / plain: wall", wall, 5),
            Processes(f"{MANY} references of Secrets Manager: processes", 0),
        ),
        runs=_SLOW,
    ),
    Scenario(beside_doppler, (Ratio("envref beside one doppler: CPU in s", cpu, 0.1, difference),)),
    Scenario(hashicorp_vault, (Ratio(f"{MANY} references of Vault / `vault kv get`: wall", wall, 3),)),
    Scenario(
        doppler,
        (
            Ratio(f"{MANY} references of Doppler / 1: wall", wall, 1.5),
            Processes(f"{MANY} references of Doppler: processes", 0),
        ),
    ),
    Scenario(
        onepassword,
        (
            Ratio(f"{MANY} references of the 1Password double / 1: wall", wall, 3),
            Processes(f"{MANY} references of 1Password, 1 missing: processes", 2),
        ),
    ),
    Scenario(pass_store, (Ratio(f"{FEW} references of pass / `pass show`: wall", wall, 15),)),
    Scenario(
        passwords_and_gpg,
        (
            Ratio(f"{MANY} references of pass / {MANY} `gpg -d`: wall", wall, 1.05),
            Ratio(f"{MANY} references of pass / {MANY} `gpg -d`: CPU", cpu, 1.05),
        ),
        runs=_SLOW,
    ),
    Scenario(
        oci_vault,
        (
            Ratio(f"{FEW} references of OCI Vault / 1: wall", wall, 2),
            Processes(f"{FEW} references of OCI Vault: processes", 0),
        ),
        runs=_SLOW,
    ),
)
