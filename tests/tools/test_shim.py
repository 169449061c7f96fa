"""Shims: the tool gets its variables, and becomes what was typed; nobody else in the shell has them."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import stat
import subprocess
import time

import pytest

from envref.backends.programs import find
from envref.tools import shims
from tests.cli.test_hot_path import PLAIN, loaded
from tests.requirements import first_python, need
from tests.tools.conftest import STORE, TOKEN, TOOLS

SHELLS = {
    "bash": ["bash", "--norc", "--noprofile"],
    "zsh": ["zsh", "-f"],
    "fish": ["fish", "--no-config"],
    "tcsh": ["tcsh", "-f"],
}
FIRST = {
    "bash": 'eval "$(envref shim --export)"',
    "zsh": 'eval "$(envref shim --export --shell zsh)"',
    "fish": "envref shim --export --shell fish | source",
    "tcsh": "envref shim --export --shell tcsh > code; source code",
}
SEEN = "env; sh -c 'env; sh -c env'"


@pytest.fixture
def app(app):
    app.program("gh", 'echo "gh $# $2 [$GH_TOKEN] [$PGPASSWORD] $PWD"')
    return app


def folder(app):
    return app.envref("shim", "--path").stdout.removesuffix("\n")


@first_python
@pytest.mark.parametrize("shell", SHELLS)
def test_the_tool_gets_it_and_shell_child_and_grandchild_have_nothing(app, shell):
    """A shell that had looked the tool up before finds the shim at once."""
    need(shell)
    more = {"bash": "hash gh;", "zsh": "hash gh;", "tcsh": "rehash;"}.get(shell, "")
    done = app.typed(f"{more} {FIRST[shell]}; gh a 'b c'; echo ::; {SEEN}", shell=SHELLS[shell])
    given, _, environments = done.stdout.partition("::\n")
    assert given == f"gh 2 b c [{TOKEN}] [] {app.path}\n", done.stderr
    assert environments.count("\nPATH=") + environments.startswith("PATH=") == 3
    assert TOKEN not in environments
    assert "l1teral-passw0rd" not in environments


@first_python
def test_the_tool_has_the_callers_locale(app, monkeypatch):
    """Python sets LC_CTYPE for itself where nobody did."""
    for name in ("LANG", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    app.program("gh", 'echo "[$GH_TOKEN] [$LC_CTYPE]"')
    done = app.typed(f"{FIRST['bash']}; gh; LC_CTYPE=C.UTF-8 gh", shell=SHELLS["bash"])
    assert done.stdout == f"[{TOKEN}] []\n[{TOKEN}] [C.UTF-8]\n", done.stderr


@first_python
@pytest.mark.parametrize("shell", SHELLS)
def test_a_tool_that_is_added_is_found_in_a_shell_that_knew_another(app, shell):
    """A shell remembers where it found psql in a folder that is on PATH already (HR-D1)."""
    need(shell)
    app.program("psql", 'echo "psql [$PGPASSWORD]"')
    app.configure({"gh": ["GH_TOKEN"]})
    later = app.write("later.yaml", app.read(".envref.yaml").replace('"gh":', '"psql": ["PGPASSWORD"], "gh":'))
    done = app.typed(
        f"{FIRST[shell]}; psql; gh; cp {later} .envref.yaml; {FIRST[shell]}; psql; gh; echo $PATH", shell=SHELLS[shell]
    )
    *printed, path = done.stdout.splitlines()
    expected = [f"gh 0  [{TOKEN}] [] {app.path}", "psql [l1teral-passw0rd]", f"gh 0  [{TOKEN}] [] {app.path}"]
    assert printed == ["psql []", *expected], done.stderr
    assert path.count("/envref/shims/") == 1


@first_python
@pytest.mark.parametrize("name", ["a b", "it's $(id) `id`", "two\nlines", "tab\té", "\udcff"])
def test_a_project_may_lie_anywhere(app, name):
    """What sh reads is the very path: also a line end, and bytes that are no text."""
    app.program("envref", 'printf "%s\\0" "$@"', where="envrefs")
    path = app.path / "gh"
    path.write_bytes(os.fsencode(shims.script("gh", f"/{name}", "stage")))
    done = subprocess.run(
        ["sh", path, "-x"], env={"PATH": f"{app.path}/envrefs"}, capture_output=True, check=False, executable="/bin/sh"
    )
    words = ["shim", "--call", "gh", "-C", f"/{name}", "--profile", "stage", "--", "-x", ""]
    assert os.fsdecode(done.stdout).split("\0") == words


@first_python
def test_the_process_becomes_the_tool(app):
    """Its pid, directory, exit status, death by a signal, standard streams, and arguments, byte for byte."""
    words = 'printf "%s\\n" "$@" $$ "$PWD"'
    app.program("gh", f'case "$1" in status) exit 42 ;; kill) kill -TERM $$ ;; esac; {words}')
    app.write("deep/x", "")
    code = (
        f"{FIRST['bash']}; cd deep; sh -c 'echo $$; exec gh -- \"$@\"' sh '' -x 'a\nb' '$HOME' é; gh status; echo $?; "
    )
    done = app.typed(f"{code} exec gh kill", shell=SHELLS["bash"], cwd=app.path)
    pid, *words, own, place, status = done.stdout.splitlines()
    assert (words, own, place, status) == (["--", "", "-x", "a", "b", "$HOME", "é"], pid, f"{app.path}/deep", "42")
    assert done.returncode == -signal.SIGTERM


@first_python
@pytest.mark.parametrize("wrapped", ['exec gh "$@"', 'gh "$@"; exit $?', 'out=$(gh "$@"); echo "$out"'])
def test_a_wrapper_goes_on_behind_itself(app, wrapped):
    """Once, with the store asked once; what it changed in its environment stays."""
    app.program("gh", f'echo wrapped; GH_TOKEN="$GH_TOKEN+"; export GH_TOKEN; {wrapped}', where="first")
    done = app.typed(f"{FIRST['bash']}; gh a", "first", shell=SHELLS["bash"])
    assert done.stdout == f"wrapped\ngh 1  [{TOKEN}+] [] {app.path}\n", done.stderr
    assert app.asked == 1


@first_python
def test_wrappers_without_a_tool_end_in_an_error(app):
    """Two of one tool, and two tools that call each other."""
    app.program("gh", 'exec gh "$@"')
    app.program("gh", 'gh "$@"', where="first")
    done = app.typed(f"{FIRST['bash']}; gh", "first", shell=SHELLS["bash"])
    told = f"error: gh: {app.path}/bin/gh calls gh again, and no other gh is behind it on PATH\n"
    assert (done.returncode, done.stderr.partition("  hint")[0]) == (127, told)
    app.program("gh", "exec psql")
    app.program("psql", "gh", where="first")
    (app.path / "first/gh").unlink()
    done = app.typed(f"{FIRST['bash']}; gh", "first", shell=SHELLS["bash"])
    assert (done.returncode, "calls gh again" in done.stderr) == (127, True)


CLEARED = 'env -i HOME="$HOME" PATH="$PATH" LC_ALL=C.UTF-8 PYTHONPATH="$PYTHONPATH" ENVREF_TRUST=all'


@first_python
@pytest.mark.parametrize("start", ["exec", "command"])
def test_a_wrapper_that_clears_its_environment_goes_on_behind_itself(app, start):
    """In its place or as its child: it is known by its process. Without a tool behind it that is an error."""
    again = f'{start} {CLEARED} gh "$@"'
    app.program("gh", again, where="first")
    done = app.typed(f"{FIRST['bash']}; gh a; rm bin/gh; gh", "first", shell=SHELLS["bash"])
    assert (done.returncode, done.stdout) == (127, f"gh 1  [] [] {app.path}\n"), done.stderr
    assert done.stderr.startswith(
        f"error: gh: {app.path}/first/gh calls gh again, and no other gh is behind it on PATH\n"
    )
    assert app.asked == 2


@first_python
def test_two_tools_that_clear_their_environment_and_call_each_other_end_in_an_error(app):
    """In one process, which becomes the one and the other."""
    app.program("gh", f"exec {CLEARED} psql")
    app.program("psql", f"exec {CLEARED} gh")
    done = app.typed(f"{FIRST['bash']}; gh", shell=SHELLS["bash"])
    assert (done.returncode, "calls gh again" in done.stderr) == (127, True), done.stderr


@first_python
def test_what_is_kept_of_a_process_goes_with_it(app, home):
    """A file for each process that still runs, and one of the last call; it holds no value."""
    app.typed(f"{FIRST['bash']}; gh & gh & wait; gh & wait; gh", shell=SHELLS["bash"])
    kept = home / ".local/state/envref/calls"
    [left] = kept.iterdir()
    assert left.name.endswith("-gh")
    assert TOKEN not in left.read_text()
    assert (stat.S_IMODE(kept.stat().st_mode), stat.S_IMODE(left.stat().st_mode)) == (0o700, 0o600)
    left.write_text("nonsense")
    left.rename(kept / f"{os.getpid()}-gh")
    kept.chmod(0o500)
    assert app.typed(f"{FIRST['bash']}; gh", shell=SHELLS["bash"]).stdout == f"gh 0  [{TOKEN}] [] {app.path}\n"


@first_python
def test_a_tool_that_is_not_installed_is_said_with_127(app):
    """And no store is asked for it; nor is anything started without envref."""
    (app.path / "bin/gh").unlink()
    done = app.typed(f"{FIRST['bash']}; gh", shell=SHELLS["bash"])
    told = "error: gh: command not found: on PATH is only its shim\n  hint: install gh\n"
    assert (done.returncode, done.stderr, app.asked) == (127, told, 0)
    app.program("gh", "echo started")
    done = app.typed(f"{FIRST['bash']}; rm envrefs/envref; gh", shell=SHELLS["bash"])
    assert (done.returncode, done.stdout, done.stderr) == (127, "", "envref shim: gh: envref is not on PATH\n")


@first_python
def test_a_store_that_starts_the_tool_ends_in_an_error(app):
    """A store's program is no shim, and what it starts may be: that would ask for ever."""
    app.program("gh", "echo started; env")
    app.write("store", "#!/bin/sh\necho asked >> asked\ngh >&2 || exit 1\n")
    done = app.typed(f"{FIRST['bash']}; gh", shell=SHELLS["bash"])
    assert (done.returncode, done.stdout, app.asked) == (1, "", 1)
    assert "gh: its own variables are asked for through it" in done.stderr
    app.write("store", STORE % TOKEN)
    assert "_ENVREF_ASKED" not in app.typed(f"{FIRST['bash']}; gh", shell=SHELLS["bash"]).stdout


