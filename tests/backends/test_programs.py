"""Where programs are found, whether they are in the project, and what all of them say behind a proxy."""

from __future__ import annotations

import pytest

from envref.backends import command
from envref.backends.base import Package
from envref.backends.program import Complaint, Installation, Program, plain, understood
from envref.backends.programs import find, is_inside, repository_around
from envref.backends.throttling import Throttled
from envref.store_errors import BackendDenied, BackendError, BackendUnavailable
from tests.backends.asking import soon
from tests.requirements import first_python


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


@pytest.mark.parametrize(
    ("at", "around"),
    [("repo/sub/deep", "repo"), ("repo", "repo"), ("alone", "alone"), ("home/work", "home/work"), ("home", "home")],
)
def test_the_repository_around(tmp_path, monkeypatch, at, around):
    """The outermost one; not one that is the home directory, or holds it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("", "repo", "repo/sub", "home"):
        (tmp_path / name / ".git").mkdir(parents=True)
    for name in ("repo/sub/deep", "alone", "home/work"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / ".git").rmdir()
    assert repository_around(str(tmp_path / at)) == str(tmp_path / around)


@pytest.mark.parametrize("home", ["", "relative"])
def test_a_home_that_is_none_is_the_root(tmp_path, monkeypatch, home):
    """Then every repository counts."""
    monkeypatch.setenv("HOME", home)
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/sub").mkdir()
    assert repository_around(str(tmp_path / "repo/sub")) == str(tmp_path / "repo")


@first_python
class TestProgram:
    """The program of a store, without starting one: `ran` has the calls, which end with `outcomes`."""

    INSTALLATION = Installation(("kv-cli",), (Package("kv"), Package("kv-agent")), ("kv", "sign in"))

    @pytest.fixture
    def program(self, place, monkeypatch, tmp_path):
        place("bin/kv")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.setattr("envref.backends.throttling.time.sleep", lambda _: None)

        def program(*outcomes, **options):
            ran, waiting = [], [*outcomes]

            def run_many(calls, **way):
                ran.append(([(call.argv, call.payload) for call in calls], way))
                return [waiting.pop(0) for _ in calls]

            monkeypatch.setattr(command, "run_many", run_many)
            made = Program("label", options.pop("name", "kv"), self.INSTALLATION, **options)
            made.ran = ran
            return made

        return program

    def test_one_run(self, program, tmp_path, monkeypatch):
        """With a payload and an environment: the caller's, in English, less what changes the output."""
        monkeypatch.setenv("KV_FORMAT", "table")
        late, done = soon(), command.Finished(0, b"out", "")
        made = program(done, unset=("KV_FORMAT",))
        assert made.run(["get", "a"], late, payload=b"in", extra={"MORE": "1"}) is done
        [(calls, way)] = made.ran
        assert calls == [([f"{tmp_path}/bin/kv", "get", "a"], b"in")]
        assert (way["deadline"], way["label"]) == (late, "label")
        assert (way["environment"]["MORE"], way["environment"]["LC_ALL"]) == ("1", "C")
        assert "KV_FORMAT" not in way["environment"]

    def test_an_error_is_raised_by_one_run_and_told_by_many(self, program):
        """In the order of the calls, each without a payload."""
        fault, done = BackendDenied("no"), command.Finished(1, b"", "")
        with pytest.raises(BackendDenied):
            program(fault).run([], soon())
        made = program(fault, done)
        assert made.run_many([["a"], ["b"]], soon()) == [fault, done]
        assert [(argv[1:], payload) for argv, payload in made.ran[0][0]] == [(["a"], None), (["b"], None)]

    @pytest.mark.parametrize(
        ("status", "stderr", "runs"), [(1, "slow \x1b[31mdown", 3), (0, "slow down", 1), (1, "no", 1)]
    )
    def test_a_store_that_is_asked_too_often_is_asked_again(self, program, status, stderr, runs):
        """Where its words, without colours, say so, and it failed; three times in all, or as often as is wanted."""
        refusal = command.Finished(status, b"", stderr)
        made = program(*[refusal] * 9, throttled=lambda text: 0.0 if text == "slow down" else None)
        assert made.run([], soon()) is refusal
        assert len(made.ran) == runs
        made = program(*[refusal] * 9, throttled=lambda text: 0.0 if text == "slow down" else None, tries=2)
        made.run([], soon())
        assert len(made.ran) == min(runs, 2)

    @pytest.mark.parametrize(("variable", "run"), [("", "brew install kv-cli"), ("/flox", "flox install kv kv-agent")])
    def test_a_program_that_is_not_installed(self, program, monkeypatch, variable, run):
        """How to install it here, and what makes it ready then."""
        monkeypatch.setenv("FLOX_ENV", variable)
        with pytest.raises(BackendUnavailable) as caught:
            program(name="no\x1bne").path()
        assert caught.value.lines() == [
            "error: label: start no\\x1bne: executable file not found in $PATH",
            f"  run: {run}, then kv 'sign in'",
        ]

    def test_it_is_looked_up_once(self, program, tmp_path, monkeypatch):
        """A relative path from the root."""
        made = program(root=str(tmp_path), name="bin/kv")
        assert made.path() == f"{tmp_path}/bin/kv"
        monkeypatch.setattr("envref.backends.programs.find", None)
        assert made.path() == f"{tmp_path}/bin/kv"


def test_the_first_complaint_that_is_in_the_text_counts():
    """By our sentence, or the program's own line; without colours, before what all programs say."""
    complaints = (
        Complaint("locked", BackendDenied, "it is locked", ("kv", "open")),
        Complaint("x509: ", Throttled, hint="wait"),
    )
    assert understood("kv", "\x1b[1mlo\x1b[0mcked x509: ", complaints).lines() == [
        "error: kv: it is locked",
        "  run: kv open",
    ]
    assert understood("kv", "first\nx509: bad", complaints).lines() == ["error: kv: first", "  hint: wait"]
    assert type(understood("kv", "x509: bad", complaints)) is Throttled


@pytest.mark.parametrize(("text", "told"), [("odd\nmore", "odd"), (" \n", "failed without a message")])
def test_unknown_words_are_no_absence(text, told):
    """The cure is the program itself."""
    error = understood("kv", text, ())
    assert type(error) is BackendUnavailable
    assert isinstance(error, BackendError)
    assert error.lines() == [
        f"error: kv: {told}",
        "  hint: run the store's own program by hand; envref -v shows which store was asked",
    ]


def test_plain_text_has_no_sequences_of_a_terminal():
    """Colours, cursors, titles and links."""
    text = "a\x1b[1;31mb\x1b[?25lc\x1b]0;title\x07d\x1b]8;;http://x\x1b\\e"
    assert plain(text) == "abcde"
