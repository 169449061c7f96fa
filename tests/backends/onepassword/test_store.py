"""1Password, against a double of its program `op` that refuses what the documentation says the real one refuses.

Nothing here has met the real program: see tests/backends/doubles/op.
"""

from __future__ import annotations

import json
import os
import textwrap
import time

import pytest

from envref.backends.onepassword.store import OnePassword
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendLocked,
    BackendTimeout,
    BackendUnavailable,
    FieldNotFound,
    SecretNotFound,
)
from tests.backends.asking import KEY, answers_of, error_of, foreign, keys, soon
from tests.backends.contract import BackendContract, values_of
from tests.backends.doubles.onepassword.account import OP, TOKEN, field, installed
from tests.backends.stores import shim
from tests.lateness import Stopwatch, as_set
from tests.processes import left_of
from tests.requirements import first_python, others_at_night

MARKER = "marker-9c41e7"
HANGS_FOR = "86413"  # seconds; a number that no other process sleeps for


@pytest.fixture
def account(tmp_path, monkeypatch):
    return installed(tmp_path / "account", monkeypatch)


@pytest.fixture
def store(account):
    return OnePassword("op")


@others_at_night
class TestOnePassword(BackendContract):
    foreign_name = "GitHub Work Token"
    throttles = False  # its limits are an hour's or a day's: another try within seconds would cost one more

    @pytest.fixture
    def store(self, account):
        self.account = account
        return OnePassword("op")

    def plant(self, store, name, value):
        self.account.add(name, field("username", "me"), field("password", value), category="LOGIN")


WAYS = ["stop", "whole", "go on"]


class TestManyAtOnce:
    """How many processes a batch costs, whichever way op takes an item that is not there: nobody documents it."""

    @pytest.fixture(params=WAYS)
    def way(self, account, request):
        account.change(unknown=request.param)
        return request.param

    def filled(self, account, *numbers):
        for number in numbers:
            account.note(f"app/key{number}", f"value {number}")

    def asked(self, store, count):
        return answers_of(store, *keys(*(f"key{number}" for number in range(count))))

    @pytest.mark.parametrize("count", [1, 25])
    def test_one_process_reads_all_that_is_there(self, account, store, way, count):
        """Any number of references is one process, if no item is missing."""
        self.filled(account, *range(count))
        assert self.asked(store, count) == {f"app/key{number}": f"value {number}" for number in range(count)}
        assert account.verbs() == ["get"]

    @pytest.mark.parametrize("missing", [0, 5, 11])
    def test_one_absentee_costs_one_process_more_at_most(self, account, store, way, missing):
        """With one item missing it is two processes at most, wherever in the batch it stands."""
        present = [number for number in range(12) if number != missing]
        self.filled(account, *present)
        assert self.asked(store, 12) == {f"app/key{number}": f"value {number}" for number in present}
        is_known_at_once = way == "go on" or (way == "stop" and missing == 11)
        assert account.verbs() == (["get"] if is_known_at_once else ["get", "get"])

    def test_many_absentees_cost_no_process_each(self, account, store, way):
        """With twenty of forty items missing it is four processes."""
        self.filled(account, *range(0, 40, 2))
        assert len(self.asked(store, 40)) == 20
        assert account.verbs() == (["get"] if way == "go on" else ["get", "get", "list", "get"])

    def test_a_single_absent_item_is_one_process(self, account, store, way):
        """To say that one item is missing takes one process."""
        assert answers_of(store, KEY) == {}
        assert account.verbs() == ["get"]

    def test_a_profile_costs_two(self, account, store, way):
        """The profile's candidates are mostly absent, so the vault is listed first."""
        self.filled(account, 1, 2)
        account.note("app/staging/key1", "staging")
        pairs = [Address("app", f"key{n}", profile=profile) for n in range(30) for profile in ("staging", None)]
        assert answers_of(store, *pairs) == {
            "app/key1": "value 1",
            "app/key2": "value 2",
            "app/staging/key1": "staging",
        }
        assert account.verbs() == ["list", "get"]

    def test_a_vault_without_any_of_them_is_listed_only(self, account, store):
        """Where nothing is there, nothing is fetched."""
        assert answers_of(store, Address("app", "key", profile="staging"), KEY) == {}
        assert account.verbs() == ["list"]

    def test_several_fields_of_an_item_are_one_question(self, account, store):
        """An item is asked for once, whatever is wanted of it."""
        account.add("app/db", field("user", "admin"), field("notesPlain", "note"))
        wanted = [Address("app", "db", field=name) for name in ("user", "notesPlain", None)]
        assert answers_of(store, *wanted) == {"app/db#user": "admin", "app/db#notesPlain": "note", "app/db": "note"}
        assert account.verbs() == ["get"]

    def test_writes_take_two_processes(self, account, store):
        """Creating, replacing and deleting first look for the item."""
        store.set(KEY, Secret("one"), soon())
        assert account.verbs() == ["get", "create"]
        store.set(KEY, Secret("two"), soon())
        assert account.verbs() == ["get", "edit"]
        store.delete(KEY, soon())
        assert account.verbs() == ["get", "delete"]
        assert list(store.list("app", soon())) == []
        assert account.verbs() == ["list"]


