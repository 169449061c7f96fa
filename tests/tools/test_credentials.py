"""`envref credential`: each protocol by its document, and what no tool gets. tests/tools/test_real_tools.py asks by the
real tools.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib

import pytest

from envref import __version__
from tests.cli.conftest import PLUGIN_ENTRY, config, install_plugin
from tests.requirements import need

TOOLS = {
    "aws": {"credential-process": ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]},
    "git": {
        "credential": {"git.example": "TOKEN", "git.example/team": ["NAME", "OTHER"], "http://127.0.0.1:1": "TOKEN"}
    },
    "docker": {"credential": {"ghcr.example": ["NAME", "TOKEN"], "docker.io": "TOKEN"}},
    "kubectl": {"credential": {"https://cluster.example:6443": "TOKEN", "other.example": ["CERTIFICATE", "OTHER"]}},
    "cargo": {"credential": {"sparse+https://index.example/": "TOKEN", "crates.io": "OTHER"}},
}
ENV = """\
NAME=me
TOKEN=ref://secrets/token
OTHER=ref://secrets/other
CERTIFICATE=cert
LINES=ref://secrets/lines
AWS_ACCESS_KEY_ID=AKIA7F
AWS_SECRET_ACCESS_KEY=ref://secrets/token
AWS_SESSION_TOKEN=
"""


@pytest.fixture
def shop(project, nobody_agreed):
    install_plugin(project)
    project.write(".envref.yaml", config(PLUGIN_ENTRY, tools=TOOLS))
    project.write(".env", ENV)
    values = {"app/token": "tok-1", "app/other": "tok-2", "app/lines": "a\nb"}
    project.write("store.json", json.dumps({"values": values, "writes": 0, "log": []}))
    assert project.envref("trust").returncode == 0
    return project


def git(project, operation="get", **asked):
    text = "".join(f"{name}={value}\n" for name, value in asked.items())
    return project.envref("credential", "git", operation, stdin=f"{text}\n")


def ask(project, host, protocol="https", **more):
    done = git(project, protocol=protocol, host=host, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_empty_line_ends_what_git_asks(shop):
    """git-credential(1): what is behind it is no part of the request."""
    asked = "protocol=https\n\nhost=git.example\n"
    assert shop.envref("credential", "git", "get", stdin=asked).stdout == ""
    asked = "capability[]=authtype\nwwwauth[]=Basic realm=x\nprotocol=https\nhost=git.example\n\nhost=other.example\n"
    assert shop.envref("credential", "git", "get", stdin=asked).stdout == "username=x-access-token\npassword=tok-1\n"


def test_git_gets_what_the_server_s_credential_is(shop):
    """The one of the longest path; a token alone has the name that a server takes from anybody, or git's own."""
    assert ask(shop, "git.example") == "username=x-access-token\npassword=tok-1\n"
    assert ask(shop, "git.example", username="bob") == "username=bob\npassword=tok-1\n"
    # what git tells of https://@git.example: a name that GitHub takes beside a token, and the project's own
    assert ask(shop, "git.example", username="") == "username=x-access-token\npassword=tok-1\n"
    assert ask(shop, "git.example", username="", path="team/app.git") == "username=me\npassword=tok-2\n"
    assert ask(shop, "git.example", path="team/app.git") == "username=me\npassword=tok-2\n"
    assert ask(shop, "git.example", path="teams/app.git") == "username=x-access-token\npassword=tok-1\n"
    assert ask(shop, "127.0.0.1:1", "http") == "username=x-access-token\npassword=tok-1\n"
    # What later gits add: capabilities, challenges; a helper ignores what it does not know.
    assert ask(shop, "git.example", **{"capability[]": "authtype", "wwwauth[]": "Basic"}).endswith("tok-1\n")


@pytest.mark.parametrize(
    "asked",
    [
        {"protocol": "http", "host": "git.example"},
        {"protocol": "https", "host": "git.example:444"},
        {"protocol": "https", "host": "git.example.evil"},
        {"protocol": "https", "host": "evil@git.example"},
        {"protocol": "https", "host": "git.example\r"},
        {"protocol": "https", "host": ""},
        {"protocol": "https"},
        {"protocol": "cert", "path": "/key"},
        {"host": "git.example"},
        {"protocol": "https", "host": "git.example", "path": "team/app", "username": "somebody-else"},
        {},
    ],
)
def test_git_gets_nothing_for_another_server_or_user(shop, asked):
    """Silently: the next helper, or the user, may know it."""
    done = git(shop, **asked)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("path", ["team/../other/app", "team//app", "team/%2e%2e/other"])
