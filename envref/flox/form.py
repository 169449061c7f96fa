"""Form: how a project's secrets get into a Flox environment, and what that means for a manifest."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import tomlkit

from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.errors import EnvrefError
from envref.flox import block, install, names, plugin, services, shim_text, toml_text
from envref.flox.block import SHELLS
from envref.flox.manifest import GOODBYE, HOOK, PROFILE, SCRIPTS, UNDO, Manifest
from envref.flox.schema_version import GOODBYE_SINCE, PLUGINS_SINCE, UNDO_SINCE, written
from envref.flox.toml_text import Path
from envref.project import shimmed
from envref.project.config.model import Config
from envref.project.project import Project, committed_layers, env_path
from envref.resolve.withheld import for_shells

HOOKED, PROFILED, NATIVE, PLUGGED = "hook", "profile", "native", "plugin"
_STRICT_SIGNS = (" --strict", " || false")  # the native block has no option to pass on
_AGENT_OPTION = " --agent"
_PROFILE_OPTION = re.compile(r" --profile ([\w-]+)")
_STAYS = (
    "note: the variables stay set after flox deactivate, or after auto-activation leaves the directory: "
    f'their undo needs schema-version = "{written(UNDO_SINCE)}"'
)
_NO_GOODBYE = (
    "note: the agent keeps what it has until the terminal's shell ends, or its time is up: "
    f'flox deactivate can tell it with schema-version = "{written(GOODBYE_SINCE)}"'
)


class Form(NamedTuple):
    """What `flox-hook` was asked to write. `profile`, `strict` and `agent` become arguments of the generated call."""

    kind: str = HOOKED
    profile: str | None = None
    strict: bool = False
    imports: bool = False
    agent: bool = False


class Edit(NamedTuple):
    """A manifest after an edit, and lines for people about what was done or left."""

    manifest: Manifest
    said: list[str]


def committed(project: Project) -> Project:
    """The project with its env files except the personal one: what is written from it is for everybody."""
    base = project.config.env_file
    shared = committed_layers(project)
    present = [name for name in shared if name == base or os.path.lexists(os.path.join(project.root, name))]
    files = [EnvFile.read(env_path(project.root, name), name) for name in present]
    warnings = [*project.warnings, *(str(warning) for file in files for warning in file.warnings)]
    return Project(project.root, project.config, project.profile, files=files, warnings=warnings)


def environment(project: Project) -> Environment:
    """The project's variables, interpolated as `resolve` does."""
    return Environment(project.files, project.ambient)


def _for_shells(project: Project) -> Environment:
    """The same without what `tools:` keeps for some program: no activation exports it."""
    made = environment(project)
    if project.config.tools:
        made.variables = {variable.name: variable for variable in for_shells(project, made)}
    return made


def write(manifest: Manifest, form: Form, project: Project) -> Edit:
    """The manifest in this form; blocks of other forms are taken out, or every secret would be loaded twice."""
    old = found(manifest)
    replaced = [f"took out the {old} form: one form is enough"] if old and old != form.kind else []
    edit = _plugged(manifest, form, project) if form.kind == PLUGGED else _scripted(manifest, form, project)
    stays = [_STAYS] if form.kind == PROFILED != old and manifest.schema < UNDO_SINCE else []
    changes = str(edit.manifest) != str(manifest)
    stays += [_NO_GOODBYE] if form.agent and changes and manifest.schema < GOODBYE_SINCE else []
    return Edit(edit.manifest, [*replaced, *edit.said, *stays])


def _scripted(manifest: Manifest, form: Form, project: Project) -> Edit:
    scripts = _SCRIPTS[form.kind](form, project, manifest.schema)
    for path in SCRIPTS:
        manifest = manifest if path in scripts else manifest.without_block(path)
    manifest = plugin.without_table(manifest)
    for path in reversed(scripts):  # each new key goes to the top of its table
        manifest = manifest.with_block(path, scripts[path])
    return Edit(manifest, [])


def remove(manifest: Manifest) -> Manifest:
    """The manifest without anything that `write` puts in, in any form; a raised schema stays."""
    for path in SCRIPTS:
        manifest = manifest.without_block(path)
    return plugin.without_table(manifest)


