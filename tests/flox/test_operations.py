"""What a second shell gets of a hook's exports: Flox replays operations, not values.

The rules imitated are those of `env_trace.rs`, Flox 1.15: append, prepend and set-if-absent follow from the old and the
new value of each export. A real bash runs the exports; no Flox is here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.flox.activation import block_of
from tests.requirements import first_python

pytestmark = first_python

SECRET = "sk-abc-123456"

# Stands for the trace of Flox's patched bash: what each export and each unset does, as it happens.
_TRACED = """\
_record() { "$PYTHON" -IS -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@" >>"$TRACE"; }
unset() {
  local word
  for word in "$@"; do
    case $word in -* | _envref*) ;; *) [ -z "${!word+x}" ] || _record "$word" "${!word}" ;; esac
  done
  builtin unset "$@"
}
export() {
  local name="${1%%=*}"
  if [ -n "${!name+x}" ]; then _record "$name" "${!name}" "${1#*=}"; else _record "$name" "" "${1#*=}" new; fi
  builtin export "$@"
}
. "$HOOK"
"""


def operations(code, directory, caller):
    """What bash does when it sources the code: (name, old, new...), old alone for an unset."""
    hook, trace = directory / "hook", directory / "trace"
    hook.write_text(code)
    trace.write_text("")
    environment = {**os.environ, **caller, "HOOK": str(hook), "TRACE": str(trace), "PYTHON": sys.executable}
    environment.pop("CI", None)
    subprocess.run(
        ["/usr/bin/env", "bash", "--noprofile", "--norc", "-c", _TRACED],
        env=environment,
        cwd=directory,
        timeout=120,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return [json.loads(line) for line in trace.read_text().splitlines()]


def replayed(traced, caller):
    """The environment of a shell into which the operations are written."""
    environment = dict(caller)
    for name, old, *rest in traced:
        if not rest:
            environment.pop(name, None)
        elif len(rest) == 2:
            environment[name] = rest[0]
        elif rest[0] == old:
            environment.setdefault(name, old)
        elif rest[0].startswith(old):
            environment[name] = environment.get(name, "") + rest[0][len(old) :]
        elif rest[0].endswith(old):
            environment[name] = rest[0][: len(rest[0]) - len(old)] + environment.get(name, "")
        else:
            environment[name] = rest[0]
    return environment


CALLERS = [
    ({"API_KEY": ""}, {"API_KEY": "STALE"}),
    ({"API_KEY": "sk-abc"}, {}),
    ({"API_KEY": "123456"}, {}),
    ({"API_KEY": SECRET}, {"API_KEY": "STALE"}),
    ({"API_KEY": "another"}, {}),
    ({}, {"API_KEY": "STALE"}),
]


@pytest.mark.parametrize(("first", "second"), CALLERS)
def test_a_second_shell_gets_the_value_of_resolve(project, tmp_path, first, second):
    """Whatever the first shell had under that name: empty, a part of the value, the value itself."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", f"API_KEY={SECRET}\n")
    code = project.envref("resolve", "--export", "--shell", "bash", env={"FLOX_ENV": "/env"}).stdout
    assert replayed(operations(code, tmp_path, first), second) == {"API_KEY": SECRET}


@pytest.mark.parametrize("line", ["API_KEY=ref://secrets/k", "API_KEY=sk-${ref://secrets/k}", f"API_KEY={SECRET}"])
@pytest.mark.parametrize(("first", "second"), CALLERS)
def test_a_second_shell_gets_the_value_of_a_native_block(project, home, tmp_path, monkeypatch, line, first, second):
    """A secret, a composed value and a plain one alike."""
    entry = home / ".password-store" / "envref" / "app" / "k.gpg"
    entry.parent.mkdir(parents=True)
    entry.touch()
    project.write(".envref.yaml", "project: app\nbackends: [{name: pass, type: pass}]\n")
    project.write(".env", f"{line}\n")
    program = tmp_path / "bin" / "pass"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho {SECRET.removeprefix('sk-') if '$' in line else SECRET}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    code = block_of(project.path)
    assert replayed(operations(code, tmp_path, first), second) == {"API_KEY": SECRET}


@pytest.mark.parametrize(("shell", "flox"), [("bash", ""), ("zsh", "/env"), ("fish", "/env")])
def test_nothing_is_unset_elsewhere(project, shell, flox):
    """Outside an activation, and for the shells that no hook asks for, nothing is recorded."""
    project.write(".env", "A=1\n")
    assert "unset" not in project.envref("resolve", "--export", "--shell", shell, env={"FLOX_ENV": flox}).stdout


def test_a_name_that_is_not_exported_is_not_unset(project):
    """A secret that failed leaves its variable as it was."""
    project.write(".envref.yaml", "project: app\nbackends: [{name: vault}]\n")
    project.write(".env", "A=1\nGONE=ref://secrets/gone\n")
    done = project.envref("resolve", "--export", "--shell", "bash", env={"FLOX_ENV": "/env"})
    unset, *exported = done.stdout.splitlines()
    assert (unset, exported[0]) == ("unset -v A ENVREF_SEEN", "export A=1")
    assert [line.partition("=")[0] for line in exported] == ["export A", "export ENVREF_SEEN"]
