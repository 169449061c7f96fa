"""resolve: every store asked at most once, only absence moves on, one outcome per reference (commands.md 7)."""

from __future__ import annotations

import pytest

from envref.backends import table as backends
from envref.project.config.model import BackendConfig, Config
from envref.project.project import Project
from envref.refs.outcome import Failed, Missing
from envref.refs.reference import Reference
from envref.resolve.chain import Chain
from envref.resolve.resolve import Scope, resolve
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendInvalid,
    BackendLocked,
    BackendTimeout,
    BackendUnavailable,
    HoldsBytes,
)
from tests.backends.doubles.memory import Memory, Versioned


@pytest.fixture
def stores(monkeypatch):
    """`stores(a={...}, b=error)` makes a chain of these stores, in this order; options by `configure`."""
    monkeypatch.setitem(backends.BUILTIN, "memory", "tests.backends.doubles.memory:Memory")
    monkeypatch.setattr(Memory, "asked", [])

    def chain(configure=None, **contents):
        monkeypatch.setattr(Memory, "contents", contents)
        configure = configure or {}
        listed = [BackendConfig(name=name, type="memory", **configure.get(name, {})) for name in contents]
        config = Config(project="app", backends=tuple(listed))
        return Chain(Project("/", config, None, files=(), warnings=()))

    return chain


def outcomes(chain, *uris, profile=None):
    """The outcome of each reference, in the order given."""
    references = [Reference.parse(uri) for uri in uris]
    found = resolve(references, chain, Scope("app", profile))
    return [found[reference] for reference in references]


def values(chain, *uris, profile=None):
    return [outcome.secret.reveal() for outcome in outcomes(chain, *uris, profile=profile)]


def test_the_first_store_that_has_it_wins(stores):
    """An absent secret moves on to the next store; an empty one is found."""
    chain = stores(a={"app/x": "1", "app/e": ""}, b={"app/x": "2", "app/e": "3", "app/y": "4"})
    assert values(chain, "ref://secrets/x", "ref://secrets/e", "ref://secrets/y") == ["1", "", "4"]


def test_a_store_is_asked_once_for_all_that_is_still_open(stores):
    """One batch a store, and nothing that an earlier store has settled."""
    chain = stores(a={"app/x": "1"}, b={"app/y": "2", "app/z": "3"})
    assert values(chain, "ref://secrets/x", "ref://secrets/y", "ref://b/z", "ref://secrets/x") == ["1", "2", "3", "1"]
    assert Memory.asked == [("a", ["app/x", "app/y"]), ("b", ["app/y", "app/z"])]


def test_a_store_that_nobody_needs_is_not_asked(stores):
    """The chain stops where everything is found."""
    chain = stores(a={"app/x": "1"}, b={})
    values(chain, "ref://secrets/x")
    assert [name for name, _ in Memory.asked] == ["a"]


def test_the_profile_wins_in_any_store_over_the_project_in_any(stores):
    """All stores at profile scope, then all at project scope, in one batch a store."""
    chain = stores(a={"app/x": "project", "app/y": "only"}, b={"app/staging/x": "profile"})
    assert values(chain, "ref://secrets/x", "ref://secrets/y", profile="staging") == ["profile", "only"]
    assert Memory.asked[0] == ("a", ["app/staging/x", "app/x", "app/staging/y", "app/y"])
    assert Memory.asked[1] == ("b", ["app/staging/x", "app/staging/y"])


def test_an_outcome_knows_its_store_and_scope(stores):
    """Reports say where a value came from."""
    chain = stores(a={"app/x": "1"}, b={"app/staging/y": "2"})
    first, second = outcomes(chain, "ref://secrets/x", "ref://secrets/y", profile="staging")
    assert (first.backend, first.scope) == ("a", None)
    assert (second.backend, second.scope) == ("b", "staging")


@pytest.mark.parametrize("error", [BackendDenied, BackendLocked, BackendUnavailable, BackendTimeout, BackendInvalid])
def test_a_failing_store_is_not_skipped(stores, error):
    """A reference asked of a failing store fails, although the next store holds it."""
    chain = stores(a=error("a: no"), b={"app/x": "2"})
    [outcome] = outcomes(chain, "ref://secrets/x")
    assert isinstance(outcome, Failed)
    assert (outcome.word, outcome.reason) == (error.outcome, 'backend "a": a: no')
    assert [name for name, _ in Memory.asked] == ["a"]


def test_one_failing_key_fails_only_its_reference(stores):
    """Errors are per key where the store says them per key."""
    chain = stores(a={"app/x": BackendDenied("a: denied"), "app/y": "1"}, b={"app/x": "2"})
    first, second = outcomes(chain, "ref://secrets/x", "ref://secrets/y")
    assert isinstance(first, Failed)
    assert second.secret.reveal() == "1"


