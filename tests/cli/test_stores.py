"""What is alike for all stores that delegate to a program, seen through the whole process."""

from __future__ import annotations

import pytest

from tests.backends.stores.shim import recorded
from tests.cli.conftest import VAULT_ENTRY, config
from tests.lateness import as_set
from tests.requirements import first_python

OCIDS = {name: f"ocid1.{name}.oc1..x" for name in ("vault_id", "compartment_id", "key_id")}
# type -> its program, and what installs it and makes it ready; without Flox and with it
PROGRAMS = {
    "1password": ("op", "brew install 1password-cli, then op signin", "flox install _1password-cli, then op signin"),
    "aws-ssm": ("aws", "brew install awscli, then aws configure", "flox install awscli2, then aws configure"),
    "aws-secrets-manager": (
        "aws",
        "brew install awscli, then aws configure",
        "flox install awscli2, then aws configure",
    ),
    "hashicorp-vault": (
        "vault",
        "brew install hashicorp/tap/vault, then vault login",
        "flox install vault-bin, then vault login",
    ),
    "oci-vault": ("oci", "brew install oci-cli, then oci setup config", "flox install oci-cli, then oci setup config"),
    "doppler": (
        "doppler",
        "brew install dopplerhq/cli/doppler, then doppler login",
        "flox install doppler, then doppler login",
    ),
    "pass": (
        "pass",
        "brew install pass gnupg, then pass init YOUR-GPG-ID",
        "flox install pass gnupg pinentry-tty, then pass init YOUR-GPG-ID",
    ),
}


def entry(kind, **fields):
    return {"name": "store", "type": kind, "config": OCIDS if kind == "oci-vault" else {}, **fields}


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    """A machine without a store's program: PATH is empty, and no server is named."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.mark.parametrize("kind", PROGRAMS)
@pytest.mark.parametrize("flox", [False, True])
def test_a_missing_program_is_told_with_its_cure(project, nothing, monkeypatch, kind, flox):
    """What could not be started, the backend's name, and how to install it where one is."""
    program, brew, flox_install = PROGRAMS[kind]
    if flox:
        monkeypatch.setenv("FLOX_ENV", "/flox")
    project.write(".envref.yaml", config(entry(kind)))
    done = project.envref("secret", "set", "key", stdin="value-of-the-test")
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.splitlines() == [
        f'error: storing secret: {kind}: start {program}: executable file not found in $PATH (backend "store")',
        f"  run: {flox_install if flox else brew}",
    ]


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_missing_program_is_no_missing_secret(vaulted, nothing, kind):
    """The next store is not asked, unless the backend is optional: then it is skipped with a warning."""
    vaulted.envref("secret", "set", "key", stdin="value-of-the-vault")
    vaulted.write(".env", "KEY=ref://secrets/key\n")
    vaulted.write(".envref.yaml", config(entry(kind), VAULT_ENTRY))
    failed = vaulted.envref("resolve")
    assert (failed.stdout, failed.returncode) == ("", 3)
    assert f'backend "store": {kind}: start {PROGRAMS[kind][0]}: executable file not found' in failed.stderr
    vaulted.write(".envref.yaml", config(entry(kind, optional=True), VAULT_ENTRY))
    skipped = vaulted.envref("resolve")
    assert (skipped.stdout, skipped.returncode) == ("KEY=value-of-the-vault\n", 0)
    assert skipped.stderr.startswith(f'warning: backend "store" skipped: {kind}: start {PROGRAMS[kind][0]}: ')


@first_python
@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_program_that_hangs_ends_with_the_limit(project, home, tmp_path, monkeypatch, kind):
    """--timeout ends it, the message names the limit, and no value was an argument."""
    (home / ".password-store").mkdir()
    program = PROGRAMS[kind][0]
    sleep = tmp_path / "hang"
    sleep.write_text("#!/bin/sh\nsleep 86417\n")
    sleep.chmod(0o755)
    shim = recorded(tmp_path / "programs", sleep, program)
    monkeypatch.setenv("PATH", shim.path, prepend=":")
    project.write(".envref.yaml", config(entry(kind, timeout=1)))
    done = project.envref("secret", "set", "key", stdin="value-of-the-test")
    assert (done.stdout, done.returncode) == ("", 1)
    assert f"error: storing secret: {kind}: no answer within 1 s; raise --timeout" in as_set(done.stderr, 1)
    assert "value-of-the-test" not in f"{done.stderr}{shim.argvs()}"
    assert shim.count() == 1


def test_backends_of_every_type_side_by_side(project):
    """Several of one type, and all types, in one config; `backend list` shows them in their order."""
    entries = [{**entry(kind), "name": f"{kind}-{number}"} for kind in PROGRAMS for number in (1, 2)]
    project.write(".envref.yaml", config(*entries))
    done = project.envref("backend", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [
        [each["name"], f"type={each['type']}"] for each in entries
    ]
