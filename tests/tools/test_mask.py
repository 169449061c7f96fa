"""`run --mask`: no value in what a command prints, and a command that behaves as without it."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import shlex
import shutil
import signal
import string
import subprocess
import sys
import time
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envref.cli import run_request
from envref.tools.masker import MASK, Masker, Needles
from envref.tools.needles import needles
from tests.arguments import PYTHONPATH
from tests.cli.terminal import Terminal
from tests.requirements import first_python, need

VALUE = "s3cr3t-value-0001"
ENVREF = [sys.executable, "-m", "envref", "run", "--mask", "--"]
CONFIG = "project: app\nbackends:\n  - {name: store, type: plugin, config: {command: ./store, batch: true}}\n"
_BODY = [f"{'Ab9/+xyz'[number % 3 :]}{'k' * 20}{number}" for number in range(6)]
PEM = "\n".join(["-----BEGIN KEY-----", *_BODY, "-----END KEY-----"])


def masked(secrets, *pieces):
    masker = Masker(Needles(needles(secrets)))
    return b"".join([masker.feed(piece) for piece in pieces] + [masker.flush()])


def test_the_hot_door_knows_nothing_of_it():
    """Its grammar is closed: `run` without --mask pays nothing."""
    assert run_request.parse(["--mask", "--", "true"], {}) is None
    assert run_request.parse(["--", "true", "--mask"], {}).command == ("true", "--mask")


LETTERS = st.text("abA", min_size=4, max_size=9)


@given(st.lists(LETTERS, min_size=1, max_size=6), st.text("abA.", max_size=80), st.data())
def test_no_byte_of_a_needle_is_shown_however_it_arrives(secrets, text, data):
    """Every other byte is. Needles that overlap, hold each other, or are cut anywhere."""
    wanted = [secret.encode() for secret in secrets]
    stream = text.encode()
    hidden = set()
    for needle in wanted:
        for place in range(len(stream)):
            if stream.startswith(needle, place):
                hidden |= set(range(place, place + len(needle)))
    masker = Masker(Needles(wanted))
    shown = b""
    while stream[:1]:
        size = data.draw(st.integers(1, 7))
        shown += masker.feed(stream[:size])
        stream = stream[size:]
    shown += masker.flush()
    left = bytes(byte for place, byte in enumerate(text.encode()) if place not in hidden)
    assert shown.replace(MASK, b"") == left


@pytest.mark.parametrize("count", [1, 300])
def test_needles_whose_rarest_letters_overlap_are_all_found(count):
    """One that is printed many times in one read does not hide another that begins within it."""
    overlapping, late = b"QbXd", b"Xdef"
    stream = overlapping * count + late[2:]
    assert masked([overlapping.decode(), late.decode()], stream).replace(MASK, b"") == b""


def test_only_the_beginning_of_a_needle_is_held():
    """What can't be one any more is shown at once."""
    masker = Masker(Needles([b"abcdef"]))
    assert masker.feed(b"x abc") == b"x "
    assert masker.feed(b"d") == b""
    assert masker.feed(b"!") == b"abcd!"
    assert masker.feed(b"yz") == b"yz"


def forms(secret):
    """The secret as tools print it, by form; what stands around base64 shifts its phase."""
    raw = secret.encode()
    yield "plain", raw
    yield "json", json.dumps(secret).encode()
    yield "json, not ASCII", json.dumps(secret, ensure_ascii=False).encode()
    yield "url", urllib.parse.quote(secret, safe="").encode()
    yield "form", urllib.parse.quote_plus(secret).encode()
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    for before in (b"", b"x", b"xy"):
        yield f"base64 after {len(before)}", base64.b64encode(before + raw)
        yield f"url-safe base64 after {len(before)}", base64.urlsafe_b64encode(before + raw)
    if "\n" in secret:
        yield "on a terminal", secret.replace("\n", "\r\n").encode()
        for line in secret.split("\n"):
            if len(line) >= 8:
                yield "line", line.encode()


