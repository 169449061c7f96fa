"""Simulator of the documented contract of `flox activate`: a hook, a plugin and profiles run as Flox says it runs them.

No Flox is here, nor any of its code or text; each rule is one of flox.md 3 and 8, each shell a real one. A test that
passes here says that envref keeps to that contract, never that it was tested with Flox. What can't be shown: the trace
of Flox's patched bash, locking, services, rendering by Nix, the catalog and the lock file, auto-activation, containers.

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
import tomllib

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
_IGNORED = ("_", "SHELLOPTS", "PWD", "OLDPWD", "SHLVL")
_BARE = frozenset(string.ascii_letters + string.digits + "-_=/,.+")
_SET = {"bash": "export {}={};\n", "zsh": "export {}={};\n", "fish": "set -gx {} {};\n", "tcsh": "setenv {} {};\n"}
_UNSET = {"bash": "unset {};\n", "zsh": "unset {};\n", "fish": "set -e {};\n", "tcsh": "unsetenv {};\n"}
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

_PLUGIN_DATA = """\
import json, sys
try:
    with open(sys.argv[1]) as lock:
        table = json.load(lock)["manifest"]["plugins"][sys.argv[2]]
except (OSError, ValueError, KeyError):
    sys.exit("no data for plugin " + sys.argv[2])
