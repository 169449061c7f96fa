"""The real git, docker, kubectl, cargo and aws, which ask envref for the credential of a server on loopback.

Each server answers whoever has the right credential only. git and aws are there wherever all tests run; the others are
tried where the machine has them: their packages are large, and what they ask is in tests/tools/test_credentials.py too.
"""

from __future__ import annotations

import base64
import http.server
import json
import os
import pathlib
import pwd
import shutil
import ssl
import subprocess
import sys

import pytest

from envref.secrets import audit_log
from tests.arguments import PYTHONPATH
from tests.backends.doubles.loopback import LoopbackService
from tests.backends.stores import aws
from tests.requirements import first_python, need

pytestmark = first_python

TOKEN = "tok-7f3a9c"
USER = "me"


class Server(LoopbackService):
    """`seen` has the path and the Authorization of each request; `answer` makes status, headers and body of them."""

    def __init__(self, answer, certificate=None):
        super().__init__()
        self.seen = []
        self._answer = answer
        self._certificate = certificate

    def __enter__(self):
        super().__enter__()
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.endpoint = self.endpoint.replace("http:", "https:")
        return self

    def handler(self):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _any(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                service.seen.append((self.path, self.headers.get("Authorization", "")))
                status, headers, answer = service._answer(self, body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)

            do_GET = do_POST = do_HEAD = _any  # noqa: N815  as http.server calls them

            def log_message(self, *_):
                pass

        return Handler

    @property
    def place(self):
        return self.endpoint.partition("://")[2]

    @property
    def authorizations(self):
        return {authorization for _, authorization in self.seen if authorization}


@pytest.fixture
def certificate(tmp_path):
    """For 127.0.0.1, signed by its own key: docker and kubectl send no credential in the clear."""
    files = tmp_path / "certificate", tmp_path / "key"
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    words = [need("openssl"), *made, *subject, "-out", files[0], "-keyout", files[1]]
    subprocess.run(words, check=True, capture_output=True)
    return files


def basic(user, password):
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def guarded(expected, answer, challenge='Basic realm="here"'):
    """The answer for those who have the credential."""

    def checked(request, body):
        if request.headers.get("Authorization") != expected:
            return 401, {"WWW-Authenticate": challenge}, b"{}"
        return answer(request, body)

    return checked


@pytest.fixture
def shop(project, home, nobody_agreed, monkeypatch):
    """A project whose token is in a plugin's store; `envref` and `docker-credential-envref` are on PATH."""
    programs = home / "bin"
    programs.mkdir()
    start = f'PYTHONPATH={PYTHONPATH} exec {sys.executable} -m envref "$@"'
    texts = {
        "envref": start,
        "docker-credential-envref": start.replace("envref", "envref credential docker"),
        "plugin": f"""cat > /dev/null; echo '{{"value": "{TOKEN}"}}'""",
    }
    for name, text in texts.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    project.write(
        ".env",
        f"USER_NAME={USER}\nTOKEN=ref://store/token\nAWS_ACCESS_KEY_ID=AKIA7F\nAWS_SECRET_ACCESS_KEY=${{TOKEN}}\n",
    )

    def made(tools):
        backends = [{"name": "store", "type": "plugin", "config": {"command": str(programs / "plugin")}}]
        config = {"project": "shop", "backends": backends, "tools": tools, "audit_log": {"reads": True}}
        project.write(".envref.yaml", json.dumps(config))
        assert project.envref("trust").returncode == 0
        for tool in tools:
            done = project.envref("credential", "--setup", tool, "--write")
            assert done.returncode == 0, done.stderr
        return project

    return made


def run(*words, cwd="/", **environment):
    return subprocess.run(
        words, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60
    )


def optional(program):
    return shutil.which(program) or pytest.skip(f"{program} is not installed here; it is not fetched for this test")


# git


def backend(root):
    """git's own server, a CGI program."""

    def answer(request, body):
        path, _, query = request.path.partition("?")
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": request.command,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "REMOTE_USER": USER,
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=True)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return int(headers.pop("Status", "200").split()[0]), headers, rest

    return answer


