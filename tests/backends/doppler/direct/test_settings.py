"""Settings in force: a request made by them is the one that `doppler` sends, or `doppler` is asked."""

from __future__ import annotations

import subprocess
import urllib.parse

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from envref.backends.doppler.direct.settings import settings as in_force
from envref.backends.http.connection import Unusual
from tests.backends.doubles.doppler_service import DopplerService
from tests.backends.stores import doppler
from tests.nightly import count

_TOKENS = ["dp.st.one", "dp.pt.two", " ", "secret-0a0b"]
_VALUES = {
    "token": _TOKENS,
    "api-host": ["{first}", "{second}/", "{second}/path"],
    "verify-tls": ["true", "false", "1", "no"],
    "enclave.project": ["shop", "billing", "a b"],
    "enclave.config": ["dev", "prd"],
    "dashboard-host": ["https://d.test"],
}
_VARIABLES = {
    "DOPPLER_TOKEN": [*_TOKENS, ""],
    "DOPPLER_API_HOST": ["{first}", "{second}/", ""],
    "DOPPLER_PROJECT": ["shop", "", "other"],
    "DOPPLER_CONFIG": ["stg", ""],
    "ENCLAVE_PROJECT": ["enclave"],
    "ENCLAVE_CONFIG": ["enclave"],
    "DOPPLER_VERIFY_TLS": ["true", "false"],
    "DOPPLER_ENVIRONMENT": ["dev"],
    "DOPPLER_ENABLE_DNS_RESOLVER": ["false"],
    "DOPPLER_CONFIG_DIR": ["{home}/other", ""],
}
_WHOLE = {"token": "dp.st.file", "api-host": "{first}", "enclave.project": "shop", "enclave.config": "dev"}
_SCOPES = ["/", "*", "~", "{home}", "{home}/shop", "{home}/shop/", "{home}/shop/../shop", "{home}/sho", "{home}/other"]

_odd = st.dictionaries(st.sampled_from(sorted(_VALUES)), st.none(), max_size=2).flatmap(
    lambda names: st.fixed_dictionaries({name: st.sampled_from(_VALUES[name]) for name in names})
)
_more = st.sampled_from(
    [{}, {}, {}, {"unheard_of": "1"}, {"token": "~"}, {"token": "null"}, {"enclave.project": "'\"a b\"'"}]
)
scoped = st.tuples(st.sampled_from([_WHOLE, {}]), _odd, _more).map(lambda parts: parts[0] | parts[1] | parts[2])
files = st.none() | st.dictionaries(st.sampled_from(_SCOPES), scoped, max_size=3)
environments = st.lists(st.sampled_from(sorted(_VARIABLES)), max_size=4, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: st.sampled_from(_VARIABLES[name]) for name in names})
)
_OF_VARIABLES = {"DOPPLER_TOKEN": "dp.st.one", "DOPPLER_API_HOST": "{first}"}
_REST = "analytics:\n    disable: true\nversion-check:\n    latest-version: v3.77.1\ntui:\n    introVersionSeen: 1\n"


class Recording(DopplerService):
    """Notes who asked for what; `downloads` has the token and the query of each download."""

    def answer(self, method, target, token, body):
        path, _, query = target.partition("?")
        if path.endswith("/download"):
            self.downloads.append((token, urllib.parse.parse_qs(query, keep_blank_values=True)))
        return 200, b"{}"

    def reset(self):
        super().reset()
        self.downloads = []


