"""The rules of `audit_log:`, which has reads logged (docs/team.md): a project's file may only say yes.

The log is the user's, who may want it for every project; a project must not switch it off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.project.config.files import FILE
from envref.project.config.model import READS
from envref.project.config.yaml import Mapping

if TYPE_CHECKING:
    from envref.project.config.findings import Findings
    from envref.project.config.yaml import Node


def audit_log(node: Node, key: str, findings: Findings) -> tuple[str, ...] | None:
    """What is logged beside changes. None for what can't be used, which is noted."""
    if not isinstance(node, Mapping) or READS not in node.entries:
        findings.faults.append(node.problem(f"{key} must be {{{READS}: true}}"))
        return None
    findings.warn_unknown_keys(node, (READS,))
    wanted = findings.boolean(node.entries[READS], f"{key}: {READS}")
    if wanted is False and node.file == FILE:
        findings.faults.append(node.problem(f"{key}: a project's file may only say true; your own config says false"))
    return (READS,) if wanted else ()
