"""Whose address an endpoint is, which credential would go there, and which options of a plugin are addresses."""

from __future__ import annotations

import pytest

from envref.project.config.model import BackendConfig
from envref.project.trust.endpoint import credential, is_own, places_of_plugin, program

VAULT = BackendConfig(name="hc", type="hashicorp-vault", programs=("vault", "bao"))


def test_a_credential_is_named_as_its_user_knows_it(home):
    """A variable before a file, an empty variable not at all; nothing where nothing would be sent."""
    environment = {"HOME": str(home), "VAULT_TOKEN": ""}
    assert credential("hashicorp-vault", environment) == ""
    (home / ".vault-token").write_text("t")
    assert credential("hashicorp-vault", environment) == "~/.vault-token"
    assert credential("hashicorp-vault", {**environment, "VAULT_TOKEN": "t"}) == "VAULT_TOKEN"
    assert credential("plugin", {**environment, "VAULT_TOKEN": "t"}) == ""


SAME = [
    ("https://v", "https://v/"),
    ("https://v", "https://V:443"),
    ("http://v:80/", "http://v"),
    ("HTTPS://v/a/", "https://v/a"),
    ("other://v", "other://v:0"),
    ("https://v:port", "https://v:port"),
    ("https://v:99999", "https://v:99999"),
]
DIFFERENT = [
    ("", "https://v"),
    ("https://v", "https://w"),
    ("https://v", "http://v"),
    ("https://v", "https://v:80"),
    ("http://v", "http://v:443"),
    ("https://v:444", "https://v:445"),
    ("other://v", "other://v:1"),
    ("https://v/a", "https://v/b"),
    ("https://v", "https://me@v"),
    ("https://v", "https://v?a"),
    ("https://v:port", "https://v:harbour"),
    ("https://v:99999", "https://v:port"),
]


@pytest.mark.parametrize(
    ("own", "address", "same"), [*((*pair, True) for pair in SAME), *((*pair, False) for pair in DIFFERENT)]
)
def test_an_address_is_the_user_s_own_by_all_its_parts(own, address, same):
    """In one spelling; what is no address is itself alone."""
    environment = {"VAULT_ADDR": own}
    assert is_own(address, VAULT, environment) is same
    assert is_own("http://127.0.0.1:1", VAULT, environment)


@pytest.mark.parametrize(
    ("command", "own"), [("bao", {"BAO_ADDR": "https://v"}), ("/opt/bao", {"BAO_ADDR": "", "VAULT_ADDR": "https://v"})]
)
def test_the_program_decides_which_variable_is_asked_first(command, own):
    """By its name, wherever it is; an empty one says nothing."""
    backend = BackendConfig(name="hc", type="hashicorp-vault", programs=("vault", "bao"), options={"command": command})
    assert is_own("https://v", backend, own)
    assert not is_own("https://v", backend, {**own, "BAO_ADDR": "https://w"})


OPTIONS = {
    "addresses": {"url": "https://a", "base-URL": "b", "where": "x://c", "server_2": "d", "command_url": "e"},
    "others": {
        "command": "https://a",
        "curl": "a",
        "region": "a",
        "host": "127.0.0.1:1",
        "endpoint": "",
        "url": True,
        "where": "http://localhost/x",
    },
}


def test_an_option_of_a_plugin_is_an_address_by_its_words_or_by_its_value():
    """Of another machine; a program, a switch and an empty text are none."""
    found = [places_of_plugin(BackendConfig(name="kv", type="plugin", options=options)) for options in OPTIONS.values()]
    assert found == [["https://a", "b", "x://c", "d", "e"], []]


def test_the_program_that_will_run(tmp_path, monkeypatch):
    """The command if there is one, else the first that PATH finds, else the first there could be."""
    monkeypatch.setenv("PATH", str(tmp_path))
    plugin = BackendConfig(name="kv", type="plugin", programs=("envref-backend-*",))
    assert [program(each) for each in (VAULT, plugin, BackendConfig(name="k", type="keychain"))] == [
        "vault",
        "envref-backend-kv",
        "keychain",
    ]
    for name in ("bao", "envref-backend-kv", "other"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    assert [program(VAULT), program(plugin)] == [f"{tmp_path}/bao", f"{tmp_path}/envref-backend-kv"]
    for command, path in (("other", f"{tmp_path}/other"), ("none", "none")):
        assert program(BackendConfig(name="hc", type="hashicorp-vault", options={"command": command})) == path