@pytest.fixture(scope="module")
def services():
    with Recording() as first, Recording() as second:
        yield {"first": first, "second": second}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A home with a project in it, and another directory for settings; returns its path."""
    directory = tmp_path_factory.mktemp("home")
    for name in (".doppler", "other", "shop"):
        (directory / name).mkdir()
    return directory


def environment_of(place, services, scopes, variables):
    """Writes the files of settings; the variables with which envref and `doppler` read them."""
    words = {"home": place, **{name: service.endpoint for name, service in services.items()}}
    lines = ["scoped:\n"] if scopes else ["scoped: {}\n"]
    for scope, section in (scopes or {}).items():
        lines.append(f"    {scope.format(**words)!r}:{'' if section else ' {}'}\n".replace("'", '"'))
        lines += [f"        {name}: {value.format(**words)}\n" for name, value in section.items()]
    for directory in (".doppler", "other"):
        file = place / directory / ".doppler.yaml"
        file.unlink(missing_ok=True)
        if scopes is not None:
            file.write_text("".join(lines).replace("dp.st.file", f"dp.st.{directory.strip('.')}") + _REST)
    filled = {name: value.format(**words) for name, value in variables.items()}
    return {"HOME": str(place), "PATH": "/usr/bin:/bin", **filled}


class TestOracle:
    @settings(max_examples=count(40, 1_500), deadline=None, suppress_health_check=list(HealthCheck))
    @example(None, _OF_VARIABLES)
    @example({"/": _WHOLE}, {})
    @example({"*": _WHOLE, "{home}/shop": {"enclave.config": "prd"}, "{home}/sho": {"enclave.project": "no"}}, {})
    @example({"/": {**_WHOLE, "token": "secret-0a"}}, {"DOPPLER_TOKEN": "dp.st.one", "ENCLAVE_CONFIG": "stg"})
    @example({"/": _WHOLE}, {"DOPPLER_CONFIG_DIR": "{home}/other", "DOPPLER_API_HOST": "{second}"})
    @example({"/": _WHOLE, "~": {"token": "null", "enclave.config": "1e3"}}, {})
    @example({"/": _WHOLE, "{home}/shop": {"enclave.project": "'a b'", "enclave.config": '"null"'}}, {})
    @given(files, environments)
    def test_a_request_is_the_one_that_doppler_sends(self, place, services, scopes, variables):
        """To the same host, with the same token, project and config; or `doppler` is asked."""
        environment = environment_of(place, services, scopes, variables)
        project = str(place / "shop")
        try:
            found = in_force(environment, project)
        except Unusual:
            return
        if found.server.host != "127.0.0.1":  # Doppler's own service, which no test asks
            return
        for service in services.values():
            service.downloads.clear()
        flags = ["--no-check-version", "--silent", "--attempts=1", f"--scope={project}"]
        words = ["secrets", "download", "--no-file", "--no-fallback", "--format=json", *flags]
        done = subprocess.run([doppler.program(), *words], env=environment, capture_output=True, text=True, check=False)
        # The token of the file is fetched from the keyring, which is not there, although the variable's counts.
        if "keyring" in done.stderr:
            return
        asked = {
            (service.endpoint.removeprefix("http://"), token, query["project"][0], query["config"][0])
            for service in services.values()
            for token, query in service.downloads
        }
        assert asked == {(found.server.authority, found.token.reveal(), found.project, found.config)}


class TestHonoured:
    """So that the oracle's test can't pass by asking `doppler` for everything."""

    @pytest.mark.parametrize(
        ("scopes", "variables", "config"),
        [
            (None, _OF_VARIABLES, ""),
            ({"/": _WHOLE}, {}, "dev"),
            ({"/": _WHOLE, "{home}/shop/": {"enclave.config": "prd"}}, {}, "prd"),
            ({"/": _WHOLE, "{home}": {"enclave.config": "prd"}, "{home}/sho": {"enclave.config": "no"}}, {}, "prd"),
            ({"/": _WHOLE}, {"DOPPLER_CONFIG": "stg", "DOPPLER_ENVIRONMENT": "x"}, "stg"),
        ],
        ids=["variables", "file", "scope", "inner", "both"],
    )
    def test_what_is_common_needs_no_doppler(self, place, services, scopes, variables, config):
        """A token in a variable or in the file; the directory's own config."""
        found = in_force(environment_of(place, services, scopes, variables), str(place / "shop"))
        assert found.config == config

    def test_the_usual_host(self, place, services):
        """That of its own service."""
        found = in_force(environment_of(place, services, None, {"DOPPLER_TOKEN": "dp.st.one"}), str(place))
        assert (found.server.authority, found.server.tls is None) == ("api.doppler.com", False)


