"""Agreement: nothing of a project gets into a shell before somebody here agreed to it (security.md 5)."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from envref.project.trust import agreement, record
from envref.project.trust.meaning import fingerprint, meaning
from envref.project.trust.names import Name
from envref.resolve.resolution import load
from tests.arguments import PYTHONPATH
from tests.cli.terminal import Terminal
from tests.conftest import Directory

pytestmark = pytest.mark.usefixtures("nobody_agreed")
CONFIG = "project: shop\n"
ENV = "PORT=3000\nLOG=info\n"
EXPORTING = [
    ["resolve", "--export"],
    ["resolve", "--direnv"],
    ["resolve", "--export", "--shell", "fish"],
    ["resolve", "--export", "--shell", "tcsh"],
    ["resolve", "--export", "--strict"],
]
TYPED = [
    ["resolve"],
    ["run", "--", "true"],
    ["list"],
    ["get", "PORT"],
    ["status", "--offline"],
    ["validate", "--no-schema"],
]


@pytest.fixture
def shop(project):
    """A clone that nobody here has looked at; it asks for nothing that needs trust."""
    project.write(".envref.yaml", CONFIG)
    project.write(".env", ENV)
    project.write(".env.example", "PORT=\nLOG=\n")
    return project


def exported(shop, **options):
    return shop.envref("resolve", "--export", **options)


@pytest.mark.parametrize("words", EXPORTING, ids=" ".join)
def test_a_clone_exports_nothing(shop, words):
    """A shell gets code that fails, and a person the one line to type."""
    done = shop.envref(*words)
    assert (done.returncode, done.stdout) == (4, "false\n")
    first, *_, last = done.stderr.splitlines()
    assert first.endswith("is not trusted yet, nothing was run or read.")
    assert last.startswith("  review, then: envref trust        in CI: ENVREF_TRUST=")
    assert "it sets 2 variable(s), 0 with secrets" in done.stderr


@pytest.mark.parametrize("words", TYPED, ids=" ".join)
def test_commands_that_people_type_do_not_ask(shop, words):
    """They hand nothing to a shell, and the project asks for nothing by meaning."""
    assert shop.envref(*words).returncode == 0


def test_trust_once_then_any_value(shop):
    """Ordinary edits of `.env` never ask again, in either order of states."""
    assert shop.envref("trust").returncode == 0
    for port in ("3001", "3002", "3001"):
        shop.write(".env", ENV.replace("3000", port))
        done = exported(shop)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"export PORT={port}\n" in done.stdout


CHANGES = {
    "a risky name": ENV + "BASH_ENV=x\n",
    "a secret that envref did not make": ENV + "K=ref://keychain//bank?optional\n",
    "one inside a longer value": ENV + 'K="x${ref://keychain//bank?optional}"\n',
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_meaning_asks_again(shop, change):
    """And shows the difference."""
    shop.envref("trust")
    shop.write(".env", CHANGES[change])
    done = exported(shop)
    assert (done.returncode, done.stdout) == (4, "false\n")
    assert "changed since you trusted it" in done.stderr
    shop.envref("trust")
    assert "changed since" not in exported(shop).stderr


EDITS = {
    "set": ["set", "VAULT_ADDR=https://vault.example"],
    "secret set --env": ["secret", "set", "a", "--env", "A"],
    "profile use": ["profile", "use", "staging"],
    "edit": ["edit"],
}


@pytest.mark.parametrize("words", EDITS.values(), ids=list(EDITS))
def test_an_edit_by_envref_keeps_the_agreement_and_makes_none(shop, monkeypatch, words):
    """Its user made the change; who did not agree before has not agreed after."""
    shop.write(".envref.yaml", CONFIG + "backends: [{name: vault}]\n")
    shop.write(".env.staging", "STAGE=1\n")
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("EDITOR", str(shop.write("editor", '#!/bin/sh\necho BASH_ENV=x >> "$1"\n')))
    (shop.path / "editor").chmod(0o755)
    shop.envref("vault", "init", "--work-factor", "15")
    assert shop.envref(*words, stdin="v").returncode == 0
    assert exported(shop).returncode == 4
    shop.write(".env", ENV)
    shop.envref("trust")
    assert shop.envref(*words, stdin="v").returncode == 0
    assert exported(shop).returncode == 0


def test_the_question_says_what_the_project_would_do(shop):
    """Variables and secrets by number, stores, and secrets that envref did not make."""
    names = [f"N{number}=ref://keychain//bank/{number}\n" for number in range(7)]
    shop.write(".env", ENV + "".join(names))
    told = exported(shop).stderr
    assert "  it sets 9 variable(s), 7 with secrets from keychain\n" in told
    assert "  it reads ref://keychain//bank/0, " in told
    assert " and 2 more\n" in told


def test_the_question_says_where_a_store_looks(shop):
    """A prefix reaches other projects' secrets; a token is not shown."""
    options = "{prefix: envref/other, token: very-private, addr: 'http://127.0.0.1:1'}"
    shop.write(".envref.yaml", f"{CONFIG}backends: [{{name: hc, type: hashicorp-vault, config: {options}}}]\n")
    told = exported(shop).stderr
    assert "with secrets from hc (prefix envref/other, addr http://127.0.0.1:1)\n" in told
    assert "very-private" not in told


