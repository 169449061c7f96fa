"""Plugins: real programs that answer as they should, and hostile ones that don't."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
import time

import pytest

from envref.backends import plugin as module
from envref.backends.command import Finished, NotStarted, TooMuchOutput
from envref.backends.plugin import Plugin
from envref.refs.address import Address
from envref.secret import Secret
from envref.store_errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendLocked,
    BackendTimeout,
    BackendUnavailable,
    SecretNotFound,
)
from tests.backends.asking import KEY, answer_of, soon
from tests.backends.contract import BackendContract, values_of
from tests.backends.stores.redis import RedisServer
from tests.backends.words import declared
from tests.conftest import ROOT
from tests.lateness import Stopwatch, as_set
from tests.processes import left_of
from tests.requirements import first_python, need, others_at_night


class Programs:
    """Executables in a directory of their own on PATH; each says in `log` what it was asked."""

    def __init__(self, directory):
        self.directory = directory
        self.log = directory / "requests"

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def bash(self, name, body):
        """A plugin in bash; `$REQUEST` holds what it was asked."""
        start = f'#!/bin/bash\nREQUEST=$(cat)\nprintf "%s\\n" "$REQUEST" >> {self.log}\n'
        return self.write(f"envref-backend-{name}", start + textwrap.dedent(body))

    def python(self, name, body):
        """A plugin in Python; `request` holds what it was asked."""
        start = (
            f"#!{sys.executable} -I\nimport json, os, signal, sys, time\nrequest = json.loads(sys.stdin.read())\n"
            f"open({str(self.log)!r}, 'a').write(json.dumps(request) + '\\n')\n"
        )
        return self.write(f"envref-backend-{name}", start + textwrap.dedent(body))

    def requests(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def programs(tmp_path, monkeypatch):
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    return Programs(directory)


FILE_STORE = """
    path = os.path.dirname(sys.argv[0]) + "/secrets.json"
    secrets = json.load(open(path)) if os.path.exists(path) else {}
    key, reply = request.get("key"), {"capabilities": ["exact"]}
    if request["operation"] == "set":
        count = secrets.get("writes", 0) + 1
        secrets |= {"writes": count, key: request["value"], f"{key} written": f"write {count}/{key}"}
    elif request["operation"] == "revisions":
        reply["revisions"] = {key: secrets.get(f"{key} written", "") for key in request["keys"] if key in secrets}
    elif request["operation"] == "list":
        reply["keys"] = [key for key in secrets if key != "writes" and not key.endswith(" written")]
    elif key not in secrets:
        reply["error"] = "no such key: not found"
    elif request["operation"] == "get":
        reply |= {"value": secrets[key], "revision": secrets.get(f"{key} written", "")}
    else:
        del secrets[key]
    if request["operation"] in ("set", "delete"):
        json.dump(secrets, open(path, "w"))
    print(json.dumps(reply))
"""


@others_at_night
class TestPlugin(BackendContract):
    foreign_name = "Some Item/field"
    throttles = False  # the protocol has no word for it

    @pytest.fixture
    def store(self, programs):
        programs.python("mystore", FILE_STORE)
        self.secrets = programs.directory / "secrets.json"
        return Plugin("mystore")

    def plant(self, store, name, value):
        self.secrets.write_text(json.dumps({name: value}))


class TestRevisions:
    def test_the_answer_for_many_keys_has_them_by_key(self, programs):
        """In `revisions`, beside `values`; a key without one has none."""
        programs.bash("many", """echo '{"values": {"app/key": "v", "app/b": "w"}, "revisions": {"app/key": "7"}}'""")
        other = Address("app", "b")
        answers = Plugin("many", batch=True).get_many([KEY, other], soon())
        assert (answers[KEY].revision, answers[other].revision) == ("7", "")

    def test_the_value_itself_is_no_revision(self, programs):
        """A plugin that takes its value for one would have it shown."""
        programs.bash("leaky", """echo '{"value": "hunter2", "revision": "v-hunter2"}'""")
        assert Plugin("leaky").get_many([KEY], soon())[KEY].revision == ""

    @pytest.mark.parametrize(
        "answer", ['{"error": "unknown operation"}', '{"error": "not found"}', "{}", '{"revisions": 1}']
    )
    def test_a_plugin_that_does_not_know_the_question_can_t_tell(self, programs, answer):
        """Whatever it says to an operation that it does not know: never that the key is not there."""
        programs.bash("old", f"""echo '{answer}'""")
        with pytest.raises(BackendInvalid, match="tells no revisions without the values"):
            Plugin("old").revisions([KEY], soon())

    def test_a_locked_plugin_is_locked(self, programs):
        """What it says about itself is its own error."""
        programs.bash("shut", """echo '{"error": "locked"}'""")
        with pytest.raises(BackendLocked):
            Plugin("shut").revisions([KEY], soon())


@pytest.mark.parametrize("batch", [True, False])
def test_a_locked_plugin_is_asked_once(programs, batch):
    """Each key more could be a prompt more, which its user has just refused."""
    calls = programs.directory / "calls"
    programs.bash("shut", f"""echo call >> {calls}; echo '{{"error": "the safe is locked"}}'""")
    addresses = [Address("app", f"key{number}") for number in range(20)]
    with pytest.raises(BackendLocked, match="the safe is locked"):
        Plugin("shut", batch=batch).get_many(addresses, soon())
    assert calls.read_text(encoding="utf-8") == "call\n"


class TestSearch:
    def test_it_is_found_by_its_name_on_path(self, programs):
        """Without `command`, the program is envref-backend-NAME on PATH."""
        programs.bash("named", """echo '{"value": "its value"}'""")
        assert answer_of(Plugin("named")) == "its value"

    def test_it_is_found_by_its_path(self, programs, tmp_path, monkeypatch):
        """`command` may be a path; a relative one starts at the project root, wherever envref was started."""
        path = programs.bash("elsewhere", """echo '{"value": "its value"}'""")
        monkeypatch.chdir("/")
        assert answer_of(Plugin("x", command=str(path))) == "its value"
        assert answer_of(Plugin("x", command="./programs/envref-backend-elsewhere", root=str(tmp_path))) == "its value"

    def test_a_missing_program_is_named(self):
        """A plugin that is not there is named as it was looked for."""
        error = answer_of(Plugin("ghost"))
        assert error.lines() == [
            'error: plugin "ghost": executable "envref-backend-ghost" not found on $PATH',
            "  hint: install it on PATH as a program, or set command of the backend",
        ]

    def test_a_program_that_cannot_be_started_is_named(self, programs):
        """A file that the system refuses to run is an error with the system's reason."""
        programs.write("envref-backend-broken", "\x7fnot a program")
        error = answer_of(Plugin("broken"))
        assert isinstance(error, BackendUnavailable)
        assert error.message == 'plugin "broken": start: exec format error'


