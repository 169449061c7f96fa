"""Who answers a tool: one file a protocol. None imports what its answer does not need: git asks at every fetch."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.cli.credential.asked import Asked


def answer(asked: Asked) -> int:
    """Answers the tool; returns the exit status. Raises EnvrefError."""
    if asked.tool == "aws":
        from envref.cli.credential.aws import answered
    elif asked.tool == "cargo":
        from envref.cli.credential.cargo import answered
    elif asked.tool == "docker":
        from envref.cli.credential.docker import answered
    elif asked.tool == "git":
        from envref.cli.credential.git import answered
    else:
        from envref.cli.credential.kubectl import answered
    return answered(asked)
