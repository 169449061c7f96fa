"""doctor: what it finds in the env files and around them, where, and with which cure."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

from envref.checks.doctor import checks as doctor
from envref.checks.doctor import project_files
from envref.checks.doctor.case import Case
from envref.checks.doctor.finding import Finding
from envref.checks.doctor.project_files import _allowed
from envref.env.template import BAD_SUBSTITUTION
from envref.errors import pasted
from envref.project.project import bare, configured
from tests.requirements import need

CONFIG = "project: app\nbackends:\n  - name: vault\n"
MARKER = "hunter2-marker"


def findings(project, table, *, base=".env", layers=None, ambient=None):
    """What the checks of a table find, as {check: findings}, the empty ones left out."""
    found = configured(str(project.path)) if (project.path / ".envref.yaml").exists() else bare(str(project.path))
    names = layers or [name for name in (base, ".env.local") if os.path.lexists(project.path / name)]
    case = Case(found, [("", name) for name in names], start=str(project.path), ambient=ambient)
    return {word: each for word, each in doctor.examine(case, table).items() if each}


def only(found, word):
    """The one finding, of the check that should have it."""
    assert list(found) == [word], found
    [finding] = found[word]
    return finding


@pytest.mark.parametrize(
    ("text", "word", "line", "message"),
    [
        ("A=1\nB=1\nA=2\n", "duplicate-key", 3, 'duplicate key "A" (previously defined on line 1, using latest value)'),
        (
            "A=1\nB=a b\n",
            "unquoted-spaces",
            2,
            'unquoted value with spaces for "B" (consider quoting to avoid portability issues)',
        ),
        ("B=\n", "empty-value", 1, 'empty value for "B" without explicit quotes (use KEY="" if intentional)'),
        ("B= # none\n", "empty-value", 1, 'empty value for "B" without explicit quotes (use KEY="" if intentional)'),
        ("A=1\nB=x \n", "trailing-whitespace", 2, 'trailing whitespace in unquoted value for "B"'),
        ("B=x\t\r\nC=1\r\n", "trailing-whitespace", 1, 'trailing whitespace in unquoted value for "B"'),
        ("B=x \t", "trailing-whitespace", 1, 'trailing whitespace in unquoted value for "B"'),
        (
            "my-var=1\n",
            "unexportable-name",
            1,
            '"my-var" is not a valid shell variable name; shell output leaves it out',
        ),
        ("A=1\nB=$C\n", "undefined-name", 2, '"C" in the value of "B" is not set, and becomes empty text'),
        ("B=${C}\nC=1\n", "undefined-name", 1, '"C" in the value of "B" is set only later (.env:2)'),
        ('A=1\n\nB="x\n${C}"\n', "undefined-name", 4, '"C" in the value of "B" is not set, and becomes empty text'),
        ("B=${A:-$C}\n", "undefined-name", 1, '"C" in the value of "B" is not set, and becomes empty text'),
        ("export A\n", "ignored-line", 1, '"export A" without a value is ignored'),
        ("A=1\nJUNK\n", "unreadable", 2, "expected NAME=VALUE"),
        ('A="x\n', "unreadable", 1, "unterminated double-quoted value"),
        (
            'A="${x y}"\n',
            "unreadable",
            1,
            BAD_SUBSTITUTION,
        ),
        ('A="${B:?set B}"\n', "unreadable", 1, "B: set B"),
        (
            "A=1\nK=ref://secrets\n",
            "bad-reference",
            2,
            'invalid ref:// URI: ref:// URI missing path: "ref://secrets" (expected ref://<backend>/<path>)',
        ),
    ],
)
def test_what_is_wrong_with_a_line(project, text, word, line, message):
    """Exactly one finding, at its line, with a cure; a file without a config is examined as well."""
    project.write(".env", text)
    finding = only(findings(project, doctor.FILES), word)
    assert (finding.subject, finding.line, finding.message) == (".env", line, message)
    assert finding.hint


@pytest.mark.parametrize(
    "text",
    [
        "A='a b'\n",
        'A="a b "\n',
        'A=""\n',
        "A=1\nB=$A\n",
        "A=${B:-none}\n",
        "A=1\nB=${A:-$C}\n",
        "A='$C'\n",
        "A=$$C\n",
        "A=x # a comment\n",
        'A="x" \n',
        "A=ref://secrets/a\n",
        "A=x\r\nB=y\r\n",
        "",
    ],
)
def test_what_is_right(project, text):
    """Quotes, defaults, comments, and blanks where they mean nothing are no findings."""
    project.write(".env", text)
    assert findings(project, doctor.FILES) == {}


def test_a_name_may_come_from_a_lower_layer(project):
    """Interpolation sees the merged files, as `resolve` does; an overridden line is not judged."""
    project.write(".env", "A=1\nB=$GONE\n")
    project.write(".env.local", "B=$A\n")
    assert findings(project, doctor.FILES) == {}


def test_a_name_may_come_from_the_process_environment(project):
    """Only where the config lets it: then it is among `ambient`."""
    project.write(".env", "A=$FROM_OUTSIDE\n")
    assert findings(project, doctor.FILES, ambient={"FROM_OUTSIDE": "x"}) == {}
    assert "undefined-name" in findings(project, doctor.FILES)


def test_every_file_is_examined_although_one_is_broken(project):
    """The faults of one file do not hide those of the next."""
    project.write(".env", "JUNK\n")
    project.write(".env.local", "A=a b\n")
    found = findings(project, doctor.FILES)
    assert found["unreadable"][0].subject == ".env"
    assert found["unquoted-spaces"][0].subject == ".env.local"


def test_what_may_be_a_piece_of_a_password_is_hidden(project):
    """A bare `$` in a password makes a name of what follows it; the message must not tell it."""
    project.write(".env", f"DB_PASSWORD=ab${MARKER.replace('-', '_')}\n")
    found = findings(project, doctor.FILES)
    assert list(found) == ["undefined-name", "plain-secret"]
    assert not [each for each in (*found["undefined-name"], *found["plain-secret"]) if "hunter2" in repr(each)]


def test_values_that_look_like_secrets_have_a_command(project):
    """In files for everybody; a personal one may hold them, and a marked line is somebody's decision."""
    project.write(".env", "A_TOKEN=x1\nB_TOKEN=x1\nC_TOKEN=x1\nD_TOKEN=x1\nE_TOKEN=x1 # envref: not-a-secret\n")
    project.write(".env.local", "F_TOKEN=x1\n")
    finding = only(findings(project, doctor.FILES), "plain-secret")
    assert (finding.subject, finding.run) == (".env", ("envref", "import", ".env"))
    assert finding.message == "4 values look like secrets: A_TOKEN, B_TOKEN, C_TOKEN, …"