@others_at_night
class TestNames:
    """An item is the one with that very title, whatever op itself would take for it."""

    @pytest.mark.parametrize("profile", [None, "staging"])
    def test_items_of_one_title_are_an_error(self, account, store, profile):
        """Two items with the title: no guess, and the other references are answered."""
        account.note("app/key", "one")
        account.note("app/key", "two")
        account.note("app/other", "its value")
        answers = answers_of(store, KEY, *keys("other"), Address("app", "absent", profile=profile))
        error = answers.pop("app/key")
        assert isinstance(error, BackendInvalid)
        assert error.message == '1password: op get: more than one item matches "app/key"'
        assert answers == {"app/other": "its value"}

    @pytest.mark.parametrize("call", ["set", "delete"])
    def test_items_of_one_title_are_not_changed(self, account, store, call):
        """Writing refuses where a title is not unique."""
        account.note("app/key", "one")
        account.note("app/key", "two")
        before = account.state
        arguments = [KEY, Secret("three"), soon()] if call == "set" else [KEY, soon()]
        assert isinstance(error_of(lambda: getattr(store, call)(*arguments)), BackendInvalid)
        assert account.state == before

    def test_an_item_asked_by_id_hides_no_other_of_its_title(self, account, store):
        """By its id an item is found; its title stays ambiguous, although only one of the two was printed."""
        first = account.note("Shared", "one")
        account.note("Shared", "two")
        answers = answers_of(store, foreign(first), foreign("absent"), foreign("Shared"))
        assert answers[first] == "one"
        assert isinstance(answers["Shared"], BackendInvalid)

    @pytest.mark.parametrize("way", WAYS)
    def test_other_capitals_are_another_key(self, account, store, way):
        """Where op ignores case, envref doesn't: another item's value is never taken."""
        account.change(folds_case=True, unknown=way)
        account.note("app/KEY", "capital")
        assert answers_of(store, KEY) == {}
        assert answers_of(store, KEY, *keys("KEY")) == {"app/KEY": "capital"}
        store.set(KEY, Secret("small"), soon())
        assert answers_of(store, KEY, *keys("KEY")) == {"app/KEY": "capital", "app/key": "small"}

    def test_a_domain_is_no_title(self, account, store):
        """op finds a login by its domain; envref does not, and looks into the list."""
        account.add("GitHub", field("password", "hunter22"), category="LOGIN", domains=["github.com"])
        assert answers_of(store, foreign("github.com")) == {}
        assert account.verbs() == ["get", "list"]

    @pytest.mark.parametrize("title", ['{"id": "x"}', "[staging]", 'the "best"', "-", " edge ", "two\nlines"])
    def test_a_title_that_no_line_can_say_is_found_in_the_list(self, account, store, title):
        """What op would take for JSON, an option or two lines is found all the same."""
        account.note(title, "its value")
        assert answers_of(store, foreign(title), foreign("absent")) == {title: "its value"}
        assert answers_of(store, foreign(title)) == {title: "its value"}

    def test_a_complaint_about_one_name_is_not_about_another(self, account, store):
        """An item is not absent because the name of an absent one ends with its name."""
        account.note("best", "its value")
        assert answers_of(store, foreign('the "best'), foreign("best")) == {"best": "its value"}

    def test_another_vault_is_not_looked_into(self, account):
        """Two backends of one type with different vaults don't see each other's items."""
        account.note("app/key", "personal")
        account.note("app/key", "engineering", vault="Engineering")
        assert answers_of(OnePassword("a"), KEY) == {"app/key": "personal"}
        assert answers_of(OnePassword("b", vault="Engineering"), KEY) == {"app/key": "engineering"}

    def test_an_item_that_goes_away_meanwhile_is_no_absence(self, store, programs):
        """Deleted between list and get: the reference fails, and the chain does not move on."""
        item = {"id": "abc", "title": "app/key"}
        programs.op(
            f"""
            case "$2" in
              list) echo '{json.dumps([item])}' ;;
              *) echo '[ERROR] 2026/01/02 03:04:05 "abc" isn'"'"'t an item in the "Personal" vault.' >&2; exit 1 ;;
            esac
            """
        )
        profile = Address("app", "key", profile="p")
        error = error_of(lambda: store.get_many([profile, KEY], soon()))
        assert isinstance(error, BackendUnavailable)


