"""Simulator of the documented contract of `flox activate`: a hook, a plugin and profiles run as Flox runs them.

No Flox is here, nor any of its code or text. Each behaviour names the file of flox/flox (6536dac28, the main branch
that became 1.15.0) in which it was read. Each shell is a real one. A test that passes here says that envref keeps to
that contract, and never that a Flox ran it. What can't be shown: the patched bash itself (`trace.py` imitates what it
records), locking, process-compose, rendering by Nix, the catalog and the lock file, the decisions of auto-activation.

On 2026-11-27 it was held against the real `flox-activations` of that commit, fed the same records: 63 of 65 sessions
in the four shells (programs, `-c`, in place; values that break and values that don't) ended with the same variables.
The other two are tcsh's `=0`, which is its working directory.

Needs no pytest: `bench/` measures with it.
"""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import shutil
import string
import subprocess
import sys

import tomlkit

from tests.flox import trace

OK = "ok"
FAILED = "Running hook.on-activate failed"
NOT_NORMAL = "The hook.on-activate script did not complete normally."

SHELLS = {
    "bash": ["bash", "--noprofile", "--norc"],
    "zsh": ["zsh", "-f"],
    "fish": ["fish", "--no-config"],
    "tcsh": ["tcsh", "-f"],
}
PATIENCE = 120  # seconds; whatever takes longer hangs

_PYTHON = [sys.executable, "-I", "-S"]
# crate shell-escape, called by cli/shell_gen/src/lib.rs
_BARE = frozenset(string.ascii_letters + string.digits + "-_=/,.+")
# cli/shell_gen/src/lib.rs, impl GenerateShell
_SET = {"bash": "export {}={};\n", "zsh": "export {}={};\n", "fish": "set -gx {} {};\n", "tcsh": "setenv {} {};\n"}
_UNSET = {"bash": "unset {};\n", "zsh": "unset {};\n", "fish": "set -e {};\n", "tcsh": "unsetenv {};\n"}
# cli/flox-activations/src/cli/fix_paths.rs, after the replay (gen_rc): the environment's own programs come first.
_FIRST = {
    "bash": 'export PATH="$FLOX_ENV/bin:$PATH";\n',
    "zsh": 'export PATH="$FLOX_ENV/bin:$PATH";\n',
    "fish": "set -gx PATH $FLOX_ENV/bin $PATH;\n",
    "tcsh": 'setenv PATH "${FLOX_ENV}/bin:${PATH}";\n',
}
_IN_PLACE = {
    "bash": 'eval "$(cat {})"\n',
    "zsh": 'eval "$(cat {})"\n',
    "fish": "cat {} | source\n",
    "tcsh": 'eval "`cat {}`"\n',
}

_DUMP = """\
import os, sys
with open(sys.argv[1], "wb") as file:
    file.write(b"\\0".join(name + b"=" + value for name, value in os.environb.items()))
"""

# assets/environment-interpreter/common/activate.d/helpers.bash, flox_plugin_data
_PLUGIN_DATA = """\
import json, sys
try:
    with open(sys.argv[1]) as lock:
        table = json.load(lock)["manifest"]["plugins"][sys.argv[2]]
except (OSError, ValueError, KeyError):
    sys.exit("no data for plugin " + sys.argv[2])
print(json.dumps(table, separators=(",", ":")))
"""

# assets/environment-interpreter/activate/activate
_START = """\
{trace}
set -euo pipefail
umask 077
{dump} {directory}/before
{recording}
source {env}/activate.d/envrc
flox_plugin_data() {{ {plugin_data} {env}/manifest.lock "$1"; }}
_FLOX_ENV_ACTIVATION_MODE={mode}
{plugins}
{hook}
{no_recording}
{dump} {directory}/after
: > {directory}/complete
"""
# source_plugin_profile_d of helpers.bash; activate runs it in every mode but `run`
_PLUGINS = """\
for _flox_sim_script in {env}/etc/profile.d/*.sh; do
  if [ -e "$_flox_sim_script" ]; then source "$_flox_sim_script"; fi
done
unset _flox_sim_script
"""
# activate, lines 290 to 299
_HOOK = """\
set +euo pipefail
source {env}/activate.d/hook-on-activate 1>&2
set -euo pipefail
"""
# flox-activations, as far as a hook sees it: a process between the user's shell and the hook's, FLOX_SHELL taken away
# (cli/flox-activations/src/cli/activate.rs:121-122). Its name is the script's, as Linux has it.
_ACTIVATIONS = """\
#!/bin/sh
case $1 in
start) shift; unset FLOX_SHELL; "$@"; exit $? ;;
profile-scripts) [ $# -eq 2 ] || { echo "error: unexpected argument '$3' found" >&2; exit 2; }
  printf %s "$PROFILE_SCRIPTS" ;;
esac
"""
_FROM = {"fish": '"$FLOX_SIM" $argv; exit $status', "tcsh": '"$FLOX_SIM" $argv:q; exit $status'}
# `_flox_hook` of cli/flox-activations/src/hook.rs: what a prompt evaluates can't be interrupted
_AT_PROMPT = "trap -- '' SIGINT; \"$@\"; status=$?; trap - SIGINT; exit $status"


