"""The activation door loads exactly the modules it needs, and does exactly what the click door does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from envref.backends.vault import session
from envref.cli import run_request, variable
from envref.cli.commands import envref
from envref.cli.secret import reading
from tests.conftest import ROOT
from tests.loaded import ENVREF
from tests.requirements import first_python

pytestmark = pytest.mark.usefixtures("real_starts")

# What Python itself loads before the first line of envref, on every version, is not counted.
PLAIN = {
    "__future__",
    "envref",
    "envref.__main__",
    "envref.cli",
    "envref.cli.activate",
    "envref.cli.request",
    "envref.env",
    "envref.env.environment",
    "envref.env.file",
    "envref.env.source",
    "envref.errors",
    "envref.finder",
    "envref.formats",
    "envref.formats.shells",
    "envref.formats.text",
    "envref.project",
    "envref.project.config",
    "envref.project.config.cache",
    "envref.project.config.files",
    "envref.project.config.load",
    "envref.project.config.model",
    "envref.paths",
    "envref.project.project",
    "envref.project.trust",
    "envref.project.trust.agreement",
    "envref.digest",
    "envref.resolve",
    "envref.resolve.resolution",
    "envref.streams",
}
# For who writes one.
QUOTING = {"envref.formats", "envref.formats.shells", "envref.formats.text"}
BUILT_IN = {
    "gc",
    "marshal",
    "time",
    "types",
    "_sha256",
    "_sha2",
}  # some versions load them at their start, or call them otherwise
# The state of the project has its seal: nothing of the gate is loaded, whatever it asks for.
ASKING = PLAIN | {"envref.refs", "envref.refs.address", "envref.refs.reference"}
ASKING |= {"envref.resolve.chain", "envref.resolve.resolve", "envref.resolve.store", "envref.store_errors"}
FILLING = {"envref.env.filling"}
ASKING |= FILLING | {"envref.refs.outcome", "envref.secret"}
# A program inside the project is read each time.
GATE = {f"envref.project.trust.{name}" for name in ("dangerous", "meaning", "names", "need", "record", "usual")}
GATE |= {"envref.backends.programs"}
# A shell that gets the value of a reference gets its revision too.
TELLING = {"envref.fresh", "envref.fresh.seen"}
TABLE = {"envref.backends", "envref.backends.table"}  # with the variables that lead a store's program elsewhere
# What the agent has opens no store: neither its class nor the table of classes is loaded.
WARM = ASKING | TELLING | {f"envref.{name}" for name in ("client", "libc", "memory", "resolve.remembered")}
OPENING = (
    ASKING | TELLING | TABLE | {f"envref.{name}" for name in ("memory", "libc", "backends.answer", "backends.base")}
)
IN_A_VAULT = OPENING | {"envref.backends.vault"}
IN_A_VAULT |= {
    f"envref.backends.vault.{name}"
    for name in (
        "age",
        "ancestor",
        "contents",
        "database",
        "file",
        "format",
        "mac",
        "passphrase",
        "session",
        "store",
        "turn",
    )
}
# With a session there is no passphrase, no scrypt and nothing of age's file format.
IN_AN_OPEN_VAULT = IN_A_VAULT - {"envref.backends.vault.age", "envref.backends.vault.turn"}
# `secret get` is called by its user, who is asked for trust; no env file has a part in it.
READING_A_SECRET = IN_AN_OPEN_VAULT - TELLING - FILLING - QUOTING - {"envref.cli.activate"}
READING_A_SECRET |= {f"envref.cli.{name}" for name in ("consent", "secret", "secret.lookup", "secret.reading")}
READING_A_SECRET |= {f"envref.cli.{name}" for name in ("timeout", "words")}
READING_A_SECRET |= {f"envref.project.trust.{name}" for name in ("dangerous", "gate", "names", "need")}
READING_A_SECRET |= {"envref.questions", "envref.backends.programs", "envref.secrets", "envref.secrets.read_target"}
SQLITE = {"_sqlite3", "functools", "collections"}  # with what it loads itself
SQLITE |= {"_collections", "_functools", "_operator", "itertools", "keyword", "operator", "reprlib"}
LIBRARIES_OF_AN_OPEN_VAULT = SQLITE | {"_ctypes", "pyrage", "resource", "select"}
# The gate of a shell's agreement is not asked: `run` is called by its user, each time.
STARTING = PLAIN - {"envref.formats.shells", "envref.project.trust.agreement", "envref.digest"}
STARTING |= {f"envref.{name}" for name in ("cli.child", "cli.run_request", "cli.words", "project.trust.dangerous")}
STARTING |= TABLE
# Nor is anything of the gate where no variable is exported.
GETTING = PLAIN - {
    "envref.cli.activate",
    "envref.digest",
    *(name for name in PLAIN if name.startswith("envref.project.trust")),
}
GETTING |= {f"envref.cli.{name}" for name in ("chosen", "variable", "words")}
GETTING -= QUOTING
IN_A_PLUGIN = OPENING | GATE | {"envref.backends.children", "envref.backends.command", "envref.backends.plugin"}
LOCKED = {
    "envref.atomic",
    "envref.backends.revision",
    *(f"envref.fresh.{name}" for name in ("lock", "locked", "stale")),
}
VERSION = {"__future__", "envref", "envref.__main__", "envref.errors", "envref.finder", "envref.streams"}
NEVER = {"click", "yaml", "tomlkit", "keyring", "difflib", "inspect", "dataclasses", "logging"}

PROBE = """
import sys
before = set(sys.modules)
import os
def stop(status):
    names = sorted(set(sys.modules) - before)
    os.write(2, ("\\nMODULES " + " ".join(names) + "\\n").encode())
    os.close(2)
    raise SystemExit(status)