class TestFields:
    LOGIN = (field("username", "me"), field("password", "hunter22"), field("notesPlain", "note"))

    @pytest.mark.parametrize(
        ("fields", "value"),
        [
            (LOGIN, "hunter22"),
            ((field("notesPlain"), field("credential", "ghp_x")), "ghp_x"),
            ((field("notesPlain", "note"),), "note"),
            ((field("password"), field("notesPlain", "note")), "note"),
            ((field("password"), field("credential", ""), field("notesPlain", "note")), "note"),
        ],
        ids=["password", "credential", "note", "empty_password", "empty_credential"],
    )
    def test_a_foreign_item_has_a_default_field(self, account, store, fields, value):
        """Of an item of your own: the first of password, credential and note that somebody filled in."""
        identifier = account.add("My Item", *fields, category="LOGIN")
        assert answers_of(store, foreign("My Item"), foreign(identifier)) == {"My Item": value, identifier: value}

    def test_a_field_is_named_by_label_or_id(self, account, store):
        """`#FIELD` is the field's id, else its label."""
        account.add("Item", {"id": "x7", "type": "CONCEALED", "label": "API key", "value": "k"}, *self.LOGIN)
        wanted = [foreign("Item", name) for name in ("x7", "API key", "username")]
        assert answers_of(store, *wanted) == {"Item#x7": "k", "Item#API key": "k", "Item#username": "me"}

    def test_a_label_of_several_fields_is_an_error(self, account, store):
        """Two fields of one label are told apart by their ids."""
        account.add("Item", {"id": "1a", "label": "key", "value": "a"}, {"id": "2b", "label": "key", "value": "b"})
        answers = answers_of(store, foreign("Item", "key"), foreign("Item", "2b"))
        assert answers["Item#2b"] == "b"
        assert answers["Item#key"].lines() == [
            'error: 1password: item "Item" has several fields "key"',
            "  hint: name one of #1a, #2b",
        ]

    def test_a_field_of_a_section_is_named_with_it(self, account, store):
        """`#SECTION/FIELD`, by titles or ids; the label alone is an error that names both."""
        account.add(
            "GitHub",
            field("password", "p"),
            {"id": "a1", "label": "token", "section": {"id": "s1", "label": "Staging"}, "value": "one"},
            {"id": "a2", "label": "token", "section": {"id": "s2", "label": "Prod"}, "value": "two"},
            category="LOGIN",
        )
        wanted = [foreign("GitHub", name) for name in ("Staging/token", "Prod/token", "s1/a1", "a2", "token")]
        answers = answers_of(store, *wanted)
        ambiguous = answers.pop("GitHub#token")
        assert answers == {
            "GitHub#Staging/token": "one",
            "GitHub#Prod/token": "two",
            "GitHub#s1/a1": "one",
            "GitHub#a2": "two",
        }
        assert ambiguous.lines()[1:] == ["  hint: name one of #Staging/token, #Prod/token"]
        error = answers_of(store, foreign("GitHub", "Test/token"))["GitHub#Test/token"]
        assert isinstance(error, FieldNotFound)
        assert error.advice == "its fields: password, Staging/token, Prod/token"

    def test_a_field_that_nobody_filled_in_is_no_empty_value(self, account, store):
        """A field by name that is empty, and an item whose default fields all are: errors, and no empty variable."""
        account.add("Item", field("password"), field("username", ""), field("notesPlain"), category="LOGIN")
        answers = answers_of(store, foreign("Item"), foreign("Item", "password"), foreign("Item", "username"))
        assert [type(answer) for answer in answers.values()] == [BackendInvalid, FieldNotFound, FieldNotFound]
        assert answers["Item"].message == '1password: item "Item" has no text'
        assert answers["Item#password"].message.startswith(
            '1password: field "password" of "Item" is empty; op item get shows'
        )

    def test_a_one_time_password_is_the_code(self, account, store):
        """`?attribute=otp` behind the field, as op has it; without it the field is the seed's URL."""
        code = {
            "id": "TOTP_1",
            "type": "OTP",
            "label": "one-time password",
            "value": "otpauth://totp/x",
            "totp": "481920",
        }
        account.add("GitHub", *self.LOGIN, code, category="LOGIN")
        pasted = foreign("op://Personal/GitHub/one-time password?attribute=otp")
        wanted = [foreign("GitHub", "one-time password?attribute=otp"), foreign("GitHub", "one-time password")]
        assert list(answers_of(store, *wanted, pasted).values()) == ["481920", "otpauth://totp/x", "481920"]
        error = answers_of(store, foreign("GitHub", "password?attribute=otp"))["GitHub#password?attribute=otp"]
        assert error.message.startswith('1password: field "password" of "GitHub" has no otp; op item get shows')

    def test_a_private_key_may_be_had_as_openssh_writes_it(self, account, store):
        """`?ssh-format=openssh`, as op has it."""
        formats = {"openssh": {"value": "-----BEGIN OPENSSH-----"}}
        key = {"id": "private_key", "label": "private key", "value": "-----BEGIN PRIVATE-----", "ssh_formats": formats}
        account.add("deploy", key, category="SSH_KEY")
        pasted = foreign("op://Personal/deploy/private key?ssh-format=openssh")
        assert list(answers_of(store, pasted).values()) == ["-----BEGIN OPENSSH-----"]

    def test_without_such_a_field_the_value_is_read_as_json(self, account, store):
        """A field that the item lacks is a member of its value, if that is JSON; null and no member are not there."""
        account.note("app/db", '{"user": "admin", "port": 5432, "none": null, "deep": {"list": ["x"]}}')
        wanted = [Address("app", "db", field=name) for name in ("user", "port", "none", "lost", "/deep/list/0")]
        answers = answers_of(store, *wanted)
        absent = [answers.pop(f"app/db#{name}") for name in ("none", "lost")]
        assert [type(answer) for answer in absent] == [FieldNotFound, FieldNotFound]
        assert answers == {"app/db#user": "admin", "app/db#port": "5432", "app/db#/deep/list/0": "x"}

    def test_no_field_and_no_json_is_an_absent_field(self, account, store):
        """Neither a field of that name nor JSON: the fields that there are are named."""
        account.note("app/db", f"plain text {MARKER}")
        error = answers_of(store, Address("app", "db", field="user"))["app/db#user"]
        assert isinstance(error, FieldNotFound)
        assert error.message == '1password: field "user": "app/db" has no such field; its fields: notesPlain'
        assert MARKER not in values_of(error)

    @pytest.mark.parametrize(
        ("address", "name"),
        [(Address("app", "db"), "notesPlain"), (foreign("app/db"), "password")],
    )
    def test_an_item_without_its_field_is_not_absent(self, account, store, address, name):
        """An item that has no field for the value is an error that names the field."""
        account.add("app/db", field("username", "me"))
        (error,) = answers_of(store, address).values()
        assert isinstance(error, BackendInvalid)
        assert error.message == f'1password: item "app/db" has no field "{name}"'


class TestSecretReferences:
    """`ref://op//op://VAULT/ITEM/[SECTION/]FIELD`, as the desktop app copies it."""

    @pytest.fixture(autouse=True)
    def items(self, account):
        section = {"id": "s1", "label": "Admin"}
        account.add("GitHub", field("password", "p"), {**field("token", "t"), "section": section}, category="LOGIN")
        account.add("Stripe", field("credential", '{"key": "k"}'), vault="Engineering", category="API_CREDENTIAL")

    @pytest.mark.parametrize(
        ("reference", "value"),
        [
            ("op://Personal/GitHub/password", "p"),
            ("op://Personal/GitHub/Admin/token", "t"),
            ("op://Personal/github/admin/TOKEN", "t"),
            ("op://Engineering/Stripe/credential", '{"key": "k"}'),
        ],
    )
    def test_it_is_read(self, store, reference, value):
        """With and without section, in any capitals, from whichever vault it names."""
        assert answers_of(store, foreign(reference)) == {reference: value}

    def test_what_follows_it_is_a_member_of_its_value(self, store):
        """`#key` behind a secret reference goes into its JSON."""
        address = foreign("op://Engineering/Stripe/credential", "key")
        assert list(answers_of(store, address).values()) == ["k"]

    def test_each_vault_is_one_process(self, account, store):
        """References into two vaults and envref's own keys: one call a vault."""
        account.note("app/key", "own")
        references = ["op://Engineering/Stripe/credential", "op://Personal/GitHub/password"]
        answers = answers_of(store, KEY, *map(foreign, references))
        assert set(answers) == {"app/key", *references}
        assert account.verbs() == ["get", "get", "get"]

    def test_a_vault_that_is_not_there_costs_the_others_nothing(self, store):
        """One reference into an unknown vault fails alone."""
        bad, good = "op://Nope/GitHub/password", "op://Personal/GitHub/password"
        answers = answers_of(store, foreign(bad), foreign(good))
        assert answers.pop(good) == "p"
        assert isinstance(answers[bad], BackendDenied)

    def test_what_is_not_there_is_said_in_its_own_words(self, store):
        """An absent item names its vault, an absent field the fields that there are."""
        absent = foreign("op://Engineering/Nope/password")
        assert answers_of(store, absent) == {}
        assert store.absent(absent).message == '1password: op get: "Nope" isn\'t an item in the "Engineering" vault'
        error = answers_of(store, foreign("op://Personal/GitHub/Admin/nope"))["op://Personal/GitHub/Admin/nope"]
        assert error.message == (
            '1password: field "Admin/nope": "GitHub" has no such field; its fields: password, Admin/token'
        )

    def test_a_note_that_is_empty_holds_no_value(self, account, store):
        """Only a secret that envref keeps itself may be empty."""
        account.add("Empty", field("notesPlain"), vault="Personal")
        pasted = foreign("op://Personal/Empty/notesPlain")
        assert isinstance(answers_of(store, pasted)[str(pasted)], FieldNotFound)

    @pytest.mark.parametrize("text", ["op://", "op://Personal", "op://Personal/GitHub", "op://a/b/c/d/e", "op://a//b"])
    def test_another_form_is_refused(self, account, store, text):
        """A reference of fewer or more parts than op takes: an error with the form, and op is not asked."""
        error = answers_of(store, foreign(text))[text]
        assert error.lines()[1:] == ["  hint: write op://VAULT/ITEM/[SECTION/]FIELD"]
        assert account.verbs() == []


