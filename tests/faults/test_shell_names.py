"""Names that run code in a shell, as the shells themselves know them: none takes effect without trust.

Each shell's own documentation, or the shell, says which names it reads: all of them are dangerous but those that
`project/trust/dangerous.py` lists as harmless. Those are set at once, in each shell, to something that leaves a trace
when it is run: nothing is. Not seen: what a shell reads only with options or modules that are not its own defaults,
and programs not named here.
"""

from __future__ import annotations

import gzip
import pathlib
import re
import subprocess
import sys

import pytest

from envref.project.trust.dangerous import HARMLESS, is_dangerous
from tests.cli.terminal import Terminal
from tests.requirements import first_python, need

pytestmark = first_python

MANUALS = pathlib.Path("/usr/share/man/man1")
PAGES = pathlib.Path("/usr/share/doc")


def manual(name):
    """The source of a manual page; a machine that leaves pages out leaves these names unseen."""
    path = MANUALS / f"{name}.1.gz"
    if not path.exists():
        pytest.skip(f"the manual page of {name} is not installed: its names were not seen")
    return gzip.decompress(path.read_bytes()).decode("latin-1")


def bash_names():
    """The section "Shell Variables" of bash(1)."""
    section = manual("bash").partition(".SS Shell Variables\n")[2].partition(".SS Arrays\n")[0]
    return re.findall(r"^\.TP\n\.B (\w+)$", section, re.MULTILINE)


def zsh_names():
    """Its own parameters, and those that zshparam(1) says the shell uses."""
    listed = subprocess.run(
        [need("zsh"), "-fc", "print -l ${(k)parameters}"], env={}, capture_output=True, text=True, check=True
    ).stdout.split()
    return [*listed, *re.findall(r"^(?:\\fB|\.B )([A-Za-z_]+)\\?f?P?(?: |$)", manual("zshparam"), re.MULTILINE)]


def fish_names():
    """The variables of its manual, "The fish language"."""
    page = PAGES / "fish" / "language.html"
    if not page.exists():
        pytest.skip("fish's own pages are not installed: its names were not seen")
    return re.findall(r'id="envvar-(\w+)"', page.read_text(encoding="utf-8"))


def ksh_names():
    """ksh93(1): what it sets, and what it uses."""
    page = manual("ksh93")
    section = page.partition(".SS Parameter Expansion")[2].partition(".SS Field Splitting.")[0] or page
    return re.findall(r"^\.B \\?s?-?1?s?\+?1?([A-Z_]{2,})\b", section, re.MULTILINE)


def dash_names():
    """What dash(1) says of its environment, and what it sets itself."""
    own = subprocess.run([need("dash"), "-c", "set"], env={}, capture_output=True, text=True, check=True).stdout
    return [*re.findall(r"^(\w+)=", own, re.MULTILINE), *re.findall(r"^\.It Ev (\w+)", manual("dash"), re.MULTILINE)]


def tcsh_names():
    """The shell variables that it sets at its start: an environment variable of some of these names is tied to them."""
    own = subprocess.run([need("tcsh"), "-f", "-c", "set"], env={}, capture_output=True, text=True, check=True).stdout
    return [line.split("\t")[0] for line in own.splitlines()]


# Interactive, because that is where `eval "$(envref resolve --export)"` runs. The list, the shell, how it sets a name,
# and what a person does next: programs, one of them nobody has, another directory, input from a file.
NEXT = "ls\ncat /dev/null\ncd /\nprogram-of-nobody\ncd -\n"
SHELLS = {
    "bash": (bash_names, ["bash", "--norc", "--noprofile", "--noediting", "-i"], "export {name}={value}\n", NEXT),
    "zsh": (
        zsh_names,
        ["zsh", "-f", "-i", "-o", "promptsubst"],
        "export {name}={value}\n",
        f"{NEXT}< /dev/null\n",
    ),
    "ksh": (ksh_names, ["ksh", "-i"], "export {name}={value}\n", NEXT),
    "dash": (dash_names, ["dash", "-i"], "export {name}={value}\n", NEXT),
    "tcsh": (tcsh_names, ["tcsh", "-f", "-i"], "setenv {name} {value}\n", NEXT),
    "fish": (fish_names, ["fish", "--no-config", "-i"], "set -gx {name} {value}\n", NEXT),
}
AT_ONCE = 12  # names in one shell: one that ends it hides few others


