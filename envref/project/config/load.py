"""The Config of a project: from the compiled copy of its files if there is one, else checked anew (commands.md 3).

Nothing here reads YAML: that costs more than starting Python. The copy is `cache` (docs/adr/0002-compiled-config.md),
the checks are `check`.
"""

from __future__ import annotations

import os

from envref.paths import expanded
from envref.project.config import cache
from envref.project.config.files import Sources, check_size
from envref.project.config.model import BackendConfig, Config, active_profile_fault, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def load(path: str, environment: Mapping[str, str] = os.environ) -> Config:
    """The config whose project file is at `path`, absolute. EnvrefError names everything that is wrong with it."""
    sources = Sources(path, environment)
    plain = cache.read(sources, environment)
    if plain is None:
        from envref.project.config.check import check

        checked = check(sources)
        checked.raise_faults()
        plain = checked.plain
        if checked.cacheable:
            cache.write(sources, plain, environment)
    return _configured(plain, sources, environment)


def of(sources: Sources, environment: Mapping[str, str] = os.environ) -> Config:
    """The config that these bytes make, whatever the file holds; reads and writes no compiled copy."""
    from envref.project.config.check import check

    check_size(sources.project_bytes)
    checked = check(sources)
    checked.raise_faults()
    return _configured(checked.plain, sources, environment)


def inspect(path: str, environment: Mapping[str, str] = os.environ) -> Config:
    """As `load`, but an unknown backend type is a warning: for `config show` (commands.md 2.15)."""
    from envref.project.config.check import check

    sources = Sources(path, environment)
    checked = check(sources)
    checked.tolerate_unknown_types()
    checked.raise_faults()
    return _configured(checked.plain, sources, environment)


def _configured(plain: dict[str, Any], sources: Sources, environment: Mapping[str, str]) -> Config:
    """The Config of checked data, completed by what the bytes don't say: the directory, and HOME."""
    root = os.path.dirname(sources.path)
    fault = active_profile_fault(plain.get("active_profile"), plain.get("profiles", {}), root)
    if fault:
        raise invalid([fault])
    fields = {**plain, "path": sources.path, "global_path": sources.global_path}
    if "backends" in plain:
        fields["backends"] = tuple(BackendConfig(**backend) for backend in plain["backends"])
    fields["trusted_paths"] = tuple(expanded(path, environment) for path in plain.get("trusted_paths", ()))
    return Config(**fields)
