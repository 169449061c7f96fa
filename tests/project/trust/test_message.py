"""The trust question line by line: each thing that is wanted, each difference, and how much of it a prompt shows."""

from __future__ import annotations

import json

import pytest

from envref.digest import digest
from envref.project.config.model import BackendConfig, Config, credential_way
from envref.project.project import Project, configured, load
from envref.project.trust import message
from envref.project.trust.meaning import fingerprint
from envref.project.trust.need import ADDRESS, FILE, NAMES, PLACE, PROGRAM, SECRETS, Need
from envref.project.trust.record import Record

ROOT = "/src/shop"
PAD = " " * len("  it wants: ")
NOTHING = {"foreign": [], "variables": {}}
OP = BackendConfig(name="one", type="1password", programs=("op",))
KV = BackendConfig(name="kv", type="plugin", programs=("envref-backend-*",))


def shop(*backends, root=ROOT):
    return Project(root, Config(project="shop", backends=backends), None, files=[], warnings=[])


def recorded(meant, *, granted=True):
    return Record(ROOT, fingerprint(meant), meant, "2026-01-02", granted=granted)


@pytest.fixture
def empty(project):
    """A project that sets nothing: its summary is one line."""
    project.write(".envref.yaml", "project: shop\nbackends: [{name: vault}]\n")
    return configured(str(project.path))


# the question


def numbered(count):
    """A meaning of so many texts, and one in which each is another."""
    return {f"n{number}": "a" for number in range(count)}, {f"n{number}": "b" for number in range(count)}


@pytest.mark.parametrize(("count", "more"), [(1, []), (10, []), (11, ["  and 2 more: envref trust shows all"])])
def test_of_a_difference_twenty_lines_are_shown(empty, count, more):
    """Each of the things here is two of them, `-` and `+`."""
    before, after = numbered(count)
    lines = message.request(empty, [], [], after, recorded(before))
    every = [f"  {sign} n{number}: {text}" for number in range(count) for sign, text in (("-", "a"), ("+", "b"))]
    assert lines[0].endswith("/project changed since you trusted it on 2026-01-02:")
    assert lines[1:] == every[:20] + more


@pytest.mark.parametrize("record", ["none", "denied", "the same"])
def test_without_a_difference_to_what_was_granted_all_is_shown(empty, record):
    """What was denied is no state to compare with, and what is the same has none."""
    meant = NOTHING | {"project": "b"}
    kept = {
        "none": None,
        "denied": recorded({**meant, "project": "a"}, granted=False),
        "the same": recorded(meant),
    }[record]
    assert message.request(empty, [], [], meant, kept) == [
        f"envref: {empty.root} is not trusted yet, nothing was run or read.",
        "  it sets 0 variable(s), 0 with secrets from vault",
    ]
    assert message.refusal(empty, [], [], meant, kept)[2:] == [
        f"  review, then: envref trust        in CI: ENVREF_TRUST={fingerprint(meant)}"
    ]


@pytest.mark.parametrize(("count", "cut"), [(4, None), (5, 3), (9, 7)])
def test_a_question_has_five_lines(empty, count, cut):
    """The first three and the last, between them how many are missing."""
    needs = [Need(FILE, f"{number}.env", f"/srv/{number}") for number in range(count)]
    _, first, *told = message.request(empty, needs, [], NOTHING, None)
    every = [f"to read /srv/{number} as {number}.env, with every variable it sets" for number in range(count)]
    expected = every if cut is None else [*every[:2], f"and {cut - 1} more: envref trust shows all", every[-1]]
    assert first.startswith("  it sets ")
    assert told == ["  it wants: " + expected[0], *(PAD + each for each in expected[1:])]


def test_who_else_has_the_name():
    """All of them, or no line."""
    assert message.shared(shop(), []) == []
    assert message.shared(shop(), ["/a", "/b"]) == ['  project "shop" is also used by /a, /b']


# what it sets and reads


def test_what_it_sets_is_counted(project):
    """Once for a name that two files set; of files that were read already, what was read."""
    project.write(".envref.yaml", "project: shop\nbackends: []\n")
    project.write(".env", "A=1\nB=ref://kv/b\nC=x${ref://kv/c}\n")
    project.write(".env.local", "A=2\n")
    told = ["  it sets 3 variable(s), 2 with secrets from no store"]
    assert message.summary(configured(str(project.path)), NOTHING) == told
    read = load(str(project.path))
    project.write(".env", "A=1\n")
    assert message.summary(read, NOTHING) == told