class Trial:
    """A shell in which names are set to a payload; which of them were run."""

    def __init__(self, directory, shell):
        self.shell = shell
        self.listed, self.program, self.line, self.next = SHELLS[shell]
        self.traces = directory / "traces"
        self.place = directory / "place"
        for each in (self.traces, self.place):
            each.mkdir()

    def payload(self, kind, name):
        """A value for the name that touches a file called like it."""
        trace = f"{self.traces}/{name}"
        if kind == "substitution":
            return f"$(touch {trace})"
        if kind == "arithmetic":
            return f"a[$(touch {trace})]"
        if kind == "program":
            return str(self._program(self.place / f"program-{name}", trace))
        if kind == "mail":
            mail = self.place / f"mail-{name}"
            mail.write_text("new mail\n")
            return f"{mail}?$(touch {trace})"  # without a colon, which would end the file's name
        directory = self.place / f"directory-{name}"
        directory.mkdir()
        for program in ("ls", "cat", "program-of-nobody"):
            self._program(directory / program, trace)
            (directory / f"{program}.fish").write_text(f"function {program}\n    touch {trace}\nend\n")
        return str(directory)

    def _program(self, path, trace):
        path.write_text(f"#!/bin/sh\n: > {trace}\n")
        path.chmod(0o755)
        return path

    def run(self, kind, names):
        """The names whose payload was run."""
        for begin in range(0, len(names), AT_ONCE):
            self._session(kind, names[begin : begin + AT_ONCE])
        return sorted(trace.name for trace in self.traces.iterdir())

    def _session(self, kind, names):
        values = {name: self.payload(kind, name) for name in names}
        lines = [self.line.format(name=name, value=f"'{value}'") for name, value in values.items()]
        if kind == "mail":
            arrival = f"for mail in {self.place}/mail-*; do echo more >> $mail; touch -d '1 minute' $mail; done"
            lines += [self.line.format(name="MAILCHECK", value="0"), f'sh -c "{arrival.replace("$", chr(92) + "$")}"\n']
        script = "".join(lines) + self.next + "exit\n"
        if self.shell == "bash":  # which looks for mail on a terminal only
            terminal = Terminal(self.place, program=(need("bash"), *self.program[1:]))
            terminal.type(script)
            terminal.end()
            return
        subprocess.run(
            [need(self.program[0]), *self.program[1:]],
            input=script,
            cwd=self.place,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            start_new_session=True,
        )


# The letters and words that a manual sets in bold beside its names; no variable is called so.
NO_NAMES = re.compile(r"[^A-Za-z_].*|[a-zA-Z]|\$?#?|HUP|cmdarg|cmdsubst|equalsubst|eval|evalautofunc|fc|file|filecode|"
    r"globqual|globsort|insubst|loadautofunc|math|mathsubst|outsubst|sched|select|set|shfunc|stty|style|toplevel|trap|"
    r"typeset|unset|zpty|CHLD|CUR|DEBUG|EOF|ERR|EXIT|SIG\w+")  # fmt: skip
EVERYDAY = [
    *(word for word in HARMLESS.split() if not word.endswith("*")),
    *("LC_ALL", "LC_CTYPE", "LC_MESSAGES", "PORT", "DATABASE_URL", "API_KEY", "DEBUG", "URL", "CONFIG"),
]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_name_that_a_shell_knows_is_dangerous_or_harmless_by_name(tmp_path, shell):
    """Nothing that a shell says it reads or sets is unknown to the table."""
    known = {name for name in SHELLS[shell][0]() if not NO_NAMES.fullmatch(name)}
    assert len(known) >= 12, "the list was not understood"
    assert sorted(name for name in known if not is_dangerous(name) and name not in EVERYDAY and name[:3] != "LC_") == []


