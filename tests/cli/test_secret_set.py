"""`envref secret set`: where a value comes from, where it goes, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.terminal import Terminal
from tests.conftest import ROOT
from tests.requirements import others_at_night

pytestmark = others_at_night

PEM = "-----BEGIN PRIVATE KEY-----\n" + "".join(f"{line:02}{'QUJD' * 15}xy\n" for line in range(28))
PEM += "-----END PRIVATE KEY-----\n"


def test_a_value_is_read_from_stdin_and_stored_under_the_project(shop):
    """The key in the store is PROJECT/KEY, the line on stderr names key and backend, stdout is empty."""
    done = shop.envref("secret", "set", "api_key", stdin="s3cret\n")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == 'secret "api_key" stored in backend "store"\n'
    assert shop.values == {"app/api_key": "s3cret"}


def test_a_profile_has_secrets_of_its_own(shop):
    """With a profile the key in the store is PROJECT/PROFILE/KEY, and the message says so."""
    done = shop.envref("secret", "set", "api_key", "-P", "staging", stdin="s3cret\n")
    assert done.stderr == 'secret "api_key" stored in backend "store" (profile "staging")\n'
    assert shop.values == {"app/staging/api_key": "s3cret"}


@pytest.mark.parametrize(
    ("piped", "options", "stored"),
    [
        ("a\n", [], "a"),
        ("a\r\n", [], "a"),
        ("a\n\n", [], "a\n"),
        ("a\n\r\n", [], "a\n"),
        ("a\r", [], "a\r"),
        ("a", [], "a"),
        ("a\n", ["--raw"], "a\n"),
        ("a\r\n", ["--raw"], "a\r\n"),
        ("\n", ["--allow-empty"], ""),
        (" a b ", [], " a b "),
        ("-", [], "-"),
        ("@file", [], "@file"),
        ("ünï¢ödé 🔑", [], "ünï¢ödé 🔑"),
    ],
)
def test_exactly_one_line_end_is_removed_from_stdin(shop, piped, options, stored):
    """One trailing LF or CRLF goes, every other byte stays; --raw keeps it too."""
    done = shop.envref("secret", "set", "k", *options, stdin=piped)
    assert (done.returncode, shop.values) == (0, {"app/k": stored})


def test_a_pem_key_of_thirty_lines_comes_back_to_the_byte(vaulted):
    """What is piped into set is what get prints, through the vault."""
    assert PEM.count("\n") == 30
    vaulted.envref("secret", "set", "key", stdin=PEM)
    assert vaulted.envref("secret", "get", "key").stdout == PEM


@pytest.mark.parametrize(
    ("piped", "text"),
    [
        ("", "reading secret value: no input provided"),
        ("\n", "secret value must not be empty"),
        ("a\0b", "secret value must not contain NUL"),
    ],
)
def test_what_is_no_value_is_refused(shop, piped, text):
    """Nothing, an empty value and NUL are errors, and nothing is stored."""
    done = shop.envref("secret", "set", "k", stdin=piped)
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, f"error: {text}")
    assert shop.values == {}


def test_bytes_that_are_no_text_are_refused_and_not_shown(shop):
    """A value has to be UTF-8; the error does not repeat it."""
    done = subprocess.run(
        [sys.executable, "-m", "envref", "secret", "set", "k"],
        input=b"MARKER\xff",
        capture_output=True,
        cwd=shop.path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: reading secret value: not UTF-8 text\n")
    assert b"MARKER" not in done.stderr


def test_value_as_an_option_is_exact_and_warned_about(shop):
    """--value stores to the byte and says that others can see it there."""
    done = shop.envref("secret", "set", "k", "--value", "line\n")
    assert done.stderr.splitlines()[0] == (
        "warning: --value is visible in process lists and shell history; prefer the prompt or stdin"
    )
    assert shop.values == {"app/k": "line\n"}


def test_the_short_option_still_stores_and_says_what_becomes_of_it(shop):
    """Everywhere else `-v` is --verbose; scripts have one release to change."""
    done = shop.envref("secret", "set", "k", "-v", "k2")
    assert (done.returncode, shop.values) == (0, {"app/k": "k2"})
    assert "warning: -v will mean --verbose here too from the next release on; write --value" in done.stderr
    assert "next release" not in shop.envref("secret", "set", "k", "--value", "x").stderr


def test_the_prompt_is_on_the_terminal_and_hides_what_is_typed(shop):
    """Echo is off while the value is typed; it is stored and nowhere on the screen."""
    terminal = Terminal(shop.path, "secret", "set", "api_key")
    terminal.await_text("Enter secret value: ")
    assert not terminal.echoes()
    terminal.type("typed-by-hand\n")
    assert terminal.end() == 0
    assert "typed-by-hand" not in terminal.output
    assert shop.values == {"app/api_key": "typed-by-hand"}


@pytest.mark.parametrize("error", ["it is locked", "no network"])
def test_nobody_types_a_value_for_a_store_that_can_t_take_it(shop, error):
    """It would be lost; the store's error comes instead of the question."""
    shop.write("plugin", f'#!/bin/sh\ncat > /dev/null\necho \'{{"error": "{error}"}}\'\n')
    terminal = Terminal(shop.path, "secret", "set", "api_key")
    assert terminal.end() == 1
    assert "Enter secret value" not in terminal.output
    assert "storing secret: " in terminal.output
    assert error in terminal.output


