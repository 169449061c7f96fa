"""`envref resolve --watch`: resolves again whenever a file changed, and writes the output if it differs."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from envref import streams
from envref.cli.activate import activate
from envref.errors import OK
from envref.formats import shells
from envref.formats.shells import Sink
from envref.fresh.lock import FILE as LOCK
from envref.project.watch import Files, counted, rounds

if TYPE_CHECKING:
    from envref.cli.request import Request
    from envref.formats.shells import Rendered

_SEPARATED = ("plain", "table")  # and what a shell evaluates: to all of their readers a blank line means nothing


class _Changes(Sink):
    """A sink that writes a text only if it differs from the last one."""

    __slots__ = ("_last", "_separator")

    def __init__(self, sink: Sink, format_: str) -> None:
        super().__init__(sink.render, sink.failure)
        form = shells.FORMATS.get(format_)
        self._separator = "\n" if format_ in _SEPARATED or (form and form.evaluable) else ""
        self._last: str | None = None

    def write(self, rendered: Rendered) -> None:
        if rendered.text == self._last:
            return
        separator = "" if self._last is None else self._separator
        self._last = rendered.text
        streams.write(separator + rendered.text)


def watching(request: Request, sink: Sink) -> int:
    """Resolves at once and after every change; an error ends only its own round.

    Ctrl-C and SIGTERM end it, with status 0. Raises NoProject if there is nothing to watch.
    """
    files = Files(request.directory, request.profile, () if request.locked is False else (LOCK,))
    changes = _Changes(sink, request.format)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        streams.inform(f"watching {counted(files)} file(s) for changes... (Ctrl+C to stop)")
        for number, _ in enumerate(rounds(files)):
            if number:
                streams.inform("change detected, re-resolving...")
            activate(request, changes)
    except KeyboardInterrupt:
        streams.inform("stopping watch")
    return OK
