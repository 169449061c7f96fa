"""What an activation writes where a shell evaluates it."""

from __future__ import annotations

import pytest

from envref.cli import activate
from envref.cli.request import Request
from envref.formats import shells


@pytest.mark.parametrize("fails", ["exported", "_written"])
def test_a_bug_exports_nothing_and_fails(capfd, monkeypatch, fails):
    """A shell must not take a bug of envref's for an empty project (security.md P14)."""

    def bug(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(activate, "exported", lambda _: type("Resolution", (), {"untrusted": []}))
    monkeypatch.setattr(activate, fails, bug)
    with pytest.raises(ZeroDivisionError):
        activate.activate(Request(), shells.Sink(lambda _: None, failure="false\n"))
    assert capfd.readouterr().out == "false\n"