@pytest.mark.parametrize(
    "line",
    [
        *("A=ref:/secrets/a", "A=REF://secrets/a", 'A="x ref://secrets/a"', "A='${ref://secrets/a}'"),
        *("A=Ref:/x", "A='see ${ref://secrets/a} there'", "A=https://x?a=ref://secrets/a"),
    ],
)
def test_what_is_nearly_a_reference_is_named(project, line):
    """It is exported as it stands, and looks as if it were not."""
    project.write(".env", line)
    finding = only(findings(project, doctor.FILES), "bad-reference")
    assert finding.message == '"A" holds a text like ref://, and no reference'
    assert "${ref://" in finding.hint


@pytest.mark.parametrize("line", ["A=href://x", "A=preref:/x", "A=ref:x", "A=ref"])
def test_what_is_far_from_a_reference_is_not(project, line):
    """Other words that end in the same letters."""
    project.write(".env", line)
    assert findings(project, doctor.FILES) == {}


def test_an_unfinished_reference_stops_every_command(project):
    """`"${ref://…"` without its brace is a bad substitution, or nearly a reference: never nothing."""
    project.write(".env", 'A="${ref://secrets/a"\n')
    assert findings(project, doctor.FILES)


def test_a_missing_file_whose_example_is_there(project, monkeypatch):
    """A clone of a project that does not commit it."""
    monkeypatch.chdir(project.path)
    project.write(".envref.yaml", CONFIG)
    project.write(".env.example", "A=1\n")
    finding = only(findings(project, doctor.FILES, layers=[".env"]), "unreadable")
    assert finding.run == ("cp", ".env.example", ".env")


