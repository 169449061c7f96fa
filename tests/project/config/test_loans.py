"""What a credential that is a reference may say, and every message for what it may not."""

from __future__ import annotations

import pytest

from envref.errors import EnvrefError
from envref.project.config import load as config

TEXT = """\
project: app
backends:
  - name: kc
    type: keychain
  - name: prod
    type: hashicorp-vault
    config:
      token: %s
  - name: own
    type: plugin
    config: {api_key: "%s"}
"""
NO_DEFAULT = "it can't be optional or have a default: without its credential a store can't be asked"


def load(project, token="ref://kc/token", api_key="ref://kc/key"):
    return config.load(str(project.write(".envref.yaml", TEXT % (token, api_key))))


@pytest.mark.parametrize("uri", ["ref://kc/token", "ref://kc//a%20name", "ref://kc/token?version=2", "ref://kc/t#a"])
def test_a_reference_to_another_backend_is_a_credential(project, uri):
    """And no credential that git could track, nor one that the compiled copy could hold."""
    loaded = load(project, uri)
    assert [each.borrowed for each in loaded.backends] == [{}, {"token": uri}, {"api_key": "ref://kc/key"}]
    assert "token" not in loaded.backends[1].arguments("/")
    assert (loaded.tokens, loaded.warnings) == ((), ())


def test_its_config_has_a_compiled_copy(project, home, monkeypatch):
    """Only a literal credential keeps it from being copied."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    load(project)
    assert len(list((home / "cache" / "envref" / "config").iterdir())) == 1


@pytest.mark.parametrize(
    ("uri", "fault"),
    [
        ("ref://kc", 'invalid ref:// URI: ref:// URI missing path: "ref://kc" (expected ref://<backend>/<path>)'),
        ("ref://kc/token?optional", NO_DEFAULT),
        ("ref://kc/token?default=very-private", NO_DEFAULT),
        (
            "ref://secrets/t",
            '"ref://secrets/t" names no backend (write ref://BACKEND/KEY: secrets would ask this one too)',
        ),
        ("ref://prod/t", '"ref://prod/t" is in the backend that needs it; keep it in another one'),
        ("ref://none/t", '"ref://none/t": backend "none" is not configured (configured: kc, prod, own)'),
        ('" ref://kc/t"', "a reference is the whole value, and begins with ref://"),
        ("REF://kc/t", "a reference is the whole value, and begins with ref://"),
        ("Bearer ref://kc/t", "a reference is the whole value, and begins with ref://"),
    ],
)
def test_what_is_refused(project, uri, fault):
    """With its place; the text is never taken for the credential itself."""
    with pytest.raises(EnvrefError) as caught:
        load(project, uri)
    assert caught.value.message == f"loading config: invalid config: .envref.yaml:8:14: backends[1]: token: {fault}"


def test_a_circle_is_refused(project):
    """Both of its backends are named, at both places."""
    with pytest.raises(EnvrefError) as caught:
        load(project, "ref://own/t", "ref://prod/t")
    first, second = caught.value.message.removeprefix("loading config: invalid config: ").split("; ")
    assert first.startswith('.envref.yaml:8:14: backends[1]: token: "ref://own/t": backend "own" needs "prod" itself')
    assert second.startswith('.envref.yaml:11:23: backends[2]: api_key: "ref://prod/t": backend "prod" needs "own"')


def test_a_config_that_extends_another_may_borrow_from_there(project):
    """Which backends there are then shows once both are read."""
    text = "extends: ..\nproject: app\nbackends: [{name: v, type: hashicorp-vault, config: {token: ref://far/t}}]"
    (store,) = config.load(str(project.write(".envref.yaml", text))).backends
    assert store.borrowed == {"token": "ref://far/t"}


def test_an_option_that_is_no_credential_stays_text(project):
    """A plugin may take references of its own."""
    text = "project: app\nbackends: [{name: x, type: plugin, config: {where: ref://kc/t}}]"
    (store,) = config.load(str(project.write(".envref.yaml", text))).backends
    assert (store.borrowed, store.arguments("/")["where"]) == ({}, "ref://kc/t")


def test_a_circle_of_three_is_one(project):
    """However long the way back is, and whoever borrows beside it."""
    text = "project: app\nbackends:\n" + "".join(
        f"  - {{name: {name}, type: plugin, config: {{command: x, api_key: 'ref://{lender}/k'}}}}\n"
        for name, lender in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
    )
    with pytest.raises(EnvrefError) as caught:
        config.load(str(project.write(".envref.yaml", text)))
    told = [(name, lender) for name, lender in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
            if f'backend "{lender}" needs "{name}" itself' in caught.value.message]  # fmt: skip
    assert told == [("a", "b"), ("b", "c"), ("c", "a")]