def test_a_path_that_leads_elsewhere_is_not_the_team_s(shop, path):
    """What a server would resolve is no prefix; the credential of the whole server is not narrower by it."""
    assert "tok-2" not in ask(shop, "git.example", path=path)


@pytest.mark.parametrize("operation", ["store", "erase", "capability", "anything"])
def test_git_changes_nothing(shop, operation):
    """Accepted, as gitcredentials(7) asks of a helper; a refused password is named."""
    before = shop.read("store.json")
    done = git(shop, operation, protocol="https", host="git.example", username="u", password="MARKER")
    assert (done.returncode, done.stdout) == (0, "")
    told = "envref: https://git.example refused the value of TOKEN; nothing was erased\n"
    assert done.stderr == (told if operation == "erase" else "")
    assert shop.read("store.json") == before


@pytest.mark.parametrize("value", ["a\nb", "a\r"])
def test_git_s_protocol_carries_one_line(shop, value):
    """A second line would be an attribute of somebody's choice; git takes a CR at the end off."""
    shop.write("store.json", json.dumps({"values": {"app/lines": value}, "writes": 0, "log": []}))
    shop.write(".envref.yaml", config(PLUGIN_ENTRY, tools={"git": {"credential": {"git.example": "LINES"}}}))
    shop.envref("trust")
    done = git(shop, protocol="https", host="git.example")
    assert (done.returncode, done.stdout) == (1, "")
    assert "one line only" in done.stderr


def test_aws_gets_a_document_of_version_1(shop):
    """A session token that is empty is left out: AWS takes it for one."""
    done = shop.envref("credential", "aws")
    assert json.loads(done.stdout) == {"Version": 1, "AccessKeyId": "AKIA7F", "SecretAccessKey": "tok-1"}


def test_docker_gets_user_and_secret(shop):
    """As docker names the server; a registry that is not the project's is not there, in docker's own words."""

    def get(server):
        done = shop.envref("credential", "docker", "get", stdin=server)
        return done.returncode, done.stdout

    expected = {"ServerURL": "ghcr.example", "Username": "me", "Secret": "tok-1"}
    assert (get("ghcr.example")[0], json.loads(get("ghcr.example")[1])) == (0, expected)
    hub = json.loads(get("https://index.docker.io/v1/")[1])
    assert hub == {"ServerURL": "https://index.docker.io/v1/", "Username": "x-access-token", "Secret": "tok-1"}
    for other in ("ghcr.example:444", "quay.example", "https://ghcr.example.evil/", "", "x y"):
        assert get(other) == (1, "credentials not found in native keychain\n")


def test_docker_is_told_that_nothing_is_stored(shop):
    """docker login would else say that it succeeded; a logout is no error. docker shows a helper's stdout."""
    document = json.dumps({"ServerURL": "ghcr.example", "Username": "u", "Secret": "MARKER"})
    done = shop.envref("credential", "docker", "store", stdin=document)
    assert (done.returncode, done.stdout) == (1, "envref keeps no password of docker login\n")
    assert "envref secret set" in done.stderr
    assert "MARKER" not in done.stderr
    assert shop.envref("credential", "docker", "erase", stdin="ghcr.example").returncode == 0
    other = shop.envref("credential", "docker", "sync", stdin="x")
    assert (other.returncode, other.stdout) == (1, 'docker asks for "sync"\n')
    version = shop.envref("credential", "docker", "version")
    assert version.stdout == f"docker-credential-envref (envref) {__version__}\n"


