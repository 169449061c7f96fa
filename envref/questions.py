"""What surrounds a question to a person at the terminal: Ctrl-C ends it, and nothing else is written meanwhile."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Cancellable:
    """A context in which Ctrl-C ends the process, also where SIGINT arrived ignored: Flox's prompt hook ignores it
    while it activates (hook.rs of 1.15).

    Only the main thread can do this; another thread's question relies on the context around its store.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        import signal

        self._before = signal.getsignal(signal.SIGINT)
        if self._before is signal.SIG_IGN:
            self._handle(signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        import signal

        if self._before is signal.SIG_IGN:
            self._handle(self._before)

    @staticmethod
    def _handle(handler: Any) -> None:
        import signal

        try:
            signal.signal(signal.SIGINT, handler)
        except ValueError:
            pass


class _OpenQuestion(Cancellable):
    """A context in which a question is on the terminal: nothing else may be written there meanwhile."""

    __slots__ = ("is_open",)

    def __init__(self) -> None:
        self.is_open = False

    def __enter__(self) -> None:
        self.is_open = True
        super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.is_open = False


question = _OpenQuestion()