os._exit = stop
os.execve = lambda *_: stop(0)
sys.argv = ["envref", *sys.argv[1:]]
from envref.__main__ import main
try:
    main()
except SystemExit as end:  # the click door
    stop(end.code)
"""


def loaded(project, *arguments, typed=""):
    """The modules that envref loads on its second run, the first one having compiled the config; it reads `typed`."""
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{PROBE}", *arguments],
            cwd=project.path,
            input=typed,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    [line] = [line for line in done.stderr.splitlines() if line.startswith("MODULES ")]
    return set(line.split()[1:]) - BUILT_IN


@pytest.fixture
def app(project, nobody_agreed):
    """A hundred plain variables, in a project that its user agreed to."""
    project.write(".envref.yaml", "project: app\nbackends:\n  - name: vault\n")
    project.write(".env", "".join(f"NAME_{number}=value{number}\n" for number in range(100)))
    assert project.envref("trust").returncode == 0
    return project


def test_plain_variables_load_no_store_and_no_parser(app):
    """Neither click nor yaml, no regular expressions, no json: the list is exact."""
    assert loaded(app, "resolve", "--export") == PLAIN


def test_a_child_of_run_costs_what_an_activation_does(app):
    """The list is exact, libraries included."""
    assert loaded(app, "run", "--only", "NAME_1", "-P", "staging", "--", "true") == STARTING


@pytest.mark.parametrize(("format_", "more"), [("plain", set()), ("shell", QUOTING)], ids=["plain", "shell"])
def test_a_variable_costs_what_an_activation_does(app, format_, more):
    """The list is exact, libraries included."""
    assert loaded(app, "get", "NAME_1", "--format", format_, "-C", ".") == GETTING | more


def test_the_version_loads_the_doors_alone(app):
    """And nothing of the project."""
    assert loaded(app, "version") == VERSION


def test_the_help_imports_no_command(app):
    """The summaries have a table of their own."""
    modules = {module for module in own(loaded(app, "--help")) if module.startswith("envref.cli.")}
    assert modules == {f"envref.cli.{name}" for name in ("commands", "grammar", "summaries")}


def test_an_address_adds_nothing(app):
    """How references of other tools begin is known; this is none."""
    app.write(".env", "A=https://localhost\n")
    assert loaded(app, "resolve", "--export") == PLAIN


def test_a_failing_reference_adds_the_chain_and_the_report(app):
    """An unknown selector opens no store."""
    app.write(".env", "A=ref://nowhere/a\n")
    assert loaded(app, "resolve", "--export") == ASKING | {"envref.resolve.report"}


def own(modules):
    return {module for module in modules if module.partition(".")[0] in ("envref", "__future__")}


def libraries(modules):
    """Those that are not envref's; pyrage is one module in Rust, whatever names it enters."""
    return {module for module in modules - own(modules) if not module.startswith("pyrage.")}