@pytest.fixture
def repositories(tmp_path):
    """A served folder with team/app.git, which has one commit."""
    root = tmp_path / "served"
    work = ["git", "-C", root / "team" / "app.git"]
    subprocess.run(["git", "init", "-q", "-b", "main", root / "team" / "app.git"], check=True)
    names = ["-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run([*work, *names, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    return root


def test_git_clones_with_the_project_s_token(shop, project, repositories, tmp_path, home):
    """From a directory elsewhere; the helper that keeps what it is told, store, is not told it."""
    need("git")
    with Server(guarded(basic("x-access-token", TOKEN), backend(repositories))) as server:
        subprocess.run(["git", "config", "--global", "credential.helper", "store"], check=True)
        shop({"git": {"credential": {server.endpoint: "TOKEN"}}})
        done = run("git", "clone", "-q", f"{server.endpoint}/team/app.git/.git", tmp_path / "clone")
        assert (done.returncode, done.stderr) == (0, "")
    assert server.authorizations == {basic("x-access-token", TOKEN)}
    assert not (home / ".git-credentials").exists()
    callers = {(line.entry["command"], line.entry["parent"]) for line in audit_log.read(str(project.path))}
    [(command, caller)] = callers
    assert command == "credential git"
    assert any(name.startswith("git") for name in caller.split(" < "))
    assert TOKEN not in (home / ".gitconfig").read_text()


def test_git_gets_it_for_that_server_and_that_path_only(shop, repositories, home):
    """Another port, another path: the helper has no answer, so nothing is sent. The user's own helper stays."""
    need("git")
    with Server(guarded("nobody", None)) as other, Server(guarded(basic(USER, TOKEN), backend(repositories))) as server:
        subprocess.run(["git", "config", "--global", f"credential.{other.endpoint}.helper", "mine"], check=True)
        shop({"git": {"credential": {f"{server.endpoint}/team": ["USER_NAME", "TOKEN"]}}})
        # Whoever has envref asked for every server gets no more.
        asks = ["-c", "credential.helper=!envref -C '{}' credential git".format(home.parent / "nowhere")]
        assert run("git", "ls-remote", f"{server.endpoint}/team/app.git/.git").stdout.endswith("refs/heads/main\n")
        assert run("git", "ls-remote", f"{server.endpoint}/other/app.git").returncode != 0
        assert run("git", *asks, "ls-remote", f"{other.endpoint}/team/app.git").returncode != 0
    assert server.authorizations == {basic(USER, TOKEN)}
    assert {path.split("/")[1] for path, sent in server.seen if sent} == {"team"}
    assert other.authorizations == set()
    assert "helper = mine\n" in (home / ".gitconfig").read_text()


def test_a_token_that_git_s_server_refuses_is_named(shop, tmp_path):
    """git asks for it to be erased; nothing is, and the user is told which variable it was."""
    need("git")
    with Server(guarded("nobody", None)) as server:
        shop({"git": {"credential": {server.endpoint: "TOKEN"}}})
        done = run("git", "ls-remote", f"{server.endpoint}/team/app.git")
    assert done.returncode != 0
    assert f"envref: {server.endpoint} refused the value of TOKEN; nothing was erased\n" in done.stderr


def test_a_changed_project_gives_git_nothing(shop, project):
    """A pull that has it ask for another server asks its user first."""
    need("git")
    with Server(guarded("nobody", None)) as server:
        shop({"git": {"credential": {server.endpoint: "TOKEN"}}})
        config = json.loads(project.read(".envref.yaml"))
        config["tools"]["git"]["credential"]["evil.example"] = "TOKEN"
        project.write(".envref.yaml", json.dumps(config))
        done = run("git", "ls-remote", f"{server.endpoint}/team/app.git")
    assert server.authorizations == set()
    assert "changed since you trusted it" in done.stderr


# docker


def test_docker_asks_for_a_registry(shop, home, certificate):
    """`docker manifest` talks to the registry itself, without an engine."""
    docker = optional("docker")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": []}
    manifest["config"] = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2}
    manifest["config"]["digest"] = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

    def answer(request, body):
        kind = manifest["mediaType"] if "manifests" in request.path else "application/json"
        text = b"{}" if "manifests" not in request.path else json.dumps(manifest).encode()
        return 200, {"Content-Type": kind, "Docker-Distribution-Api-Version": "registry/2.0"}, text

    with Server(guarded(basic(USER, TOKEN), answer), certificate) as server:
        (home / ".docker").mkdir()
        (home / ".docker" / "config.json").write_text('{"credsStore": "", "own": {"kept": true}}')
        shop({"docker": {"credential": {server.place: ["USER_NAME", "TOKEN"]}}})
        done = run(docker, "manifest", "inspect", "--insecure", f"{server.place}/team/app:1")
    assert '"schemaVersion": 2' in done.stdout, done.stderr
    assert server.authorizations == {basic(USER, TOKEN)}
    assert json.loads((home / ".docker" / "config.json").read_text())["own"] == {"kept": True}


# kubectl