def test_a_failure_at_project_scope_does_not_hide_a_profile_value(stores):
    """The profile's value in a later store comes before the project's in an earlier one."""
    chain = stores(a={"app/x": BackendDenied("a: denied")}, b={"app/staging/x": "2"})
    assert values(chain, "ref://secrets/x", profile="staging") == ["2"]


def test_an_optional_store_that_is_unavailable_is_skipped_with_a_warning(stores):
    """`optional: true` means "where it does not exist"; a lock is still a failure."""
    options = {"a": {"optional": True}}
    chain = stores(options, a=BackendUnavailable("memory: gone"), b={"app/x": "2"})
    assert values(chain, "ref://secrets/x", "ref://secrets/x?optional") == ["2", "2"]
    assert chain.warnings() == ['backend "a" skipped: memory: gone']
    [locked] = outcomes(stores(options, a=BackendLocked("memory: locked"), b={"app/x": "2"}), "ref://secrets/x")
    assert isinstance(locked, Failed)


def test_a_missing_secret_says_where_it_was_looked_for(stores):
    """The chain's stores one by one; a named store by its name; the cure in both."""
    chain = stores(a={}, b={})
    missing, named = outcomes(chain, "ref://secrets/nope", "ref://b/nope")
    assert isinstance(missing, Missing)
    notes = 'memory: secret not found (backend "a"); memory: secret not found (backend "b")'
    assert missing.reason == f'secret "nope" not found in any backend ({notes})'
    assert missing.run == ("envref", "secret", "set", "nope")
    assert named.reason == 'secret "nope" not found in backend "b"'
    assert named.run == ("envref", "secret", "set", "nope", "--backend", "b")


def test_an_unknown_selector_fails_its_reference(stores):
    """It names what is configured; the other references are not affected."""
    unknown, found = outcomes(stores(store={"app/x": "1"}), "ref://anything/x", "ref://store/x")
    assert unknown.reason == 'unknown backend "anything" (configured: store; "secrets" asks them all)'
    assert unknown.word == "invalid"
    assert found.secret.reveal() == "1"


def test_a_default_is_for_absence_only(stores):
    """Not for a store that fails."""
    chain = stores(a={"app/locked": BackendLocked("no")})
    found, failed = outcomes(chain, "ref://secrets/x?default=none", "ref://secrets/locked?default=none")
    assert (found.secret.reveal(), found.word) == ("none", "default")
    assert isinstance(failed, Failed)


def test_fields_of_one_secret_cost_one_lookup(stores):
    """The value is asked for once, and each reference takes its member."""
    chain = stores(a={"app/db": '{"user": "ada", "port": 5432}'})
    assert values(chain, "ref://secrets/db#user", "ref://secrets/db#/port") == ["ada", "5432"]
    assert Memory.asked == [("a", ["app/db"])]


def test_an_absent_field_is_an_absent_secret(stores):
    """It moves on along the chain, and a default answers for it."""
    chain = stores(a={"app/db": '{"user": null}'}, b={"app/db": '{"user": "ada"}'})
    assert values(chain, "ref://secrets/db#user") == ["ada"]
    assert values(chain, "ref://secrets/db?default=d#gone") == ["d"]


def test_an_absent_field_names_the_fields_that_there_are(stores):
    """Names only, and no command: setting the secret would overwrite the rest of it (ST-F1)."""
    chain = stores(a={"app/db": '{"user": "marker-1", "port": 2, "none": null}'}, b={})
    for uri in ("ref://secrets/db#pasword", "ref://a/db#pasword"):
        [missing] = outcomes(chain, uri)
        assert isinstance(missing, Missing)
        assert missing.reason == 'backend "a": field "pasword": "db" has no such field; its fields: user, port'
        assert (missing.run, missing.is_there) == ((), True)


def test_an_absent_mapped_name_is_shown_as_the_store_has_it(stores):
    """And nothing offers to set a key that `secret set` refuses (ST-F1b)."""
    options = {"a": {"names": {"pw": "/nope/x"}}}
    chain, named = outcomes(stores(options, a={}), "ref://secrets/pw", "ref://a/pw")
    assert chain.reason == 'secret "pw" not found in any backend (memory: secret not found: "/nope/x" (backend "a"))'
    assert named.reason == 'secret "/nope/x" not found in backend "a"'
    assert chain.run == named.run == ()
    [second] = outcomes(stores(options, a={}, b={}), "ref://secrets/pw")
    assert second.run == ("envref", "secret", "set", "pw", "--backend", "b")