def top(modules):
    return {module.partition(".")[0] for module in modules}


def test_a_reference_in_the_vault_adds_the_vault(app, monkeypatch):
    """Of envref exactly what opens it; of libraries SQLite and age, nothing that another store needs."""
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    assert app.envref("vault", "init", "--work-factor", "15").returncode == 0
    assert app.envref("secret", "set", "a", stdin="value").returncode == 0
    app.write(".env", "A=ref://secrets/a\n")
    modules = loaded(app, "resolve", "--export")
    assert own(modules) == IN_A_VAULT
    assert not top(modules) & (NEVER | {"subprocess", "jeepney", "secretstorage", "threading"})


def test_a_vault_with_a_session_adds_its_reader(app, monkeypatch):
    """No cryptography, json, shlex, urllib, typing, contextlib or ctypes: the list is exact, libraries included."""
    if not session.remember("probe", "probe", 5):
        assert os.environ.get("CI") != "true", "the kernel's keyring is denied here"
        pytest.skip("the kernel's keyring is denied here")
    monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "correct horse battery")
    assert app.envref("vault", "init", "--work-factor", "15").returncode == 0
    assert app.envref("secret", "set", "a", stdin="value").returncode == 0
    assert app.envref("vault", "unlock", "--ttl", "60s").returncode == 0
    monkeypatch.delenv("ENVREF_VAULT_PASSPHRASE")
    app.write(".env", "A=ref://secrets/a\n")
    modules = loaded(app, "resolve", "--export")
    assert own(modules) == IN_AN_OPEN_VAULT
    assert libraries(modules) == LIBRARIES_OF_AN_OPEN_VAULT
    modules = loaded(app, "secret", "get", "a")
    assert own(modules) == READING_A_SECRET
    assert libraries(modules) == LIBRARIES_OF_AN_OPEN_VAULT


def test_a_reference_in_a_plugin_adds_the_plugin(app):
    """Of libraries what starts a process and reads JSON. The plugin is the project's own, so trust was recorded."""
    app.write("store", '#!/bin/sh\ncat > /dev/null\necho \'{"value": "v"}\'\n').chmod(0o755)
    app.write(".envref.yaml", "project: app\nbackends:\n  - {name: p, type: plugin, config: {command: ./store}}\n")
    app.write(".env", "A=ref://secrets/a\n")
    assert app.envref("trust").returncode == 0
    modules = loaded(app, "resolve", "--export")
    assert own(modules) == IN_A_PLUGIN
    assert "hashlib" not in modules
    assert not top(modules) & (NEVER | {"sqlite3", "pyrage", "cryptography", "jeepney", "secretstorage"})


def test_a_locked_project_adds_the_lock(app):
    """No click, and no library that a project without a lock does not load."""
    app.write("store", '#!/bin/sh\ncat > /dev/null\necho \'{"value": "v"}\'\n').chmod(0o755)
    backends = "backends:\n  - {name: p, type: plugin, config: {command: ./store}}\n"
    app.write(".env", "A=ref://secrets/a\n")
    app.write("envref.lock", "envref-lock 1\nA p app/a unpinned\n")
    seen = []
    for locked in ("", "locked: true\n"):
        app.write(".envref.yaml", f"project: app\n{locked}{backends}")
        assert app.envref("trust").returncode == 0
        seen.append(loaded(app, "resolve", "--export"))
    assert own(seen[1]) == IN_A_PLUGIN | LOCKED
    assert libraries(seen[1]) == libraries(seen[0])


