"""The simulator of the documented contract bites: what Flox documents as a trap is one here too (flox.md 8, A17).

Nothing of envref runs in these tests: they hold the ground that the others stand on.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.flox.conftest import manifest
from tests.flox.simulator import FAILED, NOT_NORMAL, OK, SHELLS, Flox, outdented, quoted
from tests.requirements import first_python, need

pytestmark = first_python

EVERY_SHELL = pytest.mark.parametrize("shell", SHELLS)


@pytest.fixture
def flox(tmp_path):
    """Makes the environment of a manifest; the project's path has a space."""
    for shell in SHELLS:
        need(shell)
    project = tmp_path / "the project"
    project.mkdir()
    return lambda text: Flox(tmp_path / "flox", text, project=project)


def hook(text):
    return manifest(hook=text)


def test_a_failing_command_exports_an_empty_value_and_nobody_notices(flox):
    """`export X=$(false)`: the start is fine, and X is empty."""
    start = flox(hook("export X=$(false)\n")).start()
    assert (start.result, start.additions) == (OK, {"X": ""})


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("return 1\n", OK),
        ("false\n", OK),
        ("exit 1\n", FAILED),
        ("set -e\nfalse\n", FAILED),
        ("exit 0\n", NOT_NORMAL),
        ("exec true\n", NOT_NORMAL),
    ],
)
def test_only_exit_and_errexit_stop_an_activation(flox, text, result):
    """The hook's own status is not looked at; one that ended early is told apart from one that failed."""
    start = flox(hook(f"export BEFORE=1\n{text}export AFTER=1\n")).start()
    assert start.result == result
    assert (start.additions != {}) == (result == OK)


def test_return_ends_the_hook_and_the_start_goes_on(flox):
    """The script is sourced."""
    assert flox(hook("export A=1\nreturn 1\nexport B=1\n")).start().additions == {"A": "1"}


def test_a_hook_prints_to_stderr(flox):
    """Its stdout goes there, so that `eval "$(flox activate)"` never evaluates it."""
    start = flox(hook("echo hi\n")).start()
    assert (start.stdout, start.stderr) == ("", "hi\n")


def test_a_hook_that_reads_takes_the_callers_data(flox):
    """stdin is inherited: after `$(cat)` nothing is left of it."""
    reading, writing = os.pipe()
    os.write(writing, b"data of the caller")
    os.close(writing)
    assert flox(hook("X=$(cat)\nexport X\n")).start(stdin=reading).additions == {"X": "data of the caller"}
    assert os.read(reading, 100) == b""
    os.close(reading)


def test_a_naive_export_is_traced_under_verbosity(flox):
    """With `-v` the hook runs under `set -x`, and the value is on stderr; without it, it is not."""
    naive = flox(hook('export X="$(echo the-value)"\n'))
    assert "the-value" in naive.start(verbosity=1).stderr
    assert "the-value" not in naive.start().stderr


def test_a_plugin_is_held_to_its_options(flox, tmp_path):
    """`set -euo pipefail` is on: a failing command stops the activation, and stdout is not redirected."""
    environment = flox("version = 1\n")
    script = tmp_path / "0500_other.sh"
    for text, result, stdout in [
        ("echo shown\n", OK, "shown\n"),
        ("false\n", FAILED, ""),
        ("true $NOT_SET\n", FAILED, ""),
        ("false | true\n", FAILED, ""),
    ]:
        script.write_text(text)
        environment.ship(script)
        start = environment.start()
        assert (start.result, start.stdout) == (result, stdout)


def test_plugins_run_before_the_hook_and_after_the_variables(flox, tmp_path):
    """Not in mode `run`; the hook alone can be skipped."""
    environment = flox(manifest(hook="export ORDER=$ORDER:hook\n", more='[vars]\nORDER = "vars"\n'))
    script = tmp_path / "0500_other.sh"
    script.write_text("export ORDER=$ORDER:plugin:$_FLOX_ENV_ACTIVATION_MODE\n")
    environment.ship(script)
    orders = [
        environment.start(**options).additions["ORDER"]
        for options in ({}, {"mode": "run"}, {"mode": "build", "skip_hook": True})
    ]
    assert orders == ["vars:plugin:dev:hook", "vars:hook", "vars:plugin:build"]


