"""What envref makes of each answer of `op`, and what it asks for: no program is started."""

from __future__ import annotations

import json

import pytest

from envref.backends.command import Finished
from envref.backends.onepassword.complaints import Ambiguous, error_of, says_absent
from envref.backends.onepassword.item import Attachment, content, printed, safe_id
from envref.backends.onepassword.meaning import Meaning, Title
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
from tests.backends import asking
from tests.backends.asking import answers_of, foreign, keys, soon
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python

KEY = keys("key")[0]
OPTIONS = ["--vault", "Dev", "--format", "json"]
ABSENT = (1, "", '[ERROR] 2026/01/02 03:04:05 "app/key" isn\'t an item. Specify the item')


def store(**options):
    return OnePassword("op", vault="Dev", **options)


def item(title="app/key", value="v", identity="id1", **more):
    """An item with envref's note, as `op` prints it."""
    noted = {"id": "notesPlain", "label": "notesPlain", "value": value}
    return {"id": identity, "title": title, "category": "SECURE_NOTE", "fields": [noted], **more}


def shown(*items):
    return "\n".join(map(json.dumps, items))


def absent(*titles):
    return "".join(f'[ERROR] 2026/01/02 03:04:05 "{title}" isn\'t an item\n' for title in titles)


class TestReading:
    def test_all_in_one_call(self, answering):
        """One name a line."""
        answering(shown(item("app/a", "1"), item("app/b", "2", "id2", updated_at="1970-01-01T00:00:01Z")))
        one, two = keys("a", "b")
        found = store(account="me").get_many([one, two], soon())
        assert {address.key: (each.reveal(), each.revision) for address, each in found.items()} == {
            "a": ("1", "id1-None"),
            "b": ("2", "id2.1000"),
        }
        assert answering.asked == [["item", "get", "-", *OPTIONS, "--account", "me"]]
        assert answering.payloads == [b"app/a\napp/b"]

    def test_an_absent_one_ends_the_call(self, answering):
        """The others are asked for once more, and then looked up in the list."""
        answers = [
            (1, shown(item("app/a")), absent("app/b")),
            (1, "", absent("app/c")),
            shown(item("app/d", identity="id4"), item("app/x", identity="id9")),
            shown(item("app/d", "4", "id4")),
        ]
        answering(lambda *_: answers.pop(0))
        assert answers_of(store(), *keys(*"abcd")) == {"app/a": "v", "app/d": "4"}
        assert [words[1] for words in answering.asked] == ["get", "get", "list", "get"]
        assert answering.payloads[:2] == [b"app/a\napp/b\napp/c\napp/d", b"app/c\napp/d"]
        assert json.loads(answering.payloads[3]) == [{"id": "id4", "vault": {}}]

    def test_a_single_absent_one(self, answering):
        """Costs one call."""
        answering((1, "", absent("app/key")))
        assert answers_of(store(), KEY) == {}
        assert len(answering.asked) == 1

    def test_names_that_no_line_can_say(self, answering):
        """Are looked up in the list: op would take them for JSON, or for another name."""
        listed = shown([item(title, title, f"id{at}") for at, title in enumerate(('a"b', "{a", "[a"))])
        answering(listed)
        assert sorted(answers_of(store(), foreign('a"b'), foreign("{a"), foreign("[a"), foreign("none{"))) == [
            "[a",
            'a"b',
            "{a",
        ]
        assert [words[1] for words in answering.asked] == ["get", "list", "get"]
        assert answering.payloads[0] == b"none{"

    def test_with_a_profile_the_list_comes_first(self, answering):
        """As its own items often don't exist; without any of them there is nothing to read."""
        answering(lambda words, _: shown([item()]) if words[1] == "list" else shown(item()))
        assert answers_of(store(), KEY, Address("app", "key", profile="p")) == {"app/key": "v"}
        assert [words[1] for words in answering.asked] == ["list", "get"]
        answering("")
        assert answers_of(store(), KEY, Address("app", "key", profile="p")) == {}
        assert [words[1] for words in answering.asked] == ["list"]

    def test_each_vault_by_itself(self, answering):
        """An error of one is not the other's; that of the only one is raised."""
        refs = [foreign("op://A/db/f"), foreign("op://B/db/f")]
        found = item("db", fields=[{"id": "f", "value": "v"}])
        answering(lambda words, _: shown(found) if "A" in words else (1, "", "B isn't a vault"))
        assert [type(each).__name__ for each in answers_of(store(), *refs).values()] == ["str", "BackendDenied"]
        assert {words[words.index("--vault") + 1] for words in answering.asked} == {"A", "B"}
        assert isinstance(asking.error_of(lambda: store().get_many(refs[1:], soon())), BackendDenied)

    def test_several_items_of_a_title(self, answering):
        """Are an error with their ids; op's own complaint about it leads to the list."""
        two = [item(identity="id1"), item(identity="id2")]
        answering(
            lambda words, _: shown(two) if words[1] == "list" else (1, "", 'More than one item matches "app/key"')
        )
        error = answers_of(store(), KEY)["app/key"]
        assert error.lines() == [
            'error: 1password: op get: more than one item matches "app/key"',
            "  hint: name one by its id: id1, id2",
        ]
        assert [words[1] for words in answering.asked] == ["get", "list"]

    def test_an_item_that_goes_away_meanwhile(self, answering):
        """Is no absence."""
        answering(lambda words, _: shown([item()]) if words[1] == "list" else ABSENT)
        error = asking.error_of(lambda: store().get_many([KEY, Address("app", "key", profile="p")], soon()))
        assert error.message == "1password: op: an item was deleted while it was being read; try again"

    def test_files(self, answering):
        """Each by a call of its own; with the item's revision, or an error of its own."""
        attached = [{"id": "f1", "name": "a.txt"}, {"id": "f2", "name": "b.txt"}]
        held = item("web", identity="id1", updated_at=7, files=attached, vault={"id": "v1"})
        outcomes = {"f1": "file", "f2": (1, "", "odd")}
        answering(lambda words, _: outcomes[words[-1][-2:]] if words[0] == "read" else shown(held))
        named = [Address("", "", foreign="web", field=name) for name in ("a.txt", "b.txt")]
        found = store().get_many(named, soon())
        assert (found[named[0]].reveal(), found[named[0]].revision) == ("file", "id1.7000")
        assert found[named[1]].message == "1password: op: odd"
        assert answering.asked[1:] == [
            ["read", "--no-newline", "op://v1/id1/f1"],
            ["read", "--no-newline", "op://v1/id1/f2"],
        ]

    def test_revisions(self, answering):
        """One listing for each vault; what is not there is left out."""
        answering(
            lambda words, _: (
                shown([item(updated_at=7), item("db", identity="id2", version=3)]) if "Dev" in words else (1, "", "odd")
            )
        )
        asked = [KEY, foreign("db"), foreign("none"), foreign("op://B/db/f"), foreign("op://x")]
        found = store().revisions(asked, soon())
        assert (found[KEY], found[foreign("db")]) == ("id1.7000", "id2-3")
        assert [type(found[each]) for each in asked[3:]] == [BackendUnavailable, BackendInvalid]
        assert len(found) == 4
        assert [words[1] for words in answering.asked] == ["list", "list"]


