"""docs/adding-a-store.md, executed: its file is a store, its line is all that registers it, its test passes."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import tomllib
import types

import pytest

from envref.backends.table import BUILTIN
from envref.project.config import load as config
from tests.arguments import PYTHONPATH
from tests.backends.stores.redis import RedisServer
from tests.requirements import need

PAGE = pathlib.Path(__file__).parent.parent.parent / "docs" / "adding-a-store.md"
# An envref with one more store: the page's file beside the others, and the page's line.
WITH_REDIS = """
import sys
import envref.backends.table
envref.backends.__path__.append(sys.argv.pop(1))
envref.backends.table.BUILTIN.update({%s})
from envref.__main__ import main
sys.exit(main())
"""


def block(info):
    """The page's block of Python with this info string."""
    return re.search(rf"^```python {re.escape(info)}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)[1]


STORE, LINE, TEST = (
    block("file=envref/backends/redis.py"),
    block("line-of=BUILTIN"),
    block("file=tests/backends/test_redis.py"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A directory that holds the page's file."""
    path = tmp_path_factory.mktemp("redis")
    (path / "redis.py").write_text(STORE)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    need("redis-cli")
    with RedisServer(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture
def redis(server):
    """A Redis server that holds nothing."""
    server.reset()
    return server


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The page's line is in the table."""
    monkeypatch.setitem(BUILTIN, *eval(f"{{{LINE}}}").popitem())


def as_module(name, source):
    """The page's code as a module; what stands in the page is what a traceback shows."""
    module = types.ModuleType(name)
    exec(compile(source, f"{PAGE}:{name}", "exec"), module.__dict__)
    return module


sys.modules["envref.backends.redis"] = as_module("envref.backends.redis", STORE)
TestRedis = as_module(__name__, TEST).TestRedis


@pytest.fixture
def shop(project, folder):
    """Types commands into an envref that has the store."""

    def envref(*arguments, **options):
        return subprocess.run(
            [sys.executable, "-c", WITH_REDIS % LINE, str(folder), *arguments],
            cwd=project.path,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": PYTHONPATH},
            check=False,
            **options,
        )

    project.envref = envref
    return project


def test_the_config_knows_its_options(project):
    """Unknown options are warned of, the others reach the constructor."""
    project.write(".envref.yaml", "project: app\nbackends: [{name: redis, config: {port: '7', prot: '8'}}]\n")
    loaded = config.load(str(project.path / ".envref.yaml"))
    assert loaded.backends[0].options == {"port": "7"}
    assert 'unknown option "prot"' in str(loaded.warnings)


def test_the_commands_use_it(shop, redis):
    """set, list, resolve, a foreign name and delete, through the whole process; nothing else had to be told."""
    shop.write(".envref.yaml", f"project: app\nbackends: [{{name: redis, config: {{port: '{redis.port}'}}}}]\n")
    shop.write(".env", "KEY=ref://secrets/key\nTHEIRS=ref://redis//their/name\n")
    redis.ask("HSET", "envref", "their/name", "v2")
    done = shop.envref("secret", "set", "key", input="v1")
    assert done.stderr == 'secret "key" stored in backend "redis"\n'
    assert shop.envref("secret", "list").stdout == "key\n"
    assert shop.envref("resolve", input="").stdout == "KEY=v1\nTHEIRS=v2\n"
    assert shop.envref("secret", "delete", "key", "--force").returncode == 0
    assert 'secret "key" not found in any backend (redis: secret not found)' in shop.envref("resolve").stderr


def test_the_table_of_types_has_its_description(shop):
    """`backend list --all` reads the docstring."""
    assert "A hash in a Redis server, through redis-cli" in shop.envref("backend", "list", "--all").stdout


def test_a_manifest_gets_its_package(shop):
    """`flox-hook --write --install` adds what the class says."""
    shop.write(".envref.yaml", "project: app\nbackends: [{name: redis}]\n")
    shop.write(".env", "KEY=ref://secrets/key\n")
    manifest = shop.write(".flox/env/manifest.toml", "version = 1\n")
    assert shop.envref("flox-hook", "--write", "--install").returncode == 0
    assert tomllib.loads(manifest.read_text())["install"] == {"redis": {"pkg-path": "redis"}}


def test_a_hook_asks_its_program_without_envref(shop, redis):
    """A native block holds the store's own command, and sets what the program prints."""
    shop.write(".envref.yaml", f"project: app\nbackends: [{{name: redis, config: {{port: '{redis.port}'}}}}]\n")
    shop.write(".env", "KEY=ref://secrets/it's\nREDISCLI_AUTH=plain\n")
    redis.ask("HSET", "envref", "app/it's", "v1")
    block = tomllib.loads(shop.envref("flox-hook", "--native").stdout)["hook"]["on-activate"]
    assert f"_envref_get required KEY redis-cli -p '{redis.port}' HGET envref " in block
    assert block.index("_envref_get required KEY") < block.index("REDISCLI_AUTH")  # the program reads that one
    done = subprocess.run(
        [need("bash"), "-c", f'{block}\nprintf %s "$KEY"'], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout == "v1"


def test_another_program_needs_trust(shop):
    """`programs` are the store's own; any other that a project names asks for trust, under the store's name."""
    shop.write(".envref.yaml", "project: app\nbackends: [{name: redis, config: {command: ./mine}}]\n")
    shop.write(".env", "KEY=ref://secrets/key\n")
    done = shop.envref("resolve")
    assert done.returncode != 0
    assert "it wants: redis-cli CLI ./mine (not there)" in done.stderr


def test_doctor_looks_at_it(shop):
    """A server that is not there is a finding about the backend, in the store's words."""
    shop.write(".envref.yaml", "project: app\nbackends: [{name: redis, config: {port: '9'}}]\n")
    shop.write(".env", "KEY=ref://secrets/key\n")
    said = shop.envref("doctor").stderr
    assert said.startswith('backend "redis":\n  redis: Could not connect to Redis at 127.0.0.1:9: Connection refused\n')
