"""Where the passphrase comes from: the environment in its order, an unlock session, the terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import sys
import termios
import time
import types

import pytest

from envref.backends.vault import passphrase
from envref.errors import EnvrefError
from envref.store_errors import BackendDenied, BackendLocked, BackendTimeout
from tests.backends.vaults import PASSPHRASE, unlocked_vault
from tests.conftest import ROOT
from tests.requirements import first_python


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A passphrase file that the environment names."""
    path = tmp_path / "passphrase"
    path.write_text("from file\n")
    path.chmod(0o600)
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE_FILE", str(path))
    return path


def descriptor_with(content, monkeypatch):
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE_FD", str(reading))
    passphrase._read.clear()
    return reading


def test_the_variable_comes_first(file, monkeypatch):
    """ENVREF_VAULT_PASSPHRASE beats the file, the file the descriptor (commands.md 2.8)."""
    descriptor = descriptor_with(b"from descriptor\n", monkeypatch)
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "from variable")
    found = []
    for name in ("ENVREF_VAULT_PASSPHRASE", "ENVREF_VAULT_PASSPHRASE_FILE", "ENVREF_VAULT_PASSPHRASE_FD"):
        found.append(passphrase.given().reveal())
        monkeypatch.delenv(name)
    os.close(descriptor)
    assert found == ["from variable", "from file", "from descriptor"]
    assert passphrase.given() is None


def test_an_empty_variable_is_none(monkeypatch):
    """A variable that is set to nothing names no passphrase."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "")
    assert passphrase.given() is None


def test_a_descriptor_is_read_once(monkeypatch):
    """A pipe gives its content once; the second question of the same process gets the same answer."""
    descriptor = descriptor_with(b"pass\r\n", monkeypatch)
    assert [passphrase.given().reveal() for _ in range(2)] == ["pass", "pass"]
    os.close(descriptor)


@pytest.mark.parametrize(("content", "expected"), [(b"a b ", "a b "), (b"a\n\n", "a\n"), ("ü\r\n".encode(), "ü")])
def test_one_line_end_is_removed(file, content, expected):
    """Everything else in the file belongs to the passphrase."""
    file.write_bytes(content)
    assert passphrase.given().reveal() == expected


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_open_to_others_is_refused(file, mode):
    """The message holds the cure, not the content."""
    file.chmod(mode)
    with pytest.raises(BackendDenied) as caught:
        passphrase.given()
    assert caught.value.run == ("chmod", "600", str(file))
    assert "from file" not in caught.value.message


@pytest.mark.parametrize(("content", "reason"), [(b"", "empty"), (b"\n", "empty"), (b"\xff", "not UTF-8 text")])
def test_a_file_without_a_passphrase_is_refused(file, content, reason):
    """The next source is not tried: the user named this one."""
    file.write_bytes(content)
    with pytest.raises((BackendLocked, BackendDenied), match=reason):
        passphrase.given()


def test_an_unreadable_source_is_named(file, monkeypatch):
    """A missing file and a descriptor that is none are named in the error."""
    file.unlink()
    with pytest.raises(BackendLocked, match="No such file or directory"):
        passphrase.given()
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE_FILE")
    for number, reason in (("999", "Bad file descriptor"), ("three", 'not a number: "three"')):
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE_FD", number)
        with pytest.raises(BackendLocked, match=reason):
            passphrase.given()


def test_a_short_passphrase_is_refused(monkeypatch):
    """Fewer than 8 characters are refused, fewer than 14 warned about."""
    warnings = []
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "1234567")
    with pytest.raises(EnvrefError, match="at least 8 characters"):
        passphrase.chosen(warnings)
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "12345678901234")
    passphrase.chosen(warnings)
    assert warnings == []
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "1234567890123")
    passphrase.chosen(warnings)
    assert warnings == ["a vault passphrase of fewer than 14 characters is easy to guess"]


def test_a_suggestion_is_seven_words():
    """112 random bits, no two alike, in words that can be read out."""
    words = [passphrase.suggestion().split("-") for _ in range(200)]
    assert {len(suggestion) for suggestion in words} == {7}
    assert {len(word) for suggestion in words for word in suggestion} == {5}
    assert len({word for suggestion in words for word in suggestion}) > 1300
    assert len({passphrase._word(bits) for bits in range(65536)}) == 65536, "no bit is lost"


READ = """
import sys, time
from envref.refs.address import Address
from envref.backends.vault.store import Vault
from envref.errors import EnvrefError
sys.stdin.close()
try:
    vault = Vault("vault", path=sys.argv[1])
    for _ in range(2):
        print("value:", vault.get_many([Address("app", "key")], time.monotonic() + 20)[Address("app", "key")].reveal())
except EnvrefError as error:
    print(error.message)
"""
CHOOSE = """
from envref.backends.vault import passphrase
from envref.errors import EnvrefError
try:
    print("chosen", len(passphrase.chosen([]).reveal()))
except EnvrefError as error:
    print(error.message)