class TestWriting:
    def test_a_new_one(self, answering):
        """A Secure Note; the value is on standard input alone."""
        answering(lambda words, _: ABSENT if words[1] == "get" else "{}")
        store().set(KEY, Secret("ä"), soon())
        assert answering.asked[1] == ["item", "create", "-", *OPTIONS]
        assert json.loads(answering.payloads[1]) == {
            "title": "app/key",
            "category": "SECURE_NOTE",
            "fields": [{"id": "notesPlain", "type": "STRING", "purpose": "NOTES", "label": "notesPlain", "value": "ä"}],
        }
        assert "ä".encode() in answering.payloads[1]

    def test_one_that_is_there(self, answering):
        """Keeps what others added."""
        held = item(fields=[{"id": "notesPlain", "value": "old"}, {"id": "x", "value": "y"}], tags=["t"])
        answering(lambda words, _: shown(held) if words[1] == "get" else "{}")
        store().set(KEY, Secret("v"), soon())
        assert answering.asked[1] == ["item", "edit", "id1", *OPTIONS]
        written = json.loads(answering.payloads[1])
        assert (written["tags"], [each["id"] for each in written["fields"]]) == (["t"], ["notesPlain", "x"])
        assert written["fields"][0]["value"] == "v"

    @pytest.mark.parametrize("verb", ["set", "delete"])
    def test_what_is_not_its_own(self, answering, verb):
        """Of another category, or a foreign name."""
        answering(shown(item(category="LOGIN")))

        def call(address):
            return store().set(address, Secret("v"), soon()) if verb == "set" else store().delete(address, soon())

        error = asking.error_of(lambda: call(KEY))
        assert error.message == '1password: item "app/key" is not a Secure Note; change it in 1Password'
        error = asking.error_of(lambda: call(foreign("x")))
        assert error.message == '1password: "x" is not envref\'s own; change it in 1Password'
        assert len(answering.asked) == 1

    def test_deleting(self, answering):
        """By its id; what is not there says so."""
        answering(lambda words, _: shown(item()) if words[1] == "get" else "")
        store().delete(KEY, soon())
        assert answering.asked[1] == ["item", "delete", "id1", *OPTIONS]
        answering(ABSENT)
        error = asking.error_of(lambda: store().delete(KEY, soon()))
        assert (type(error), len(answering.asked)) == (SecretNotFound, 1)

    @pytest.mark.parametrize("held", [shown(item()), ABSENT])
    def test_a_write_that_fails(self, answering, held):
        """Is an error."""
        answering(lambda words, _: held if words[1] == "get" else (1, "", "(403) Forbidden"))
        assert isinstance(asking.error_of(lambda: store().set(KEY, Secret("v"), soon())), BackendDenied)

    def test_listing(self, answering):
        """Titles of Secure Notes, each once."""
        titles = ("app/a", "app/a", "app/p/b", "apple/c", "app/")
        answering(shown([item(title, identity=f"id{at}") for at, title in enumerate(titles)]))
        assert store().list("app", soon()) == ["a", "p/b"]
        assert answering.asked == [["item", "list", "--categories", "Secure Note", *OPTIONS]]
        answering((1, "", "odd"))
        assert asking.error_of(lambda: store().list("app", soon())).message == "1password: op: odd"