def test_a_reference_to_a_backend_that_nobody_configured(project):
    """Named with those that are; `secrets` is always right."""
    project.write(".envref.yaml", CONFIG)
    project.write(".env", "A=ref://secrets/a\nB=ref://vault/b\nC=ref://nope/c\n")
    finding = only(findings(project, doctor.FILES), "bad-reference")
    assert (finding.line, finding.key) == (3, "C")
    assert finding.message == 'unknown backend "nope" (configured: vault; "secrets" asks them all)'


@pytest.mark.parametrize("make", ["directory", "link", "absent"])
def test_a_file_that_can_t_be_read(project, tmp_path, make):
    """A directory, a link out of the project, nothing at all: one finding about the file, not an end."""
    project.write(".envref.yaml", CONFIG)
    if make == "directory":
        (project.path / ".env").mkdir()
    if make == "link":
        (project.path / ".env").symlink_to(tmp_path / "elsewhere")
    finding = only(findings(project, doctor.FILES, layers=[".env"]), "unreadable")
    assert (finding.subject, finding.line) == (".env", 0)
    assert finding.hint or finding.run


def test_config_warnings_are_findings(project):
    """An unknown key is worth a look on a visit to the doctor."""
    project.write(".envref.yaml", CONFIG + "backend: x\n")
    assert 'did you mean "backends"?' in only(findings(project, doctor.PROJECT), "config").message


def git(project, *arguments):
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    subprocess.run([need("git"), *identity, *arguments], cwd=project.path, check=True, capture_output=True)


@pytest.fixture
def personal(project):
    """A project in a git work tree, with a personal file that only its owner can read."""
    project.write(".envref.yaml", CONFIG)
    project.write(".env.local", "A=1\n").chmod(0o600)
    git(project, "init", "--quiet")
    return project


@pytest.mark.parametrize("ignored", [None, "", "build\n", "build"])
def test_the_personal_file_is_not_ignored_by_git(personal, ignored):
    """The cure, pasted into a shell in the project, leaves nothing to find, and the other lines as they were."""
    if ignored is not None:
        personal.write(".gitignore", ignored)
    finding = only(findings(personal, doctor.PROJECT), "committable")
    assert finding.subject == ".env.local"
    subprocess.run(["sh", "-c", pasted(finding.run)], cwd=personal.path, check=True)
    assert findings(personal, doctor.PROJECT) == {}
    assert personal.read(".gitignore").splitlines() == [*(ignored or "").splitlines(), ".env.local"]


def test_a_profile_s_personal_file_counts_too(personal):
    """`.env.staging.local` may be in git although the profile is not in effect."""
    personal.write(".gitignore", ".env.local\n")
    personal.write(".env.staging.local", "A=1\n").chmod(0o600)
    finding = only(findings(personal, doctor.PROJECT), "committable")
    assert (finding.subject, finding.run) == (".env.staging.local", ("echo", ".env.staging.local", ">>", ".gitignore"))
    git(personal, "add", ".env.staging.local")
    assert only(findings(personal, doctor.PROJECT), "committable").run[:3] == ("git", "rm", "--cached")


def test_git_ignores_the_shared_file(personal):
    """With the place of the rule; not when git has the file all the same, nor when a later rule takes it back."""
    personal.write(".gitignore", "build\n.env*\n")
    personal.write(".env", "A=1\n")
    finding = only(findings(personal, doctor.PROJECT), "ignored")
    assert finding.message == "git ignores it (.gitignore:2: .env*), so nobody else gets its references"
    git(personal, "add", "--force", ".env")
    assert findings(personal, doctor.PROJECT) == {}
    git(personal, "rm", "--cached", "--quiet", ".env")
    personal.write(".gitignore", ".env*\n!.env\n")
    assert findings(personal, doctor.PROJECT) == {}


