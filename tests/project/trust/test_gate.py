"""The gate as a user meets it: messages, records, pins, `envref trust`, and projects of one name."""

from __future__ import annotations

import json
import os
import stat
import subprocess

import pytest

from envref.digest import digest
from envref.project.edit import trust_kept
from envref.project.project import configured
from envref.project.trust import gate
from envref.project.trust.meaning import fingerprint, meaning
from envref.project.trust.names import Name
from envref.secrets import audit_log
from tests.cli.terminal import Terminal

ASKING = "project: shop\nbackends:\n  - {name: kv, type: plugin, config: {command: ./tools/kv}}\n"
PLUGIN = '#!/bin/sh\ncat > /dev/null\ntouch "$HOME/was-run"\necho \'{"value": "v"}\'\n'


@pytest.fixture
def shop(project):
    """A project that would run a program of its own."""
    project.write(".envref.yaml", ASKING)
    project.write("tools/kv", PLUGIN).chmod(0o755)
    project.write(".env", "A=ref://kv/a\n")
    return project


@pytest.fixture
def strict(home):
    """Writes the user's own config."""
    path = home / ".config" / "envref" / "config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("trust: strict\n")
    return path


def pin(project):
    return project.envref("trust", "--print").stdout.strip()


def lines(done):
    return done.stderr.splitlines()


# the refusal


@pytest.mark.parametrize(
    ("arguments", "stdout"),
    [
        (["resolve", "--export"], "false\n"),
        (["resolve", "--direnv"], "false\n"),
        (["resolve", "--export", "--shell", "fish"], "false\n"),
        (["resolve"], ""),
        (["resolve", "--format", "json"], ""),
        (["resolve", "--explain"], ""),
        (["run", "--", "touch", "started"], ""),
        (["secret", "get", "a"], ""),
        (["secret", "set", "a"], ""),
        (["secret", "list"], ""),
        (["secret", "rotate", "a"], ""),
        (["backend", "list", "--check"], ""),
        (["vault", "lock"], ""),
    ],
    ids=" ".join,
)
def test_a_command_that_uses_a_store_stops(shop, home, arguments, stdout):
    """Exit status 4, `false` where a shell evaluates, and nothing was run; what it is and what to do on stderr."""
    done = shop.envref(*arguments, stdin="v")
    assert (done.returncode, done.stdout) == (4, stdout)
    assert lines(done) == [
        f"envref: {shop.path} is not trusted yet, nothing was run or read.",
        "  it sets 1 variable(s), 1 with secrets from kv",
        f"  it wants: plugin ./tools/kv (sha256 {digest(PLUGIN.encode())[:12]}...)",
        f"  review, then: envref trust        in CI: ENVREF_TRUST={pin(shop)}",
    ]
    assert not (home / "was-run").exists()
    assert not (shop.path / "started").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["get", "A"],
        ["list"],
        ["set", "B=1"],
        ["backend", "list"],
        ["resolve", "--unset"],
        ["resolve", "--only", "PLAIN"],
        ["trust", "--print"],
        ["trust", "--list"],
        ["completion", "bash"],
        ["version"],
        ["secret", "--help"],
        ["init", "--dir", "new"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("mode", ["default", "strict"])
def test_a_command_that_uses_no_store_never_needs_trust(shop, strict, arguments, mode):
    """commands.md 11, in both modes."""
    strict.write_text(f"trust: {mode}\n")
    shop.write(".env", "A=ref://kv/a\nPLAIN=1\n")
    assert shop.envref(*arguments).returncode == 0


def test_the_message_names_all_that_is_wanted(project, tmp_path, monkeypatch, home):
    """One line each, below each other; control characters of the repository are escaped."""
    monkeypatch.setenv("VAULT_TOKEN", "t")
    backends = [
        {"name": "hc", "type": "hashicorp-vault", "config": {"addr": "https://vault.internal:8200"}},
        {"name": "kv", "type": "plugin", "config": {"command": "./a\x1b[31m\u202e"}},
        {"name": "v", "type": "vault", "config": {"path": "/srv/v.db"}},
    ]
    project.write(".envref.yaml", json.dumps({"project": "shop", "backends": backends}))
    project.write(".env", "BASH_ENV=x\nA=ref://secrets/a\nPATH=y\n")
    (home / "shared.env").write_text("B=1\n")
    (project.path / ".env.local").symlink_to(home / "shared.env")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "vault").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "vault").chmod(0o755)
    assert lines(project.envref("trust"))[2:-1] == [
        f"  it wants: vault CLI {tmp_path}/bin/vault -> https://vault.internal:8200 with your VAULT_TOKEN",
        "            plugin ./a\\x1b[31m\\u202e (not there)",
        "            vault path /srv/v.db",
        "            to read ~/shared.env as .env.local, with every variable it sets",
        "            to set BASH_ENV=x, PATH=y",
    ]


