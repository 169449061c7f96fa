"""Replays the console transcripts of Markdown files: what a page shows is what happens.

In a page, a fenced block whose info string ends in `file=NAME` is written to NAME in the page's own empty directory.
A block marked `console` is a session: a line that starts with `$ ` is typed into one bash that lasts for the whole
page (`> ` continues it), the lines below are all it prints, on either stream. `…` stands for any text within a line,
a line of `…` alone for any lines. `<!-- starts in: FOLDER -->` gives the page a copy of that folder to start in.
In a session marked `console terminal`, envref runs on a terminal whose user answers its questions (tests/typist.py), in
a folder and a HOME where nothing has happened yet.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

from tests.arguments import PYTHONPATH
from tests.loaded import ENVREF
from tests.observer.sitecustomize import LOG

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [
    path
    for pattern in ("README.md", "docs/*.md", "docs/*/*.md", "tests/cli/*.md")
    for path in sorted(ROOT.glob(pattern))
    if re.search(r"^```console( terminal)?$", path.read_text(encoding="utf-8"), re.MULTILINE)
]
FENCE = re.compile(r"^```(?P<info>[^\n`]+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=transcript="

# A new Python. The default of a new vault costs half a second in each command of a page from there on; a page that says
# its own factor gets it. tests/backends/vault/test_lifecycle.py holds the default. What is loaded does so by itself.
_START = """\
#!/bin/sh
case "$1 $2" in "vault init" | "secret set" | "init "* | "onboard "*) exec "{python}" -c '
from envref.backends.vault import age
from envref.__main__ import main
age.DEFAULT_WORK_FACTOR = 10
main()' "$@" ;; esac
exec "{python}" -m envref "$@"
"""
# A terminal, and a machine where nothing has happened yet, until the session's end.
_TERMINAL = """\
before=$PWD home=$HOME; HOME=$(mktemp -d -p "$HOME"); mkdir "$HOME/my-app"; cd "$HOME/my-app"
export -n ENVREF_VAULT_PASSPHRASE
envref() {{ "{python}" "{typist}" "${{PATH%%:*}}/.started" "$@"; }}"""
_NO_TERMINAL = 'unset -f envref; cd "$before"; HOME=$home; export ENVREF_VAULT_PASSPHRASE'
_STARTED = ROOT / "README.md"  # the page whose every command is a new process


class Step:
    """A command as it is typed, and the lines it should print. `line` counts from 1 in the page."""

    def __init__(self, command, line):
        self.command = command
        self.line = line
        self.expected = []


def steps(page):
    """The page's commands in order; a file block becomes a command that writes the file."""
    found = []
    text = page.read_text(encoding="utf-8")
    for block in FENCE.finditer(text):
        line = text.count("\n", 0, block.start()) + 2
        info, body = block["info"].strip(), block["body"]
        if info == "console":
            found += session(body, line)
        elif info == "console terminal":
            found += [
                Step(_TERMINAL.format(python=sys.executable, typist=ROOT / "tests" / "typist.py"), line),
                *session(body, line),
                Step(_NO_TERMINAL, line),
            ]
        elif match := re.search(r"\bfile=(\S+)$", info):
            found.append(Step(f"mkdir -p \"$(dirname {match[1]})\"; cat > {match[1]} <<'{MARK}'\n{body}{MARK}", line))
    return found


def session(body, line):
    found = []
    for number, text in enumerate(body.splitlines(), line):
        if text.startswith("$ "):
            found.append(Step(text[2:], number))
        elif text.startswith("> ") and found and not found[-1].expected:
            found[-1].command += "\n" + text[2:]
        elif found:
            found[-1].expected.append(text)
    return found


def replay(page, directory):
    """What each step printed, as (step, lines), from one shell that ran them all in `directory`."""
    planned = steps(page)
    starts_in = re.search(r"^<!-- starts in: (\S+) -->$", page.read_text(encoding="utf-8"), re.MULTILINE)
    if starts_in:
        shutil.copytree(ROOT / starts_in[1], directory, dirs_exist_ok=True)
    script = "".join(f"{step.command}\nprintf '\\n{MARK}\\n'\n" for step in planned)
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script}"],
        cwd=directory,
        env=environment(directory, real=page == _STARTED),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    printed = done.stdout.split(f"\n{MARK}\n")
    assert len(printed) == len(planned) + 1, f"{page.name}: the shell ended early after:\n{done.stdout[-2000:]}"
    return list(zip(planned, [text.splitlines() for text in printed[:-1]], strict=True))


def environment(directory, *, real):
    """An empty HOME beside the page's directory, `envref` on PATH, and a passphrase: nobody is there to be asked."""
    programs = directory.parent / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("envref", ".started") if real else (".started",):
        (programs / name).write_text(_START.format(python=sys.executable), encoding="utf-8")
        (programs / name).chmod(0o755)
    if not real:
        ENVREF.install(programs)
    home = directory.parent / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "PYTHONPATH": PYTHONPATH,
        LOG: os.environ.get(LOG, ""),
        "LANG": "C.UTF-8",
        "ENVREF_VAULT_PASSPHRASE": "correct horse battery staple",
        "PWD": str(directory),
    }


def matches(expected, printed):
    """Whether the printed lines are the expected ones; `…` as in this module's docstring."""
    pattern = "".join(
        r"(?:.*\n)*" if line.strip() == "…" else re.escape(line.rstrip()).replace("…", ".*") + r" *\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None