class Flox:
    """An environment of a project: its rendered files and what its activations leave below `directory`.

    `project` is what hooks find in FLOX_ENV_PROJECT; None as in a container. The environment is in the project, and a
    project's path may have a blank: with `blank` the environment's has one.
    """

    def __init__(self, directory, manifest, *, project, blank=False):
        self.directory = pathlib.Path(directory)
        self.env = self.directory / ("an env" if blank else "env")
        self.runtime = self.directory / "runtime"
        self.project = project
        self.live = None
        self.runs.mkdir(parents=True, mode=0o700)
        self.runtime.chmod(0o700)
        self.program = self.directory / "flox-activations"
        self.program.write_text(_ACTIVATIONS)
        self.program.chmod(0o755)
        self.build(manifest)

    @property
    def runs(self):
        """Where starts keep their state: `$XDG_RUNTIME_DIR/activations/<hash>-<dir>` (flox/src/commands/mod.rs:268),
        and in a container a directory that nothing empties (mkContainer/mkContainer.nix:110).
        """
        if self.project is None:
            return self.runtime / "run" / "flox" / "container-activations" / "environment-develop"
        return self.runtime / "activations" / "8f2a61c3-project"

    def build(self, manifest):
        """Renders the text of a manifest (buildenv/buildenv.nix). What is installed stays; a new start is next.

        A CR stays in a script: Flox's parser keeps it, and so does Nix.
        """
        data = tomlkit.parse(manifest).unwrap()
        scripts = self.env / "activate.d"
        shutil.rmtree(scripts, ignore_errors=True)
        for path in (scripts, self.env / "bin", self.env / "etc" / "profile.d"):
            path.mkdir(parents=True, exist_ok=True)
        lines = [f'export {name}="{value}"\n' for name, value in data.get("vars", {}).items()]
        if lines:
            lines = ["BASH_ENVTRACE_RESET=1\n", *lines, "unset BASH_ENVTRACE_RESET\n"]
        profile = dict(data.get("profile", {}))
        texts = {
            "envrc": "".join(lines),
            "hook-on-activate": data.get("hook", {}).get("on-activate", ""),
            "hook-on-deactivate": data.get("hook", {}).get("on-deactivate", ""),
            **{f"deactivate-profile-{shell}": text for shell, text in profile.pop("deactivate", {}).items()},
            **{f"profile-{shell}": text for shell, text in profile.items()},
        }
        for name, text in texts.items():
            (scripts / name).write_bytes(outdented(text).encode())
        (self.env / "manifest.lock").write_text(json.dumps({"manifest": data}))
        self.services = {name: each for name, each in data.get("services", {}).items() if isinstance(each, dict)}
        self.live = None

    def install(self, program, name=""):
        """Puts a program into the environment's `bin`."""
        path = self.env / "bin" / (name or pathlib.Path(program).name)
        path.unlink(missing_ok=True)
        path.symlink_to(program)

    def ship(self, script):
        """Puts a package's script for activations into `etc/profile.d`."""
        shutil.copy(script, self.env / "etc" / "profile.d")

    def variables(self, caller):
        """What every activation sets before anything of the environment runs (attach_diff/mod.rs)."""
        own = {
            "FLOX_ENV": str(self.env),
            "FLOX_ENV_DIRS": str(self.env),
            "FLOX_ENV_CACHE": str(self.directory / "cache"),
        }
        if self.project is not None:
            own["FLOX_ENV_PROJECT"] = str(self.project)
        own["PATH"] = os.pathsep.join([str(self.env / "bin"), caller["PATH"]])
        return own

    def command(self, caller, *, verbosity=0, mode="dev", skip_hook=False):
        """A new start as an argument list and a whole environment, and the directory of its state."""
        self.runs.mkdir(parents=True, exist_ok=True)
        directory = self.runs / f"environment.178654463{len(list(self.runs.iterdir())):04}"
        directory.mkdir(mode=0o700)
        names = {
            "env": shlex.quote(str(self.env)),
            "directory": shlex.quote(str(directory)),
            "dump": shlex.join([*_PYTHON, "-c", _DUMP]),
            "plugin_data": shlex.join([*_PYTHON, "-c", _PLUGIN_DATA]),
            "mode": mode,
            "trace": "set -x" if verbosity else "",
            "recording": trace.RECORDING.format(log=shlex.quote(str(directory / "envtrace.log"))),
            "no_recording": trace.NO_RECORDING,
        }
        names["plugins"] = "" if mode == "run" else _PLUGINS.format(**names)
        names["hook"] = "" if skip_hook else _HOOK.format(**names)
        script = self.directory / f"start-{directory.name}"
        script.write_text(_START.format(**names))
        return [_found("bash"), "--noprofile", "--norc", str(script)], {**caller, **self.variables(caller)}, directory

    def start(self, caller=None, *, cwd=None, stdin=None, ephemeral=False, shell="bash", **options):
        """A start: the hook and the plugins run. `stdin` is bytes or a descriptor; without it, nothing is there.

        `shell` is the one in which the user called Flox. `ephemeral` is how services start: nothing to read, and what
        is printed is shown only when it fails (cli/flox/src/commands/activate.rs:712-729).
        """
        caller = dict(os.environ if caller is None else caller)
        argv, environment, directory = self.command(caller, **options)
        given = (
            {"input": stdin} if isinstance(stdin, bytes) else {"stdin": subprocess.DEVNULL if stdin is None else stdin}
        )
        done = subprocess.run(
            self.called_from(shell, argv),
            env={**environment, "FLOX_SIM": str(self.program)},
            cwd=cwd or self.directory,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            **given,
        )
        return Start(self, caller, directory, done, ephemeral=ephemeral)

    def called_from(self, shell, argv):
        """The start as Flox's process runs it, called in that shell. The shell waits: it does not become Flox."""
        program, *options = SHELLS[shell]
        if shell in _FROM:
            return [_found(program), *options, "-c", _FROM[shell], "start", *argv]
        return [_found(program), *options, "-c", '"$FLOX_SIM" "$@"; exit $?', shell, "start", *argv]

    def at_prompt(self, argv):
        """The arguments of a shell that runs a command as auto-activation's prompt hook does: SIGINT is ignored."""
        return [_found("bash"), "--noprofile", "--norc", "-c", _AT_PROMPT, "bash", *argv]

    def activate(self, caller=None, **options):
        """The live activation, into which nothing runs again; without one, a start."""
        if self.live is None:
            self.live = self.start(caller, **options)
        return self.live

    def end(self):
        """The last shell left: the executive removes all starts of the environment, also what a killed one left.

        (cli/flox-activations/src/cli/executive) A container has no executive. First the start's last hook runs, in the
        executive's session: with nothing to read, in the environment that its first one left, beside the executive's
        own (on_deactivate.rs:107-137, executive/mod.rs:155-167). What that comes to; None without one.
        """
        done = None
        if self.project is not None:
            done = self._said_goodbye() if self.live else None
            shutil.rmtree(self.runs)
        self.live = None
        return done

    def _said_goodbye(self):
        return subprocess.run(
            [_found("bash"), str(self.env / "activate.d" / "hook-on-deactivate")],
            env=self.live.environment_of(self.live.caller),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            start_new_session=True,
        )

    def start_services(self, start):
        """Starts the services beside a start, each until it ends: what they printed, by name.

        The executive logs the command of process-compose with every variable that the activation sets, at INFO, which
        is its default (process_compose.rs:124-136, logger.rs:25); the file is readable by all.
        """
        log = pathlib.Path(self.project) / ".flox" / "log"
        log.mkdir(parents=True, exist_ok=True)
        shown = " ".join(
            f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in sorted(start.changes.items())
        )
        line = f'INFO flox_activations: spawning process-compose without any services: {shown} "process-compose" "up"\n'
        file = log / "executive.4711.log.2026-11-26"
        file.write_text(line, encoding="utf-8")
        file.chmod(0o644)
        return {name: start.exec("bash", "-c", each["command"]).stdout for name, each in self.services.items()}


