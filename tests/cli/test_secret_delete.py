"""`envref secret delete`: the question, the scope, what stays."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal

NO_ANSWER = "reading confirmation: no input provided\n  hint: --force asks nothing"
QUESTION = 'Delete secret "k" from backend "store". Confirm deletion? (y/N) '


@pytest.mark.parametrize("answer", ["y\n", "Y\n", "yes\n", "YES\n", "y"])
def test_yes_deletes(shop, answer):
    """y or yes in any letter case."""
    shop.fill(k="v", other="v")
    done = shop.envref("secret", "delete", "k", stdin=answer)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f'{QUESTION}secret "k" deleted from backend "store"\n'
    assert list(shop.values) == ["app/other"]


@pytest.mark.parametrize("answer", ["\n", "n\n", "yep\n", " \n"])
def test_anything_else_cancels(shop, answer):
    """The default is No; that is no failure."""
    shop.fill(k="v")
    done = shop.envref("secret", "delete", "k", stdin=answer)
    assert (done.returncode, done.stderr) == (0, f"{QUESTION}deletion cancelled\n")
    assert list(shop.values) == ["app/k"]


def test_without_an_answer_nothing_is_deleted(shop):
    """The end of input is an error, also with -q, which leaves the question."""
    shop.fill(k="v")
    done = shop.envref("-q", "secret", "delete", "k", stdin="")
    assert (done.returncode, done.stderr) == (1, f"{QUESTION}error: {NO_ANSWER}\n")
    assert list(shop.values) == ["app/k"]


def test_the_question_is_answered_at_the_terminal(shop):
    """What is typed there counts; it may be seen."""
    shop.fill(k="v")
    terminal = Terminal(shop.path, "secret", "delete", "k")
    terminal.await_text(QUESTION)
    assert terminal.echoes()
    terminal.type("y\n")
    assert terminal.end() == 0
    assert shop.values == {}


def test_force_asks_nothing_and_deletes_one_scope_only(shop):
    """The profile's value goes, the project's of the same key stays."""
    shop.fill(k="v", staging__k="v")
    done = shop.envref("secret", "delete", "k", "--force", "-P", "staging")
    assert done.stderr == 'secret "k" deleted from backend "store" (profile "staging")\n'
    assert list(shop.values) == ["app/k"]


def test_a_missing_key_is_an_error(shop):
    """The store's words after `deleting secret: `; the project's value is no stand-in for the profile's."""
    shop.fill(k="v")
    done = shop.envref("secret", "delete", "k", "--force", "-P", "staging")
    assert done.returncode == 1
    assert done.stderr == 'error: deleting secret: plugin "store": secret not found: "app/staging/k"\n'


def test_history_goes_only_when_asked(shop):
    """--history deletes the archived values of that key, and of no other."""
    history = {"k": "3", "k.__history.1": "2", "k.__history.2": "1", "k2.__history.1": "x"}
    shop.fill(history)
    shop.envref("secret", "delete", "k", "-f")
    assert sorted(shop.values) == ["app/k.__history.1", "app/k.__history.2", "app/k2.__history.1"]
    shop.fill(history)
    shop.envref("secret", "delete", "k", "-f", "--history")
    assert sorted(shop.values) == ["app/k2.__history.1"]


def test_history_of_a_missing_key_is_not_deleted(shop, vaulted):
    """In a vault, which deletes all at once, a missing key is an error as well."""
    done = vaulted.envref("secret", "delete", "k", "-f", "--history")
    assert (done.returncode, done.stderr) == (1, 'error: deleting secret: vault: secret not found: "app/k"\n')


def test_variables_that_use_the_key_are_named_and_left_alone(shop):
    """.env keeps its references, embedded ones too; a note says which variables they are in."""
    shop.fill(k="v")
    text = "A=ref://secrets/k\nB=ref://store/k#x\nC=x${ref://secrets/k}\nD=ref://secrets/other\nE=k\n"
    shop.write(".env", text)
    done = shop.envref("secret", "delete", "k", "-f")
    assert done.stderr.splitlines()[1:] == ['note: A, B, C still refer to "k"']
    assert shop.read(".env") == text


def test_a_broken_env_file_does_not_keep_a_secret_from_being_deleted(shop):
    """What can't be read can't be named; the secret is gone."""
    shop.fill(k="v")
    shop.write(".env", "no assignment\n")
    assert shop.envref("secret", "delete", "k", "-f").returncode == 0
    assert shop.values == {}


def test_a_mapped_key_is_not_deleted(shop):
    """A secret that envref did not make is not its to delete; no question is asked."""
    shop.configure(names={"k": "GitHub Work Token"})
    done = shop.envref("secret", "delete", "k")
    assert done.stderr == 'error: key "k" is mapped to an existing secret in backend "store"; change it there\n'
