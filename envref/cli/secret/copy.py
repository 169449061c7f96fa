"""`envref secret copy`."""

from __future__ import annotations

import click

from envref import streams
from envref.cli.secret.target import keyed, written
from envref.errors import EnvrefError, UsageError
from envref.project.config.check import project_fault
from envref.project.config.model import is_profile_name
from envref.refs.address import check_key
from envref.resolve.resolve import Scope
from envref.secret import Secret
from envref.secrets.scoped import ScopedStore, doing
from envref.secrets.target import Target


@keyed("copy")
@click.option("--from", "project", metavar="PROJECT", required=True, help="The project that has the secret.")
@click.option("--from-profile", metavar="NAME", help="That project's profile; without it the project's own scope.")
@click.option("--to-key", metavar="KEY", help="Store it under this key.")
def copy(
    key: str, backend: str | None, profile: str | None, project: str, from_profile: str | None, to_key: str | None
) -> None:
    """Copy a secret of another project in the same backend.

    Example: envref secret copy api_key --from other-project --from-profile production --profile staging
    """
    source = _scope(project, from_profile)
    check_key(key)
    own_key = key if to_key is None else to_key
    target = written(own_key, backend, profile)
    _check_projects(target)
    store = target.store()
    with doing(f'reading secret from project "{project}"'):
        value = _exactly(store.at(source), key)
    with doing("storing secret"):
        store.change({own_key: value})
    origin = f'project "{project}"' + (f' (profile "{from_profile}")' if from_profile else "")
    target.log("copy", own_key, f"from {project}/{from_profile}/{key}" if from_profile else f"from {project}/{key}")
    destination = f'"{target.scope.project}"{target.of_profile}' + (f' as "{own_key}"' if own_key != key else "")
    streams.inform(f'secret "{key}" copied from {origin} to {destination} (backend "{target.backend}")')


def _scope(project: str, profile: str | None) -> Scope:
    """The other project's scope. UsageError for a name that would reach into another scope."""
    fault = project_fault(project)
    if fault:
        raise UsageError(f"project name {fault}")
    if profile is not None and not is_profile_name(profile):
        raise UsageError(f'invalid profile name "{profile}"')
    return Scope(project, profile)


def _check_projects(target: Target) -> None:
    """EnvrefError for a store whose names hold no project: it would give this project's own secret."""
    store = target.chain().store(target.backend)
    if not store.backend.carries_project:
        raise EnvrefError(
            f'backend "{store.name}" does not keep projects apart; there is no other one to copy from',
            hint="envref secret set KEY stores the value",
        )


def _exactly(store: ScopedStore, key: str) -> Secret:
    """The value at exactly that scope; raises SecretNotFound if there is none."""
    value = store.get(key)
    if value is None:
        raise store.not_found(key)
    return value
