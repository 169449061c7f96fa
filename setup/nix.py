"""Real Nix for the tests: Debian's, unpacked below `.venvs/` and bound to the libc that it came with.

Installed as a package, it would bring that newer libc to the whole machine. Nothing outside the checkout changes, and
root is not needed. The tests give it a store of their own (`tests/nix/machine.py`).
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from setup.environment import ROOT
from setup.failure import NotSetUp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION = "2.26.3"
PLACE = os.path.join(ROOT, ".venvs", "nix")
_RELEASE = "trixie"  # the Debian release that has VERSION
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
_STAMP = os.path.join(PLACE, "nix.stamp")


def program() -> str:
    """The absolute path of the `nix` that `install` installs."""
    return os.path.join(PLACE, "usr", "bin", "nix")


def install() -> None:
    """Nix, unless it is here already.

    If it can't be had, says why; the tests then use the machine's own `nix`, or say what they skip. With CI=true that
    ends the program.
    """
    if _is_installed():
        return
    try:
        _install()
    except NotSetUp as reason:
        if os.environ.get("CI") == "true" and not shutil.which("nix"):
            raise
        print(f"without Nix {VERSION}: {reason}", file=sys.stderr, flush=True)


def _install() -> None:
    print(f"unpacking Nix {VERSION}", file=sys.stderr, flush=True)
    shutil.rmtree(PLACE, ignore_errors=True)
    os.makedirs(PLACE)
    with tempfile.TemporaryDirectory() as scratch:
        for package in _download(scratch):
            _run(["dpkg-deb", "--extract", package, PLACE])
    _bind()
    with open(_STAMP, "w", encoding="utf-8") as file:
        file.write(_stamp())


def _is_installed() -> bool:
    try:
        with open(_STAMP, encoding="utf-8") as file:
            return file.read() == _stamp()
    except FileNotFoundError:
        return False


def _stamp() -> str:
    return f"{VERSION} {PLACE}"  # where it stands is written into the program


def _download(scratch: str) -> list[str]:
    """The packages of Nix, and all that they need down to libc, by lists and a cache of their own."""
    for directory in ("lists/partial", "archives/partial", "parts"):
        os.makedirs(os.path.join(scratch, directory))
    for name, text in _apt_files(scratch).items():
        with open(os.path.join(scratch, name), "w", encoding="utf-8") as file:
            file.write(text)
    variables = {"APT_CONFIG": os.path.join(scratch, "apt.conf")}
    apt = ["apt-get", "--quiet", "--quiet", "--yes", "--no-install-recommends"]
    _run([*apt, "update"], variables)
    _run([*apt, "--download-only", "install", f"nix-bin={VERSION}*", "patchelf"], variables)
    return sorted(glob.glob(os.path.join(scratch, "archives", "*.deb")))


def _apt_files(scratch: str) -> dict[str, str]:
    return {
        "status": "",  # nothing is installed: the closure is complete
        "sources.list": f"deb [signed-by={_KEYS}] {_mirror()} {_RELEASE} main\n",
        "apt.conf": f"""
Dir::State::lists "{scratch}/lists";
Dir::State::status "{scratch}/status";
Dir::Cache::archives "{scratch}/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "{scratch}/sources.list";
Dir::Etc::sourceparts "{scratch}/parts";
Dir::Etc::preferences "{scratch}/preferences";
Dir::Etc::preferencesparts "{scratch}/parts";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Languages "none";
APT::Sandbox::User "root";  // apt's own user may not enter the directory
Debug::NoLocking "true";
""",
    }


def _mirror() -> str:
    """Where this machine gets Debian from: the address of its own release's main part."""
    if not shutil.which("apt-get"):
        raise NotSetUp("apt-get, which would get it, is not there")
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    release = _codename()
    for line in listed.stdout.splitlines():
        *of, address = line.split(" ", 2)
        if of == [release, "main"]:
            return address
    raise NotSetUp(f"apt's sources have no {release or 'Debian'} main to take the mirror from")


def _codename() -> str:
    with open("/etc/os-release", encoding="utf-8") as file:
        pairs = dict(line.rstrip("\n").partition("=")[::2] for line in file)
    return pairs.get("VERSION_CODENAME", "").strip('"')


def _bind() -> None:
    """Writes into the program where its loader and its libraries are."""
    (loader,) = glob.glob(os.path.join(PLACE, "usr", "lib*", "ld-linux-*.so.*"))
    (libraries,) = glob.glob(os.path.join(PLACE, "usr", "lib", "*-linux-gnu"))
    patchelf = [loader, "--library-path", libraries, os.path.join(PLACE, "usr", "bin", "patchelf")]
    _run([*patchelf, "--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries, program()])
    _run([program(), "--version"])


def _run(command: Sequence[str], variables: Mapping[str, str] | None = None) -> None:
    environment = {**os.environ, **(variables or {})}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
    except OSError as error:
        raise NotSetUp(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise NotSetUp(f"{' '.join(command)}: exit status {done.returncode}: {said}")
