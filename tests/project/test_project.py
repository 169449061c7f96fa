"""Discovery, the effective profile, and the env files of a project."""

import contextlib
import os
import subprocess
import sys

import pytest

from envref.errors import EnvrefError, UsageError, pasted
from envref.project import project as projects
from tests.conftest import ROOT


@pytest.fixture
def below(project):
    """A directory two levels below a project with a profile."""
    project.write(".envref.yaml", "project: app\nprofiles: {staging: , odd: {env_file: envs/odd}}\n")
    project.write(".env", "A=base\nB=base\n")
    path = project.path / "one" / "two"
    path.mkdir(parents=True)
    return path


def refusal(start, kind=EnvrefError):
    with pytest.raises(kind) as caught:
        projects.load(str(start))
    return caught.value


def test_the_nearest_config_wins(project, below):
    """From the start directory upwards, the first `.envref.yaml` is the project's."""
    assert projects.find(str(below)) == str(project.path / ".envref.yaml")
    nearer = project.write("one/.envref.yaml", "project: nearer")
    assert projects.find(str(below)) == str(nearer)


def test_no_config_is_an_error_with_its_cure(tmp_path):
    """commands.md 13, row 25."""
    error = refusal(tmp_path, projects.NoProject)
    assert error.lines() == ["error: loading config: no .envref.yaml found", "  run: envref init"]


def test_a_start_directory_that_does_not_exist_is_an_error(below):
    """`-C` with a misspelled directory doesn't find a project above it."""
    assert refusal(below / "none").message.endswith("one/two/none: no such file or directory")


def test_the_root_is_free_of_symlinks(project, below, tmp_path):
    """A link to a directory of the project leads to the project that holds the directory."""
    (tmp_path / "link").symlink_to(below)
    assert projects.load(str(tmp_path / "link")).root == str(project.path)


@pytest.mark.parametrize(("mode", "who"), [(0o757, "others"), (0o777, "others")])
def test_a_directory_that_others_can_write_is_refused(below, mode, who):
    """On the way up, although it holds no config: somebody could put one there."""
    (below.parent).chmod(mode)
    error = refusal(below)
    assert error.message == f"loading config: {below.parent} is writable by {who}"
    assert error.run == ("chmod", "o-w", str(below.parent))


def test_a_config_that_others_can_write_is_refused(project, below):
    """The file itself counts like a directory."""
    (project.path / ".envref.yaml").chmod(0o646)
    assert refusal(below).message == f"loading config: {project.path}/.envref.yaml is writable by others"


def test_a_refused_config_is_not_skipped(project, below):
    """The good config above it is not taken instead."""
    project.write("one/.envref.yaml", "project: app").chmod(0o666)
    assert "is writable by others" in refusal(below).message


def test_a_sticky_directory_is_fine(below):
    """Like /tmp: others can't replace what is ours there."""
    below.chmod(0o1777)
    assert projects.load(str(below)).config.project == "app"


def test_the_cure_of_a_path_with_blanks_can_be_pasted(home):
    """The path is quoted for a shell, and `~` still stands for the home directory."""
    path = home / "my projects"
    path.mkdir()
    (path / ".envref.yaml").write_text("project: app")
    path.chmod(0o757)
    assert pasted(refusal(path).run) == "chmod o-w ~/'my projects'"


def as_root():
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")


@pytest.mark.parametrize("place", [".", "one", "one/two", ".envref.yaml"])
def test_what_belongs_to_somebody_else_is_refused(project, below, place):
    """The config, and every directory from the start up to it."""
    as_root()
    path = project.path / place
    os.chown(path, 12345, 12345)
    assert refusal(below).message == f"loading config: {path.resolve()} belongs to another user"


def test_a_directory_above_the_config_may_be_anybody_s(project, below, tmp_path):
    """What is beyond the project decides nothing about it."""
    as_root()
    os.chown(tmp_path, 12345, 12345)
    assert projects.load(str(below)).config.project == "app"


@pytest.mark.parametrize("place", ["one", ".envref.yaml"])
def test_another_group_that_can_write_is_refused(project, below, place):
    """The owner's primary group is nobody else (umask 002); any other group is."""
    as_root()
    path = project.path / place
    path.chmod(0o775)
    assert projects.load(str(below)).config.project == "app"
    os.chown(path, 0, 12345)
    error = refusal(below)
    assert error.message == f"loading config: {path} is writable by its group"
    assert error.run == ("chmod", "g-w", str(path))


