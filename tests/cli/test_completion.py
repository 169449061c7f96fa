"""`envref completion`, tried in the shells themselves, with somebody who types."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import click
import pytest

from envref.cli import candidates, completing, cursor, project_names
from envref.cli.commands import envref
from envref.cli.scripts import SCRIPTS
from envref.cli.shell_words import split
from tests.cli.subcommands import commands
from tests.cli.terminal import Terminal
from tests.conftest import ROOT
from tests.requirements import first_python, need

CONFIG = """\
project: app
profiles:
  staging:
backends:
- {name: mystore, type: plugin, config: {command: ./plugin}}
- {name: vault}
team: [{name: bob, public_key: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p}]
"""
ENV = """\
DATABASE_URL="db://u:${ref://secrets/db}@h"
DEBUG=1
OWN=ref://mystore/own/key
EVIL=ref://secrets/a$(touch${IFS}evil)
NATIVE=ref://mystore//native
"""


@pytest.fixture
def store(project):
    """A project with names to complete, whose plugin leaves a trace when it is asked."""
    project.write("plugin", "#!/bin/sh\ntouch asked\necho '{}'\n").chmod(0o755)
    project.write(".envref.yaml", CONFIG)
    project.write(".env", ENV)
    project.write(".env.qa", "")
    yield project
    assert not (project.path / "asked").exists()


@pytest.fixture
def command(tmp_path, monkeypatch):
    """`envref` on PATH, as an installation has it; its folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "envref"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m envref "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def asked(directory, monkeypatch, *words, shell="bash"):
    """What envref answers to a shell's script, as lines."""
    monkeypatch.chdir(directory)
    written = []
    monkeypatch.setattr("envref.streams.write", written.append)
    question = {"_ENVREF_COMPLETE": f"{shell}_complete", "COMP_WORDS": "\n".join(["envref", *words])}
    assert completing.answer(question)() == 0
    return "".join(written).splitlines()


def words_of(lines):
    return [line.removeprefix("plain,") for line in lines]


LINES = [
    ("ver", ["version"]),
    ("nothing", []),
    ("nothing x", []),
    ("secret ro", ["rotate"]),
    ("-v secret ro", ["rotate"]),
    ("--vers", ["--version"]),
    ("secret set --allow", ["--allow-empty"]),
    ("secret set --no-e", []),
    ("secret set -v x --en", ["--env"]),
    ("secret set -", ["--allow-empty", "--backend", "--debug", "--env", "--help", "--no-color", "--profile"]),
    ("secret list -P ", ["qa", "staging"]),
    ("secret list -P= ", []),
    ("secret list -Pqa --pr", ["--project"]),
    ("secret list -qP st", ["staging"]),
    ("secret list --profile=st", ["--profile=staging"]),
    ("secret list --profile = st", ["staging"]),
    ("secret list --profile =", []),
    ("secret list --all=", []),
    ("secret list --no-such=", []),
    ("secret list --no-such -P st", ["staging"]),
    ("secret get --backend my", ["mystore"]),
    ("secret get ", ["db", "own/key"]),
    ("secret get -b vault ", ["db"]),
    ("secret get -b mystore ", ["db", "own/key"]),
    ("secret get --backend=mystore o", ["own/key"]),
    ("secret get db ", []),
    ("secret rotate -k 3 d", ["db"]),
    ("secret set d", ["db"]),
    ("secret set k --env DE", ["DEBUG"]),
    ("secret share db --to b", ["bob"]),
    ("secret generate x --charset h", ["hex"]),
    ("audit-log --key o", ["own/key"]),
    ("completion po", ["powershell"]),
    ("resolve -P st", ["staging"]),
    ("resolve --format j", ["json"]),
    ("resolve --export --shell a", ["auto"]),
    ("version --format p", ["plain"]),
    ("get DA", ["DATABASE_URL"]),
    ("get -- DA", ["DATABASE_URL"]),
    ("get DEBUG D", []),
    ("unset DEB", ["DEBUG"]),
    ("stale DEBUG DA", ["DATABASE_URL"]),
    ("run --only D", ["DATABASE_URL", "DEBUG"]),
    ("run --only DEBUG,DA", ["DEBUG,DATABASE_URL"]),
    ("run --only=DEBUG,DA", ["--only=DEBUG,DATABASE_URL"]),
    ("run --only DEBUG --on", ["--only"]),
    ("run --strict --stri", []),
    ("profile use s", ["staging"]),
    ("profile diff staging q", ["qa"]),
    ("backend add ssm", []),
    ("backend add aws-s", ["aws-secrets-manager", "aws-ssm"]),
    ("team remove b", ["bob"]),
    ("flox-hook --placement p", ["profile"]),
    ("set DEB", ["part,DEBUG="]),
    ("import .en", ["file,.en"]),
    ("edit ", ["file,"]),
    ("run --file=.en", ["file,.en"]),
    ("run --file = .en", ["file,.en"]),
    ("-C ", ["dir,"]),
    ("init --dir s", ["dir,s"]),
    ("onboard --identity ~/.s", ["file,~/.s"]),
    ("run gi", ["program,2"]),
    ("run -- gi", ["program,3"]),
    ("run --only DEBUG -- git --st", ["program,5"]),
    ("run --file = .env git st", ["program,5"]),
    ("run --profile qa -- -", ["program,5"]),
]


