"""The system calls of an unlock session have the numbers that the kernel's own headers give them."""

from __future__ import annotations

import glob
import re

import pytest

from envref.backends.vault import session
from tests.requirements import first_python

pytestmark = first_python

# Where Debian's linux-libc-dev has them, and others' kernel headers. The generic ones are those of every newer machine.
GENERIC = "/usr/include/asm-generic/unistd.h"
HEADERS = {"x86_64": "/usr/include/*/asm/unistd_64.h", "aarch64": GENERIC, "riscv64": GENERIC}


@pytest.mark.parametrize("machine", HEADERS)
def test_the_numbers_are_the_kernel_s(machine):
    """Of add_key(2) and keyctl(2); another number would be another call."""
    found = glob.glob(HEADERS[machine])
    if not found:
        pytest.skip("no kernel headers here: apt install linux-libc-dev")
    with open(found[0], encoding="ascii", errors="replace") as file:
        header = file.read()
    numbers = [re.search(rf"#define __NR_{name} ([0-9]+)", header) for name in ("add_key", "keyctl")]
    if None in numbers:
        pytest.skip(f"{found[0]} is another machine's")
    assert tuple(int(number[1]) for number in numbers) == session._SYSTEM_CALLS[machine]


def test_the_numbers_of_other_machines():
    """Of arch/powerpc/kernel/syscalls/syscall.tbl in Linux; and a machine that is not listed has no such keyring."""
    assert session._SYSTEM_CALLS["ppc64le"] == (269, 271)
    assert session._SYSTEM_CALLS["riscv64"] == session._SYSTEM_CALLS["aarch64"]


@pytest.mark.parametrize(("platform", "machine"), [("darwin", "x86_64"), ("linux", "sparc64")])
def test_where_there_is_no_such_keyring(monkeypatch, platform, machine):
    """Nothing is called, kept or found."""
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("os.uname", lambda: type("Uname", (), {"machine": machine}))
    monkeypatch.setattr("envref.libc.call", None)
    assert not session.is_possible()
    assert not session.remember("nowhere", "AGE-SECRET-KEY-X", 5)
    assert session._recall("nowhere") is None
    session._forget("nowhere")