def test_one_more_store_is_shown(shop):
    """Each change says which backend it is about, where there are several."""
    shop.write(".envref.yaml", CONFIG + "backends: [{name: vault}]\n")
    shop.envref("trust")
    shop.write(".envref.yaml", CONFIG + "backends: [{name: vault}, {name: op, type: 1password}]\n")
    told = exported(shop).stderr
    assert "  - backends: vault\n  + backends: vault, op\n" in told
    assert '  + type: 1password (backend "op")\n' in told


def test_the_value_of_a_risky_name_is_part_of_the_meaning(shop):
    """SEC-B3: the address that was agreed to is not another one."""
    shop.write(".env", "VAULT_ADDR=https://good.example\n")
    shop.envref("trust")
    assert exported(shop).stdout == "export VAULT_ADDR=https://good.example\n"
    shop.write(".env", "VAULT_ADDR=https://evil.example\n")
    done = exported(shop)
    assert done.stdout == "false\n"
    assert "- variables VAULT_ADDR: https://good.example" in done.stderr
    assert "+ variables VAULT_ADDR: https://evil.example" in done.stderr


def test_a_place_that_the_user_trusts_is_agreed_to(shop, home):
    """By the user's own config; no other place is."""
    config = home / ".config/envref/config.yaml"
    config.parent.mkdir(parents=True)
    for place, status in ((shop.path.parent, 0), (f"{shop.path}/..", 0), (home, 4)):
        config.write_text(f"trusted_paths: ['{place}']\n")
        config.chmod(0o600)
        assert exported(shop).returncode == status, place


def test_a_pin_is_of_values_too(shop, monkeypatch):
    """What CI pinned is what it gets."""
    shop.write(".env", "VAULT_ADDR=https://good.example\n")
    monkeypatch.setenv("ENVREF_TRUST", shop.envref("trust", "--print").stdout.strip())
    assert exported(shop).returncode == 0
    shop.write(".env", "VAULT_ADDR=https://evil.example\n")
    assert exported(shop).returncode == 4


@pytest.mark.parametrize("word", ["true", "1"])
def test_ci_agrees_to_what_asks_for_nothing(shop, monkeypatch, word):
    """Not to what needs trust, and no other word for it counts."""
    monkeypatch.setenv("CI", word)
    assert exported(shop).returncode == 0
    shop.write(".env", ENV + "BASH_ENV=x\n")
    assert exported(shop).returncode == 4
    shop.write(".env", ENV)
    monkeypatch.setenv("CI", "false")
    assert exported(shop).returncode == 4


def test_init_agrees_to_what_it_wrote(project):
    """Its user made the project."""
    assert project.envref("init", "--project", "mine").returncode == 0
    project.write(".env", "A=1\n")
    assert exported(project).stdout == "export A=1\n"


def test_direnv_agrees_from_its_own_file_only(shop, tmp_path):
    """In the project or below it, with an `.envrc` there: the variable alone says nothing."""
    env = {"DIRENV_IN_ENVRC": "1"}
    assert exported(shop, env=env).returncode == 4
    (tmp_path / ".envrc").write_text("")
    assert exported(shop, env=env, cwd=tmp_path).returncode != 0
    shop.write("web/.envrc", "")
    assert exported(shop, env=env, cwd=shop.path / "web").returncode == 0
    assert exported(shop).returncode == 0