_SEEN = "ENVREF_SEEN"


class Start:
    """What a start came to. `additions` and `deletions` are what it sets and unsets in an environment like its own."""

    def __init__(self, flox, caller, directory, done, *, ephemeral):
        self.flox = flox
        self.caller = caller
        self.directory = directory
        complete = (directory / "complete").exists()
        self.result = FAILED if done.returncode else OK if complete else NOT_NORMAL
        shown = not ephemeral or self.result != OK
        self.printed = done.stdout + done.stderr
        self.stdout = done.stdout.decode() if shown else ""
        self.stderr = done.stderr.decode(errors="surrogateescape") if shown else ""
        self.records = self._recorded() if self.result == OK else []

    def _recorded(self):
        """The operations; a file of mode 0600 holds them for the activation's life (start.rs:61-64, activate:240)."""
        log = self.directory / "envtrace.log"
        raw = log.read_bytes() if log.exists() else b""
        records = trace.recorded(raw, _taken(self.directory / "before"), _taken(self.directory / "after"))
        log.touch(mode=0o600)
        log.write_bytes(trace.written(records).encode("utf-8", "surrogateescape"))
        return records

    def without(self, names):
        """This start as it would be without these variables."""
        self.records = [record for record in self.records if record.name not in names]

    @property
    def additions(self):
        """Without `seen`, which tests of values have no part in."""
        return {name: value for name, value in self._replayed(self.caller)[0].items() if name != _SEEN}

    @property
    def seen(self):
        """What the shell is told of the revisions of its values; empty for none."""
        return self._replayed(self.caller)[0].get(_SEEN, "")

    @property
    def deletions(self):
        return self._replayed(self.caller)[1]

    @property
    def changes(self):
        return self.changes_of(self.caller)

    def changes_of(self, caller):
        """Everything that a process attached by `caller` has and `caller` has not."""
        return {**self.flox.variables(caller), **self._replayed(caller)[0]}

    def environment_of(self, caller):
        """The whole environment of what is attached by `caller`: exact, since no shell takes part (attach.rs)."""
        environment = {**caller, **self.changes_of(caller)}
        for name in self._replayed(caller)[1]:
            environment.pop(name, None)
        return environment

    def _replayed(self, caller):
        return trace.replayed(self.records, {**caller, **self.flox.variables(caller)})

    def exec(self, *argv, caller=None, **options):
        """`flox activate -- ARGV`: the environment is set on the process; no shell, no profile."""
        return subprocess.run(
            argv,
            env=self.environment_of(self.caller if caller is None else caller),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
            **options,
        )

    def environment(self, caller=None):
        """What a program gets that is started by `flox activate -- PROGRAM`."""
        path = self.directory / "exec"
        self.exec(*_PYTHON, "-c", _DUMP, str(path), caller=caller)
        return _taken(path)

    def attach(self, shell, **options):
        """A shell beside this activation: the changes are replayed, then the profile is sourced."""
        return Attached(self, shell, **options)


