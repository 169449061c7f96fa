"""What a store declares is all that envref knows of it: no mistyped member, and no name of a store elsewhere."""

from __future__ import annotations

import ast
import re
import time

import pytest

from envref.backends.base import Backend, Package
from envref.backends.retrieval import Retrieval, Unwritable, Wanted
from envref.backends.table import (
    ANYWHERE,
    BUILTIN,
    DESKTOP,
    backend_class,
    place_variables,
    steering_variables,
    traits_of,
)
from envref.project.config.backends import options_of
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import BackendInvalid
from tests.conftest import ROOT

PACKAGE = ROOT / "envref"
# Members for others than the core: the vault's file is what `envref vault` works on.
OWN = {"vault": {"file"}}
# What the two stores of AWS tell the class that they share.
SHARED = {
    "actions",
    "any_name",
    "complaints",
    "default_prefix",
    "faults",
    "name_rule",
    "own_name",
    "asked_by",
    "root",
    "retrieval_by",
    "revision_action",
    "service",
}

# Names of stores and their programs that mean nothing else, wherever they stand; and the beginnings of their variables.
PRODUCTS = re.compile(
    r"1password|onepassword|op://|\bop\b|doppler|hashicorp|openbao|\bbao\b|\baws|\boci\b|libsecret|secret-tool|kwallet"
    r"|password.store|gnupg|\bgpg|keyring|(?<![A-Z_])(?:OP|AWS|OCI|VAULT|BAO|DOPPLER|DBUS|PASSWORD_STORE)_",
    re.IGNORECASE,
)
# Shapes of leaked credentials, the libraries whose versions are shown, how any reference of another tool begins.
OTHER_MATTERS = re.compile(r'"AWS access key": |"Doppler token": |^_LIBRARIES = |^OTHERS = ')
# English words as well: what counts is a text of the program that is the word alone. Those are a command, and a form.
WORDS = {"keychain", "vault", "pass", "plugin"}
COMMANDS_AND_FORMS = {
    *(("vault", f"{name}.py") for name in ("cli/commands", "cli/summaries", "cli/vocabulary", "resolve/reads")),
    *(("plugin", f"{name}.py") for name in ("flox/form", "flox/manifest", "flox/plugin", "cli/flox_hook")),
}


def made(kind):
    """A store of this type, with the options that it can't do without."""
    return backend_class(kind)("name", **dict.fromkeys(options_of(kind).required, "x"))


def others():
    """Every file of envref that is neither in the room of the stores nor the vault's own command."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(("backends/", "cli/vault/")):
            yield name, path.read_text("utf-8")


def is_about_a_customer(name):
    """Whether a file is about programs that ask envref for a credential, a store's among them, or about what issuers of
    credentials publish.
    """
    files = (
        "tools/credential.py",
        "tools/settings.py",
        "tools/unsetting.py",
        "cli/vocabulary.py",
        "checks/publishable.py",
    )
    return name in files or name.startswith("cli/credential/")


@pytest.mark.parametrize("kind", BUILTIN)
def test_every_member_of_a_store_is_declared(kind):
    """A mistyped member would have no effect, and nobody would see that."""
    store = made(kind)
    public = {name for name in dir(store) if not name.startswith("_")}
    assert public - set(dir(Backend)) - {"type", "name"} - OWN.get(kind, set()) - SHARED == set()
    assert (store.type, store.name) == (kind, "name")


@pytest.mark.parametrize("kind", BUILTIN)
def test_a_store_is_a_backend(kind):
    """Every built-in store inherits the declarations, and describes itself in one line."""
    store = backend_class(kind)
    assert issubclass(store, Backend)
    assert store.__doc__.strip().partition("\n")[0]


def test_nothing_looks_whether_a_store_has_a_member():
    """Members are declared, so mypy knows them; `getattr` would take a mistyped one for an absent one."""
    looking = [
        f"{path.name}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr")
        if re.search(r"store|backend", ast.unparse(node.args[0]))
    ]
    assert looking == []


def test_no_other_file_knows_a_store_or_its_program():
    """Comments included: a new store touches its own file and the table."""
    found = [
        f"{name}: {line.strip()}"
        for name, text in others()
        if not is_about_a_customer(name)
        for line in text.splitlines()
        if PRODUCTS.search(line) and not OTHER_MATTERS.search(line)
    ]
    assert found == []


def test_no_other_file_knows_a_type():
    """The types that are words are no texts of other files either, but for a command and a form of a manifest."""
    types = set(BUILTIN)
    assert types > WORDS
    found = {
        (node.value, name)
        for name, text in others()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and node.value in types
    }
    assert found == COMMANDS_AND_FORMS


@pytest.mark.parametrize("name", ["1password", "OP_CONNECT_HOST", "the op program", "import aws", "VAULT_ADDR"])
def test_the_search_finds_a_store(name):
    """The search above finds what it looks for, and not envref's own variables."""
    assert PRODUCTS.search(name)
    assert not PRODUCTS.search("ENVREF_VAULT_PASSPHRASE option operation local")