def test_a_store_s_program_is_no_shim(app, monkeypatch):
    app.envref("shim", "--write")
    app.program("gh", "exit 0")
    monkeypatch.setenv("PATH", os.pathsep.join([folder(app), str(app.path / "bin")]))
    assert find("gh") == str(app.path / "bin/gh")


def called(app, tool="gh", **environment):
    """What a shim of the tool would call."""
    path = os.pathsep.join([str(app.path / "bin"), os.environ["PATH"]])
    return app.envref(
        "shim", "--call", tool, "-C", str(app.path), "--", "x", env={"PATH": path, **environment}, cwd="/"
    )


def test_a_secret_that_fails_starts_nothing(app):
    """An optional one that is absent does not."""
    app.write(".env", "GH_TOKEN=ref://secrets/missing\n")
    done = called(app)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: GH_TOKEN: failed to resolve ref://secrets/missing: " in done.stderr
    assert done.stderr.endswith("could not be resolved (gh was not started)\n")
    app.write(".env", "GH_TOKEN=ref://secrets/missing?optional\n")
    assert called(app).stdout == "gh 1  [] [] /\n"


@pytest.mark.parametrize("debugging", [{}, {"ENVREF_DEBUG": "1"}])
def test_both_doors_do_the_same(app, debugging):
    """ENVREF_DEBUG leads to the other one."""
    done = called(app, ENVREF_VAULT_PASSPHRASE="x", **debugging)
    assert (done.stdout, done.stderr) == (f"gh 1  [{TOKEN}] [] /\n", "")
    app.program("gh", "env")
    printed = called(app, ENVREF_VAULT_PASSPHRASE="x", KEPT="1", **debugging).stdout
    assert "\nKEPT=1\n" in f"\n{printed}"
    assert "ENVREF_VAULT_PASSPHRASE" not in printed