@pytest.mark.parametrize(("line", "offered"), LINES)
def test_a_word_has_its_candidates(store, monkeypatch, line, offered):
    """Commands, options, values, names of the project; what is a file or another program's is the shell's."""
    found = words_of(asked(store.path, monkeypatch, *line.split(" ")))
    assert found == offered if line != "secret set -" else set(offered) < set(found)


def test_no_candidate_is_code(store, monkeypatch):
    """What a project names is run next: a key that a shell would evaluate is left out, and one like an option."""
    store.write(".env", ENV + "X=ref://secrets/-rf\n")
    assert words_of(asked(store.path, monkeypatch, "secret", "get", "")) == ["db", "own/key"]
    assert not project_names.is_inert("a$(id)")


def test_a_broken_project_offers_nothing(store, monkeypatch):
    """And no pipe is waited for, nor read."""
    os.mkfifo(store.path / ".env.local")
    assert words_of(asked(store.path, monkeypatch, "get", "DE")) == ["DEBUG"]
    store.write(".env", "no line\n")
    assert asked(store.path, monkeypatch, "get", "") == []
    store.write(".envref.yaml", "project: [\n")
    assert asked(store.path, monkeypatch, "get", "") == []


def test_names_come_from_the_project_that_c_names(store, home, tmp_path, monkeypatch):
    """-C counts while completing, in quotes and from HOME too; without a project there is nothing to offer."""
    (home / "here").symlink_to(store.path)
    for named in (str(store.path), f'"{store.path}"', f"'{store.path}", "~/here"):
        assert words_of(asked(tmp_path, monkeypatch, "-C", named, "secret", "list", "-P", "")) == ["qa", "staging"]
        assert words_of(asked(tmp_path, monkeypatch, "secret", "list", "-C", named, "-P", "s")) == ["staging"]
    assert asked(tmp_path, monkeypatch, "secret", "list", "-P", "") == []


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("zsh", "plain\nset\nStore a secret: typed without echo, or from stdin.\n"),
        ("bash", "plain,set\n"),
        ("fish", "plain,set\tStore a secret: typed without echo, or from stdin.\n"),
    ],
)
def test_a_help_is_whole(project, monkeypatch, shell, line):
    """fish and zsh show it, commas and all."""
    assert "\n".join(asked(project.path, monkeypatch, "secret", "se", shell=shell)) + "\n" == line