class TestPrinted:
    @pytest.mark.parametrize(
        ("output", "ids"),
        [
            (b"", []),
            (b" \n", []),
            (b'{"id": "a", "title": "t"} {"id": "b", "title": "t"}\n', ["a", "b"]),
            (b'[{"id": "a", "title": "t"}]{"id": "b", "title": "t"}', ["a", "b"]),
            (b'\x1b[1m{"id": "a", "title": "t"}\x1b[0m', ["a"]),
        ],
    )
    def test_items(self, output, ids):
        """As an array, or one after the other, in colours too."""
        assert [each["id"] for each in printed(output)] == ids

    @pytest.mark.parametrize(
        ("output", "fault"),
        [
            (b"rubbish", "invalid JSON response"),
            (b"\xff", "invalid JSON response"),
            (b"[" * 100_000, "invalid JSON response"),
            (b'{"id": "a"}', "invalid answer: an item without id or title"),
            (b'{"id": 1, "title": "t"}', "invalid answer: an item without id or title"),
            (b'{"title": "t"}', "invalid answer: an item without id or title"),
            (b"[1]", "invalid answer: an item without id or title"),
            (b"null", "invalid answer: an item without id or title"),
        ],
    )
    def test_what_is_none(self, output, fault):
        """Nothing of it is quoted."""
        error = asking.error_of(lambda: printed(output))
        assert error.lines() == [f"error: 1password: op: {fault}", "  hint: update the op program"]

    @pytest.mark.parametrize("identity", ["a-b", "", None, 1, "a b", "--x"])
    def test_an_id_that_is_no_word(self, identity):
        """Never becomes an argument."""
        assert "unexpected characters" in asking.error_of(lambda: safe_id({"id": identity})).message