def test_a_call_loads_what_a_run_does_and_no_more(app, monkeypatch):
    """But for the lookup: a call costs about as much as an activation (docs/adr/0039-shims.md)."""
    app.write(".env", "GH_TOKEN=1\n")
    app.write(".env.local", "")
    monkeypatch.setenv("PATH", os.pathsep.join([str(app.path / "bin"), os.environ["PATH"]]))
    more = ("cli.child", "cli.shim_call", "cli.words", "processes", "tools", "tools.calls", "tools.lookup")
    calling = PLAIN - {"envref.digest", "envref.formats.shells"} | {f"envref.{name}" for name in more}
    assert loaded(app, "shim", "--call", "gh", "-C", str(app.path), "--", "x") == calling


@first_python
def test_a_tool_that_left_the_config_is_an_error_until_the_shell_knows(app):
    """The cure is what the error says."""
    later = app.write("later.yaml", app.read(".envref.yaml").replace('"gh": ["GH_TOKEN"], ', ""))
    changed = f"{FIRST['bash']}; cp {later} .envref.yaml; gh; echo $?"
    told = "error: gh is not under tools: in .envref.yaml any more\n  hint: this shell forgets its script by: "
    done = app.typed(changed, shell=SHELLS["bash"])
    assert (done.stdout, done.stderr.startswith(told)) == ("1\n", True)
    cure = done.stderr.removeprefix(told)
    app.configure(TOOLS)
    assert app.typed(f"{changed}; {cure}\ngh", shell=SHELLS["bash"]).stdout == f"1\ngh 0  [] [] {app.path}\n"