def test_git_ignores_the_lock(personal):
    """Or it holds a conflict, or is missing where everything asks for it: each with its place and its cure."""
    personal.write("envref.lock", "envref-lock 1\n")
    personal.write(".gitignore", ".env.local\n*.lock\n")
    finding = only(findings(personal, doctor.PROJECT), "ignored")
    assert finding.message == "git ignores it (.gitignore:2: *.lock), so nobody else gets its pins"
    personal.write(".gitignore", ".env.local\n")
    assert findings(personal, doctor.PROJECT) == {}
    personal.write("envref.lock", "envref-lock 1\n<<<<<<< HEAD\n")
    finding = only(findings(personal, doctor.PROJECT), "lock")
    assert (finding.subject, finding.line, finding.column) == ("envref.lock", 2, 1)
    (personal.path / "envref.lock").unlink()
    personal.write(".envref.yaml", CONFIG + "locked: true\n")
    assert findings(personal, doctor.PROJECT) == {}
    personal.write(".env", "B=ref://secrets/a\n")
    finding = only(findings(personal, doctor.PROJECT), "lock")
    assert (finding.message, finding.run) == ("no envref.lock in the project", ("envref", "lock"))


def test_a_personal_file_of_another_name(personal):
    """The cure quotes what a shell would take apart; `{}` in it is no place for a path."""
    personal.write(".envref.yaml", CONFIG + "local_file: my {0} local\n")
    personal.write("my {0} local", "A=1\n").chmod(0o600)
    finding = only(findings(personal, doctor.PROJECT), "committable")
    subprocess.run(["sh", "-c", pasted(finding.run)], cwd=personal.path, check=True)
    assert findings(personal, doctor.PROJECT) == {}


def test_the_personal_file_is_tracked_by_git(personal):
    """Being in .gitignore too late is no cure; taking it out of the index is."""
    git(personal, "add", ".env.local")
    git(personal, "commit", "--quiet", "-m", "oops")
    personal.write(".gitignore", ".env.local\n")
    finding = only(findings(personal, doctor.PROJECT), "committable")
    assert "tracked by git" in finding.message
    subprocess.run(["sh", "-c", pasted(finding.run)], cwd=personal.path, check=True, capture_output=True)
    assert (personal.path / ".env.local").exists()
    assert findings(personal, doctor.PROJECT) == {}


def test_git_runs_no_program_of_the_repository(personal):
    """A work tree whose own settings name a file system monitor is examined without starting it."""
    monitor = personal.write("monitor", "#!/bin/sh\ntouch started\n")
    monitor.chmod(0o755)
    git(personal, "config", "core.fsmonitor", str(monitor))
    assert "committable" in findings(personal, doctor.PROJECT)
    assert not (personal.path / "started").exists()


def test_no_program_is_asked_before_somebody_agreed(personal, monkeypatch):
    """Neither git nor direnv: a clone may have chosen what they start."""
    personal.write(".envref.yaml", "project: app\nbackends: [{name: p, type: plugin, config: {command: ./p}}]\n")
    personal.write(".envrc", "")
    started = []
    monkeypatch.setattr(project_files.git, "ask", lambda *words: started.append(words))
    monkeypatch.setattr(project_files, "_run", lambda *words: started.append(words))
    assert list(findings(personal, doctor.PROJECT)) == ["untrusted"]
    assert started == []


def test_outside_git_nothing_can_be_committed(project):
    """No work tree, no finding; and none without the file."""
    project.write(".envref.yaml", CONFIG)
    project.write(".env.local", "A=1\n").chmod(0o600)
    assert findings(project, doctor.PROJECT) == {}


@pytest.mark.parametrize(("mode", "shown"), [(0o644, "0644"), (0o640, "0640"), (0o602, "0602")])
def test_the_personal_file_is_readable_by_others(project, mode, shown):
    """The group and others, reading and writing; the cure makes it the owner's alone."""
    project.write(".envref.yaml", CONFIG)
    file = project.write(".env.local", "A=1\n")
    file.chmod(mode)
    finding = only(findings(project, doctor.PROJECT), "readable")
    assert finding.message == f"readable by others (mode {shown})"
    subprocess.run(["sh", "-c", pasted(finding.run)], cwd=project.path, check=True)
    assert findings(project, doctor.PROJECT) == {}


def test_an_envrc_that_direnv_may_not_load(project):
    """Real direnv: not allowed yet, then allowed by the cure, then denied."""
    direnv = need("direnv")
    project.write(".envref.yaml", CONFIG)
    project.write(".envrc", "export A=1\n")
    finding = only(findings(project, doctor.PROJECT), "direnv")
    assert finding.subject == ".envrc"
    subprocess.run(["sh", "-c", pasted(finding.run)], cwd=project.path, check=True, capture_output=True)
    assert findings(project, doctor.PROJECT) == {}
    subprocess.run([direnv, "deny", "."], cwd=project.path, check=True, capture_output=True)
    assert "direnv" in findings(project, doctor.PROJECT)


