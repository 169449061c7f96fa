"""Unlocked: a form in a project's Flox manifest that gives the latest versions, whatever envref.lock has."""

from __future__ import annotations

import os

from envref.errors import EnvrefError
from envref.flox import form as forms
from envref.flox import manifest_file
from envref.project.project import words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.flox.form import Form
    from envref.flox.manifest import Manifest

FORMS = (forms.NATIVE, forms.PLUGGED)  # the stores' own programs, and Flox's convention, know no lock
FACT = "gives the latest versions, whatever envref.lock has"


def unlocked(manifest: Manifest) -> Form | None:
    """The form in it that follows no lock; None where there is none."""
    form = forms.kept(manifest)
    return form if form.kind in FORMS else None


def cure(form: Form) -> tuple[str, ...]:
    """The command that replaces the form by one that follows the lock."""
    return ("envref", "flox-hook", "--write", "--placement", "hook", *words_of(form.profile))


def of_project(root: str) -> tuple[str, Form] | None:
    """The project's own manifest, by its name, and the form in it that follows no lock.

    None where there is none, or where it can't be read: `flox-hook` says why. One further up may be for other projects.
    """
    if not os.path.lexists(os.path.join(root, manifest_file.PLACE)):
        return None
    try:
        manifest = manifest_file.around(root)
        form = unlocked(manifest)
    except EnvrefError:
        return None
    return (manifest.name, form) if form else None
