"""A store's program in the tests' own process: what it is asked, and what it answers. Nothing is started.

What the real program says is tried by the tests that run it; here it is what envref makes of an answer.
"""

from __future__ import annotations

from envref.backends import command, programs
from envref.store_errors import BackendError


class Answering:
    """`asked` has the arguments of each call, `payloads` what was on its standard input, `environments` their own.

    A call answers: text of a success, a tuple of status, text and stderr, or an error that it could not be run with.
    """

    def __init__(self, monkeypatch):
        self.asked, self.payloads, self.environments = [], [], []
        self._answer = None
        self.here = None  # the programs that are installed; None means all
        monkeypatch.setattr(programs, "find", self._find)
        monkeypatch.setattr(command, "find", self._find)
        monkeypatch.setattr(command, "run_many", self._run_many)

    def __call__(self, answer):
        """From now on; the calls of before are forgotten."""
        self._answer = answer if callable(answer) else lambda *_: answer
        self.asked.clear()
        self.payloads.clear()
        self.environments.clear()

    def _find(self, name, *, root=""):
        return f"/bin/{name}" if self.here is None or name in self.here else None

    def _run_many(self, calls, *, deadline, label, environment=None, directory=None):
        return [self._ended(call, environment) for call in calls]

    def _ended(self, call, environment):
        words = [*call.argv[1:]]
        self.asked.append(words)
        self.payloads.append(call.payload)
        self.environments.append(environment)
        answer = self._answer(words, call.payload)
        if isinstance(answer, BackendError):
            return answer
        status, stdout, stderr = answer if isinstance(answer, tuple) else (0, answer, "")
        return command.Finished(status, stdout.encode() if isinstance(stdout, str) else stdout, stderr)
