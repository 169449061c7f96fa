"""The hook block in the simulator of the documented contract: what it exports, what it leaves alone, when it stops.

Assertions A1 to A5, A7 to A10 and A13 of flox.md 8; those that hold for every start are in `Place.checked`.
"""

from __future__ import annotations

import os
import re
import shlex

import pytest

from envref.flox import block
from tests.flox.conftest import HOOK, SECRETS, manifest
from tests.flox.simulator import FAILED, OK
from tests.requirements import first_python

pytestmark = first_python

STRICT_HOOK = block.hook(strict=True) + "\n"
STOPS = pytest.mark.parametrize(
    ("block", "variables"), [(HOOK, {"ENVREF_STRICT": "1"}), (STRICT_HOOK, {})], ids=["ENVREF_STRICT=1", "--strict"]
)


def activated(place, *, hook=HOOK, **options):
    return place.start(place.flox(manifest(hook=hook)), **options)


def test_every_secret_is_exported(place):
    """Without a word, from the activation to a program that it starts."""
    start = activated(place)
    assert (start.result, start.stderr, start.additions) == (OK, "", SECRETS)
    assert [word.partition("=")[0] for word in start.seen.split() if "=" in word] == list(SECRETS)
    assert start.exec("sh", "-c", 'printf %s "$DB_PASS"').stdout == SECRETS["DB_PASS"].encode()


def test_a_verbose_start_traces_no_value(place):
    """`flox activate -v` runs the hook under `set -x`; it is on again for the next line."""
    start = activated(place, hook=f"{HOOK}echo traced\n", verbosity=1)
    assert start.additions == SECRETS
    assert "echo traced" in start.stderr
    assert "resolve" not in start.stderr


def test_a_locked_store_exports_nothing_and_says_how_to_unlock(place):
    """Every name, the cure, the number; the activation goes on."""
    place.lock()
    start = activated(place)
    assert (start.result, start.additions) == (OK, {})
    assert 'error: API_KEY, DB_PASS: backend "vault": vault passphrase required: ' in start.stderr
    assert start.stderr.endswith("2 reference(s) could not be resolved\n")


KILLED = "echo \"export HALF='a value'\"\nkill -9 $$\n"


@pytest.mark.parametrize(
    ("script", "status"), [(KILLED, 137), ("echo export A=1\nexit 1\n", 1), ("echo false\nexit 4\n", 4)]
)
def test_a_resolver_that_dies_exports_nothing(place, script, status):
    """What it printed before is not evaluated; one line says so."""
    flox = place.flox(manifest(hook=HOOK))
    place.stand_in(flox, script)
    start = place.start(flox)
    assert (start.result, start.additions) == (OK, {})
    assert start.stderr.endswith(f"envref: no secrets loaded (exit status {status})\n")
    assert start.stderr.count("envref: ") == 1


def test_without_envref_nothing_is_exported(place):
    """One line says why; a function of that name is not taken for it."""
    flox = place.flox(manifest(hook=f"envref() {{ echo 'export X=1'; }}\n{HOOK}"), envref=False)
    start = place.start(flox)
    assert (start.result, start.additions, start.stderr) == (OK, {}, "envref: not on PATH, no secrets loaded\n")


@STOPS
def test_strict_stops_the_activation(place, block, variables):
    """Locked, killed, absent: each fails the start."""
    place.lock()
    caller = {**os.environ, **variables}
    flox = place.flox(manifest(hook=block))
    assert place.start(flox, caller=caller).result == FAILED
    place.stand_in(flox, KILLED)
    assert place.start(flox, caller=caller).result == FAILED
    (flox.env / "bin" / "envref").unlink()
    assert place.start(flox, caller=caller).result == FAILED


def test_a_missing_secret_leaves_out_its_variable_only(place):
    """The others are exported, the old value of the missing one stays as it was."""
    place.stock(SECRETS, more="GONE=ref://secrets/gone\nPLAIN=plain\n")
    start = activated(place, caller={**os.environ, "GONE": "of the caller"})
    assert (start.result, start.additions) == (OK, {**SECRETS, "PLAIN": "plain"})
    assert start.environment()["GONE"] == "of the caller"
    cure = shlex.split(start.stderr.partition("run: ")[2].partition("\n")[0])
    assert cure == ["envref", "-C", str(place.project), "secret", "set", "gone"]  # it was activated from elsewhere
    assert start.stderr.endswith("1 reference(s) could not be resolved\n")


@STOPS
def test_strict_exports_all_or_nothing(place, block, variables):
    """One missing secret: the start fails, and no name reaches anybody."""
    place.stock(SECRETS, more="GONE=ref://secrets/gone\n")
    start = activated(place, hook=block, caller={**os.environ, **variables})
    assert (start.result, start.additions) == (FAILED, {})
    assert "(strict mode: no output produced)" in start.stderr


