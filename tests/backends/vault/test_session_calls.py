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