def parts(shown, form):
    """What is left of a form: of base64, the characters that the neighbours have a part in."""
    left = shown.replace(MASK, b"").replace(b'"', b"")
    return left if len(left) > (6 if "base64" in form else 0) else b""


SECRETS = [VALUE, 'quo"te\\d/é€ +&=%', PEM, "ABCD", "pass phrase", "a+/b" * 10, "\U0001f511-key", "0123456789abcdef"]


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_every_form_is_masked(secret):
    """In one piece, and byte by byte."""
    for form, printed in forms(secret):
        assert not parts(masked([secret], printed), form), form
        assert not parts(masked([secret], *[bytes([byte]) for byte in printed]), form), form


def test_what_is_not_masked_is_what_the_page_says():
    """docs/mask.md names these gaps."""
    assert masked(["abc"], b"abc") == b"abc"
    for printed in (VALUE[::-1], VALUE.upper(), "s3cr3\nt-val\nue-00\n01", VALUE.replace("t", "\x1b[1mt")):
        assert masked([VALUE], printed.encode()) == printed.encode()
    masker = Masker(Needles(needles([VALUE])))
    assert masker.feed(VALUE[:9].encode()) + masker.flush() == VALUE[:9].encode()


STORE = """\
#!{python} -IS
import json, sys
names = {{key: key.rpartition("/")[2] for key in json.load(sys.stdin)["keys"]}}
values = json.load(open("values.json"))
print(json.dumps({{"values": {{key: values[name] for key, name in names.items() if name in values}}}}))
"""


@pytest.fixture
def app(project, trusted):
    """`app.secrets(NAME=VALUE)` makes the project's variables."""
    project.write(".envref.yaml", CONFIG)
    project.write("store", STORE.format(python=sys.executable)).chmod(0o755)

    def secrets(values, more=""):
        project.write("values.json", json.dumps(values))
        project.write(".env", "".join(f"{name}=ref://secrets/{name}\n" for name in values) + more)
        return project

    project.secrets = secrets
    return secrets({"PW": VALUE})


def mask(app, *command, wrapped=None, **given):
    return subprocess.run(
        ["sh", "-c", wrapped] if wrapped else [*ENVREF, *command],
        cwd=app.path,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        check=False,
        timeout=20,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **given},
    )


def hundred():
    """A hundred values of all the characters that a variable may have."""
    chance = random.Random(7)
    letters = string.ascii_letters + string.digits + " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~äé€"
    made = ["".join(chance.choice(letters) for _ in range(chance.randint(6, 60))) for _ in range(97)]
    return {f"V{number}": value for number, value in enumerate([*made, PEM, VALUE, VALUE * 3])}


def all_forms(app, values):
    """A file of every form of every value, a line each."""
    lines = [b"<" + printed + b">" for value in values.values() for _, printed in forms(value)]
    app.write("printed", b"\n".join(lines) + b"\n")
    return lines


def leaked(shown, values):
    """The values of which some form is in what was shown, the borders of base64 apart."""
    found = []
    for value in values.values():
        for form, printed in forms(value):
            core = printed[4:-6] if "base64" in form else printed.strip(b'"')
            if core and core in shown:
                found.append((value, form))
    return found


