"""The profile blocks in the simulator of the documented contract, in the four shells that Flox knows.

Assertions A2, A3, A5 and A7 to A10 of flox.md 8 for `--placement profile`, and A12 and A16 for both placements.
"""

from __future__ import annotations

import os

import pytest

from envref.flox import block
from tests.flox.conftest import HOOK, PROFILES, SECRETS, manifest
from tests.flox.simulator import SHELLS
from tests.requirements import first_python

pytestmark = first_python

EVERY_SHELL = pytest.mark.parametrize("shell", SHELLS)
STRICT = {shell: block.in_profile(shell, strict=True) + "\n" for shell in SHELLS}
NAMES = {
    "bash": "declare -F; compgen -v; alias",
    "zsh": "print -l ${(k)functions} ${(k)parameters} ${(k)aliases}",
    "fish": "functions --all --names; set --names",
    "tcsh": "set; alias; echo PATH",
}
EXPORT = {"fish": "set -gx {} {}\n", "tcsh": "setenv {} {}\n"}


def export(shell, name, value):
    return EXPORT.get(shell, "export {}={}\n").format(name, value)


def attached(place, shell, *, profile=None, flox=None, **options):
    """The shell's session in a start whose profile is the block; nothing of a value may show."""
    flox = flox or place.flox(manifest(profiles={shell: profile or PROFILES[shell]}))
    session = place.start(flox).attach(shell, **options)
    place.shows_no_value(session.stderr)
    if "then" not in options:
        place.shows_no_value(session.stdout)
    return session


def found(session, names=tuple(SECRETS)):
    return {name: session.environment[name] for name in names if name in session.environment}


@EVERY_SHELL
@pytest.mark.parametrize("way", ["shell", "in place"])
def test_every_secret_is_in_the_shell(place, shell, way):
    """In a new shell and evaluated in place; nothing is printed, nothing is captured."""
    flox = place.flox(manifest(profiles={shell: PROFILES[shell]}))
    session = attached(place, shell, flox=flox, way=way)
    assert (found(session), session.stdout, session.stderr, session.status) == (SECRETS, "", "", 0)
    assert flox.start().additions == {}


def test_a_command_of_bash_gets_them_too(place):
    """`-c` off a terminal."""
    assert found(attached(place, "bash", way="command", then="true")) == SECRETS


@EVERY_SHELL
def test_a_locked_store_leaves_the_shell_usable(place, shell):
    """Each name with its cure on stderr, no variable, and the old value stays."""
    place.lock()
    session = attached(place, shell, before=export(shell, "API_KEY", "old"))
    assert found(session) == {"API_KEY": "old"}
    assert 'error: API_KEY, DB_PASS: backend "vault": vault passphrase required: ' in session.stderr
    assert session.stdout == ""


@EVERY_SHELL
def test_strict_loads_all_or_nothing(place, shell):
    """One missing secret: the shell opens without any."""
    place.stock(SECRETS, more="GONE=ref://secrets/gone\n")
    assert found(attached(place, shell)) == SECRETS
    session = attached(place, shell, profile=STRICT[shell])
    assert found(session) == {}
    assert "(strict mode: no output produced)" in session.stderr


@EVERY_SHELL
def test_a_resolver_that_dies_loads_nothing(place, shell):
    """In tcsh, which sees no status before it evaluates, the resolver's single write at the end is what protects."""
    flox = place.flox(manifest(profiles={shell: PROFILES[shell]}))
    half = "" if shell == "tcsh" else {"fish": "set -gx API_KEY half"}.get(shell, "export API_KEY=half")
    place.stand_in(flox, f"echo '{half}'\nkill -9 $$\n")
    session = attached(place, shell, flox=flox)
    assert (found(session), session.stdout) == ({}, "")
    if shell != "tcsh":
        assert session.stderr.endswith("envref: no secrets loaded (exit status 137)\n")


@EVERY_SHELL
def test_without_envref_one_line_says_so(place, shell):
    """An alias or function of that name is not taken for it."""
    flox = place.flox(manifest(profiles={shell: PROFILES[shell]}), envref=False)
    session = attached(place, shell, flox=flox)
    assert (found(session), session.stderr) == ({}, "envref: not on PATH, no secrets loaded\n")


@EVERY_SHELL
def test_the_text_twice_gives_the_same(place, shell):
    """Composition may bring it twice."""
    session = attached(place, shell, profile=PROFILES[shell] * 2)
    assert (found(session), session.stderr) == (SECRETS, "")


OPTIONS = [
    ("bash", "set -x"),
    ("bash", "set -a"),
    ("bash", "set -o posix"),
    ("bash", "shopt -s failglob; IFS=/.e"),
    ("bash", "set -eEuafCx -o pipefail"),
    ("zsh", "setopt xtrace"),
    ("zsh", "setopt allexport"),
    ("zsh", "setopt errexit errreturn nounset xtrace noclobber"),
    ("zsh", "setopt rcquotes ksharrays shwordsplit; IFS=/.e"),
    ("zsh", "setopt cshjunkiequotes noglob"),
    ("zsh", "emulate ksh"),
    ("fish", "set -g fish_trace 1"),
    ("tcsh", "set verbose"),
    ("tcsh", "set echo"),
    ("tcsh", "set noglob noclobber verbose echo"),
]
LOOK = {
    "bash": """printf '%s' "$- $(shopt -p) $(set +o) ${IFS@Q}" """,
    "zsh": """print -r -- "$(setopt)" "${(q)IFS}" """,
    "fish": "set --show fish_trace",
    "tcsh": "set | egrep '^(verbose|echo|noglob|noclobber)'",
}