def with_services(manifest: Manifest, project: Project) -> Manifest:
    """The manifest in which `envref run` starts the services that the project's config names."""
    wanted = project.config.services
    if not wanted:
        raise EnvrefError(
            "no services: in .envref.yaml", hint="name each service and its variables, e.g. services: {web: [API_KEY]}"
        )
    text = services.wrapped(manifest.text, wanted, known=environment(project).variables)
    return manifest.with_text(text, below=_commands(manifest))


def without_services(manifest: Manifest) -> Manifest:
    """The manifest with every service's own command again."""
    return manifest.with_text(services.unwrapped(manifest.text), below=_commands(manifest))


def _commands(manifest: Manifest) -> list[Path]:
    return [("services", name, "command") for name in toml_text.table_at(manifest.data, ("services",))]


def with_programs(manifest: Manifest, project: Project) -> Manifest:
    """The manifest with the programs of the project's stores in [install]."""
    kinds = install.kinds_of(project, environment(project))
    return manifest.with_text(install.with_programs(manifest.text, kinds, file=manifest.name), below=[("install",)])


def programs(project: Project) -> str:
    """The entries of [install] that the project's stores need, as TOML."""
    return install.with_programs("", install.kinds_of(project, environment(project)))


def found(manifest: Manifest) -> str:
    """The kind of form that the manifest holds, or an empty text."""
    for kind in manifest.blocks().values():
        if kind != block.SHIMS:
            return kind
    return PLUGGED if manifest.entries(plugin.KIND) or manifest.entries(plugin.IMPORTED) else ""


def kept(manifest: Manifest) -> Form:
    """The form that the manifest holds, with the options that it was written with; a hook where it holds none."""
    text = "\n".join(str(manifest.value(path)) for path in manifest.blocks())
    profile = _PROFILE_OPTION.search(text)
    return Form(
        kind=found(manifest) or HOOKED,
        profile=profile[1] if profile else None,
        strict=any(sign in text for sign in _STRICT_SIGNS),
        imports=bool(manifest.entries(plugin.IMPORTED)),
        agent=_AGENT_OPTION in text,
    )


def is_served_alone(manifest: Manifest) -> bool:
    """Whether its services are started through `envref run`, and nothing else loads secrets."""
    return not found(manifest) and services.unwrapped(manifest.text) != manifest.text


def warnings(manifest: Manifest) -> list[str]:
    """What its owner should know of the form and the services in it together.

    Flox logs the whole environment in which it starts them (process_compose.rs, since 651138cde of 2026-05-27).
    """
    kind, table = found(manifest), toml_text.table_at(manifest.data, ("services",))
    if kind in ("", PROFILED) or not any(isinstance(service, dict) for service in table.values()):
        return []
    narrowed = services.unwrapped(manifest.text) != manifest.text
    nothing = " (--services narrows nothing beside it)" if narrowed else ""
    leak = f"the {kind} form gives every service all secrets{nothing}, and Flox writes them into .flox/log/"
    cures = ("envref flox-hook --write --placement profile", "envref flox-hook --write --services")
    return [f"{manifest.name}: {leak}, readable by everyone; run: {cures[0]}, then {cures[1]}"]


def snippet(form: Form, project: Project) -> str:
    """The form as TOML to paste into a manifest. Leaves out what depends on the manifest's schema, and says so."""
    if form.kind == PLUGGED:
        table = plugin.entries(_for_shells(project))
        lines = [f"{name} = {tomlkit.string(uri).as_string()}" for name, uri in table.items()]
        needs = written(PLUGINS_SINCE)
        return "\n".join([f'# needs schema-version = "{needs}" or newer', "[plugins.envref]", *lines, ""])
    scripts = _SCRIPTS[form.kind](form, project, (0,))
    tables: dict[str, str] = {}
    for path, text in scripts.items():
        tables[path[0]] = tables.get(path[0], f"[{path[0]}]\n") + f"{path[1]} = '''\n{text}\n'''\n"
    later = {
        "[profile.deactivate]": form.kind == PROFILED and UNDO_SINCE,
        "hook.on-deactivate": form.agent and GOODBYE_SINCE,
    }
    notes = [
        f"# {key} needs schema-version {written(since)}; --write adds it where the manifest has that\n"
        for key, since in later.items()
        if since
    ]
    return "".join(notes) + "\n".join(tables.values())