def test_the_table_of_a_flox_plugin_adds_its_reader(app):
    """On the path of `flox activate`; of libraries what reads JSON."""
    app.write("table", '{"A": "ref://nowhere/a"}')
    modules = loaded(app, "resolve", "--export", "--shell", "bash", "--from-flox-plugin", "table")
    assert own(modules) == ASKING | {"envref.flox", "envref.flox.table", "envref.resolve.report"}
    assert not top(modules) & (NEVER | {"subprocess", "typing"})


def test_only_a_value_that_a_shell_may_break_adds_the_rule_for_it(app, monkeypatch):
    """Inside `flox activate`; the shells are looked for only where some shell breaks the value."""
    rule = {"envref.flox", "envref.flox.replay"}
    looking = {"envref.flox.reached", "envref.processes", "envref.backends", "envref.backends.callers"}
    for value, more in (
        ("plain", set()),
        ("'a=b c!'", set()),
        ("'C:\\new'", rule),
        ("=ls", rule | looking),
    ):
        app.write(".env", f"A={value}\n")
        monkeypatch.setenv("FLOX_ENV", "/env")
        assert own(loaded(app, "resolve", "--export", "--shell", "bash")) == own(PLAIN) | more
        monkeypatch.delenv("FLOX_ENV")
        assert loaded(app, "resolve", "--export", "--shell", "bash") == PLAIN


def test_a_name_that_is_left_out_hides_no_line_of_a_value(app, monkeypatch):
    """The rule is loaded for a value of two lines, whatever else is in the file."""
    app.write(".env", "my-var=left out\nother-var=too\nPEM='two\nlines'\n")
    monkeypatch.setenv("FLOX_ENV", "/env")
    assert "envref.flox.replay" in loaded(app, "resolve", "--export", "--shell", "bash")


def test_the_click_door_is_another_door(app):
    """The probe would see click: the lists above are not empty promises."""
    assert "click" in loaded(app, "resolve", "--export", "--explain")


ENV = """\
PLAIN=a
QUOTED="it's"
my-var=dashed
LONG="two
lines"
DEFAULT=ref://secrets/none?default=d
OPTIONAL=ref://store/none?optional
HERE=ref://store/here
WAITS=<${HERE}>
"""
STORE = """\
#!/bin/sh
request=$(cat)
case $request in
  *app/here*) echo '{"value": "it is"}' ;;
  *app/broken*) echo '{"error": "exploded"}' ;;
  *) echo '{"error": "not found"}' ;;
esac
"""

CONFIG = "project: app\nbackends:\n  - name: store\n    type: plugin\n    config: {command: ./store}\n"


@pytest.fixture
def doors(project, trusted, monkeypatch):
    """Gives the same words to both doors; their results. Any option that the hot grammar lacks leads to click's."""
    monkeypatch.setattr(ENVREF, "real", False)
    project.write(".envref.yaml", CONFIG)
    project.write("store", STORE).chmod(0o755)
    project.write(".env", ENV)
    project.write(".env.staging", "PLAIN=staged\n")
    project.write("folder/.keep", "")

    def run(*arguments, env=None):
        return [project.envref(*door, *arguments, env=env) for door in ([], ["--no-color"])]

    run.project = project
    return run


@pytest.mark.parametrize(
    "arguments",
    [
        ["--export"],
        ["--direnv"],
        ["--direnv", "--shell", "fish"],
        ["--export", "--shell=fish"],
        ["--export", "--shell", "tcsh"],
        ["--export", "--shell", "nu"],
        ["--export", "--shell", "auto"],
        ["--export", "--shell", "elvish"],
        ["--export", "-P", "staging"],
        ["--export", "--profile=nowhere"],
        ["--export", "--profile", ""],
        ["--export", "--only", "PLAIN,WAITS"],
        ["--export", "--only", "PLAIN", "--only=LONG"],
        ["--export", "--only", "NOWHERE"],
        ["--export", "--only", ""],
        ["--export", "--strict"],
        ["--export", "--locked"],
        ["--export", "--timeout", "5"],
        ["--export", "--timeout", "0"],
        ["--export", "--timeout", "soon"],
        ["--export", "-C", "/"],
        ["--export", "-C"],
        ["--export", "--project=.", "-C", "."],
        ["--export", "extra"],
        ["--export", "--shell", "sh", "--nonsense"],
    ],
    ids=" ".join,
)
def test_both_doors_give_the_same_bytes_and_status(doors, arguments):
    """stdout, stderr and exit status, for right and wrong command lines."""
    hot, click = doors("resolve", *arguments)
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)


