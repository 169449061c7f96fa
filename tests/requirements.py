"""What a test needs of the machine: skipped with the reason where it is missing, a failure where CI=true."""

from __future__ import annotations

import os
import shutil

import pytest


def need(program):
    """The absolute path of `program`; without it the test is skipped, or fails in CI."""
    found = shutil.which(program)
    if found:
        return found
    reason = f"{program} is not installed here"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
