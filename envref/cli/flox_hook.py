"""`envref flox-hook`: what loads the project's secrets in a Flox environment, and where it goes in the manifest."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from typing import NamedTuple

import click

from envref import streams
from envref.cli import candidates
from envref.cli.grammar import Command, directory, exclusive
from envref.cli.options import profile_option
from envref.errors import OK, PARTIAL, EnvrefError, UsageError, pasted
from envref.flox import form as forms
from envref.flox import manifest_file, unlocked
from envref.flox.form import Edit, Form
from envref.flox.manifest import Manifest
from envref.project.project import NoProject, Project, configured, find

_NEAREST = "\0"  # stands for an option without its MANIFEST; no argument can have this value
_LOCK = "[install] changed; run flox activate, then commit manifest.lock"


class _Wish(NamedTuple):
    """What the options ask for."""

    form: Form
    install: bool
    services: bool


@click.command("flox-hook", cls=Command)
@click.option("--write", metavar="[MANIFEST]", is_flag=False, flag_value=_NEAREST, help="Insert or update the block.")
@click.option(
    "--check", metavar="[MANIFEST]", is_flag=False, flag_value=_NEAREST, help="Exit 3 if --write would change it."
)
@click.option(
    "--diff", metavar="[MANIFEST]", is_flag=False, flag_value=_NEAREST, help="Show what --write would change."
)
@click.option("--remove", metavar="[MANIFEST]", is_flag=False, flag_value=_NEAREST, help="Take the block out again.")
@click.option(
    "--placement",
    metavar="P",
    shell_complete=candidates.choice("hook", "profile"),
    help="hook, or profile: once per shell, never in a file of Flox.",
)
@click.option("--native", is_flag=True, help="Call the stores' own programs, without envref.")
@click.option("--plugin", is_flag=True, help="Write the table [plugins.envref].")
@click.option("--import", "imports", is_flag=True, help="With --plugin: also the tables of Flox's own plugins.")
@click.option("--services", is_flag=True, help="Start the services that .envref.yaml names through envref run.")
@click.option("--install", is_flag=True, help="Also add the stores' programs to [install].")
@click.option("--strict", is_flag=True, help="A missing secret stops the activation.")
@click.option("--agent", is_flag=True, help="Keep the values in the agent while the environment is in use.")
@profile_option
def flox_hook(
    profile: str | None,
    placement: str | None,
    write: str | None,
    check: str | None,
    diff: str | None,
    remove: str | None,
    *,
    native: bool,
    plugin: bool,
    services: bool,
    install: bool,
    strict: bool,
    imports: bool,
    agent: bool,
) -> int:
    """Load the project's secrets in a Flox environment. Without an option: print what goes into its manifest.

    Example: envref flox-hook --write && flox activate
    """
    actions = {"write": write, "check": check, "diff": diff, "remove": remove}
    exclusive(**actions)
    kind = _kind(placement, native=native, plugin=plugin, services=services)
    form = Form(kind, profile, strict=strict, imports=imports, agent=agent)
    _refuse_misplaced(form, services=services)
    wish = _Wish(form, install, services)
    [(action, target)] = [pair for pair in actions.items() if pair[1] is not None] or [("", None)]
    if wish.services and not action:
        raise UsageError("--services works on a manifest: add --write, --check, --diff or --remove")
    if action == "remove":
        exclusive(remove=True, install=wish.install)
        return _remove(str(target), wish)
    if not action:
        project = _shared(profile)
        _refuse_unlocked(form, project)
        streams.write(_snippet(wish, project))
        return OK
    path, name, inside = _place(str(target), configured(directory(), profile).root)
    if form == Form() and placement is None and not services:  # nobody asked for another one than there is
        there = manifest_file.read(path, name, inside=inside)
        form = forms.kept(there)
        wish, profile = wish._replace(form=form, services=forms.is_served_alone(there)), form.profile
    project = _shared(profile)
    _refuse_unlocked(form, project)
    status = _DOING[action](path, name, inside, lambda manifest: _edited(manifest, wish, project))
    calls_envref = form.kind != forms.NATIVE
    return _agreed(configured(directory(), profile)) if action == "write" and calls_envref else status


def _shared(profile: str | None) -> Project:
    """The project as everybody has it; prints its warnings."""
    project = forms.committed(configured(directory(), profile))
    streams.warn_each(project.warnings)
    return project


def _agreed(project: Project) -> int:
    """Shows what an activation will do from now on: who writes the block agrees to it. On a terminal it asks.

    Once: where somebody decided before, the next activation asks about what has changed.
    """
    from envref.cli.trust import grant
    from envref.project.trust import record
    from envref.project.trust.agreement import is_agreed

    return OK if record.read(project.root) or is_agreed(project) else grant(project)


def _kind(placement: str | None, *, native: bool, plugin: bool, services: bool) -> str:
    """The form that the options ask for. UsageError for two of them."""
    if placement not in (None, "hook", "profile"):
        raise UsageError(f'invalid placement "{placement}": must be one of hook, profile')
    in_profile = placement == "profile"
    kinds = {"native": native, "plugin": plugin, "services": services}
    exclusive(**kinds)
    for name, wanted in kinds.items():
        exclusive(placement=in_profile, **{name: wanted})
    if in_profile:
        return forms.PROFILED
    return forms.NATIVE if native else forms.PLUGGED if plugin else forms.HOOKED


def _refuse_misplaced(form: Form, *, services: bool) -> None:
    """Raises UsageError for an option that does not go with the form."""
    plugin = form.kind == forms.PLUGGED
    if form.imports and not plugin:
        raise UsageError("--import needs --plugin")
    if plugin and form.strict:
        raise UsageError("--strict is not for --plugin; set ENVREF_STRICT=1 where the environment is activated")
    if plugin and form.profile:
        raise UsageError("--profile is not for --plugin; set ENVREF_PROFILE where the environment is activated")
    calls_resolve = not services and form.kind in (forms.HOOKED, forms.PROFILED)
    if form.agent and not calls_resolve:
        word = "services" if services else form.kind
        raise UsageError(f"--agent is not for --{word}; your own config can say agent: true")
    if services and (form.strict or form.profile):
        raise UsageError(f"--{'strict' if form.strict else 'profile'} is not for --services")


def _refuse_unlocked(form: Form, project: Project) -> None:
    """Raises EnvrefError for a form that would give other versions than envref.lock has."""
    if project.config.locked and form.kind in unlocked.FORMS:
        hint = "leave that option out, or write: envref flox-hook --write --placement hook"
        raise EnvrefError(f"locked: true in .envref.yaml, and --{form.kind} gives the latest versions", hint=hint)


def _place(target: str, root: str) -> tuple[str, str, str]:
    """Path and shown name of the manifest, and the folder that its links may not leave."""
    path = manifest_file.locate(root) if target == _NEAREST else os.path.join(directory(), target)
    inside = manifest_file.folder(path, root)
    return path, os.path.relpath(path, root) if target == _NEAREST else target, inside


def _edited(manifest: Manifest, wish: _Wish, project: Project) -> Edit:
    """The manifest as the options want it."""
    streams.warn_each(manifest.warnings)
    said = []
    if wish.install:  # first, so that a refusal names the file's own line
        programs = forms.with_programs(manifest, project)
        said += [_LOCK] if str(programs) != str(manifest) else []
        manifest = programs
    edit = _formed(manifest, wish, project)
    for warning in forms.warnings(edit.manifest):
        streams.warn(warning)
    limits = _limits(wish) if str(edit.manifest) != str(manifest) else []
    return Edit(edit.manifest, [*edit.said, *said, *limits])


def _formed(manifest: Manifest, wish: _Wish, project: Project) -> Edit:
    if wish.services:
        return Edit(forms.with_services(manifest, project), [])
    return forms.write(manifest, wish.form, project)


def _snippet(wish: _Wish, project: Project) -> str:
    programs = forms.programs(project) if wish.install else ""
    for line in _limits(wish):
        streams.inform(line)
    return "\n".join(filter(None, [programs, forms.snippet(wish.form, project)]))


def _limits(wish: _Wish) -> list[str]:
    """Says what a person must know about the form that needs no envref (flox.md 6.4)."""
    if wish.form.kind != "native":
        return []
    from envref.flox.native_text import LIMITS

    return [f"note: {limit}" for limit in LIMITS]


def _write(path: str, name: str, inside: str, edit: Callable[[Manifest], Edit]) -> int:
    said: list[str] = []

    def edited(manifest: Manifest) -> Manifest:
        changed = edit(manifest)
        said.extend(changed.said)
        return changed.manifest

    old, new = manifest_file.change(path, name, edited, inside=inside)
    for line in said:
        streams.inform(line)
    streams.inform(f"{name} is up to date" if str(old) == str(new) else f"wrote {name}")
    return OK


def _check(path: str, name: str, inside: str, edit: Callable[[Manifest], Edit]) -> int:
    old = manifest_file.read(path, name, inside=inside)
    difference = _difference(old, edit(old).manifest, context=0)
    if not difference:
        return OK
    # Lines around the block may hold text that its owner does not want in a log.
    streams.say([*difference, f"error: {name} is not what envref flox-hook would write", f"  run: {_again()}"])
    return PARTIAL


def _diff(path: str, name: str, inside: str, edit: Callable[[Manifest], Edit]) -> int:
    old = manifest_file.read(path, name, inside=inside)
    changed = edit(old)
    for line in changed.said:
        streams.inform(line)
    streams.write("".join(f"{line}\n" for line in _difference(old, changed.manifest, context=3)))
    return OK


_DOING = {"write": _write, "check": _check, "diff": _diff}


def _difference(old: Manifest, new: Manifest, *, context: int) -> list[str]:
    """A unified diff, without line ends; empty when there is no difference."""
    before, after = (str(each).splitlines(keepends=True) for each in (old, new))
    lines = difflib.unified_diff(before, after, old.name, f"{old.name} (envref flox-hook)", n=context)
    missing = "\n\\ No newline at end of file\n"
    return "".join(line if line.endswith("\n") else line + missing for line in lines).split("\n")[:-1]


def _again() -> str:
    """The command that writes what this one checked."""
    words = ["envref", "flox-hook"]
    context = click.get_current_context()
    for name, value in context.params.items():
        if name == "check":
            words += ["--write"] if value == _NEAREST else ["--write", str(value)]
        elif value:
            option = {"imports": "import"}.get(name, name)
            words += [f"--{option}"] if value is True else [f"--{option}", str(value)]
    return pasted(words)


def _remove(target: str, wish: _Wish) -> int:
    """Takes out blocks and services; with --services only the services."""

    def removed(manifest: Manifest) -> Manifest:
        if not wish.services:
            manifest = forms.remove(manifest)
        return forms.without_services(manifest)

    path, name, inside = _place(target, _root())
    old, new = manifest_file.change(path, name, removed, inside=inside)
    streams.inform(f"{name} holds nothing of envref" if str(old) == str(new) else f"removed envref from {name}")
    return OK


def _root() -> str:
    """The project's root; without a config its leftovers can still be removed."""
    try:
        return os.path.dirname(find(directory()))
    except NoProject:
        return os.path.realpath(directory())