def test_the_place_is_shown_from_home(home, project):
    """`~/src/shop`, as the cure is pasted."""
    place = home / "src" / "shop"
    place.mkdir(parents=True)
    (place / ".envref.yaml").write_text(ASKING)
    (place / ".env").write_text("A=ref://kv/a\n")
    done = project.envref("resolve", cwd=place)
    assert lines(done)[0] == "envref: ~/src/shop is not trusted yet, nothing was run or read."


# granting


def test_trust_shows_and_records(shop, home):
    """On a pipe the command itself is the consent. The record is readable by its user alone."""
    done = shop.envref("trust")
    assert (done.returncode, done.stdout) == (0, "")
    assert lines(done)[0] == f"envref: {shop.path}"
    assert lines(done)[2].startswith("  it wants: plugin ./tools/kv (sha256 ")
    assert lines(done)[-1] == f"{shop.path} is trusted"
    assert shop.envref("resolve").stdout == "A=v\n"
    (kept_record,) = (home / ".local/state/envref/trust").iterdir()
    assert kept_record.name == f"{digest(str(shop.path).encode())}.json"
    assert stat.S_IMODE(kept_record.stat().st_mode) == 0o600
    for directory in (kept_record.parent, kept_record.parent.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    [logged] = audit_log.entries(str(shop.path))
    assert (logged["operation"], logged["detail"]) == ("trust", pin(shop))


def test_after_a_change_the_difference_is_shown(shop):
    """`-` and `+`, and nothing of what stayed."""
    config = "project: shop\nbackends:\n  - {name: v, type: hashicorp-vault, config: {addr: ADDRESS}}\n"
    shop.write(".envref.yaml", config.replace("ADDRESS", "https://a"))
    shop.envref("trust")
    shop.write(".envref.yaml", config.replace("ADDRESS", "https://b"))
    done = shop.envref("secret", "list", env={"VAULT_TOKEN": "t"})
    date = shop.envref("trust", "--list").stdout.split()[1]
    assert done.returncode == 4
    assert lines(done)[:-1] == [
        f"envref: {shop.path} changed since you trusted it on {date}:",
        "  - addr: https://a",
        "  + addr: https://b",
    ]


def test_a_changed_plugin_is_not_run(shop, home):
    """Trust is in the bytes."""
    shop.envref("trust")
    shop.write("tools/kv", PLUGIN + "# changed\n")
    done = shop.envref("resolve")
    assert done.returncode == 4
    assert "changed since you trusted it on" in lines(done)[0]
    assert [line[:12] for line in lines(done)[1:3]] == ["  - sha256: ", "  + sha256: "]
    assert not (home / "was-run").exists()


def test_print_gives_the_pin(shop):
    """A pin, several pins, and `all`; a wrong one, and CI=true, grant nothing."""
    fingerprint = pin(shop)
    assert len(fingerprint) == 64
    for granted in (fingerprint, f"{'0' * 64},{fingerprint}", f"{'0' * 64}, {fingerprint}", "all"):
        assert shop.envref("resolve", env={"ENVREF_TRUST": granted}).returncode == 0
    for refused in ("", "0" * 64, fingerprint[:-1], fingerprint.upper(), "ALL", "true", "1", "*", "all,"):
        assert shop.envref("resolve", env={"ENVREF_TRUST": refused, "CI": "true"}).returncode == 4


def test_revoke_forgets(shop):
    """And says if there was nothing."""
    shop.envref("trust")
    assert lines(shop.envref("trust", "--revoke")) == [f"{shop.path} is not trusted any more"]
    assert shop.envref("resolve").returncode == 4
    assert lines(shop.envref("trust", "--revoke")) == [f"{shop.path} was not trusted"]
    assert lines(shop.envref("trust", "--list")) == ["no trusted projects found"]


def test_list_shows_what_was_decided(shop):
    """Path, date and fingerprint, as data; no project is needed for it."""
    shop.envref("trust")
    done = shop.envref("trust", "--list", cwd="/")
    assert done.stdout.split() == [str(shop.path), done.stdout.split()[1], pin(shop)]


def test_the_options_exclude_each_other(shop):
    """A usage error."""
    assert shop.envref("trust", "--print", "--revoke").returncode == 2


def test_a_trusted_path_counts_by_whole_names(shop, strict, home):
    """A sibling directory with the same beginning is another place."""
    place = str(shop.path)
    for trusted, status in ((place, 0), (os.path.dirname(place), 0), (place[:-1], 4), (f"{place}/tools", 4)):
        strict.write_text(f"trusted_paths: ['{trusted}']\n")
        assert shop.envref("resolve").returncode == status, trusted
    link = home / "link"
    link.symlink_to(shop.path.parent)
    strict.write_text("trusted_paths: [~/link]\n")
    assert shop.envref("resolve").returncode == 0


@pytest.mark.parametrize("key", ["trust: default", "trusted_paths: [/]"])
def test_a_project_file_grants_nothing(shop, key):
    """It is not even a config then."""
    shop.write(".envref.yaml", f"{ASKING}{key}\n")
    done = shop.envref("resolve")
    assert done.returncode == 1
    assert "is not allowed in a project file" in done.stderr


def test_an_env_file_grants_nothing(shop):
    """Its names are reserved."""
    shop.write(".env", "ENVREF_TRUST=all\nA=ref://kv/a\n")
    assert shop.envref("resolve").returncode == 1


@pytest.mark.parametrize("spoil", ["mode", "link", "garbage", "other project", "directory"])
def test_a_record_that_somebody_else_could_have_made_does_not_count(shop, home, tmp_path, spoil):
    """Nor one that is about another project, or no record."""
    shop.envref("trust")
    (path,) = (home / ".local/state/envref/trust").iterdir()
    if spoil == "mode":
        path.chmod(0o666)
    elif spoil == "link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    elif spoil == "garbage":
        path.write_text("[1")
    elif spoil == "other project":
        path.write_text(path.read_text().replace(str(shop.path), "/somewhere"))
    else:
        path.unlink()
        path.mkdir()
    assert shop.envref("resolve").returncode == 4


# at a terminal


def answer(project, reply, *arguments):
    """Runs envref with a terminal for stdin and stderr; what it showed, and its status."""
    terminal = Terminal(project.path, *arguments)
    terminal.await_text("[y/N] ")
    terminal.type(reply)
    status = terminal.end()
    return terminal.output, status


@pytest.mark.parametrize("reply", ["y\n", "Yes\n"])
def test_a_yes_at_the_terminal_goes_on_and_is_kept(shop, reply):
    """It asks once."""
    shown, status = answer(shop, reply, "resolve")
    assert status == 0
    assert "it wants: plugin ./tools/kv" in shown
    assert "A=v" in shown
    assert shop.envref("resolve").stdout == "A=v\n"


@pytest.mark.parametrize("reply", ["\n", "n\n", "\x04"])
def test_anything_else_is_a_no_and_is_kept(shop, home, reply):
    """The default is No; the next run does not ask again, until the project changes."""
    _, status = answer(shop, reply, "resolve")
    assert status == 4
    assert not (home / "was-run").exists()
    again = Terminal(shop.path, "resolve")
    assert again.end() == 4
    assert "[y/N]" not in again.output
    assert shop.envref("trust", "--list").stdout.endswith("(denied)\n")
    shop.write("tools/kv", PLUGIN + "# changed\n")
    assert answer(shop, "y\n", "resolve")[1] == 0


def test_the_command_asks_at_a_terminal_too(shop):
    """Exit status 1 when declined."""
    assert answer(shop, "n\n", "trust")[1] == 1
    assert answer(shop, "y\n", "trust")[1] == 0
    assert shop.envref("resolve").returncode == 0


# dangerous names


def test_without_references_a_dangerous_name_is_left_out_with_one_warning(project):
    """Where a person reads the output, everything else is there; a shell gets nothing before consent."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=1\nBASH_ENV=x\nLD_PRELOAD=y\nVAULT_ADDR=http://127.0.0.1:8200\n")
    done = project.envref("resolve")
    assert (done.returncode, done.stdout) == (0, "A=1\nVAULT_ADDR=http://127.0.0.1:8200\n")
    assert lines(done) == [
        "warning: BASH_ENV, LD_PRELOAD: left out, a file may set this only in a trusted project; run: envref trust"
    ]
    assert "BASH_ENV" not in project.envref("resolve", "--unset", "--export").stdout
    assert project.envref("resolve", "--export").stdout == "false\n"


def test_with_a_reference_a_dangerous_name_stops_the_run(project):
    """What was not decided is not half done."""
    project.write(".envref.yaml", "project: app\nbackends: [{name: vault}]\n")
    project.write(".env", "A=ref://secrets/a\nBASH_ENV=x\n")
    done = project.envref("resolve", "--export")
    assert (done.returncode, done.stdout) == (4, "false\n")
    assert "  it wants: to set BASH_ENV=x" in lines(done)


def test_run_starts_nothing_with_a_dangerous_name(project):
    """Also without a reference: a child that lacks a variable would not know. After trust it has it."""
    project.write(".envref.yaml", "project: app\n")
    project.write("payload", "touch was-run\n")
    project.write(".env", f"A=1\nBASH_ENV={project.path}/payload\n")
    assert project.envref("run", "--", "bash", "-c", "true").returncode == 4
    assert not (project.path / "was-run").exists()
    project.envref("trust")
    assert project.envref("run", "--", "bash", "-c", "true").returncode == 0
    assert (project.path / "was-run").exists()
    assert "export BASH_ENV=" in project.envref("resolve", "--export").stdout


# files outside


def test_a_file_outside_is_read_by_no_command_before_trust(project, tmp_path):
    """`get` and `list` go on without it; `resolve` can't, because it can't tell what is in there."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=1\n")
    (tmp_path / "private").write_text("B=private\n")
    (project.path / ".env.local").symlink_to(tmp_path / "private")
    assert project.envref("list").stdout == "A=1\n"
    assert "private" not in project.envref("get", "B").stdout
    done = project.envref("resolve", "--export")
    assert (done.returncode, done.stdout) == (4, "false\n")
    project.envref("trust")
    assert project.envref("resolve", "--export").stdout == "export A=1\nexport B=private\n"
    assert project.envref("list").stdout == "A=1\nB=private\n"