SHOWN = ["--", "env"]
# Each is a command line of `run`, and whether its hot door takes it.
RUNS = (
    (["env"], True),
    (SHOWN, True),
    (["--only", "PLAIN,WAITS", *SHOWN], True),
    (["--only", "PLAIN", "--only", "LONG", *SHOWN], True),
    (["--only", "NOWHERE", *SHOWN], True),
    (["-P", "staging", *SHOWN], True),
    (["--profile", "nowhere", *SHOWN], True),
    (["--strict", *SHOWN], True),
    (["--partial", "--partial", *SHOWN], True),
    (["--locked", *SHOWN], True),
    (["--pristine", "--only", "PLAIN", *SHOWN], True),
    (["--timeout", "5", *SHOWN], True),
    (["--timeout", "x", "--timeout", "5", *SHOWN], True),
    (["-C", ".", *SHOWN], True),
    (["--project", "/", *SHOWN], True),
    (["-C", "nowhere", *SHOWN], True),
    (["sh", "-c", "exit 7"], True),
    (["sh", "-c", "kill -TERM $$"], True),
    (["printf", "%s\n", "--only", "--", "-x"], True),
    (["--", "--", "x"], True),
    (["--", "no-such-command"], True),
    (["--", "./no-such-file"], True),
    (["--", "./not-executable"], True),
    (["--", "./no-interpreter"], True),
    (["--", "./script"], True),
    (["--", ""], True),
    ([], False),
    (["--"], False),
    (["--only"], False),
    (["--only", "", *SHOWN], False),
    (["--only", "PLAIN,,LONG", *SHOWN], False),
    (["--only", "-x", *SHOWN], False),
    (["--only=PLAIN", *SHOWN], False),
    (["-Pstaging", *SHOWN], False),
    (["--profile", "", *SHOWN], False),
    (["--timeout", "0", *SHOWN], False),
    (["--timeout", "soon", *SHOWN], False),
    (["--strict", "--partial", *SHOWN], False),
    (["--keep-env", *SHOWN], False),
    (["-f", ".env.staging", *SHOWN], False),
    (["-q", *SHOWN], False),
    (["--nonsense", *SHOWN], False),
    (["--help"], False),
)


@pytest.mark.parametrize(("arguments", "is_hot"), RUNS, ids=[" ".join(words) for words, _ in RUNS])
def test_the_hot_door_of_run_takes_what_is_usual(arguments, is_hot):
    """Everything else is click's."""
    assert (run_request.parse(arguments, {}) is not None) == is_hot


@first_python
@pytest.mark.parametrize("arguments", [words for words, is_hot in RUNS if is_hot], ids=" ".join)
def test_both_doors_start_the_same(doors, arguments):
    """The child's variables in their order, its status, and every complaint."""
    for name, text in (("not-executable", "x"), ("no-interpreter", "#!/no/where\n"), ("script", "echo of sh\n")):
        doors.project.write(name, text).chmod(0o644 if name.startswith("not") else 0o755)
    hot, click = doors("run", *arguments)
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)


@first_python
@pytest.mark.parametrize("extra", ["A=ref://store/gone\n", "A=ref://store/broken\nB=$A\n", "A=${B?}\n", "no line\n"])
@pytest.mark.parametrize("strict", ["", "0", "1"])
def test_both_doors_of_run_fail_alike(doors, extra, strict):
    """Missing, failing, malformed; by default and as ENVREF_STRICT asks."""
    doors.project.write(".env", ENV + extra)
    hot, click = doors("run", *SHOWN, env={"ENVREF_STRICT": strict})
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)