class TestStart:
    def test_it_gets_no_arguments_and_its_surroundings(self, programs, tmp_path):
        """A plugin is started without arguments, in the project root, and told its name, protocol and options."""
        programs.python(
            "seen",
            """
            names = ("ENVREF_PLUGIN_NAME", "ENVREF_PLUGIN_PROTOCOL", "ENVREF_PLUGIN_CONFIG")
            print(json.dumps({"value": json.dumps([sys.argv[1:], os.getcwd(), *(os.environ[name] for name in names)])}))
            """,
        )
        store = Plugin("seen", root=str(tmp_path), name_of_table="säfe", name="x")
        assert json.loads(answer_of(store)) == [
            [],
            str(tmp_path),
            "seen",
            "1",
            '{"name_of_table": "säfe", "name": "x"}',
        ]

    def test_it_does_not_inherit_what_is_envrefs_own(self, programs, monkeypatch):
        """Passphrases, trust and the search path are not in a plugin's environment; the rest of the caller's is."""
        private = ["PASSPHRASE", "PASSPHRASE_FILE", "PASSPHRASE_FD"]
        names = [*(f"ENVREF_VAULT_{name}" for name in private), "ENVREF_TRUST", "ENVREF_STORE_PATH"]
        for name in names:
            monkeypatch.setenv(name, "/private")
        monkeypatch.setenv("VAULT_FORMAT", "yaml")
        programs.python("env", """print(json.dumps({"value": json.dumps(dict(os.environ))}))""")
        environment = json.loads(answer_of(Plugin("env")))
        assert not set(names) & set(environment)
        assert environment["VAULT_FORMAT"] == "yaml"
        assert "/private" not in environment.values()

    def test_a_value_is_sent_on_standard_input_only(self, programs):
        """A value to store is neither in the plugin's arguments nor in its environment."""
        programs.python(
            "spy",
            """
            seen = open(f"/proc/{os.getpid()}/cmdline").read() + open(f"/proc/{os.getpid()}/environ").read()
            print(json.dumps({"error": "leaked"} if request["value"] in seen else {}))
            """,
        )
        Plugin("spy").set(KEY, Secret("marker-5d1e"), soon())
        assert programs.requests() == [{"operation": "set", "key": "app/key", "value": "marker-5d1e"}]

    def test_a_foreign_name_is_sent_as_it_is(self, programs):
        """`//NAME` reaches the plugin verbatim."""
        programs.bash("raw", """echo '{"value": "v"}'""")
        answer_of(Plugin("raw"), Address("app", "", foreign="Some Item/field"))
        assert programs.requests() == [{"operation": "get", "key": "Some Item/field"}]