@pytest.mark.parametrize(("shell", "option"), OPTIONS)
def test_foreign_options_change_nothing_and_stay(place, shell, option, tmp_path):
    """Each option of flox.md 6.1: all is loaded, none is shown, and the option is as before."""
    look = f"{LOOK[shell]} >! '{tmp_path}/NAME'" if shell in ("zsh", "tcsh") else f"{LOOK[shell]} > '{tmp_path}/NAME'"
    before, after = look.replace("NAME", "before"), look.replace("NAME", "after")
    secrets = {**SECRETS, "TWO_LINES": "one\ntwo \\ three\n"}
    place.stock(secrets)
    session = attached(place, shell, before=f"{option}\n{before}", then=after)
    assert found(session, secrets) == secrets
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()
    place.shows_no_value(session.stdout)


@EVERY_SHELL
def test_a_trace_goes_on_after_it(place, shell):
    """What the user traces is traced again behind the block."""
    trace = {"bash": "set -x", "zsh": "setopt xtrace", "fish": "set -g fish_trace 1", "tcsh": "set echo"}[shell]
    session = attached(place, shell, before=trace, then="true behind-the-block")
    assert "true behind-the-block" in session.stdout + session.stderr


@EVERY_SHELL
def test_no_name_of_its_own_is_left(place, shell):
    """Neither function nor variable; an exported namesake of the caller's stays what it was."""
    session = attached(place, shell, then=NAMES[shell])
    assert "PATH" in session.stdout
    assert "_envref" not in session.stdout
    assert not [name for name in session.environment if "_envref" in name]


@EVERY_SHELL
def test_exported_namesakes_reach_no_child_with_a_value(place, shell):
    """What a program of the block sees under such a name is the caller's."""
    namesakes = {f"_envref_{name}": "of-the-caller" for name in ("out", "rc", "flags", "dir", "verbose", "echo")}
    flox = place.flox(manifest(profiles={shell: PROFILES[shell] * 2}))
    line = {"fish": "set -gx GOT it-is", "tcsh": "setenv GOT it-is;"}.get(shell, "export GOT=it-is")
    place.stand_in(flox, f"env >> '{place.directory}/env'\necho '{line}'\n")
    before = "".join(export(shell, name, value) for name, value in namesakes.items())
    session = attached(place, shell, flox=flox, before=before)
    assert session.environment["GOT"] == "it-is"
    seen = (place.directory / "env").read_text().splitlines()
    assert not [line for line in seen if line.startswith("_envref_") and "it-is" in line]


@EVERY_SHELL
def test_it_works_from_any_directory(place, shell):
    """The project's path has a space; without a project the caller's directory is it."""
    flox = place.flox(manifest(profiles={shell: PROFILES[shell]}))
    assert found(attached(place, shell, flox=flox, cwd="/")) == SECRETS
    flox.project = None
    assert found(attached(place, shell, flox=flox, cwd=place.project)) == SECRETS
    assert "no .envref.yaml found" in attached(place, shell, flox=flox, cwd="/").stderr


@EVERY_SHELL
def test_all_four_may_be_in_one_manifest(place, shell):
    """Each shell reads its own."""
    flox = place.flox(manifest(profiles=PROFILES))
    assert found(attached(place, shell, flox=flox)) == SECRETS


@EVERY_SHELL
def test_after_a_rotation_a_hook_gives_the_old_value_and_a_profile_the_new_one(place, shell):
    """A second activation beside a live one replays what the hook exported, and asks again for the profile."""
    rotated = {"API_KEY": "another-value", "DB_PASS": "one more"}
    hooked = place.flox(manifest(hook=HOOK))
    profiled = place.flox(manifest(profiles={shell: PROFILES[shell]}))
    assert [found(flox.activate().attach(shell)) for flox in (hooked, profiled)] == [SECRETS, SECRETS]
    place.stock(rotated)
    assert [found(flox.activate().attach(shell)) for flox in (hooked, profiled)] == [SECRETS, rotated]


@EVERY_SHELL
def test_deactivation_takes_away_what_the_hook_exported(place, shell):
    """And gives back what was set before."""
    caller = {**os.environ, "API_KEY": "of the caller"}
    session = place.start(place.flox(manifest(hook=HOOK)), caller=caller).attach(shell, deactivate=True)
    assert found(session) == SECRETS
    assert {name: session.left.get(name) for name in SECRETS} == {"API_KEY": "of the caller", "DB_PASS": None}


@EVERY_SHELL
@pytest.mark.parametrize("undone", [True, False])
def test_deactivation_needs_an_undo_for_a_profile(place, shell, undone):
    """With `profile.deactivate` the variables are gone, silently and twice; without it they stay."""
    undo = {shell: f"{block.undo(shell, SECRETS)}\n" * 2} if undone else None
    text = manifest(profiles={shell: PROFILES[shell]}, undo=undo, head='schema-version = "1.13.0"')
    session = attached(place, shell, flox=place.flox(text), deactivate=True)
    assert found(session) == SECRETS
    assert [name for name in SECRETS if name in session.left] == ([] if undone else list(SECRETS))
    assert session.stderr == ""
