"""`envref refresh`: exactly the old names, and nothing that is the user's own by now."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from envref.backends.hashicorp_vault.store import HashicorpVault
from envref.formats.shells import SHELLS
from envref.fresh import seen
from envref.tools.file_folder import remove
from tests.arguments import PYTHONPATH
from tests.backends.stores.openbao import OpenBao, link, sign_in
from tests.cli.conftest import config
from tests.cli.terminal import Terminal
from tests.fresh.test_stale import app, export  # noqa: F401  # a fixture
from tests.requirements import first_python

pytestmark = first_python


@pytest.mark.parametrize("shell", [word for word in SHELLS if word != "auto"])
def test_one_rotation_is_two_lines(app, monkeypatch, shell):  # noqa: F811
    """The name and ENVREF_SEEN, and nothing else; nu takes both as one JSON object."""
    app.write(".env", "PLAIN=1\nA=ref://store/a\nB=ref://store/b\n")
    export(app, monkeypatch)
    app.state(values={"a": ["value-a", "1"], "b": ["new b", "2"]})
    done = app.envref("refresh", "--shell", shell)
    assert (done.returncode, done.stderr) == (0, "")
    if shell == "nu":
        told = json.loads(done.stdout)
        assert list(told) == ["B", "ENVREF_SEEN"]
        assert told["B"] == "new b"
    else:
        first, second = done.stdout.splitlines()
        assert re.search(r"\bB\b", first)
        assert "new b" in first
        assert "ENVREF_SEEN" in second
    assert "value-a" not in done.stdout
    assert "A=store@1 B=store@2" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "dash", "fish", "ksh", "tcsh", "zsh"])
def test_a_real_shell_takes_it(app, monkeypatch, shell, tmp_path):  # noqa: F811
    """What it printed is evaluated; `stale` then finds nothing."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    export(app, monkeypatch)
    app.state(values={"a": ["it's `a` $(b) !", "2"], "b": ["value-b", "1"]})
    (tmp_path / "code").write_text(app.envref("refresh", "--shell", shell).stdout)
    again = f"{sys.executable} -m envref stale"
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    words = [shell, *(["-f"] if shell == "tcsh" else []), "-c", f". {tmp_path}/code; printenv A; {again}"]
    if shell in ("tcsh", "fish"):
        words[-1] = f"source {tmp_path}/code; printenv A; {again}"
    done = subprocess.run(words, cwd=app.path, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("it's `a` $(b) !\n", "", 0)


def test_a_file_gets_the_new_value(app, monkeypatch, home, tmp_path):  # noqa: F811
    """Under the path that the shell has; a path says nothing of what was changed by hand, nor of what is old."""
    place = tmp_path / "files"
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(f"files_directory: {place}\n")
    app.write(".env", "A=ref://store/a?as=file\nB=ref://store/b?as=file\n")
    try:
        export(app, monkeypatch)
        path = pathlib.Path(os.environ["B"])
        app.state(values={"a": ["value-a", "1"], "b": ["new b", "2"]})
        assert app.envref("stale").stdout == "B  store 1 -> 2\n"
        assert path.read_text() == "value-b"
        done = app.envref("refresh")
        assert f"export B={path}\n" in done.stdout
        assert "export A=" not in done.stdout
        assert path.read_text() == "new b"
    finally:
        remove(str(place))


def test_a_person_is_told_that_it_is_for_a_shell(app, monkeypatch):  # noqa: F811
    """On a terminal secret values would show."""
    export(app, monkeypatch)
    app.state(values={"a": ["new a", "2"], "b": ["value-b", "1"]})
    terminal = Terminal(app.path, "refresh")
    terminal.end()
    assert "this output is meant for eval and shows secret values" in terminal.output


def test_nothing_old_is_nothing_written(app, monkeypatch):  # noqa: F811
    """A prompt may evaluate it each time."""
    export(app, monkeypatch)
    done = app.envref("refresh")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_an_unset_name_stays_unset(app, monkeypatch):  # noqa: F811
    """It is the user's by now, and is not told of again. Who names it gets it."""
    export(app, monkeypatch)
    monkeypatch.delenv("B")
    app.state(values={"a": ["value-a", "1"], "b": ["new", "2"]})
    named = app.envref("refresh", "B")
    assert "export B=new\n" in named.stdout
    done = app.envref("refresh")
    assert done.stderr == ("warning: B: it was unset in this shell; left alone, to set it: envref refresh B\n")
    assert "export B=" not in done.stdout
    assert "export BOTH=value-a@new\n" in done.stdout
    assert " B=" not in done.stdout


def test_what_the_shell_never_had_is_not_one_that_was_unset(app, monkeypatch):  # noqa: F811
    """An optional secret that is there by now, and one that failed: both come. A default that was unset stays so."""
    app.write(".env", "O=ref://store/o?optional=true\nM=ref://store/m\nC=${M}!\nD=ref://store/d?default=x\n")
    done = app.envref("resolve", "--export")
    assert done.returncode == 3
    for name, quoted, bare in re.findall(r"^export (\w+)=(?:'([^']*)'|(\S*))$", done.stdout, re.MULTILINE):
        monkeypatch.setenv(name, quoted or bare)
    assert " O=-+ M=-+ C=-+ D=- ." in os.environ[seen.NAME]
    monkeypatch.delenv("D")
    app.state(values={key: [f"value-{key}", "1"] for key in "omd"})
    done = app.envref("refresh")
    assert done.stderr == "warning: D: it was unset in this shell; left alone, to set it: envref refresh D\n"
    assert "export O=value-o\nexport M=value-m\nexport C='value-m!'\n" in done.stdout
    assert " O=store@1 M=store@1 C=store@1 ." in done.stdout


def test_a_gone_or_silent_one_keeps_its_value(app, monkeypatch):  # noqa: F811
    """An outage takes nothing away; the exit status says that something is left."""
    export(app, monkeypatch)
    app.state(values={"b": ["value-b", "1"]})
    done = app.envref("refresh")
    assert (done.stdout, done.returncode) == ("", 3)
    assert "A  gone: " in done.stderr
    app.state(values={}, revisions={"error": "locked"})
    done = app.envref("refresh")
    assert (done.stdout, done.returncode) == ("", 3)
    assert "left as it is" in done.stderr


def test_a_value_that_was_changed_by_hand_is_left_alone(project, tmp_path, monkeypatch, trusted):
    """Where the store has versions: the one that the shell was given is read, and is not what the shell has."""
    with OpenBao(tmp_path / "openbao") as bao:
        sign_in(monkeypatch, bao, link(tmp_path / "programs", "vault"))
        assert HashicorpVault("store").versions
        project.write(".envref.yaml", config({"name": "store", "type": "hashicorp-vault"}))
        project.write(".env", "A=ref://secrets/a\nB=ref://secrets/b\nU=x://${A}/\n")
        for key in "ab":
            bao.put(f"envref/app/{key}", {"value": f"first-{key}"})
        export(project, monkeypatch)
        monkeypatch.setenv("A", "by hand")
        for key in "ab":
            bao.put(f"envref/app/{key}", {"value": f"second-{key}"})
        done = project.envref("refresh")
        assert done.stdout.startswith("export B=second-b\nexport U=x://second-a/\nexport ENVREF_SEEN=")
        assert "warning: A: its value in this shell is not the one that envref gave it" in done.stderr
        assert project.envref("refresh", "A").stdout.startswith("export A=second-a\n")


@pytest.mark.parametrize("text", [None, "1 MARKER", "x" * 65536, "1 $(touch MARKER) - A=store@1 ."])
def test_a_foreign_seen_fails_the_evaluation(app, monkeypatch, text):  # noqa: F811
    """Nothing of it gets back into the shell."""
    if text is not None:
        monkeypatch.setenv(seen.NAME, text)
    done = app.envref("refresh")
    assert (done.stdout, done.returncode) == ("false\n", 1)
    assert "MARKER" not in done.stderr
    assert app.envref("refresh", "--nonsense").stdout == "false\n"


def test_nothing_of_a_project_that_nobody_agreed_to_gets_into_a_shell(app, monkeypatch, nobody_agreed):  # noqa: F811
    """However it got its ENVREF_SEEN."""
    monkeypatch.setenv("ENVREF_TRUST", "all")
    export(app, monkeypatch)
    app.state(values={"a": ["value-a", "2"], "b": ["value-b", "2"]})
    monkeypatch.delenv("ENVREF_TRUST")
    done = app.envref("refresh")
    assert (done.stdout, done.returncode) == ("false\n", 4)
