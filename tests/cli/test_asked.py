"""How often each command asks its stores: once for all that it wants to know, and not at all where it need not.

`import` looks again at what it has stored, before the file loses it.
"""

from __future__ import annotations

import pytest

from tests.backends.doubles.memory import Memory
from tests.requirements import first_python

pytestmark = first_python

KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
PROBE = ["envref-readiness-probe/envref-readiness-probe"]  # for what no store has


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("get A", []),
        ("get A --resolve", [["app/a"]]),
        ("list", []),
        ("resolve", [["app/a", "app/b"]]),
        ("resolve --export", [["app/a", "app/b"]]),
        ("resolve --unset", []),
        ("resolve --explain", [["app/a", "app/b"]]),
        ("resolve --only A", [["app/a"]]),
        ("status", [["app/a", "app/b"]]),
        ("status --offline", []),
        ("validate", []),
        ("validate --resolve", [["app/a", "app/b"]]),
        ("onboard", [["app/a", "app/b"]]),
        ("onboard --dry-run", [["app/a", "app/b"]]),
        ("profile export staging", []),
        ("profile export staging --resolve", [["app/staging/a", "app/a", "app/staging/b", "app/b"]]),
        ("profile diff staging staging", []),
        ("secret get a", [["app/a"]]),
        ("secret get a -P staging", [["app/staging/a", "app/a"]]),
        ("secret set a", []),
        ("secret set a --value v", []),
        ("secret generate n", [["app/n"]]),
        ("secret rotate a --value-stdin", [["app/a"], ["app/a.__history.1"]]),
        ("secret list", []),
        ("secret delete a -f", []),
        ("secret share a --to PUBLIC-KEY", [["app/a"]]),
        ("secret copy k --from other", [["other/k"]]),
        ("sync push --to PUBLIC-KEY", [["app/a", "app/b"]]),
        ("import old.env", [["app/token"], ["app/token"]]),
        ("import old.env --dry-run", []),
        ("audit", []),
        ("doctor", [PROBE]),
        ("trust", []),
        ("lock", [["app/a", "app/b"]]),
        ("backend list", []),
        ("backend list --check", [PROBE]),
    ],
)
def test_a_store_is_asked_once(shelf, words, asked):
    shelf.values.pop("two")
    shelf.configure(profiles={"staging": None})
    shelf.values["one"] |= {"app/a": "v", "app/b": "v", "other/k": "v"}
    for name, text in (
        (".env", "A=ref://secrets/a\nB=ref://one/b\n"),
        (".env.example", "A=\n"),
        ("old.env", "TOKEN=x7\n"),
    ):
        shelf.write(name, text)
    assert shelf.said(*words.replace("PUBLIC-KEY", KEY).split(), stdin="v").returncode == 0
    assert [keys for _, keys in Memory.asked] == asked
