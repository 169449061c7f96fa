"""age_program: what the installed `age` opens for an SSH key, and what it says where it does not."""

from __future__ import annotations

import os
import subprocess

import pyrage
import pytest

from envref.errors import EnvrefError
from envref.secrets import age_program
from tests.requirements import first_python, need

pytestmark = first_python


@pytest.fixture
def keys(tmp_path):
    """Two SSH keys without a passphrase, which age takes without a question."""
    for name in ("one", "other"):
        make = [need("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(make, check=True)
    return tmp_path


def test_the_first_that_is_installed_is_taken(tmp_path, monkeypatch):
    """age, or rage, or none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert age_program.program() is None
    for name in ("rage", "age"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert age_program.program() == str(tmp_path / name)


def test_it_opens_what_is_sealed_for_the_key(keys):
    """Every byte; another key opens nothing, and the program's words say so."""
    age = need("age")
    recipient = pyrage.ssh.Recipient.from_str((keys / "one.pub").read_text())
    sealed = pyrage.encrypt(b"line\n\0\xff", [recipient])
    assert age_program.decrypt(age, sealed, os.path.relpath(keys / "one"), "team.age") == b"line\n\0\xff"
    with pytest.raises(EnvrefError, match=r"^team\.age: age did not open it: .*no identity matched") as caught:
        age_program.decrypt(age, sealed, str(keys / "other"), "team.age")
    assert caught.value.cure() == ["hint: try again"]