@pytest.mark.parametrize(
    ("asked", "words", "place"),
    [
        ("bash", "envref\nget\nDE", "2"),
        ("bash", "envref\nget\nDE\nmore", "2"),
        ("zsh", "envref -q get DE", "3"),
        ("zsh", 'envref "get" DE', "2"),
        ("fish", "envref get DE", "DE"),
        ("fish", "envref get -P 'qa' DE", "DE"),
    ],
)
def test_a_script_of_an_older_release_is_answered(store, monkeypatch, asked, words, place):
    """Those that click made, which ask with one variable more, may stand in somebody's files for years."""
    monkeypatch.chdir(store.path)
    written = []
    monkeypatch.setattr("envref.streams.write", written.append)
    question = {"_ENVREF_COMPLETE": f"{asked}_complete", "COMP_WORDS": words, "COMP_CWORD": place}
    completing.answer(question)()
    assert "DEBUG" in "".join(written)
    completing.answer({"_ENVREF_COMPLETE": f"{asked}_source"})()
    assert written[-1] == SCRIPTS[asked]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("get 'a b' ref://x/y#field", ["get", "a b", "ref://x/y#field"]),
        ("get 'a b", ["get", "a b"]),
        (r"get a\ b", ["get", "a b"]),
        (r"""get "it's \"a\"" """, ["get", """it's "a\""""]),
    ],
)
def test_a_line_with_quotes_is_split_into_its_words(line, words):
    """The last one may be unfinished; a `#` within a word begins no comment."""
    assert split(line) == words


def test_every_command_is_completed():
    """Each command that there is has its entry, and each value of each option a kind that is known."""
    leaves = dict(commands(envref))
    assert set(cursor.COMMANDS) == {"", *leaves}
    assert set(cursor.GROUPS) == {path for path, command in leaves.items() if isinstance(command, click.Group)}
    kinds = {kind.removesuffix(candidates.SEVERAL) for entries in cursor.COMMANDS.values() for _, kind, _ in entries}
    named = {kind for kind in kinds if not kind.startswith(candidates.CHOICE)}
    of_project = {each.name for each in vars(candidates).values() if isinstance(each, candidates.Kind)}
    assert named <= of_project | {""}
    of_shell = {each.name for each in (candidates.files, candidates.directories, candidates.program)}
    assert named - of_shell - {"", "text", "types", "list variables"} == set(project_names._KINDS)


# Each shell begins with its script, and shows its line after every Control-X D.
BASH = r"""
PS1='> '
bind 'set enable-bracketed-paste off'
bind 'set bell-style none'
source {script}
bind -x '"\C-xd": echo "LINE<$READLINE_LINE>"'
own() {{ COMPREPLY=(called-${{#COMP_WORDS[@]}}); }}
complete -F own known
"""
ZSH = r"""
PS1='> '
unsetopt zle_bracketed_paste
autoload -U compinit
compinit -u -d {script}.dump
source {script}
show() {{ print -r -- "LINE<$BUFFER>" }}
zle -N show
bindkey '^Xd' show
own() {{ compadd -- called-$#words }}
compdef own known
"""
FISH = r"""
source {script}
bind \cxd 'echo "LINE<"(commandline)">"'
function own; echo called-(count (commandline -opc) x); end
complete -c known -f -a '(own)'
"""
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], BASH),
    "zsh": (["zsh", "-f", "-i"], ZSH),
    "fish": (["fish", "--no-config", "-i"], FISH),
}
# Typed, and what stands there after a tab; `program` is one of PATH.
TYPED = [
    ("envref ver", "envref version "),
    ("envref secret get o", "envref secret get own/key "),
    ("envref secret list -P st", "envref secret list -P staging "),
    ("envref secret list --profile=st", "envref secret list --profile=staging "),
    ("envref run --only DEBUG,DA", "envref run --only DEBUG,DATABASE_URL "),
    ("envref resolve --format j", "envref resolve --format json "),
    ("envref set DEB", "envref set DEBUG="),
    ("envref import old", "envref import old.env "),
    ("envref import --profile=qa sub/wi", "envref import --profile=qa sub/within "),
    ("envref get --file=sub/wi", "envref get --file=sub/within "),
    ("envref -C su", "envref -C sub/"),
    ("envref onboard --identity ~/.k", "envref onboard --identity ~/.key "),
    ('envref get "DA', 'envref get "DATABASE_URL" '),
    ("envref -C my\\ d", "envref -C my\\ dir/"),
    ("envref run -- progra", "envref run -- program-of-path "),
    ("envref run progra", "envref run program-of-path "),
    ("envref run -- ./plu", "envref run -- ./plugin "),
    ("envref run --only DEBUG -- program-of-path old", "envref run --only DEBUG -- program-of-path old.env "),
    ("envref run -- known some cal", "envref run -- known some called-3 "),
]