@first_python
def test_a_project_that_has_moved_is_said(app):
    """`envref init`, which is the cure elsewhere, would make a project where the tool was called."""
    done = app.typed(f"{FIRST['bash']}; mv .envref.yaml elsewhere; cd /; gh", shell=SHELLS["bash"])
    told = f"error: gh: its project is not in {app.path} any more\n  hint: in the project's new place: eval "
    assert (done.returncode, done.stderr.startswith(told)) == (1, True), done.stderr


@first_python
def test_streams_that_the_caller_closed_stay_closed(app):
    """For the tool, and for what reads and writes none of them."""
    app.program("gh", "exit 5")
    start = f'{FIRST["bash"]}; try() {{ "$@"; echo $? >&3; }}; exec 3>&1; '
    done = app.typed(f"{start} try gh <&-; try gh >&-; try gh 2>&-; try gh <&- >&- 2>&-", shell=SHELLS["bash"])
    assert (done.stdout, done.stderr) == ("5\n" * 4, "")
    code = "exec 3>&1; for words in 'credential git get' 'credential docker get' 'secret set a' 'vault import'; do "
    done = app.typed(
        f"{code} envref $words <&-; done; for words in 'secret get token' 'run -- true'; do "
        "envref $words >&-; envref $words 2>&-; done; envref -h >&-"
    )
    assert "internal error" not in done.stderr


def test_nobody_s_project_starts_nothing(project, nobody_agreed, app_of):
    """Nor does it get onto PATH: trust as for every activation."""
    app = app_of(project)
    app.program("gh", "echo started")
    done = called(app)
    assert (done.returncode, done.stdout) == (4, "")
    assert "is not trusted yet" in done.stderr
    assert "it keeps GH_TOKEN for gh" in done.stderr
    done = app.envref("shim", "--export")
    assert (done.returncode, done.stdout) == (4, "false\n")


def test_the_folder_is_the_user_s_own_and_new_at_each_change(app, home):
    """Outside of the repository, for nobody else, the same for the same tools; a profile has one of its own."""
    done = app.envref("shim", "--write")
    first = folder(app)
    assert done.stderr.startswith(f"wrote ~{first.removeprefix(str(home))}: gh, psql\n")
    assert first.startswith(f"{home}/.local/state/envref/shims/app-")
    for path in (os.path.dirname(first), first, f"{first}/gh", f"{first}/psql"):
        assert stat.S_IMODE(os.lstat(path).st_mode) == 0o700
    assert sorted(os.listdir(first)) == ["gh", "psql"]  # aws asks for its own
    with open(f"{first}/gh", encoding="utf-8") as file:
        assert len(file.read().splitlines()) == 3
    assert "up to date" in app.envref("shim", "--write").stderr
    app.configure({"gh": ["GH_TOKEN", "PGPASSWORD"]})
    assert (folder(app), app.envref("shim", "--write").returncode) == ("", 0)
    assert folder(app) not in ("", first)
    assert os.path.exists(first)
    app.envref("shim", "--write", "--profile", "stage")
    removed = app.envref("shim", "--remove").stderr
    assert (removed.count("removed "), os.listdir(os.path.dirname(first))) == (3, [])
    assert app.envref("shim", "--remove").stderr == "no shims are there\n"