def test_files_of_root_are_anybody_s_config(project, below, tmp_path):
    """A user other than root takes a config that root owns, and refuses a third user's."""
    as_root()
    script = (
        "import os, sys; from envref.project import project; from envref.project.config import load as config\n"
        "from envref.errors import EnvrefError\n"
        "os.setgroups([]); os.setgid(12345); os.setuid(12345)\n"
        "try: print(config.Sources(project.find(sys.argv[1]), os.environ).path)\n"
        "except EnvrefError as error: print(error.message)\n"
    )

    def found():
        command = [sys.executable, "-c", script, str(below)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    with open_to_all(tmp_path):
        assert found() == f"{project.path}/.envref.yaml\n"
        os.chown(below.parent, 54321, 54321)
        assert found() == f"loading config: {below.parent} belongs to another user\n"


@contextlib.contextmanager
def open_to_all(path):
    """Lets other users pass to `path`; the folders above it are other tests' too, and get their modes back."""
    closed = {place: place.stat().st_mode for place in (path, *path.parents) if place.stat().st_mode & 0o005 != 0o005}
    for place, mode in closed.items():
        place.chmod(mode | 0o005)
    try:
        yield
    finally:
        for place, mode in closed.items():
            place.chmod(mode)


def test_folders_that_were_opened_are_closed_again(tmp_path):
    """Other runs of pytest keep what only this user may see in the same folders."""
    inner = tmp_path / "inner"
    inner.mkdir(mode=0o700)
    before = [place.stat().st_mode for place in (inner, *inner.parents)]
    with open_to_all(inner):
        assert all(place.stat().st_mode & 0o005 == 0o005 for place in (inner, *inner.parents))
    assert [place.stat().st_mode for place in (inner, *inner.parents)] == before


@pytest.mark.parametrize("kind", ["directory", "pipe", "dangling link"])
def test_a_config_that_is_no_file_is_refused(project, kind):
    """It is neither skipped nor waited for."""
    path = project.path / ".envref.yaml"
    make = {"directory": path.mkdir, "pipe": lambda: os.mkfifo(path), "dangling link": lambda: path.symlink_to("none")}
    make[kind]()
    reasons = {"dangling link": "no such file or directory", "directory": "is a directory"}
    assert refusal(project.path).message == f"loading config: .envref.yaml: {reasons.get(kind, 'not a regular file')}"


def test_the_effective_profile(project, below, monkeypatch):
    """The option, else ENVREF_PROFILE, else `active_profile`, else none (commands.md 1.5)."""
    start = str(below)
    assert projects.load(start).profile is None
    project.write(".envref.yaml", "project: app\nactive_profile: a\nprofiles: {a: , b: , c: }\n")
    assert projects.load(start).profile == "a"
    monkeypatch.setenv("ENVREF_PROFILE", "b")
    assert projects.load(start).profile == "b"
    assert projects.load(start, "c").profile == "c"
    monkeypatch.setenv("ENVREF_PROFILE", "")
    assert projects.load(start).profile == "a"


def test_an_unknown_profile_is_a_warning(below):
    """It still selects the scope of secrets."""
    loaded = projects.load(str(below), "x")
    assert loaded.profile == "x"
    assert loaded.warnings == ('profile "x" is not configured and .env.x does not exist',)


@pytest.mark.parametrize("name", ["staging", "ondisk"])
def test_a_known_profile_is_configured_or_has_a_file(project, below, name):
    """Neither gives a warning."""
    project.write(".env.ondisk", "")
    assert projects.load(str(below), name).warnings == ()


@pytest.mark.parametrize("name", ["../x", "a.b", "local", "-x", "a/b"])
def test_what_is_no_name_of_a_profile_is_refused(below, name):
    """A name is part of a path: from the option or the environment alike."""
    for arguments in ((str(below), name), (str(below), None, {**os.environ, "ENVREF_PROFILE": name})):
        with pytest.raises(UsageError) as caught:
            projects.load(*arguments)
        assert caught.value.message == f'invalid profile name "{name}"'


def test_layers_are_read_base_first(project, below):
    """base, profile, local; the last one that sets a name counts, at the place of the first."""
    project.write(".env.staging", "B=staging\nC=staging\n")
    project.write(".env.local", "C=local\n")
    loaded = projects.load(str(below), "staging")
    assert [(entry.name, entry.text, entry.file) for entry in loaded.entries] == [
        ("A", "base", ".env"),
        ("B", "staging", ".env.staging"),
        ("C", "local", ".env.local"),
    ]
    assert len(loaded.files) == 3


def test_a_profile_s_file_may_be_configured(project, below):
    """Its name is relative to the root, and is its name in messages."""
    project.write("envs/odd", "B=odd\n")
    assert [(entry.text, entry.file) for entry in projects.load(str(below), "odd").entries] == [
        ("base", ".env"),
        ("odd", "envs/odd"),
    ]


def test_the_names_of_all_layers(below):
    """Whether or not they exist, for reports and for watching."""
    config = projects.load(str(below)).config
    assert projects.file_names(config, None) == [".env", ".env.local"]
    assert projects.file_names(config, "odd") == [".env", "envs/odd", ".env.local", ".env.odd.local"]
    assert projects.file_names(config, "new") == [".env", ".env.new", ".env.local", ".env.new.local"]


def test_the_base_has_to_exist(project, below):
    """commands.md 5.1; a command that needs only the config has no use for it."""
    (project.path / ".env").unlink()
    assert refusal(below).message == ".env: no such file or directory"
    assert projects.configured(str(below)).config.project == "app"


def test_warnings_of_files_and_config_come_together(project, below):
    """In the order config, profile, files."""
    project.write(".envref.yaml", "project: app\nzzz: 1")
    project.write(".env", "A=1\nA=2\n")
    assert [warning.split(" ")[0] for warning in projects.load(str(below), "x").warnings] == [
        ".envref.yaml:2:1:",
        "profile",
        ".env:2:1:",
    ]


@pytest.mark.parametrize("name", [".env", ".env.staging", ".env.local"])
def test_an_env_file_outside_the_project_is_not_read(project, below, tmp_path, name):
    """A symlink in a repository must not reach what the user may read (security.md 5.1 d)."""
    outside = tmp_path / "outside"
    outside.write_text("SECRET=very-private\n")
    (project.path / name).unlink(missing_ok=True)
    (project.path / name).symlink_to(outside)
    loaded = projects.load(str(below), "staging")
    assert loaded.unread == (name,)
    assert "SECRET" not in [entry.name for entry in loaded.entries]
    told = f"{name} is not read: it is a symlink to {outside}, outside the project; run: envref trust"
    assert told in loaded.warnings


def test_an_env_file_outside_the_project_is_read_where_the_loader_may(project, below, tmp_path):
    """Whoever loads the project says so; the file is known by the name of the link."""
    (tmp_path / "outside").write_text("A=linked\n")
    (project.path / ".env.local").symlink_to(tmp_path / "outside")
    loaded = projects.load(str(below), may_read_outside=lambda project: project.config.project == "app")
    assert [(entry.text, entry.file) for entry in loaded.entries if entry.name == "A"] == [("linked", ".env.local")]
    assert (loaded.unread, loaded.warnings) == ((), ())


def test_a_directory_that_leads_outside_is_no_way_out(project, below, tmp_path):
    """The link may stand anywhere in the path of a file."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "odd").write_text("A=1\n")
    (project.path / "envs").symlink_to(outside)
    assert projects.load(str(below), "odd").unread == ("envs/odd",)


def test_a_symlink_inside_the_project_is_followed(project, below):
    """It is known by the name of the link."""
    project.write("shared/base", "A=linked\n")
    (project.path / ".env").unlink()
    (project.path / ".env").symlink_to("shared/base")
    assert [(entry.text, entry.file) for entry in projects.load(str(below)).entries] == [("linked", ".env")]


def test_an_env_file_that_is_a_pipe_is_not_waited_for(project, below):
    """A hostile repository can't stop the shell that activates it for longer than a store could."""
    os.mkfifo(project.path / ".env.local")
    with pytest.raises(EnvrefError, match=r"^\.env\.local: a pipe, and nothing came within 0\.1 seconds$"):
        projects.load(str(below), patience=0.1)


def test_the_words_that_mean_a_profile():
    """In a command to paste."""
    assert (projects.words_of(None), projects.words_of("dev")) == ((), ("--profile", "dev"))


def test_a_directory_that_was_removed_meanwhile(tmp_path, monkeypatch):
    """Of a shell that still stands in it."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(EnvrefError, match="the current directory no longer exists") as caught:
        projects.find(".")
    assert caught.value.hint == "cd to one that does"


def test_a_directory_without_a_config_is_a_project_too(tmp_path):
    """With the usual file names and no store; the profile is asked for, or the environment's."""
    (tmp_path / "link").symlink_to(tmp_path)
    project = projects.bare(str(tmp_path / "link"), environment={"ENVREF_PROFILE": "dev"})
    assert (project.root, project.profile, project.config.backends) == (str(tmp_path), "dev", ())
    assert projects.layers(project) == [".env", ".env.dev", ".env.local", ".env.dev.local"]
    assert projects.bare(str(tmp_path), "x", {"ENVREF_PROFILE": "dev"}).profile == "x"
    assert projects.bare(str(tmp_path), environment={"ENVREF_PROFILE": ""}).profile is None


def test_the_layers_of_what_it_extends_lie_below(project):
    """The farthest first; those for everybody are without the personal ones."""
    (project.path / ".git").mkdir()
    project.write(".envref.yaml", "project: app\nlocal_file: mine\n")
    project.write("a/.envref.yaml", "extends: ..\nenv_file: base\n")
    project.write("a/b/.envref.yaml", "extends: ..\n")
    found = projects.configured(str(project.path / "a/b"))
    assert projects.layers(found) == ["../../.env", "../../mine", "../base", "../.env.local", ".env", ".env.local"]
    assert projects.committed_layers(found) == ["../../.env", "../base", ".env"]


def test_a_chosen_profile_is_its_project_s(project, home):
    """A file that another project's choice is in does not count, nor one that others could have written."""
    project.write(".envref.yaml", "project: app\nprofiles: {a: , b: }\nactive_profile: a\n")
    config = projects.configured(str(project.path)).config
    root = str(project.path)
    path = home / projects.choice_path(root, os.environ)
    path.parent.mkdir(parents=True)
    for kept, active in ((f"{root}\0b", "b"), (f"{root}\0", None), ("/another\0b", "a")):
        path.write_text(kept)
        path.chmod(0o600)
        assert projects.active(root, config) == active
    path.write_text(f"{root}\0b")
    path.chmod(0o666)
    assert projects.active(root, config) == "a"


def test_the_process_environment_counts_where_the_config_says_so(project, below):
    """Else `${NAME}` falls back to nothing of it."""
    assert projects.configured(str(below)).ambient is None
    project.write(".envref.yaml", "project: app\ninterpolate_environment: true\n")
    assert projects.configured(str(below)).ambient is os.environ


def test_the_known_profiles_have_their_files(project, below):
    """Those of the config, and those that have one; by name."""
    for name in ("qa", "local", "a.b", "staging.local", "example"):
        project.write(f".env.{name}", "")
    found = projects.configured(str(below))
    files = {"odd": "envs/odd", "qa": ".env.qa", "staging": ".env.staging"}
    assert list(projects.profiles(found.root, found.config).items()) == list(files.items())


def test_another_file_is_no_base(project, below, monkeypatch):
    """The example of the base is offered where there is one, as it is typed from here."""
    monkeypatch.chdir(project.path / "one")
    (project.path / ".env").rename(project.path / ".env.local")
    assert refusal(below).cure() == []
    project.write(".env.example", "")
    assert refusal(below).cure() == ["run: cp ../.env.example ../.env"]


def test_what_extends_another_needs_one_file_of_all(project, below):
    """Any of them; without one the base is missed."""
    (project.path / ".git").mkdir()
    project.write("part/.envref.yaml", "extends: ..\n")
    assert [file.name for file in projects.load(str(project.path / "part")).files] == ["../.env"]
    (project.path / ".env").unlink()
    assert refusal(project.path / "part").message == ".env: no such file or directory"


def test_a_file_to_be_written_is_the_project_s_own(project, below, tmp_path):
    """Where a link leads out, nothing is read or written there."""
    assert projects.env_path(str(project.path), ".env") == f"{project.path}/.env"
    (project.path / ".env.local").symlink_to(tmp_path / "outside")
    with pytest.raises(EnvrefError) as refused:
        projects.env_path(str(project.path), ".env.local")
    told = f"refusing to read .env.local: it is a symlink to {tmp_path}/outside, outside the project"
    assert (refused.value.message, refused.value.cure()) == (told, ["hint: replace the link by the file"])


@pytest.mark.parametrize("has_git", [False, True])
def test_only_a_linked_work_tree_looks_for_the_main_one(project, below, monkeypatch, has_git):
    """An activation elsewhere does not pay for it."""
    monkeypatch.setattr(projects, "nearest", lambda *_: str(project.path) if has_git else "")
    (project.path / ".git").mkdir()
    monkeypatch.setitem(sys.modules, "envref.project.linked", None)
    assert [file.name for file in projects.load(str(below)).files] == [".env"]
