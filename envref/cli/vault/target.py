"""The vault that a `vault` command means, opened: by `-b`, by `--path`, the config's, or the usual one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from envref import streams
from envref.backends.vault import store as vault
from envref.cli.consent import require
from envref.cli.grammar import directory
from envref.cli.options import backend_option
from envref.client import UNTOLD, Writing
from envref.errors import BackendError, EnvrefError
from envref.project.config.model import BackendConfig
from envref.project.project import NoProject, Project, configured


def vault_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`-b` and `--path`."""
    path = click.option("--path", metavar="FILE", help="Use this vault file.")
    return backend_option(path(command))


@contextmanager
def opened(backend: str | None, path: str | None) -> Iterator[vault.Vault]:
    """The vault that the options mean. Its warnings are printed at the end; its errors name the backend.

    Whatever the command does with it, the agent forgets what vaults gave.
    """
    target = _vault(backend, path)
    try:
        with Writing(target.type) as writing:
            yield target
        if not writing.is_safe:
            target.warnings.append(UNTOLD)
    except BackendError as error:
        raise (error if target.name == target.type else error.signed(target.name)) from None
    finally:
        streams.warn_each(target.warnings)


def _vault(backend: str | None, path: str | None) -> vault.Vault:
    if path is not None and backend is None:
        return vault.Vault("vault", path=os.path.join(os.path.realpath(directory()), path))
    project = _project(required=backend is not None)
    if project is not None:
        require(project)
    chosen = None if project is None else _chosen(project.config.backends, backend)
    if project is None or chosen is None:
        return vault.Vault("vault")
    arguments = chosen.arguments(project.root)
    if path is not None:
        arguments["path"] = os.path.join(os.path.realpath(directory()), path)
    return vault.Vault(chosen.name, **arguments)


def _project(*, required: bool) -> Project | None:
    """The surrounding project; a vault does not need one, but a backend's name does."""
    try:
        return configured(directory())
    except NoProject:
        if required:
            raise
        return None


def _chosen(backends: tuple[BackendConfig, ...], name: str | None) -> BackendConfig | None:
    """The backend of that name, else the first of type `vault`."""
    if name is None:
        return next((backend for backend in backends if backend.type == vault.Vault.type), None)
    named = {backend.name: backend for backend in backends}
    if name not in named:
        raise EnvrefError(f'backend "{name}" is not configured (configured: {", ".join(named)})')
    if named[name].type != vault.Vault.type:
        raise EnvrefError(
            f'backend "{name}" is of type {named[name].type}, not {vault.Vault.type}',
            hint="name a backend of type vault with --backend",
        )
    return named[name]
