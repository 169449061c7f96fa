"""The picture of docs/architecture.md, executed: the rooms, who may import what, and that nothing goes in a circle.

Imports inside functions count, and those that only a type checker sees.
"""

from __future__ import annotations

import ast
import functools
import graphlib
import pathlib
import re

from tests.requirements import first_python

pytestmark = first_python

PACKAGE = pathlib.Path(__file__).parent.parent / "envref"

GROUND = "finder errors store_errors digest secret memory libc atomic streams questions paths processes client __init__"
# Each room may import itself and the rooms above it.
ROOMS = "refs env formats agent backends project resolve fresh flox tools checks secrets cli".split()  # noqa: SIM905
DOOR = "__main__"
# What others than stores know of backends: the table, the contract, and the one way to run a program.
SHARED = {
    "backends.table",
    "backends.base",
    "backends.callers",
    "backends.children",
    "backends.command",
    "backends.typed_line",
    "backends.programs",
    "backends.retrieval",
    "backends.revision",
}
HOMES = {
    "click": ("cli",),
    "yaml": ("project.config.yaml",),
    "tomlkit": ("flox", "tools.cargo_config"),
    "keyring": ("backends.keychain.keyring",),
    "secretstorage": ("backends.keychain.conversation", "backends.keychain.secret_service"),
    "pyrage": ("backends.vault.format", "project.recipient", "secrets.sharing"),
    "subprocess": (
        "backends.children",
        "backends.command",
    ),
    "regex": ("checks.pattern",),
    "watchfiles": ("project.watch",),
}


@functools.cache  # read by a test that runs, not by every worker that collects
def trees():
    """Module -> its syntax tree."""
    names = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in names.items()}


def _imported(tree):
    """(module, name) of every import: `import a.b` gives ("a.b", None), `from a import b` gives ("a", "b")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


@functools.cache
def imports():
    """Module -> what it imports, as `_imported` has it."""
    return {name: set(_imported(tree)) for name, tree in trees().items()}


def _file(module, name):
    """The file of envref that an import names, e.g. `refs.address`; None for a library."""
    if module.partition(".")[0] != "envref":
        return None
    inside = module.removeprefix("envref").removeprefix(".")
    candidates = [".".join(filter(None, (inside, name))), inside, ".".join(filter(None, (inside, "__init__")))]
    return next(candidate for candidate in candidates if candidate in trees())


@functools.cache
def own():
    """Module -> the modules of envref that it imports."""
    return {name: {file for each in found if (file := _file(*each))} for name, found in imports().items()}


def pairs():
    return [(importer, imported) for importer, files in own().items() for imported in sorted(files)]


def _room(name):
    return name.partition(".")[0]


def _layer(name):
    room = _room(name)
    if room in GROUND.split():
        return 0
    return len(ROOMS) + 1 if room == DOOR else ROOMS.index(room) + 1


def test_every_file_is_on_the_ground_floor_or_in_a_room():
    """`ls envref/` shows what docs/architecture.md shows."""
    assert {_room(name) for name in trees()} - {*GROUND.split(), *ROOMS, DOOR} == set()
    assert [room for room in ROOMS if f"{room}.__init__" not in trees()] == []


def test_a_room_imports_only_the_rooms_above_it():
    """Values never import stores, the core never imports features, nothing imports the command line."""
    upward = [pair for pair in pairs() if _layer(pair[1]) > _layer(pair[0])]
    assert upward == []


def _whom_it_asks():
    """Room -> the rooms that its row of docs/architecture.md names."""
    text = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    named = {row[0].strip("`/"): set(re.findall(r"`(\w+)`", row[2])) for row in rows if len(row) > 2}
    return {room: named.get(room, set()) for room in ROOMS if room != "cli"}


def test_a_room_asks_whom_the_page_says():
    """The last column of the table, as far as there are imports; the command line asks everybody."""
    asked = _whom_it_asks()
    between = {(_room(importer), _room(imported)) for importer, imported in pairs()}
    crossing = sorted(pair for pair in between if pair[0] in asked and pair[1] in ROOMS and pair[0] != pair[1])
    assert len(crossing) > len(ROOMS)
    assert [pair for pair in crossing if pair[1] not in asked[pair[0]]] == []


def test_a_secret_becomes_text_where_the_page_says():
    """Outside of the stores, which have to, exactly those files ask for the text of a secret."""
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("## Where a secret becomes text")[2].partition("\n\nEvery line for stderr")[0]
    named = {file.replace("/", ".") for file in re.findall(r"`([a-z_]+/[a-z_/]+)`", section)}
    asking = {name for name, tree in trees().items() if "reveal" in _members(tree)}
    apart = {name for name in named | asking if _room(name) == "backends"}
    assert asking - apart == named - apart


def _members(tree):
    """The names after a dot, in its code."""
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_no_circle():
    """Every file can be read after those that it imports."""
    graphlib.TopologicalSorter(own()).prepare()


def test_a_room_s_door_is_one_sentence_and_nobody_imports_it():
    """Entering a room costs nothing: its `__init__` loads nothing, and imports name the file they want."""
    doors = [name for name in trees() if name.endswith(".__init__")]
    with_code = [name for name in doors if len(trees()[name].body) != 1 or not ast.get_docstring(trees()[name])]
    assert with_code == []
    assert [pair for pair in pairs() if pair[1] in doors] == []


def test_only_stores_know_a_store_by_name():
    """The others ask the table. The vault's own commands are the one exception."""
    knowing = [
        (importer, imported)
        for importer, imported in pairs()
        if _room(imported) == "backends" != _room(importer) and imported not in SHARED
    ]
    assert [pair for pair in knowing if not pair[0].startswith("cli.vault")] == []


def test_a_library_has_one_home():
    """click, yaml, tomlkit, keyring, pyrage and subprocess are imported where HOMES says, and nowhere else."""
    used = {(importer, module.partition(".")[0]) for importer, found in imports().items() for module, _ in found}
    strangers = [
        (importer, library)
        for importer, library in used
        if library in HOMES and not _lives_in(importer, HOMES[library])
    ]
    assert strangers == []
    assert {library for _, library in used} >= set(HOMES)


def _lives_in(name, homes):
    return any(name == home or name.startswith(f"{home}.") for home in homes)


def test_a_class_has_a_name_of_its_own():
    """Wherever a name is met, it means one thing. A leading underscore does not make it another."""
    classes = [
        (node.name.lstrip("_"), name)
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    names = [name for name, _ in classes]
    assert sorted(each for each in classes if names.count(each[0]) > 1) == []
