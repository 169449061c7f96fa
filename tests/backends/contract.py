"""What every store must do. A store's test module inherits `BackendContract` and says how a fresh store is made."""

from __future__ import annotations

import re
import time
import traceback

import pytest

from envref.backends.throttling import TRIES, Throttled
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import BackendError, BackendInvalid, BackendTimeout, FieldNotFound, SecretNotFound

EXACT = {
    "plain": "postgres://admin:hunter2@db.example/app",
    "unicode": "pä$$wörd — пароль 密码 🔑",
    "quotes": """it's "quoted" `twice` \\ and \\n is no line end""",
    "shell": "$(id) ${HOME} !! ; | & > < * ? ~ #",
    "blanks": "  kept around\t ",
    "multi_line": "-----BEGIN KEY-----\nMIIB\n\nAgEA\n-----END KEY-----",
    "carriage_returns": "one\r\ntwo\rthree",
    "control": "\x01\x1b[31mred\x1b[0m\x7f",
    "leading_dash": "-rf --value",
    "file_url": "file:///etc/hostname",
    "at_file": "@/etc/hostname",
    "json": '{"value": "no", "error": "not found"}',
    "number": "007",
    "null": "null",
    "reference": "ref://secrets/other",
    "long": "0123456789abcdef" * 512,
}

KEYS = ("with space", "100%", "50%41", "ключ", "dot.ted", "a_b-c", "nested/deeper/key", "UPPER", "K.__history.1")


INERT = re.compile(r"[A-Za-z0-9_:-]*(\.[0-9]+)?")  # what a revision may be: nothing of it means anything to a shell


def values_of(exception):
    """All text that a person or a log could be shown of an exception."""
    shown = [*traceback.format_exception(exception), *exception.lines()]
    return "\n".join(shown)


