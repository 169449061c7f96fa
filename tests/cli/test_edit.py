"""`envref edit` with real editors: their arguments, their end, and what is found in the file afterwards."""

from __future__ import annotations

import pathlib
import signal

import pytest

from tests.cli.terminal import Terminal
from tests.requirements import need


@pytest.fixture
def app(project):
    """A project, and a folder beside it with an editor that notes its arguments and runs a script on the file."""
    project.write(".envref.yaml", "project: app\nprofiles:\n  prod:\n    env_file: deploy/prod.env\n")
    for name in (".env", ".env.local", ".env.qa", "deploy/prod.env"):
        project.write(name, f"# {name}\nA=1\n")
    project.write(
        "my editor",
        '#!/bin/sh\nprintf "%s\\n" "$@" > arguments\nfor file in "$@"; do :; done\n'
        '[ -f script ] && . ./script\nexit "${CODE:-0}"\n',
    ).chmod(0o755)
    project.editor = f"'{project.path}/my editor' --wait -n"
    return project


def edited(app, *arguments, script="", **env):
    app.write("script", script)
    return app.envref("edit", *arguments, env={"EDITOR": app.editor, **env})


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        ([], ".env"),
        (["--local"], ".env.local"),
        (["-l"], ".env.local"),
        (["-c"], ".envref.yaml"),
        (["--config"], ".envref.yaml"),
        (["--profile", "prod"], "deploy/prod.env"),
        (["-P", "qa"], ".env.qa"),
        (["deploy/prod.env"], "deploy/prod.env"),
    ],
)
def test_the_file_and_the_arguments(app, arguments, file):
    """The editor's own words, split as a shell does, then the path; nothing is said when all is well."""
    done = edited(app, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    *options, path = app.read("arguments").splitlines()
    assert options == ["--wait", "-n"]
    assert pathlib.Path(app.path, path).samefile(app.path / file)


def test_visual_before_editor(app):
    """An empty variable is none."""
    assert edited(app, VISUAL=app.editor + " visual", EDITOR="false").returncode == 0
    assert app.read("arguments").splitlines()[2] == "visual"
    assert edited(app, VISUAL="").returncode == 0


def test_vi_where_there_is_no_variable(app, tmp_path):
    """Found on PATH, as any other."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/vi").symlink_to(app.path / "my editor")
    done = app.envref("edit", env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"})
    assert (done.returncode, app.read("arguments").count("\n")) == (0, 1)


def test_ed_edits(app):
    """A real editor, driven by its standard input."""
    done = app.envref("edit", stdin="$a\nB=2\n.\nwq\n", env={"EDITOR": f"{need('ed')} -s"})
    assert (done.returncode, done.stderr) == (0, "")
    assert app.read(".env") == "# .env\nA=1\nB=2\n"


def test_vim_edits_on_the_terminal(app, monkeypatch):
    """The editor has the terminal, and what it writes is checked when it ends."""
    monkeypatch.setenv("EDITOR", f"{need('vim')} -u NONE -N -n")
    terminal = Terminal(app.path, "edit")
    terminal.await_text("A=1")
    terminal.type("GoB=2")
    terminal.await_text("B=2")
    terminal.type("\x0f:wq\r")  # Ctrl-O, one command: an escape and what follows it may be taken for a key
    assert terminal.end() == 0
    assert app.read(".env") == "# .env\nA=1\nB=2\n"


def test_ctrl_c_ends_neither_an_editor_that_takes_it_nor_envref(app, monkeypatch):
    """Editors give Ctrl-C a meaning of their own."""
    app.write("script", "trap 'echo taken' INT\necho ready\nread line\nread line\nexit 0\n")
    monkeypatch.setenv("EDITOR", app.editor)
    terminal = Terminal(app.path, "edit")
    terminal.await_text("ready")
    terminal.type("\x03")
    terminal.await_text("taken")
    terminal.type("on\nand on\n")
    assert terminal.end() == 0


def test_ctrl_c_reaches_the_editor_only(app, monkeypatch):
    """An editor that dies of it is reported; envref itself is there to do so."""
    app.write("script", "echo ready\nexec sleep 60\n")
    monkeypatch.setenv("EDITOR", app.editor)
    terminal = Terminal(app.path, "edit")
    terminal.await_text("ready")
    terminal.type("\x03")
    assert terminal.end() == 1
    assert f"editor exited with error: {128 + signal.SIGINT}" in terminal.output


def test_a_broken_env_file_is_told_with_its_place(app):
    """Every problem with line and column; the file stays as the editor left it."""
    done = edited(app, script='printf "A=1\\nno line\\nB=\\"x\\n" > "$file"')
    assert (done.returncode, done.stdout) == (1, "")
    assert [line for line in done.stderr.splitlines() if line.startswith("error")] == [
        "error: .env:2:1: expected NAME=VALUE",
        "error: .env:3:3: unterminated double-quoted value",
    ]
    assert app.read(".env").startswith("A=1\nno line\n")


def test_a_broken_config_is_told_with_its_place(app):
    """Syntax, rules and warnings; a broken config can be opened again, and mended."""
    done = edited(app, "-c", script='echo "project: [" > "$file"')
    assert done.returncode == 1
    assert done.stderr.startswith("error: loading config: .envref.yaml:2:1: ")
    done = edited(app, "--config", script='printf "project: app\\nbackend: []\\n" > "$file"')
    assert (done.returncode, done.stderr) == (
        0,
        'warning: .envref.yaml:2:1: unknown key "backend": did you mean "backends"?\n',
    )
    assert edited(app, ".envref.yaml", script='echo "team: []" > "$file"').stderr == (
        "error: loading config: invalid config: project name is required\n"
    )


def test_a_duplicate_is_a_warning(app):
    """As every other command says it."""
    done = edited(app, script='printf "A=1\\nA=2\\n" > "$file"')
    assert (done.returncode, done.stderr) == (
        0,
        'warning: .env:2:1: duplicate key "A" (previously defined on line 1, using latest value)\n',
    )


@pytest.mark.parametrize(
    ("env", "error"),
    [
        ({"EDITOR": "no-such-editor --wait"}, 'error: editor "no-such-editor" not found in PATH'),
        ({"EDITOR": "'unfinished"}, "error: EDITOR: no closing quotation"),
        ({"CODE": "7"}, "error: editor exited with error: 7"),
        ({"EDITOR": "sh -c 'kill -TERM $$'"}, "error: editor exited with error: 143"),
    ],
)
def test_an_editor_that_fails(app, env, error):
    """Exit 1, and what went wrong."""
    done = edited(app, **env)
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (1, "", error)


@pytest.mark.parametrize(
    ("arguments", "name"), [(["nowhere"], "nowhere"), (["-l"], ".env.local"), (["-P", "gone"], ".env.gone")]
)
def test_a_file_that_is_not_there(app, arguments, name):
    """No editor is started for it."""
    (app.path / ".env.local").unlink()
    done = edited(app, *arguments)
    assert (done.returncode, done.stderr.splitlines()[-2]) == (1, f"error: file does not exist: {name}")
    assert not (app.path / "arguments").exists()


@pytest.mark.parametrize("arguments", [["-l", "-c"], ["x", "-l"], ["-P", "qa", "-c"], ["x", "-P", "qa"]])
def test_the_choices_exclude_each_other(app, arguments):
    """Exit 2."""
    done = edited(app, *arguments)
    assert done.returncode == 2
    assert "none of the others can be" in done.stderr


def test_without_a_project_only_a_named_file(project):
    """`edit FILE` works anywhere; what the config would have to name does not."""
    project.write("some.env", "A=1\n")
    assert project.envref("edit", "some.env", env={"EDITOR": "true"}).returncode == 0
    for arguments in ([], ["-l"], ["-c"]):
        done = project.envref("edit", *arguments, env={"EDITOR": "true"})
        assert (done.returncode, done.stderr.splitlines()[0]) == (1, "error: loading config: no .envref.yaml found")


def test_a_file_that_a_link_takes_out_is_not_opened(app, tmp_path):
    """No command reads it before trust (security.md 5.1 d)."""
    (tmp_path / "outside.env").write_text("A=1\n")
    (app.path / ".env").unlink()
    (app.path / ".env").symlink_to(tmp_path / "outside.env")
    done = edited(app)
    assert (done.returncode, "outside the project" in done.stderr) == (1, True)
    assert not (app.path / "arguments").exists()


def test_the_editor_gets_no_passphrase(app):
    """Nor trust; the rest of the environment is the caller's."""
    done = edited(app, script="env > seen", ENVREF_VAULT_PASSPHRASE="hidden", ENVREF_TRUST="all", MINE="1")
    assert done.returncode == 0
    seen = app.read("seen")
    assert "MINE=1\n" in seen
    assert "ENVREF_VAULT_PASSPHRASE" not in seen
    assert "ENVREF_TRUST" not in seen


def test_the_editor_is_waited_for(app):
    """The check reads what the editor wrote at its very end."""
    done = edited(app, script='sleep 1; echo "no line" > "$file"')
    assert done.stderr.startswith("error: .env:1:1: expected NAME=VALUE")
