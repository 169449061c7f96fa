"""`envref resolve --watch`: what a person who edits files sees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.arguments import PYTHONPATH

pytestmark = pytest.mark.usefixtures("real_starts")

PATIENCE = 60  # seconds that a loaded machine may need for one round


def save(project, name, text):
    """As editors do it: a new file in the place of the old one, so that nobody ever reads half of it."""
    project.write(f"{name}~", text).rename(project.path / name)


class Watching:
    """`envref resolve --watch ARGUMENTS`, running; its two streams are read as they come."""

    def __init__(self, directory, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "envref", "resolve", "--watch", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
        )
        self._seen = {"stdout": b"", "stderr": b""}
        self._changed = threading.Condition()
        for name in self._seen:
            threading.Thread(target=self._read, args=(name,), daemon=True).start()

    def _read(self, name):
        pipe = getattr(self.process, name)
        while data := os.read(pipe.fileno(), 65536):
            with self._changed:
                self._seen[name] += data
                self._changed.notify_all()

    @property
    def stdout(self):
        return self._seen["stdout"].decode()

    @property
    def stderr(self):
        return self._seen["stderr"].decode()

    def awaits(self, stream, text):
        """Waits until the stream ends in `text`."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: self._seen[stream].decode().endswith(text), PATIENCE)
        assert arrived, f"{stream}: {self._seen[stream].decode()!r}"

    def ends(self, number=signal.SIGINT):
        """Sends a signal; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def watching(project):
    """Starts `envref resolve --watch` in a project whose `.env` holds A=1."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "A=1\n")
    running = []

    def start(*arguments):
        running.append(Watching(project.path, *arguments))
        return running[-1]

    yield start
    for each in running:
        each.process.kill()
        each.process.wait()
        each.process.stdout.close()
        each.process.stderr.close()


def test_a_changed_file_is_resolved_again(project, watching):
    """First the output as it is, then, after a blank line, as it has become; stderr tells what happens."""
    running = watching()
    running.awaits("stdout", "A=1\n")
    save(project, ".env", "A=2\n")
    running.awaits("stdout", "A=1\n\nA=2\n")
    assert running.ends() == 0
    lines = running.stderr.splitlines()
    assert lines[0] == "watching 2 file(s) for changes... (Ctrl+C to stop)"
    assert set(lines[1:-1]) == {"change detected, re-resolving..."}
    assert lines[-1] == "stopping watch"


def test_atomic_replacement_creation_and_deletion_are_changes(project, watching):
    """Editors rename a new file over the old one; a file that appears or goes away counts as well."""
    running = watching()
    running.awaits("stdout", "A=1\n")
    save(project, ".env", "A=2\n")
    running.awaits("stdout", "\nA=2\n")
    local = project.write(".env.local", "A=3\n")
    running.awaits("stdout", "\nA=3\n")
    local.unlink()
    running.awaits("stdout", "\nA=3\n\nA=2\n")


def test_a_file_in_another_folder_is_watched_once_the_config_names_it(project, watching):
    """An edited config counts from the moment it is saved, new folders included."""
    running = watching()
    running.awaits("stdout", "A=1\n")
    project.write("settings/base.env", "A=2\n")
    save(project, ".envref.yaml", "project: app\nenv_file: settings/base.env\n")
    running.awaits("stdout", "\nA=2\n")
    save(project, "settings/base.env", "A=3\n")
    running.awaits("stdout", "\nA=3\n")


def test_the_same_output_is_not_printed_again(project, watching):
    """A comment changes nothing that a reader of stdout would want to know."""
    running = watching()
    running.awaits("stdout", "A=1\n")
    save(project, ".env", "# a comment\nA=1\n")
    running.awaits("stderr", "change detected, re-resolving...\n")
    save(project, ".env", "A=2\n")
    running.awaits("stdout", "A=2\n")
    assert running.stdout == "A=1\n\nA=2\n"


def test_an_error_does_not_end_the_watch(project, watching):
    """A broken config is told; the cure is an edit, which is seen."""
    running = watching()
    running.awaits("stdout", "A=1\n")
    save(project, ".envref.yaml", "project: [\n")
    running.awaits("stderr", "\n")
    save(project, ".envref.yaml", "project: app\n")
    save(project, ".env", "A=2\n")
    running.awaits("stdout", "A=1\n\nA=2\n")
    assert running.ends() == 0


def test_a_failed_round_of_a_strict_watch_is_false(project, watching):
    """A shell that evaluates the stream learns of the failure (commands.md 2.2)."""
    project.write(".envref.yaml", "project: app\nbackends:\n  - name: vault\n    config: {path: none.db}\n")
    running = watching("--export", "--strict")
    running.awaits("stdout", "export A=1\n")
    save(project, ".env", "A=ref://secrets/nope\n")
    running.awaits("stdout", "export A=1\n\nfalse\n")
    save(project, ".env", "A=3\n")
    running.awaits("stdout", "\nfalse\n\nexport A=3\n")


def test_sigterm_ends_it_well(watching):
    """A supervisor's request to stop is no failure."""
    running = watching()
    running.awaits("stdout", "A=1\n")
    assert running.ends(signal.SIGTERM) == 0
    running.awaits("stderr", "stopping watch\n")


def test_json_documents_are_not_separated(project, watching):
    """A blank line between them would be nobody's."""
    running = watching("--format", "json")
    running.awaits("stdout", "]\n")
    save(project, ".env", "")
    running.awaits("stdout", "]\n[]\n")


def test_without_a_project_there_is_nothing_to_watch(project):
    """It ends at once with the cure."""
    result = project.envref("resolve", "--watch")
    assert (result.returncode, result.stdout) == (1, "")
    assert "loading config: no .envref.yaml found" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--explain",), "if any flags in the group [unset explain watch] are set none of the others can be"),
        (("--format", "github"), "--watch would write each variable to GITHUB_ENV again and again"),
    ],
)
def test_what_cannot_be_watched_is_a_usage_error(project, arguments, text):
    """Exit status 2, and the reason."""
    project.write(".envref.yaml", "project: app\n")
    save(project, ".env", "A=1\n")
    result = project.envref("resolve", "--watch", *arguments, env={"GITHUB_ENV": "/dev/null"})
    assert result.returncode == 2
    assert text in result.stderr
