"""The rules of `agent:`, which keeps what stores gave (docs/agent.md): a project's file may only say no."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envref.project.config import duration
from envref.project.config.files import FILE, own_bytes
from envref.project.config.findings import Findings
from envref.project.config.model import KEPT
from envref.project.config.yaml import Mapping, Scalar, parse

if TYPE_CHECKING:
    from collections.abc import Mapping as Map

    from envref.project.config.yaml import Node

_LONGEST = 24 * 3600  # what the agent takes
_ALLOWED = "true, false or {ttl: 8h}"


def agent(node: Node, key: str, findings: Findings) -> int | None:
    """Seconds that answers are kept; 0 for false. None for what can't be used, which is noted."""
    if isinstance(node, Mapping):
        findings.warn_unknown_keys(node, ("ttl",))
        seconds = _ttl(node, key, findings)
    else:
        wanted = findings.boolean(node, key, _ALLOWED)
        seconds = None if wanted is None else KEPT * wanted
    if seconds and node.file == FILE:
        findings.faults.append(node.problem(f"{key}: a project's file may only say false; your own config says true"))
    return seconds


def of_user(environment: Map[str, str] = os.environ) -> int:
    """The seconds that the user's own config says, for what is in no project; 0 where it says none."""
    node = parse(*own_bytes(environment)).entries.get("agent")
    return 0 if node is None else agent(node, "agent", Findings()) or 0


def _ttl(node: Mapping, key: str, findings: Findings) -> int | None:
    ttl = node.entries.get("ttl")
    kept = duration.seconds(ttl.text, "smh") if isinstance(ttl, Scalar) else 0
    if not 0 < kept <= _LONGEST:
        findings.faults.append((ttl or node).problem(f"{key}: ttl must be a number with s, m or h, at most 24h"))
        return None
    return kept