class Attached:
    """A session of a real shell in an activation: its output, and its environment once the profile was read.

    `before` and `then` are lines for that shell: what its user's own startup file has, and what the user types.
    `caller` is the environment of the shell that attaches, by default the start's. `way` is how the activation got in:
    `shell` (a new one), `in place`, or `command` (`-c` for bash, off a terminal: on its stdin). A new shell has the
    exact values already when it reads its script (attach.rs, apply_to_command); in place there is only the script.
    With `deactivate` the activation ends at last, and `left` is the environment after that.
    """

    def __init__(self, start, shell, *, before="", then="", way="shell", deactivate=False, cwd=None, caller=None):
        self.start = start
        self.shell = shell
        self.caller = start.caller if caller is None else caller
        rc = start.directory / f"flox_rc_{shell}_x1Yz9w"
        in_place = way == "in place"
        inside, outside = start.directory / "inside", start.directory / "outside"
        dump = shlex.join([*_PYTHON, str(_dumper(start.flox.directory))])
        script = self._rc() if in_place else self._rc() + f"rm {quoted(str(rc))};\n"
        text = f"{dump} {shlex.quote(str(inside))}\n{then}\n"
        if in_place:
            text = f"{before}\n{_IN_PLACE[shell].format(quoted(str(rc)))}{text}"
        elif shell == "bash":
            # gen_rc/bash.rs: the user's own file is read by the script, before the variables are set
            script = f"{before}\n{script}"
            text = (f"source {quoted(str(rc))} && " if way == "command" else f"source {quoted(str(rc))}\n") + text
        rc.write_bytes(script.encode("utf-8", "surrogateescape"))
        rc.chmod(0o600)
        if deactivate:
            undo = start.directory / f"undo-{shell}"
            undo.write_bytes(self._undo().encode("utf-8", "surrogateescape"))
            text += f"source {shlex.quote(str(undo))}\n{dump} {shlex.quote(str(outside))}\n"
        argv, more = self._program(rc, before, in_place=in_place)
        on_stdin = way == "command"
        done = subprocess.run(
            [*argv, *(["-s"] if on_stdin else ["-c", text])],
            env={**(self.caller if in_place else start.environment_of(self.caller)), **more, **self._profiles()},
            cwd=cwd or start.flox.directory,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            **({"input": text.encode()} if on_stdin else {"stdin": subprocess.DEVNULL}),
        )
        self.status = done.returncode
        self.stdout = done.stdout.decode(errors="surrogateescape")
        self.stderr = done.stderr.decode(errors="surrogateescape")
        self.environment = _taken(inside)
        self.left = _taken(outside)

    def _program(self, rc, before, *, in_place):
        """The shell's arguments and the variables by which it finds its script (attach.rs:335-430)."""
        program, *options = SHELLS[self.shell]
        path = _found(program)
        home = self.start.flox.directory / f"startup of {self.shell}"
        home.mkdir(exist_ok=True)
        if in_place or self.shell == "bash":
            return [path, *options], {}
        if self.shell == "fish":
            return [path, *options, "--init-command", before, "--init-command", f"source {quoted(str(rc))}"], {}
        if self.shell == "zsh":
            (home / ".zshenv").write_text(f"unset ZDOTDIR\n{before}\nsource {quoted(str(rc))}\n")
            return [path, "-o", "NO_GLOBAL_RCS"], {"ZDOTDIR": str(home)}
        original = self.caller.get("HOME", "/")
        (home / ".tcshrc").write_text(f"setenv HOME {quoted(original)}\n{before}\nsource {quoted(str(rc))}\n")
        return [path, "-m"], {"HOME": str(home)}

    def _rc(self):
        """The replay in the order of names (AttachDiff::generate_statements), then the profile's scripts."""
        shell, changes = self.shell, self.start.changes_of(self.caller)
        text = "".join(_SET[shell].format(name, quoted(changes[name])) for name in sorted(changes))
        text += "".join(_UNSET[shell].format(name) for name in sorted(self.start._replayed(self.caller)[1]))
        text += _FIRST[shell]
        if shell == "tcsh":  # gen_rc/tcsh.rs: a blank in FLOX_ENV_DIRS does not survive this
            program = self.start.flox.program
            return text + f"""eval "`'{program}' profile-scripts $FLOX_ENV_DIRS:q`";\n"""
        return text + self._sources("profile-common", f"profile-{shell}")

    def _profiles(self):
        """What the stand-in of Flox's program prints for tcsh; on one line, since backticks lose line ends."""
        text = self._sources("profile-common", "profile-tcsh").replace("\n", " ")
        return {"PROFILE_SCRIPTS": text} if self.shell == "tcsh" else {}

    def _undo(self):
        """The variables as they were, first (deactivate.rs); then the scripts that undo the profile."""
        shell, start = self.shell, self.start
        text = ""
        for name in [*start.changes, *start.deletions]:
            old = start.caller.get(name)
            text += _UNSET[shell].format(name) if old is None else _SET[shell].format(name, quoted(old))
        return text + self._sources(f"deactivate-profile-{shell}", "deactivate-profile-common")

    def _sources(self, *names):
        """In this order, as cli/flox-activations/src/cli/profile_scripts.rs has it."""
        paths = [self.start.flox.env / "activate.d" / name for name in names]
        return "".join(f"source {quoted(str(path))};\n" for path in paths if path.exists())