def test_strict_lets_a_complete_activation_pass(place):
    """All there: as without it."""
    assert activated(place, hook=STRICT_HOOK).additions == SECRETS


def test_a_project_without_config_is_no_project_of_ours(place):
    """The same text serves a shared environment: silent."""
    (place.project / ".envref.yaml").unlink()
    start = activated(place)
    assert (start.result, start.stderr, start.additions) == (OK, "", {})


def test_the_text_twice_gives_the_same(place):
    """Composition may bring it twice."""
    start = activated(place, hook=HOOK + HOOK)
    assert (start.result, start.stderr, start.additions) == (OK, "", SECRETS)


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_hooks_of_neighbours_run_with_their_own_options(place, order):
    """In both orders, indented alike: no early end, no option, no function of ours."""
    neighbour = 'set -u\nexport NEIGHBOUR="$-:${IFS@Q}"\nset +u\n'
    hook = HOOK + neighbour if order == "before" else neighbour + HOOK
    indented = "".join(f"    {line}\n" if line else "\n" for line in hook.splitlines())
    alone = activated(place, hook=neighbour).additions
    assert activated(place, hook=indented).additions == {**SECRETS, **alone}


OPTIONS = [
    "set -e",
    "set -u",
    "set -a",
    "set -x",
    "set -o posix",
    "IFS=/.e",
    "shopt -s failglob nullglob nocasematch",
    "set -eEuafCx -o pipefail -o posix",
]
LOOK = """\
{ printf '%s' "$- $(shopt -p) $(set +o) ${IFS@Q}" | sed 's/posix//'; } > "$LOOKS/NAME"
"""
NAMES = '{ declare -F; compgen -v; } > "$LOOKS/names"\n'


@pytest.mark.parametrize("options", OPTIONS)
def test_foreign_options_change_nothing_and_stay(place, options, tmp_path):
    """Each option of flox.md 6.1: all is exported, none is shown, and the option is as before."""
    before, after = LOOK.replace("NAME", "before"), LOOK.replace("NAME", "after")
    start = activated(place, hook=f"{options}\n{before}{HOOK}{after}", caller={**os.environ, "LOOKS": str(tmp_path)})
    assert start.result == OK
    assert {name: start.additions.get(name) for name in SECRETS} == SECRETS
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text() != ""


def test_exported_namesakes_of_its_variables_stay_what_they_are(place):
    """A local inherits the export attribute in bash: none of ours does, so no child gets a value by another name."""
    namesakes = dict.fromkeys(re.findall(r"\b_envref_[a-z]+\b", HOOK), "of the caller")
    assert len(namesakes) > 3
    flox = place.flox(manifest(hook=HOOK + HOOK))
    place.stand_in(flox, 'env > "$LOOKS/env"\necho "export GOT=it"\n')
    start = place.start(flox, caller={**os.environ, **namesakes, "LOOKS": str(place.directory)})
    assert start.additions == {"GOT": "it"}
    seen = dict(line.split("=", 1) for line in (place.directory / "env").read_text().splitlines() if "=" in line)
    assert not {name: value for name, value in seen.items() if name in namesakes and value != "of the caller"}


def test_no_name_of_its_own_is_left(place, tmp_path):
    """Neither function nor variable."""
    activated(place, hook=HOOK + NAMES, caller={**os.environ, "LOOKS": str(tmp_path)})
    names = (tmp_path / "names").read_text()
    assert "BASH" in names
    assert "_envref" not in names


def test_it_works_from_any_directory(place, tmp_path):
    """The project's path has a space; the caller is elsewhere."""
    assert " " in str(place.project)
    assert activated(place, cwd="/").additions == SECRETS


def test_without_a_project_the_callers_directory_is_it(place):
    """In a container FLOX_ENV_PROJECT is unset."""
    flox = place.flox(manifest(hook=HOOK), project=None)
    assert place.start(flox, cwd=place.project).additions == SECRETS
    assert place.start(flox, cwd="/").additions == {}


def test_the_callers_data_is_still_there_after_it(place, home):
    """`data | flox activate -- CMD`: neither the hook nor a store reads any of it."""
    place.configure("{name: vault, type: vault, config: {path: v.db}}", "{name: pass, type: pass}")
    place.stock(SECRETS, more="IN_PASS=ref://pass//x\n")
    (home / ".password-store").mkdir()
    (home / ".password-store" / "x.gpg").touch()
    flox = place.flox(manifest(hook=HOOK))
    flox.install(place.program("pass", 'echo "read: $(cat)"\n'))
    reading, writing = os.pipe()
    os.write(writing, b"data of the caller")
    os.close(writing)
    start = place.start(flox, stdin=reading)
    assert start.additions == {**SECRETS, "IN_PASS": "read: "}
    assert os.read(reading, 100) == b"data of the caller"
    os.close(reading)