class TestFiles:
    """Nobody has seen how the real op ends a file that it prints; the double adds nothing."""

    @pytest.fixture
    def document(self, account):
        file = {"id": "f1", "name": "a.json", "content": '{"a": 1}\n'}
        return account.add("Doc", field("notesPlain"), category="DOCUMENT", files=[file])

    def test_a_document_alone_is_an_error_that_names_its_file(self, store, document):
        """A document has no field with text, so it is no empty value."""
        error = answers_of(store, foreign("Doc"))["Doc"]
        assert error.lines() == [
            'error: 1password: item "Doc" has no text',
            "  hint: name one of its files: #a.json",
        ]

    def test_its_file_is_its_text(self, account, store, document):
        """`#NAME` of the file, or a secret reference to it, is the content as it is; that is one process more."""
        wanted = [foreign("Doc", "a.json"), foreign("op://Personal/Doc/a.json"), foreign("Doc", "f1")]
        assert set(answers_of(store, *wanted).values()) == {'{"a": 1}\n'}
        assert [call["argv"][:3] for call in account.calls()][-1] == ["document", "get", document]
        assert len(account.calls()) == 3

    def test_a_file_of_another_item_is_read_by_its_name(self, account, store):
        """An attachment, also one in a section."""
        files = [
            {"id": "f1", "name": "key.pem", "content": "one"},
            {"id": "f2", "name": "old.pem", "section": {"id": "s", "label": "ssh"}, "content": "two"},
        ]
        account.add("server", field("password", "p"), category="SERVER", files=files)
        wanted = [foreign("server", "key.pem"), foreign("server", "ssh/old.pem")]
        assert list(answers_of(store, *wanted).values()) == ["one", "two"]
        error = answers_of(store, foreign("server", "new.pem"))["server#new.pem"]
        assert error.advice == "its fields: password, key.pem, ssh/old.pem"

    @pytest.mark.parametrize("odd", ['"section": "x"', '"ssh_formats": 7', '"section": {"label": 7}', '"totp": 7'])
    def test_members_of_another_kind_do_no_harm(self, store, programs, odd):
        """What an item holds beside the field that is wanted may be anything."""
        item = '{"id": "abc", "title": "T", "fields": [{"id": "x", "label": "x", "value": "v", ODD}]}'
        programs.op(f"cat >/dev/null; echo '{item.replace('ODD', odd)}'")
        assert answers_of(store, foreign("T", "x")) == {"T#x": "v"}
        assert isinstance(answers_of(store, foreign("T", "x?attribute=otp"))["T#x?attribute=otp"], BackendError)
        assert isinstance(answers_of(store, foreign("T", "y"))["T#y"], FieldNotFound)

    def test_a_file_that_can_not_be_had_fails_alone(self, account, store, document):
        """The error of one file is that reference's."""
        account.note("app/key", "v")
        account.change(fails=[[["document", "get"], "(403) Forbidden"]])
        answers = answers_of(store, KEY, foreign("Doc", "a.json"))
        assert answers["app/key"] == "v"
        assert isinstance(answers["Doc#a.json"], BackendDenied)


class TestWriting:
    def test_a_secret_is_a_secure_note(self, account, store):
        """Title = full key, category Secure Note, the value in notesPlain."""
        store.set(Address("app", "key", profile="staging"), Secret("v"), soon())
        item = account.items()["app/staging/key"]
        assert item["category"] == "SECURE_NOTE"
        assert [(each["id"], each["purpose"], each["value"]) for each in item["fields"]] == [
            ("notesPlain", "NOTES", "v")
        ]

    def test_replacing_keeps_what_others_added(self, account, store):
        """Fields and sections that somebody added to the note survive a new value."""
        sections = [{"id": "s", "label": "Owner"}]
        added = {"id": "o", "label": "owner", "value": "me", "section": sections[0]}
        account.add("app/key", field("notesPlain", "old"), added, sections=sections)
        store.set(KEY, Secret("new"), soon())
        item = account.items()["app/key"]
        assert {each["id"]: each["value"] for each in item["fields"]} == {"notesPlain": "new", "o": "me"}
        assert answers_of(store, KEY) == {"app/key": "new"}

    @pytest.mark.parametrize("call", ["set", "delete"])
    def test_only_secure_notes_are_changed(self, account, store, call):
        """A login that has the title of a key is neither overwritten nor deleted: it would lose its passkeys."""
        account.add("app/key", field("password", "p"), category="LOGIN")
        before = account.state
        arguments = [KEY, Secret("x"), soon()] if call == "set" else [KEY, soon()]
        error = error_of(lambda: getattr(store, call)(*arguments))
        assert error.message == '1password: item "app/key" is not a Secure Note; change it in 1Password'
        assert account.state == before

    @pytest.mark.parametrize("call", ["set", "delete"])
    def test_a_foreign_item_is_read_only(self, account, store, call):
        """An item by a name of its own is never written, and op is not even asked."""
        arguments = [foreign("GitHub"), Secret("x"), soon()] if call == "set" else [foreign("GitHub"), soon()]
        assert isinstance(error_of(lambda: getattr(store, call)(*arguments)), BackendInvalid)
        assert account.verbs() == []

    def test_only_secure_notes_are_listed(self, account, store):
        """The list holds the project's notes, each title once."""
        account.note("app/key", "1")
        account.note("app/key", "2")
        account.add("app/login", category="LOGIN")
        account.note("app/", "3")
        assert list(store.list("app", soon())) == ["key"]


