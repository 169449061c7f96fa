"""Whether the Flox manifest loads the project's secrets as `envref flox-hook` would write it now."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envref.checks.doctor.finding import Finding, from_error, from_problem
from envref.errors import EnvrefError, MalformedFile
from envref.flox import form as forms
from envref.flox import manifest_file, unlocked
from envref.flox.form import Form
from envref.flox.replay import BREAKS
from envref.formats import shells
from envref.project.project import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envref.checks.doctor.case import Case
    from envref.flox.manifest import Manifest
    from envref.project.project import Project

_COMMAND = ("envref", "flox-hook", "--write")
_KIND = {
    forms.HOOKED: (),
    forms.PROFILED: ("--placement", "profile"),
    forms.NATIVE: ("--native",),
    forms.PLUGGED: ("--plugin",),
}


def missing_or_drifted_block(case: Case) -> Iterator[Finding]:
    """There could be a block and is not, or the block is not what its options would write today."""
    if not case.configured or case.faults or case.interpolation_faults:
        return  # nothing could be written now; `unreadable` says why
    try:
        yield from _differences(manifest_file.around(case.project.root), forms.committed(case.project))
    except MalformedFile as error:
        yield from map(from_problem, error.problems)
    except EnvrefError as error:
        yield from_error("Flox", error, "see envref flox-hook --help for the forms there are")


def broken_replays(case: Case) -> Iterator[Finding]:
    """Plain values that Flox's own quoting breaks in the user's shell (flox.md 3.5); `resolve` warns of secrets."""
    shell = shells.shell_of_environment(os.environ)
    if shell not in BREAKS or is_in_profile(case):
        return
    for variable in case.variables:
        if variable.plain and BREAKS[shell](variable.plain):
            entry, message = variable.entry, f'Flox cannot replay the value of "{variable.name}" into {shell}'
            run = (*_COMMAND, *_KIND[forms.PROFILED])
            yield Finding(entry.file, message, run=run, line=entry.line, column=entry.column, key=variable.name)


def is_in_profile(case: Case) -> bool:
    """Whether the manifest has the profile form: envref quotes its values itself, and no file of Flox holds them."""
    try:
        return forms.found(manifest_file.around(case.project.root)) == forms.PROFILED
    except EnvrefError:
        return False


def _differences(manifest: Manifest, project: Project) -> Iterator[Finding]:
    kind, latest = forms.found(manifest), unlocked.unlocked(manifest)
    if latest and project.config.locked:
        yield Finding(manifest.name, f"the {kind} form in it {unlocked.FACT}", run=unlocked.cure(latest))
    elif kind:
        form = forms.kept(manifest)
        if str(forms.write(manifest, form, project).manifest) != str(manifest):
            message = f"the {kind} form in it is not what .envref.yaml and the env files say now"
            yield Finding(manifest.name, message, run=_command(form))
    elif not project.config.services:
        yield Finding(manifest.name, "no block of envref in it, so that an activation loads no secrets", run=_COMMAND)
    if project.config.services and _unwrapped(manifest, project):
        message = "its services are not started with the variables that services: in .envref.yaml names"
        yield Finding(manifest.name, message, run=(*_COMMAND, "--services"))


def _command(form: Form) -> tuple[str, ...]:
    imports = ("--import",) if form.imports else ()
    flags = [word for word, wanted in {"--strict": form.strict, "--agent": form.agent}.items() if wanted]
    return (*_COMMAND, *_KIND[form.kind], *imports, *words_of(form.profile), *flags)


def _unwrapped(manifest: Manifest, project: Project) -> bool:
    return str(forms.with_services(manifest, project)) != str(manifest)
