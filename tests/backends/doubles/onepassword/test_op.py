"""The double refuses what stores.md 11 says that the real `op` refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.backends.doubles.onepassword.account import OP, TOKEN, Account, field
from tests.requirements import first_python

pytestmark = first_python  # it is no part of envref

MARKER = "marker-9c41e7"


@pytest.fixture
def account(tmp_path, monkeypatch):
    monkeypatch.setenv("OP_DOUBLE", str(tmp_path))
    return Account(tmp_path)


def op(*arguments, stdin=None, **environment):
    """The double itself; its completed result."""
    return subprocess.run(
        [sys.executable, str(OP), *arguments],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        check=False,
    )


class TestDouble:
    def refused(self, words, *arguments, **options):
        done = op(*arguments, **options)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
        assert done.stderr.startswith("[ERROR] 20")

    def test_only_a_pipe_is_standard_input(self, account, tmp_path):
        """A redirected file is not read: the category is asked for instead."""
        (tmp_path / "template").write_text('{"title": "t", "category": "SECURE_NOTE"}')
        with (tmp_path / "template").open() as file:
            done = subprocess.run([OP, "item", "create", "-"], stdin=file, capture_output=True, text=True, check=False)
        assert "provide the item category with '--category' flag" in done.stderr
        self.refused("expected data on stdin but none found", "inject")

    def test_templates(self, account):
        """A template needs JSON, a dash to be read, no --template beside it, and a password in a Password."""
        note = '{"title": "t", "category": "SECURE_NOTE"}'
        self.refused("invalid JSON in piped input", "item", "create", "-", stdin="{")
        self.refused("--category", "item", "create", stdin=note)
        self.refused("from template and stdin", "item", "create", "-", "--template", "x", stdin=note)
        account.note("t", "v")
        self.refused("from template and stdin", "item", "edit", "t", "--template", "x", stdin=note)
        self.refused("Password item requires ps value", "item", "create", "-", stdin='{"category": "PASSWORD"}')

    def test_an_edit_replaces_all_fields(self, account):
        """What the template lacks is gone."""
        account.add("t", field("notesPlain", "v"), field("extra", "x"))
        op("item", "edit", "t", stdin=json.dumps({"fields": [field("notesPlain", "w")]}))
        assert [each["id"] for each in account.items()["t"]["fields"]] == ["notesPlain"]

    def test_a_service_account_must_name_the_vault(self, account):
        """Without --vault a service account's item command is refused."""
        account.change(service_token=TOKEN)
        self.refused("vault query must be provided", "item", "list", OP_SERVICE_ACCOUNT_TOKEN=TOKEN)

    def test_references(self, account):
        """Split at every slash; a newline follows unless told not to; a missing field or item fails."""
        account.note("app/key", "v")
        account.note("flat", "v")
        self.refused("too many '/'", "read", "op://Personal/app/key/extra/notesPlain")
        self.refused("could not get item Personal/app", "read", "op://Personal/app/key/notesPlain")
        self.refused("does not have a field 'x'", "read", "op://Personal/flat/x")
        assert op("read", "op://Personal/flat/notesPlain").stdout == "v\n"
        assert op("read", "--no-newline", "op://Personal/flat/notesPlain").stdout == "v"

    def test_inject_is_all_or_nothing(self, account):
        """One missing reference, and nothing is printed."""
        account.note("flat", "v")
        assert op("inject", stdin="a={{ op://Personal/flat/notesPlain }}\n").stdout == "a=v\n"
        lines = "a={{ op://Personal/flat/notesPlain }}\nb={{ op://Personal/lost/notesPlain }}\n"
        self.refused("isn't an item", "inject", stdin=lines)

    def test_people_see_concealed_fields_only_when_they_ask(self, account):
        """--fields hides a concealed value without --reveal; an empty field has no value in JSON."""
        account.add("t", field("password", "hunter22", type="CONCEALED"), field("notesPlain", ""))
        assert "hunter22" not in op("item", "get", "t", "--fields", "label=password").stdout
        assert op("item", "get", "t", "--fields", "label=password", "--reveal").stdout == "hunter22\n"
        shown = json.loads(op("item", "get", "t", "--format", "json").stdout)
        assert ["value" in each for each in shown["fields"]] == [True, False]

    def test_several_items_are_no_array(self, account):
        """`get -` prints one JSON object after the other, for lines and for objects with an id."""
        ids = [account.note(f"t{number}", "v") for number in range(2)]
        by_id = json.dumps([{"id": each} for each in ids])
        for given in ("t0\nt1", by_id):
            printed = op("item", "get", "-", "--format", "json", stdin=given).stdout
            assert printed.count('"title"') == 2
            assert not printed.startswith("[")
            with pytest.raises(ValueError, match="Extra data"):
                json.loads(printed)

    def test_ambiguity_and_the_unknown(self, account):
        """Two items of one title, an unknown flag, and a value among the arguments are refused."""
        account.note("t", "1")
        account.note("t", "2")
        self.refused('More than one item matches "t"', "item", "get", "t")
        self.refused("unknown flag: --password", "item", "get", "t", "--password", "x")
        (account.directory / "marker").write_text(MARKER)
        assert op("item", "get", MARKER).returncode == 97