"""


def on_a_terminal(script, answers, *arguments):
    """Runs Python on a terminal of its own, typing each answer after its prompt; what the terminal showed."""
    child, terminal = pty.fork()
    if child == 0:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        os.execve(sys.executable, [sys.executable, "-c", script, *map(str, arguments)], environment)
    shown, waiting = "", list(answers)
    while select.select([terminal], [], [], 30)[0]:
        try:
            shown += os.read(terminal, 4096).decode()
        except OSError:  # the child is gone
            break
        if waiting and waiting[0][0] in shown:
            _, answer = waiting.pop(0)
            time.sleep(0.1)  # what is typed before the echo is off is thrown away
            text = answer(shown) if callable(answer) else answer
            os.write(terminal, f"{text}\n".encode())
    os.waitpid(child, 0)
    os.close(terminal)
    assert not waiting, shown
    return shown


def test_the_prompt_is_hidden_and_asked_once(tmp_path, monkeypatch):
    """On a terminal the passphrase is typed unseen, also where stdin is closed, and serves the whole process."""
    path = tmp_path / "vault.db"
    unlocked_vault(path, monkeypatch, {"key": "found"})
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    shown = on_a_terminal(READ, [("Enter vault passphrase: ", PASSPHRASE)], path)
    lines = [line for line in shown.splitlines() if "envref vault unlock --ttl 8h" not in line]  # where it can be kept
    assert lines == ["Enter vault passphrase: ", "value: found", "value: found"]


def test_a_new_passphrase_is_asked_twice():
    """What was typed first has to be typed again; neither is shown."""
    both = [("Enter vault passphrase: ", "one passphrase"), ("Confirm vault passphrase: ", "one passphrase")]
    shown = on_a_terminal(CHOOSE, both)
    assert shown.splitlines()[-1] == "chosen 14"
    assert "one passphrase" not in shown
    both[1] = ("Confirm vault passphrase: ", "another one")
    assert on_a_terminal(CHOOSE, both).splitlines()[-1] == "passphrases do not match"


def test_an_empty_answer_gets_a_suggestion():
    """Enter alone shows seven words, which then have to be typed."""

    def suggested(shown):
        return shown.partition("suggestion, write it down: ")[2].splitlines()[0]

    shown = on_a_terminal(CHOOSE, [("Enter vault passphrase: ", ""), ("Confirm vault passphrase: ", suggested)])
    assert shown.splitlines()[-1] == "chosen 41"


def test_a_process_substitution_is_a_descriptor(monkeypatch):
    """`ENVREF_VAULT_PASSPHRASE_FILE=<(…)` names a pipe; it is read once, however often the passphrase is needed."""
    descriptor = descriptor_with(b"from a program\n", monkeypatch)
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE_FD")
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE_FILE", f"/dev/fd/{descriptor}")
    assert [passphrase.given().reveal() for _ in range(2)] == ["from a program"] * 2
    os.close(descriptor)


def test_the_shortest_passphrase_is_accepted(monkeypatch):
    """Exactly 8 characters, with a warning."""
    warnings = []
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "12345678")
    assert passphrase.chosen(warnings).reveal() == "12345678"
    assert warnings == ["a vault passphrase of fewer than 14 characters is easy to guess"]


def test_a_descriptor_is_not_inherited_once_it_was_read(tmp_path, monkeypatch):
    """A file's content could be read again by the program that `run` becomes."""
    path = tmp_path / "passphrase"
    path.write_text("correct horse battery\n")
    descriptor = os.open(path, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE_FD", str(descriptor))
    monkeypatch.setattr(passphrase, "_read", {})
    assert passphrase.given().reveal() == "correct horse battery"
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


@first_python
class TestPerson:
    """Who is asked and what is made of it, without a terminal."""

    @pytest.fixture
    def typing(self, monkeypatch):
        """Types these answers; the prompts, and what was told beside them."""
        monkeypatch.setattr(passphrase, "can_be_asked", lambda **_: True)

        def typing(*texts):
            seen, waiting = [], iter(texts)
            monkeypatch.setattr(passphrase, "_typed", lambda prompt: seen.append(prompt) or next(waiting))
            monkeypatch.setattr(passphrase, "_tell", seen.append)
            return seen

        return typing

    @pytest.mark.parametrize(
        ("terminals", "is_foreground", "beside_data", "is_there"),
        [
            ({0, 2}, True, True, True),
            ({0, 2}, True, False, True),
            ({2}, True, True, True),
            ({2}, True, False, False),
            ({0}, True, True, False),
            ({0, 2}, False, True, False),
        ],
    )
    def test_whether_somebody_is_there(self, monkeypatch, terminals, is_foreground, beside_data, is_there):
        """Who sees the prompt, in the foreground; standard input may be data."""
        monkeypatch.setattr(passphrase.os, "isatty", lambda number: number in terminals)
        monkeypatch.setattr(passphrase, "_in_foreground", lambda: is_foreground)
        assert passphrase.can_be_asked(beside_data=beside_data) is is_there
        if is_there:
            passphrase._require_terminal(beside_data=beside_data)
        else:
            with pytest.raises(BackendLocked, match="vault passphrase required: set ENVREF_VAULT_PASSPHRASE or use"):
                passphrase._require_terminal(beside_data=beside_data)

    def test_a_background_process_may_not_ask(self, monkeypatch):
        """It would be stopped; nor can one without a terminal."""
        for group, is_foreground in ((7, True), (8, False)):
            terminal = contextlib.nullcontext(types.SimpleNamespace(fileno=lambda: 5))
            monkeypatch.setattr(passphrase, "open", lambda *_, shown=terminal, **__: shown, raising=False)
            monkeypatch.setattr(passphrase.os, "tcgetpgrp", lambda _, group=group: group)
            monkeypatch.setattr(passphrase.os, "getpgrp", lambda: 7)
            assert passphrase._in_foreground() is is_foreground

        def fail(*_, **__):
            raise OSError

        monkeypatch.setattr(passphrase, "open", fail, raising=False)
        assert passphrase._in_foreground() is False

    def test_the_prompt_says_why_it_comes_again(self, typing):
        """After a wrong one."""
        seen = typing("one", "two")
        assert passphrase.asked(beside_data=True).reveal() == "one"
        assert passphrase.asked(beside_data=True, again=True).reveal() == "two"
        assert seen == ["Enter vault passphrase: ", "Wrong passphrase; enter it again: "]

    @pytest.mark.parametrize("fault", [EOFError(), OSError(), termios.error()])
    def test_a_terminal_that_is_gone(self, monkeypatch, fault):
        """Is none."""

        def fail(_):
            raise fault

        monkeypatch.setattr("envref.backends.typed_line.typed", fail)
        with pytest.raises(BackendLocked, match="vault passphrase required"):
            passphrase._typed("Enter: ")

    def test_a_new_one_is_typed_twice(self, typing, monkeypatch):
        """Also where the environment has the old one; two that differ change nothing."""
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "from variable")
        seen = typing("a long new passphrase", "a long new passphrase")
        assert passphrase.chosen_anew([]).reveal() == "a long new passphrase"
        hint = "hint: press Enter for a suggestion of seven words"
        assert seen == [hint, "Enter new vault passphrase: ", "Confirm vault passphrase: "]
        typing("a long new passphrase", "another")
        with pytest.raises(EnvrefError) as caught:
            passphrase.chosen_anew([])
        assert caught.value.lines() == ["error: passphrases do not match", "  hint: try again; nothing was changed"]

    def test_nothing_gets_a_suggestion(self, typing, monkeypatch):
        """Which has to be typed as well."""
        monkeypatch.setattr(passphrase, "suggestion", lambda: "seven-words-of-it")
        seen = typing("", "seven-words-of-it")
        assert passphrase.chosen([]).reveal() == "seven-words-of-it"
        assert seen[1:] == [
            "Enter vault passphrase: ",
            "suggestion, write it down: seven-words-of-it",
            "Confirm vault passphrase: ",
        ]

    def test_what_doctor_says_without_a_terminal(self):
        """With the two ways out."""
        assert passphrase.unattended().lines() == [
            "error: vault: there is no terminal to type the passphrase at",
            "  hint: set ENVREF_VAULT_PASSPHRASE_FILE, or type it once: envref vault unlock --ttl 8h",
        ]