def test_a_type_has_one_line():
    """The two to begin with are among them, and each line names its class first."""
    assert {DESKTOP, ANYWHERE} <= set(BUILTIN)
    assert all(re.fullmatch(r"envref\.[a-z_.]+:[A-Za-z]+", line.split()[0]) for line in BUILTIN.values())
    assert not [word for word in place_variables().split() if not re.fullmatch(r"[A-Z][A-Z0-9_]*\*?", word)]


@pytest.mark.parametrize("kind", BUILTIN)
def test_names_are_refused_exactly_where_a_store_has_no_foreign_ones(kind, project):
    """Where no foreign name can be looked up, the config says so, at the place (BEA-D4)."""
    options = ", ".join(f"{name}: x" for name in options_of(kind).required)
    text = f"project: app\nbackends:\n  - name: s\n    type: {kind}\n    config: {{{options}}}\n    names: {{a: b}}\n"
    project.write(".envref.yaml", text)
    done = project.envref("config", "show")
    refusal = '.envref.yaml:6:5: backends[0]: backend "s" has no foreign names'
    assert (refusal in done.stderr) == (done.returncode != 0) == (kind == "vault")


class Shelf(Backend):
    """A store that can be read"""

    type = "shelf"

    def get_many(self, addresses, deadline):
        return {}

    def absent(self, address):
        return "shelf: not there"


class Notebook(Shelf):
    """A store that can be written"""

    def __init__(self, name):
        super().__init__(name)
        self.done = []

    def set(self, address, value, deadline):
        self.done.append(("set", address.key, value.reveal()))

    def delete(self, address, deadline):
        self.done.append(("delete", address.key))


def test_a_store_without_set_is_read_only():
    """Writing is optional, and what is asked in vain says so."""
    store = Shelf("books")
    for write in (
        lambda: store.set(Address("app", "k"), Secret("v"), 0.0),
        lambda: store.delete(Address("app", "k"), 0.0),
        lambda: store.change({Address("app", "k"): Secret("v")}, 0.0),
    ):
        with pytest.raises(BackendInvalid, match=r'^backend "books" is read-only$'):
            write()
    with pytest.raises(BackendInvalid, match=r'^backend "books" can\'t list its names$'):
        store.list("app", 0.0)


def refusals():
    """What stores that are called otherwise than their type say to what they never do."""
    foreign = Address("app", "k", foreign="x")
    for write in (
        lambda: Shelf("books").set(Address("app", "k"), Secret("v"), 0.0),
        lambda: Shelf("books").list("app", 0.0),
    ):
        with pytest.raises(BackendInvalid) as caught:
            write()
        yield caught.value
    yield backend_class("vault")("books").get_many([foreign], 0.0)[foreign]


def test_a_refusal_says_the_backends_name_once():
    """It begins with the name, so the chain, which ends errors with it, leaves it as it is."""
    for refusal in refusals():
        assert refusal.message.startswith('backend "books" ')
        assert refusal.signed("books").message == refusal.message


