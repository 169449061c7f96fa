"""`envref init`: the first files of a project."""

from __future__ import annotations

import os
from collections.abc import Callable

import click

from envref import atomic, streams
from envref.backends.table import ANYWHERE, DESKTOP
from envref.checks import committed
from envref.cli import candidates, lines
from envref.cli.grammar import Command, directory
from envref.cli.keychain import lack
from envref.errors import EnvrefError, UsageError
from envref.paths import shown
from envref.project.config.backends import check_bare
from envref.project.config.check import project_fault
from envref.project.config.files import FILE
from envref.project.config.style import scalar
from envref.project.project import configured, find, load
from envref.project.trust.gate import grant
from envref.project.trust.meaning import meaning
from envref.project.trust.need import SECRETS, needs
from envref.store_errors import BackendError

_LOCAL = ".env.local"
_DIRENV_FILE = ".envrc"

_CONFIG = """\
# What envref needs to know of this project. Commit this file.
project: {project}

# Where secrets are kept: a reference is looked up in this order. Without this section: the system's keychain.
{backends}

# Profiles: each has its own secrets, and overrides in .env.NAME.
# profiles:
#   staging:
"""
_BACKENDS = """\
backends:
  - name: {kind}
    type: {kind}"""
_BASE = """\
# Variables of this project. Commit this file: a secret stands in it as a reference, e.g. ref://secrets/api_key
APP_NAME=myapp
APP_ENV=development
APP_PORT=3000
"""
_PERSONAL = """\
# Your own overrides. This file stays out of version control.
# APP_PORT=3001
"""
_DIRENV = """\
watch_file .envref.yaml envref.lock .env .env.local "${XDG_STATE_HOME:-$HOME/.local/state}/envref/stamp"
eval "$(envref resolve --direnv)"
"""


@click.command(cls=Command)
@click.option("-p", "--project", "name", metavar="NAME", help="The project's name; by default the directory's.")
@click.option(
    "--backend",
    "kind",
    metavar="TYPE",
    shell_complete=candidates.types,
    help="Keep secrets in this type of store; a vault is created too.",
)
@click.option("--direnv", is_flag=True, help="Also write .envrc.")
@click.option("--flox", is_flag=True, help="Also write the hook block into the Flox environment's manifest.")
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@click.option("--dir", "target", metavar="DIR", help="The project's directory.")
def init(name: str | None, target: str | None, kind: str | None, *, direnv: bool, flox: bool, force: bool) -> None:
    """Make a directory an envref project.

    Example: envref init --project my-app --direnv
    """
    root = os.path.realpath(os.path.join(directory(), target or ""))
    project = _checked(os.path.basename(root) if name is None else name)
    config = os.path.join(root, FILE)
    is_new = force or not os.path.lexists(config)
    if kind is not None:
        _check_backend(kind, config, is_new=is_new)
    hook = _flox_hook(root) if flox else None
    _make(root)
    missing = lack() if kind is None and is_new else None
    kind = _with_vault(kind, missing)
    files = _files(project, kind, ANYWHERE if missing else DESKTOP, direnv=direnv)
    done = [_written(root, file, text, mode, force=force) for file, text, mode in files]
    for line in (*done, _ignored(root), *([hook()] if hook else [])):
        streams.inform(f"  {line}")
    if is_new:
        _trust(root)
    streams.inform("")
    streams.inform(_made(project, root) if is_new else _was_there(name, root))
    # direnv asks its user to look at a file before it runs it; we don't recommend a file that was already there.
    if f"create {_DIRENV_FILE}" in done:
        streams.inform("  run: direnv allow")
    if missing and kind is None:
        for line in (missing.message, *missing.cure()):
            streams.inform(f"  {line}")
    _advise(root)


def _with_vault(kind: str | None, missing: BackendError | None) -> str | None:
    """The type of store to write down, None for none; its vault is made before any file.

    Where no keychain answers, that is the vault too, if it is there or somebody is who can choose its passphrase.
    """
    from envref.cli.vault.usual import create_usual, usual_can_be_made  # which needs what only a vault needs

    implied = missing is not None and usual_can_be_made()
    if implied:
        streams.inform("No keychain answers here: the vault keeps the secrets (another store: --backend TYPE).")
    if implied or kind == ANYWHERE:
        create_usual()  # who mistypes its passphrase has no half-made project
        return ANYWHERE
    return kind