DAY = 86400  # seconds


def aged(path, *, folder, scripts):
    """As if the folder had been asked for, and its scripts called, so many days ago."""
    for place, days in ((path, folder), *((f"{path}/{name}", scripts) for name in os.listdir(path))):
        os.utime(place, (time.time() - days * DAY,) * 2)


@pytest.mark.parametrize(("asked", "called", "stays"), [(31, 31, False), (29, 31, True), (31, 29, True)])
def test_an_old_folder_goes_when_nobody_has_used_it_for_a_month(app, asked, called, stays):
    """At the next change of the project's tools: a shell that is open may have it on PATH until then."""
    app.envref("shim", "--write")
    first = folder(app)
    aged(first, folder=asked, scripts=called)
    app.configure({"gh": ["GH_TOKEN", "PGPASSWORD"]})
    assert app.envref("shim", "--export").returncode == 0
    assert (os.path.exists(first), os.path.exists(folder(app))) == (stays, True)


def test_a_folder_that_a_shell_asks_for_is_in_use(app):
    """Its own project's alone goes, and no more than one look a day is written down."""
    app.envref("shim", "--write")
    first = folder(app)
    aged(first, folder=40, scripts=40)
    app.envref("shim", "--export")
    assert os.stat(first).st_mtime > time.time() - DAY
    aged(first, folder=0.5, scripts=40)
    before = os.stat(first).st_mtime
    app.envref("shim", "--export")
    assert os.stat(first).st_mtime == before
    app.configure({"gh": ["GH_TOKEN", "PGPASSWORD"]}, project="other")
    aged(first, folder=40, scripts=40)
    app.envref("shim", "--write")
    assert os.path.exists(first)


@pytest.mark.parametrize("broken", ["text", "missing", "more", "mode"])
def test_a_folder_that_is_not_as_it_should_be_is_made_anew(app, broken):
    app.envref("shim", "--write")
    path = folder(app)
    with open(f"{path}/gh", encoding="utf-8") as file:
        text = file.read()
    if broken == "mode":
        os.chmod(f"{path}/gh", 0o777)
    elif broken == "missing":
        os.unlink(f"{path}/gh")
    else:
        with open(f"{path}/{'gh' if broken == 'text' else 'ls'}", "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nid\n")
    assert app.envref("shim", "--export").returncode == 0
    with open(f"{path}/gh", encoding="utf-8") as file:
        assert file.read() == text
    assert (sorted(os.listdir(path)), stat.S_IMODE(os.stat(f"{path}/gh").st_mode)) == (["gh", "psql"], 0o700)


def test_a_folder_that_others_can_write_is_refused(app):
    """It, those above it, and a link in its place: in each others could put a program of the tool's name."""
    app.envref("shim", "--write")
    path = folder(app)
    for place in (path, *list(map(str, pathlib.Path(path).parents))[:4]):
        os.chmod(place, 0o777)
        done = app.envref("shim", "--export")
        assert (done.returncode, done.stdout) == (1, "false\n")
        assert "can be written by others" in done.stderr
        [cure] = [line for line in done.stderr.splitlines() if line.startswith("  run: ")]
        assert app.typed(cure.removeprefix("  run: ")).returncode == 0
        assert app.envref("shim", "--export").returncode == 0
    os.rename(path, f"{path}.away")
    os.symlink(f"{path}.away", path)
    assert "is not a directory" in app.envref("shim", "--write").stderr


def test_without_a_home_or_a_tool_it_says_so(app):
    done = app.envref("shim", "--write", env={"HOME": ""})
    assert (done.returncode, "set HOME to an absolute path" in done.stderr) == (1, True)
    assert app.envref("resolve", "--direnv", env={"HOME": ""}).returncode == 0
    app.configure({})
    done = app.envref("shim", "--write")
    assert (done.returncode, "no tool gets a variable here" in done.stderr) == (1, True)
    assert app.envref("shim", "--export", env={"PATH": "/bin"}).stdout == "export PATH=/bin\n"