@first_python
@pytest.mark.usefixtures("real_starts")
class TestPipes:
    """Where no stream is a terminal."""

    def test_a_hundred_values_in_every_form(self, app):
        """On both streams, each kept apart."""
        values = hundred()
        lines = all_forms(app.secrets(values), values)
        done = mask(app, "sh", "-c", "cat printed; echo out; cat printed >&2")
        assert done.returncode == 0
        for shown in (done.stdout, done.stderr):
            assert not leaked(shown, values)
            assert shown.count(b"<") >= len(lines)
        assert done.stdout.endswith(b"out\n")
        assert b"out" not in done.stderr

    @pytest.mark.parametrize("pause", ["0.01", "0.3"])
    def test_a_value_in_two_writes(self, app, pause):
        """On pipes however long it takes."""
        script = f'printf %s "${{PW%value*}}"; sleep {pause}; printf "value-0001\\n"'
        assert mask(app, "sh", "-c", script).stdout == b"***\n"

    @pytest.mark.parametrize("end", ["exit 0", "exit 7", "exit 255", "kill -TERM $$", "kill -KILL $$", "kill -INT $$"])
    def test_it_ends_as_the_command_does(self, app, end):
        """Status, and death by a signal."""
        plain = subprocess.run(["sh", "-c", end], check=False).returncode
        assert mask(app, "sh", "-c", end).returncode == plain

    @pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-"])
    def test_a_stream_that_is_closed_is_closed_for_the_command(self, app, closed):
        """As without --mask. With stdin closed nothing ran, and nobody said why; a pipe of ours had its number."""
        command = """sh -c 'read x; echo "[$x]"; echo e >&2; exit 3'"""
        outer = f"{' '.join(map(shlex.quote, ENVREF))} {command} {closed}"
        done = mask(app, wrapped=outer)
        plain = subprocess.run(["sh", "-c", f"{command} {closed}"], capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (plain.returncode, plain.stdout, plain.stderr)

    @pytest.mark.parametrize(("end", "status"), [("exit 0", 1), ("exit 4", 4)])
    def test_output_that_is_lost_is_no_success(self, app, end, status):
        """The command wrote to envref, and can't know of the full disk behind it."""
        with open("/dev/full", "wb") as full:
            done = mask(app, "sh", "-c", f"echo x; {end}", stdout=full)
        assert done.returncode == status
        assert done.stderr.startswith(b"error: output of the command was lost: no space left on device\n")

    def test_what_can_not_be_started_is_said(self, app):
        """As without --mask."""
        done = mask(app, "no-such-program")
        assert done.returncode == 127
        assert done.stderr.startswith(b"error: command not found: no-such-program\n")

    def test_a_secret_that_fails_starts_nothing(self, app):
        app.write(".env", "PW=ref://secrets/GONE\n")
        done = mask(app, "echo", "started")
        assert (done.returncode, done.stdout) == (1, b"")

    def test_who_reads_no_more_ends_the_command(self, app):
        """`yes | head` is not for ever."""
        done = subprocess.run(
            ["sh", "-c", '"$0" -m envref run --mask -- yes | head -n 1', sys.executable],
            cwd=app.path,
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
            capture_output=True,
            check=False,
            timeout=20,
        )
        assert done.stdout == b"y\n"

    def test_one_file_for_both_streams_keeps_their_order(self, app):
        """As `> log 2>&1` without --mask."""
        script = '"$0" -m envref run --mask -- sh -c "echo 1; echo 2 >&2; echo 3; echo \\$PW >&2" > log 2>&1'
        subprocess.run(
            ["sh", "-c", script, sys.executable],
            cwd=app.path,
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
            check=True,
            timeout=20,
        )
        assert app.read("log") == "1\n2\n3\n***\n"

    def test_a_signal_to_envref_reaches_the_command(self, app):
        """Whoever started it knows no other process."""
        started = subprocess.Popen(
            [*ENVREF, "sh", "-c", "trap 'echo got; exit 5' TERM; echo on; while :; do sleep 0.05; done"],
            cwd=app.path,
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
            stdout=subprocess.PIPE,
        )
        assert started.stdout.readline() == b"on\n"
        started.terminate()
        assert started.communicate(timeout=20)[0] == b"got\n"
        assert started.returncode == 5

    def test_stdin_is_the_commands(self, app):
        assert mask(app, "cat", input=f"a {VALUE}\n".encode()).stdout == b"a ***\n"

    def test_no_descriptor_and_no_ignored_signal_is_left(self, app):
        """The command starts as without --mask."""
        done = mask(app, "sh", "-c", "ls /proc/self/fd; grep SigIgn /proc/self/status")
        *descriptors, _, ignored = done.stdout.split()
        assert descriptors == [b"0", b"1", b"2", b"3"]
        # Who starts the suite may have the C library's own signals ignored, which Python can't change: 32, 33.
        assert [each for each in signal.valid_signals() if int(ignored, 16) >> (each - 1) & 1] == []

    def test_what_the_caller_ignores_stays_ignored(self, app):
        """As nohup and a script's background jobs want it; not the children's end, of which envref has to learn."""
        script = 'trap "" HUP INT QUIT USR1 CHLD; exec "$@"'
        plain = mask(app, "sh", "-c", script, "sh", "grep", "SigIgn", "/proc/self/status").stdout
        done = subprocess.run(
            ["sh", "-c", script, "sh", *ENVREF, "grep", "SigIgn", "/proc/self/status"],
            cwd=app.path,
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
            capture_output=True,
            check=True,
            timeout=20,
        )
        assert done.stdout == plain != b""

    def test_a_short_value_is_named_and_a_default_is_no_secret(self, app):
        """Both are printed."""
        app.secrets({"PIN": "123", "PW": VALUE}, "LEVEL=ref://secrets/GONE?default=usual\nURL=x://$PW@h\n")
        done = mask(app, "sh", "-c", 'echo "$PIN $LEVEL $URL $PW"')
        assert done.stdout == b"123 usual *** ***\n"
        assert done.stderr == b"warning: PIN: a value under 4 characters is not masked\n"

    def test_it_is_not_for_services(self, app, monkeypatch):
        """What supervises a service signals the process that it started."""
        monkeypatch.setenv("PC_PROC_NAME", "web")
        done = mask(app, "echo", "started")
        assert (done.returncode, done.stdout) == (1, b"")
        assert b"--mask is not for services" in done.stderr


@pytest.fixture
def bash(app, monkeypatch):
    """An interactive bash on a terminal; `m` stands for `envref run --mask --`."""
    app.write(
        "rc", f"PS1='@@ '; PS2=; M='{' '.join(ENVREF)}'; m() {{ $M \"$@\"; }}; bind 'set enable-bracketed-paste off'\n"
    )
    need("bash")
    monkeypatch.setenv("HISTFILE", "")
    shell = Terminal(app.path, "--noprofile", "--rcfile", "rc", "-i", program=[shutil.which("bash")])
    shell.await_text("@@ ")
    yield shell
    shell.hang_up()


def typed(bash, line, text, count=1):
    """Types a line and waits for what it prints; the line itself must not have that text."""
    before = bash.output.count(text)
    bash.type(f"{line}\n")
    bash.await_text(text, before + count)


def done(bash, line, text):
    """The same, and waits for the prompt: what is typed while a masked command has the keyboard is that command's."""
    prompts = bash.output.count("@@ ")
    typed(bash, line, text)
    bash.await_text("@@ ", prompts + 1)


def stopped(bash, prompt="@@ "):
    """Types Ctrl-Z, and waits for the shell's word and its prompt: what is typed before that can be lost."""
    prompts = bash.output.count(prompt)
    bash.type("\x1a")
    bash.await_text("Stopped", bash.output.count("Stopped") + 1)
    bash.await_text(prompt, prompts + 1)


@first_python
@pytest.mark.usefixtures("real_starts")
class TestTerminal:
    """In a real shell with job control."""

    def test_a_hundred_values_in_every_form(self, app, bash):
        values = hundred()
        all_forms(app.secrets(values), values)
        typed(bash, "m sh -c 'cat printed; cat printed >&2; echo do''ne'", "done")
        assert not leaked(bash.output.encode(), values)
        assert "***" in bash.output

    def test_statuses(self, bash):
        done(bash, "m sh -c 'exit 7'; echo st=$?", "st=7")
        done(bash, "m sh -c 'kill -TERM $$'; echo st=$?", "st=143")
        typed(bash, "m no-such-program; echo st=$?", "st=127")

    def test_a_typed_value_is_masked(self, bash):
        """The terminal echoes it, and the command prints it."""
        typed(bash, "m sh -c 'echo rea''dy; cat'; echo en''d", "ready")
        bash.type(f"{VALUE}\n")
        bash.await_text("***", 2)
        bash.type("\x04")
        bash.await_text("end")
        assert VALUE not in bash.output

    def test_stop_and_go_on(self, bash):
        """Ctrl-Z, jobs, fg; the terminal is the shell's meanwhile."""
        typed(bash, "m sh -c 'echo star''ted; read x; echo got=$x'", "started")
        stopped(bash)
        typed(bash, "jobs", "Stopped")
        typed(bash, "test $(stty -a | grep -c ' icanon') = 1 && echo cook''ed", "cooked")
        typed(bash, "fg", '$M "$@"')
        typed(bash, "hello", "got=hello")

    def test_a_job_in_the_background_stops_when_it_reads(self, bash):
        """And goes on with the keyboard after fg."""
        typed(bash, "m sh -c 'echo star''ted; read x; echo got=$x' &", "started")
        done(bash, "until jobs -s | grep .; do sleep 0.1; done; echo fou''nd", "found")
        typed(bash, "fg", "fg\r\nm sh -c")
        typed(bash, "hello", "got=hello")

    def test_a_stopped_job_can_be_killed(self, bash):
        typed(bash, "m sh -c 'echo star''ted; exec sleep 100'", "started")
        stopped(bash)
        typed(bash, "kill %1; fg; echo st=$?", "st=143")

    def test_interrupt(self, bash):
        """A trap decides; without one the command dies of it, which the shell sees."""
        loop = "while :; do sleep 0.05; done"
        typed(bash, f"m sh -c 'trap \"exit 5\" INT; echo fir''st; {loop}'; echo st=$?", "first")
        bash.type("\x03")
        bash.await_text("st=5\r\n@@ ")
        typed(bash, "m sh -c 'echo tw''o; exec sleep 100'; echo st=$?", "two")
        bash.type("\x03")
        bash.await_text("@@ ", bash.output.count("@@ ") + 1)
        typed(bash, "echo st=$?", "st=130")

    def test_the_command_sees_a_terminal_where_there_is_one(self, bash):
        """Stream by stream; what goes to a file or a pipe is masked too."""
        script = "'for n in 0 1 2; do test -t $n && echo t$n >&2 || echo f$n >&2; done; echo out $PW; echo err $PW >&2'"
        done(bash, f"m sh -c {script}; echo en''d", "end")
        assert re.findall(r"^[tf]\d", bash.output, re.MULTILINE) == ["t0", "t1", "t2"]
        done(bash, f"m sh -c {script} | cat; echo en''d", "end")
        assert re.findall(r"^[tf]\d", bash.output, re.MULTILINE)[3:] == ["t0", "f1", "t2"]
        done(bash, f"m sh -c {script} 2> err; cat err; echo en''d", "end")
        assert re.findall(r"^[tf]\d", bash.output, re.MULTILINE)[6:] == ["t0", "t1", "f2"]
        assert bash.output.count("out ***") == 3
        assert bash.output.count("err ***") == 3
        assert "\r\r\n" not in bash.output

    def test_who_is_behind_a_pipe_has_the_keyboard(self, bash):
        """envref reads no key that the command does not ask for."""
        typed(bash, "m echo fir''st | sh -c 'cat; read x < /dev/tty; echo got=$x'", "first")
        typed(bash, "hello", "got=hello")

    def test_a_command_before_a_pipe_may_ask_at_the_terminal(self, bash):
        """It gets the keyboard then, with echo as it wants it."""
        typed(bash, "m bash -c 'read -s -p pa''ss: x < /dev/tty; echo got=$x' | cat", "pass:")
        typed(bash, "hello", "got=hello")
        assert "hello" not in bash.output.replace("got=hello", "")

    def test_a_pipeline_stops_goes_on_and_ends_as_one_job(self, bash):
        """By the keys of the terminal, which envref has not taken there."""
        typed(bash, "m sh -c 'while :; do echo ti''ck; sleep 0.05; done' | cat", "tick")
        stopped(bash)
        typed(bash, "fg", "| cat\r\n")
        bash.await_text("tick", bash.output.count("tick") + 20)
        bash.type("\x03")
        bash.await_text("@@ ", bash.output.count("@@ ") + 1)
        done(bash, "jobs; echo non''e", "none")
        assert bash.output.rpartition("none")[0].count("Stopped") == 1

    def test_who_reads_no_more_ends_the_command(self, bash):
        done(bash, "m yes | head -n 1; echo en''d", "y\r\nend")

    def test_what_goes_on_in_the_background_is_let_live(self, app, bash):
        """The end of its terminal is not its own."""
        done(bash, "m sh -c 'sleep 100 > /dev/null 2>&1 & echo $! > pid'; echo end''ed", "ended")
        process = int(app.read("pid"))
        assert _state(process) == "S"
        os.kill(process, signal.SIGKILL)

    def test_the_size_is_the_terminals(self, bash):
        """Also when it changes."""
        bash.resize(33, 77)
        typed(
            bash, "m sh -c 'trap \"stty size\" WINCH; stty size; echo rea''dy; while :; do sleep 0.05; done'", "ready"
        )
        assert "33 77" in bash.output
        bash.resize(44, 88)
        bash.await_text("44 88")
        bash.type("\x03")

    def test_a_shell_inside_has_jobs_of_its_own(self, bash):
        typed(bash, "m bash --norc --noprofile -i", "bash-")
        typed(bash, "sh -c 'echo star''ted; exec sleep 100'", "started")
        stopped(bash, "bash-")
        typed(bash, "kill -9 %1; disown %1; echo inn''er $PW", "inner ***")
        bash.type("exit\n")
        bash.await_text("@@ ", bash.output.count("@@ ") + 1)
        typed(bash, "echo out''er", "outer")

    def test_less(self, app, bash):
        """Keys, screen, and the value in it."""
        if not shutil.which("less"):
            pytest.skip("no less here")
        app.write("long", "".join(f"line {number} {VALUE}\n" for number in range(200)))
        typed(bash, "m less long; echo en''d", "line 3 ***")
        typed(bash, "G", "line 199 ***")
        bash.type("q")
        bash.await_text("end\r\n@@ ")
        assert VALUE not in bash.output
        typed(bash, "cat long | m less; echo en''d", "line 3 ***")
        bash.type("q")
        bash.await_text("end", 2)

    def test_an_editor(self, app, bash):
        """It writes what was typed; the file has the value."""
        editor = shutil.which("vim") or shutil.which("vi")
        if not editor:
            pytest.skip("no vi here")
        typed(bash, f"m {editor} -u NONE -i NONE made; echo en''d", "made")
        bash.type("ihello\x1b:wq\n")
        bash.await_text("end")
        assert app.read("made") == "hello\n"

    def test_colours_pass(self, bash):
        typed(bash, "m printf '\\033[31mre''d\\033[0m\\n'", "\x1b[31mred\x1b[0m")

    def test_halves_of_a_value(self, bash):
        """In two writes they are masked; a beginning is shown after a second."""
        done(bash, "m sh -c 'printf s3cr3t-; printf \"value-0001 do''ne\\n\"'", "*** done")
        typed(bash, "m sh -c 'printf \"pw: s3cr''3t-\"; sleep 100'", "pw: s3cr3t-")
        bash.type("\x03")

    def test_whoever_kills_envref_hangs_up_the_command(self, app, bash):
        """Nothing goes on without its terminal."""
        typed(bash, "$M sh -c 'echo $$ > pid; echo star''ted; exec sleep 100' &", "started")
        typed(bash, "kill -9 $!; echo kil''led", "killed")
        process = int(app.read("pid"))
        until = time.monotonic() + 30
        while os.path.exists(f"/proc/{process}") and _state(process) != "Z":
            assert time.monotonic() < until
            time.sleep(0.02)


def _state(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_the_shortest_needle_is_found_in_two_pieces():
    """Of four bytes, as short as a masked value can be."""
    masker = Masker(Needles([b"abcd", b"QRST"]))
    assert b"".join(masker.feed(bytes([byte])) for byte in b"xabcdyQRSTz") + masker.flush() == b"x***y***z"
