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


def test_a_base_file_that_is_not_there_is_an_error(project):
    """Nothing is written without its variables. A profile may have no file."""
    (project.path / ".env.staging").unlink()
    assert [file.name for file in committed(project, "staging").files] == [".env"]
    (project.path / ".env").unlink()
    with pytest.raises(EnvrefError, match=r"^\.env: |no such file"):
        committed(project)


@pytest.mark.parametrize("kind", [forms.HOOKED, forms.PROFILED, forms.NATIVE, forms.PLUGGED])
def test_the_form_of_a_manifest_is_told(project, kind):
    """By its markers; none without them. Another form takes it out, and says so."""
    edit = written(project, NEW, Form(kind))
    assert (forms.found(Manifest(NEW, "m")), forms.found(edit.manifest)) == ("", kind)
    other = forms.PROFILED if kind == forms.HOOKED else forms.HOOKED
    assert written(project, str(edit.manifest), Form(other)).said == [f"took out the {kind} form: one form is enough"]
    assert str(forms.remove(edit.manifest)) == NEW


@pytest.mark.parametrize("kind", [forms.HOOKED, forms.PROFILED])
def test_each_shell_finds_the_shims(project, kind):
    """Flox's profile, which comes after the hook, may have put other folders first."""
    project.write(".envref.yaml", "project: app\nbackends: [{name: pass}]\ntools: {gh: [B]}\n")
    manifest = written(project, NEW, Form(kind)).manifest
    for shell in ("bash", "zsh", "fish", "tcsh"):
        assert "envref shim" in manifest.value(("profile", shell))
    assert str(forms.remove(manifest)) == NEW


def test_a_manifest_without_a_form_gets_a_hook(project):
    """What is changed keeps its form and its options."""
    assert forms.kept(Manifest(NEW, "m")).kind == forms.HOOKED
    form = Form(forms.PROFILED, profile="staging", strict=True)
    kept = forms.kept(written(project, NEW, form).manifest)
    assert (kept.kind, kept.profile, kept.strict, kept.agent) == (forms.PROFILED, "staging", True, False)
    assert forms.kept(written(project, GOODBYE, Form(forms.HOOKED, agent=True)).manifest).agent


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


SERVED = "[services]\nauto-start = true\nweb.command = 'x'\n"


@pytest.mark.parametrize("kind", [forms.HOOKED, forms.PROFILED, forms.NATIVE, forms.PLUGGED, ""])
@pytest.mark.parametrize("services", ["", "[services]\nauto-start = true\n", SERVED])
@pytest.mark.parametrize("narrowed", [False, True])
def test_who_has_services_is_told_what_gets_into_their_log(project, kind, services, narrowed):
    """Where there is a service, and a form that gives it every secret."""
    manifest = Manifest(NEW + services, "m")
    if narrowed and services == SERVED:
        manifest = forms.with_services(manifest, committed(project))
    if kind:
        manifest = written(project, str(manifest), Form(kind)).manifest
    told = forms.warnings(manifest)
    if kind in ("", forms.PROFILED) or services != SERVED:
        assert told == []
        return
    (line,) = told
    assert line.startswith(f"m: the {kind} form gives every service all secrets")
    assert ("(--services narrows nothing beside it)" in line) is narrowed
    assert line.endswith("run: envref flox-hook --write --placement profile, then envref flox-hook --write --services")


@pytest.mark.parametrize(("schema", "stays"), [("1.12.0", True), ("1.13.0", False), ("1.14.0", False)])
def test_variables_that_stay_are_told_of_once(project, schema, stays):
    """Where the schema has no undo; not again for what is there already, and not for another form."""
    text = f'schema-version = "{schema}"\n'
    profiled = written(project, text, Form(forms.PROFILED))
    assert [line.startswith("note: the variables stay set after flox deactivate") for line in profiled.said] == (
        [True] if stays else []
    )
    assert written(project, str(profiled.manifest), Form(forms.PROFILED)).said == []
    assert written(project, text, Form()).said == []
    again = written(project, str(written(project, text, Form()).manifest), Form(forms.PROFILED)).said
    assert again[0] == "took out the hook form: one form is enough"
    assert len(again) == 1 + stays


