"""Which addresses stay on this machine, and that everybody who asks gets one answer."""

from __future__ import annotations

import ast
import json

import pytest

from envref.errors import EnvrefError
from envref.project.config.load import load
from envref.project.config.model import BackendConfig
from envref.project.loopback import is_loopback
from envref.project.trust.endpoint import is_own, places_of_plugin
from tests.conftest import ROOT

CONFIG = "project: app\nbackends:\n  - name: v\n    type: hashicorp-vault\n    config:\n      addr: "


OURS = [
    "http://127.0.0.1:8200",
    "https://127.0.0.1",
    "http://127.8.9.255/",
    "HTTP://LOCALHOST:4566/path",
    "http://localhost",
    "http://[::1]:8200",
    "http://[0:0:0:0:0:0:0:1]",
    "localhost:8080",
    "127.0.0.1",
    "[::1]:1",
]
OTHERS = [
    "",
    "http://",
    "http://127.0.0.1@evil.example",
    "http://127.0.0.1\\@evil.example",
    "http://127.0.0.1#.evil.example",
    "http://127.0.0.1?.evil.example",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://evil.example/127.0.0.1",
    "http://127.1",
    "http://127.0.0.01",
    "http://127.0.0.256",
    "http://127.0.0.1.",
    "http://127.0.0.1:evil",
    "http://127.0.0.1:99999x",
    "http://127.0.0.1?x",
    "http://127.0.0.1:8200/?x",
    "http://127.0.0.1:80:evil.example",
    "http://0.0.0.0",
    "http://10.0.0.1",
    "http://[::1",
    "http://[::1]evil.example",
    "http://[127.0.0.1]",
    "http://[::2]",
    "http://[::g]",
    "http://[::1]:x8",
    "http://[::1]:8x",
    "http://[::ffff:127.0.0.1]",
    "http://[::1%lo]",
    "http://l\u00f6calhost",
    "http://127.0.0.\uff11",
    "http://127.0.0.1 ",
    "http://127.0.0.1\n",
    "unix:///run/vault.sock",
    "unix:path=/run/bus",
    "ftp://127.0.0.1",
    "/127.0.0.1",
]


@pytest.mark.parametrize("address", OURS)
def test_an_address_of_this_machine_is_loopback(address):
    """127.0.0.0/8, ::1 and localhost, with scheme and port or without."""
    assert is_loopback(address)


@pytest.mark.parametrize("address", OTHERS)
def test_anything_else_is_not_loopback(address):
    """Whatever some program could read as another host."""
    assert not is_loopback(address)


@pytest.mark.parametrize("address", [*OURS, *OTHERS])
def test_config_and_trust_judge_an_address_alike(project, address):
    """What the config takes for this machine, trust does: http to any other is refused before it is asked about."""
    project.write(".envref.yaml", CONFIG + json.dumps(address))
    backend = BackendConfig(name="v", type="hashicorp-vault", options={"addr": address})
    try:
        load(str(project.path / ".envref.yaml"))
        accepted = True
    except EnvrefError as error:
        assert "addr must use https (http is allowed for loopback only)" in error.message
        accepted = False
    ours = is_own(address, backend, {})
    assert ours == (address in OURS)
    if address.lower().startswith("http://"):
        assert accepted == ours


def test_whether_an_address_is_this_machine_s_is_known_in_one_place():
    """Nobody else compares with 127.0.0.1, ::1 or localhost, or asks a library that answers by its version."""
    knowing = set()
    for path in (ROOT / "envref").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            asks = isinstance(node, ast.Attribute) and node.attr in ("is_loopback", "is_private", "is_global")
            compares = isinstance(node, ast.Compare) and any(
                isinstance(side, ast.Constant) and side.value in ("localhost", "127.0.0.1", "127", "::1")
                for side in [node.left, *node.comparators]
            )
            if asks or compares:
                knowing.add(path.relative_to(ROOT / "envref").as_posix())
    assert knowing == {"project/loopback.py"}


@pytest.mark.parametrize(
    ("own", "address", "same"),
    [
        ("https://vault.corp", "https://vault.corp:443/", True),
        ("http://vault.corp:80", "http://vault.corp", True),
        ("https://vault.corp", "https://vault.corp:444", False),
        ("https://vault.corp", "http://vault.corp", False),
        ("https://vault.corp", "https://other.corp", False),
        ("", "https://vault.corp", False),
    ],
)
def test_where_the_user_sends_a_program_already_is_their_own(own, address, same):
    """Whether the port is written or is the scheme's."""
    backend = BackendConfig(name="v", type="hashicorp-vault", options={"addr": address})
    assert is_own(address, backend, {"VAULT_ADDR": own}) is same


@pytest.mark.parametrize(
    ("option", "value", "counts"),
    [
        ("endpoint", "evil.example", True),
        ("base-url", "evil.example", True),
        ("place", "https://evil.example", True),
        ("place", "evil", False),
        ("command", "https://evil.example", False),
        ("url", "http://127.0.0.1:1", False),
        ("url", "", False),
        ("url", 7, False),
    ],
)
def test_an_option_of_a_plugin_is_an_address_by_its_name_or_its_value(option, value, counts):
    """What only the plugin knows is judged by either."""
    backend = BackendConfig(name="kv", type="plugin", options={option: value})
    assert places_of_plugin(backend) == ([value] if counts else [])
