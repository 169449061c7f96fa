"""A token in a file that git tracks: everybody with the repository has it (commands.md 3.4).

Loading a config never starts git. Commands that a person types ask here, once somebody here agreed to the project.
"""

from __future__ import annotations

import os

from envref.project import git
from envref.project.trust.agreement import is_agreed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.project.project import Project


def committed_tokens(project: Project) -> tuple[str, ...]:
    """A warning for each token of the project's own file; none where git doesn't track it, or before that."""
    tokens = project.config.tokens
    if not tokens or not is_agreed(project):
        return ()
    return tokens if git.tracks(*os.path.split(project.config.path)) else ()