@first_python
@pytest.mark.parametrize("shell", SHELLS)
def test_a_tab_completes(store, command, home, tmp_path, monkeypatch, shell):
    """Words, names, files, folders, programs, and what follows a program by its own completion."""
    program, start = SHELLS[shell]
    script = tmp_path / "script"
    script.write_text(SCRIPTS[shell])
    store.write("sub/within", "")
    store.write("my dir/within", "")
    store.write("old.env", "")
    (home / ".key").write_text("")
    for name in ("program-of-path", "known"):
        shutil.copy(command / "envref", command / name)
    tools = {os.path.dirname(shutil.which(name)) for name in ("env", "sort", need(program[0]))}
    monkeypatch.setenv("PATH", os.pathsep.join([str(command), *sorted(tools)]))
    terminal = Terminal(store.path, *program[1:], program=[need(program[0])])
    (tmp_path / "start").write_text(f"{start.format(script=script)}\n")
    terminal.type(f"source {tmp_path / 'start'}; echo RE''ADY\n")
    terminal.await_text("READY\r\n")
    for number, (typed, _) in enumerate(TYPED, 1):
        terminal.type(f"{typed}\t")
        terminal.type("\x18d")
        terminal.await_text("LINE<", number)
        terminal.await_text(">", terminal.output.rpartition("LINE<")[0].count(">") + 1)
        terminal.type("\x15")
    terminal.type("exit\n")
    terminal.end()
    shown = [text.partition(">")[0] for text in terminal.output.split("LINE<")[1:]]
    assert shown == [line for _, line in TYPED]