@pytest.mark.parametrize("kind", ["substitution", "arithmetic", "program", "mail", "directory"])
@pytest.mark.parametrize("shell", SHELLS)
def test_no_harmless_name_runs_code(tmp_path, shell, kind):
    """What is not asked for may be set to anything in a person's shell: nothing of it is run."""
    assert Trial(tmp_path, shell).run(kind, EVERYDAY) == []


RUN = {
    ("bash", "substitution"): "PS1",
    ("bash", "mail"): "MAILPATH",
    ("zsh", "substitution"): "PS1",
    ("bash", "arithmetic"): "OPTIND",
    ("dash", "substitution"): "PS1",
    ("tcsh", "directory"): "PATH",
    ("fish", "directory"): "PATH",
}


@pytest.mark.parametrize(("shell", "kind"), RUN)
def test_what_is_run_leaves_a_trace(tmp_path, shell, kind):
    """The trial sees what it looks for: a name that is known to run code does."""
    name = RUN[shell, kind]
    assert Trial(tmp_path, shell).run(kind, [name]) == [name]


def test_the_loaders_own_list():
    """What glibc's loader has by name for what it takes away from programs with more rights than their caller."""
    maps = pathlib.Path("/proc/self/maps")
    loader = re.search(r"\S+/ld-linux\S+", maps.read_text()) if maps.exists() else None
    if loader is None:
        pytest.skip("this Python is not loaded by glibc: its names were not seen")
    data = pathlib.Path(loader[0]).read_bytes()
    runs = re.findall(rb"(?:[A-Z][A-Z0-9_]+\0){8,}", data)
    taken = next(run for run in runs if b"HOSTALIASES\0" in run and b"GCONV_PATH\0" in run).decode().split("\0")[:-1]
    listed = {*taken, *(name.decode() for name in re.findall(rb"\0(LD_[A-Z_]+)(?=\0)", data))}
    assert {"LD_PRELOAD", "LD_LIBRARY_PATH", "RES_OPTIONS"} <= listed
    # words, times and where a program puts its own notes: no code, and no place that anything is asked of
    harmless = {"LANG", "TZ", "TZDIR", "POSIXLY_CORRECT", "MSGVERB", "SEV_LEVEL", "DATEMSK", "GETCONF_DIR"}
    # read by services that glibc had: NIS and Hesiod, and by a program that makes locales
    gone = {"NIS_DEFAULTS", "NIS_GROUP", "NIS_PATH", "HESIOD_CONFIG", "HES_DOMAIN", "I18NPATH", "GMON_OUTPUT_PREFIX"}
    assert sorted(name for name in listed - harmless - gone if not is_dangerous(name)) == []


def test_pythons_own_list():
    """Every variable of `python --help-env` that the interpreter reads."""
    said = subprocess.run([sys.executable, "--help-env"], capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"\bPYTHON[A-Z0-9_]+", said)
    assert "PYTHONSTARTUP" in listed
    assert [name for name in listed if not is_dangerous(name) and name not in EVERYDAY] == []


def test_nodes_own_list():
    """Every variable of `node --help` that is node's own; what only colours or warns is harmless."""
    said = subprocess.run([need("node"), "--help"], capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^(NODE_[A-Z0-9_]+|SSL_[A-Z_]+|OPENSSL_[A-Z]+)", said, re.MULTILINE)
    assert "NODE_OPTIONS" in listed or "NODE_PATH" in listed
    harmless = re.compile(
        r"NODE_(DEBUG|DEBUG_NATIVE|DISABLE_COLORS|NO_WARNINGS|PENDING\w+|PRESERVE\w+|SKIP\w+|V\w*|COMPILE\w+)"
    )
    assert [name for name in listed if not is_dangerous(name) and not harmless.fullmatch(name)] == []