@pytest.mark.parametrize(
    ("count", "told"),
    [(1, "n0"), (5, "n0, n1, n2, n3, n4"), (6, "n0, n1, n2, n3, n4 and 1 more"), (0, None)],
)
def test_secrets_of_others_are_named(empty, count, told):
    """Five of them."""
    lines = message.summary(empty, {"foreign": [f"n{number}" for number in range(count)]})
    assert lines[1:] == ([] if told is None else [f"  it reads {told}"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, ""),
        ({"addr": "https://a", "prefix": "p"}, " (addr https://a, prefix p)"),
        ({"addr": "", "batch": True, "token": "t", "api_key": "k", "command": "./c", "path": "/v"}, ""),
    ],
)
def test_a_store_is_told_with_what_leads_it_elsewhere(empty, options, told):
    """No credential, no switch, nothing empty, and no program or path: those have lines of their own."""
    backend = BackendConfig(name="s", type="vault", options=options, paths=("path",))
    meant = Project(empty.root, Config(project="shop", backends=(backend, OP)), None, files=[], warnings=[])
    assert message.summary(meant, NOTHING) == [f"  it sets 0 variable(s), 0 with secrets from s{told}, one"]


# what it wants


def test_each_thing_has_a_line():
    """One below the other; of a store's own program the program's name, of any other one the store's type."""
    needs = [
        Need(PROGRAM, "./op", "", OP),
        Need(PROGRAM, "kv", "/srv/kv", KV),
        Need(PROGRAM, "none", "/src/shopping/none", BackendConfig(name="s", type="keychain")),
        Need(PROGRAM, "nobody's"),
        Need(ADDRESS, "https://a", "OP_TOKEN", OP),
        Need(ADDRESS, "https://b", "", KV),
        Need(ADDRESS, "https://c", "T"),
        Need(PLACE, "/srv/v.db", "path", BackendConfig(name="v", type="vault")),
        Need(PLACE, "/srv/x", "path"),
        Need(FILE, ".env", "/srv/e"),
        Need(NAMES, "PATH"),
        Need(SECRETS, "shop"),
    ]
    first, *rest = message.wanted(shop(), needs, NOTHING)
    assert first == "  it wants: op CLI ./op (not there)"
    assert rest == [
        PAD + line
        for line in (
            "plugin /srv/kv",
            "keychain /src/shopping/none",
            " nobody's (not there)",
            "op CLI op -> https://a with your OP_TOKEN",
            "plugin envref-backend-kv -> https://b",
            "  -> https://c with your T",
            "vault path /srv/v.db",
            " path /srv/x",
            "to read /srv/e as .env, with every variable it sets",
            'secrets of project "shop"',
        )
    ]
    assert message.wanted(shop(), [], NOTHING) == []


def test_what_identifies_a_program(tmp_path):
    """Inside the project its bytes, by where a link leads; elsewhere its path, and where its link leads."""
    root = tmp_path / "shop"
    root.mkdir()
    (tmp_path / "kv").write_bytes(b"elsewhere")
    (root / "kv").write_bytes(b"own")
    (root / "out").symlink_to("../kv")
    (tmp_path / "into").symlink_to("shop/kv")
    told = {
        f"{tmp_path}/kv": f"plugin {tmp_path}/kv",
        f"{root}/kv": f"plugin ./kv (sha256 {digest(b'own')[:12]}...)",
        f"{root}/out": f"plugin ./out (a link to {tmp_path}/kv)",
        f"{tmp_path}/into": f"plugin {tmp_path}/into (sha256 {digest(b'own')[:12]}...)",
    }
    for path, line in told.items():
        assert message.wanted(shop(root=str(root)), [Need(PROGRAM, "x", path, KV)], NOTHING) == [f"  it wants: {line}"]


def test_variables_stand_last_and_the_risky_ones_first():
    """Then by name; of each one every value, of a credential the beginning of its digest."""
    variables = {"B": ["1"], "Z": ["x", f"sha256 {'ab' * 32}"], "A": ["2"], "Y": [f"v{number}" for number in range(6)]}
    needs = [Need(NAMES, "Z"), Need(FILE, "A", "/srv/e"), Need(NAMES, "Y")]
    told = ["Y=v0 or v1 or v2 or v3 or v4 and 1 more", "Z=x or sha256 abababababab...", "A=2", "B=1"]
    meant = {"variables": variables}
    (_, all_of_them) = message.wanted(shop(), needs, meant)
    assert all_of_them == f"{PAD}to set {', '.join(told)}"
    for most, said in ((3, ", ".join(told[:3]) + " and 1 more"), (4, ", ".join(told))):
        assert message.wanted(shop(), needs[:1] + needs[2:], meant, most) == [f"  it wants: to set {said}"]