# what the double is made to say, by its own rules: a change of the account, the environment -> class and lines
SIGNED_OUT = (BackendLocked, ["error: 1password: op: not signed in", "  run: op signin"])
STATES = {
    "signed_out": ({"signed_in": False}, {}, SIGNED_OUT),
    "no_account": ({"accounts": []}, {}, SIGNED_OUT),
    "wrong_session": ({"signed_in": False}, {"OP_SESSION_my": "x", "OP_ACCOUNT": "my.1password.com"}, SIGNED_OUT),
    "expired": ({"expired": ["OP_SESSION_my"]}, {"OP_SESSION_my": "x"}, SIGNED_OUT),
    "bad_token": (
        {},
        {"OP_SERVICE_ACCOUNT_TOKEN": "nonsense"},
        (BackendDenied, ["error: 1password: op: failed to DecodeSACredentials: illegal base64 data at input byte 4"]),
    ),
    "old_token": (
        {},
        {"OP_SERVICE_ACCOUNT_TOKEN": "ops_old"},
        (BackendDenied, ["error: 1password: op: (401) Unauthor"]),
    ),
    "connect": (
        {},
        {"OP_CONNECT_HOST": "http://127.0.0.1:9", "OP_CONNECT_TOKEN": "x", "OP_SERVICE_ACCOUNT_TOKEN": TOKEN},
        (BackendDenied, ["error: 1password: op: (401) Unauthorized: Invalid bearer token"]),
    ),
    "no_vault": (
        {"vaults": {"Other": []}},
        {},
        (
            BackendDenied,
            [
                'error: 1password: op: "Personal" isn\'t a vault in this account',
                "  hint: op vault list shows the vaults of the account",
            ],
        ),
    ),
}
# the same for words that the double does not come to by itself
FORBIDDEN = "(403) Forbidden: You aren't authorized to access this resource."
WORDS = {
    "forbidden": (FORBIDDEN, BackendDenied, FORBIDDEN),
    "line": (f"unable to process line 3: {FORBIDDEN}", BackendDenied, FORBIDDEN),
    "not_signed_in": ("account is not signed in", BackendLocked, "not signed in"),
    "prompt": ("authorization timeout", BackendLocked, "authorization timeout"),
    "dismissed": (
        "error initializing client: authorization prompt dismissed, please try again",
        BackendLocked,
        "error initializing client: authorization prompt dismissed, please try again",
    ),
    "accounts": (
        "multiple accounts found. Use the --account flag or set the OP_ACCOUNT environment variable",
        BackendInvalid,
        "op is signed in to several accounts",
    ),
    "ambiguous account": (
        'error initializing client: found multiple accounts for filter "my.1password.com"',
        BackendInvalid,
        'error initializing client: found multiple accounts for filter "my.1password.com"',
    ),
    "desktop": ("connecting to desktop app timed out", BackendLocked, "connecting to desktop app timed out"),
    "limit by status": ("(429) Too Many Requests: slow down", BackendUnavailable, "(429) Too Many Requests: slow down"),
    "no app": (
        "cannot connect to 1Password app, make sure it is running",
        BackendUnavailable,
        "cannot connect to 1Password app, make sure it is running",
    ),
    "limit": ("Too many requests", BackendUnavailable, "Too many requests"),
    "network": (
        "dial tcp 127.0.0.1:9: connect: connection refused",
        BackendUnavailable,
        "dial tcp 127.0.0.1:9: connect: connection refused",
    ),
    "unknown": ("the item was not found, it isn't there", BackendUnavailable, "the item was not found, it isn't there"),
    "colours": ("\x1b[31mToo many requests\x1b[0m", BackendUnavailable, "Too many requests"),
    "silent": ("", BackendUnavailable, "failed without a message"),
}
CALLS = {
    "read": lambda store: store.get_many([KEY], soon()),
    "read_with_profile": lambda store: store.get_many([KEY, Address("app", "key", profile="p")], soon()),
    "set": lambda store: store.set(KEY, Secret(MARKER), soon()),
    "delete": lambda store: store.delete(KEY, soon()),
    "list": lambda store: store.list("app", soon()),
}


@others_at_night
class TestErrors:
    @pytest.mark.parametrize("call", ["read", "set", "list"])
    @pytest.mark.parametrize("kind", STATES)
    def test_a_refusal_has_its_class(self, account, store, monkeypatch, kind, call):
        """Signed out, a bad token, an unknown vault: whatever is asked, the same error, and never "missing"."""
        changes, environment, (expected, lines) = STATES[kind]
        account.change(**changes)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        error = error_of(lambda: CALLS[call](store))
        assert type(error) is expected
        assert error.lines()[0].startswith(lines[0])
        assert error.lines()[1:][: len(lines) - 1] == lines[1:]

    @pytest.mark.parametrize("kind", WORDS)
    def test_words_have_their_class(self, account, store, kind):
        """op's words become a class of error once; unknown ones are "unavailable"."""
        message, expected, shown = WORDS[kind]
        account.change(fails=[[["item"], message]])
        error = error_of(lambda: store.get_many([KEY], soon()))
        assert type(error) is expected
        assert error.message == f"1password: op: {shown}"
        assert error.cure()

    @pytest.mark.parametrize(("call", "verb"), [("set", "create"), ("set", "edit"), ("delete", "delete")])
    def test_a_write_that_is_refused_is_an_error(self, account, store, call, verb):
        """May read and not write: denied, and nothing of the value is told."""
        account.change(fails=[[["item", verb], FORBIDDEN]])
        if verb != "create":
            account.note("app/key", "old")
        before = account.state
        error = error_of(lambda: CALLS[call](store))
        assert type(error) is BackendDenied
        assert MARKER not in values_of(error)
        assert account.state == before

    def test_an_absent_item_has_the_sentence_of_the_documentation(self, account):
        """Deleting what is not there names title and vault."""
        store = OnePassword("op", vault="Engineering")
        error = error_of(lambda: store.delete(KEY, soon()))
        assert isinstance(error, SecretNotFound)
        assert error.message == '1password: op get: "app/key" isn\'t an item in the "Engineering" vault'

    def test_a_hostile_name_is_shown_escaped(self, store):
        """A name that could steer the terminal is escaped."""
        assert "\x1b" not in store.absent(foreign("\x1b[2J")).message

    @pytest.mark.parametrize("flox", ["", "/flox/env"])
    def test_a_missing_program_says_how_to_install_it(self, monkeypatch, tmp_path, flox):
        """Without op: what was looked for, and a line to paste, Flox's inside a Flox environment."""
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("FLOX_ENV", flox)
        error = error_of(lambda: OnePassword("op").get_many([KEY], soon()))
        assert isinstance(error, BackendUnavailable)
        assert error.lines() == [
            "error: 1password: start op: executable file not found in $PATH",
            f"  run: {'flox install _1password-cli' if flox else 'brew install 1password-cli'}, then op signin",
        ]