@first_python
@pytest.mark.parametrize("function", ["_comp_command_offset", "_command_offset"])
def test_bash_completion_is_asked_for_another_program(tmp_path, command, function):
    """Where that package is loaded it knows more programs than bash by itself; it gets the number of the first word."""
    script = tmp_path / "script"
    script.write_text(SCRIPTS["bash"])
    text = (
        f"source {script}; {function}() {{ echo offset $1; }}; COMP_WORDS=(envref run -- git s); COMP_CWORD=4; "
        "_envref_completion envref s git"
    )
    done = subprocess.run([need("bash"), "--norc", "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "offset 3\n"


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_script_is_data(project, shell):
    """stdout, with one line end at its end, and nothing on stderr."""
    done = project.envref("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "_ENVREF_COMPLETE" in done.stdout
    assert done.stdout.endswith("\n")
    assert not done.stdout.endswith("\n\n")


def test_another_shell_is_a_usage_error(project):
    """The valid ones are named."""
    done = project.envref("completion", "tcsh")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('error: unsupported shell "tcsh": valid shells are bash, zsh, fish, powershell\n')


@pytest.fixture
def bash_alone(tmp_path, monkeypatch):
    """No package bash-completion."""
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "none"))


def installed(project, *arguments, env=None):
    done = project.envref("completion", "--install", *arguments, env=env)
    assert done.returncode == 0, done.stderr
    return done.stderr


PLACES = {
    "bash": (".local/share/bash-completion/completions/envref", ".bashrc"),
    "zsh": (".local/share/envref/completion.zsh", ".zshrc"),
    "fish": (".config/fish/completions/envref.fish", ""),
}


@pytest.mark.parametrize("shell", PLACES)
def test_a_script_is_installed_once(project, home, bash_alone, shell):
    """The script in its place, one line where a shell has to be told; a second run changes no byte."""
    script, start = PLACES[shell]
    if start:
        (home / start).write_bytes(b"echo mine")
    assert f"written to ~/{script}\n" in installed(project, env={"SHELL": f"/bin/{shell}"})
    assert (home / script).read_text() == SCRIPTS[shell]
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    said = installed(project, shell)
    assert f"is in ~/{script} already\n" in said
    assert f"to undo it: rm ~/{script}" in said
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    if start:
        assert (home / start).read_text().splitlines()[0] == "echo mine"
        assert len((home / start).read_text().splitlines()) == 2
        assert f"take that line out of ~/{start}\n" in said


def test_a_place_that_the_user_chose(project, home, tmp_path, bash_alone):
    """Each shell's own variables for it; one that is not absolute does not count."""
    places = {"BASH_COMPLETION_USER_DIR": f"nowhere:{tmp_path}/own", "ZDOTDIR": str(tmp_path)}
    installed(project, "bash", env=places)
    assert (tmp_path / "own/completions/envref").exists()
    installed(project, "zsh", env=places)
    assert (tmp_path / ".zshrc").exists()
    installed(project, "zsh", env={"ZDOTDIR": "here"})
    assert (home / ".zshrc").exists()


def test_the_package_bash_completion_finds_the_script(project, home, tmp_path):
    """Then .bashrc stays as it is. The package's loader was run by hand on 2026-11-27: 2.11, Debian."""
    (tmp_path / "bash-completion").mkdir()
    (tmp_path / "bash-completion/bash_completion").write_text("")
    installed(project, "bash", env={"XDG_DATA_DIRS": f"/none:{tmp_path}"})
    assert (home / PLACES["bash"][0]).exists()
    assert not (home / ".bashrc").exists()


def test_an_older_script_is_replaced_and_a_stranger_s_is_not(project, home):
    """What `envref completion fish > …` once wrote is envref's; anything else is not."""
    script = home / PLACES["fish"][0]
    script.parent.mkdir(parents=True)
    script.write_text("set -x _ENVREF_COMPLETE fish_complete\n")
    installed(project, "fish")
    assert script.read_text() == SCRIPTS["fish"]
    script.write_text("echo mine\n")
    done = project.envref("completion", "--install", "fish")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ~/.config/fish/completions/envref.fish: is not a script of envref's\n")
    assert script.read_text() == "echo mine\n"


@pytest.mark.parametrize("shell", PLACES)
def test_a_home_that_can_t_be_written_is_said(project, tmp_path, bash_alone, shell):
    """What can't be made, and what to do instead; no home at all is said too."""
    (tmp_path / "file").write_text("")
    done = project.envref("completion", "--install", shell, env={"HOME": str(tmp_path / "file")})
    assert (done.returncode, done.stdout) == (1, "")
    assert "ot a directory" in done.stderr
    assert f"  hint: envref completion {shell} prints it, to put elsewhere\n" in done.stderr
    done = project.envref("completion", "--install", shell, env={"HOME": "here"})
    assert done.returncode == 1
    assert done.stderr.endswith("no home directory\n  hint: set HOME to an absolute path\n")


def test_a_start_file_that_can_t_be_written_leaves_a_line_to_paste(project, home):
    """Some people's .zshrc is not theirs to write: a link into a store."""
    (home / ".zshrc").symlink_to("/nowhere/zshrc")
    done = project.envref("completion", "--install", "zsh")
    assert done.returncode == 1
    line = "[ ! -r ~/.local/share/envref/completion.zsh ] || . ~/.local/share/envref/completion.zsh"
    assert f"  hint: put this line where zsh reads it: {line}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "shell", "said"),
    [
        (["--install"], "", "SHELL does not say which shell is yours: name one of bash, zsh, fish"),
        (["--install"], "/bin/tcsh", 'unsupported shell "tcsh": name one of bash, zsh, fish'),
        (
            ["--install", "powershell"],
            "",
            "envref can't install for powershell\n  hint: envref completion powe",
        ),
        ([], "/bin/bash", "for which shell? one of bash, zsh, fish, powershell\n  run: envref completion --install"),
    ],
)
def test_which_shell(project, home, arguments, shell, said):
    """Named, or what SHELL says; nothing is written for another."""
    done = project.envref("completion", *arguments, env={"SHELL": shell})
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {said}")
    assert list(home.iterdir()) == []


@first_python
@pytest.mark.parametrize("shell", SHELLS)
def test_a_new_shell_has_what_was_installed(store, command, home, monkeypatch, bash_alone, shell):
    """Started as its user does, with nothing but what the installation wrote."""
    installed(store, shell)
    monkeypatch.setenv("ZDOTDIR", str(home))
    terminal = Terminal(store.path, "-i", program=[need(shell)])
    terminal.type("echo RE''ADY\n")
    terminal.await_text("READY\r\n")
    terminal.type("envref vers\t")
    terminal.await_text("ion")
    terminal.type("\x15exit\n")
    assert terminal.end() == 0