@pytest.mark.parametrize(("length", "told"), [(100, "x" * 100), (101, f"{'x' * 100}... (101 characters)")])
def test_the_longest_value(length, told):
    """100 characters; what is cut is said."""
    meant = {"variables": {"A": ["x" * length]}}
    assert message.wanted(shop(), [], meant) == [f"  it wants: to set A={told}"]


# what is different

VAULT = {"name": "vault", "type": "vault", "config": {"path": "a"}, "names": {}}
CORP = {"name": "corp", "type": "hashicorp-vault", "config": {"addr": "https://a"}, "names": {}}
PLUGIN = {"backend": "kv", "program": "./kv", "sha256": "1"}


def differently(value, **members):
    return json.loads(json.dumps(value)) | members


CHANGED = {
    "nothing": ({"a": "b", "c": None}, {"c": None, "a": "b"}, []),
    "a text": ({"env_file": "a"}, {"env_file": "b"}, ["- env_file: a", "+ env_file: b"]),
    "a text that comes": ({"env_file": None}, {"env_file": "b"}, ["+ env_file: b"]),
    "a text that goes": ({"env_file": "a"}, {}, ["- env_file: a"]),
    "an empty text": ({"a": ""}, {}, ["- a: "]),
    "a list": ({"foreign": ["a", "b"]}, {"foreign": ["b", "a"]}, ["- foreign: a, b", "+ foreign: b, a"]),
    "a list in a table": (
        {"variables": {"A": ["x"]}},
        {"variables": {"A": ["y"]}},
        ["- variables A: x", "+ variables A: y"],
    ),
    "a program": (
        {"programs": [PLUGIN]},
        {"programs": [differently(PLUGIN, sha256="2")]},
        ["- sha256: 1", "+ sha256: 2"],
    ),
    "an option of the only one": (
        {"backends": [VAULT], "programs": [PLUGIN]},
        {"backends": [differently(VAULT, config={"path": "b"})], "programs": [differently(PLUGIN, sha256="2")]},
        ["- path: a", "+ path: b", "- sha256: 1", "+ sha256: 2"],
    ),
    "an option of one of several": (
        {"backends": [VAULT, CORP]},
        {"backends": [VAULT, differently(CORP, config={"addr": "https://b"})]},
        ['- addr: https://a (backend "corp")', '+ addr: https://b (backend "corp")'],
    ),
    "a program of one of several": (
        {"backends": [VAULT, CORP], "programs": [PLUGIN]},
        {"backends": [VAULT, CORP], "programs": []},
        [
            "- programs: kv",
            "+ programs: ",
            '- backend: kv (backend "kv")',
            '- program: ./kv (backend "kv")',
            '- sha256: 1 (backend "kv")',
        ],
    ),
    "a profile beside several": (
        {"backends": [VAULT, CORP], "profiles": {"a": "x"}, "project": "p"},
        {"backends": [VAULT, CORP], "profiles": {"a": "y"}, "project": "q"},
        ["- profiles a: x", "+ profiles a: y", "- project: p", "+ project: q"],
    ),
    "one for another": (
        {"backends": [VAULT]},
        {"backends": [differently(VAULT, name="corp")]},
        [
            "- backends: vault",
            "+ backends: corp",
            '- name: vault (backend "vault")',
            '- type: vault (backend "vault")',
            '- path: a (backend "vault")',
            '+ name: corp (backend "corp")',
            '+ type: vault (backend "corp")',
            '+ path: a (backend "corp")',
        ],
    ),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_difference_is_told_by_what_leads_to_it(change):
    """The backend only where there are several, and never for what is no backend's."""
    before, after, told = CHANGED[change]
    assert list(message.changes(before, after)) == told


@pytest.mark.parametrize(
    ("tools", "told"),
    [
        ({"gh": {"variables": ["TOKEN"]}}, ["  it keeps TOKEN for gh"]),
        ({"git": {credential_way("github.com"): ["A", "B"]}}, ["  it keeps A, B for git at github.com"]),
    ],
)
def test_what_only_a_tool_gets_is_said(empty, tools, told):
    """With the server that its credential is for."""
    assert message.summary(empty, {**NOTHING, "tools": tools})[1:] == told