# one name, two places


@pytest.fixture
def second(shop, tmp_path, monkeypatch):
    """Another project of the same name, which needs no trust; secrets are in the user's vault."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    harmless = "project: shop\nbackends: [{name: vault}]\n"
    shop.write(".envref.yaml", harmless)
    assert shop.envref("vault", "init", "--work-factor", "15").returncode == 0
    place = tmp_path / "second"
    place.mkdir()
    (place / ".envref.yaml").write_text(harmless)
    (place / ".env").write_text("A=ref://secrets/a?default=d\n")
    return place


WARNING = 'envref: warning: project "shop" is also used by {}; if that is meant, run: envref trust'


def test_another_directory_of_the_name_is_told_of(shop, second):
    """One line in default mode, until that directory is trusted; the first one is never told."""
    warning = WARNING.format(shop.path)
    for _ in range(2):
        done = shop.envref("resolve", cwd=second)
        assert (done.stdout, lines(done)) == ("A=d\n", [warning])
    assert warning not in lines(shop.envref("secret", "list"))
    shown = lines(shop.envref("trust", cwd=second))
    assert f'  project "shop" is also used by {shop.path}' in shown
    assert lines(shop.envref("resolve", cwd=second)) == []


def test_a_directory_that_was_revoked_gives_its_name_back(shop, second):
    """Until it is used again."""
    assert shop.envref("trust", "--revoke").returncode == 0
    assert lines(shop.envref("resolve", cwd=second)) == []


def test_a_directory_that_is_gone_is_no_other(shop, second):
    """A project may move."""
    (shop.path / ".envref.yaml").unlink()
    assert lines(shop.envref("resolve", cwd=second)) == []


def test_a_refused_project_does_not_take_the_name(shop, second):
    """Cloning something is not using it."""
    state = second.parent / "state"
    env = {"XDG_STATE_HOME": str(state)}
    (second / ".env").write_text("A=ref://secrets/a?default=d\nBASH_ENV=x\n")
    assert shop.envref("resolve", cwd=second, env=env).returncode == 4
    shop.write(".env", "A=ref://secrets/a?default=d\n")
    assert lines(shop.envref("resolve", env=env)) == []


def test_work_trees_of_one_repository_are_one_place(shop, second, tmp_path):
    """Known from the repository that had the name first; what a directory says of itself does not count."""
    git = ["git", "-c", "user.name=n", "-c", "user.email=e", "-C"]
    subprocess.run([*git, shop.path, "init", "-q"], check=True)
    subprocess.run([*git, shop.path, "add", ".envref.yaml"], check=True)
    subprocess.run([*git, shop.path, "commit", "-q", "-m", "m"], check=True)
    subprocess.run([*git, shop.path, "worktree", "add", "-q", tmp_path / "tree"], check=True)
    (tmp_path / "tree" / ".env").write_text("A=ref://secrets/a?default=d\n")
    assert lines(shop.envref("resolve", cwd=tmp_path / "tree")) == []
    (second / ".git").write_text((tmp_path / "tree" / ".git").read_text())
    assert lines(shop.envref("resolve", cwd=second))[0].startswith(WARNING.format(shop.path).partition(";")[0])


def test_strict_mode_refuses_another_directory_of_the_name(shop, second, strict):
    """Until it is trusted; the message says whose secrets they are."""
    shop.envref("trust")
    done = shop.envref("resolve", cwd=second)
    assert done.returncode == 4
    assert {f'  project "shop" is also used by {shop.path}', '  it wants: secrets of project "shop"'} <= set(
        lines(done)
    )
    shop.envref("trust", cwd=second)
    assert shop.envref("resolve", cwd=second).stdout == "A=d\n"


# what envref itself writes


def test_init_trusts_what_it_wrote(project, strict):
    """In strict mode too there is nothing to review, until the files change."""
    project.envref("init", "--project", "fresh")
    assert project.envref("resolve", "--export").returncode == 0
    project.write(".env", "A=ref://secrets/a?default=d\n")
    assert project.envref("resolve").returncode == 4


@pytest.mark.parametrize("before", [{".envref.yaml": ASKING}, {".env": "BASH_ENV=x\nA=ref://secrets/a?default=d\n"}])
def test_init_trusts_nothing_that_was_there(project, before):
    """Neither the config nor what an env file sets."""
    for name, text in {".env": "A=ref://secrets/a?default=d\n", **before}.items():
        project.write(name, text)
    project.envref("init", "--project", "fresh")
    assert project.envref("resolve").returncode == 4


@pytest.mark.parametrize("trusted", [True, False])
def test_an_edit_by_envref_keeps_trust_and_makes_none(shop, home, trusted):
    """A trusted config stays trusted as edited; one that was not is not trusted after."""
    if trusted:
        shop.envref("trust")
    with trust_kept(str(shop.path), str(shop.path / ".envref.yaml"), {"HOME": str(home)}):
        shop.write(".envref.yaml", f"{ASKING}profiles: {{staging: }}\n")
    assert (shop.envref("resolve").returncode == 0) == trusted


def test_state_that_can_not_be_written_stops_nobody(second, shop):
    """Only a consent has to be kept."""
    env = {"XDG_STATE_HOME": "/proc/nowhere"}
    assert shop.envref("resolve", cwd=second, env=env).returncode == 0
    done = shop.envref("trust", cwd=second, env=env)
    assert done.returncode == 1
    assert "keeping a trust record" in done.stderr


def test_whether_a_project_waits(shop, monkeypatch):
    """For a command that goes on without what would need trust."""
    project = configured(str(shop.path))
    assert gate.is_waiting(project)
    monkeypatch.setenv("ENVREF_TRUST", "all")
    assert not gate.is_waiting(project)
    monkeypatch.delenv("ENVREF_TRUST")
    shop.write(".envref.yaml", "project: app\n")
    assert not gate.is_waiting(configured(str(shop.path)))


@pytest.mark.parametrize("words", [["resolve"], ["resolve", "--export"], ["trust"]], ids=" ".join)
@pytest.mark.parametrize(
    "change", [(".envref.yaml", ASKING + "env_file: other.env\n"), ("tools/kv", "evil"), (".env", "PATH=x\n")]
)
def test_a_yes_is_to_what_was_shown(shop, home, words, change):
    """What comes while the question waits for its answer is not agreed to, and nothing is run."""
    terminal = Terminal(shop.path, *words)
    terminal.await_text("trust it? [y/N] ")
    shop.write(*change)
    terminal.type("y\n")
    assert terminal.end() == 4
    assert "changed while you were asked" in terminal.output
    assert not list((home / ".local/state/envref").rglob("*.json"))
    assert not (home / "was-run").exists()


def test_the_refusal_is_a_message_of_several_lines(shop):
    """Its first line is what it is called by elsewhere."""
    with pytest.raises(gate.Untrusted) as caught:
        gate.check(configured(str(shop.path)))
    assert caught.value.status == 4
    assert caught.value.message == caught.value.lines()[0]
    assert len(caught.value.lines()) > 2


# the same from within: what is recorded, and what a refusal carries


@pytest.fixture
def unknown(shop, nobody_agreed):
    """The project as the gate sees it, where nobody agreed to anything."""
    return configured(str(shop.path))


def test_a_refusal_carries_its_question_until_somebody_says_no(unknown):
    """And what it is about; after a no there is nothing to ask."""
    asked = gate.refusal(unknown)
    assert asked.question == asked.lines()[:-1]
    assert asked.meant == meaning(unknown)
    gate.deny(unknown, asked.meant)
    refused = gate.refusal(unknown)
    assert (refused.question, refused.lines(), refused.meant) == ([], asked.lines(), asked.meant)
    bare = gate.Untrusted(["one", "two"])
    assert (bare.question, bare.meant, bare.lines(), bare.message) == ([], {}, ["one", "two"], "one")


def test_a_grant_is_of_what_was_shown_and_gives_the_name(unknown, shop):
    """A no gives none, and neither does what changed meanwhile."""
    meant = meaning(unknown)
    gate.deny(unknown, meant)
    assert (gate.is_granted(unknown), Name(unknown).known) == (False, [])
    with pytest.raises(gate.Untrusted, match="changed while you were asked"):
        gate.grant(unknown, {**meant, "project": "other"})
    assert not gate.is_granted(unknown)
    gate.grant(unknown, meant)
    assert (gate.is_granted(unknown), Name(unknown).known) == (True, [unknown.root])
    assert gate.check(unknown).known == [unknown.root]


def test_who_may_pass(unknown, shop, tmp_path):
    """What asks for nothing, and what is granted; only the first of a name gets it, a refused one does not."""
    pinned = {**os.environ, "ENVREF_TRUST": fingerprint(meaning(unknown))}
    with pytest.raises(gate.Untrusted):
        gate.check(unknown)
    assert Name(unknown).known == []
    assert [gate.is_waiting(unknown), gate.is_waiting(unknown, pinned)] == [True, False]
    assert [gate.is_granted(unknown, each) for each in (pinned, {"ENVREF_TRUST": "all"}, {})] == [True, True, False]
    second = tmp_path / "second"
    second.mkdir()
    (second / ".envref.yaml").write_text("project: shop\nbackends: [{name: vault}]\n")
    other = configured(str(second))
    assert (gate.is_waiting(other), gate.is_granted(other)) == (False, False)
    assert gate.check(other).known == [str(second)]
    assert gate.check(unknown, pinned).others() == [str(second)]
    assert Name(unknown).known == [str(second)]