@others_at_night
class TestCalls:
    """What op is started with."""

    def test_the_service_account_needs_nothing_else(self, account, store, monkeypatch):
        """With a service account's token, which demands the vault on every call, all of it works."""
        account.change(accounts=[], signed_in=False, service_token=TOKEN)
        monkeypatch.setenv("OP_SERVICE_ACCOUNT_TOKEN", TOKEN)
        store.set(KEY, Secret("one"), soon())
        store.set(KEY, Secret("two"), soon())
        assert answers_of(store, KEY, Address("app", "key", profile="p")) == {"app/key": "two"}
        assert list(store.list("app", soon())) == ["key"]
        store.delete(KEY, soon())
        assert answers_of(store, KEY) == {}

    def test_a_session_in_the_environment_is_enough(self, account, store, monkeypatch):
        """`eval $(op signin)` sets OP_SESSION_…, which op inherits."""
        account.change(signed_in=False, sessions={"OP_SESSION_my": "token"})
        monkeypatch.setenv("OP_SESSION_my", "token")
        assert answers_of(store, KEY) == {}

    def test_the_account_is_named_in_every_call(self, account):
        """`account` chooses one of several accounts."""
        store = OnePassword("op", account="my.1password.com")
        for call in ("read_with_profile", "set", "list", "delete"):
            CALLS[call](store)
        assert all(call["argv"][-2:] == ["--account", "my.1password.com"] for call in account.calls())
        assert isinstance(error_of(lambda: answers_of(OnePassword("op", account="other"), KEY)), BackendLocked)

    def test_json_is_asked_for_whatever_the_caller_prefers(self, account, store, monkeypatch):
        """OP_FORMAT of the caller does not reach op, and every call names the format."""
        monkeypatch.setenv("OP_FORMAT", "human-readable")
        store.set(KEY, Secret("v"), soon())
        assert all("OP_FORMAT" not in call["environment"] for call in account.calls())
        assert all("--format json" in " ".join(call["argv"]) for call in account.calls())

    def test_input_is_a_pipe_or_nothing(self, account, store):
        """op takes templates and names from a pipe only; a call without input gets none to wait for."""
        for call in ("set", "set", "read_with_profile", "delete", "list"):
            CALLS[call](store)
        kinds = {call["argv"][1]: call["stdin"] for call in account.calls()}
        assert kinds == {"get": "fifo", "create": "fifo", "edit": "fifo", "list": "null", "delete": "null"}

    def test_no_value_is_in_an_argument_or_a_file(self, account, store, tmp_path, monkeypatch):
        """A value is neither in op's arguments nor in its environment, nor in any file but the vault's own."""
        wrapped = shim.recorded(tmp_path / "shim", OP, "op")
        monkeypatch.setenv("PATH", f"{wrapped.path}:{os.environ['PATH']}")
        (account.directory / "marker").write_text(MARKER)
        for _ in range(2):
            store.set(KEY, Secret(f"{MARKER}\nsecond line"), soon())
        assert answers_of(store, KEY) == {"app/key": f"{MARKER}\nsecond line"}
        assert wrapped.count() == 5
        assert MARKER not in str(wrapped.argvs())
        vault, marker = account.directory / "account.json", account.directory / "marker"
        files = [path for path in tmp_path.rglob("*") if path.is_file() and path not in (vault, marker)]
        assert not [path for path in files if MARKER.encode() in path.read_bytes()]

    def test_the_program_may_be_named(self, account, tmp_path):
        """`command` is a name on PATH or a path, relative to the project."""
        (tmp_path / "tools").mkdir()
        (tmp_path / "tools/op2").symlink_to(OP)
        account.note("app/key", "v")
        assert answers_of(OnePassword("op", command="./tools/op2", root=str(tmp_path)), KEY) == {"app/key": "v"}
        assert answers_of(OnePassword("op", command=str(OP)), KEY) == {"app/key": "v"}


class Programs:
    """Stand-ins for op, in bash."""

    def __init__(self, directory):
        self.directory = directory

    def op(self, body):
        path = self.directory / "op"
        path.write_text("#!/bin/bash\n" + textwrap.dedent(body))
        path.chmod(0o755)


@pytest.fixture
def programs(tmp_path, monkeypatch, account):
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    return Programs(directory)


ITEM = json.dumps({"id": "abc", "title": "app/key", "category": "SECURE_NOTE", "fields": [field("notesPlain", MARKER)]})
HALF = ITEM[: ITEM.index(MARKER) + len(MARKER)]
FAULTS = {
    "rubbish": ("echo oops", BackendInvalid),
    "megabyte": ("head -c 1048576 /dev/zero | tr '\\0' x", BackendInvalid),
    "too_much": ("head -c 100000000 /dev/zero", BackendInvalid),
    "megabyte_of_stderr": ("head -c 1048576 /dev/zero | tr '\\0' x >&2; exit 1", BackendUnavailable),
    "bad_utf8": (r"printf '\xff\xfe{}'", BackendInvalid),
    "bad_utf8_in_a_value": (ITEM.replace(MARKER, r"\xff"), BackendInvalid),
    "surrogate": (ITEM.replace(MARKER, r"\\ud800"), BackendInvalid),
    "nul": (ITEM.replace(MARKER, r"\\u0000"), BackendInvalid),
    "deep": ("head -c 200000 /dev/zero | tr '\\0' '['", BackendInvalid),
    "long_number": ("printf '{\"n\":'; head -c 100000 /dev/zero | tr '\\0' 9; echo '}'", BackendInvalid),
    "number_for_an_item": ("echo 7", BackendInvalid),
    "no_title": ("""echo '{"id": "abc"}'""", BackendInvalid),
    "fields_of_another_kind": (ITEM.replace('"fields": [', '"fields": ["x", '), BackendInvalid),
    "fields_as_object": ("""echo '{"id": "abc", "title": "app/key", "fields": {}}'""", BackendInvalid),
    "section_of_another_kind": (ITEM.replace(f'"{MARKER}"', f'7, "section": "{MARKER}"'), BackendInvalid),
    "files_of_another_kind": ("""echo '{"id": "abc", "title": "app/key", "files": ["x"]}'""", BackendInvalid),
    "value_of_another_kind": (ITEM.replace(f'"{MARKER}"', "7"), BackendInvalid),
    "half_a_reply": (HALF, BackendInvalid),
    "dies_half_way": (f"{HALF}; kill -9 $$", BackendUnavailable),
    "dies": ("kill -9 $$", BackendUnavailable),
    "fails_after_the_reply": (f"{ITEM}; exit 3", BackendUnavailable),
    "escapes_on_stderr": (r"printf '\033]0;title\007\033[2Jgone\n' >&2; exit 1", BackendUnavailable),
}