def test_docker_finds_the_project_of_a_registry(shop, tmp_path):
    """That --setup wrote down, wherever docker is; `list` has those, and leaves out a project that is gone."""
    assert shop.envref("credential", "--setup", "docker", "--write").returncode == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = shop.envref("credential", "docker", "get", stdin="ghcr.example", cwd=elsewhere)
    assert json.loads(done.stdout)["Secret"] == "tok-1"
    other = shop.envref("credential", "docker", "get", stdin="quay.example", cwd=elsewhere)
    assert (other.returncode, other.stdout, other.stderr) == (1, "credentials not found in native keychain\n", "")
    listed = shop.envref("credential", "docker", "list", cwd=elsewhere)
    assert json.loads(listed.stdout) == {"ghcr.example": "me", "docker.io": "x-access-token"}
    shutil.rmtree(shop.path)
    gone = shop.envref("credential", "docker", "list", cwd=elsewhere)
    assert (gone.returncode, gone.stdout) == (0, "{}\n")
    assert "warning: ghcr.example" in gone.stderr


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_kubectl_gets_an_exec_credential_of_its_version(shop, version):
    """By the cluster that it names: a token, or a client's certificate and its key."""

    def get(server):
        asked = {"apiVersion": f"client.authentication.k8s.io/{version}", "kind": "ExecCredential"}
        asked["spec"] = {"interactive": False, "cluster": {"server": server}}
        return shop.envref("credential", "kubectl", env={"KUBERNETES_EXEC_INFO": json.dumps(asked)})

    answer = json.loads(get("https://cluster.example:6443").stdout)
    assert answer["apiVersion"] == f"client.authentication.k8s.io/{version}"
    assert (answer["kind"], answer["status"]) == ("ExecCredential", {"token": "tok-1"})
    pair = {"clientCertificateData": "cert", "clientKeyData": "tok-2"}
    assert json.loads(get("https://other.example").stdout)["status"] == pair
    for other in ("https://cluster.example", "http://other.example", "https://evil.example"):
        done = get(other)
        assert (done.returncode, done.stdout) == (1, "")
        assert "the project has no credential of" in done.stderr


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ('{"apiVersion": "client.authentication.k8s.io/v2"}', "write apiVersion: client.authentication.k8s.io/v1"),
        ("[]", "not the JSON of an ExecCredential"),
        ("nonsense", "not the JSON of an ExecCredential"),
        ('{"spec": {}}', "set provideClusterInfo: true"),
        ("", "set provideClusterInfo: true"),
    ],
)
def test_kubectl_has_to_say_for_which_cluster(shop, asked, told):
    """A kubeconfig that does not let it tell gets nothing."""
    done = shop.envref("credential", "kubectl", env={"KUBERNETES_EXEC_INFO": asked})
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr


def test_cargo_gets_the_token_of_an_index(shop):
    """Whatever the registry is called: a repository chooses names."""

    def get(url):
        return shop.envref("credential", "cargo", env={"CARGO_REGISTRY_INDEX_URL": url})

    assert get("sparse+https://index.example/").stdout == "tok-1\n"
    assert get("sparse+https://index.crates.io/").stdout == "tok-2\n"
    assert get("https://github.com/rust-lang/crates.io-index").stdout == "tok-2\n"
    for other in ("https://evil.example/", "", "https://github.com/evil/crates.io-index"):
        done = get(other)
        assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize("words", [["git", "get"], ["aws"], ["docker", "get"]])
def test_a_project_that_nobody_agreed_to_gives_nothing(shop, words):
    """Nor one that changed since: the pull that names another server asks first. Its store is not asked."""
    shop.write(".envref.yaml", config(PLUGIN_ENTRY, tools={**TOOLS, "gh": ["TOKEN"]}))
    log = shop.read("store.json")
    stdin = "ghcr.example" if words[0] == "docker" else "protocol=https\nhost=git.example\n"
    done = shop.envref("credential", *words, stdin=stdin)
    assert done.returncode == 4
    assert "tok-" not in done.stdout
    assert "review, then: envref trust" in done.stderr
    assert shop.read("store.json") == log


def test_the_question_names_the_server(shop):
    """Which credential goes where is what is agreed to."""
    shop.envref("trust", "--revoke")
    told = shop.envref("trust").stderr
    assert "  it keeps NAME, OTHER for git at git.example/team\n" in told
    assert "  it keeps TOKEN for cargo at sparse+https://index.example/\n" in told
    assert "  it keeps AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN for aws\n" in told