# what the plugin prints -> the value, or the error's class and the end of its text
REPLIES = {
    "string": ('{"value": "v"}', "v"),
    "empty": ('{"value": ""}', ""),
    "no_member": ("{}", ""),
    "null": ('{"value": null}', None),
    "one_line_end": (r'{"value": "v\n"}', "v"),
    "two_line_ends": (r'{"value": "v\n\n"}', "v\n"),
    "exact": (r'{"value": "v\n", "capabilities": ["exact"]}', "v\n"),
    "unknown_members": ('{"value": "v", "ttl": 3, "capabilities": ["fly"]}', "v"),
    "odd_capabilities": ('{"value": "v", "capabilities": 7}', "v"),
    "number": ('{"value": 1}', (BackendInvalid, 'invalid JSON response: member "value" is not a string')),
    "boolean": ('{"value": true}', (BackendInvalid, 'invalid JSON response: member "value" is not a string')),
    "object": ('{"value": {}}', (BackendInvalid, 'invalid JSON response: member "value" is not a string')),
    "not_found": ('{"error": "Key NOT Found"}', None),
    "code": ('{"error": "no luck", "code": "not_found"}', None),
    "other_code": ('{"error": "table not found", "code": "config"}', (BackendUnavailable, "table not found")),
    "no_error": ('{"error": "", "value": "v"}', "v"),
    "null_error": ('{"error": null, "value": "v"}', "v"),
    "error": ('{"error": "backend exploded"}', (BackendUnavailable, "backend exploded")),
    "denied": ('{"error": "Access Denied"}', (BackendDenied, "Access Denied")),
    "unauthorized": ('{"error": "401 Unauthorized"}', (BackendDenied, "401 Unauthorized")),
    "locked": ('{"error": "safe is locked"}', (BackendLocked, "safe is locked")),
    "error_number": ('{"error": 3}', (BackendInvalid, 'invalid JSON response: member "error" is not a string')),
    "text": ("oops", (BackendInvalid, "invalid JSON response: unexpected text at byte 0")),
    "byte": ('{"ä": 1} x', (BackendInvalid, "invalid JSON response: unexpected text at byte 10")),
    "nothing": ("", (BackendInvalid, "invalid JSON response: no output")),
    "array": ("[1]", (BackendInvalid, "invalid JSON response: not an object")),
    "twice": ('{"value": "a", "value": "b"}', (BackendInvalid, "invalid JSON response: duplicate member")),
    "nan": ('{"value": NaN}', (BackendInvalid, "invalid JSON response: NaN and Infinity are not JSON")),
    "trailing": ('{"value": "a"}{"value": "b"}', (BackendInvalid, "invalid JSON response: unexpected text at byte 14")),
}


@pytest.mark.parametrize("kind", REPLIES)
def test_a_reply_means_what_the_protocol_says(programs, kind):
    """Value, absence or error class, as commands.md 10 says."""
    printed, expected = REPLIES[kind]
    programs.write("reply", printed)
    programs.bash("j", f"cat {programs.directory}/reply")
    answer = answer_of(Plugin("j"))
    if isinstance(expected, tuple):
        assert (type(answer), answer.message) == (expected[0], f'plugin "j": {expected[1]}')
    else:
        assert answer == expected


class TestExitStatus:
    def test_an_error_in_the_reply_counts_before_the_status(self, programs):
        """A plugin may say "not found" and exit with 1."""
        programs.bash("j", """echo '{"error": "not found"}'; exit 1""")
        assert answer_of(Plugin("j")) is None

    @pytest.mark.parametrize("printed", ["", "oops", '{"value": "v"}'])
    def test_a_failure_without_an_error_is_no_absence(self, programs, printed):
        """A plugin that fails is unavailable, even if its stderr says "not found"."""
        programs.bash("j", f"printf '%s' '{printed}'; echo 'jq: command not found' >&2; exit 127")
        error = answer_of(Plugin("j"))
        assert isinstance(error, BackendUnavailable)
        assert error.message == 'plugin "j": jq: command not found'

    @pytest.mark.parametrize(("end", "told"), [("exit 3", "exit status 3"), ("kill -9 $$", "ended by signal 9")])
    def test_a_silent_failure_is_told_by_its_status(self, programs, end, told):
        """Without a word on stderr, the exit status is all there is to say."""
        programs.bash("j", end)
        assert answer_of(Plugin("j")).message == f'plugin "j": {told}'

    def test_the_last_line_of_a_traceback_is_shown(self, programs):
        """Of a plugin that dies of an exception, the exception is shown."""
        programs.python("j", """raise RuntimeError("no such table")""")
        assert answer_of(Plugin("j")).message == 'plugin "j": RuntimeError: no such table'

    def test_stderr_of_a_success_is_no_failure(self, programs):
        """A plugin may talk on stderr."""
        programs.bash("j", """echo 'warming up' >&2; echo '{"value": "v"}'""")
        assert answer_of(Plugin("j")) == "v"

    def test_stderr_explains_a_reply_that_is_no_json(self, programs):
        """What a plugin wrote on stderr is the hint when its reply can't be read."""
        programs.bash("j", "echo 'please log in' >&2")
        assert answer_of(Plugin("j")).lines()[1] == "  hint: the plugin wrote on stderr: please log in"


MANY = [Address("app", f"key{number}") for number in range(6)]
ONE_BY_ONE = [{"operation": "get", "key": str(address)} for address in MANY]
TOGETHER = {"operation": "get_many", "keys": [str(address) for address in MANY]}

BATCHING = """
    CAPABILITIES
    keys = request.get("keys", [request.get("key")])
    values = {key: f"value of {key}" for key in keys if key != "app/key1"}
    if request["operation"] == "get_many":
        print(json.dumps({"values": values, **extra}))
    else:
        print(json.dumps({"value": values.get(keys[0]), **extra}))
"""