def printing(body):
    """A stand-in's script; one that starts with a brace is printed as it is."""
    reply, _, end = body.partition("; ") if body.startswith("{") else ("", "", body)
    return f"printf '{reply}'; {end or ':'}" if reply else end


@others_at_night
class TestFaults:
    @pytest.mark.parametrize("kind", FAULTS)
    def test_a_broken_program_is_an_error(self, store, programs, kind):
        """Whatever op prints and however it ends: the right class, soon, and no value in the message."""
        body, expected = FAULTS[kind]
        programs.op(printing(body))
        watch = Stopwatch()
        try:
            error = store.get_many([KEY], soon())[KEY]
        except BackendError as raised:
            error = raised
        assert isinstance(error, expected)
        assert watch.seconds() < 5
        shown = values_of(error)
        assert MARKER not in shown
        assert all(len(line) < 400 and line.isprintable() for line in error.lines())

    def test_an_answer_in_colours_is_read(self, store, programs):
        """Colours around JSON do no harm."""
        programs.op(f"printf '\\033[32m%s\\033[0m' '{ITEM}'")
        assert answers_of(store, KEY) == {"app/key": MARKER}

    def test_talk_on_stderr_is_no_failure(self, store, programs):
        """op may announce a new version of itself."""
        programs.op(f"echo '[ERROR] 2026/01/02 03:04:05 \"app/key\" is old' >&2; echo '{ITEM}'")
        assert answers_of(store, KEY) == {"app/key": MARKER}

    def test_absence_is_said_by_a_failure_only(self, store, programs):
        """A success that talks of an absent item proves nothing: the list decides."""
        programs.op(
            f"""
            case "$2$(cat)" in
              list*) echo '[{ITEM}]' ;;
              get[[]*) echo '{ITEM}' ;;
              *) echo "\\"app/key\\" isn't an item" >&2 ;;
            esac
            """
        )
        assert answers_of(store, KEY) == {"app/key": MARKER}

    def test_an_id_that_is_no_word_never_becomes_an_argument(self, store, programs):
        """An answer can't smuggle an option into the next call."""
        programs.op(f"""echo '{ITEM.replace('"abc"', '"--help"')}'""")
        assert isinstance(error_of(lambda: store.delete(KEY, soon())), BackendInvalid)

    @first_python
    @pytest.mark.parametrize(
        ("body", "call"),
        [
            *((f"sleep {HANGS_FOR}", call) for call in CALLS),
            (f"sleep {HANGS_FOR} & sleep {HANGS_FOR}", "read"),
            (f"sleep {HANGS_FOR} & sleep {HANGS_FOR}", "set"),
            (f"trap '' TERM INT; cat; sleep {HANGS_FOR}", "set"),
            ("while :; do printf ' '; sleep 0.05; done", "read"),
        ],
    )
    def test_a_program_that_hangs_is_ended(self, store, programs, monkeypatch, body, call):
        """A prompt that nobody answers ends with the time given, and leaves no process."""
        programs.op(body)
        monkeypatch.setitem(globals(), "soon", lambda: time.monotonic() + 0.5)
        watch = Stopwatch()
        error = error_of(lambda: CALLS[call](store))
        assert watch.seconds() < 1.5
        assert isinstance(error, BackendTimeout)
        message = as_set(error.message, 0.5)
        assert message == "1password: no answer within 0.5 s; raise --timeout or the backend's timeout"
        assert left_of(programs.directory) == []

    def test_the_doubles_own_hang_is_ended(self, account, store):
        """So is the double's, with its standard input open."""
        account.change(hang=True)
        with pytest.raises(BackendTimeout):
            store.get_many([KEY], time.monotonic() + 0.5)


def entry(name, **options):
    return {"name": name, "type": "1password", "config": options}


@pytest.fixture
def team(project, account):
    """The project of the user documentation: my-saas-app, whose secrets are in the vault Engineering."""

    def configure(*backends, **fields):
        config = {"project": "my-saas-app", "profiles": {"staging": None}, "backends": backends, **fields}
        project.write(".envref.yaml", json.dumps(config))

    project.configure = configure
    configure(entry("op", vault="Engineering", account="mycompany.1password.com"))
    account.change(accounts=["my.1password.com", "mycompany.1password.com"])
    return project


