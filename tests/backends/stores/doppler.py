"""The real `doppler` against the loopback double of its service (stores.md 12)."""

from __future__ import annotations

from tests.backends.doubles.doppler_service import PROJECT
from tests.requirements import need_store_program

EVERYTHING = "dp.pt.everything"  # a personal token: sees every config, and must be told the project
DEV = "dp.st.dev.text"  # a service token: sees the config "dev", and nothing else


def program():
    """The path of the real `doppler`."""
    return need_store_program("light", "doppler")


def environment(service, token=EVERYTHING):
    """What makes `doppler` use the double. With a personal token, it is set up for the config "dev"."""
    chosen = {"DOPPLER_PROJECT": PROJECT, "DOPPLER_CONFIG": "dev"} if token == EVERYTHING else {}
    return {"DOPPLER_API_HOST": service.endpoint, "DOPPLER_TOKEN": token, **chosen}