@first_python
def test_a_shell_that_has_a_value_from_before_loses_it(app):
    """It was an activation's; one that the user set by hand stays, and they are told how to take it out."""
    app.program("gh", "exit 0")
    code = 'eval "$(envref resolve --export --all)"; PGPASSWORD=mine; eval "$(envref shim --export)"; env'
    done = app.typed(code, shell=SHELLS["bash"], PGPASSWORD="mine")
    assert "\nGH_TOKEN=" not in done.stdout
    assert "\nPGPASSWORD=mine\n" in done.stdout
    told = "PGPASSWORD: in this shell, not by envref; to take it out, run: unset PGPASSWORD\n"
    assert done.stderr == told
    assert [name for name in ("URL", "DSN", "LONG") if f"\n{name}=" in done.stdout] == []
    for shell, cure in (("fish", "set -e PGPASSWORD"), ("tcsh", "unsetenv PGPASSWORD")):
        told = app.envref("shim", "--export", "--shell", shell, env={"PGPASSWORD": "mine"}).stderr
        assert told.endswith(f"run: {cure}\n")


def test_words_that_mean_nothing_are_refused(app):
    for words, told in (
        (["gh"], "accepts 0 arg(s), received 1"),
        (["--write", "--path"], "if any flags in the group"),
        (["--shell", "bash"], "--shell needs --export"),
        (["--export", "--shell", "cmd"], 'invalid shell "cmd"'),
    ):
        done = app.envref("shim", *words)
        assert (done.returncode, told in done.stderr) == (2, True)


def test_doctor_says_what_stands_before_a_shim(app):
    """And that none is there, as a note, and whose folder others can write."""

    def findings(*first):
        path = os.pathsep.join([*first, str(app.path / "bin"), os.environ["PATH"]])
        found = json.loads(app.envref("doctor", "--format", "json", env={"PATH": path}).stdout)
        return [each["message"] for each in found["findings"] if each["check"] == "shim"]

    assert findings() == ["no shim is on PATH, so no variable reaches gh, psql here"]
    app.program("psql", "exit 0")
    app.envref("shim", "--write")
    place = folder(app)
    assert findings(place) == []
    other = app.program("gh", "exit 0", where="other")
    assert findings(str(app.path / "other"), place) == [f"gh is {other}, the shim stands behind it"]
    os.chmod(place, 0o777)
    assert [message.endswith("can be written by others") for message in findings(place)] == [True]


@first_python
def test_direnv_puts_it_first(app):
    """Real direnv, once the shims are written; a change of `tools:` gets its own folder by itself."""
    direnv = need("direnv")
    app.write(".envrc", 'eval "$(envref resolve --direnv)"\n')

    def run(*words):
        return app.typed(" ".join(words))

    run(direnv, "allow", ".")
    assert "shims" not in run(direnv, "exec", ".", "sh", "-c", "'command -v gh'").stdout
    app.envref("shim", "--write")
    assert run(direnv, "exec", ".", "gh", "x").stdout == f"gh 1  [{TOKEN}] [] {app.path}\n"
    before = folder(app)
    app.configure({"gh": ["GH_TOKEN"]})
    assert run(direnv, "exec", ".", "sh", "-c", "'command -v gh'").stdout == f"{folder(app)}/gh\n"
    assert folder(app) != before
    assert "GH_TOKEN=" not in run(direnv, "exec", ".", "env").stdout


LOADED = {
    "bash": 'eval "$(direnv export bash)"',
    "zsh": 'eval "$(direnv export zsh)"',
    "fish": "direnv export fish | source",
    "tcsh": "eval `direnv export tcsh`",
}


@first_python
@pytest.mark.parametrize("shell", SHELLS)
def test_in_a_shell_with_direnv_only_the_tool_has_it(app, shell):
    """Shell, child and grandchild have the project's other variables."""
    need("direnv")
    need(shell)
    app.write(".envrc", 'eval "$(envref resolve --direnv)"\n')
    app.envref("shim", "--write")
    done = app.typed(f"direnv allow .; {LOADED[shell]}; gh; {SEEN}", shell=SHELLS[shell])
    first, *environments = done.stdout.splitlines()
    assert first == f"gh 0  [{TOKEN}] [] {app.path}", done.stderr
    assert environments.count("PLAIN=1") == 3
    assert not [line for line in environments if line.startswith(("GH_TOKEN=", "PGPASSWORD=", "DSN="))]