@pytest.mark.parametrize(("schema", "raised"), [("1.13.0", True), ("1.14.0", False), ("1.15.0", False)])
def test_a_schema_that_is_raised_is_told_of(project, schema, raised):
    """Before anything else."""
    edit = written(project, f'schema-version = "{schema}"\n{INSTALLED}', Form(forms.PLUGGED))
    assert edit.said == ['raised schema-version to "1.14.0": an older Flox will not read m any more'][: int(raised)]
    assert edit.manifest.value(("schema-version",)) == ("1.14.0" if raised else schema)


@pytest.mark.parametrize(
    ("entry", "missing"),
    [
        ("x.pkg-path = 'flox/envref'", False),
        ("x.flake = 'github:envref/envref'", False),
        ("envref.pkg-path = 'other'", True),
        ("x.store-path = '/nix/envref'", True),
    ],
)
def test_envref_is_known_by_its_package(project, entry, missing):
    """Whatever its id is; an entry that is no table is none."""
    edit = written(project, f'schema-version = "1.14.0"\n[install]\n{entry}\n', Form(forms.PLUGGED))
    assert edit.said == [MISSING] * missing


def test_what_there_is_nothing_for_is_refused(project):
    """A table without a reference, and services that the config does not name; each with what to do."""
    project.write(".env", "A=1\n")
    with pytest.raises(EnvrefError, match=r"^no variable is a reference, so there is nothing for \[plugins\.envref\]$"):
        written(project, NEW, Form(forms.PLUGGED))
    project.write(".envref.yaml", "project: app\n")
    with pytest.raises(EnvrefError, match=r"^no services: in \.envref\.yaml$"):
        forms.with_services(Manifest(NEW + SERVED, "m"), committed(project))


def test_every_form_can_be_changed_for_every_other(project):
    """Nothing of the one before is left, and it goes as if it had been the first."""
    kinds = [forms.HOOKED, forms.PROFILED, forms.NATIVE, forms.PLUGGED]
    first = {kind: str(written(project, NEW, Form(kind)).manifest) for kind in kinds}
    for kind in kinds:
        for other in kinds:
            edit = written(project, first[kind], Form(other))
            assert str(edit.manifest) == first[other] or other == forms.PLUGGED, (kind, other)
            assert edit.manifest.value(("plugins", "envref")) == (
                {"B": "ref://pass/b"} if other == forms.PLUGGED else None
            )
            assert str(forms.remove(edit.manifest)) == str(forms.remove(Manifest(first[other], "m")))


GOODBYE = NEW.replace("1.14.0", "1.15.0")


@pytest.mark.parametrize("kind", [forms.HOOKED, forms.PROFILED])
def test_with_an_agent_flox_says_goodbye_to_it(project, kind):
    """Where the schema has a hook for that; otherwise a line says what happens instead. It goes as it came."""
    edit = written(project, GOODBYE, Form(kind, agent=True))
    scripts = edit.manifest.table(("hook",))
    assert "envref agent leave" in scripts["on-deactivate"]
    assert (edit.said, str(forms.remove(edit.manifest))) == ([], GOODBYE)
    assert "--agent" in str(scripts if kind == forms.HOOKED else edit.manifest.table(("profile",)))
    assert str(written(project, str(edit.manifest), Form(kind, agent=True)).manifest) == str(edit.manifest)
    without = written(project, str(edit.manifest), Form(kind)).manifest
    assert (str(without), "agent" in str(without)) == (str(written(project, GOODBYE, Form(kind)).manifest), False)
    older = written(project, NEW, Form(kind, agent=True))
    assert "on-deactivate" not in str(older.manifest)
    assert older.said[-1].endswith('with schema-version = "1.15.0"')


def test_a_goodbye_of_the_user_s_own_stays(project):
    """The block stands below it, and goes again."""
    text = "schema-version = \"1.15.0\"\n[hook]\non-deactivate = '''\necho bye\n'''\n"
    manifest = written(project, text, Form(agent=True)).manifest
    assert manifest.value(("hook", "on-deactivate")).startswith("echo bye\n# >>> envref hook v1 >>>")
    assert str(forms.remove(manifest)) == text