def test_a_secret_that_fails_is_an_error(shop):
    """stdout stays empty; stderr has the reason."""
    shop.write("store.json", json.dumps({"values": {}, "writes": 0, "log": []}))
    done = git(shop, protocol="https", host="git.example")
    assert (done.returncode, done.stdout) == (1, "")
    assert "TOKEN: failed to resolve ref://secrets/token" in done.stderr
    shop.write(".env", "TOKEN=\n")
    shop.envref("trust")
    assert "TOKEN has no value" in git(shop, protocol="https", host="git.example").stderr
    shop.write(".env", "")
    assert 'key "TOKEN" not found' in git(shop, protocol="https", host="git.example").stderr


FAULTS = [
    ({"git": {"credential": {"*.example": "A"}}}, '"*.example" is not a server'),
    ({"git": {"credential": {"a.example": ["A", "B", "C"]}}}, "takes a user's name and a password, or one alone"),
    ({"git": {"credential": {"a.example": ["A b"]}}}, '"A b" is not a variable name'),
    ({"git": {"credential": {}}}, "tools.git.credential names no server"),
    ({"git": {"credential": {"a.example": "A", "https://A.example:443/": "B"}}}, '"a.example" too; a path tells'),
    ({"git": {"credential": ["A"]}}, "tools.git.credential must be a mapping"),
    ({"npm": {"credential": {"a.example": "A"}}}, "envref can answer cargo, docker, git, kubectl only"),
]


@pytest.mark.parametrize(("tools", "fault"), FAULTS)
def test_a_wrong_section_is_told_with_its_place(project, tools, fault):
    """File, line and column; nothing is given."""
    project.write(".envref.yaml", config(PLUGIN_ENTRY, tools=tools))
    done = project.envref("credential", "aws")
    assert done.returncode == 1
    assert fault in done.stderr
    assert ".envref.yaml:1:" in done.stderr


