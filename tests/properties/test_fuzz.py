"""Parsers under a fuzzer that follows the code: no crash, and what is written is read back (security.md 7)."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.nightly import count

# Ten minutes each at night; with every change a moment, to see that the targets work and that nothing near is broken.
SECONDS = count(2, 600)

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is installed for Python 3.11 on Linux x86_64 only"
)


@pytest.mark.parametrize("target", ["env_file", "reference", "config", "reply"])
def test_no_input_breaks_a_parser(target, tmp_path):
    """Every input is read or refused with an EnvrefError; parse(write(x)) is x."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.properties.fuzz", target, str(SECONDS), str(corpus)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=SECONDS + 120,
        check=False,
    )
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, said[-3000:]
    [runs] = re.findall(r"Done (\d+) runs", said)
    assert int(runs) > 100