def test_who_may_not_read_may_still_write(shop):
    """A store that denies reading is asked to write."""
    answer = """echo '{"error": "reading denied"}'"""
    shop.write("plugin", f"#!/bin/sh\ngrep -q '\"set\"' && echo '{{}}' || {answer}\n")
    terminal = Terminal(shop.path, "secret", "set", "api_key")
    terminal.await_text("Enter secret value: ")
    terminal.type("typed-by-hand\n")
    assert terminal.end() == 0
    assert 'secret "api_key" stored' in terminal.output


def test_a_vault_asks_for_its_passphrase_once_and_before_the_value(vaulted, monkeypatch):
    """Looking whether it opens is what opens it."""
    passphrase = os.environ["ENVREF_VAULT_PASSPHRASE"]
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    terminal = Terminal(vaulted.path, "secret", "set", "api_key")
    terminal.await_text("passphrase")
    assert "Enter secret value" not in terminal.output
    terminal.type(f"{passphrase}\n")
    terminal.await_text("Enter secret value: ")
    terminal.type("typed-by-hand\n")
    assert terminal.end() == 0
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", passphrase)
    assert vaulted.envref("secret", "get", "api_key").stdout == "typed-by-hand\n"


def test_ctrl_d_at_the_prompt_stores_nothing(shop):
    """The end of input is no value."""
    terminal = Terminal(shop.path, "secret", "set", "api_key")
    terminal.await_text("Enter secret value: ")
    terminal.type("\x04")
    assert terminal.end() == 1
    assert "reading secret value: no input provided" in terminal.output
    assert shop.values == {}


def test_ctrl_c_at_the_prompt_ends_by_the_signal_with_echo_restored(shop):
    """A shell sees 130, and its terminal shows again what is typed."""
    terminal = Terminal(shop.path, "secret", "set", "api_key")
    terminal.await_text("Enter secret value: ")
    terminal.type("\x03")
    assert terminal.end() == -2
    assert "\ninterrupted" in terminal.output.replace("\r", "")
    assert shop.values == {}


def test_a_line_that_the_terminal_cut_is_refused(shop):
    """A terminal drops what a line has beyond 4095 bytes; a cut key would be worse than none."""
    terminal = Terminal(shop.path, "secret", "set", "api_key")
    terminal.await_text("Enter secret value: ")
    for _ in range(50):
        terminal.type("x" * 100)
    terminal.type("\n")
    assert terminal.end() == 1
    assert "a terminal cuts a line at 4095 bytes" in terminal.output


@pytest.mark.usefixtures("real_starts")
def test_no_process_has_the_value_on_its_command_line(shop):
    """While the store is written, /proc shows the value in no argument list."""
    shop.configure(scan="processes")
    shop.envref("secret", "set", "k", stdin="MARKER-7f3a9c")
    seen = (shop.path / "processes").read_bytes()
    assert b"envref\0secret\0set\0k" in seen
    assert b"MARKER-7f3a9c" not in seen


def test_env_writes_a_reference_and_leaves_every_other_byte(shop):
    """--env replaces the last assignment of the name, keeping its comment and the rest of the file."""
    shop.write(".env", "# top\r\nA = 1\r\nURL=old # why\r\nB='x'")
    done = shop.envref("secret", "set", "db/url", "--env", "URL", stdin="postgres://")
    assert done.stderr.splitlines() == ['secret "db/url" stored in backend "store"', "set URL in .env"]
    assert (shop.path / ".env").read_bytes() == b"# top\r\nA = 1\r\nURL=ref://secrets/db/url # why\r\nB='x'"


def test_env_goes_to_the_profile_s_file(shop):
    """With a profile the reference is written into .env.PROFILE, which is made if need be."""
    shop.envref("secret", "set", "my key", "--env", "URL", "-P", "staging", stdin="v")
    assert shop.read(".env.staging") == "URL=ref://secrets/my%20key\n"
    assert shop.envref("resolve", "-P", "staging").returncode == 1  # there is no .env yet
    shop.write(".env", "")
    assert shop.envref("resolve", "-P", "staging").stdout == "URL=v\n"


def test_nothing_is_stored_when_env_names_no_variable(shop):
    """A name that no file may set is found out before the secret is written."""
    done = shop.envref("secret", "set", "k", "--env", "no name", stdin="v")
    assert done.returncode == 2
    assert shop.values == {}