class TestManyAtOnce:
    def batching(self, programs, capabilities):
        programs.python("many", BATCHING.replace("CAPABILITIES", f"extra = {{'capabilities': {capabilities}}}"))

    def expect_all(self, store):
        answers = {str(address): answer.reveal() for address, answer in store.get_many(MANY, soon()).items()}
        assert answers == {str(address): f"value of {address}" for address in MANY if address.key != "key1"}

    def test_the_capability_is_used_from_the_second_call_on(self, programs):
        """A plugin that says `get_many` is asked for one key, then for all the others at once."""
        self.batching(programs, ["get_many"])
        self.expect_all(Plugin("many"))
        assert programs.requests() == [ONE_BY_ONE[0], {"operation": "get_many", "keys": TOGETHER["keys"][1:]}]

    def test_batch_asks_for_all_at_once_from_the_start(self, programs):
        """With `batch: true` one process answers everything."""
        self.batching(programs, [])
        self.expect_all(Plugin("many", batch=True))
        assert programs.requests() == [TOGETHER]

    def test_a_plugin_of_the_four_operations_is_never_sent_another(self, programs):
        """Without the capability and without `batch: true` there are only single gets."""
        self.batching(programs, [])
        self.expect_all(Plugin("many"))
        assert sorted(programs.requests(), key=str) == sorted(ONE_BY_ONE, key=str)

    @pytest.mark.parametrize(
        "reply", ["", "oops", "{}", "[]", '{"error": "unknown operation"}', '{"values": []}', '{"values": {}}; exit 1']
    )
    def test_a_batch_that_fails_is_asked_one_by_one(self, programs, reply):
        """An error, a failure or an answer that is none turns `get_many` off for the rest of the invocation."""
        printed, _, end = reply.partition(";")
        programs.bash(
            "old",
            f"""
            case "$REQUEST" in
              *get_many*) echo '{printed}'; {end or ":"} ;;
              *) echo '{{"value": "v"}}' ;;
            esac
            """,
        )
        store = Plugin("old", batch=True)
        assert len(store.get_many(MANY, soon())) == len(MANY)
        assert len(store.get_many(MANY[:1], soon())) == 1
        assert [request["operation"] for request in programs.requests()] == ["get_many"] + ["get"] * 7

    def test_each_key_of_a_batch_has_its_own_outcome(self, programs):
        """Value, null, error and silence of a batch concern their keys alone."""
        reply = {
            "values": {"app/key0": "v\n", "app/key1": None, "app/key2": 7, "app/key3": "lost"},
            "errors": {"app/key3": "denied", "app/key4": "not found"},
        }
        programs.bash("j", f"echo '{json.dumps(reply)}'")
        answers = Plugin("j", batch=True).get_many(MANY, soon())
        assert answers.pop(MANY[0]).reveal() == "v"
        assert {address.key: type(error) for address, error in answers.items()} == {
            "key2": BackendInvalid,
            "key3": BackendDenied,
        }

    def test_single_gets_run_side_by_side(self, programs):
        """Four processes at a time answer for a plugin that takes one key each."""
        programs.bash("slow", """sleep 0.3; echo '{"value": "v"}'""")
        watch = Stopwatch()
        asked = [Address("app", f"key{number}") for number in range(9)]
        assert len(Plugin("slow").get_many(asked, soon())) == 9
        assert time.monotonic() - watch.started > 0.85
        assert watch.seconds() < 2

    def test_one_failing_get_does_not_spoil_the_others(self, programs):
        """Of several single gets, each has its own outcome."""
        programs.bash("j", """case "$REQUEST" in *key3*) exit 9 ;; *) echo '{"value": "v"}' ;; esac""")
        answers = Plugin("j").get_many(MANY, soon())
        assert [address.key for address, answer in answers.items() if isinstance(answer, BackendError)] == ["key3"]


class TestList:
    def listed(self, programs, reply):
        programs.bash("j", f"echo '{reply}'")
        return list(Plugin("j").list("app", soon()))

    def test_names_outside_the_project_are_ignored(self, programs):
        """Only full keys of the project are listed, without the project's name."""
        assert self.listed(programs, '{"keys": ["app/a", "app/p/b", "apple/c", "d", "app/"]}') == ["a", "p/b"]

    def test_no_keys_is_an_empty_list(self, programs):
        """A reply without `keys` lists nothing."""
        assert self.listed(programs, "{}") == []

    @pytest.mark.parametrize("keys", ['"app/a"', "[1]", "{}1", "true"])
    def test_keys_of_another_kind_are_an_error(self, programs, keys):
        """Keys that are not an array of strings are refused."""
        with pytest.raises(BackendInvalid):
            self.listed(programs, f'{{"keys": {keys}}}')


def test_deleting_what_a_plugin_does_not_have_says_so(programs):
    """The plugin's "not found" is SecretNotFound with envref's sentence for absence."""
    programs.bash("store", """echo '{"error": "not found"}'""")
    with pytest.raises(SecretNotFound) as caught:
        Plugin("store").delete(KEY, soon())
    assert caught.value.message == 'plugin "store": secret not found: "app/key"'


def example(start):
    """The example plugin of docs/plugins.md that begins so."""
    page = (ROOT / "docs/plugins.md").read_text()
    return page[page.index(start) :].partition("```")[0]


