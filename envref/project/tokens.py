"""A token in a file that git tracks: everybody with the repository has it (commands.md 3.4).

Loading a config never starts git. Commands that a person types ask here, once the project is trusted.
"""

from __future__ import annotations

import os

from envref.project import git
from envref.project.trust.gate import is_waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.project.project import Project


def committed_tokens(project: Project) -> tuple[str, ...]:
    """A warning for each token of the project's own file; none where git doesn't track it, or before trust."""
    tokens = project.config.tokens
    if not tokens or is_waiting(project):
        return ()
    return tokens if git.tracks(*os.path.split(project.config.path)) else ()