@first_python
def test_both_doors_of_run_end_alike_by_ctrl_c(doors):
    """While a store is asked."""
    doors.project.write("store", "#!/bin/sh\nkill -INT $PPID\nexec sleep 60\n")
    hot, click = doors("run", *SHOWN)
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)
    assert hot.returncode == -signal.SIGINT


# Each is a command line of `get`, and whether its hot door takes it.
GETS = (
    (["PLAIN"], True),
    (["QUOTED", "--format", "shell"], True),
    (["--format", "JSON", "QUOTED"], True),
    (["LONG", "--format", "table"], True),
    (["LONG", "--format", "plain"], True),
    (["my-var", "--format", "shell"], True),
    (["my-var"], True),
    (["WAITS"], True),
    (["HERE"], True),
    (["PLAINN"], True),
    ([""], True),
    (["--", "PLAIN"], True),
    (["--", "-x"], True),
    (["PLAIN", "-P", "staging"], True),
    (["PLAIN", "--profile", "nowhere"], True),
    (["-P", "no/name", "PLAIN"], True),
    (["-C", "/", "PLAIN"], True),
    (["-C", "nowhere", "PLAIN"], True),
    (["-C", "folder", "PLAIN"], True),
    (["--project", "/", "-C", ".", "PLAIN"], True),
    (["WAITS", "--resolve"], True),
    (["--resolve", "--resolve", "HERE", "--format", "json"], True),
    (["OPTIONAL", "--resolve"], True),
    (["DEFAULT", "--resolve", "--format", "shell"], True),
    (["PLAINN", "--resolve"], True),
    (["my-var", "--resolve"], True),
    ([], False),
    (["PLAIN", "LONG"], False),
    (["PLAIN", "--", "LONG"], False),
    (["PLAIN", "--format"], False),
    (["PLAIN", "--format", "-x"], False),
    (["PLAIN", "--format", "yaml"], False),
    (["PLAIN", "--format", ""], False),
    (["PLAIN", "--format=json"], False),
    (["-Pstaging", "PLAIN"], False),
    (["-P", "", "PLAIN"], False),
    (["-f", ".env.staging", "PLAIN"], False),
    (["--local-file", ".env.staging", "PLAIN"], False),
    (["--resolve", "--local-file", ".env", "PLAIN"], False),
    (["-q", "PLAIN"], False),
    (["--nonsense", "PLAIN"], False),
    (["--help"], False),
)


@pytest.mark.parametrize(("arguments", "is_hot"), GETS, ids=[" ".join(words) for words, _ in GETS])
def test_the_hot_door_of_get_takes_what_is_usual(arguments, is_hot):
    """Everything else is click's."""
    assert (variable.parse(arguments) is not None) == is_hot


@first_python
@pytest.mark.parametrize("arguments", [words for words, is_hot in GETS if is_hot], ids=" ".join)
def test_both_doors_get_the_same(doors, arguments):
    """The value, the status, and every complaint."""
    hot, click = doors("get", *arguments)
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)


@first_python
@pytest.mark.parametrize(
    "extra",
    ["A=ref://store/gone\n", "A=ref://store/broken\n", "A=${B?}\n", "no line\n", "LD_PRELOAD=x\nA=$LD_PRELOAD\n"],
)
@pytest.mark.parametrize("resolve", [[], ["--resolve"]])
@pytest.mark.parametrize("env", [{}, {"ENVREF_TIMEOUT": "x"}, {"ENVREF_PROFILE": "staging"}], ids=str)
def test_both_doors_of_get_fail_alike(doors, extra, resolve, env):
    """Missing, failing, malformed; whatever the environment asks for."""
    doors.project.write(".env", ENV + extra)
    hot, click = doors("get", "A", *resolve, env=env)
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)