class BackendContract:
    """The tests of a writable store. The attributes say what a store can't hold, whatever envref does."""

    holds_empty = True
    holds_trailing_newline = True
    alike = ("a/b", "a.b", "a_b", "a-b", "a b", "a%2Fb", "A/b")  # keys that it tells apart
    limit = 30  # seconds that one call of a test may take
    first_version = ""  # what `?version=` calls the first of two values; empty where the store has no versions
    foreign_name = ""  # a name as its users have it, which envref would not make; empty where there are none
    throttles = None  # whether the service can be made to say that it is asked too often; each store's test decides it

    @pytest.fixture
    def store(self):
        """A fresh, writable store."""
        raise NotImplementedError

    def address(self, key, profile=None, project="app"):
        return Address(project, key, profile=profile)

    @property
    def deadline(self):
        return time.monotonic() + self.limit

    def put(self, store, key, value, **scope):
        store.set(self.address(key, **scope), Secret(value), self.deadline)

    def read(self, store, key, **scope):
        """The stored text, the store's error, or None when it is not there."""
        return self.read_address(store, self.address(key, **scope))

    def read_address(self, store, address):
        answer = store.get_many([address], self.deadline).get(address)
        return answer.reveal() if isinstance(answer, Secret) else answer

    def plant(self, store, name, value):
        """Stores a secret under a name of the store's own, as somebody else than envref would."""
        raise NotImplementedError

    def throttle(self, times):
        """Has the service refuse that many requests, in its own words for "too often"; a function that counts them."""
        raise NotImplementedError

    def test_a_secret_of_another_hand_is_read(self, store):
        """Under its own name, and never changed; another such name is absent. A store without foreign names refuses."""
        assert bool(store.foreign_names) == bool(self.foreign_name), "say in the test what `foreign_names` promises"
        if not self.foreign_name:
            assert isinstance(self.read_address(store, Address("", "", foreign="name")), BackendInvalid)
            return
        self.plant(store, self.foreign_name, "value")
        planted, absent = (Address("", "", foreign=f"{self.foreign_name}{end}") for end in ("", "absent"))
        assert dict(store.get_many([planted, absent], self.deadline)) == {planted: Secret("value")}
        for change in (lambda: store.set(planted, Secret("x"), self.deadline), lambda: store.delete(planted, 0.0)):
            with pytest.raises(BackendInvalid):
                change()

    def test_an_earlier_version_is_read(self, store):
        """Beside the latest one, in one question; a version that there is not is absent."""
        assert bool(store.versions) == bool(self.first_version), "say in the test what `versions` promises"
        if not self.first_version:
            pytest.skip("this store has no versions: the core refuses to ask for one")
        self.put(store, "key", "first")
        self.put(store, "key", "second")
        latest = self.address("key")
        first, absent = (Address("app", "key", version=name) for name in (self.first_version, self.absent_version))
        answers = dict(store.get_many([first, latest, absent], self.deadline))
        assert answers == {first: Secret("first"), latest: Secret("second")}

    absent_version = "77"  # in the form of the store's versions

    def test_a_throttled_store_is_asked_again(self, store):
        """Twice refused, then answered: nobody sees it."""
        assert self.throttles is not None, "say in the test whether the store limits rates, and how it is made to"
        if not self.throttles:
            pytest.skip("this store does not limit rates")
        self.put(store, "key", "value")
        count = self.throttle(2)
        assert self.read(store, "key") == "value"
        assert count() == 2

    def test_a_store_that_goes_on_refusing_is_left_alone(self, store):
        """After three tries, with the store's reason and a cure."""
        if not self.throttles:
            pytest.skip("this store does not limit rates")
        self.put(store, "key", "value")
        count = self.throttle(99)
        error = self.error_of_reading(store, self.address("key"), self.deadline)
        assert isinstance(error, Throttled)
        assert error.cure()
        assert count() == TRIES

    pause = 0.0  # seconds after which a write surely has another revision than the one before

    def revisions(self, store, *keys):
        """What the cheap question says of the keys, by key; where there is none, what the values come with."""
        addresses = {self.address(key): key for key in keys}
        read = dict(store.get_many(list(addresses), self.deadline))
        with_values = {addresses[address]: answer.revision for address, answer in read.items()}
        if not self.asks_revisions:
            with pytest.raises(BackendError) as raised:
                store.revisions(list(addresses), self.deadline)
            assert raised.value.cure() == ["  run: envref stale --read"] or raised.value.hint
            return with_values
        told = {addresses[address]: each for address, each in store.revisions(list(addresses), self.deadline).items()}
        assert told == with_values, "the cheap question and the value's own answer say the same"
        return told

    forgets_deleted = True  # whether a name can be used again as soon as it is deleted
    asks_revisions = True  # whether there is a question for them that fetches no value

    def test_each_writing_has_a_revision_of_its_own(self, store):
        """Also where the secret was deleted and made again; an unchanged one keeps its own, an absent one has none."""
        if not store.keeps_revisions:
            with pytest.raises(BackendInvalid):
                store.revisions([self.address("key")], self.deadline)
            pytest.skip("this store keeps no revisions")
        for key in ("changed", "made-again", "kept"):
            self.put(store, key, f"value of {key}")
        first = self.revisions(store, "changed", "made-again", "kept", "absent")
        assert set(first) == {"changed", "made-again", "kept"}
        assert all(INERT.fullmatch(each) for each in first.values())
        time.sleep(self.pause)
        self.put(store, "changed", "another value")
        if self.forgets_deleted:
            store.delete(self.address("made-again"), self.deadline)
            assert set(self.revisions(store, "made-again", "kept")) == {"kept"}
        self.put(store, "made-again", "value of made-again")
        second = self.revisions(store, "changed", "made-again", "kept", "absent")
        assert {key for key in first if first[key] != second[key]} == {"changed", "made-again"}

    def test_nothing_asked_is_nothing_answered(self, store):
        """An empty question costs nothing and gives an empty answer."""
        assert store.get_many([], self.deadline) == {}

    @pytest.mark.parametrize("kind", EXACT)
    def test_a_value_comes_back_as_it_was_set(self, store, kind):
        """Every character of a value survives, whatever it looks like."""
        self.put(store, "key", EXACT[kind])
        assert self.read(store, "key") == EXACT[kind]

    @pytest.mark.parametrize("end", ["\n", "\n\n", "\r\n"])
    def test_line_ends_at_the_end_of_a_value_are_kept(self, store, end):
        """A value keeps the line ends that it ends with."""
        if not self.holds_trailing_newline:
            pytest.skip("this store drops them")
        self.put(store, "key", f"value{end}")
        assert self.read(store, "key") == f"value{end}"

    def test_an_empty_value_is_not_an_absent_one(self, store):
        """An empty value is found, and is empty."""
        if not self.holds_empty:
            pytest.skip("this store has no empty values")
        self.put(store, "key", "")
        assert self.read(store, "key") == ""

    @pytest.mark.parametrize("value", ["one\0two", "lone \ud800 surrogate"])
    def test_a_value_that_no_variable_can_hold_is_refused(self, store, value):
        """NUL and text that is not Unicode are refused when set, and nothing is stored."""
        with pytest.raises(BackendError):
            self.put(store, "key", value)
        assert self.read(store, "key") is None

    def test_setting_again_replaces(self, store):
        """The last value set is the one that is read."""
        self.put(store, "key", "first")
        self.put(store, "key", "second")
        assert self.read(store, "key") == "second"

    def test_an_absent_key_is_left_out(self, store):
        """Of several keys, the answer holds those that are there and no others."""
        self.put(store, "here", "value")
        here, absent = self.address("here"), self.address("absent")
        assert dict(store.get_many([absent, here], self.deadline)) == {here: Secret("value")}

    def test_an_absent_field_is_not_an_absent_secret(self, store):
        """A store that reads fields itself says which one a secret lacks, names those it has, and shows no value."""
        if not store.reads_fields:
            pytest.skip("the core takes the field: tests/resolve/test_resolve.py")
        self.put(store, "key", '{"user": "marker-7f3a9c"}')
        address = Address("app", "key", field="nofield")
        error = store.get_many([address], self.deadline)[address]
        assert isinstance(error, FieldNotFound)
        assert 'field "nofield": ' in error.message
        assert "marker-7f3a9c" not in values_of(error)

    def test_the_sentence_for_absence_names_the_key(self, store):
        """What a person reads about an absent secret says which one."""
        assert "absent_key" in store.absent(self.address("absent_key")).message

    def test_a_deleted_key_is_absent(self, store):
        """Deleting removes the key, and only that key."""
        self.put(store, "gone", "1")
        self.put(store, "kept", "2")
        store.delete(self.address("gone"), self.deadline)
        assert self.read(store, "gone") is None
        assert self.read(store, "kept") == "2"

    def test_deleting_what_is_not_there_says_so(self, store):
        """Deleting an absent key raises SecretNotFound."""
        with pytest.raises(SecretNotFound):
            store.delete(self.address("absent"), self.deadline)

    def test_a_deleted_key_can_be_set_again(self, store):
        """Deleting leaves nothing behind that hinders a new value."""
        self.put(store, "key", "old")
        store.delete(self.address("key"), self.deadline)
        self.put(store, "key", "new")
        assert self.read(store, "key") == "new"

    def test_a_profile_has_its_own_value(self, store):
        """Project scope, profile scope and another profile don't see each other's values."""
        self.put(store, "key", "project")
        self.put(store, "key", "staging", profile="staging")
        assert self.read(store, "key") == "project"
        assert self.read(store, "key", profile="staging") == "staging"
        assert self.read(store, "key", profile="production") is None

    def test_projects_are_apart(self, store):
        """A key of one project is absent in another."""
        self.put(store, "key", "value")
        assert self.read(store, "key", project="other") is None

    def test_the_list_holds_the_projects_keys(self, store):
        """Keys of the project and of its profiles are listed, those of other projects are not."""
        self.put(store, "one", "1")
        self.put(store, "deep/two", "2")
        self.put(store, "one", "3", profile="staging")
        self.put(store, "foreign", "4", project="application")
        assert sorted(store.list("app", self.deadline)) == ["deep/two", "one", "staging/one"]

    def test_the_list_of_an_unknown_project_is_empty(self, store):
        """Listing a project without secrets is no failure."""
        assert list(store.list("unknown", self.deadline)) == []

    def test_the_list_forgets_deleted_keys(self, store):
        """A deleted key is not listed."""
        self.put(store, "gone", "1")
        store.delete(self.address("gone"), self.deadline)
        assert list(store.list("app", self.deadline)) == []

    def test_many_are_answered_at_once(self, store):
        """Forty keys of one question get their own values, the absent ones none."""
        for number in range(0, 40, 2):
            self.put(store, f"key{number}", f"value {number}")
        asked = [self.address(f"key{number}") for number in range(40)]
        answers = store.get_many(asked, self.deadline)
        assert {str(address): answer.reveal() for address, answer in answers.items()} == {
            f"app/key{number}": f"value {number}" for number in range(0, 40, 2)
        }

    @pytest.mark.parametrize("key", KEYS)
    def test_a_key_may_be_any_text(self, store, key):
        """A key with blanks, per cent signs or letters of any script is stored, listed and deleted under its name."""
        self.put(store, key, "value")
        assert self.read(store, key) == "value"
        assert list(store.list("app", self.deadline)) == [key]
        store.delete(self.address(key), self.deadline)
        assert self.read(store, key) is None

    def test_keys_that_look_alike_are_apart(self, store):
        """Keys that differ in one character of any kind don't share a value."""
        for key in self.alike:
            self.put(store, key, f"value of {key}")
        addresses = [self.address(key) for key in self.alike]
        answers = store.get_many(addresses, self.deadline)
        assert [answers[address].reveal() for address in addresses] == [f"value of {key}" for key in self.alike]

    def test_no_time_left_is_a_timeout(self, store):
        """A deadline that has passed ends every call with BackendTimeout."""
        address, past = self.address("key"), time.monotonic() - 1
        with pytest.raises(BackendTimeout):
            raise self.error_of_reading(store, address, past)
        for call in (
            lambda: store.set(address, Secret("value"), past),
            lambda: store.delete(address, past),
            lambda: list(store.list("app", past)),
        ):
            with pytest.raises(BackendTimeout):
                call()

    def error_of_reading(self, store, address, deadline):
        """The error of a read, raised for the whole store or given for the one address."""
        try:
            return store.get_many([address], deadline)[address]
        except BackendError as error:
            return error

    def test_no_error_tells_a_value(self, store):
        """The text of an error, its causes included, does not hold the value it is about."""
        marker = "marker-7f3a9c"
        for value, deadline in ((marker, time.monotonic() - 1), (f"{marker}\0", self.deadline)):
            with pytest.raises(BackendError) as caught:
                store.set(self.address("key"), Secret(value), deadline)
            assert marker not in values_of(caught.value)


# What of the contract depends on how a store is read.
_READS = """
    test_a_secret_of_another_hand_is_read test_an_earlier_version_is_read test_a_throttled_store_is_asked_again
    test_a_store_that_goes_on_refusing_is_left_alone test_nothing_asked_is_nothing_answered
    test_a_value_comes_back_as_it_was_set test_an_absent_key_is_left_out test_many_are_answered_at_once
    test_no_time_left_is_a_timeout
    """.split()  # noqa: SIM905  # a list would take a line a name


def only_reading(contract):
    """Leaves of a class of tests those that read: for a second way of reading, after all of them ran by the first."""
    for name in dir(contract):
        if name.startswith("test_") and name not in _READS:
            setattr(contract, name, None)
    return contract
