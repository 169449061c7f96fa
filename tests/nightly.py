"""How often a test tries: enough for every change, and more of the same at night (security.md 7)."""

from __future__ import annotations

import os

import pytest

# Read before a test's environment is cleared; `make test-nightly` sets it.
NIGHTLY = os.environ.get("ENVREF_TESTS_NIGHTLY") == "1"

at_night = pytest.mark.skipif(not NIGHTLY, reason="tried at night only: make test-nightly")


def count(usual, nightly):
    """The number for this run."""
    return nightly if NIGHTLY else usual