def test_aws_keys_are_told_apart_by_their_names(project):
    """In any order, with any prefix; two that are none are an error of whoever asks, and of --setup."""
    project.write(".env", "SHOP_AWS_SECRET_ACCESS_KEY=s\nSHOP_AWS_ACCESS_KEY_ID=i\nA=1\n")
    names = ["SHOP_AWS_SECRET_ACCESS_KEY", "SHOP_AWS_ACCESS_KEY_ID"]
    project.write(".envref.yaml", config(tools={"aws": {"credential-process": names}}))
    project.envref("trust")
    answer = json.loads(project.envref("credential", "aws").stdout)
    assert answer == {"Version": 1, "AccessKeyId": "i", "SecretAccessKey": "s"}
    project.write(".envref.yaml", config(tools={"aws": {"credential-process": ["A"]}}))
    project.envref("trust")
    for words in (["aws"], ["--setup", "aws"]):
        done = project.envref("credential", *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert "needs a variable that ends in ACCESS_KEY_ID and one that ends in SECRET_ACCESS_KEY" in done.stderr
    project.write(".envref.yaml", config(tools={"aws": {"credential-process": [*names, "AWS_ACCESS_KEY_ID"]}}))
    project.envref("trust")
    assert "has two variables for one key of AWS" in project.envref("credential", "aws").stderr


# --setup


def test_setup_shows_and_writes_nothing(shop, home):
    """What can be pasted is on stdout, in which file it belongs on stderr."""
    for tool in TOOLS:
        done = shop.envref("credential", "--setup", tool)
        assert done.returncode == 0
        assert str(shop.path) in done.stdout or tool == "docker"
        assert "tok-" not in done.stdout
    assert not {".gitconfig", ".aws", ".docker", ".cargo", ".kube"} & {path.name for path in home.iterdir()}


def test_setup_says_what_a_project_without_a_credential_needs(project):
    """The section to write."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "")
    done = project.envref("credential", "--setup", "git")
    assert done.returncode == 1
    assert done.stderr.endswith("  hint: tools: {git: {credential: {github.com: GITHUB_TOKEN}}}\n")
    assert project.envref("credential", "--write").returncode == 2
    assert project.envref("credential", "--setup", "npm").returncode == 2
    assert project.envref("credential", "--setup", "git", "aws").returncode == 2


OWN = {
    "aws": (".aws/config", "# a\n[profile x]\ncredential_process = mine\n\n[profile app]\nregion = r\n\n[profile z]\n"),
    "docker": (".docker/config.json", '{"auths": {"x": {}}, "credHelpers": {"y": "pass"}, "new": [1, "ä"]}'),
    "cargo": (
        ".cargo/config.toml",
        "# a\n[build]\njobs = 1  # b\n\n[registries.x]\nindex = 'sparse+https://index.example/'\n",
    ),
    "git": (".gitconfig", '# a\n[credential]\n\thelper = cache\n[credential "https://git.example"]\n\thelper = mine\n'),
}


def of_the_user(home, tool):
    """The tool's config as the user has it: its path and text."""
    if tool == "git":
        need("git")
    name, text = OWN[tool]
    path = home / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path, text


@pytest.mark.parametrize("tool", OWN)
def test_setup_keeps_the_user_s_own(shop, home, tool):
    """Each line or member of before is there; a second time changes no byte. A new file is its owner's alone."""
    path, text = of_the_user(home, tool)
    done = shop.envref("credential", "--setup", tool, "--write")
    assert done.returncode == 0, done.stderr
    written = path.read_text()
    if tool == "docker":
        old, new = json.loads(text), json.loads(written)
        assert {**new, "credHelpers": old["credHelpers"]} == old
        assert new["credHelpers"]["y"] == "pass"
    else:
        assert [line for line in text.splitlines() if line not in written.splitlines()] == []
    assert str(shop.path) in written or tool == "docker"
    assert shop.envref("credential", "--setup", tool, "--write").returncode == 0
    assert path.read_text() == written


@pytest.mark.parametrize("tool", OWN)
def test_what_setup_wrote_is_taken_out_again(shop, home, tool):
    """The user's own is as before, also where the project has no credential for the tool any more; twice changes
    nothing.
    """
    path, text = of_the_user(home, tool)
    words = ("credential", "--setup", tool)
    assert shop.envref(*words, "--write").returncode == 0
    shop.write(".envref.yaml", config(PLUGIN_ENTRY))
    done = shop.envref(*words, "--remove")
    assert (done.returncode, "skip" in done.stderr) == (0, False), done.stderr
    left = path.read_text()
    assert (json.loads(left) == json.loads(text)) if tool == "docker" else (left.rstrip("\n") == text.rstrip("\n"))
    assert shop.envref("credential", "docker", "list", cwd=home).stdout == "{}\n"
    done = shop.envref(*words, "--remove")
    assert (done.returncode, "(envref is not in it)" in done.stderr, path.read_text()) == (0, True, left)


def test_another_project_s_setting_stays(shop, home):
    """What asks about another directory is its own; a file that is not there is not made."""
    need("git")
    assert shop.envref("credential", "--setup", "aws", "--remove").returncode == 0
    assert not (home / ".aws").exists()
    (home / ".aws").mkdir()
    other = "[profile other]\ncredential_process = envref -C /elsewhere credential aws\n"
    (home / ".aws" / "config").write_text(other)
    shop.envref("credential", "--setup", "aws", "--write")
    shop.envref("credential", "--setup", "aws", "--remove")
    assert (home / ".aws" / "config").read_text().rstrip("\n") == other.rstrip("\n")
    assert shop.envref("credential", "--remove").returncode == 2
    assert shop.envref("credential", "--setup", "aws", "--write", "--remove").returncode == 2


TAKEN = {
    "aws": (".aws/config", "[profile app]\ncredential_process = mine\n"),
    "docker": (".docker/config.json", '{"credHelpers": {"ghcr.example": "pass"}}'),
    "cargo": (".cargo/config.toml", '[registry]\ncredential-provider = "cargo:token"\n'),
}


@pytest.mark.parametrize("tool", TAKEN)
def test_setup_replaces_nothing_of_the_user_s(shop, home, tool):
    """What stands in the place is named, and the file stays as it is."""
    name, text = TAKEN[tool]
    path = home / name
    path.parent.mkdir()
    path.write_text(text)
    done = shop.envref("credential", "--setup", tool, "--write")
    assert done.returncode == 1
    assert f"~/{name}: " in done.stderr
    assert "is not envref's" in done.stderr
    assert path.read_text() == text


BROKEN = [
    ("docker", ".docker/config.json", "{ broken"),
    ("docker", ".docker/config.json", "[]"),
    ("docker", ".docker/config.json", '{"credHelpers": 5}'),
    ("cargo", ".cargo/config.toml", "{ broken"),
    ("cargo", ".cargo/config.toml", "registries = 5\n"),
    ("cargo", ".cargo/config.toml", "[registries]\nx = 5\n"),
    ("cargo", ".cargo/config.toml", "[registry]\ncredential-provider = 5\n"),
]
WAYS = ["--write", "--remove"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("tool", "name", "text"), BROKEN)
def test_setup_leaves_a_broken_file_alone(shop, home, tool, name, text, way):
    """What is no config of the tool is named, and keeps every byte."""
    path = home / name
    path.parent.mkdir()
    path.write_text(text)
    done = shop.envref("credential", "--setup", tool, way)
    assert (done.returncode, path.read_text()) == (1, text)
    assert f"~/{name}" in done.stderr
    assert "internal error" not in done.stderr


def test_cargo_s_registries_are_told_apart(project, home, nobody_agreed):
    """Two indexes have two names, neither of which is taken from another index; an index without a scheme has to be
    in Cargo's config already.
    """
    both = {"sparse+https://a.example/": "T", "https://b.example/git": "T"}
    project.write(".envref.yaml", config(tools={"cargo": {"credential": both}}))
    project.write(".env", "T=1\n")
    project.envref("trust")
    path = home / ".cargo" / "config.toml"
    path.parent.mkdir()
    path.write_text('[registries.app]\nindex = "https://c.example/git"\n')
    assert project.envref("credential", "--setup", "cargo", "--write").returncode == 0
    found = {name: each["index"] for name, each in tomllib.loads(path.read_text())["registries"].items()}
    assert found == {
        "app": "https://c.example/git",
        "app-a-example": "sparse+https://a.example/",
        "app-b-example": "https://b.example/git",
    }
    project.write(".envref.yaml", config(tools={"cargo": {"credential": {"d.example": "T"}}}))
    done = project.envref("credential", "--setup", "cargo")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no registry has the index d.example" in done.stderr


def test_setup_follows_the_tools_own_variables(shop, home, tmp_path, monkeypatch):
    """AWS_CONFIG_FILE, DOCKER_CONFIG, CARGO_HOME, GIT_CONFIG_GLOBAL."""
    need("git")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "cargo"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "git"))
    for tool in ("aws", "docker", "cargo", "git"):
        assert shop.envref("credential", "--setup", tool, "--write").returncode == 0
    assert all((tmp_path / name).is_file() for name in ("aws", "docker/config.json", "cargo/config.toml", "git"))
    assert not {".gitconfig", ".aws", ".docker", ".cargo"} & {path.name for path in home.iterdir()}