@first_python
class TestExamples:
    def exercise(self, store):
        """What a person does with a new plugin."""
        other = Address("app", "key", profile="staging")
        values = ["sk-abc123", """it's "quoted" \\ $HOME\nключ"""]
        for value in values:
            store.set(KEY, Secret(value), soon())
            store.set(other, Secret(f"{value} too"), soon())
            answers = store.get_many([KEY, Address("app", "absent"), other], soon())
            assert {str(address): answer.reveal() for address, answer in answers.items()} == {
                "app/key": value,
                "app/staging/key": f"{value} too",
            }
        assert sorted(store.list("app", soon())) == ["key", "staging/key"]
        store.delete(KEY, soon())
        assert answer_of(store) is None

    def test_the_bash_example_works_as_written(self, programs):
        """The page's Bash plugin sets, gets, lists and deletes."""
        need("jq")
        programs.write("envref-backend-mystore", example("#!/usr/bin/env bash\n"))
        self.exercise(Plugin("mystore"))

    def test_the_bash_example_survives_being_asked_for_many(self, programs):
        """`batch: true` on a plugin that has no `get_many` costs one call and changes nothing."""
        need("jq")
        programs.write("envref-backend-mystore", example("#!/usr/bin/env bash\n"))
        self.exercise(Plugin("mystore", batch=True))

    def test_the_python_example_works_as_written(self, programs, redis_server):
        """The page's Python plugin sets, gets, lists and deletes in a real Redis."""
        program = example("#!/usr/bin/env python3\n").replace("6379", redis_server.port)
        programs.write("envref-backend-redis", program)
        programs.write("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        self.exercise(Plugin("redis"))

    def test_the_python_example_without_its_server_is_unavailable(self, programs):
        """A store that can't be reached is an error with the client's reason, and no absence."""
        need_module("redis")
        program = example("#!/usr/bin/env python3\n").replace("6379", "9")
        programs.write("envref-backend-redis", program)
        programs.write("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        error = answer_of(Plugin("redis"))
        assert isinstance(error, BackendUnavailable)
        assert error.message.startswith('plugin "redis": redis.exceptions.ConnectionError: ')


def need_module(name):
    """Skips, or fails in CI, where a Python package that an example needs is not installed."""
    if importlib.util.find_spec(name) is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            f"the Python package {name} is not installed here"
        )


@pytest.fixture
def redis_server(tmp_path):
    """An empty Redis on a port of its own."""
    need_module("redis")
    with RedisServer(tmp_path) as server:
        yield server


# Twenty plugins that mean harm (security.md P4), in bash.
HOSTILE = {
    "nul": r"""printf '{"value": "a\\u0000b"}'""",
    "raw_nul": r"""printf '{"value": "a\0b"}'""",
    "gigabyte": "head -c 1073741824 /dev/zero",
    "gigabyte_of_stderr": "head -c 1073741824 /dev/zero >&2; exit 1",
    "endless": "yes",
    "escapes": r"""printf '{"error": "\\u001b[2Jgone \\u202e \\u009b31m"}'""",
    "escapes_on_stderr": r"""printf '\033]0;title\007\033[2J\n' >&2; exit 1""",
    "bad_utf8": r"""printf '{"value": "\xff\xfe"}'""",
    "surrogate": r"""printf '{"value": "\\ud800"}'""",
    "deep": r"""head -c 200000 /dev/zero | tr '\0' '['""",
    "deep_value": r"""printf '{"value": '; head -c 200000 /dev/zero | tr '\0' '['""",
    "duplicate": """echo '{"error": "", "value": "a", "error": "x", "value": "b"}'""",
    "trailing": """echo '{"value": "a"} {"value": "b"}'""",
    "long_number": r"""printf '{"n": '; head -c 100000 /dev/zero | tr '\0' '9'; echo '}'""",
    "late_exit": """echo '{"value": "a"}'; exec >&- 2>&-; sleep 600""",
    "hang": "sleep 600",
    "grandchild": "sleep 600 & sleep 600",
    "ignores_term": "trap '' TERM INT HUP; while :; do sleep 1; done",
    "drip": "while :; do printf ' '; sleep 0.05; done",
    "forks": "for i in 1 2 3 4 5; do (sleep 600 &) ; done; sleep 600",
    "terminal": "echo pwned > /dev/tty || exit 1",
    "closed_input": "exec 0<&-; exit 1",
    "other_type": """echo '{"value": ["a"]}'""",
    "long_error": r"""printf '{"error": "'; head -c 100000 /dev/zero | tr '\0' 'x'; echo '"}'""",
}

ASK = """
import sys
from envref.refs.address import Address
from envref.backends.plugin import Plugin
from envref.store_errors import BackendError
from tests.backends import peak
from tests.lateness import Stopwatch
watch = Stopwatch()
try:
    answer = Plugin("hostile").get_many([Address("app", "key")], watch.started + 1.0).get(Address("app", "key"))
except BackendError as error:
    answer = error
lines = answer.lines() if isinstance(answer, BackendError) else [repr(answer)]
print(type(answer).__name__, watch.seconds(), peak.kibibytes())
print("\\n".join(lines), file=sys.stderr)
"""


@first_python
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_plugin_does_no_harm(programs, kind):
    """It ends with an error within its time and a second, in bounded memory, without a trace on the terminal."""
    programs.bash("hostile", HOSTILE[kind])
    ran = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True
    )
    outcome, seconds, kilobytes = ran.stdout.decode().split()
    assert outcome in {"BackendInvalid", "BackendUnavailable", "BackendTimeout"}, ran.stderr
    assert float(seconds) < 2
    assert int(kilobytes) < 150 * 1024
    shown = ran.stderr.decode()
    assert shown.replace("\n", "").isprintable()
    assert all(len(line) < 400 for line in shown.splitlines())
    assert left_of(programs.directory) == []