def test_kubectl_gets_a_token_for_the_cluster(shop, project, certificate):
    """Of the versions that the kubeconfig may ask in, v1; the cluster is told, and another one gets none."""
    kubectl = optional("kubectl")

    def answer(request, body):
        return 200, {"Content-Type": "application/json"}, b'{"kind":"NamespaceList","apiVersion":"v1","items":[]}'

    accepting = Server(guarded(f"Bearer {TOKEN}", answer, "Bearer"), certificate)
    with accepting as server, Server(guarded("nobody", answer), certificate) as other:
        for name, each in {"here": server, "there": other}.items():
            run(
                kubectl,
                "config",
                "set-cluster",
                name,
                f"--server={each.endpoint}",
                f"--certificate-authority={certificate[0]}",
            )
            run(kubectl, "config", "set-context", name, f"--cluster={name}", "--user=shop")
        shop({"kubectl": {"credential": {server.endpoint: "TOKEN"}}})
        done = run(kubectl, "--context=here", "get", "--raw", "/api/v1/namespaces")
        refused = run(kubectl, "--context=there", "get", "--raw", "/api/v1/namespaces")
    assert done.returncode == 0, done.stderr
    assert server.authorizations == {f"Bearer {TOKEN}"}
    assert (refused.returncode, other.authorizations) == (1, set())
    assert f"the project has no credential of {other.endpoint}" in refused.stderr
    users = [kubectl, "config", "get-users"]
    assert "shop" in run(*users).stdout.split()
    removed = [project.envref("credential", "--setup", "kubectl", "--remove") for _ in range(2)]
    assert ["skip" in done.stderr for done in removed] == [False, True]
    assert "shop" not in run(*users).stdout.split()


# cargo


def test_cargo_gets_a_token_for_the_registry(shop, home, tmp_path, monkeypatch):
    """By the index; a name for another index gets none."""
    cargo = optional("cargo")
    real = pathlib.Path(pwd.getpwuid(os.getuid()).pw_dir) / ".rustup"
    monkeypatch.setenv("RUSTUP_HOME", os.environ.get("RUSTUP_HOME", str(real)))

    def registry(request, body):
        if request.path.endswith("config.json"):
            endpoint = f"http://{request.headers['Host']}"
            return 200, {}, json.dumps({"dl": endpoint, "api": endpoint}).encode()
        if request.headers.get("Authorization") != TOKEN:
            return 403, {}, b"{}"
        return 200, {}, b'{"users": [{"id": 1, "login": "alice", "name": null}]}'

    with Server(registry) as server, Server(registry) as other:
        (home / ".cargo").mkdir()
        text = f'# mine\n[registries.there]\nindex = "sparse+{other.endpoint}/index/"\n'
        (home / ".cargo" / "config.toml").write_text(text)
        shop({"cargo": {"credential": {f"sparse+{server.endpoint}/index/": "TOKEN"}}})
        config = home / ".cargo" / "config.toml"
        assert config.read_text().startswith(text)
        done = run(cargo, "owner", "--list", "--registry", "shop", "app", cwd=tmp_path)
        assert "alice" in done.stdout, done.stderr
        lines = [line for line in config.read_text().splitlines() if line.startswith("credential-provider")]
        config.write_text(f"{text}{lines[0]}\n")
        refused = run(cargo, "owner", "--list", "--registry", "there", "app", cwd=tmp_path)
    assert TOKEN in server.authorizations
    assert (refused.returncode != 0, other.authorizations) == (True, set())
    assert f"the project has no credential of {other.endpoint}/index" in refused.stderr


# aws


def test_aws_gets_its_keys(shop, home):
    """Of the profile that --setup wrote, beside the user's own; from anywhere, with nothing in the environment."""
    program = aws.program()
    body = (
        b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        b"<Account>123</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
    with Server(lambda request, _: (200, {"Content-Type": "text/xml"}, body)) as server:
        (home / ".aws").mkdir()
        (home / ".aws" / "config").write_text("[default]\nregion = eu-west-1\n# mine")
        shop({"aws": {"credential-process": ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]}})
        words = ["--profile", "shop", "--region", "eu-west-1", "--endpoint-url", server.endpoint]
        done = run(program, *words, "sts", "get-caller-identity", AWS_EC2_METADATA_DISABLED="true")
    assert (json.loads(done.stdout or "{}"), done.stderr) == ({"Account": "123"}, "")
    [signed] = server.authorizations
    assert "Credential=AKIA7F/" in signed
    assert (
        (home / ".aws" / "config").read_text().startswith("[default]\nregion = eu-west-1\n# mine\n\n[profile shop]\n")
    )