def test_one_more_project_of_a_name_is_told_of(shop, tmp_path, monkeypatch):
    """By the question, and by each activation that uses a store, until its user runs envref trust there."""
    monkeypatch.setenv("DIRENV_IN_ENVRC", "1")
    second = Directory(tmp_path / "second")
    for place in (shop, second):
        place.write(".envref.yaml", CONFIG + "backends: [{name: vault}]\n")
        place.write(".env", ENV + "K=ref://vault/k?optional\n")
    assert f'  project "shop" is also used by {shop.path}' not in exported(second).stderr
    shop.write(".envrc", "")
    assert "also used" not in exported(shop).stderr
    assert f'  project "shop" is also used by {shop.path}\n' in exported(second).stderr
    second.write(".envrc", "")
    told = f'envref: warning: project "shop" is also used by {shop.path}; if that is meant, run: envref trust\n'
    assert [told in exported(second).stderr for _ in range(3)] == [True] * 3
    assert second.envref("trust").returncode == 0
    assert "also used" not in exported(second).stderr


def test_direnv_agrees_once(shop):
    """What it agreed to is recorded as the first meaning; a change asks as ever."""
    shop.write(".envrc", "")
    assert exported(shop, env={"DIRENV_IN_ENVRC": "1"}).returncode == 0
    shop.write(".env", ENV + "BASH_ENV=x\n")
    assert exported(shop, env={"DIRENV_IN_ENVRC": "1"}).returncode == 4


def test_direnv_s_agreement_needs_no_state(shop):
    """A home that can't be written, as in many containers, stops nobody."""
    shop.write(".envrc", "")
    env = {"DIRENV_IN_ENVRC": "1", "XDG_STATE_HOME": "/proc/nowhere"}
    assert [exported(shop, env=env).returncode for _ in range(2)] == [0, 0]


def test_flox_agrees_for_its_own_project(shop, tmp_path):
    """An environment that lies elsewhere, e.g. a remote one, agrees to nothing here."""
    own = str(shop.path / ".flox/run/x86_64-linux.shop.dev")
    for project, environment, status in (
        (str(shop.path), str(tmp_path / "remote"), 4),
        (str(tmp_path), own, 4),
        (str(shop.path), f"{shop.path}/.flox/run/../../evil", 4),
        (str(shop.path), own, 0),
    ):
        env = {"FLOX_ENV_PROJECT": project, "FLOX_ENV": environment}
        assert exported(shop, env=env).returncode == status


@pytest.fixture
def flox(shop):
    """The clone has a Flox environment."""
    shop.write(".flox/env/manifest.toml", "version = 1\n")
    return shop


def test_who_writes_the_hook_agrees_to_what_it_was_shown(flox):
    """Once: a change after it asks at the next activation, not here."""
    told = flox.envref("flox-hook", "--write").stderr
    assert "it sets 2 variable(s)" in told
    assert told.endswith(" is trusted\n")
    assert exported(flox).returncode == 0
    flox.write(".env", ENV + "BASH_ENV=x\n")
    assert "trusted" not in flox.envref("flox-hook", "--write").stderr
    assert exported(flox).returncode == 4


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 4)])
def test_who_writes_the_hook_on_a_terminal_is_asked(flox, answer, status):
    """The default is no, and a no is kept."""
    terminal = Terminal(flox.path, "flox-hook", "--write")
    terminal.await_text("trust it? [y/N] ")
    terminal.type(f"{answer}\n")
    assert terminal.end() == (0 if answer == "y" else 1)
    assert exported(flox).returncode == status


def test_flox_says_both_what_it_runs_and_for_whom(shop):
    """Half of it is nobody's agreement."""
    own = {"FLOX_ENV": f"{shop.path}/.flox/run/x86_64-linux.app.dev"}
    assert exported(shop, env=own).returncode == 4
    assert exported(shop, env={"FLOX_ENV_PROJECT": str(shop.path)}).returncode == 4


def test_a_no_is_kept(shop):
    """Until the project changes, nothing asks again."""
    terminal = Terminal(shop.path, "resolve", "--export")
    terminal.await_text("trust it? [y/N] ")
    terminal.type("n\n")
    assert terminal.end() == 4
    assert exported(shop).returncode == 4
    assert shop.envref("trust").returncode == 0
    assert exported(shop).returncode == 0


def seals(home):
    """The seals that are kept, of one project."""
    (file,) = (home / ".local/state/envref/agreed").iterdir()
    return file.read_text().split("\0")[1:]


@pytest.fixture
def gateless(monkeypatch):
    """Fails the test that computes a meaning."""

    def fail(*_arguments):
        pytest.fail("the gate was loaded")

    def close():
        monkeypatch.setattr("envref.project.trust.meaning.meaning", fail)

    return close


