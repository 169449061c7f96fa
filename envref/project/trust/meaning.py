"""The meaning of a project's config: all that trust covers, as plain data, and its fingerprint (security.md 5.3).

Comments, layout, ordinary variables and references are not in it, so editing them never asks again. Nor is the
project's path: a pin from one machine is valid on another.
"""

from __future__ import annotations

import json
import os

from envref.env.file import merge
from envref.paths import open_file
from envref.project.config.model import is_profile_name
from envref.project.project import env_files, file_names
from envref.project.trust.need import PROGRAM, dangerous, needs, outside_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from envref.project.config.model import BackendConfig
    from envref.project.project import Project
    from envref.project.trust.need import Need

FORMAT = 1
_LARGEST = 256 << 20  # bytes of a program that can be pinned; reading more would hold up a shell


def meaning(project: Project, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Everything that trust in the project covers."""
    config = project.config
    return {
        "format": FORMAT,
        "project": config.project,
        "backends": [_backend(backend) for backend in config.backends] if "backends" in config.from_project else None,
        "programs": [_program(need, project.root) for need in needs(project, environment) if need.condition == PROGRAM],
        "env_file": config.env_file,
        "local_file": config.local_file,
        "profiles": config.profiles,
        "outside": dict(outside_files(project)),
        "team": config.team,
        "variables": _dangerous_names(project),
    }


def fingerprint(meant: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of the canonical JSON."""
    return digest(canonical(meant).encode())


def canonical(meant: Mapping[str, Any]) -> str:
    """One text for each meaning."""
    return json.dumps(meant, sort_keys=True, separators=(",", ":"))


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return str(_sha256(data).hexdigest())


def _sha256(data: bytes = b"") -> Any:
    """Python's built-in one: what hashlib loads first costs more than the rest of the gate."""
    for module in ("_sha2", "_sha256"):
        try:
            return __import__(module).sha256(data)
        except ImportError:
            continue
    import hashlib

    return hashlib.sha256(data)


def _backend(backend: BackendConfig) -> dict[str, Any]:
    options = {
        name: f"sha256 {digest(str(value).encode())}" if name == "token" else value
        for name, value in backend.options.items()
    }
    return {"name": backend.name, "type": backend.type, "config": options, "names": backend.names}


def _program(need: Need, root: str) -> dict[str, str]:
    """What identifies a program: inside the project its place and its bytes, elsewhere its path."""
    backend, path = need.backend.name if need.backend else "", need.detail or need.subject
    below = os.path.join(root, "")
    place = f"./{path.removeprefix(below)}" if path.startswith(below) else path
    if not os.path.isabs(path):
        return {"backend": backend, "program": path}
    target = os.path.realpath(path)
    if target.startswith(below):
        return {"backend": backend, "program": place, "sha256": content(target)}
    return {"backend": backend, "program": place, **({} if target == path else {"target": target})}


def content(path: str) -> str:
    """The SHA-256 of a program's bytes; empty if it can't be read; a random text each time if it is too large."""
    try:
        with open_file(path) as file:
            if os.fstat(file.fileno()).st_size > _LARGEST:
                return f"of none: larger than {_LARGEST >> 20} MiB, {os.urandom(8).hex()}"
            found = _sha256()
            while chunk := file.read(1 << 20):
                found.update(chunk)
            return str(found.hexdigest())
    except OSError:
        return ""


def _dangerous_names(project: Project) -> list[str]:
    """The dangerous names in any profile's files: the fingerprint does not depend on the profile in effect."""
    config = project.config
    on_disk = [f".env.{name}" for name in _profiles_on_disk(project.root)]
    names = dict.fromkeys([*file_names(config, project.profile), *config.profiles.values(), *on_disk])
    found: set[str] = set()
    for file in env_files(project, names):
        found.update(dangerous(config, ((entry.name, entry.text) for entry in merge([file]))))
    return sorted(found)


def _profiles_on_disk(root: str) -> list[str]:
    try:
        names = [name.removeprefix(".env.") for name in os.listdir(root) if name.startswith(".env.")]
    except OSError:
        return []
    return [name for name in names if is_profile_name(name)]