def test_a_field_of_no_document_is_a_failure(stores):
    """The value's text is not in the message."""
    [failed] = outcomes(stores(a={"app/db": "plain-secret"}), "ref://secrets/db#user")
    assert failed.reason == 'backend "a": field "user": value of ref://secrets/db#user is not a JSON object'
    assert failed.word == "invalid"


@pytest.mark.parametrize(
    ("stored", "value"),
    [("aGk=", "hi"), ("aG\nk=\n", "hi"), ("4oKs", "€"), ("", "")],
)
def test_base64_is_decoded(stores, stored, value):
    """Line breaks of a wrapped encoding do not count."""
    assert values(stores(a={"app/b": stored}), "ref://secrets/b?encoding=base64") == [value]


@pytest.mark.parametrize("stored", ["!", "aGk", "/w==", "AA=="])
def test_base64_of_no_text_is_a_failure(stores, stored):
    """Not base64, not UTF-8, and NUL."""
    [failed] = outcomes(stores(a={"app/b": stored}), "ref://secrets/b?encoding=base64")
    assert failed.word == "invalid"


def test_a_field_is_taken_before_it_is_decoded(stores):
    """commands.md 6.3."""
    chain = stores(a={"app/b": '{"f": "aGk="}'})
    assert values(chain, "ref://secrets/b?encoding=base64#f") == ["hi"]


def test_a_foreign_name_is_asked_as_the_store_knows_it(stores):
    """Without project and profile."""
    chain = stores(a={"GitHub Token": '{"credential": "t"}'})
    assert values(chain, "ref://a//GitHub%20Token#credential", profile="staging") == ["t"]
    assert Memory.asked == [("a", ["GitHub Token"])]


def test_names_map_keys_to_foreign_names(stores):
    """A mapped key is looked up under the mapped name only, in that store; others still follow the chain."""
    names = {"token": "GitHub Token#credential", "staging/db": "Staging DB"}
    contents = {"GitHub Token": '{"credential": "t"}', "Staging DB": "s", "app/token": "no", "app/staging/db": "no"}
    chain = stores({"a": {"names": names}}, a=contents, b={"app/db": "p"})
    assert values(chain, "ref://secrets/token", "ref://secrets/db", profile="staging") == ["t", "s"]
    assert values(chain, "ref://secrets/token", "ref://secrets/db") == ["t", "p"]


def test_stores_that_are_named_are_asked_together(stores, monkeypatch):
    """Two slow stores take the time of one: each waits for the other before it answers."""
    import threading

    barrier = threading.Barrier(2, timeout=10)
    answered = Memory.get_many
    monkeypatch.setattr(Memory, "get_many", lambda *given: (barrier.wait(), answered(*given))[1])
    chain = stores(a={"app/x": "1"}, b={"app/y": "2"})
    assert values(chain, "ref://a/x", "ref://b/y") == ["1", "2"]


def test_named_stores_are_asked_together_once_the_chain_has_its_answer(stores, monkeypatch):
    """The first store settles the chain's reference; the other two then answer each other."""
    import threading

    barrier = threading.Barrier(2, timeout=10)
    answered = Memory.get_many

    def get_many(store, addresses, deadline):
        if store.name != "a":
            barrier.wait()
        return answered(store, addresses, deadline)

    monkeypatch.setattr(Memory, "get_many", get_many)
    chain = stores(a={"app/w": "0"}, b={"app/x": "1"}, c={"app/y": "2"})
    assert values(chain, "ref://secrets/w", "ref://b/x", "ref://c/y") == ["0", "1", "2"]
    assert Memory.asked[0] == ("a", ["app/w"])


def test_an_optional_store_that_is_locked_ends_the_search_as_missing(stores):
    """`optional: always`: never a value of the next store; `?default` as for what is missing; the store's own cure."""
    options = {"a": {"optional": "always"}}
    chain = stores(options, a=BackendLocked("memory: locked", run=("unlock", "it")), b={"app/x": "2"})
    missing, default, optional = outcomes(chain, "ref://secrets/x", "ref://secrets/x?default=d", "ref://a/x?optional")
    assert isinstance(missing, Missing)
    assert (missing.reason, missing.run, missing.is_there) == (
        'backend "a": memory: locked',
        ("unlock", "it"),
        True,
    )
    assert (default.secret.reveal(), default.backend) == ("d", None)
    assert isinstance(optional, Missing)
    assert chain.warnings() == ['backend "a" skipped: memory: locked']
    assert [name for name, _ in Memory.asked] == ["a"]