def test_changes_are_made_in_their_order():
    """What a store can't do at once is done one by one."""
    store = Notebook("notes")
    store.change({Address("app", "a"): Secret("1"), Address("app", "b"): None, Address("app", "c"): Secret("3")}, 0.0)
    assert store.done == [("set", "a", "1"), ("delete", "b"), ("set", "c", "3")]
    assert not store.transactional


def test_a_store_that_says_not_there_is_ready(monkeypatch):
    """Any answer but an error is a healthy one; an error is what is wrong."""
    store = Shelf("books")
    assert (store.probe(0.0), [*store.examine(0.0)]) == (None, [])
    damaged = BackendInvalid("shelf: damaged")
    monkeypatch.setattr(store, "get_many", lambda addresses, _: dict.fromkeys(addresses, damaged))
    assert [*store.examine(0.0)] == [store.probe(time.monotonic())] == [damaged]


def test_a_program_that_prints_no_secret_has_no_place_of_one():
    """Native blocks ask only the types that have a command, and only those have a location."""
    assert not Shelf.is_retrievable()
    assert Shelf("books").location(Address("app", "k")) == ()
    with pytest.raises(NotImplementedError):
        Shelf.retrieval(None)


def test_a_store_must_say_how_it_is_read():
    """A class without `get_many` or `absent` is no store; mypy says so too."""
    with pytest.raises(TypeError, match="abstract"):
        Backend("name")


def test_what_an_activation_knows_of_a_type():
    """As its class says; every program reads some variables, and a plugin may read all but those of a terminal."""
    for kind in BUILTIN:
        store, traits = backend_class(kind), traits_of(kind)
        assert {name: traits[name] for name in ("asks_person", "reads_fields", "versions")} == {
            "asks_person": store.asks_person,
            "reads_fields": store.reads_fields,
            "versions": store.versions,
        }
    assert traits_of("doppler")["variables"].split()[-1] == "DOPPLER_*"
    assert {"HOME", "LC_*", "CURL_CA_BUNDLE"} < set(traits_of("doppler")["variables"].split())
    every, mark, *others = traits_of("plugin")["variables"].split()
    assert (every, mark) == ("*", "!")
    assert {"TERM", "TMUX_*", "PWD", "ENVREF_TRUST", "ENVREF_STORE_PATH", "ENVREF_VAULT_PASSPHRASE*"} < set(others)
    assert not {"HOME", "PATH", "LANG"} & set(others)


def test_variables_that_choose_a_place_and_those_that_steer():
    """The first stand before the mark of each type's line, the others behind it."""
    places, steering = set(place_variables().split()), set(steering_variables().split())
    assert {"AWS_ENDPOINT_URL*", "VAULT_ADDR", "OP_CONNECT_HOST", "GNUPGHOME", "XDG_*"} < places
    assert {"AWS_PAGER", "VAULT_CAPATH", "OP_ACCOUNT_*", "GPG_*", "DBUS_*"} < steering
    assert not places & steering
    assert "!" not in places | steering


class Shop(Shelf):
    """A store with versions"""

    versions = "a number"
    keeps_revisions = True


def test_a_store_that_tells_no_revisions():
    """Why not, and what to do instead."""
    assert [error_of_revisions(store) for store in (Shelf("a"), Shop("b"))] == [
        ['error: backend "a" keeps no revisions of a secret', "  hint: open a new shell after a rotation"],
        [
            'error: backend "b" tells a revision only along with the value',
            "  hint: compare by reading: envref stale --read",
        ],
    ]


def error_of_revisions(store):
    with pytest.raises(BackendInvalid) as caught:
        store.revisions([], 0.0)
    assert caught.value.backend == store.name
    return caught.value.lines()


def test_what_can_be_read_later_by_its_version():
    """Where the store has versions, and the revision tells one."""
    told = {Address("app", "a"): "7.1000", Address("app", "b"): ".1000"}
    assert Shop("shop").lasting(told, 0.0) == {Address("app", "a")}
    assert Shelf("shelf").lasting(told, 0.0) == set()