@first_python
def test_both_doors_of_get_end_alike_by_ctrl_c(doors):
    """While a store is asked."""
    doors.project.write("store", "#!/bin/sh\nkill -INT $PPID\nexec sleep 60\n")
    hot, click = doors("get", "HERE", "--resolve")
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)
    assert hot.returncode == -signal.SIGINT


# Each is a command line of `secret get`, and whether its hot door takes it.
SECRETS = (
    (["here"], True),
    (["here", "-b", "store"], True),
    (["--backend", "store", "here", "-n", "--raw"], True),
    (["here", "-P", "staging"], True),
    (["--profile", "nowhere", "here"], True),
    (["here", "--format", "json"], True),
    (["ref://store/here", "--format", "Plain"], True),
    (["ref://store/none?default=d"], True),
    (["ref://store/none?optional"], True),
    (["ref://store/none"], True),
    (["ref://store/here", "-b", "store"], True),
    (["ref://nowhere/here"], True),
    (["ref://"], True),
    (["here", "-b", "nowhere"], True),
    (["none"], True),
    (["none", "-b", "store", "-P", "staging"], True),
    (["broken"], True),
    (["", "-n"], True),
    (["no//key"], True),
    (["-C", "/", "here"], True),
    (["-C", "folder", "--", "here"], True),
    ([], False),
    (["here", "none"], False),
    (["here", "-b"], False),
    (["here", "-b", "-n"], False),
    (["here", "-b", ""], False),
    (["here", "-bstore"], False),
    (["here", "--format", "shell"], False),
    (["here", "--format=json"], False),
    (["here", "-P", ""], False),
    (["here", "--no-env"], False),
    (["here", "-q"], False),
    (["here", "--nonsense"], False),
    (["--help"], False),
)


@pytest.mark.parametrize(("arguments", "is_hot"), SECRETS, ids=[" ".join(words) for words, _ in SECRETS])
def test_the_hot_door_of_secret_get_takes_what_is_usual(arguments, is_hot):
    """Everything else is click's."""
    assert (reading.parse(arguments) is not None) == is_hot


@first_python
@pytest.mark.parametrize("arguments", [words for words, is_hot in SECRETS if is_hot], ids=" ".join)
def test_both_doors_get_the_same_secret(doors, arguments):
    """The value, the status, and every complaint."""
    hot, click = doors("secret", "get", *arguments)
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)


@first_python
@pytest.mark.parametrize("env", [{"ENVREF_TIMEOUT": "x"}, {"ENVREF_PROFILE": "staging"}, {"ENVREF_TRUST": ""}], ids=str)
@pytest.mark.parametrize("store", [STORE, "#!/bin/sh\nexit 3\n", "#!/bin/sh\nkill -INT $PPID\nexec sleep 60\n"])
def test_both_doors_of_secret_get_fail_alike(doors, env, store):
    """By the environment, by the store, by Ctrl-C while it is asked."""
    doors.project.write("store", store)
    hot, click = doors("secret", "get", "here", env=env)
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)


# Options that every command has, which only click's door takes.
COMMON = {"-q", "--quiet", "-v", "--verbose", "--debug", "--no-color"}
CLICK_ONLY = {
    "run": {"-f", "--file", "--keep-env", "--locked", "--mask"},
    "get": {"-f", "--file", "--local-file", "--profile-file"},
    "secret get": {"--no-env"},
}


@pytest.mark.parametrize(
    ("command", "grammar"), [("run", run_request.GRAMMAR), ("get", variable.GRAMMAR), ("secret get", reading.GRAMMAR)]
)
def test_an_option_is_hot_or_known_to_be_click_s(command, grammar):
    """Who adds one decides: to the hot grammar and the table above, or to this list."""
    found = envref
    for word in command.split():
        found = found.get_command(None, word)
    words = {word for option in found.params for word in option.opts if word.startswith("-")}
    assert words == grammar | CLICK_ONLY[command] | COMMON