def test_the_table_of_a_plugin_is_compact_json(flox, tmp_path):
    """`flox_plugin_data NAME`; a missing table is a message and status 1."""
    environment = flox(manifest(plugin={"A": "ref://secrets/a"}, head='schema-version = "1.14.0"'))
    script = tmp_path / "0500_other.sh"
    script.write_text("flox_plugin_data envref\nflox_plugin_data other || echo $?\n")
    environment.ship(script)
    start = environment.start()
    assert start.stdout == '{"A":"ref://secrets/a"}\n1\n'
    assert start.stderr == "no data for plugin other\n"


def test_variables_of_the_manifest_are_code(flox):
    """`[vars]` stand between double quotes: a reference there would be harmless, a `$(…)` is run."""
    start = flox("version = 1\n[vars]\nA = '$(echo run)'\n").start()
    assert start.additions["A"] == "run"


def test_a_second_activation_replays_and_a_changed_manifest_starts_anew(flox, tmp_path):
    """The hook runs once a start, whatever attaches."""
    text = f"echo run >> '{tmp_path}/count'\nexport X=1\n"
    environment = flox(hook(text))
    for shell in SHELLS:
        assert environment.activate().attach(shell).environment["X"] == "1"
    assert (tmp_path / "count").read_text() == "run\n"
    environment.build(hook(text))
    environment.activate()
    assert (tmp_path / "count").read_text() == "run\nrun\n"


@EVERY_SHELL
def test_profiles_run_in_the_users_shell_and_not_beside_exec(flox, shell):
    """`common` first, then the shell's own; each after the captured variables are set."""
    set_ = {"fish": "set -gx {} {}\n", "tcsh": "setenv {} {}\n"}.get(shell, "export {}={}\n")
    profiles = {"common": "echo common\n", shell: f"echo own $X\n{set_.format('Y', 'of-profile')}"}
    start = flox(manifest(hook="export X=of-hook\n", profiles=profiles)).start()
    attached = start.attach(shell)
    assert attached.stdout == "common\nown of-hook\n"
    assert attached.environment["Y"] == "of-profile"
    assert "Y" not in start.environment()
    assert start.exec("sh", "-c", "echo $X").stdout == b"of-hook\n"
    in_place = start.attach(shell, way="in place")
    assert (in_place.stdout, in_place.environment) == (attached.stdout, attached.environment)


def test_a_command_of_bash_comes_on_stdin(flox):
    """`-c` off a terminal: the profile runs, and what the command reads is that script."""
    start = flox(manifest(profiles={"bash": "export Y=1\n"})).start()
    attached = start.attach("bash", way="command", then="head -n 1\nthe next line")
    assert (attached.environment["Y"], attached.stdout) == ("1", "the next line\n")


@EVERY_SHELL
def test_deactivation_restores_first_and_undoes_after(flox, shell, monkeypatch):
    """What is captured is as before; an undo script finds neither FLOX_ENV nor the environment's programs."""
    monkeypatch.setenv("CHANGED", "it's old!")
    monkeypatch.setenv("TAKEN", "away")
    undo = {shell: "env | grep -c -e FLOX_ENV -e flox/env/bin\n"}
    start = flox(
        manifest(
            hook="export CHANGED=new ADDED=1\nunset TAKEN\n", undo=undo, head='schema-version = "1.13.0"', profiles={}
        )
    ).start()
    assert (start.additions, start.deletions) == ({"CHANGED": "new", "ADDED": "1"}, ["TAKEN"])
    attached = start.attach(shell, deactivate=True)
    assert (attached.environment["CHANGED"], attached.left["CHANGED"]) == ("new", "it's old!")
    assert ("TAKEN" in attached.environment, attached.left["TAKEN"]) == (False, "away")
    assert ("ADDED" in attached.environment, "ADDED" in attached.left) == (True, False)
    assert (attached.stdout, "FLOX_ENV" in attached.left) == ("0\n", False)


@EVERY_SHELL
def test_the_replay_is_exact_for_ordinary_values(flox, shell):
    """Quotes, `!`, `$`, backticks, blanks, text outside ASCII: all shells read Flox's quoting."""
    value = 'it\'s "quoted" !x $HOME `id` \t é'
    start = flox(hook(f"export X={quoted(value)}\n")).start()
    assert start.attach(shell).environment["X"] == value


