"""Programs that the tests run: real shells, real stores. Installed if apt and root are available."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from setup.failure import NotSetUp

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 300  # seconds for another apt-get or dpkg
_POLICY = "/usr/sbin/policy-rc.d"  # 101 is its "no": /usr/share/doc/init-system-helpers/README.policy-rc.d.gz

# Debian package -> the program it is there for
PROGRAMS = {
    "age": "age",
    "busybox": "busybox",
    "dbus": "dbus-daemon",
    "direnv": "direnv",
    "ed": "ed",
    "expect": "expect",
    "fish": "fish",
    "git": "git",
    "gnome-keyring": "gnome-keyring-daemon",
    "gnupg": "gpg",
    "jq": "jq",
    "keepassxc": "keepassxc",
    "ksh": "ksh",
    "libsecret-tools": "secret-tool",
    "mksh": "mksh",
    "nodejs": "node",
    "openssh-client": "ssh-keygen",
    "openssl": "openssl",
    "pass": "pass",
    "pinentry-curses": "pinentry-curses",
    "postgresql-client": "psql",
    "procps": "pgrep",
    "redis-server": "redis-server",
    "shellcheck": "shellcheck",
    "strace": "strace",
    "tcsh": "tcsh",
    "valgrind": "valgrind",
    "vim": "vim",
    "zsh": "zsh",
}


def install_missing() -> None:
    """Installs what is missing. If it can't, says what is missing and goes on: the tests say what they skip.

    With CI=true a program that is still missing ends the run, with the package's name.
    """
    if missing := _missing():
        install(missing)
    if os.environ.get("CI") == "true" and (missing := _missing()):
        raise NotSetUp(f"not installed: {' '.join(missing)} (names of Debian packages)")


def _missing() -> list[str]:
    return [package for package, program in PROGRAMS.items() if not shutil.which(program)]


def install(packages: list[str]) -> None:
    """Installs Debian packages, or says which ones a person should install."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        print(f"not installed here: {' '.join(packages)} (names of Debian packages)", file=sys.stderr)
        return
    print(f"installing {' '.join(packages)}", file=sys.stderr, flush=True)
    with _nothing_started():
        if not _apt_get("install", *packages):
            # The lists of a new machine are empty or too old.
            _apt_get("update")
            _apt_get("install", *packages)


def _apt_get(verb: str, *packages: str) -> bool:
    # A new machine upgrades itself when it starts, and holds the lock meanwhile.
    patience = ["-o", f"DPkg::Lock::Timeout={_PATIENCE}"]
    command = ["apt-get", "--quiet", "--quiet", "--yes", "--no-install-recommends", *patience, verb, *packages]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode == 0


@contextmanager
def _nothing_started() -> Iterator[None]:
    """No package starts a service of its own, as redis-server would: Debian's packages ask this program first."""
    if os.path.lexists(_POLICY):
        yield  # the machine's owner has decided
        return
    with open(_POLICY, "x", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o755)) as file:
        file.write("#!/bin/sh\nexit 101\n")
    try:
        yield
    finally:
        os.unlink(_POLICY)
