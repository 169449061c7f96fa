"""The layer picture of docs/architecture.md, executed: who may import what."""

from __future__ import annotations

import ast
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).parent.parent / "envref"

# Each layer may import its own and those above it.
VALUES = """
    secret address loopback dangerous programs reference recipient source envfile template shells field outcome atomic
    replay memory
"""
LAYERS = [
    "errors",
    VALUES,
    "backends",
    "git config project trust environment flox_table chain resolve resolution report progress streams",
    """
    request activate flox doctor github watch example status scoped_store rotation generation sharing sync adoption
    onboarding audit audit_log leaks schema
    """,
    "cli __main__ __init__",
]
# The core knows the table of stores, their protocol and the one way to run a program, but no store by name.
CORE_MAY_KNOW = {"backends", "backends.protocol", "backends.command"}
HOMES = {
    "click": ("cli",),
    "yaml": ("config.yaml",),
    "tomlkit": ("flox",),
    "keyring": ("backends.keychain.keyring",),
    "secretstorage": ("backends.keychain.secret_service",),
    "pyrage": ("backends.vault.format", "recipient", "sharing"),
    "subprocess": ("backends.command",),
    "watchfiles": ("watch",),
}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def imports(tree):
    """Every module that a file imports at run time, inside functions too; not what only a type checker sees."""
    for node in ast.walk(_without_type_checking(tree)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _without_type_checking(tree):
    class Remover(ast.NodeTransformer):
        def visit_If(self, node):
            test = ast.unparse(node.test)
            return None if test in ("TYPE_CHECKING", "typing.TYPE_CHECKING") else self.generic_visit(node)

    return Remover().visit(tree)


def layer(name):
    top = name.partition(".")[0]
    for number, members in enumerate(LAYERS):
        if top in members.split():
            return number
    return pytest.fail(f"envref/{name}: in no layer; add it to LAYERS and to docs/architecture.md")


MODULES = dict(modules())
OWN = [
    (name, module.removeprefix("envref."))
    for name, tree in MODULES.items()
    for module in imports(tree)
    if module.startswith("envref.") and module.removeprefix("envref.") in MODULES
]


@pytest.mark.parametrize(("importer", "imported"), OWN)
def test_a_module_imports_only_from_its_layer_or_above(importer, imported):
    """Values never import stores, the core never imports tools, nothing imports the edge."""
    assert layer(imported) <= layer(importer)


@pytest.mark.parametrize(("importer", "imported"), [pair for pair in OWN if pair[1].startswith("backends")])
def test_only_stores_know_a_store_by_name(importer, imported):
    """The core asks the table; the vault's own commands are the one exception."""
    allowed = importer.startswith("backends") or imported in CORE_MAY_KNOW
    assert allowed or importer.startswith("cli.vault")


@pytest.mark.parametrize("library", HOMES)
def test_a_library_has_one_home(library):
    """click, yaml, tomlkit, keyring, pyrage and subprocess are imported where the picture says, and nowhere else."""
    users = {name for name, tree in MODULES.items() if any(_top(module) == library for module in imports(tree))}
    strangers = {name for name in users if not _lives_in(name, HOMES[library])}
    assert not strangers


def _top(module):
    return module.partition(".")[0]


def _lives_in(name, homes):
    return any(name == home or name.startswith(f"{home}.") for home in homes)