@first_python
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_run_with_a_hostile_plugin_ends_as_documented(programs, project, kind):
    """Status 3, nothing on stdout, no escape byte on stderr, no word of Python's."""
    programs.bash("hostile", HOSTILE[kind])
    project.write(".envref.yaml", "project: app\nbackends: [{name: hostile, type: plugin, timeout: 1}]\n")
    project.write(".env", "A=ref://secrets/key\n")
    done = project.envref("resolve", "--export", env={"ENVREF_TRUST": "all"})
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: A: failed to resolve ref://secrets/key: ")
    assert done.stderr.replace("\n", "").isprintable()
    assert "internal error" not in done.stderr


def test_a_hostile_key_is_shown_escaped(programs):
    """A key that could steer the terminal is escaped where it is named."""
    assert "\x1b" not in Plugin("j").absent(Address("app", "", foreign="\x1b[2J")).message


def test_a_plugin_that_repeats_a_value_in_its_error_does_not_show_it(programs):
    """A value that a plugin echoes in an error is redacted."""
    marker = "marker-77aa"
    programs.bash("echo", f"""echo '{{"error": "cannot store {marker}"}}'""")
    with pytest.raises(BackendUnavailable) as caught:
        Plugin("echo").set(KEY, Secret(marker), soon())
    assert caught.value.message == 'plugin "echo": cannot store ***'
    assert marker not in values_of(caught.value)


def test_a_late_plugin_is_told_with_its_limit(programs):
    """The time-out names the plugin, the limit and the cure."""
    programs.bash("late", "sleep 600")
    error = answer_of(Plugin("late"), deadline=time.monotonic() + 0.5)
    assert isinstance(error, BackendTimeout)
    message = as_set(error.message, 0.5)
    assert message == 'plugin "late": no answer within 0.5 s; raise --timeout or the backend\'s timeout'


NO_JSON = "invalid JSON response"