print(json.dumps(table, separators=(",", ":")))
"""

_START = """\
{trace}
set -euo pipefail
umask 077
{dump} {directory}/before
source {env}/activate.d/envrc
flox_plugin_data() {{ {plugin_data} {env}/manifest.lock "$1"; }}
_FLOX_ENV_ACTIVATION_MODE={mode}
{plugins}
{hook}
{dump} {directory}/after
: > {directory}/complete
"""
_PLUGINS = """\
for _flox_sim_script in {env}/etc/profile.d/*.sh; do
  if [ -e "$_flox_sim_script" ]; then source "$_flox_sim_script"; fi
done
unset _flox_sim_script
"""
_HOOK = """\
set +euo pipefail
source {env}/activate.d/hook-on-activate 1>&2
set -euo pipefail
"""


class Flox:
    """An environment of a project: its rendered files and what its activations leave below `directory`.

    `project` is what hooks find in FLOX_ENV_PROJECT; None as in a container.
    """

    def __init__(self, directory, manifest, *, project):
        self.directory = pathlib.Path(directory)
        self.env = self.directory / "env"
        self.runs = self.directory / "run"
        self.project = project
        self.live = None
        self.runs.mkdir(parents=True)
        self.build(manifest)

    def build(self, manifest):
        """Renders the text of a manifest. What is installed stays; the next activation is a new start."""
        data = tomllib.loads(manifest)
        scripts = self.env / "activate.d"
        shutil.rmtree(scripts, ignore_errors=True)
        for path in (scripts, self.env / "bin", self.env / "etc" / "profile.d"):
            path.mkdir(parents=True, exist_ok=True)
        variables = data.get("vars", {})
        (scripts / "envrc").write_text("".join(f'export {name}="{value}"\n' for name, value in variables.items()))
        profile = dict(data.get("profile", {}))
        texts = {
            "hook-on-activate": data.get("hook", {}).get("on-activate", ""),
            **{f"deactivate-profile-{shell}": text for shell, text in profile.pop("deactivate", {}).items()},
            **{f"profile-{shell}": text for shell, text in profile.items()},
        }
        for name, text in texts.items():
            (scripts / name).write_text(outdented(text))
        (self.env / "manifest.lock").write_text(json.dumps({"manifest": data}))
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
        """What every activation sets before anything of the environment runs."""
        own = {"FLOX_ENV": str(self.env), "FLOX_ENV_CACHE": str(self.directory / "cache")}
        if self.project is not None:
            own["FLOX_ENV_PROJECT"] = str(self.project)
        own["PATH"] = os.pathsep.join([str(self.env / "bin"), caller["PATH"]])
        return own

    def command(self, caller, *, verbosity=0, mode="dev", skip_hook=False):
        """A new start as an argument list and a whole environment, and the directory of its state."""
        directory = self.runs / str(len(list(self.runs.iterdir())))
        directory.mkdir(mode=0o700)
        names = {
            "env": shlex.quote(str(self.env)),
            "directory": shlex.quote(str(directory)),
            "dump": shlex.join([*_PYTHON, "-c", _DUMP]),
            "plugin_data": shlex.join([*_PYTHON, "-c", _PLUGIN_DATA]),
            "mode": mode,
            "trace": "set -x" if verbosity else "",
        }
        names["plugins"] = "" if mode == "run" else _PLUGINS.format(**names)
        names["hook"] = "" if skip_hook else _HOOK.format(**names)
        script = self.directory / f"start-{directory.name}"
        script.write_text(_START.format(**names))
        return [_found("bash"), "--noprofile", "--norc", str(script)], {**caller, **self.variables(caller)}, directory

    def start(self, caller=None, *, cwd=None, stdin=None, ephemeral=False, **options):
        """A start: the hook and the plugins run. `stdin` is bytes or a descriptor; without it, nothing is there.

        `ephemeral` is how services start: nothing to read, and what is printed is shown only when it fails.
        """
        caller = dict(os.environ if caller is None else caller)
        argv, environment, directory = self.command(caller, **options)
        given = (
            {"input": stdin} if isinstance(stdin, bytes) else {"stdin": subprocess.DEVNULL if stdin is None else stdin}
        )
        done = subprocess.run(
            argv,
            env=environment,
            cwd=cwd or self.directory,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            **given,
        )
        return Start(self, caller, directory, done, ephemeral=ephemeral)

    def activate(self, caller=None, **options):
        """The live activation, into which nothing runs again; without one, a start."""
        if self.live is None:
            self.live = self.start(caller, **options)
        return self.live


class Start:
    """What a start came to. `additions` and `deletions` are what later shells are told."""

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
        before = _read(directory / "before")
        after = _read(directory / "after") if complete and not done.returncode else before
        self.additions = {name: value for name, value in after.items() if before.get(name) != value}
        self.deletions = [name for name in before if name not in after]

    @property
    def changes(self):
        """Everything that an attached process has and its caller has not."""
        return {**self.flox.variables(self.caller), **self.additions}

    def exec(self, *argv, **options):
        """`flox activate -- ARGV`: the environment is set on the process; no shell, no profile."""
        environment = {**self.caller, **self.changes}
        for name in self.deletions:
            environment.pop(name, None)
        return subprocess.run(
            argv,
            env=environment,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
            **options,
        )

    def environment(self):
        """What a program gets that is started by `flox activate -- PROGRAM`."""
        path = self.directory / "exec"
        self.exec(*_PYTHON, "-c", _DUMP, str(path))
        return _taken(path)

    def attach(self, shell, **options):
        """A shell of the caller's beside this activation: the changes are replayed, then the profile is sourced."""
        return Attached(self, shell, **options)


class Attached:
    """A session of a real shell in an activation: its output, and its environment once the profile was read.

    `before` and `then` are lines for that shell: what its user had set, and what the user types. `way` is how the
    activation got in: `shell` (a new one), `in place`, or `command` (`-c` for bash, off a terminal: on its stdin).
    With `deactivate` the activation ends at last, and `left` is the environment after that.
    """

    def __init__(self, start, shell, *, before="", then="", way="shell", deactivate=False, cwd=None):
        self.start = start
        self.shell = shell
        rc = start.directory / f"rc-{shell}"
        rc.write_bytes(self._rc().encode("utf-8", "surrogateescape"))
        inside, outside = start.directory / "inside", start.directory / "outside"
        dump = shlex.join([*_PYTHON, str(_dumper(start.flox.directory))])
        text = f"{before}\n{self._load(rc, way)}{dump} {shlex.quote(str(inside))}\n{then}\n"
        if deactivate:
            undo = start.directory / f"undo-{shell}"
            undo.write_bytes(self._undo().encode("utf-8", "surrogateescape"))
            text += f"source {shlex.quote(str(undo))}\n{dump} {shlex.quote(str(outside))}\n"
        program, *options = SHELLS[shell]
        on_stdin = way == "command"
        done = subprocess.run(
            [_found(program), *options, *(["-s"] if on_stdin else ["-c", text])],
            env=start.caller,
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

    def _rc(self):
        """The replay, and then the profile's scripts, `common` first."""
        shell, start = self.shell, self.start
        text = "".join(_SET[shell].format(name, quoted(value)) for name, value in start.changes.items())
        text += "".join(_UNSET[shell].format(name) for name in start.deletions)
        return text + self._sources("profile-common", f"profile-{shell}")

    def _undo(self):
        """The variables as they were, first; then the scripts that undo the profile."""
        shell, start = self.shell, self.start
        text = ""
        for name in [*start.changes, *start.deletions]:
            old = start.caller.get(name)
            text += _UNSET[shell].format(name) if old is None else _SET[shell].format(name, quoted(old))
        return text + self._sources(f"deactivate-profile-{shell}", "deactivate-profile-common")

    def _sources(self, *names):
        paths = [self.start.flox.env / "activate.d" / name for name in names]
        return "".join(f"source {quoted(str(path))};\n" for path in paths if path.exists())

    def _load(self, rc, way):
        path = quoted(str(rc))
        if way == "in place":
            return _IN_PLACE[self.shell].format(path)
        return f"source {path} && " if way == "command" else f"source {path}\n"


def outdented(text):
    """The text without the margin that all its lines have: spaces only; a tab is none, and an empty line has no say."""
    lines = text.split("\n")
    margin = min((len(line) - len(line.lstrip(" ")) for line in lines if line), default=0)
    return "\n".join(line[margin:] for line in lines)


def quoted(value):
    """How a value is written for later shells, all four alike: right for bash and zsh (flox.md 3.5)."""
    if value and _BARE.issuperset(value):
        return value
    return "'" + value.replace("'", "'\\''").replace("!", "'\\!'") + "'"


def _dumper(directory):
    """The dump as a file: no text of several lines is quoted alike in four shells."""
    path = directory / "dump.py"
    path.write_text(_DUMP)
    return path


def _read(path):
    """The environment in a dump, without what every shell changes."""
    if not path.exists():
        return {}
    entries = path.read_bytes().decode("utf-8", "surrogateescape").split("\0")
    variables = dict(entry.split("=", 1) for entry in entries if entry)
    return {
        name: value for name, value in variables.items() if name not in _IGNORED and not name.startswith("BASH_FUNC_")
    }


def _taken(path):
    """The environment in a dump, which is of the test's and not of Flox' making: gone when it is read."""
    variables = _read(path)
    path.unlink(missing_ok=True)
    return variables


def _found(program):
    path = shutil.which(program)
    if path is None:
        raise LookupError(f"{program} is not installed here")
    return path
