"""What a form writes, which form a manifest has, and whose files count."""

from __future__ import annotations

import json
import tomllib

import pytest

from envref.errors import EnvrefError, MalformedFile
from envref.flox import form as forms
from envref.flox.form import Form
from envref.flox.manifest import Manifest
from envref.project.project import configured
from tests.flox.manifests import FRESH

NEW = FRESH.replace("version = 1", 'schema-version = "1.14.0"')


@pytest.fixture
def project(project):
    """A project with a base file, a profile's and a personal one."""
    project.write(
        ".envref.yaml", json.dumps({"project": "app", "backends": [{"name": "pass"}], "services": {"web": ["B"]}})
    )
    project.write(".env", "A=1\nB=ref://pass/b\n")
    project.write(".env.staging", "C=ref://pass//c\n")
    project.write(".env.local", "D=ref://pass/d\nB=mine\n")
    return project


def committed(project, profile=None):
    return forms.committed(configured(str(project.path), profile))


def written(project, text, form):
    return forms.write(Manifest(text, "m"), form, committed(project, form.profile))


def test_the_personal_file_does_not_count(project):
    """What is committed depends on committed files only; a profile's file is one."""
    assert [file.name for file in committed(project, "staging").files] == [".env", ".env.staging"]
    assert [entry.name for entry in committed(project).entries] == ["A", "B"]


@pytest.mark.parametrize("kind", [forms.HOOKED, forms.PROFILED, forms.NATIVE, forms.PLUGGED])
def test_the_form_of_a_manifest_is_told(project, kind):
    """By its markers; none without them. Another form takes it out, and says so."""
    edit = written(project, NEW, Form(kind))
    assert (forms.found(Manifest(NEW, "m")), forms.found(edit.manifest)) == ("", kind)
    other = forms.PROFILED if kind == forms.HOOKED else forms.HOOKED
    assert written(project, str(edit.manifest), Form(other)).said == [f"took out the {kind} form: one form is enough"]
    assert str(forms.remove(edit.manifest)) == NEW


def test_the_undo_names_what_the_shells_were_told(project):
    """Every variable of the files that a shell can have."""
    project.write(".env", "A=1\nNOT-SHELL=1\nB=ref://pass/b\n")
    manifest = written(project, NEW, Form(forms.PROFILED)).manifest
    assert manifest.value(("profile", "deactivate", "bash")).split("\n")[1] == "unset A B"


def test_a_project_without_variables_has_nothing_to_undo(project):
    """`unset` without a name would be an error in some shells."""
    project.write(".env", "")
    assert "deactivate" not in written(project, NEW, Form(forms.PROFILED)).manifest.value(("profile",))


def test_names_are_checked_in_every_form(project):
    """The hook names none, but what it exports reaches the user's own shell all the same."""
    project.write(".env", "status=ref://pass/b\n")
    for kind in (forms.HOOKED, forms.PROFILED, forms.NATIVE, forms.PLUGGED):
        with pytest.raises(MalformedFile, match=r"^\.env:1:\d+: status: .*it is special to a shell"):
            written(project, NEW, Form(kind))


def test_a_variable_that_the_table_cannot_hold_is_no_matter_for_the_hook(project):
    """Each form refuses what it can't express, and only that."""
    project.write(".env", "B=ref://pass/b\nURL=https://${B}@x\n")
    assert forms.found(written(project, NEW, Form()).manifest) == forms.HOOKED
    with pytest.raises(EnvrefError, match=r"^URL: is composed of secrets"):
        written(project, NEW, Form(forms.PLUGGED))


def test_the_hook_and_the_profile_do_not_interpolate(project):
    """What only the personal file gives, `:?` may ask for: activation will have it."""
    project.write(".env", "HOST=${HOSTNAME_OF_MINE:?set it in .env.local}\n")
    assert forms.found(written(project, NEW, Form()).manifest) == forms.HOOKED
    with pytest.raises(MalformedFile):
        written(project, NEW, Form(forms.PLUGGED))


def test_programs_and_services(project):
    """[install] as TOML of its own, and in a manifest; a service's command there and back."""
    assert "pass.pkg-path" in forms.programs(committed(project))
    assert "pass" in forms.with_programs(Manifest(NEW, "m"), committed(project)).value(("install",))
    before = Manifest(NEW + "[services.web]\ncommand = 'x'\n", "m")
    wrapped = forms.with_services(before, committed(project))
    assert wrapped.value(("services", "web", "command")) == "envref run --only B -- sh -c 'x'"
    assert str(forms.without_services(wrapped)) == str(before)


NOTE = "needs schema-version 1.13.0"


@pytest.mark.parametrize(("kind", "noted"), [(forms.HOOKED, False), (forms.PROFILED, True), (forms.NATIVE, False)])
def test_a_printed_form_is_what_is_written(project, kind, noted):
    """As TOML to paste: the same scripts, whatever the schema; a profile's undo is only announced."""
    text = forms.snippet(Form(kind), committed(project))
    assert (NOTE in text) is noted
    scripts = tomllib.loads(text)
    wanted = written(project, NEW, Form(kind)).manifest
    for table, entries in scripts.items():
        assert entries == {name: wanted.value((table, name)) for name in entries}
    assert len(scripts) == 1


def test_a_printed_table_is_what_is_written(project):
    """The plugin's form: the references, and the schema that it needs."""
    text = forms.snippet(Form(forms.PLUGGED), committed(project))
    assert text.startswith('# needs schema-version = "1.14.0" or newer\n[plugins.envref]\n')
    assert tomllib.loads(text) == {"plugins": {"envref": {"B": "ref://pass/b"}}}


INSTALLED = '[install]\nenvref.pkg-path = "envref"\n'
MISSING = "[plugins.envref] does nothing until envref is in [install]"


def test_the_package_is_asked_for_once(project):
    """Where the table is new and envref is not installed; only where both hold."""
    form = Form(forms.PLUGGED)
    first = written(project, NEW, form)
    assert first.said == [MISSING]
    assert written(project, str(first.manifest), form).said == []
    with_package = NEW.replace("[install]\n", INSTALLED)
    first = written(project, with_package, form)
    assert first.said == []
    assert written(project, str(first.manifest), form).said == []


def test_the_usual_form():
    """A hook, for whatever profile is in use, that lets an activation go on."""
    assert Form() == Form(kind=forms.HOOKED, profile=None, strict=False, imports=False)