BREAKING = [
    ("fish", "a\\\\b"),
    ("fish", "end\\"),
    ("fish", "\\'"),
    ("tcsh", "a\nb"),
    ("tcsh", "=0"),
    ("zsh", "=ls"),
    ("zsh", "=no-such-program"),
]


def escaped(value):
    return "$'" + value.encode("unicode_escape").decode().replace("'", "\\'") + "'"


@pytest.mark.parametrize(("shell", "value"), BREAKING)
def test_the_replay_breaks_what_it_is_known_to_break(flox, shell, value):
    """In place, where there is only the script; bash reads the same exactly, and a program needs no quoting."""
    start = flox(hook(f"export X={escaped(value)}\n")).start()
    assert start.additions["X"] == value
    assert start.attach(shell, way="in place").environment.get("X") != value
    assert start.attach("bash", way="in place").environment["X"] == value
    assert start.environment()["X"] == value


@pytest.mark.parametrize(("shell", "value"), [BREAKING[1], BREAKING[2], BREAKING[3], BREAKING[6]])
def test_a_new_shell_has_the_value_and_loses_the_rest_of_its_script(flox, shell, value):
    """The environment is exact before the shell reads its script; the profile behind the bad line is not run."""
    set_ = {"fish": "set -gx {} {}\n", "tcsh": "setenv {} {}\n"}.get(shell, "export {}={}\n")
    start = flox(manifest(hook=f"export X={escaped(value)}\n", profiles={shell: set_.format("Y", "1")})).start()
    attached = start.attach(shell)
    assert (attached.environment["X"], "Y" in attached.environment) == (value, False)
    start.without(["X"])
    assert start.attach(shell).environment["Y"] == "1"


@pytest.mark.parametrize(
    ("old", "op", "elsewhere", "gets"),
    [
        ("", "append", {"X": "stale"}, "stalesecret-value"),
        ("secret", "append", {}, "-value"),
        ("value", "prepend", {}, "secret-"),
        ("secret-value", "set-if-absent", {"X": "stale"}, "stale"),
        ("secret-value", "set-if-absent", {}, "secret-value"),
        ("other", "updated", {"X": "stale"}, "secret-value"),
        (None, "set", {"X": "stale"}, "secret-value"),
    ],
)
def test_what_an_export_did_is_done_again_to_another_shells_value(flox, old, op, elsewhere, gets):
    """A plain `export` is right in the first shell only; `unset` before it makes every row right."""
    caller = {**os.environ, **({} if old is None else {"X": old})}
    other = {**os.environ, **elsewhere}
    environment = flox(hook("export X=secret-value\n"))
    start = environment.start(caller)
    assert [record.op for record in start.records if record.name == "X"] == [op]
    assert start.environment()["X"] == "secret-value"
    assert start.environment(other)["X"] == gets
    assert [start.attach(shell, caller=other).environment["X"] for shell in ("bash", "zsh")] == [gets, gets]
    environment.build(hook("unset X\nexport X=secret-value\n"))
    assert environment.start(caller).environment(other)["X"] == "secret-value"


def test_what_is_not_exported_by_name_is_recorded_too(flox):
    """By assignment, `declare -x`, `read`; `[vars]` are set again in any case; a tab and a CR survive the record."""
    lines = "A+=2\ndeclare -x B=$'tab\\t cr\\r us\\x1f'\nexport C\nread C <<< 3\nexport -n D\n"
    caller = {**os.environ, "A": "1", "D": "4", "V": "v"}
    start = flox(manifest(hook=lines, more='[vars]\nV = "v"\n')).start(caller)
    assert start.additions == {"A": "12", "B": "tab\t cr\r us\x1f", "C": "3", "V": "v"}
    assert start.deletions == ["D"]
    assert start.environment({**os.environ, "A": "x", "V": "other"})["A"] == "x2"
    assert start.environment({**os.environ, "V": "other"})["V"] == "v"
    names = [line.split("\x1f")[1:4:2] for line in (start.directory / "envtrace.log").read_text().splitlines()]
    assert ["append", "A"] in names
    assert ["reset", "V"] in names


