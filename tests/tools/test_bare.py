"""`envref bare`: nothing of an activation reaches the command, but by the shims of the tools that it may use."""

from __future__ import annotations

import base64
import json
import os
import zlib

import pytest

from tests.requirements import first_python, need
from tests.tools.conftest import TOKEN

LITERAL = "l1teral-passw0rd"


def environment_in(app, *arguments, **environment):
    """What a command of `envref bare` sees."""
    done = app.envref("bare", *arguments, "--", "env", "-0", env=environment)
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in done.stdout.rstrip("\0").split("\0"))


def diff_of(**values):
    """What direnv keeps of an activation."""
    packed = zlib.compress(json.dumps({"p": dict.fromkeys(values, ""), "n": values}).encode())
    return base64.urlsafe_b64encode(packed).decode()


def test_what_envref_gave_this_shell_is_gone(app):
    """The names in ENVREF_SEEN, of whichever project; those of the project here; and all that repeats them."""
    given = {
        "ENVREF_SEEN": "1 0123456789ab - ELSEWHERE=hv@1 GONE=- .",
        **dict.fromkeys(["ELSEWHERE", "GONE", "GH_TOKEN", "URL", "OTHER", "DSN", "LONG"], TOKEN),
        "PGPASSWORD": LITERAL,
        "DIRENV_DIFF": diff_of(GH_TOKEN=TOKEN),
        "DIRENV_DIR": "-/x",
        "_FLOX_HOOK_DIFF": "x",
        "_ENVREF_SHIM": "gh=1=2=/x",
        "ENVREF_VAULT_PASSPHRASE": "x",
        "ENVREF_VAULT_PASSPHRASE_FILE": "x",
        "PLAIN": "mine",
        "LAYERED": "mine",
        "EDITOR": "vim",
    }
    seen = environment_in(app, **given)
    assert not set(seen) & (set(given) - {"PLAIN", "LAYERED", "EDITOR"})
    assert (seen["PLAIN"], seen["LAYERED"], seen["EDITOR"]) == ("mine", "mine", "vim")
    assert TOKEN not in str(seen)
    assert app.asked == 0


@pytest.mark.parametrize("text", ["1 0123456789ab - A=hv@1 B=hv@", "2 x - A=? B", "A=1 .", "=x"])
def test_an_odd_record_still_names_names(app, text):
    """It may be cut off, or of another version: what can be read of it counts."""
    seen = environment_in(app, ENVREF_SEEN=text, A=TOKEN)
    assert ("A" in seen, "ENVREF_SEEN" in seen) == ("A=" not in text, False)


def test_only_the_allowed_tools_have_shims(app):
    """Also the command itself is not found as a shim."""
    app.program("gh", 'echo "gh [$GH_TOKEN]"')
    app.program("psql", 'echo "psql [$PGPASSWORD]"')
    app.envref("shim", "--write")
    first = app.envref("shim", "--path").stdout.strip()
    path = os.pathsep.join([first, str(app.path / "bin"), os.environ["PATH"]])
    for arguments, expected in (
        (["--allow", "gh"], [f"gh [{TOKEN}]", "psql []"]),
        (["--allow", "gh,psql"], [f"gh [{TOKEN}]", f"psql [{LITERAL}]"]),
        ([], ["gh []", "psql []"]),
    ):
        environment = app.environment(PATH=path)
        shells = os.pathsep.join([first, environment["PATH"]])
        done = app.envref("bare", *arguments, "--", "sh", "-c", "gh; psql", env={"PATH": shells})
        assert done.stdout.splitlines() == expected, done.stderr
        done = app.envref("bare", *arguments, "--", "psql", env={"PATH": shells})
        assert done.stdout.splitlines() == expected[1:], done.stderr
    assert first not in environment_in(app, PATH=path)["PATH"].split(os.pathsep)


def test_what_can_t_be_allowed_is_an_error(app):
    for words, status, told in (
        (["--allow", "psq"], 1, 'psq is not under tools: in .envref.yaml; did you mean "psql"?'),
        (["--allow", "aws"], 1, "aws is not under tools:"),
        (["--allow", ""], 2, 'empty name in "--allow"'),
    ):
        done = app.envref("bare", *words, "--", "echo", "started")
        assert (done.returncode, done.stdout) == (status, "")
        assert told in done.stderr
    assert app.envref("bare", "--", "no-such-command").returncode == 127
    assert app.envref("bare").returncode == 2


def test_without_a_project_what_the_shell_was_given_is_gone(app, tmp_path):
    """A project that can't be read stops it: nobody knows what it has set."""
    done = app.envref("bare", "--", "env", env={"ENVREF_SEEN": "1 x - A=hv@1 .", "A": TOKEN}, cwd=tmp_path)
    assert (done.returncode, TOKEN in done.stdout, "PATH=" in done.stdout) == (0, False, True)
    assert app.envref("bare", "--allow", "gh", "--", "env", cwd=tmp_path).returncode == 1
    app.write(".env", "broken\n")
    done = app.envref("bare", "--", "echo", "started")
    assert (done.returncode, done.stdout) == (1, "")


@first_python
def test_an_activation_by_direnv_leaves_nothing(app):
    """Real direnv: its own diff holds the values."""
    direnv = need("direnv")
    app.write(".envrc", 'eval "$(envref resolve --direnv --all)"\n')
    code = f'{direnv} allow .; eval "$({direnv} export bash)"; env | grep -c {TOKEN}; envref bare -- env'
    done = app.typed(code, shell=["bash", "--norc", "--noprofile"])
    count, *environment = done.stdout.splitlines()
    assert int(count) > 0
    assert TOKEN not in str(environment)
    assert "DIRENV_DIFF" not in str(environment)