@first_python
class TestSaid:
    """What a plugin is asked and what is made of its answer, in the tests' own process."""

    @pytest.fixture
    def plugin(self, monkeypatch):
        """A plugin whose runs end with `outcomes`, one a call; `asked` has the requests, `ways` how it was run."""

        def plugin(*outcomes, **options):
            made, waiting = Plugin("j", **options), [*outcomes]
            made.asked, made.ways = [], []

            def run_many(calls, **way):
                made.asked += [(call.argv, json.loads(call.payload)) for call in calls]
                assert all(call.payload.endswith(b"}\n") for call in calls)
                made.ways.append(way)
                ended = [waiting.pop(0) for _ in calls]
                return [each if isinstance(each, BackendError) else Finished(*each) for each in ended]

            monkeypatch.setattr(module, "find", lambda wanted, root: f"/bin/{wanted}")
            monkeypatch.setattr(module, "run_many", run_many)
            return made

        return plugin

    def fault(self, plugin, *outcome, **options):
        with pytest.raises(BackendError) as caught:
            list(plugin(outcome if len(outcome) > 1 else outcome[0], **options).list("app", soon()))
        return type(caught.value), caught.value.lines()

    def test_the_requests(self, plugin):
        """One JSON object a line, with the key as it is stored, in whatever script."""
        made = plugin(*[(0, b"{}", "")] * 3)
        made.set(Address("app", "ключ"), Secret("v"), soon())
        made.delete(Address("app", "k", profile="p"), soon())
        assert list(made.list("app", soon())) == []
        assert made.asked == [
            (["/bin/envref-backend-j"], {"operation": "set", "key": "app/ключ", "value": "v"}),
            (["/bin/envref-backend-j"], {"operation": "delete", "key": "app/p/k"}),
            (["/bin/envref-backend-j"], {"operation": "list"}),
        ]

    def test_how_it_is_run(self, plugin, monkeypatch):
        """In the project's directory, with its name and options, and nothing of envref's own."""
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", "private")
        late = soon()
        made = plugin((0, b"{}", ""), root="/project", command="kv", colour="grün", size=3)
        list(made.list("app", late))
        [way] = made.ways
        assert (way["deadline"], way["label"], way["directory"]) == (late, 'plugin "j"', "/project")
        told = {name: text for name, text in way["environment"].items() if name.startswith("ENVREF_")}
        assert told == {
            "ENVREF_PLUGIN_NAME": "j",
            "ENVREF_PLUGIN_PROTOCOL": "1",
            "ENVREF_PLUGIN_CONFIG": '{"colour": "grün", "size": 3}',
        }
        made = plugin((0, b"{}", ""))
        list(made.list("app", late))
        assert made.ways[0]["directory"] is None

    @pytest.mark.parametrize(
        ("command", "message"),
        [
            ("", 'plugin "j": executable "envref-backend-j" not found on $PATH'),
            ("kv\x1b", 'plugin "j": executable "kv\\x1b" not found on $PATH'),
            ("./kv", 'plugin "j": executable "./kv" does not exist or is not executable'),
        ],
    )
    def test_a_program_that_is_not_there(self, monkeypatch, command, message):
        """Where it was looked for, and what to do."""
        monkeypatch.setattr(module, "find", lambda *_, **__: None)
        with pytest.raises(BackendUnavailable) as caught:
            Plugin("j", command=command).list("app", soon())
        hint = "  hint: install it on PATH as a program, or set command of the backend"
        assert caught.value.lines() == [f"error: {message}", hint]

    @pytest.mark.parametrize(
        ("printed", "fault"),
        [
            (b"", "no output"),
            (b" \n", "no output"),
            (b"{", "unexpected text at byte 1"),
            ("{}ä".encode(), "unexpected text at byte 2"),
            ('{"ä" 1}'.encode(), "unexpected text at byte 6"),
            (b"{}\xff", "not UTF-8 at byte 2"),
            (b"[" * 100_000, "nested too deeply"),
            (b'{"a": %s}' % (b"1" * 5000), "a number too long to read"),
            (b'{"a": -Infinity}', "NaN and Infinity are not JSON"),
            (b'{"a": {"b": 1, "b": 1}}', "duplicate member"),
            (b"null", "not an object"),
        ],
    )
    @pytest.mark.parametrize(("said", "more"), [("", []), ("a\nb\n", ["  hint: the plugin wrote on stderr: a"])])
    def test_what_is_no_answer(self, plugin, printed, fault, said, more):
        """Where it stops being one; what it wrote on stderr is the hint. A failure counts before that."""
        assert self.fault(plugin, 0, printed, said) == (
            BackendInvalid,
            [f'error: plugin "j": invalid JSON response: {fault}', *more],
        )
        assert self.fault(plugin, 2, printed, said) == (
            BackendUnavailable,
            [f'error: plugin "j": {"a" if said else "exit status 2"}', f"  hint: {module._BY_HAND}"],
        )

    @pytest.mark.parametrize(
        ("status", "printed", "kind", "message"),
        [
            (1, b"{}", BackendUnavailable, "exit status 1"),
            (-9, b"{}", BackendUnavailable, "ended by signal 9"),
            (1, b'{"error": "x"}', BackendUnavailable, "x"),
            (0, b'{"error": "not found"}', SecretNotFound, "not found"),
            (0, b'{"error": "x", "code": "not_found"}', SecretNotFound, "not found"),
            (0, b'{"error": "not found", "code": "other"}', BackendUnavailable, "not found"),
            (0, b'{"error": "it is LOCKED, denied"}', BackendDenied, "it is LOCKED, denied"),
            (0, b'{"error": "x", "code": "locked"}', BackendUnavailable, "x"),
            (0, b'{"error": {}}', BackendInvalid, 'invalid JSON response: member "error" is not a string'),
            (
                0,
                b'{"keys": {"a": 1}}',
                BackendInvalid,
                'invalid JSON response: member "keys" is not an array of strings',
            ),
            (
                0,
                b'{"keys": ["a", 1]}',
                BackendInvalid,
                'invalid JSON response: member "keys" is not an array of strings',
            ),
        ],
    )
    def test_a_failure(self, plugin, status, printed, kind, message):
        """What it printed counts before its exit status."""
        found, lines = self.fault(plugin, status, printed, "")
        assert (found, lines[0]) == (kind, f'error: plugin "j": {message}')

    def test_what_kept_it_from_answering(self, plugin):
        """Too much output, and a program that does not start; any other error as it is."""
        started = NotStarted("x")
        started.reason = "exec format error"
        late = BackendTimeout("late")
        assert self.fault(plugin, TooMuchOutput("x")) == (
            BackendInvalid,
            ['error: plugin "j": invalid JSON response: more than 16 MiB'],
        )
        assert self.fault(plugin, started) == (
            BackendUnavailable,
            ['error: plugin "j": start: exec format error', f"  hint: {module._BY_HAND}"],
        )
        assert self.fault(plugin, late) == (BackendTimeout, ["error: late"])

    @pytest.mark.parametrize(
        ("reply", "value", "revision"),
        [
            ({"value": "v\n\n"}, "v\n", ""),
            ({"value": "v\n", "capabilities": ["exact"]}, "v\n", ""),
            ({"value": "v\n", "capabilities": "exact"}, "v", ""),
            ({}, "", ""),
            ({"value": "v", "revision": 7}, "v", "7"),
            ({"value": "v", "revision": "a"}, "v", "a"),
            ({"value": "v", "revision": ["a"]}, "v", ""),
            ({"value": "7", "revision": 17}, "7", ""),
            ({"value": " \n", "revision": "a"}, " ", "a"),
            ({"value": " 7\n", "revision": "7"}, " 7", ""),
        ],
    )
    def test_a_value_and_its_revision(self, plugin, reply, value, revision):
        """One line end less, unless the plugin says that it is exact; no revision that holds the value."""
        found = plugin((0, json.dumps(reply).encode(), "")).get_many([KEY], soon())[KEY]
        assert (found.reveal(), found.revision) == (value, revision)

    def test_revisions_in_one_question(self, plugin):
        """By key; what is empty or left out is not there."""
        reply = {"revisions": {"app/key": "7", "app/b": ""}}
        made = plugin((0, json.dumps(reply).encode(), ""))
        asked = [KEY, Address("app", "b"), Address("app", "c")]
        assert made.revisions([], soon()) == {}
        assert made.revisions(asked, soon()) == {KEY: "7"}
        assert made.asked[0][1] == {"operation": "revisions", "keys": ["app/key", "app/b", "app/c"]}

    @pytest.mark.parametrize(
        "reply", [b"{}", b'{"revisions": []}', b'{"error": "not found"}', b'{"error": "unknown operation"}']
    )
    def test_a_plugin_that_tells_none(self, plugin, reply):
        """It may not know the question."""
        with pytest.raises(BackendInvalid) as caught:
            plugin((0, reply, "")).revisions([KEY], soon())
        assert caught.value.lines() == [
            'error: plugin "j" tells no revisions without the values',
            "  hint: compare by reading: envref stale --read",
        ]

    def test_many_at_once(self, plugin):
        """From the second on, if the first answer says so; each of them has its own outcome."""
        many = {
            "values": {"app/b": "2", "app/c": None, "app/d": 4, "app/e": "5"},
            "errors": {"app/e": "denied"},
            "revisions": {"app/b": "r"},
        }
        made = plugin((0, b'{"value": "1", "capabilities": ["get_many"]}', ""), (0, json.dumps(many).encode(), ""))
        asked = [Address("app", name) for name in "abcdeaf"]
        answers = made.get_many(asked, soon())
        assert [len(request) for _, request in made.asked] == [2, 2]
        assert made.asked[1][1] == {"operation": "get_many", "keys": [f"app/{name}" for name in "bcdef"]}
        assert [answers[asked[at]].reveal() for at in (0, 1)] == ["1", "2"]
        assert answers[asked[1]].revision == "r"
        assert {
            address.key: type(answer) for address, answer in answers.items() if isinstance(answer, BackendError)
        } == {
            "d": BackendInvalid,
            "e": BackendDenied,
        }

    @pytest.mark.parametrize(
        "reply",
        [
            b"{}",
            b'{"values": [], "errors": {}}',
            b'{"values": {}, "errors": []}',
            b'{"error": "unknown"}',
            b'{"error": "not found"}',
        ],
    )
    def test_a_batch_that_can_t_be_answered(self, plugin, reply):
        """Is asked one by one, and there is never another: not even where an answer says that there may be."""
        single = (0, b'{"value": "1", "capabilities": ["get_many"]}', "")
        made = plugin((0, reply, ""), *[single] * 4, batch=True)
        for _ in range(2):
            assert len(made.get_many([KEY, Address("app", "b")], soon())) == 2
        assert [request["operation"] for _, request in made.asked] == ["get_many", "get", "get", "get", "get"]

    @pytest.mark.parametrize("member", ["values", "errors"])
    def test_one_member_of_a_batch_is_enough(self, plugin, member):
        """The other may be left out, or null."""
        made = plugin((0, json.dumps({member: {}, "x": None}).encode(), ""), batch=True)
        assert made.get_many([KEY], soon()) == {}
        assert len(made.asked) == 1

    @pytest.mark.parametrize("kind", [BackendTimeout, BackendLocked])
    def test_a_batch_that_is_late_or_locked_is_not_asked_again(self, plugin, kind):
        """Each key would take as long, or be another prompt."""
        made = plugin(kind("x"), batch=True)
        with pytest.raises(kind):
            made.get_many([KEY, Address("app", "b")], soon())
        assert len(made.asked) == 1

    def test_a_first_key_that_is_locked_is_the_last(self, plugin):
        """The plugin is locked, whatever the key."""
        made = plugin((0, b'{"error": "locked"}', ""))
        with pytest.raises(BackendLocked):
            made.get_many([KEY, Address("app", "b")], soon())
        assert len(made.asked) == 1
        assert plugin().get_many([], soon()) == {}

    def test_a_foreign_name_is_only_read(self, plugin):
        """By the name itself."""
        made = plugin((0, b'{"value": "1"}', ""))
        name = Address("", "", foreign="Item\x1b")
        assert made.get_many([name], soon())[name].reveal() == "1"
        assert made.asked[0][1]["key"] == "Item\x1b"
        for change in (lambda: made.set(name, Secret("v"), soon()), lambda: made.delete(name, soon())):
            with pytest.raises(BackendInvalid) as caught:
                change()
            assert caught.value.lines() == [
                'error: plugin "j": "Item\\x1b" is a foreign name, which is only read',
                "  hint: change it where the plugin gets it from",
            ]

    def test_a_value_that_no_variable_can_hold_is_not_sent(self, plugin):
        """It could not be read back."""
        made = plugin()
        with pytest.raises(BackendInvalid):
            made.set(KEY, Secret("a\0b"), soon())
        assert made.asked == []


def test_what_it_declares():
    """The rest of envref asks nothing else of it."""
    own = {"keeps_revisions", "foreign_names", "carries_project", "label_has_name"}
    assert declared("plugin") == {"asks_beside_data", *own}