def test_a_state_with_its_seal_loads_no_gate(shop, home, gateless):
    """The second activation compares one small file, that nobody else could have written."""
    shop.envref("trust")
    exported(shop)
    (sealed,) = (home / ".local/state/envref/agreed").iterdir()
    assert sealed.stat().st_mode & 0o777 == 0o600
    project = load(str(shop.path))
    assert agreement.is_agreed(project)
    gateless()
    assert agreement.is_agreed(project)
    sealed.chmod(0o666)
    with pytest.raises(pytest.fail.Exception):
        agreement.is_agreed(project)


def test_another_path_is_another_state(shop, gateless):
    """Where programs are found decides what a project would run."""
    shop.envref("trust")
    exported(shop)
    project = load(str(shop.path))
    gateless()
    with pytest.raises(pytest.fail.Exception):
        agreement.is_agreed(project, {**os.environ, "PATH": "/elsewhere"})


@pytest.mark.parametrize("words", [["trust", "--revoke"], "no"], ids=["revoked", "denied"])
def test_who_takes_it_back_is_asked_again(shop, words):
    """A seal is of the decision that it was made under, and dies with it."""
    shop.envref("trust")
    assert [exported(shop).returncode for _ in range(2)] == [0, 0]
    if words == "no":
        project = load(str(shop.path))
        record.write(project.root, meaning(project), granted=False)
    else:
        shop.envref(*words)
    assert exported(shop).returncode == 4


def test_who_agreed_to_something_else_since_is_asked_again(shop):
    """What was agreed to once, and then replaced, is no longer agreed to."""
    states = [ENV + f"VAULT_ADDR=https://{name}.example\n" for name in ("first", "second")]
    for state in states:
        shop.write(".env", state)
        shop.envref("trust")
        assert [exported(shop).returncode for _ in range(2)] == [0, 0]
    shop.write(".env", states[0])
    assert exported(shop).returncode == 4


def test_a_first_agreement_of_direnv_leaves_no_seal_without_a_record(shop, home):
    """Who revokes it is asked, whatever was kept before there was a record."""
    shop.write(".envrc", "")
    for _ in range(2):
        assert exported(shop, env={"DIRENV_IN_ENVRC": "1"}).returncode == 0
    shop.envref("trust", "--revoke")
    assert exported(shop).returncode == 4