def _hook(form: Form, project: Project, schema: Sequence[int]) -> dict[Path, str]:
    names.check(project.entries)
    if not shimmed.tools(project.config):
        script = block.hook(profile=form.profile, strict=form.strict, agent=form.agent)
        return {HOOK: script} | _goodbye(form, schema)
    script = block.hook(
        profile=form.profile, strict=form.strict, agent=form.agent, shims=shim_text.in_hook(form.profile)
    )
    lines = {shell: shim_text.in_profile(shell, form.profile) for shell in SHELLS}
    undone = {UNDO[shell]: block.undo(shell, [], shim_text.undo(shell, project.config)) for shell in SHELLS}
    return {
        HOOK: script,
        **_goodbye(form, schema),
        **(undone if tuple(schema) >= UNDO_SINCE else {}),
        **{PROFILE[shell]: block.shims_alone(text) for shell, text in lines.items()},
    }


def _goodbye(form: Form, schema: Sequence[int]) -> dict[Path, str]:
    return {GOODBYE: block.goodbye(form.kind)} if form.agent and tuple(schema) >= GOODBYE_SINCE else {}


def _profile(form: Form, project: Project, schema: Sequence[int]) -> dict[Path, str]:
    shared = _for_shells(project).variables
    entries = [entry for entry in project.entries if entry.name in shared]
    undone = names.exported(entries) if tuple(schema) >= UNDO_SINCE else []
    names.check(project.entries, undone=bool(undone))
    shims = bool(shimmed.tools(project.config))
    loading = {PROFILE[shell]: _loading(shell, form, shims=shims) for shell in SHELLS}
    off = dict.fromkeys(SHELLS, "")
    if shims:
        loading[HOOK] = block.shims_alone(shim_text.in_hook(form.profile))
        off = {shell: shim_text.undo(shell, project.config) for shell in SHELLS}
    undoes = bool(undone) or (shims and tuple(schema) >= UNDO_SINCE)
    undoing = {UNDO[shell]: block.undo(shell, undone, off[shell]) for shell in SHELLS} if undoes else {}
    return _goodbye(form, schema) | undoing | loading


def _loading(shell: str, form: Form, *, shims: bool) -> str:
    lines = shim_text.in_profile(shell, form.profile) if shims else ""
    return block.in_profile(shell, profile=form.profile, strict=form.strict, agent=form.agent, shims=lines)


def _native(form: Form, project: Project, _schema: Sequence[int]) -> dict[Path, str]:
    from envref.flox.native import native

    return {HOOK: native(project, _for_shells(project), strict=form.strict).removesuffix("\n")}


_SCRIPTS: Mapping[str, Callable[[Form, Project, Sequence[int]], dict[Path, str]]] = {
    HOOKED: _hook,
    PROFILED: _profile,
    NATIVE: _native,
}


def _plugged(manifest: Manifest, form: Form, project: Project) -> Edit:
    said = []
    wanted = plugin.entries(_for_shells(project))
    if manifest.schema < PLUGINS_SINCE:
        new = written(PLUGINS_SINCE)
        said.append(f'raised schema-version to "{new}": an older Flox will not read {manifest.name} any more')
        manifest = manifest.with_schema(PLUGINS_SINCE)
    if found(manifest) != PLUGGED and not _installs_envref(manifest):
        said.append("[plugins.envref] does nothing until envref is in [install]")
    for path in SCRIPTS:
        manifest = manifest.without_block(path)
    manifest = plugin.with_table(manifest, wanted)
    if form.imports:
        manifest, lines = _with_imports(manifest, project.config)
        said += lines
    if not manifest.value(("plugins", "envref")):
        raise EnvrefError(
            "no variable is a reference, so there is nothing for [plugins.envref]",
            run=("envref", "flox-hook", "--write", "--placement", "hook"),
        )
    return Edit(manifest, said)


def _installs_envref(manifest: Manifest) -> bool:
    """Whether a package of that name is in the environment itself; an included environment can't be seen from here."""
    programs = toml_text.table_at(manifest.data, ("install",)).values()
    paths = [entry.get("pkg-path", entry.get("flake", "")) for entry in programs if isinstance(entry, dict)]
    return any("envref" in str(path) for path in paths)


def _with_imports(manifest: Manifest, config: Config) -> Edit:
    found = plugin.imports(manifest, config)
    return Edit(plugin.with_imports(manifest, found.entries), found.left)
