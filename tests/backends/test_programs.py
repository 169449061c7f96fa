"""Where programs are found, whether they are in the project, and what all of them say behind a proxy."""

from __future__ import annotations

import pytest

from envref.backends.program import understood
from envref.backends.programs import find, is_inside


@pytest.fixture
def place(tmp_path, monkeypatch):
    """`place("a/b")` puts a program there, and gives its path; the current directory is the place."""
    monkeypatch.chdir(tmp_path)

    def program(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        path.chmod(0o755)
        return str(path)

    return program


def test_a_path_is_found_from_the_root(place, tmp_path):
    """A relative one starts there, not where one is; what can't be run is not found."""
    path = place("project/tool")
    assert find("./tool", root=str(tmp_path / "project")) == path
    assert find(path) == path
    assert find("./tool", root=str(tmp_path)) is None
    (tmp_path / "project" / "tool").chmod(0o644)
    assert find(path) is None


def test_a_name_is_found_on_path_then_among_the_bundled_programs(place, tmp_path, monkeypatch):
    """ENVREF_STORE_PATH comes second."""
    first, second = place("first/tool"), place("second/tool")
    monkeypatch.setenv("ENVREF_STORE_PATH", str(tmp_path / "second"))
    monkeypatch.setenv("PATH", str(tmp_path / "first"))
    assert find("tool") == first
    monkeypatch.setenv("PATH", "/nowhere")
    assert find("tool") == second


@pytest.mark.parametrize("path", ["", ".", "here", ":", "./here:here"])
def test_a_relative_part_of_path_chooses_nothing(place, monkeypatch, path):
    """Nor does an empty one, which means the current directory."""
    place("tool")
    place("here/tool")
    monkeypatch.setenv("PATH", path)
    assert find("tool") is None


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("project/tool", True),
        ("project/bin/tool", True),
        ("project/link-to-elsewhere", True),
        ("elsewhere/link-to-project", True),
        ("link-to-the-project/tool", True),
        ("project/link-to-a-directory/tool", False),
        ("elsewhere/tool", False),
        ("project-of-others/tool", False),
    ],
)
def test_what_is_inside_is_judged_by_where_it_really_is(place, tmp_path, path, inside):
    """The file, or the directory it stands in. A name that begins alike is another directory."""
    for name in ("project/tool", "project/bin/tool", "elsewhere/tool", "project-of-others/tool"):
        place(name)
    for link, target in (
        ("project/link-to-elsewhere", "elsewhere/tool"),
        ("elsewhere/link-to-project", "project/tool"),
        ("link-to-the-project", "project"),
        ("project/link-to-a-directory", "elsewhere"),
    ):
        (tmp_path / link).symlink_to(tmp_path / target)
    assert is_inside(str(tmp_path / path), str(tmp_path / "project")) == inside


@pytest.mark.parametrize(
    "said",
    [
        'Get "https://a.test/v3": Proxy Authentication Required',
        "Request failed with HTTP 407",
        "Error making API request. URL: GET http://a.test/v1/sys/internal/ui/mounts/secret Code: 407. Raw Message:",
        "An error occurred (407) when calling the GetParameter operation: ",
        "ServiceError: The service returned error code 407",
    ],
)
def test_a_proxy_that_wants_a_sign_in(said):
    """In the words of doppler, vault, aws and oci behind one (each was run); what to set, and no user or password."""
    assert understood("store", said, ()).lines() == [
        "error: store: unavailable: the proxy wants a sign-in",
        "  hint: HTTPS_PROXY and HTTP_PROXY may hold one, as http://USER:PASSWORD@HOST:PORT",
    ]


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (
            'Get "https://a.test": tls: failed to verify: x509: certificate has expired or is not yet valid',
            "have the server's certificate renewed, or set this machine's clock",
        ),
        (
            "SSL validation failed for https://a.test/ certificate verify: certificate has expired",
            "have the server's certificate renewed, or set this machine's clock",
        ),
        (
            "SSL validation failed for https://a.test/ hostname '127.0.0.1' doesn't match 'other.test'",
            "the certificate is for another host: check the address, or what stands between",
        ),
        (
            "x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
            "the certificate is for another host: check the address, or what stands between",
        ),
        (
            "SSLException: It looks like you are missing some additional certificates for operation.",
            "name a file with the authority that signed it in OCI_CLI_CERT_BUNDLE, or renew the certificate",
        ),
    ],
)
def test_a_certificate_that_is_not_accepted(said, hint):
    """In the words of doppler, aws and oci, each run on such a server: what to do about this one."""
    assert understood("store", said, ()).lines() == [f"error: store: {said}", f"  hint: {hint}"]