def test_what_git_is_shown_can_be_pasted(shop, home):
    """The commands of --setup do what --write does, in a directory whose name needs quotes too."""
    need("git")
    shop.envref("credential", "--setup", "git", "--write")
    written = (home / ".gitconfig").read_text()
    (home / ".gitconfig").unlink()
    subprocess.run(["sh", "-e"], input=shop.envref("credential", "--setup", "git").stdout, text=True, check=True)
    assert (home / ".gitconfig").read_text() == written
    moved = shop.path.parent / "it's a shop"
    os.rename(shop.path, moved)
    commands = shop.envref("credential", "--setup", "git", cwd=moved).stdout
    subprocess.run(["sh", "-e"], input=commands, text=True, check=True)
    words = ["git", "config", "--get", "credential.https://git.example.helper"]
    helper = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    split = subprocess.run(["sh", "-c", f"printf '%s\\n' {helper[1:]}"], capture_output=True, text=True, check=True)
    assert split.stdout.splitlines() == ["envref", "-C", str(moved), "credential", "git"]


def test_setup_of_an_unknown_project_asks_first(shop, home):
    """Its helper would be told of the user's servers."""
    shop.envref("trust", "--revoke")
    done = shop.envref("credential", "--setup", "aws", "--write")
    assert done.returncode == 4
    assert not (home / ".aws").exists()
