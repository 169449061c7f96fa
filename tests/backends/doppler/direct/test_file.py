"""`.doppler.yaml` in the one form in which `doppler` writes it."""

from __future__ import annotations

import pytest

from envref.backends.doppler.direct.file import scopes
from envref.backends.doppler.direct.settings import settings
from envref.backends.http.connection import Unusual
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python

WHOLE = """\
scoped:
    /:
        token: dp.st.a:b
        api-host: 'https://a.test'
    "/a b":
        enclave.project: null
        enclave.config: "x"
    /empty: {}
version-check:
    latest-version: 1.2.3
"""


def test_the_settings_of_each_scope():
    """As they are written; nothing for null."""
    assert scopes(WHOLE) == {
        "/": {"token": "dp.st.a:b", "api-host": "https://a.test"},
        "/a b": {"enclave.project": "", "enclave.config": "x"},
        "/empty": {},
    }
    assert scopes("") == scopes("scoped: {}\n") == scopes("scoped:\n") == scopes("tui:\n    a: b\n") == {}
    assert scopes("scoped:\n  /:\n    token: NULL\n    api-host: Null\n") == {"/": {"token": "", "api-host": ""}}


@pytest.mark.parametrize(
    "text",
    [
        "rubbish\n",
        "scoped: x\n",
        "scoped: {}\n  /: {}\n",
        "scoped:\n  /: {}\n  /: {}\n",
        "scoped:\n  /:\n    token: {}\n",
        "scoped:\n  /:\n    token: a\n      b: c\n",
        "    scoped:\n  /: {}\n",
        "scoped:\n  /:\n    token: a:\n",
        "scoped:\n  /:\n    token: -a\n",
        "scoped:\n  /:\n    token:  a\n",
        "scoped:\n  /:\n    token:a\n",
    ],
)
def test_another_form(text):
    """May mean anything else: nothing of it is quoted."""
    with pytest.raises(Unusual, match="a file of another form"):
        scopes(text)


def test_another_member():
    """A later `doppler` may have given it a meaning."""
    with pytest.raises(Unusual, match="a member of the file"):
        scopes("scoped: {}\nfallback: {}\n")


class TestScopes:
    """Which of them count in a directory: each setting from the innermost."""

    @pytest.fixture
    def found(self, home):
        """The settings in a directory, where the file has these scopes."""
        (home / ".doppler").mkdir()

        def found(directory, scoped, **variables):
            lines = ["scoped:"]
            for scope, given in scoped.items():
                lines += [f"  {scope}:", *(f"    {name}: {text}" for name, text in given.items())]
            (home / ".doppler/.doppler.yaml").write_text("\n".join([*lines, ""]))
            access = settings({"HOME": str(home), **variables}, directory.format(home=home))
            return access.token.reveal(), access.project, access.config, access.server.authority

        return found

    def test_the_innermost_counts(self, found):
        """A name that begins alike is another directory."""
        scoped = {
            "/": {"token": "a", "enclave.project": "p", "enclave.config": "c"},
            "/code": {"enclave.config": "d"},
            "/code/deep": {"enclave.project": "q"},
            "/cod": {"token": "x"},
        }
        assert found("/code/deep/er", scoped)[:3] == ("a", "q", "d")
        assert found("/code", scoped)[:3] == ("a", "p", "d")
        assert found("/codes", scoped)[:3] == ("a", "p", "c")
        assert found("//code/./deep", scoped)[:3] == ("a", "q", "d")

    def test_homes_and_the_oldest_form(self, found):
        """`~` is the home, and `*` was every directory."""
        scoped = {"'*'": {"token": "a"}, "'~'": {"enclave.project": "p"}, "'~/x'": {"enclave.config": "c"}}
        assert found("{home}/x/y", scoped)[:3] == ("a", "p", "c")
        assert found("{home}", scoped)[:3] == ("a", "p", "")
        assert found("/", scoped)[:3] == ("a", "", "")

    def test_variables_come_first(self, found):
        """The last of two; an empty one is none."""
        scoped = {"/": {"token": "a", "enclave.project": "p", "enclave.config": "c", "api-host": "http://f.test:81"}}
        assert found("/", scoped) == ("a", "p", "c", "f.test:81")
        assert found("/", scoped, DOPPLER_PROJECT="q", ENCLAVE_PROJECT="r", DOPPLER_CONFIG="", DOPPLER_TOKEN="t") == (
            *("t", "r", "c"),
            "f.test:81",
        )
        assert found("/", scoped, DOPPLER_API_HOST="https://v.test", DOPPLER_ENABLE_DNS_RESOLVER="false")[3] == "v.test"

    @pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
    def test_tls_is_verified(self, found, text):
        """As Go reads a truth."""
        scoped = {"/": {"token": "a"}}
        assert found("/", scoped, DOPPLER_VERIFY_TLS=text)[0] == "a"
        with pytest.raises(Unusual, match="verify-tls"):
            found("/", scoped, DOPPLER_VERIFY_TLS="yes")
