"""The vault of a project that gives it no path: made for whoever needs it, also in the place of a missing keychain."""

from __future__ import annotations

from envref import streams
from envref.backends.table import ANYWHERE
from envref.backends.vault import lifecycle, passphrase
from envref.backends.vault import store as vault
from envref.cli.keychain import lack
from envref.cli.prompt import at_terminal, confirmed
from envref.cli.vault.target import create, reported
from envref.paths import shown
from envref.project.edit import edit_own
from envref.project.project import Project, configured
from envref.store_errors import BackendError

_QUESTION = "Keep secrets in envref's own vault, in each project that lists no stores? [y/N] "


def create_usual() -> None:
    """Makes the vault that a project without a `path` uses, as `create` does."""
    with reported(vault.Vault(vault.Vault.type)) as usual:
        create(usual)


def usual_can_be_made() -> bool:
    """Whether `create_usual` would get its passphrase, or has nothing to do."""
    usual = vault.Vault(vault.Vault.type)
    return passphrase.is_given() or passphrase.can_be_asked(beside_data=False) or lifecycle.exists(usual.file)


def create_missing(project: Project) -> bool:
    """Makes the usual vault where the project keeps secrets in it and nobody made it yet; whether it did.

    A vault with a path of its own comes with the project, or by its members' agreement: that one is not made anew.
    """
    backends = [each for each in project.config.backends if each.type == vault.Vault.type]
    usual = any("path" not in each.options for each in backends)
    if not usual or lifecycle.exists(vault.Vault(vault.Vault.type).file) or not usual_can_be_made():
        return False
    create_usual()
    return True


def ready(project: Project, backend: str | None = None) -> Project:
    """The project as it is once the person at the terminal has the vault that its secrets need, in this backend or the
    first. Asks only there.

    Where nobody lists stores and no keychain answers, that is the vault too, by the user's own config: the project's
    belongs to others as well, whose machines may have one. Raises the keychain's error if the user says no.
    """
    if not at_terminal():
        return project
    if project.config.has_implied_backend:
        missing = lack()
        return _with_own_vault(project, missing) if missing else project
    chosen = next((each for each in project.config.backends if backend in (None, each.name)), None)
    if chosen and chosen.type == ANYWHERE:
        create_missing(project)
    return project


def _with_own_vault(project: Project, missing: BackendError) -> Project:
    streams.say([missing.message])
    if not confirmed(_QUESTION):
        raise missing
    create_usual()
    listed = edit_own(lambda own: own.with_item("backends", {"name": ANYWHERE, "type": ANYWHERE}))
    streams.inform(f'added backend "{ANYWHERE}" of type {ANYWHERE} to {shown(listed)}')
    return configured(project.root, project.profile)
