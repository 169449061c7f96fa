"""Trust across an edit by envref itself: what the user has it change in a trusted config stays trusted."""

from __future__ import annotations

from contextlib import contextmanager

from envref.project.project import configured
from envref.project.trust import record
from envref.project.trust.gate import grant
from envref.project.trust.meaning import fingerprint, meaning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envref.project.project import Project


@contextmanager
def kept(project: Project, environment: Mapping[str, str]) -> Iterator[None]:
    """Records the new fingerprint at the end, if the old one was recorded at the beginning."""
    before = record.read(project.root, environment)
    trusted = before is not None and before.granted and before.fingerprint == fingerprint(meaning(project, environment))
    yield
    if trusted:
        grant(configured(project.root, project.profile, environment), environment)
