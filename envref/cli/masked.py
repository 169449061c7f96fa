"""`envref run --mask`: the command's output without the project's secret values (docs/mask.md)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envref import paths, streams
from envref.cli import child
from envref.errors import FAILED, EnvrefError
from envref.tools import needles
from envref.tools.masker import Needles
from envref.tools.relay import Relay, end_as

if TYPE_CHECKING:
    from typing import NoReturn

    from envref.cli.run_request import Run
    from envref.resolve.resolution import Resolution

_SERVICE = "PC_PROC_NAME"  # process-compose gives it to each process that it starts (its documentation)


def run(wanted: Run) -> int:
    """Starts the command beside this process; ends as it does. Raises EnvrefError where it can't be started masked."""
    if _SERVICE in os.environ:
        hint = "leave --mask out: the process that is watched and ended would be envref, not the service"
        raise EnvrefError("--mask is not for services", hint=hint)
    closed = paths.occupied()
    resolution, environment = child.prepared(wanted)
    if resolution is None:
        return FAILED
    relay = Relay(Needles(needles.needles(_secrets(resolution))), closed)

    def start() -> NoReturn:
        try:
            child.become(wanted.command, environment)
        except EnvrefError as error:
            streams.complain(error)
            os._exit(error.status)
        os._exit(FAILED)

    status = relay.run(start)
    if relay.fault:
        hint = "look at where its stdout and stderr lead"
        streams.complain(EnvrefError(f"output of the command was lost: {relay.fault}", hint=hint))
    return FAILED if relay.fault and status == 0 else end_as(status)


def _secrets(resolution: Resolution) -> list[str]:
    """The secret values; says which are too short."""
    found = needles.values(resolution)
    short = [name for secret, name in found.items() if 0 < len(secret) < needles.SHORTEST]
    if short:
        streams.warn(f"{', '.join(short)}: a value under {needles.SHORTEST} characters is not masked")
    return list(found)