COMPLETING = {f"envref.cli.{name}" for name in ("candidates", "completing", "cursor", "summaries", "vocabulary")}
COMPLETING |= VERSION | {"envref.cli"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("line", ["envref\nre", "envref\nsecret\nset\n--en", "envref\nimport\n.e"])
def test_a_word_of_a_command_line_loads_the_vocabulary_alone(app, monkeypatch, shell, line):
    """Nothing of the project, and no command: the list is exact, libraries included."""
    monkeypatch.setenv("_ENVREF_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    assert loaded(app) == COMPLETING


@pytest.mark.parametrize("line", ["envref\nget\nNA", "envref\nsecret\nget\n"])
def test_a_key_of_the_project_loads_what_reads_env_files(app, monkeypatch, line):
    """No more than `get` does, libraries included."""
    monkeypatch.setenv("_ENVREF_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    names = {"envref.cli.project_names", "envref.refs", "envref.refs.address", "envref.refs.reference"}
    assert loaded(app) <= COMPLETING | GETTING | names


def test_both_doors_give_the_same_version(doors):
    """The short one is hot."""
    for arguments in ([], ["--format", "json"], ["extra"], ["-v"]):
        hot, click = doors("version", *arguments)
        assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)


@pytest.mark.parametrize(
    "extra",
    ["A=ref://store/gone\n", "A=ref://store/broken\nB=$A\n", "A=${B?}\n", "A=ref://secrets\n", "no line\n"],
)
@pytest.mark.parametrize("strict", [[], ["--strict"]])
def test_both_doors_fail_alike(doors, extra, strict):
    """Missing, failing, malformed."""
    doors.project.write(".env", ENV + extra)
    hot, click = doors("resolve", "--export", *strict)
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)
    assert hot.returncode != 0


@pytest.mark.parametrize(
    "table",
    [
        '{"A": "ref://store/here", "B": "ref://store/gone"}',
        '{"A": "ref://store/here"}',
        '{"A": "plain"}',
        "[]",
        "",
        "{",
    ],
)
@pytest.mark.parametrize("arguments", [["--only", "A"], ["-C", "project"], ["--strict"]])
def test_both_doors_read_the_same_table(doors, table, arguments):
    """Of a Flox plugin: right, partly missing, malformed; the project from FLOX_ENV_PROJECT or from -C."""
    doors.project.write("table.json", table)
    env = {"FLOX_ENV_PROJECT": str(doors.project.path)}
    hot, click = doors("resolve", "--export", "--from-flox-plugin", "table.json", *arguments, env=env)
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)


def test_both_doors_warn_of_the_same_values(app, tmp_path):
    """What Flox's replay breaks in the user's shell: below a process of Flox's, and nowhere else."""
    app.write(".env", "A='two\nlines'\nB='a\\'\nC=plain\n")
    flox = tmp_path / "flox-activations"
    flox.write_text('#!/bin/sh\n"$@"\nexit $?\n')
    flox.chmod(0o755)
    cure = "run: envref flox-hook --write --placement profile"
    for shell, name in (("fish", "B"), ("tcsh", "A")):
        for door in ([], ["--no-color"]):
            argv = [sys.executable, "-m", "envref", *door, "resolve", "--export", "--shell", "bash"]
            environment = {**os.environ, "FLOX_ENV": "/env", "FLOX_SHELL": shell, "PYTHONPATH": str(ROOT)}
            warning = f"warning: {name}: Flox cannot replay this value into {shell}; {cure}\n"
            for above, warned in (([flox], warning), ([], "")):
                done = subprocess.run(
                    [*above, *argv], cwd=app.path, env=environment, capture_output=True, encoding="utf-8", check=True
                )
                assert done.stderr == warned


@pytest.mark.parametrize("env", [{"ENVREF_STRICT": "1"}, {"ENVREF_TIMEOUT": "x"}, {"ENVREF_PROFILE": "staging"}])
def test_both_doors_read_the_same_environment(doors, env):
    """ENVREF_STRICT, ENVREF_TIMEOUT and ENVREF_PROFILE."""
    hot, click = doors("resolve", "--export", env=env)
    assert (hot.stdout, hot.stderr, hot.returncode) == (click.stdout, click.stderr, click.returncode)