@pytest.mark.parametrize("end", ["", "_FILE", "_FD"])
def test_whether_the_environment_names_a_source(monkeypatch, end):
    """Each of the three; an empty one is none."""
    assert not passphrase.is_given()
    monkeypatch.setenv(f"ENVREF_VAULT_PASSPHRASE{end}", "")
    assert not passphrase.is_given()
    monkeypatch.setenv(f"ENVREF_VAULT_PASSPHRASE{end}", "x")
    assert passphrase.is_given()


def test_a_source_is_read_to_64_kibibytes(file):
    """One that never ends does no harm."""
    file.write_bytes(b"x" * 65_535 + b"yz")
    assert passphrase.given().reveal() == "x" * 65_535 + "y"


def test_a_pipe_that_does_not_end_is_late(monkeypatch):
    """The passphrase may be in it already: it ends with the pipe."""
    reading, writing = os.pipe()
    os.write(writing, b"half")
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE_FD", str(reading))
    passphrase._read.clear()
    try:
        with pytest.raises(BackendTimeout) as caught:
            passphrase.given(time.monotonic() + 0.01)
    finally:
        os.close(reading)
        os.close(writing)
    assert caught.value.lines() == [
        f"error: reading vault passphrase: descriptor {reading}: no end within the time limit",
        "  hint: the passphrase is one line of text",
    ]


def test_a_pipe_is_read_to_64_kibibytes_too(monkeypatch):
    """Whatever the parts are in which it comes."""
    parts, asked = [b"x" * 65_000, b"y" * 600, b"z"], []
    monkeypatch.setattr(
        passphrase.select, "poll", lambda: types.SimpleNamespace(register=lambda *_: None, poll=lambda _: [1])
    )
    monkeypatch.setattr(passphrase.os, "read", lambda _, size: asked.append(size) or parts.pop(0)[:size])
    assert passphrase._content(5, "x", None) == b"x" * 65_000 + b"y" * 536
    assert asked == [65_536, 536]