def said(*fields, title="web", field="", is_own=False, any_case=False, inner=None, attribute="", **more):
    """What a name means in an item with these fields, or the lines of the error."""
    name = Meaning(Title(title, any_case=any_case), field, attribute, inner=inner, is_own=is_own)
    held = {"id": "i", "title": title, "fields": [*fields], **more}
    try:
        return content(name, held)
    except BackendError as error:
        return error.lines()


def one(identity, value="v", label="", **more):
    return {"id": identity, "label": label or identity, "value": value, **more}


SECTION = {"section": {"id": "s1", "label": "Login"}}
HINT = "  hint: op item get shows the fields of an item; name one of them: #FIELD"
ADVICE = "op item get shows the fields of an item; name one of them: #FIELD"


class TestItem:
    def test_the_default_of_another_item(self):
        """Its password, else its credential, else its note: the first that holds something."""
        assert said(one("notesPlain", "n"), one("credential", "c"), one("password", "p")) == "p"
        assert said(one("notesPlain", "n"), one("credential", "c"), one("password", "")) == "c"
        assert said(one("notesPlain", "n"), one("x")) == "n"
        assert said(one("x", "p", label="password")) == "p"
        assert said(one("x", "other", label="password"), one("password", "p")) == "p"

    def test_the_default_of_one_of_its_own(self):
        """Its note, also where that is empty; not of an item that somebody turned into another."""
        assert said(one("notesPlain", ""), is_own=True) == ""
        assert said(one("notesPlain", "v"), is_own=True, category="LOGIN") == "v"
        assert said(one("notesPlain", ""), is_own=True, category="LOGIN") == [
            'error: 1password: item "web" has no text',
            HINT,
        ]
        assert said(one("password"), is_own=True) == ['error: 1password: item "web" has no text', HINT]
        assert said(one("x", label="notesPlain"), is_own=True) == "v"

    def test_an_item_without_a_default(self):
        """Says what it has: no such field, no text, files."""
        assert said(one("x")) == ['error: 1password: item "web" has no field "password"', HINT]
        assert said(one("x"), is_own=True)[0] == 'error: 1password: item "web" has no field "notesPlain"'
        assert said(one("password", "")) == ['error: 1password: item "web" has no text', HINT]
        files = [{"id": "f1", "name": "a b.txt"}, {"id": "f2", "name": "c", **SECTION}]
        assert said(files=files)[1] == "  hint: name one of its files: #a%20b.txt, #Login/c"

    def test_a_field_by_its_id_its_label_or_its_section(self):
        """In this order."""
        assert said(one("b", "label", label="a"), one("a", "id"), field="a") == "id"
        assert said(one("b", "label", label="a"), one("c", "section", label="x", **SECTION), field="a") == "label"
        for field in ("Login/a", "s1/a", "Login/b", "s1/b"):
            assert said(one("b", "v", label="a", **SECTION), field=field) == "v"

    def test_capitals_count_but_in_a_secret_reference(self):
        """Where op does not mind them."""
        fields = [one("x", "v", label="Pass", **SECTION)]
        assert said(*fields, field="pass", any_case=True) == said(*fields, field="login/PASS", any_case=True) == "v"
        assert said(*fields, field="pass")[0].startswith('error: 1password: field "pass": "web" has no such field')
        assert said(*fields, one("y", "w", label="pass"), field="pass", any_case=True) == "w"

    def test_several_fields_of_a_name(self):
        """Are named by their sections, or by their ids."""
        two = [one("x", label="a", **SECTION), one("y", label="a")]
        assert said(*two, field="a") == [
            'error: 1password: item "web" has several fields "a"',
            "  hint: name one of #Login/a, #a",
        ]
        assert said(one("x", label="a"), one("y", label="a"), field="a")[1] == "  hint: name one of #x, #y"

    def test_a_field_that_is_empty_or_no_text(self):
        """Is no empty value."""
        assert said(one("a", ""), field="a") == [f'error: 1password: field "a" of "web" is empty; {ADVICE}']
        assert said({"id": "a"}, field="a") == [f'error: 1password: field "a" of "web" is empty; {ADVICE}']
        assert said(one("notesPlain", ""), field="notesPlain", is_own=True) == ""
        fault = "error: 1password: op: invalid answer: the value of a field is not text"
        assert said(one("a", 1), field="a")[0] == said(one("password", 1))[0] == fault

    def test_an_attribute(self):
        """A one-time password, a key as OpenSSH writes it."""
        otp = one("o", totp="123456")
        key = one("k", ssh_formats={"openssh": {"value": "ssh"}})
        assert said(otp, field="o", attribute="attribute=otp") == "123456"
        assert said(key, field="k", attribute="ssh-format=openssh") == "ssh"
        for attribute, name in (("attribute=otp", "otp"), ("ssh-format=openssh", "openssh")):
            told = f'error: 1password: field "a" of "web" has no {name}; {ADVICE}'
            assert said(one("a", ssh_formats=3), field="a", attribute=attribute) == [told]

    def test_a_member_of_its_value(self):
        """Behind a secret reference, or where there is no such field."""
        held = one("a", '{"x": {"y": 1}}')
        assert said(held, field="a", inner="/x/y") == "1"
        assert said(held, field="a", inner="z") == [
            'error: 1password: field "z": "a" has no such field; it has no fields'
        ]
        assert said(one("a", "text"), field="a", inner="z")[0].startswith('error: 1password: field "z"')
        assert said(one("password", '{"x": 1}'), field="x") == "1"
        assert said(one("password", "text"), one("e", ""), field="x", files=[{"id": "f", "name": "n"}]) == [
            'error: 1password: field "x": "web" has no such field; its fields: password, n'
        ]
        assert isinstance(
            asking.error_of(lambda: content(Meaning(Title("t"), "x"), {"id": "i", "title": "t"})), FieldNotFound
        )

    def test_a_file(self):
        """In the item's vault, else in that of the reference; a document is one."""
        file = {"id": "f1", "name": "a.txt", **SECTION}
        for field in ("f1", "a.txt", "Login/a.txt", "s1/f1"):
            assert said(files=[file], field=field) == Attachment("", "i", "f1", is_document=False)
        assert said(files=[file], field="f1", vault={"id": "v1"}).vault == "v1"
        assert said(files=[file], field="f1", category="DOCUMENT").is_document
        assert said(one("f1", "field"), files=[file], field="f1") == "field"
        twice = said(files=[file, {"id": "f2", "name": "a.txt"}], field="a.txt")
        assert twice[1] == "  hint: name one of #Login/a.txt, #a.txt"
        assert Attachment("", "i", "f", is_document=True).words("Dev") == ("document", "get", "i", "--vault", "Dev")
        assert Attachment("v", "i", "f", is_document=False).words("Dev") == ("read", "--no-newline", "op://v/i/f")

    @pytest.mark.parametrize("kind", ["fields", "files"])
    @pytest.mark.parametrize("odd", [{"a": 1}, [1], "x"])
    def test_members_of_another_kind(self, kind, odd):
        """Are none that envref knows."""
        name = Meaning(Title("t"), "x")
        error = asking.error_of(lambda: content(name, {"id": "i", "title": "t", "fields": [], kind: odd}))
        assert error.message == f"1password: op: invalid answer: the {kind} of an item are not an array of objects"