def test_what_a_store_can_t_do_has_a_cure():
    """The store's own program can."""
    with pytest.raises(BackendInvalid) as caught:
        Shelf("a").list("app", 0.0)
    assert caught.value.lines()[1:] == ["  hint: list them with the store's own program"]
    with pytest.raises(BackendInvalid) as caught:
        Shelf("a").delete(Address("app", "k"), 0.0)
    assert caught.value.lines()[1:] == ["  hint: write the secret with the store's own program"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("ref+x://a/b#/c", "a/b#/c"),
        ("ref+x:///a/b/?d=e#c+", "a/b#c"),
        ("ref+x://a/b+", "a/b"),
        ("ref+x://a/b#", "a/b"),
        ("ref+x://#/c", ""),
        ("a/b", ""),
    ],
)
def test_a_reference_of_vals(value, name):
    """Name and field; options are not taken."""
    assert Shelf.adopted(value) == name


def test_what_a_store_says_nothing_of():
    """Is nothing."""
    assert (Shelf.elsewhere({"value": "a"}), Shelf.flox_entry("a"), Shelf.shell_functions()) == (("", {}), None, {})
    assert (Shelf.credential_files({"HOME": "/"}), Shelf.address_variables("x")) == ((), ())


def test_a_word_of_a_hook_is_quoted():
    """Bare where it can't mean anything else; a path is below the user's home, below the project, or absolute."""
    wanted = Wanted((), {"command": "", "addr": "http://x", "empty": ""}, Address("app", "k"), None)
    assert [wanted.bare(text) for text in ("a_b.c-d", "a b", "")] == ["a_b.c-d", "'a b'", "''"]
    assert wanted.word("a") == "'a'"
    assert [wanted.guard(*words) for words in (("a", "b"), ("a", "-b"), ())] == ["", "-- ", ""]
    assert [wanted.flag("-x={}", name) for name in ("addr", "empty", "none")] == ["-x='http://x' ", "", ""]
    root = '"${FLOX_ENV_PROJECT:-$PWD}"'
    assert [wanted.path(path) for path in ("/a", "a/b", "~/a", "$HOME/a", "${HOME}/a")] == [
        "'/a'",
        f"{root}/'a/b'",
        *["\"$HOME\"/'a'"] * 3,
    ]
    assert wanted.root == root
    for path in ("~me/a", "$OTHER/a", "~"):
        with pytest.raises(Unwritable) as caught:
            wanted.path(path)
        assert caught.value.lines() == [f'error: the path "{path}" depends on who reads it; write it from / or ~/']
    assert wanted.program("kv") == "kv"
    assert [wanted._replace(options={"command": name}).program("kv") for name in ("ok", "./ok", "o k")] == [
        "ok",
        f"{root}/'./ok'",
        "'o k'",
    ]


def test_a_command_of_a_hook_and_what_it_needs():
    """On macOS the same one, unless there is another; behind a function of the block."""
    wanted = Wanted((), {}, Address("app", "k"), None)
    assert wanted.by("kv get", "_f", says_none="kv") == Retrieval("kv get", "kv get", ("_f",), (), "kv")
    other = wanted.by("kv get", macos="security x")
    assert (other.macos, other.elsewhere) == ("security x", "kv get")
    assert other.behind("_g 1", "_g") == Retrieval("_g 1 security x", "_g 1 kv get", ("_g",), ())
    assert not wanted.is_foreign
    assert wanted._replace(address=Address("", "", foreign="x")).is_foreign
    assert wanted.unwritable("no").lines() == ["error: no; use the hook form (without --native)"]


def test_what_a_store_is_unless_it_says_otherwise():
    """It has names of its own, which hold the project, and may ask a person."""
    assert {name for name in dir(Shelf) if getattr(Shelf, name) is True} == {
        "asks_beside_data",
        "carries_project",
        "foreign_names",
    }


def test_a_package_of_flox_s_catalog():
    """All that the installer and the native blocks ask of it."""
    plain, full = Package("kv"), Package("kv", group="g", unfree=True, also="kv2", systems=("aarch64-darwin",))
    assert [getattr(plain, name) for name in Package.__slots__] == ["", "", "kv", (), False]
    assert [getattr(full, name) for name in Package.__slots__] == ["kv2", "g", "kv", ("aarch64-darwin",), True]
