"""Shims in the simulator of the documented contract: both forms, the four shells, and the ways in."""

from __future__ import annotations

import os

import pytest

from envref.flox import form, manifest
from envref.flox.form import Form
from envref.project.project import configured
from tests.backends.vaults import PASSPHRASE
from tests.flox.simulator import SHELLS
from tests.requirements import first_python

pytestmark = first_python

EVERY_SHELL = pytest.mark.parametrize("shell", SHELLS)
FORMS = pytest.mark.parametrize("kind", [form.HOOKED, form.PROFILED])
TOOL = 'echo "gh [$API_KEY] [$DB_PASS]"\n'
HEAD = 'schema-version = "1.13.0"\n'


@pytest.fixture
def tools(place):
    """API_KEY is for gh, which the environment itself installs."""
    place.write(".envref.yaml", place.project.joinpath(".envref.yaml").read_text() + "tools: {gh: [API_KEY]}\n")
    return place


def activated(place, kind, head=HEAD):
    """The environment whose manifest `flox-hook --write` made."""
    project = form.committed(configured(str(place.project)))
    text = str(form.write(manifest.Manifest(head, "manifest.toml"), Form(kind), project).manifest)
    flox = place.flox(text)
    flox.install(place.program("gh", TOOL))
    return flox


def given(place):
    return f"gh [{place.values['API_KEY']}] [{place.values['DB_PASS']}]"


@EVERY_SHELL
@FORMS
@pytest.mark.parametrize("way", ["shell", "in place"])
def test_the_tool_has_it_and_the_shell_has_not(tools, kind, shell, way):
    """Although Flox puts its own programs first after the hook."""
    session = activated(tools, kind).start().attach(shell, way=way, then="gh; env gh; env")
    assert "API_KEY" not in session.environment
    assert session.environment["DB_PASS"] == tools.values["DB_PASS"]
    first, second, *environment = session.stdout.splitlines()
    assert (first, second) == (given(tools), given(tools)), session.stderr
    assert tools.values["API_KEY"] not in str(environment)


@FORMS
def test_a_command_of_bash_and_a_second_shell_have_them_too(tools, kind):
    """`-c` off a terminal, and a shell that opens beside a live activation: nothing of the hook runs again."""
    flox = activated(tools, kind)
    for way in ("command", "shell"):
        session = flox.activate().attach("bash", way=way, then="gh; env")
        first, *environment = session.stdout.splitlines()
        assert first == given(tools), session.stderr
        assert tools.values["API_KEY"] not in str(environment)


@FORMS
def test_a_command_without_a_shell_has_the_shims_too(tools, kind):
    """`flox activate -- CMD` reads no profile."""
    done = activated(tools, kind).start().exec("sh", "-c", "gh; env")
    first, *environment = done.stdout.decode().splitlines()
    assert first == (given(tools) if kind == form.HOOKED else f"gh [{tools.values['API_KEY']}] []"), done.stderr
    assert tools.values["API_KEY"] not in str(environment)


NESTED = "env; sh -c 'env; sh -c env'"  # shell, child and grandchild


def test_mode_run_has_them_too(tools):
    """It runs the hook and the profile, and no script of a plugin."""
    session = activated(tools, form.HOOKED).start(mode="run").attach("bash", then=f"gh; {NESTED}")
    first, *environments = session.stdout.splitlines()
    assert first == given(tools), session.stderr
    assert sum(line.startswith("DB_PASS=") for line in environments) == 3
    assert tools.values["API_KEY"] not in str(environments)


def test_a_build_has_neither_shims_nor_values(tools):
    """`flox build` skips the hook and reads no profile: the tool runs as if envref were not there."""
    done = activated(tools, form.HOOKED).start(mode="build", skip_hook=True).exec("sh", "-c", f"gh; {NESTED}")
    assert done.stdout.decode().startswith("gh [] []\n"), done.stderr
    assert tools.values["API_KEY"] not in done.stdout.decode()


def test_services_have_the_shims_and_not_the_value(tools):
    """Nor has the file that Flox's executive writes, with all that the activation sets."""
    services = f'[services]\nweb.command = "gh; {NESTED}"\n'
    flox = activated(tools, form.HOOKED, head=HEAD + services)
    printed = flox.start_services(flox.start(ephemeral=True))
    first, *environments = printed["web"].decode().splitlines()
    assert first == given(tools)
    assert sum(line.startswith("DB_PASS=") for line in environments) == 3
    assert tools.values["API_KEY"] not in str(environments)
    [log] = (tools.project / ".flox" / "log").iterdir()
    assert tools.values["API_KEY"] not in log.read_text()


def test_an_assistant_in_its_shell_sees_no_value(tools):
    """`envref bare`: nothing that the activation gave, and the tool that it allows has its own."""
    tools.write("passphrase", PASSPHRASE).chmod(0o600)
    start = activated(tools, form.HOOKED).start()
    more = "export ENVREF_VAULT_PASSPHRASE_FILE=$PWD/passphrase"
    then = f"{more}; envref bare -- sh -c 'gh; env'; echo ::; envref bare --allow gh -- sh -c 'gh; env'"
    session = start.attach("bash", then=then, cwd=tools.project)
    bare, _, allowed = session.stdout.partition("::\n")
    value, other = tools.values["API_KEY"], tools.values["DB_PASS"]
    assert bare.startswith("gh [] []\n"), session.stderr
    assert allowed.startswith(f"gh [{value}] []\n"), session.stderr
    assert (value in bare, other in session.stdout, allowed.count(value)) == (False, False, 1)


@EVERY_SHELL
def test_an_activation_within_this_one_does_not_hide_the_shims(tools, shell):
    """It puts its programs first; a function is found before PATH is looked at."""
    inner = {"fish": "set -gx PATH $FLOX_ENV/bin $PATH", "tcsh": 'setenv PATH "${FLOX_ENV}/bin:${PATH}"; rehash'}
    then = inner.get(shell, 'PATH="$FLOX_ENV/bin:$PATH"') + "\ngh"
    session = activated(tools, form.HOOKED).start().attach(shell, then=then)
    assert session.stdout == f"{given(tools)}\n", session.stderr


@EVERY_SHELL
@FORMS
def test_deactivation_takes_them_away(tools, kind, shell):
    """PATH has no folder of shims any more, and the shell no function."""
    flox = activated(tools, kind)
    session = flox.start().attach(shell, deactivate=True)
    assert "/envref/shims/" in session.environment["PATH"]
    assert "/envref/shims/" not in session.left["PATH"]
    assert session.left["PATH"].split(os.pathsep)[-1] == os.environ["PATH"].split(os.pathsep)[-1]


@FORMS
def test_the_manifest_says_so_and_can_be_undone(tools, kind):
    """A second write changes nothing; without `tools:` the lines go; `--remove` leaves nothing."""
    written = manifest.Manifest(HEAD, "manifest.toml")
    project = form.committed(configured(str(tools.project)))
    written = form.write(written, Form(kind), project).manifest
    assert str(written).count("envref shim --export") == 5
    assert (form.found(written), str(form.write(written, Form(kind), project).manifest)) == (kind, str(written))
    tools.configure("{name: vault, type: vault, config: {path: v.db}}")
    without = form.write(written, Form(kind), form.committed(configured(str(tools.project)))).manifest
    assert "shim" not in str(without)
    assert "envref" not in str(form.remove(written))