class TestMeaning:
    @pytest.mark.parametrize(
        ("name", "field", "expected"),
        [
            ("web", None, ("web", "", "", "", None, False)),
            ("web", "a?attribute=otp", ("web", "a", "attribute=otp", "", None, False)),
            ("web", "a?other", ("web", "a?other", "", "", None, False)),
            ("op://V/I/F", None, ("I", "F", "", "V", None, True)),
            ("op://V/I/S/F?ssh-format=openssh", "m", ("I", "S/F", "ssh-format=openssh", "V", "m", True)),
        ],
    )
    def test_a_name(self, name, field, expected):
        """An item and a field, or 1Password's own reference."""
        found = Meaning.of(foreign(name), field)
        told = (found.title.text, found.field, found.attribute, found.vault, found.inner, found.title.any_case)
        assert (told, found.is_own) == (expected, False)
        assert Meaning.of(KEY, None).is_own

    @pytest.mark.parametrize("name", ["op://V/I", "op://V/I/S/F/G", "op://V//F", "op:///I/F", "op://V/I/"])
    def test_another_form(self, name):
        """Three or four parts, none of them empty."""
        assert asking.error_of(lambda: Meaning.of(foreign(name), None)).lines() == [
            f'error: 1password: "{name}" is not a secret reference',
            "  hint: write op://VAULT/ITEM/[SECTION/]FIELD",
        ]

    def test_which_items_a_title_matches(self):
        """The id before the title, each item once; other capitals only where they don't count."""
        items = [item("a", identity="x"), item("x", identity="y"), item("A", identity="z"), item("A", identity="z")]
        assert [each["id"] for each in Title("x").matching(items)] == ["x"]
        assert [each["id"] for each in Title("A").matching(items)] == ["z"]
        assert Title("Y2").matching(items) == Title("X").matching(items) == []
        assert [each["id"] for each in Title("X", any_case=True).matching(items)] == ["y"]
        assert Title("a") != Title("a", any_case=True)
        assert Title("a") != "a"
        assert len({Title("a"), Title("a"), Title("a", any_case=True)}) == 2