def test_an_envrc_without_direnv(project, monkeypatch):
    """A team mate's file is no finding for who doesn't have direnv."""
    project.write(".envref.yaml", CONFIG)
    project.write(".envrc", "export A=1\n")
    monkeypatch.setenv("PATH", str(project.path))
    assert findings(project, doctor.PROJECT) == {}


@pytest.mark.parametrize(
    ("status", "allowed"),
    [
        ('{"state": {"foundRC": {"path": "/p/.envrc", "allowed": 0}}}', True),
        ('{"state": {"foundRC": {"path": "/p/.envrc", "allowed": 1}}}', False),
        ('{"state": {"foundRC": {"path": "/p/.envrc", "allowed": 2}}}', False),
        ('{"state": {"foundRC": {"path": "/other/.envrc", "allowed": 1}}}', None),
        ('{"state": {"foundRC": null}}', None),
        ("Found RC path /p/.envrc\nFound RC allowed true\n", True),
        ("Found RC path /p/.envrc\nFound RC allowed false\n", False),
        ("Found RC path /p/.envrc\nFound RC allowed 1\n", False),
        ("Loaded RC path /p/.envrc\nLoaded RC allowed false\nNo .envrc or .env found\n", None),
        ("something else altogether", None),
    ],
)
def test_what_direnv_says_in_its_versions(status, allowed):
    """JSON with numbers from 2.33 on (from its documentation), lines before (2.32 is run above); else no judgement."""
    assert _allowed(status, "/p/.envrc") is allowed


def test_cures_are_typed_where_the_user_is(personal):
    """From a directory below the root, paths start there."""
    below = personal.path / "a dir"
    below.mkdir()
    (personal.path / ".env.local").chmod(0o644)
    found = configured(str(below))
    case = Case(found, [], start=str(below))
    cures = [pasted(finding.run) for each in doctor.examine(case, doctor.PROJECT).values() for finding in each]
    assert cures == ["echo .env.local >> ../.gitignore", "chmod 600 ../.env.local"]


def test_every_check_is_documented():
    """docs/doctor.md names each word that the JSON report may have."""
    page = (pathlib.Path(__file__).parent.parent.parent.parent / "docs/doctor.md").read_text(encoding="utf-8")
    for table in (doctor.FILES, doctor.PROJECT, doctor.STORES, doctor.FLOX):
        assert all(f"`{word}`" in page for word in table)


def test_an_empty_value_is_a_note_and_the_rest_is_not(project):
    """`KEY=` is usual in templates."""
    project.write(".env", "A=\nB=x y\n")
    found = findings(project, doctor.FILES)
    assert [(word, each.is_note) for word, [each] in sorted(found.items())] == [
        ("empty-value", True),
        ("unquoted-spaces", False),
    ]


def test_a_reference_that_is_built_from_a_secret_is_a_finding(project):
    """It stops every command; doctor goes on."""
    project.write(".env", "N=ref://secrets/n\nA=ref://secrets/$N\n")
    found = only(findings(project, doctor.FILES), "unreadable")
    assert (found.subject, found.hint) == (".env", "write the reference out")
    assert found.message == "A: a reference cannot be built from a secret value"


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ({}, ["  m"]),
        ({"hint": "h"}, ["  m", "    hint: h"]),
        ({"hint": "h", "is_said": True}, ["  m"]),
        ({"hint": "h", "line": 1}, ["  line 1: m", "    hint: h"]),
        ({"run": ("a", "b c")}, ["  m", "    run: a 'b c'"]),
    ],
)
def test_a_finding_has_its_lines(more, lines):
    """Where, what, and the cure, unless that is said already; nobody changes one."""
    finding = Finding("s", "m", **more)
    assert (finding.lines(), finding.is_note) == (lines, False)
    with pytest.raises(AttributeError):
        finding.message = "other"


@pytest.mark.parametrize("text", ["A=1\nA=2\n", "B=a b\n", "B=\n", "B=x \n", "my-var=1\n", "export C\n", "B=$C\n"])
def test_a_cure_is_said_once(project, text):
    """In the message, or below it."""
    project.write(".env", text)
    [[finding]] = findings(project, doctor.FILES).values()
    assert len(finding.lines()) == (1 if finding.hint in finding.message else 2)


