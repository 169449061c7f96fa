"""The native block in the simulator of the documented contract: a store's own program, no envref at the activation.

What the block holds for each store is the matter of test_native.py; here, what Flox makes of it.
"""

from __future__ import annotations

import os

import pytest

from tests.flox.activation import block_of
from tests.flox.conftest import SECRETS, manifest
from tests.flox.simulator import FAILED, OK
from tests.requirements import first_python

pytestmark = first_python

STORE = """\
cat > "$LOOKS/read"
case $* in
  *api_key*) printf '%s\\n' correct-value-of-api-key ;;
  *db_pass*) printf '%s\\n' "correct value of db'pass" ;;
  *) echo 'is not in the password store' >&2; exit 1 ;;
esac
"""


@pytest.fixture
def native(place, home):
    """Makes the environment whose hook is the native block of the project; `pass` is the only program it needs."""
    place.monkeypatch.delenv("CI", raising=False)  # where a variable that is set is left as it is
    place.configure("{name: pass, type: pass}")
    entries = home / ".password-store" / "envref" / "app"
    entries.mkdir(parents=True)
    for name in SECRETS:
        (entries / f"{name.lower()}.gpg").touch()
    place.monkeypatch.setenv("LOOKS", str(place.directory))

    def build(*, store=STORE, **options):
        text = block_of(place.project, **options)
        flox = place.flox(manifest(hook=f"{text}\necho after\n"), envref=False)
        if store:
            flox.install(place.program("pass", store))
        return flox

    return build


def test_every_secret_is_exported_and_no_value_traced(place, native):
    """As with the hook form; the caller's data is not read, and the hook goes on."""
    flox = native()
    start = place.start(flox)
    assert (start.result, start.stderr, start.additions) == (OK, "after\n", SECRETS)
    traced = place.start(flox, verbosity=1)
    assert traced.additions == SECRETS
    assert "+ echo after" in traced.stderr
    reading, writing = os.pipe()
    os.write(writing, b"data of the caller")
    os.close(writing)
    assert place.start(flox, stdin=reading).additions == SECRETS
    assert os.read(reading, 100) == b"data of the caller"
    os.close(reading)
    assert (place.directory / "read").read_bytes() == b""


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("store", ["exit 1\n", "kill -9 $$\n", ""], ids=["locked", "killed", "absent"])
def test_a_store_that_gives_nothing_exports_nothing(place, native, store, strict):
    """Each variable is named; only a strict block stops the activation."""
    start = place.start(native(store=store, strict=strict), caller={**os.environ, "API_KEY": "of the caller"})
    assert (start.result, start.additions) == (FAILED if strict else OK, {})
    assert start.environment()["API_KEY"] == "of the caller"
    for name in SECRETS:
        assert f"envref: {name}: not loaded (required)" in start.stderr


def test_a_missing_secret_leaves_out_its_variable_only(place, native):
    """The others are exported."""
    place.stock(SECRETS, more="GONE=ref://secrets/gone\n")
    start = place.start(native())
    assert (start.result, start.additions) == (OK, SECRETS)
    assert "envref: GONE: not loaded (required): " in start.stderr