class TestEnvref:
    """The whole process."""

    def test_team_setup_of_the_documentation(self, team, account):
        """Stored by envref in the vault Engineering, referenced in .env, resolved in one op process."""
        for name, value in {"stripe_api_key": "sk_live_abc123", "sendgrid_key": "SG.xyz789"}.items():
            done = team.envref("secret", "set", name, "--value", value)
            assert (done.returncode, done.stdout) == (0, "")
            assert f'secret "{name}" stored in backend "op"\n' in done.stderr
        assert set(account.items("Engineering")) == {"my-saas-app/stripe_api_key", "my-saas-app/sendgrid_key"}
        team.write(".env", "STRIPE_API_KEY=ref://secrets/stripe_api_key\nSENDGRID_KEY=ref://secrets/sendgrid_key\n")
        account.verbs()
        done = team.envref("resolve")
        assert done.stdout == "STRIPE_API_KEY=sk_live_abc123\nSENDGRID_KEY=SG.xyz789\n"
        assert account.verbs() == ["get"]

    def test_set_get_list_delete(self, team, account):
        """A value from standard input comes back, is listed, and is gone after deletion."""
        assert team.envref("secret", "set", "key", "--backend", "op", stdin=f"{MARKER}\n").returncode == 0
        assert team.envref("secret", "get", "key", "--backend", "op").stdout == f"{MARKER}\n"
        assert team.envref("secret", "list", "--backend", "op").stdout == "key\n"
        assert team.envref("secret", "delete", "key", "--backend", "op", "--force").returncode == 0
        done = team.envref("secret", "get", "key", "--backend", "op")
        assert (done.returncode, done.stdout) == (1, "")
        assert account.items("Engineering") == {}

    def test_a_missing_secret_says_how_to_store_it(self, team):
        """The sentence of the troubleshooting page, with the command that cures it."""
        done = team.envref("secret", "delete", "key", "--backend", "op", "--force")
        assert done.returncode == 1
        assert (
            '1password: op get: "my-saas-app/key" isn\'t an item in the "Engineering" vault (backend "op")'
            in done.stderr
        )
        team.write(".env", "KEY=ref://op/key\n")
        assert "run: envref secret set key --backend op" in team.envref("resolve").stderr

    def test_a_profile_comes_first(self, team, account):
        """The profile's own value wins, and the project's stands in, in two processes."""
        account.change(vaults={"Engineering": []})
        account.note("my-saas-app/a", "project a", vault="Engineering")
        account.note("my-saas-app/b", "project b", vault="Engineering")
        team.envref("secret", "set", "a", "--profile", "staging", stdin="staging a")
        account.verbs()
        team.write(".env", "A=ref://secrets/a\nB=ref://op/b\n")
        assert team.envref("resolve", "--profile", "staging").stdout == "A=staging a\nB=project b\n"
        assert account.verbs() == ["list", "get"]
        assert team.envref("resolve").stdout == "A=project a\nB=project b\n"
        assert team.envref("secret", "list", "--profile", "staging").stdout == "a\n"

    def test_two_vaults_side_by_side(self, team, account):
        """Two backends of this type keep their own values."""
        team.configure(entry("personal"), entry("team", vault="Engineering"))
        team.envref("secret", "set", "key", "--backend", "personal", stdin="mine")
        team.envref("secret", "set", "key", "--backend", "team", stdin="ours")
        team.write(".env", "MINE=ref://personal/key\nOURS=ref://team/key\n")
        assert team.envref("resolve").stdout == "MINE=mine\nOURS=ours\n"

    def test_items_that_exist_already(self, team, account):
        """By title or id with `//`, by `names:`, with and without a field, in one process."""
        item = account.add("GitHub Work Token", field("credential", "ghp_1"), field("username", "me"))
        account.add("Staging DB", field("password", "pw"), category="LOGIN")
        names = {"github_token": "GitHub Work Token#credential", "db_password": "Staging DB#password"}
        team.configure({**entry("op"), "names": names})
        lines = {
            "TITLE": "ref://op//GitHub%20Work%20Token",
            "ID": f"ref://op//{item}#username",
            "MAPPED": "ref://secrets/github_token",
            "OTHER": "ref://secrets/github_token#username",
            "DB": "ref://secrets/db_password",
        }
        team.write(".env", "".join(f"{name}={reference}\n" for name, reference in lines.items()))
        done = team.envref("resolve")
        assert done.stdout == "TITLE=ghp_1\nID=me\nMAPPED=ghp_1\nOTHER=me\nDB=pw\n", done.stderr
        assert account.verbs() == ["get"]
        refused = team.envref("secret", "set", "github_token", stdin="x")
        assert 'key "github_token" is mapped to an existing secret in backend "op"' in refused.stderr

    def test_a_secret_reference_is_pasted_as_it_is(self, team, account):
        """`ref://op//` and what the desktop app copies, with its blanks escaped; its own query is not envref's."""
        code = {**field("one-time password", "otpauth://totp/x"), "type": "OTP", "totp": "481920"}
        token = {**field("token", "t"), "section": {"id": "s", "label": "Work"}}
        account.add("GitHub", field("password"), token, code, category="LOGIN")
        account.note("Runbook", "text", vault="Engineering")
        lines = {
            "TOKEN": "ref://op//op://Personal/GitHub/Work/token",
            "CODE": "ref://op//op://Personal/GitHub/one-time%20password?attribute=otp",
            "PORT": "ref://op//op://Personal/GitHub/port?default=443",
            "NOTE": "ref://op//op://Engineering/Runbook/notesPlain",
        }
        team.write(".env", "".join(f"{name}={reference}\n" for name, reference in lines.items()))
        done = team.envref("resolve")
        assert done.stdout == "TOKEN=t\nCODE=481920\nPORT=443\nNOTE=text\n", done.stderr

    def test_signed_out(self, team, account):
        """A reference that can't be had says what to run, and the rest of the file is printed."""
        account.change(signed_in=False, accounts=[])
        team.write(".env", "PLAIN=1\nKEY=ref://secrets/key\n")
        done = team.envref("resolve")
        assert (done.returncode, done.stdout) == (3, "PLAIN=1\n")
        assert "1password: op: not signed in" in done.stderr
        assert "  run: op signin" in done.stderr

    def test_an_outage_does_not_lead_to_the_next_store(self, team, account):
        """Signed out of the first store, the second is not asked; an absent item lets it answer."""
        team.configure(entry("first", account="mycompany.1password.com"), entry("second", vault="Engineering"))
        account.note("my-saas-app/key", "second", vault="Engineering")
        team.write(".env", "KEY=ref://secrets/key\n")
        assert team.envref("resolve").stdout == "KEY=second\n"
        account.change(fails=[[["item", "get", "-", "--vault", "Personal"], "account is not signed in"]])
        done = team.envref("resolve")
        assert (done.returncode, done.stdout) == (3, "")

    def test_a_program_that_is_not_there(self, team, tmp_path):
        """op is missing: what, and how to install it."""
        team.write(".env", "KEY=ref://secrets/key\n")
        done = team.envref("resolve", env={"PATH": str(tmp_path)})
        assert done.returncode == 3
        assert "1password: start op: executable file not found in $PATH" in done.stderr
        assert "  run: brew install 1password-cli, then op signin" in done.stderr

    def test_a_hanging_program_ends_with_the_timeout(self, team, account):
        """--timeout limits what op may take, and the command ends within a second more."""
        account.change(hang=True)
        team.write(".env", "KEY=ref://secrets/key\n")
        watch = Stopwatch()
        done = team.envref("resolve", "--timeout", "0.5")
        assert watch.seconds() < 3  # with the start of Python, on a busy machine
        assert done.returncode == 3
        assert "1password: no answer within 0.5 s" in as_set(done.stderr, 0.5)
        assert left_of(account.directory) == []