def test_a_program_that_comes_on_a_path_into_the_project_asks(shop, monkeypatch):
    """`PATH` often leads into a project; the repository decides tomorrow what lies there."""
    shop.write(".envref.yaml", CONFIG + "backends: [{name: op, type: 1password}]\n")
    (shop.path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{shop.path}/bin:{os.environ['PATH']}")
    shop.envref("trust")
    assert [exported(shop).returncode for _ in range(2)] == [0, 0]
    shop.write("bin/op", "#!/bin/sh\n").chmod(0o755)
    assert exported(shop).returncode == 4


def test_a_value_that_a_risky_one_interpolates_is_part_of_the_meaning(shop):
    """However many names lie between."""
    text = "HTTPS_PROXY=http://${FIRST:-x}/\nFIRST=${my-host}\nmy=$SECOND\nSECOND=good.example\n"
    shop.write(".env", text)
    shop.envref("trust")
    assert exported(shop).returncode == 0
    shop.write(".env", text.replace("good", "evil"))
    done = exported(shop)
    assert done.returncode == 4
    assert "- variables SECOND: good.example\n  + variables SECOND: evil.example\n" in done.stderr


def test_every_file_s_value_of_a_risky_name_counts(shop):
    """Not only that of the file that comes last."""
    shop.write(".env", "VAULT_ADDR=https://good.example\n")
    shop.write(".env.staging", "VAULT_ADDR=https://staging.example\n")
    shop.envref("trust")
    assert exported(shop).returncode == 0
    shop.write(".env", "VAULT_ADDR=https://evil.example\n")
    assert exported(shop).returncode == 4


def test_what_was_read_is_what_is_judged(shop):
    """A file that is put back between the two would else be agreed to, and the other one exported."""
    shop.envref("trust")
    shop.write(".env", ENV + "BASH_ENV=evil\n")
    project = load(str(shop.path))
    shop.write(".env", ENV)
    assert not agreement.is_agreed(project)


def test_credentials_are_shown_and_kept_by_their_digests(shop, home):
    """A risky name with a literal token, or a proxy with its password."""
    private = "hvs.very-private"
    shop.write(".env", f"CARGO_REGISTRY_TOKEN={private}\nHTTPS_PROXY=http://me:{private}@proxy.example\nPAGER=./p\n")
    told = shop.envref("trust").stderr
    digit = hashlib.sha256(private.encode()).hexdigest()[:12]
    proxy = f"HTTPS_PROXY=http://me:sha256 {digit}...@proxy.example"
    assert f"to set CARGO_REGISTRY_TOKEN=sha256 {digit}..., {proxy}, PAGER=./p\n" in told
    kept = "".join(path.read_text() for path in (home / ".local/state/envref").rglob("*") if path.is_file())
    assert "PAGER" in kept
    assert private not in kept + told


def test_the_question_has_five_lines_and_trust_all(shop):
    """After its head; the risky names are always among them."""
    backends = ", ".join(f"{{name: v{number}, type: vault, config: {{path: /srv/{number}.db}}}}" for number in range(9))
    shop.write(".envref.yaml", f"{CONFIG}backends: [{backends}]\n")
    shop.write(".env", "BASH_ENV=x\nA=ref://keychain//bank\n")
    _head, *told, _pin = exported(shop).stderr.splitlines()
    assert len(told) == 5
    assert told[-2:] == ["            and 8 more: envref trust shows all", "            to set BASH_ENV=x"]
    shop.write(".env", "".join(f"GIT_X{number}=x\n" for number in range(9)) + "BASH_ENV=" + "y" * 200 + "\n")
    assert exported(shop).stderr.splitlines()[-2].endswith("GIT_X3=x and 5 more")
    shown = shop.envref("trust").stderr
    assert all(f"GIT_X{number}=x" in shown for number in range(9))
    assert f"BASH_ENV={'y' * 100}... (200 characters)" in shown
    assert all(f"/srv/{number}.db" in shown for number in range(9))


def test_strict_mode_is_by_content(shop, home):
    """Any change of config or env files asks."""
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("trust: strict\n")
    shop.envref("trust")
    assert exported(shop).returncode == 0
    shop.write(".env", ENV.replace("3000", "3001"))
    assert exported(shop).returncode == 4


def test_two_activations_of_a_clone_run_nothing(shop, home, tmp_path):
    """SEC-A1: what a first activation could have set decides nothing in the second."""
    shop.write(".env", "SET=yes\nPYTHONPATH=lib\nHOME=/proc/self/cwd/h\n")
    marker = tmp_path / "PWNED"
    shop.write("lib/sitecustomize.py", f"open({str(marker)!r}, 'w')\n")
    activation = f'eval "$({sys.executable} -m envref resolve --export 2>/dev/null)"'
    script = f'{activation}; {activation}; echo "$SET"'
    env = {**os.environ, "PYTHONPATH": PYTHONPATH}
    done = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=shop.path, env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout == "\n"
    assert not marker.exists()


# one activation, looked at from within


def looked(shop, **environment):
    """Whether the project is agreed to in this environment, asked twice: what was found first must not change it."""
    project = load(str(shop.path))
    answers = [agreement.is_agreed(project, {**os.environ, **environment}) for _ in range(2)]
    assert answers[0] is answers[1]
    return answers[0]


def decided(shop, *, granted):
    project = load(str(shop.path))
    record.write(project.root, meaning(project), granted=granted)


def test_who_decided_is_not_overruled_by_ci(shop):
    """CI agrees to what asks for nothing only where nobody decided anything; a pin is a decision too."""
    assert looked(shop) is False
    assert [looked(shop, CI=word) for word in ("true", "1", "yes", "TRUE", "")] == [True, True, False, False, False]
    decided(shop, granted=False)
    assert looked(shop, CI="true") is False
    pin = fingerprint(meaning(load(str(shop.path))))
    assert [looked(shop, ENVREF_TRUST=value) for value in (pin, f"0, {pin}", "0", "", ",")] == [
        *(True, True),
        *(False, False, False),
    ]
    decided(shop, granted=True)
    assert looked(shop) is True
    shop.write(".env", ENV + "BASH_ENV=x\n")
    assert looked(shop, CI="true") is False


def test_what_is_agreed_to_has_its_name(shop):
    """And what is not, has none."""
    assert looked(shop) is False
    assert Name(load(str(shop.path))).known == []
    decided(shop, granted=True)
    assert looked(shop) is True
    assert Name(load(str(shop.path))).known == [str(shop.path)]


def test_one_more_project_of_a_name_gets_no_seal(shop, home, tmp_path):
    """So that it is told of again."""
    second = Directory(tmp_path / "second")
    for place in (shop, second):
        place.write(".envref.yaml", CONFIG)
        place.write(".env", ENV)
        decided(place, granted=True)
        assert looked(place) is True
    assert len(seals(home)) == 1


@pytest.mark.parametrize(
    ("backend", "path", "kept"),
    [
        ("{name: vault}", "{root}/bin", 1),
        ("{name: op, type: 1password}", "/usr/bin", 1),
        ("{name: op, type: 1password}", "/usr/bin:bin", 1),
        ("{name: op, type: 1password}", "/usr/bin:{root}/bin", 0),
        ("{name: kv, type: plugin, config: {command: ./kv}}", "/usr/bin", 0),
    ],
)
def test_a_state_that_a_program_of_the_repository_decides_gets_no_seal(shop, home, monkeypatch, backend, path, kept):
    """Its own program, or one that a search path would find there; a relative part is never searched."""
    shop.write(".envref.yaml", f"{CONFIG}backends: [{backend}]\n")
    shop.write("kv", "#!/bin/sh\n").chmod(0o755)
    monkeypatch.setenv("PATH", path.format(root=shop.path))
    decided(shop, granted=True)
    assert looked(shop) is True
    assert (home / ".local/state/envref/agreed").exists() == bool(kept)
    monkeypatch.setenv("PATH", "/usr/bin")
    if kept:
        assert looked(shop, ENVREF_STORE_PATH=f"{shop.path}/bin") is True
        assert len(seals(home)) == (1 if "vault" not in backend else 2)


def test_the_last_sixteen_states_have_their_seals(shop, home):
    """The newest first, each once; the directory is its user's alone."""
    decided(shop, granted=True)
    found = []
    for number in range(17):
        shop.write(".env", f"PORT={number}\n")
        assert looked(shop) is True
        found.insert(0, seals(home)[0])
    assert seals(home) == found[:16]
    assert len({*found}) == 17
    directory = home / ".local/state/envref/agreed"
    assert directory.stat().st_mode & 0o777 == 0o700
    (file,) = directory.iterdir()
    file.write_text(file.read_text().replace(str(shop.path), "/elsewhere", 1))
    assert looked(shop) is True
    assert len(seals(home)) == 1


def test_the_file_of_a_long_path_has_its_end(shop, home):
    """200 bytes of it: a file's name has at most 255."""
    deep = Directory(shop.path / ("d" * 150) / ("e" * 150))
    deep.write(".envref.yaml", CONFIG)
    deep.write(".env", ENV)
    decided(deep, granted=True)
    assert looked(deep) is True
    (file,) = (home / ".local/state/envref/agreed").iterdir()
    assert file.name == str(deep.path).replace("/", "%")[-200:]


def test_state_that_can_not_be_written_keeps_no_seal(shop, home, monkeypatch):
    """And stops nobody."""
    decided(shop, granted=True)
    (home / ".local/state/envref/agreed").write_text("")
    assert looked(shop) is True
    monkeypatch.setattr(agreement, "state_path", lambda *_names, **_options: "")
    assert looked(shop) is True


@pytest.mark.parametrize(
    ("said", "agreed"),
    [
        ({"DIRENV_IN_ENVRC": "1"}, True),
        ({"DIRENV_IN_ENVRC": "0"}, False),
        ({"FLOX_ENV_PROJECT": "{root}", "FLOX_ENV": "{root}/.flox/run/x"}, True),
        ({"FLOX_ENV_PROJECT": "{root}/.", "FLOX_ENV": "{root}/.flox/run/x"}, True),
        ({"FLOX_ENV_PROJECT": "{root}", "FLOX_ENV": "{root}/.flox/running"}, False),
        ({"FLOX_ENV_PROJECT": "{root}", "FLOX_ENV": ""}, False),
        ({"FLOX_ENV_PROJECT": "", "FLOX_ENV": "{root}/.flox/run/x"}, False),
        ({"FLOX_ENV_PROJECT": "/", "FLOX_ENV": "{root}/.flox/run/x"}, False),
    ],
)
def test_who_agreed_before_envref_was_asked(shop, monkeypatch, said, agreed):
    """The first record of it is a yes."""
    shop.write(".envrc", "")
    shop.write(".flox/run/here/.envrc", "")
    monkeypatch.chdir(shop.path)
    assert looked(shop, **{name: text.format(root=shop.path) for name, text in said.items()}) is agreed
    kept = record.read(str(shop.path))
    assert (kept and kept.granted) == (True if agreed else None)
    assert looked(shop) is agreed
