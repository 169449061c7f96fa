"""The vault that a `vault` command means, opened: by `-b`, by `--path`, the config's, or the usual one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from envref import streams
from envref.agent.start import start
from envref.agent.tell import UNTOLD, Writing
from envref.backends.vault import age, lifecycle, passphrase
from envref.backends.vault import store as vault
from envref.cli.consent import require
from envref.cli.grammar import directory
from envref.cli.options import backend_option
from envref.client import Agent, folder
from envref.errors import EnvrefError
from envref.paths import shown
from envref.project.config.agent import of_user
from envref.project.config.model import BackendConfig
from envref.project.project import NoProject, Project, configured
from envref.store_errors import BackendError


def vault_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`-b` and `--path`."""
    path = click.option("--path", metavar="FILE", help="Use this vault file.")
    return backend_option(path(command))


def agent_for(backend: str | None, path: str | None) -> Agent | None:
    """The agent, if the user wants it for that vault."""
    project = None if path is not None and backend is None else project_around(required=backend is not None)
    if project is None:
        seconds = of_user()
    else:
        chosen = _chosen(project.config.backends, backend)
        seconds = project.config.agent_seconds(chosen) if chosen else project.config.agent or 0
    return Agent(folder(), start) if seconds else None


@contextmanager
def opened(backend: str | None, path: str | None) -> Iterator[vault.Vault]:
    """The vault that the options mean, as in `reported`."""
    with reported(_vault(backend, path)) as target:
        yield target


def create(target: vault.Vault, work_factor: int = age.DEFAULT_WORK_FACTOR) -> None:
    """Makes the vault behind a new passphrase, unless it is there; says which."""
    place = shown(target.file.path)
    if not lifecycle.exists(target.file):
        chosen = passphrase.chosen(target.warnings)
        if lifecycle.initialize(target.file, chosen, work_factor):
            streams.inform(f"vault initialized at {place}")
            return
    streams.inform(f"vault is already initialized at {place}")


@contextmanager
def reported(target: vault.Vault) -> Iterator[vault.Vault]:
    """The vault in use. Its warnings are printed at the end; its errors name the backend.

    Whatever the command does with it, the agent forgets what vaults gave.
    """
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
    project = project_around(required=backend is not None)
    if project is not None:
        require(project)
    chosen = None if project is None else _chosen(project.config.backends, backend)
    if project is None or chosen is None:
        return vault.Vault("vault")
    arguments = chosen.arguments(project.root)
    if path is not None:
        arguments["path"] = os.path.join(os.path.realpath(directory()), path)
    return vault.Vault(chosen.name, **arguments)


def project_around(*, required: bool) -> Project | None:
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