def test_always_is_about_locks_and_absence_alone(stores):
    """A store that refuses or does not answer in time still fails; one that is not there is skipped as before."""
    options = {"a": {"optional": "always"}}
    for error in (BackendDenied, BackendTimeout, BackendInvalid):
        [outcome] = outcomes(stores(options, a=error("a: no"), b={"app/x": "2"}), "ref://secrets/x")
        assert isinstance(outcome, Failed)
    assert values(stores(options, a=BackendUnavailable("a: gone"), b={"app/x": "2"}), "ref://secrets/x") == ["2"]


@pytest.fixture
def versioned(stores, monkeypatch):
    monkeypatch.setitem(backends.BUILTIN, "memory", "tests.backends.doubles.memory:Versioned")
    monkeypatch.setattr(Versioned, "earlier", {("app/x", "1"): "old", ("other", "1"): '{"a": "older"}'})
    return stores(a={"app/x": "new", "other": '{"a": "newer"}'})


def test_a_version_is_asked_of_a_store_that_has_them(versioned):
    """Beside the latest one, of a key and of a name of the store's own, with a field."""
    asked = "ref://a/x", "ref://secrets/x?version=1", "ref://a//other#a", "ref://a//other?version=1#a"
    assert values(versioned, *asked) == ["new", "old", "newer", "older"]


def test_an_absent_version_is_not_an_absent_secret(versioned):
    """Nothing offers to set it: that would make yet another version. `?default` is as always."""
    missing, chain, default = outcomes(
        versioned, "ref://a/x?version=7", "ref://secrets/x?version=7", "ref://a/x?version=7&default=d"
    )
    assert (missing.reason, missing.run, missing.is_there) == (
        'secret "x", version 7, not found in backend "a"',
        (),
        True,
    )
    assert (chain.reason.partition(" (")[0], chain.run) == ('secret "x", version 7, not found in any backend', ())
    assert default.secret.reveal() == "d"


def test_a_store_without_versions_refuses_one(stores):
    """Without being asked, and in a chain too: passing over it would be another secret."""
    chain = stores(a={"app/x": "1", "y": "2"}, b={"app/x": "2"})
    for uri in ("ref://a/x?version=1", "ref://secrets/x?version=1", "ref://a//y?version=1&default=d"):
        [outcome] = outcomes(chain, uri)
        assert isinstance(outcome, Failed)
        assert outcome.reason == f'backend "a": memory has no versions, as in "{uri}"'
        assert outcome.error.cure() == ["hint: leave ?version out, or name a backend that has versions"]
    assert Memory.asked == []


def holding(text):
    return HoldsBytes.about("memory", "x", Secret(text))


def test_bytes_are_taken_only_as_base64(stores):
    """`?encoding=base64` decodes them, and a field is taken out of what they say; without it they are an error."""
    encoded = "eyJhIjogMX0="  # {"a": 1}
    chain = stores(a={"app/x": holding(encoded), "app/y": holding("/w==")})
    assert values(chain, "ref://a/x?encoding=base64", "ref://a/x?encoding=base64#a") == ['{"a": 1}', "1"]
    plain, field, no_text = outcomes(chain, "ref://a/x", "ref://a/x#a", "ref://a/y?encoding=base64")
    for failed in (plain, field):
        assert (failed.word, failed.reason) == ("invalid", 'backend "a": memory: "x" holds bytes, not text')
        assert failed.error.cure() == ["hint: add ?encoding=base64"]
    assert no_text.reason.endswith("is not the base64 of UTF-8 text")
    [lacks] = outcomes(chain, "ref://a/x?encoding=base64#b")
    assert lacks.reason == 'backend "a": field "b": "x" has no such field; its fields: a'


@pytest.mark.parametrize(
    ("is_closed", "level"),
    [(False, ()), (True, ("--profile", "qa"))],
)
def test_a_missing_secret_is_set_where_others_may_have_it_too(stores, is_closed, level):
    """For the project; for the profile where that has nothing of the project's."""
    scope = Scope("app", "qa")
    scope.is_closed = is_closed
    reference = Reference.parse("ref://secrets/nope")
    missing = resolve([reference], stores(a={}, b={}), scope)[reference]
    assert missing.run == ("envref", "secret", "set", "nope", *level)


def test_a_missing_secret_that_is_mapped_is_set_in_the_first_store_that_is_envref_s(stores):
    """envref writes to no name of the store's own."""
    [missing] = outcomes(stores({"a": {"names": {"nope": "Their Name"}}}, a={}, b={}), "ref://secrets/nope")
    assert missing.run == ("envref", "secret", "set", "nope", "--backend", "b")
    [missing] = outcomes(stores({"a": {"names": {"nope": "Their Name"}}}, a={}), "ref://secrets/nope")
    assert missing.run == ()