VAULTS = "op vault list shows the vaults of the account"
ACCESS = "the account needs access to the vault and its items"
STAMP = "[ERROR] 2026/01/02 03:04:05"
SIGNED_OUT = (
    *("You are not currently signed in", "account is not signed in", "could not find session token"),
    *("No accounts configured", "session expired"),
)
ACCOUNT = "option account names one; op account list shows them"
APPROVE = "run it again and approve it in 1Password; op signin asks beforehand"


class TestComplaints:
    @pytest.mark.parametrize(
        ("text", "kind", "message", "cure"),
        [
            (
                '"V" isn\'t a vault',
                BackendDenied,
                '"V" isn\'t a vault',
                "op vault list shows the vaults of the account",
            ),
            *((text, BackendLocked, "not signed in", "op signin") for text in SIGNED_OUT),
            ("multiple accounts found", BackendInvalid, "op is signed in to several accounts", ACCOUNT),
            ("authorization denied", BackendLocked, "authorization denied", APPROVE),
            (
                "(403) Forbidden",
                BackendDenied,
                "(403) Forbidden",
                "the account needs access to the vault and its items",
            ),
            ("(429) x", BackendUnavailable, "(429) x", "op service-account ratelimit shows the limits"),
            ("More than one item matches", Ambiguous, "More than one item matches", None),
            (f'{STAMP} unable to process line 3: "x" isn\'t an item', SecretNotFound, '"x" isn\'t an item', None),
        ],
    )
    def test_its_words(self, text, kind, message, cure):
        """Without the time and the line that it writes before them."""
        error = error_of(Finished(1, b"", text))
        assert (type(error), error.message) == (kind, f"1password: op: {message}")
        assert cure is None or cure in (error.hint, " ".join(error.run))
        assert error_of(Finished(0, b"", text)) is None

    def test_an_absence_is_said_of_a_name(self):
        """By a call that failed."""
        text = "\x1b[1m" + absent("a")
        assert says_absent(Finished(1, b"", text), "a")
        assert not says_absent(Finished(1, b"", text), "b")
        assert not says_absent(Finished(0, b"", text), "a")

    def test_an_error_of_running_it(self, answering):
        """Is the store's."""
        answering(BackendTimeout("late"))
        assert asking.error_of(lambda: store().get_many([KEY], soon())).message == "late"