def outdented(text):
    """The text without the margin that all its lines have: spaces only; a tab is none, and an empty line has no say.

    (buildenv/buildenvLib/default.nix, outdentText)
    """
    lines = text.split("\n")
    margin = min((len(line) - len(line.lstrip(" ")) for line in lines if line), default=0)
    return "\n".join(line[margin:] for line in lines)


def quoted(value):
    """How a value is written for later shells, all four alike (shell-escape): right for bash, and zsh but for `=`."""
    if value and _BARE.issuperset(value):
        return value
    return "'" + value.replace("'", "'\\''").replace("!", "'\\!'") + "'"


def _dumper(directory):
    """The dump as a file: no text of several lines is quoted alike in four shells."""
    path = directory / "dump.py"
    path.write_text(_DUMP)
    return path


def _taken(path):
    """The environment in a dump, which is of the test's and not of Flox's making: gone when it is read."""
    if not path.exists():
        return {}
    entries = path.read_bytes().decode("utf-8", "surrogateescape").split("\0")
    path.unlink()
    variables = dict(entry.split("=", 1) for entry in entries if entry)
    own = ("FLOX_SIM", "PROFILE_SCRIPTS")
    return {name: value for name, value in variables.items() if not trace.is_ignored(name) and name not in own}


def _found(program):
    path = shutil.which(program)
    if path is None:
        raise LookupError(f"{program} is not installed here")
    return path