def test_env_file_is_left_alone_without_the_option(shop):
    """`secret set` does not touch .env unless it is asked to; --no-env is accepted and changes nothing."""
    shop.write(".env", "A=1\n")
    assert shop.envref("secret", "set", "k", "--no-env", stdin="v").returncode == 0
    assert shop.read(".env") == "A=1\n"


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["", "--value", "v"], 2, "key must not be empty"),
        (["staging/k", "--value", "v"], 2, '"staging" is a profile; use --profile staging'),
        (["k.__history.1", "--value", "v"], 2, 'key "k.__history.1" is reserved for the values that rotation keeps'),
        (["-b", "nope", "k", "--value", "v"], 1, 'backend "nope" is not configured (configured: store)'),
        (["/k", "--value", "v"], 2, 'key "/k" must not have a leading, trailing or doubled "/"'),
        (
            ["token", "--value", "v"],
            1,
            'key "token" is mapped to an existing secret in backend "store"; change it there',
        ),
    ],
)
def test_keys_that_are_not_written(shop, arguments, status, text):
    """A key that is wrong, reserved, a profile's or somebody else's is refused with its reason."""
    shop.configure(names={"token": "GitHub Work Token"})
    done = shop.envref("secret", "set", *arguments)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (status, f"error: {text}")
    assert shop.values == {}


def test_a_profile_with_only_a_file_is_a_profile_too(shop):
    """.env.qa makes "qa" a known profile, so its keys are refused at project scope."""
    shop.write(".env.qa", "")
    done = shop.envref("secret", "set", "qa/k", stdin="v")
    assert done.stderr == 'error: "qa" is a profile; use --profile qa\n'


def test_a_store_s_failure_says_what_was_being_done(shop):
    """The error begins with `storing secret: `, and nothing is logged."""
    shop.configure(fail_at="1")
    done = shop.envref("secret", "set", "k", stdin="v")
    assert (done.returncode, done.stderr) == (1, 'error: storing secret: plugin "store": the disk is full\n')
    assert shop.logged() == []


def test_quiet_says_nothing_when_all_is_well(shop):
    """-q leaves out the line that tells of the success."""
    assert shop.envref("-q", "secret", "set", "k", stdin="v").stderr == ""


@pytest.mark.parametrize(
    ("env", "key", "options", "said"),
    [
        ("DB_PASSWORD=ref://secrets/db_password\n", "DB_PASSWORD", [], '; DB_PASSWORD refers to "db_password"; add '),
        ("DB_PASSWORD=plain\n", "DB_PASSWORD", [], "; add --env DB_PASSWORD, or run: envref set "),
        ("", "API_KEY", ["-P", "staging"], "envref set API_KEY=ref://secrets/API_KEY --profile staging\n"),
        ("A=x${ref://secrets/DB_PASSWORD}\n", "DB_PASSWORD", [], ""),
        ("A=ref://store/DB_PASSWORD\n", "DB_PASSWORD", [], ""),
        ("DB_PASSWORD=ref://secrets/db_password\n", "db_passwd", [], ""),
        ("DB_PASSWORD=ref://secrets/db_password\n", "DB_PASSWORD", ["--env", "DB_PASSWORD"], ""),
        ("no line\n", "lower", [], ""),
    ],
)
@pytest.mark.parametrize("command", ["set", "generate"])
def test_a_key_like_a_variable_that_nothing_refers_to(shop, command, env, key, options, said):
    """Its value would reach nobody: the note says so, and its command is what writes the line."""
    shop.write(".env", env)
    done = shop.envref("secret", command, key, *options, stdin="s3cret\n")
    assert done.returncode == 0, done.stderr
    assert ("no line of the env files refers to" in done.stderr) == bool(said)
    assert said in done.stderr
    if said:
        run = done.stderr.rpartition("run: ")[2].split()
        assert shop.envref(*run[1:]).returncode == 0
        assert "note" not in shop.envref("secret", "rotate", key, *options, "--value-stdin", stdin="new\n").stderr
        assert "note" not in shop.envref("secret", "set", key, *options, stdin="new\n").stderr


@pytest.mark.parametrize(
    ("words", "given", "fact"),
    [
        (["--value", "\udcff"], "", "secret value is not UTF-8 text"),
        (["--value", "a\0b"], "", "secret value must not contain NUL"),
        ([], "a\0b", "secret value must not contain NUL"),
    ],
)
def test_what_no_environment_can_hold_is_refused(shelf, words, given, fact):
    """With the way to keep it all the same; nothing is stored, and the value is not told."""
    done = shelf.said("secret", "set", "k", *words, stdin=given)
    assert (done.returncode, shelf.values["one"]) == (1, {})
    cure = "  hint: store it as base64 and add ?encoding=base64 to the reference\n"
    assert done.stderr.endswith(f"error: {fact}\n{cure}")