class TestLeftToDoppler:
    @pytest.mark.parametrize(
        ("variables", "why"),
        [
            ({"DOPPLER_SOMETHING_NEW": "1"}, "DOPPLER_SOMETHING_NEW"),
            ({"DOPPLER_ENABLE_DNS_RESOLVER": "true"}, "DOPPLER_ENABLE_DNS_RESOLVER"),
            ({"DOPPLER_VERIFY_TLS": "false"}, "verify-tls"),
            ({"GODEBUG": "netdns=go"}, "GODEBUG"),
            ({"https_proxy": "http://proxy.test"}, "a proxy"),
            ({"DOPPLER_API_HOST": "https://user:hunter2@e.test"}, "the API host"),
            ({"DOPPLER_TOKEN": " "}, "no token"),
            ({"DOPPLER_TOKEN": "a\nb"}, "no token"),
            ({"DOPPLER_TOKEN": "secret-0a"}, "a token in the keyring"),
            ({"DOPPLER_CONFIG_DIR": "here"}, "a home or a config directory that is not absolute"),
            ({"HOME": ""}, "a home or a config directory that is not absolute"),
        ],
    )
    def test_a_variable(self, place, services, variables, why):
        """What `-v` says of it is its name, or what it is; never a value."""
        environment = environment_of(place, services, None, {**_OF_VARIABLES, **variables})
        with pytest.raises(Unusual) as refused:
            in_force(environment, str(place))
        assert str(refused.value) == why

    @pytest.mark.parametrize(
        "text",
        [
            "scoped: [hunter2\n",
            "scoped: {/: {token: hunter2, new: x}}\n",
            "scoped: {/: {token: !!binary aHVudGVyMg==}}\n",
            "scoped: {/: {token: [hunter2]}}\n",
            "scoped: {/: {token: hunter2, token: hunter2}}\n",
            "scoped: {/: {<<: {token: hunter2}}}\n",
            "scoped: {? [hunter2] : {}}\n",
            "scoped: {shop: {token: hunter2}}\n",
            "scoped: {~root/x: {token: hunter2}}\n",
            "hunter2: x\n",
            "- hunter2\n",
            "--- {}\n--- hunter2\n",
            "scoped:\n  /:\n    token: hunter2\n   token: x\n",
            "scoped:\n  /:\n    token: hunter2 # x\n",
            "scoped:\n  /:\n    token: hunter2\n      more: x\n",
            "scoped:\n  /:\n    token: {}\n",
            "scoped:\n  /: {}\n    token: hunter2\n",
            "scoped:\n  /: hunter2\n",
            "scoped: {}\nscoped:\n  /:\n    token: hunter2\n",
            "  scoped:\n    /:\n      token: hunter2\ntui: {}\n",
            'scoped:\n  /:\n    token: "hunter2\\x20"\n',
            "scoped:\n\t/:\n\t\ttoken: hunter2\n",
            "scoped:\r\n  /:\r\n    token: hunter2\r\n",
        ],
    )
    def test_a_file_of_another_form(self, place, services, text):
        """Nothing of it is quoted."""
        environment = environment_of(place, services, {}, {})
        (place / ".doppler/.doppler.yaml").write_text(text)
        with pytest.raises(Unusual) as refused:
            in_force(environment, str(place / "shop"))
        assert "hunter2" not in str(refused.value)
        assert refused.value.__cause__ is None

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("scoped:\n  /:\n    token: hunter2\n    new: x\n", "a setting of the file"),
            ("hunter2:\n  new: x\n", "a member of the file"),
            ("scoped:\n  shop:\n    token: hunter2\n", "a scope that is not absolute"),
            ("scoped:\n  /:\n    token: secret-hunter2\n", "a token in the keyring"),
            ("scoped:\n  /:\n    token: hunter2\n    verify-tls: f\n", "verify-tls"),
            ("scoped:\n  /:\n    token: hunter2\n    api-host: hunter2\n", "the API host"),
            ("scoped:\n  /:\n    enclave.project: shop\n", "no token"),
            ("scoped: \xff\n", "a file that can't be read"),
        ],
    )
    def test_what_the_file_says(self, place, services, text, why):
        """What `-v` says of it is what it is; never a name or a value."""
        environment = environment_of(place, services, {}, {})
        (place / ".doppler/.doppler.yaml").write_bytes(text.encode("latin-1"))
        with pytest.raises(Unusual) as refused:
            in_force(environment, str(place / "shop"))
        assert str(refused.value) == why

    @pytest.mark.parametrize("name", [".doppler.yaml", ".config/.doppler.yaml", ".doppler.json"])
    def test_a_file_that_doppler_would_take_over(self, place, services, name):
        """On its first start, it makes its own of what an older one left."""
        environment = environment_of(place, services, None, _OF_VARIABLES)
        file = place / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("")
        try:
            with pytest.raises(Unusual, match="a file of an older doppler"):
                in_force(environment, str(place))
        finally:
            file.unlink()

    def test_a_directory_that_is_none(self, place, services):
        """Where scopes count, it has to be known."""
        environment = environment_of(place, services, {"{home}/shop": _WHOLE}, _OF_VARIABLES)
        with pytest.raises(Unusual, match="a directory that is not absolute"):
            in_force(environment, "")