def _made(project: str, root: str) -> str:
    """What was made; warns of a project around it."""
    try:
        around = os.path.dirname(find(os.path.dirname(root)))
    except EnvrefError:
        around = ""  # none, or none that would count
    if around and around != root:
        within = os.path.relpath(around, root)
        streams.warn(f"{shown(around)} is a project too; to use its layers and backends here, add: extends: {within}")
    return f'Initialized envref project "{project}" in {shown(root)}'


def _was_there(name: str | None, root: str) -> str:
    """Which project it was before; warns that it keeps its name."""
    try:
        project = configured(root).config.project
    except EnvrefError as error:
        return f"{shown(root)} was a project already, whose {FILE} can't be used: {error.message}"
    if name not in (None, project):
        streams.warn(f'{FILE} keeps the name "{project}"; to change it: envref edit --config')
    return f'{shown(root)} was envref project "{project}" already'


def _advise(root: str) -> None:
    """Says what the env files that were there should not be."""
    try:
        project = load(root)
    except EnvrefError:
        return  # it is told by whatever uses them
    for each in committed.advice(project, project.files):
        streams.inform(f"  {each.line()}")


def _flox_hook(root: str) -> Callable[[], str]:
    """A function that writes the hook block and returns what it did. Raises EnvrefError before any file is written."""
    from envref.flox import block, form, manifest, manifest_file

    path = manifest_file.locate(root)
    inside = manifest_file.folder(path, root)
    name = os.path.relpath(path, root)

    def edit(old: manifest.Manifest) -> manifest.Manifest:
        return old if old.blocks() else old.with_block(manifest.HOOK, block.hook())

    def write() -> str:
        old, new = manifest_file.change(path, name, edit, inside=inside)
        return f"update {name} (added the envref hook)" if old.text != new.text else f"skip {name} (envref is in it)"

    read = manifest_file.read(path, name, inside=inside)
    streams.warn_each([*read.warnings, *form.warnings(edit(read))])
    return write


def _checked(project: str) -> str:
    fault = project_fault(project)
    if fault:
        raise UsageError(f"project name {fault}")
    return project


def _make(root: str) -> None:
    try:
        os.makedirs(root, exist_ok=True)
    except OSError as error:
        raise EnvrefError(f"creating {shown(root)}: {error.strerror}") from None


def _check_backend(kind: str, config: str, *, is_new: bool) -> None:
    """Raises for a type that can't be used as it is, and for a config that is there and would stay as it is."""
    check_bare(kind)
    if not is_new:
        raise EnvrefError(f"{shown(config)} is there already", run=("envref", "backend", "add", kind))


def _files(project: str, kind: str | None, example: str, *, direnv: bool) -> list[tuple[str, str, int]]:
    """Name, text and mode of every file of a new project, but for .gitignore."""
    files = [
        (FILE, _CONFIG.format(project=scalar(project), backends=_backends(kind, example)), 0o644),
        (".env", _BASE, 0o644),
        (_LOCAL, _PERSONAL, 0o600),
    ]
    return [*files, (_DIRENV_FILE, _DIRENV, 0o644)] if direnv else files


def _backends(kind: str | None, example: str) -> str:
    """The section of the config: in force for the given type, else the example as a comment."""
    if kind is not None:
        return _BACKENDS.format(kind=kind)
    return "\n".join(f"# {line}" for line in _BACKENDS.format(kind=example).splitlines())


def _written(root: str, file: str, text: str, mode: int, *, force: bool) -> str:
    """Writes a new file, or with `force` any file; returns what it did."""
    path = os.path.join(root, file)
    if os.path.islink(path) and not os.path.exists(path):
        target = shown(os.path.realpath(path))
        raise EnvrefError(f"{file} is a symlink to {target}, which does not exist", hint="replace the link by a file")
    if os.path.lexists(path) and not force:
        return f"skip {file} (already exists)"
    atomic.write(path, text.encode(), inside=root, mode=mode)
    return f"create {file}"


def _trust(root: str) -> None:
    """Records trust in what was just written. What still needs trust was there before; init does not vouch for it."""
    try:
        project = configured(root)
        if all(need.condition == SECRETS for need in needs(project)):
            grant(project, meaning(project))
    except EnvrefError as error:
        streams.warn(f"{FILE} is not recorded as trusted: {error.message}")


def _ignored(root: str) -> str:
    """Makes sure that .gitignore lists the personal file; returns what it did."""
    path = os.path.join(root, ".gitignore")
    if lines.add(path, _LOCAL, same=[f"/{_LOCAL}"], inside=root):
        return f"update .gitignore (added {_LOCAL})"
    return f"skip .gitignore ({_LOCAL} already listed)"