def test_a_reference_where_no_store_is_configured(project):
    """It is said at its line, as long as there is a config."""
    project.write(".env", "B=1\nA=ref://secrets/a\n")
    assert findings(project, doctor.FILES) == {}
    project.write(".envref.yaml", "project: app\nbackends: []\n")
    finding = only(findings(project, doctor.FILES), "bad-reference")
    told = "a reference, and no backends configured in .envref.yaml"
    assert (finding.line, finding.message, finding.hint) == (2, told, "list one under backends:")


def test_a_reference_of_another_tool_is_a_finding(project):
    """It is exported as it stands."""
    project.write(".env", "A=op://vault/item/field\n")
    finding = only(findings(project, doctor.FILES), "foreign-reference")
    assert (finding.line, finding.key) == (1, "A")
    assert "is a reference of another tool" in finding.message
    assert finding.hint


@pytest.mark.parametrize(
    ("path", "name"), [("", ".env.staging"), ("/nowhere/.env", ".env"), ("", "directory"), ("", ".env")]
)
def test_the_example_is_for_the_base_that_is_missing(project, path, name):
    """Not for another file, one that was named by its path, or one that is there and can't be read."""
    project.write(".envref.yaml", CONFIG + ("env_file: directory\n" if name == "directory" else ""))
    project.write(f"{name}.example", "A=1\n")
    project.write(".env.example", "A=1\n")
    (project.path / "directory").mkdir()
    case = Case(configured(str(project.path)), [(path, name)], start=str(project.path))
    [fault] = case.faults
    assert (fault.subject, fault.run[:1]) == (name, ("cp",) if (path, name) == ("", ".env") else ())


def test_a_pipe_is_waited_for_as_long_as_is_said(project):
    """By whoever examines the project."""
    os.mkfifo(project.path / ".env")
    case = Case(bare(str(project.path)), [("", ".env")], start=str(project.path), timeout=0.01)
    assert [fault.message for fault in case.faults] == ["a pipe, and nothing came within 0.01 seconds"]


def test_a_store_that_waits_for_trust_is_not_looked_at(project, nobody_agreed):
    """Nor is one of a project without references."""
    plugin = "project: app\nbackends: [{name: kv, type: plugin, config: {command: ./kv}}]\n"
    project.write(".envref.yaml", plugin)
    project.write("kv", f"#!/bin/sh\ntouch {project.path}/ran\n").chmod(0o755)
    project.write(".env", "A=ref://kv/a\n")
    case = Case(configured(str(project.path)), [("", ".env")], start=str(project.path))
    assert (case.is_untrusted, case.may_run_programs, case.stores, case.ages) == (True, False, {}, [])
    assert not (project.path / "ran").exists()
    project.write(".env", "A=1\n")
    case = Case(configured(str(project.path)), [("", ".env")], start=str(project.path))
    assert (case.stores, case.ages) == ({}, [])


def test_secrets_that_were_not_taken_in_are_a_note(project):
    """With the command that takes them in, in the profile's name."""
    project.write(".envref.yaml", CONFIG + "active_profile: dev\nprofiles: {dev: }\n")
    project.write(".envref.secrets.age", "x")
    finding = only(findings(project, doctor.PROJECT, layers=[]), "waiting")
    assert (finding.subject, finding.is_note) == (".envref.secrets.age", True)
    assert finding.run == ("envref", "onboard", "--profile", "dev")


def test_a_personal_file_that_leads_nowhere_can_t_be_read_by_others(project):
    """Nor can one that others may only run, or a folder."""
    project.write(".envref.yaml", CONFIG)
    (project.path / ".env.local").symlink_to("nothing")
    assert findings(project, {"readable": doctor.PROJECT["readable"]}, layers=[]) == {}
    (project.path / ".env.local").unlink()
    project.write(".env.local", "A=1\n").chmod(0o711)
    assert findings(project, {"readable": doctor.PROJECT["readable"]}, layers=[]) == {}
    (project.path / ".env.local").unlink()
    (project.path / ".env.local").mkdir(mode=0o755)
    assert findings(project, {"readable": doctor.PROJECT["readable"]}, layers=[]) == {}