def test_a_hook_does_not_see_flox_shell(flox):
    """It is taken away before, whatever shell the user calls Flox in."""
    environment = flox(hook("export SEEN=${FLOX_SHELL-none}\n"))
    for shell in SHELLS:
        start = environment.start({**os.environ, "FLOX_SHELL": shell}, shell=shell)
        assert (start.result, start.additions) == (OK, {"SEEN": "none"})


def test_a_carriage_return_reaches_the_shell(flox):
    """Flox hands the lines on as they are: here a syntax error, status 0, and nothing is set."""
    text = hook("if true; then\n  export X=1\nfi\n").replace("\n", "\r\n")
    start = flox(text).start()
    assert (start.result, start.additions) == (OK, {})
    assert "\r" in (start.flox.env / "activate.d" / "hook-on-activate").read_bytes().decode()


def test_services_get_what_the_hook_exported_and_flox_logs_it(flox):
    """In clear, readable by all."""
    environment = flox(manifest(hook="export X=the-secret\n", more='[services]\nweb.command = "echo $X"\n'))
    assert environment.start_services(environment.start()) == {"web": b"the-secret\n"}
    [log] = (environment.project / ".flox" / "log").iterdir()
    assert 'X="the-secret"' in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o644


def test_the_state_of_a_start_is_gone_with_its_environment_and_stays_in_a_container(flox, tmp_path):
    """The executive removes it, and what another one left; a container has none."""
    environment = flox(hook("export X=1\n"))
    starts = [environment.start() for _ in range(2)]
    assert environment.runs.parent == environment.runtime / "activations"
    environment.end()
    assert not [start for start in starts if start.directory.exists()]
    container = Flox(tmp_path / "container", hook("export X=1\n"), project=None)
    starts = [container.start() for _ in range(2)]
    container.end()
    assert [(start.directory / "envtrace.log").exists() for start in starts] == [True, True]


@EVERY_SHELL
def test_a_blank_in_the_path_of_an_environment(flox, tmp_path, shell):
    """All shells read their profile but tcsh, whose script by Flox splits the path: a fault of Flox."""
    set_ = {"fish": "set -gx Y 1\n", "tcsh": "setenv Y 1\n"}.get(shell, "export Y=1\n")
    text = manifest(hook="export X=1\n", profiles={shell: set_})
    attached = Flox(tmp_path / "blank", text, project=tmp_path, blank=True).start().attach(shell)
    assert attached.environment["X"] == "1"
    assert ("Y" in attached.environment) == (shell != "tcsh")
    assert ("unexpected argument" in attached.stderr) == (shell == "tcsh")
    assert flox(text).start().attach(shell).environment["Y"] == "1"


def test_a_command_at_the_prompt_is_not_interrupted(flox):
    """SIGINT arrives ignored, in all that it starts."""
    look = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    argv = flox("version = 1\n").at_prompt([sys.executable, "-c", look])
    done = subprocess.run(argv, capture_output=True, encoding="utf-8", timeout=60, check=True)
    assert done.stdout == "True\n"


def test_an_ephemeral_start_is_silent_unless_it_fails(flox):
    """It has nothing to read; what was printed is shown with the failure."""
    environment = flox(hook("cat\necho printed\nexit $STATUS\n"))
    assert environment.start({**os.environ, "STATUS": "3"}, ephemeral=True).stderr == "printed\n"
    environment.build(hook("cat\necho printed\n"))
    start = environment.start(ephemeral=True)
    assert (start.result, start.stderr, start.printed) == (OK, "", b"printed\n")


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("  a\n    b\n", "a\n  b\n"),
        ("  a\n\n  b\n", "a\n\nb\n"),
        ("    a\n \n    b\n", "   a\n\n   b\n"),
        ("\ta\n  b\n", "\ta\n  b\n"),
    ],
)
def test_scripts_lose_their_common_margin(text, cut):
    """Of spaces, over the lines that hold anything; a line of spaces counts, a tab is no margin."""
    assert outdented(text) == cut


def test_without_a_project_nothing_names_one(tmp_path):
    """As in a container."""
    start = Flox(tmp_path / "flox", hook("export P=${FLOX_ENV_PROJECT-none}\n"), project=None).start()
    assert start.additions == {"P": "none"}
