"""docs/reference/ and the schemas: what they say is what the code does."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree

import jsonschema
import pytest

from envref.cli.commands import COMMANDS
from envref.project.config.check import _FIELDS, _ONLY_GLOBAL
from envref.refs.reference import Reference
from setup import pictures, reference

SCHEMA = reference.schema()
MEMBER = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


def test_a_page_is_what_the_code_makes_of_it():
    """`make reference` writes the pages anew."""
    pages = reference.pages()
    written = {name: (reference.ROOT / name).read_text(encoding="utf-8") for name in pages}
    outdated = [name for name, text in pages.items() if written[name] != text]
    assert outdated == [], "run: make reference"


def test_every_command_has_a_text_and_an_example():
    """`--help` of a command says what it does and shows one use of it (issue 6); a group lists its commands."""
    text = reference.commands()
    assert all(f"\n## envref {name}\n" in text for name in COMMANDS)
    for section in text.split("\n## ")[2:]:
        path, _, body = section.partition("\n")
        is_group = f"\n## {path} " in text
        assert "Example: `" in body or is_group, f"{path} has no example"


def test_the_schema_knows_the_keys_that_the_loader_knows():
    """No key is missing in an editor, and none is offered that envref would call unknown."""
    assert set(SCHEMA["properties"]) == {*_FIELDS, *_ONLY_GLOBAL}


VALID = [
    {"project": "app"},
    {"project": "app", "profiles": {"staging": None, "prod": {"env_file": "deploy/prod.env"}}},
    {"project": "app", "backends": [{"name": "vault"}, {"name": "op", "type": "1password", "config": {"vault": "V"}}]},
    {"project": "app", "backends": [{"name": "x", "type": "plugin", "config": {"anything": 1, "batch": True}}]},
    {"project": "app", "backends": [{"name": "k", "type": "keychain", "optional": True, "timeout": 5}]},
    {"project": "app", "team": [{"name": "a", "public_key": MEMBER}], "services": {"web": ["A", "B"]}},
]
INVALID = [
    {"project": ""},
    {"project": " app"},
    {"project": "a/b"},
    {"projet": "app"},
    {"profiles": {"local": None}},
    {"profiles": {"a.b": None}},
    {"backends": [{"type": "vault"}]},
    {"backends": [{"name": "secrets", "type": "vault"}]},
    {"backends": [{"name": "x", "type": "wat"}]},
    {"backends": [{"name": "vault", "config": {"pth": "x"}}]},
    {"backends": [{"name": "oci", "type": "oci-vault", "config": {"vault_id": "x"}}]},
    {"backends": [{"name": "oci-vault"}]},
    {"backends": [{"name": "vault", "timeout": 0}]},
    {"team": [{"name": "a"}]},
    {"services": {"web": "A"}},
]


@pytest.mark.parametrize("config", VALID, ids=json.dumps)
def test_what_the_loader_accepts_the_schema_accepts(config):
    """An editor shows no error where envref has none."""
    jsonschema.validate(config, SCHEMA)


@pytest.mark.parametrize("config", INVALID, ids=json.dumps)
def test_what_the_loader_refuses_the_schema_refuses(config):
    """An editor shows the mistake before envref does."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(config, SCHEMA)


def test_the_loader_agrees(project):
    """The same configs, by the loader itself: the valid ones load, the others are refused or warned of."""
    project.write(".env", "A=1\n")
    for config in VALID:
        project.write(".envref.yaml", json.dumps(config))
        done = project.envref("get", "A")
        assert (done.returncode, done.stderr) == (0, ""), config
    for config in INVALID:
        project.write(".envref.yaml", json.dumps({"project": "app", **config}))
        done = project.envref("get", "A")
        assert done.returncode == 1 or "unknown" in done.stderr, config


def test_what_the_page_of_stores_says_can_be_addressed_is_a_reference():
    """Every reference in the tables of docs/stores.md, Flox's commands among them, can be pasted."""
    page = (reference.ROOT / "docs/stores.md").read_text(encoding="utf-8")
    section = page.partition("## What people already have")[2].partition("\n## ")[0]
    found = re.findall(r"ref://[^\s`]+", "".join(line for line in section.splitlines() if line.startswith("|")))
    assert len(found) > 30
    assert all(Reference.parse(uri).foreign for uri in found)


def test_a_picture_is_xml_that_loads_nothing():
    """A picture that a browser refuses shows nothing, and one that names an address asks it."""
    for name in sorted((reference.ROOT / "docs/pictures").iterdir()):
        tree = xml.etree.ElementTree.fromstring(name.read_text(encoding="utf-8"))
        assert tree.find("{http://www.w3.org/2000/svg}title").text
        words = {word.rpartition("}")[2] for node in tree.iter() for word in [node.tag, *node.attrib]}
        assert words.isdisjoint({"href", "script", "image", "style", "foreignObject"})


def test_the_terminal_shows_the_session_that_is_tested():
    """Each line of the README's first session is in the picture, and nothing else."""
    page = (reference.ROOT / "README.md").read_text(encoding="utf-8")
    session = page.partition("```console\n")[2].partition("\n```")[0]
    tree = xml.etree.ElementTree.fromstring(pictures.terminal(page))
    texts = ["".join(node.itertext()) for node in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert "\n".join(texts).replace("$\n", "$ ") == session
    assert not any(line.startswith("error:") for line in texts), "the first thing to see is a success"


def test_no_row_of_the_forms_is_lost():
    """Every yes of the page's table is in the picture; another table draws another one."""
    page = (reference.ROOT / "docs/flox.md").read_text(encoding="utf-8")
    drawn = pictures.flox_forms(page)
    section = page.partition("## Which form")[2].partition("\n## ")[0]
    assert drawn.count(">yes</text>") == len(re.findall(r"\| yes (?=\|)", section)) > 20
    assert (
        pictures.flox_forms(page.replace("| no | yes | yes | that service only |", "| yes | yes | yes | no |")) != drawn
    )
