"""The wrong profile name: `use`, `diff` and `export` refuse a profile that is not known. (`-P`: project/project.py.)"""

from __future__ import annotations

import os

from envref.cli.grammar import directory
from envref.errors import EnvrefError
from envref.project.config.load import load as load_config
from envref.project.config.model import Config, is_profile_name
from envref.project.project import Project, find, is_known, load


def check_known(profile: str, root: str, config: Config) -> None:
    """EnvrefError for a profile that is neither configured nor has its file (commands.md 1.5)."""
    if not is_known(profile, root, config):
        run = ("envref", "profile", "create", profile) if is_profile_name(profile) else ()
        raise EnvrefError(f'profile "{profile}" not found (not in config and .env.{profile} does not exist)', run=run)


def project_of(profile: str) -> Project:
    """The surrounding project with the files of a known profile."""
    path = find(directory())
    check_known(profile, os.path.dirname(path), load_config(path))
    return load(directory(), profile)
