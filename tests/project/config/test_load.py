"""What `.envref.yaml` and the user's own config may say, and every message for what they may not."""

import os
import subprocess
import sys
import types

import pytest

from envref import paths
from envref.backends.base import Backend
from envref.backends.table import BUILTIN
from envref.errors import EnvrefError, UsageError
from envref.project.config import check, model
from envref.project.config import load as config
from envref.project.config.backends import check_bare
from envref.project.config.tools import tool_fault

AGE_KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEdQqQPmKEs4HYzSVDx2/FW1Wb2c4M0TzpNMn+IKhe9D bob@desk"


class Ocean(Backend):
    """A store that cannot do without three options"""

    path_options = ("chart",)
    foreign_names = False

    def __init__(
        self, name, *, vault_id, compartment_id, key_id, profile="", chart="sea.db", calm=True, prefix="envref"
    ): ...


@pytest.fixture
def ocean(monkeypatch):
    """The type `oci-vault`, whose options are read from the constructor of `Ocean`."""
    module = types.ModuleType("envref_test_ocean")
    module.Ocean = Ocean
    monkeypatch.setitem(sys.modules, "envref_test_ocean", module)
    monkeypatch.setitem(BUILTIN, "oci-vault", "envref_test_ocean:Ocean")


@pytest.fixture
def load(project):
    """Writes a project's config and loads it; `own` is the user's own config."""

    def write_and_load(text, own=None, how=config.load):
        if own is not None:
            directory = paths.configuration_path()
            os.makedirs(directory, exist_ok=True)
            with open(f"{directory}/config.yaml", "w", encoding="utf-8") as file:
                file.write(own)
        return how(str(project.write(".envref.yaml", text)))

    return write_and_load


def fault(load, text, own=None):
    """The message that a config is refused with."""
    with pytest.raises(EnvrefError) as caught:
        load(text, own)
    assert caught.value.status == 1
    return caught.value.message


def backend(*lines):
    """A config with one plugin that has these lines."""
    return "project: app\nbackends:\n  - name: x\n    type: plugin\n" + "".join(f"    {line}\n" for line in lines)


TOOL = "a list of variables, or a mapping with variables or credential-process or credential"
INVALID = [
    ("env_file: .env", "project name is required"),
    ("project:", "project name is required"),
    ('project: ""', "project name is required"),
    ('project: " app"', "project name must not have leading or trailing whitespace"),
    ("project: a/b", "project name must not contain path separators (/ or \\)"),
    ("project: a\\b", "project name must not contain path separators (/ or \\)"),
    ("project: ..", 'project name must not be "." or ".."'),
    ('project: "a\\eb"', "project name must not contain control characters"),
    (f"project: {'é' * 65}", "project name must not be longer than 128 bytes"),
    ('project: app\nenv_file: ""', "env_file must not be empty"),
    ("project: app\nenv_file: /etc/passwd", "env_file must be a relative path, got absolute path"),
    ("project: app\nenv_file: a/../../b", "env_file must stay inside the project"),
    ('project: app\nlocal_file: ""', "local_file must not be empty"),
    ("project: app\nlocal_file: /x", "local_file must be a relative path, got absolute path"),
    ("project: app\nlocal_file: ..", "local_file must stay inside the project"),
    ('project: app\nlocal_file: "a\\tb"', "local_file must not contain control characters"),
    ("project: app\nprofiles: {x: {fallback: never}}", ".envref.yaml:2:26: profiles.x.fallback must be true or false"),
    ('project: app\nprofiles: {x: {env_file: ""}}', "profiles.x.env_file must not be empty"),
    (
        "project: app\nprofiles: {x: {env_file: /x}}",
        "profiles.x.env_file must be a relative path, got absolute path",
    ),
    ("project: app\nprofiles: {x: {env_file: ../x}}", "profiles.x.env_file must stay inside the project"),
    ("project: app\nactive_profile: q\nprofiles: {x: }", 'active_profile "q" is not defined in profiles'),
    ("project: app\nactive_profile: a/b", 'active_profile: invalid name "a/b"'),
    ("project: app\nprofiles: {a.b: }", 'profiles: invalid name "a.b"'),
    ("project: app\nprofiles: {-a: }", 'profiles: invalid name "-a"'),
    ("project: app\nprofiles: {local: }", 'profiles: invalid name "local"'),
    ("project: app\nprofiles: {x: .env.x}", ".envref.yaml:2:15: profiles.x must be a mapping"),
    ("project: app\nbackends:\n  - type: plugin", "backends[0]: name is required"),
    ('project: app\nbackends: [{name: ""}]', "backends[0]: name is required"),
    (
        "project: app\nbackends: [{name: x, type: plugin}, {name: x, type: plugin}]",
        'backends[1]: duplicate backend name "x"',
    ),
    ("project: app\nbackends: [{name: secrets, type: plugin}]", 'backends[0]: "secrets" is reserved'),
    ("project: app\nbackends: [{name: ../x, type: plugin}]", 'backends[0]: invalid name "../x"'),
    ("project: app\nbackends: [plugin]", ".envref.yaml:2:12: backends[0] must be a mapping"),
    ("project: app\nbackends: plugin", ".envref.yaml:2:11: backends must be a list"),
    (backend("config: [a]"), ".envref.yaml:5:13: backends[0]: config must be a mapping"),
    (backend("config: {a: [b]}"), ".envref.yaml:5:17: backends[0]: a must be text"),
    (backend("config: {batch: perhaps}"), ".envref.yaml:5:21: backends[0]: batch must be true or false"),
    (backend("timeout: 0"), "backends[0]: timeout must be between 0.1 and 600"),
    (backend("timeout: 601"), "backends[0]: timeout must be between 0.1 and 600"),
    (backend("timeout: soon"), "backends[0]: timeout must be between 0.1 and 600"),
    (backend("timeout: .nan"), "backends[0]: timeout must be between 0.1 and 600"),
    (backend("config: {timeout: 0.09}"), "backends[0]: timeout must be between 0.1 and 600"),
    (backend("optional: 1"), ".envref.yaml:5:15: backends[0]: optional must be true, false or always"),
    (backend("config: {passphrase: x}"), "backends[0]: passphrase is not allowed in a project file"),
    (backend("passphrase: x"), "backends[0]: passphrase is not allowed in a project file"),
    (backend("names: {a//b: c}"), 'backends[0]: names: key "a//b" must not have a leading, trailing or doubled "/"'),
    (backend('names: {a: ""}'), 'backends[0]: names: key "a" has no name'),
    (backend("names: [a]"), ".envref.yaml:5:12: backends[0]: names must be a mapping"),
    (f"project: app\nteam: [{{public_key: {AGE_KEY}}}]", "team[0]: name is required"),
    ("project: app\nteam: [{name: bob}]", "team[0]: public_key is required"),
    (
        "project: app\nbackends: [{type: plugin}, {type: plugin}]",
        "backends[0]: name is required; backends[1]: name is required",
    ),
    (
        f"project: app\nteam: [{{public_key: {AGE_KEY}}}, {{public_key: {AGE_KEY}}}]",
        "team[0]: name is required; team[1]: name is required",
    ),
    (
        f"project: app\nteam: [{{name: b, public_key: {AGE_KEY}}}, {{name: b, public_key: {AGE_KEY}}}]",
        'team[1]: duplicate name "b"',
    ),
    ("project: app\nservices: {web: [A B]}", 'services.web: "A B" is not a variable name'),
    ("project: app\nservices: {web: PORT}", ".envref.yaml:2:17: services.web must be a list"),
    ("project: app\ntools: [gh]", ".envref.yaml:2:8: tools must be a mapping"),
    ("project: app\ntools: {gh: }", ".envref.yaml:2:13: tools.gh must be a list"),
    ("project: app\ntools: {gh: []}", ".envref.yaml:2:13: tools.gh names no variable"),
    ("project: app\ntools: {gh: [A, B C]}", '.envref.yaml:2:17: tools.gh: "B C" is not a variable name'),
    ("project: app\ntools: {gh: [{A: B}]}", ".envref.yaml:2:14: tools.gh must be text"),
    ("project: app\ntools: {gh: [A, ~]}", ".envref.yaml:2:17: tools.gh has an item without a name"),
    (
        "project: app\ntools:\n  /usr/bin/gh: [A]",
        '.envref.yaml:3:3: tools: "/usr/bin/gh" is a path; write the program\'s name alone, as it is typed',
    ),
    ('project: app\ntools: {"": [A]}', '.envref.yaml:2:9: tools: "" is not a program\'s name: it is empty'),
    *(
        (
            f"project: app\ntools: {{{program}: [A]}}",
            f'.envref.yaml:2:9: tools: "{program}" can\'t have a shim: it is envref, which every shim calls',
        )
        for program in ("envref", "Envref", "docker-credential-envref")
    ),
    *(
        (
            f"project: app\ntools: {{{word}: [A]}}",
            f'.envref.yaml:2:9: tools: "{word}" is a word of the shells themselves; no shim is called by it',
        )
        for word in ("exec", "cd", "kill")
    ),
    *(
        (
            f"project: app\ntools: {{{written}: [A]}}",
            f'.envref.yaml:2:9: tools: "{shown}" is not a program\'s name: it may have letters, digits, _ . + @ -',
        )
        for written, shown in [
            ("..", ".."),
            ("-x", "-x"),
            ("'a b'", "a b"),
            ('"a\\n"', "a\\n"),
            ('"$(x)"', "$(x)"),
            ("é", "é"),
        ]
    ),
    (
        "project: app\ntools:\n  aws:\n    credential_process: [A]",
        f'.envref.yaml:4:5: tools.aws: unknown key "credential_process"; it takes {TOOL}',
    ),
    (
        "project: app\ntools: {aws: {}}",
        f".envref.yaml:2:14: tools.aws names no variable; it takes {TOOL}",
    ),
    (
        "project: app\ntools: {aws: {variables: [1 ]}, b: {variables: x.y z}}",
        '.envref.yaml:2:48: tools.b.variables: "x.y z" is not a variable name',
    ),
    (
        "project: app\ntools: {git: {credential: {a b: A}}}",
        '.envref.yaml:2:28: tools.git.credential: "a b" is not a server, as in github.com/team',
    ),
    (
        "project: app\ntools: {git: {credential: {a.b: A, 'https://A.B/': B}}}",
        (
            '.envref.yaml:2:36: tools.git.credential: "https://A.B/" is "a.b" too; '
            "a path tells two accounts apart, as in github.com/team"
        ),
    ),
    (
        "project: app\ntools: {git: {credential: {a.b: [A, B, C]}}}",
        ".envref.yaml:2:33: tools.git.credential.a.b takes a user's name and a password, or one alone",
    ),
    (
        "project: app\ntools: {git: {credential: {}}}",
        ".envref.yaml:2:27: tools.git.credential names no server",
    ),
    (
        "project: app\ntools: {curl: {credential: {a.b: A}}}",
        ".envref.yaml:2:28: tools.curl.credential: envref can answer cargo, docker, git, kubectl only",
    ),
    ("project: app\ninterpolate_environment: yes", ".envref.yaml:2:26: interpolate_environment must be true or false"),
    ("project: app\ntrust: default", "trust is not allowed in a project file"),
    ("project: app\ntrusted_paths: [/]", "trusted_paths is not allowed in a project file"),
    ("project: app\nfiles_directory: /tmp", "files_directory is not allowed in a project file"),
    ("project: [app]", ".envref.yaml:1:10: project must be text"),
    ("extends: [app]", ".envref.yaml:1:10: extends must be text"),
    ('extends: ""', "extends must not be empty"),
    ('extends: "a\\eb"', "extends must not contain control characters"),
    *((f"extends: {path}", "extends must be a relative path, got absolute path") for path in ("/x", "~/x", "$HOME/x")),
    ("project: app\nprecedence: both", ".envref.yaml:2:13: precedence must be files or environment"),
    ("project: app\nprecedence: [files]", ".envref.yaml:2:13: precedence must be text"),
    ("project: app\nenv_file: [a]", ".envref.yaml:2:11: env_file must be text"),
]


@pytest.mark.parametrize(("text", "message"), INVALID)
def test_what_is_invalid_is_told_in_these_words(load, text, message):
    """Each rule of commands.md 3.3 has one message, behind `loading config: invalid config: `."""
    assert fault(load, text) == f"loading config: invalid config: {message}"


def test_a_credential_of_a_tool_is_kept_by_its_server(load):
    """A password alone, or a user's name before it; two paths of one server are two."""
    text = "project: app\ntools: {git: {credential: {a.b: T, a.b/team: [U, P]}, variables: V}}"
    ways = {"credential a.b": ("T",), "credential a.b/team": ("U", "P"), "variables": ("V",)}
    assert load(text).tools == {"git": ways}


def test_all_faults_are_told_at_once(load):
    """Validation goes on after a fault: one run shows all of them, in the order of the rules."""
    text = 'env_file: ""\nprofiles: {a.b: }\nbackends: [{name: secrets, type: plugin}, {type: plugin}]'
    assert fault(load, text) == (
        "loading config: invalid config: project name is required; env_file must not be empty; "
        'profiles: invalid name "a.b"; backends[0]: "secrets" is reserved; backends[1]: name is required'
    )


def test_an_unknown_type_is_an_error_that_lists_the_known_ones(load):
    """The message of commands.md 13, row 11, with the types that this envref has."""
    message = fault(load, "project: app\nbackends: [{name: x, type: wat}]")
    assert message == (
        'loading config: invalid config: unknown backend type "wat" (backend "x"); '
        f"recognized types: {', '.join(BUILTIN)}; for custom backends use type: plugin"
    )


@pytest.mark.parametrize(
    ("kind", "near"), [("encrypted-vault", "vault"), ("1pasword", "1password"), ("aws_ssm", "aws-ssm")]
)
def test_an_unknown_type_that_means_a_known_one(load, kind, near):
    """The Go envref's template says `encrypted-vault`."""
    said = fault(load, f"project: app\nbackends: [{{name: x, type: {kind}}}]")
    assert f'unknown backend type "{kind}" (backend "x"); did you mean "{near}"? recognized types: ' in said


def test_an_unknown_type_is_a_warning_for_config_show(load):
    """`inspect` shows a config that `load` refuses for a type it doesn't know, options included."""
    text = "project: app\nbackends: [{name: x, type: wat, config: {a: 1}}]"
    shown = load(text, how=config.inspect)
    assert [warning.split(";")[0] for warning in shown.warnings] == ['unknown backend type "wat" (backend "x")']
    assert [(each.name, each.type, each.options) for each in shown.backends] == [("x", "wat", {"a": "1"})]
    with pytest.raises(EnvrefError, match="unknown backend type"):
        load(text)


def test_inspect_refuses_every_other_fault(load):
    """A config that is wrong otherwise is not shown."""
    with pytest.raises(EnvrefError, match="project name is required"):
        load("backends: [{name: x, type: wat}]", how=config.inspect)


def test_the_type_is_the_name_by_default(load):
    """`- name: plugin` is a backend of type plugin."""
    (store,) = load("project: app\nbackends: [{name: plugin}]").backends
    assert (store.name, store.type) == ("plugin", "plugin")


@pytest.mark.parametrize("options", ["", "vault_id: a, key_id: b", "vault_id: a, compartment_id: b, key_id: "])
def test_a_parameter_without_default_is_a_required_option(load, ocean, options):
    """A missing required option is told with all that the type requires."""
    text = f"project: app\nbackends: [{{name: o, type: oci-vault, config: {{{options}}}}}]"
    message = "backends[0]: oci-vault requires vault_id, compartment_id and key_id"
    assert fault(load, text) == f"loading config: invalid config: {message}"


OCEAN = """\
project: app
backends:
  - name: o
    type: oci-vault
    config: {vault_id: 007, compartment_id: yes, key_id: 1.10, calm: False, prefx: y, chart: CHART}
"""


def test_options_keep_their_written_text_and_booleans_are_booleans(load, ocean):
    """`007`, `yes` and `1.10` are text for an option that takes text; a default of True makes a boolean."""
    (store,) = load(OCEAN.replace("chart: CHART", "chart: c")).backends
    assert store.options == {"vault_id": "007", "compartment_id": "yes", "key_id": "1.10", "calm": False, "chart": "c"}


def test_an_unknown_option_is_a_warning_with_a_suggestion(load, ocean):
    """The constructor is never called with an option it doesn't have."""
    loaded = load(OCEAN)
    assert loaded.warnings == ('.envref.yaml:5:77: unknown option "prefx": did you mean "prefix"?',)
    assert "prefx" not in loaded.backends[0].arguments("/root")


def test_names_are_refused_where_a_store_has_no_foreign_names(load, ocean):
    """`names:` on a store that can't look them up is an error and not a silent miss."""
    assert fault(load, f"{OCEAN}    names: {{a: b}}\n").endswith(
        '.envref.yaml:6:5: backends[0]: backend "o" has no foreign names'
    )


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("sea.db", "/root/sea.db"),
        ("../sea.db", "/root/../sea.db"),
        ("/sea.db", "/sea.db"),
        ('"~"', "/home/me"),
        ("~/sea.db", "/home/me/sea.db"),
        ("~root/sea.db", os.path.expanduser("~root/sea.db")),
        ("$HOME/sea.db", "/home/me/sea.db"),
        ('"${HOME}/sea.db"', "/home/me/sea.db"),
        ("$XDG_DATA_HOME/sea.db", "/data/sea.db"),
        ("$XDG_STATE_HOME/sea.db", "/home/me/.local/state/sea.db"),
        ("$SHELL/sea.db", "/root/$SHELL/sea.db"),
        ("a/~/$HOME", "/root/a/~/$HOME"),
    ],
)
def test_paths_start_at_the_root_or_at_home(load, ocean, written, path):
    """Path options expand `~`, `~user`, $HOME and $XDG_*; a relative path is relative to the project root."""
    (store,) = load(OCEAN.replace("CHART", written)).backends
    environment = {"HOME": "/home/me", "XDG_DATA_HOME": "/data", "XDG_STATE_HOME": "relative", "SHELL": "/bin/sh"}
    assert store.arguments("/root", environment)["chart"] == path


def test_a_command_stays_relative(load):
    """Whether a command is a name or a path is the store's to find out; only `~` and $HOME are filled in."""
    (store,) = load(backend("config: {command: ./tools/kv}")).backends
    assert store.arguments("/root")["command"] == "./tools/kv"
    (store,) = load(backend("config: {command: ~/kv}")).backends
    assert store.arguments("/root", {"HOME": "/home/me"})["command"] == "/home/me/kv"


def test_a_store_that_asks_for_it_is_given_the_root(load):
    """A constructor's `root` is not an option: the project can't choose it."""
    (store,) = load(backend("config: {root: /elsewhere}")).backends
    assert store.options == {}
    assert store.arguments("/root") == {"root": "/root"}


def test_the_address_of_a_server_must_be_encrypted(load):
    """http is for loopback only, and no trick with the authority makes another host look like it."""
    for address in ("https://vault.internal:8200", "http://127.0.0.1:8200", "http://localhost", '"http://[::1]:8200"'):
        load(backend(f"config: {{addr: {address}}}"))
    for address in (
        "http://vault.internal",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "http://evil.example\\@127.0.0.1",
        "http://127.1.evil",
        "vault.internal:8200",
        "ftp://127.0.0.1",
        '"https://"',
        '"http://[::1"',
    ):
        message = "backends[0]: addr must use https (http is allowed for loopback only)"
        assert fault(load, backend(f"config: {{addr: {address}}}")).endswith(message), address


@pytest.mark.parametrize("place", ["timeout: 2.5", "config: {timeout: 2.5}"])
def test_the_time_limit_stands_in_the_entry_or_in_its_options(load, place):
    """`timeout` is seconds, and no option of the store."""
    (store,) = load(backend(place)).backends
    assert (store.timeout, store.options) == (2.5, {})


@pytest.mark.parametrize("place", ["optional: always", "config: {optional: always}", 'optional: "always"'])
def test_optional_may_be_always(load, place):
    """A word, quoted or not; nothing else but a boolean."""
    (store,) = load(f"project: app\nbackends:\n  - name: vault\n    {place}\n").backends
    assert (store.optional, store.options) == ("always", {})


@pytest.mark.parametrize("place", ["optional: true", "config: {optional: true}"])
def test_optional_stands_in_the_entry_or_in_its_options(load, place):
    """`optional` is no option of the store either."""
    (store,) = load(backend(place)).backends
    assert (store.optional, store.options) == (True, {})


def test_names_map_keys_to_foreign_names(load):
    """Keys of both scopes, names as they are written."""
    (store,) = load(backend('names: {token: "GitHub#credential", staging/db: 42}')).backends
    assert store.names == {"token": "GitHub#credential", "staging/db": "42"}


def test_several_stores_of_one_type_coexist(load):
    """Stores are known by their configured names, in the order of the file."""
    loaded = load("project: app\nbackends: [{name: b, type: plugin}, {name: a, type: plugin}]")
    assert [(store.name, store.type) for store in loaded.backends] == [("b", "plugin"), ("a", "plugin")]


def test_without_backends_there_is_the_keychain(load):
    """No `backends` key anywhere means the keychain; an explicit empty list means none."""
    assert [(store.name, store.type) for store in load("project: app").backends] == [("keychain", "keychain")]
    assert load("project: app\nbackends: []").backends == ()
    assert load("project: app", own="backends: []").backends == ()


def test_defaults(load):
    """What a config of one line means."""
    loaded = load("project: app")
    assert (loaded.env_file, loaded.local_file, loaded.active_profile) == (".env", ".env.local", None)
    assert (loaded.profiles, loaded.team, loaded.services, loaded.interpolate_environment) == ({}, {}, {}, False)
    assert (loaded.trust, loaded.trusted_paths, loaded.warnings) == ("default", (), ())
    assert loaded.global_path is None


def test_scalars_of_text_fields_keep_their_written_text(load):
    """A project called 1.10, or no, is called so."""
    assert load("project: 1.10").project == "1.10"
    assert load("project: no").project == "no"
    assert load("project: True").project == "True"


def test_the_case_of_keys_is_kept(load):
    """A profile called Staging is not the profile staging, and `Project` is no key."""
    loaded = load("project: app\nprofiles: {Staging: }\nProject: x")
    assert loaded.profiles == {"Staging": ".env.Staging"}
    assert loaded.warnings == ('.envref.yaml:3:1: unknown key "Project": did you mean "project"?',)


UNKNOWN = [
    ("project: app\nbackend: []", '.envref.yaml:2:1: unknown key "backend": did you mean "backends"?'),
    ("project: app\nzzz: 1", '.envref.yaml:2:1: unknown key "zzz"'),
    (backend("confg: {}"), '.envref.yaml:5:5: unknown key "confg": did you mean "config"?'),
    (
        "project: app\nprofiles: {x: {envfile: a}}",
        '.envref.yaml:2:16: unknown key "envfile": did you mean "env_file"?',
    ),
    (
        f"project: app\nteam: [{{nam: c, name: b, public_key: {AGE_KEY}}}]",
        '.envref.yaml:2:9: unknown key "nam": did you mean "name"?',
    ),
    ("project: app\nagent: false\naudit_log: {reads: true, writes: true}", '.envref.yaml:3:26: unknown key "writes"'),
]


def test_an_unknown_key_of_the_agent_s_time_is_a_warning(load):
    """Which only the user's own config has."""
    loaded = load("project: app", own="agent: {ttl: 1h, tls: 2h}")
    assert loaded.agent == 3600
    assert loaded.warnings == ('~/.config/envref/config.yaml:1:18: unknown key "tls": did you mean "ttl"?',)


@pytest.mark.parametrize(("text", "warning"), UNKNOWN)
def test_an_unknown_key_is_a_warning_with_a_suggestion(load, text, warning):
    """A misspelled key is told, with its place, and ignored."""
    assert load(text).warnings == (warning,)


def test_control_characters_of_a_repository_are_escaped(load):
    """What a file says never steers the terminal, in a warning or in an error."""
    assert load('project: app\n"a\\eb": 1').warnings == ('.envref.yaml:2:1: unknown key "a\\x1bb"',)
    assert '"a\\x1bb"' in fault(load, 'project: app\nprofiles: {"a\\eb": }')


@pytest.mark.parametrize("key", [AGE_KEY, SSH_KEY, SSH_KEY.rsplit(" ", 1)[0]])
def test_a_team_member_has_an_age_or_ssh_key(load, key):
    """X25519 and ssh keys are taken as they are written."""
    assert load(f"project: app\nteam: [{{name: bob, public_key: {key}}}]").team == {"bob": key}


@pytest.mark.parametrize(
    "key",
    [
        "x",
        AGE_KEY[:-1] + "q",
        AGE_KEY.upper(),
        "age1yubikey1qwerty",
        "ssh-ed25519 AAAA",
        "ecdsa-sha2-nistp256 AAAA",
        f'"{SSH_KEY}\\n{AGE_KEY}"',
    ],
)
def test_no_other_key_is_taken(load, key):
    """A wrong checksum, an age plugin, another kind of ssh key, and a second line are refused."""
    message = "team[0]: public_key must be an age public key (age1...) or an ssh public key"
    assert fault(load, f"project: app\nteam: [{{name: bob, public_key: {key}}}]").endswith(message)


def test_services_name_variables(load):
    """`services` maps a Flox service to variable names."""
    assert load("project: app\nservices: {web: [PORT, _A1]}").services == {"web": ("PORT", "_A1")}


def test_tools_keep_variables_for_one_program(load):
    """A list, one name alone, or the way in which the tool gets them; the user's own config may have them too."""
    text = "tools:\n  gh: [GH_TOKEN, GH_TOKEN]\n  g++: ONE\n  aws: {credential-process: [ID, KEY], variables: REGION}\n"
    kept = {
        "gh": {"variables": ("GH_TOKEN",)},
        "g++": {"variables": ("ONE",)},
        "aws": {"credential-process": ("ID", "KEY"), "variables": ("REGION",)},
    }
    assert load(f"project: app\n{text}").tools == kept
    assert load("project: app\n", own=text).tools == kept


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_no_tool_has_a_name_that_a_shell_reads_as_its_own_word(shell):
    """Its function in a shell would change the language: the shells say what their words are."""
    words = {
        "bash": "compgen -k; enable -s | sed 's/^enable //'",
        "zsh": "print -l ${(k)reswords}",
        "fish": "builtin -n | grep -xE 'and|begin|break|builtin|case|command|continue|else|end|exec|for|function|if|not"
        "|or|return|switch|while'",
    }
    done = subprocess.run([shell, "-c", words[shell]], capture_output=True, text=True, check=True)
    free = [word for word in done.stdout.split() if not tool_fault(word)]
    assert (len(done.stdout.split()) > 10, free) == (True, [])


def test_the_project_s_keys_win_over_the_user_s(load):
    """Each key is the project's if it has it, else the user's; lists and maps are never merged."""
    own = (
        "project: mine\nenv_file: a.env\nlocal_file: b.env\nactive_profile: own\ninterpolate_environment: true\n"
        "backends: [{name: o, type: plugin}]\nprofiles: {own: }\n"
    )
    taken = load("{}", own=own)
    assert (taken.project, taken.env_file, taken.local_file, taken.active_profile) == ("mine", "a.env", "b.env", "own")
    assert taken.interpolate_environment
    assert [store.name for store in taken.backends] == ["o"]
    theirs = "project: app\nenv_file: .env\nprofiles: {x: }\nactive_profile: x\nbackends: [{name: p, type: plugin}]"
    loaded = load(theirs, own=own)
    assert (loaded.project, loaded.env_file, loaded.local_file) == ("app", ".env", "b.env")
    assert (loaded.active_profile, loaded.profiles) == ("x", {"x": ".env.x"})
    assert [store.name for store in loaded.backends] == ["p"]


def test_the_merged_config_is_what_is_checked(load):
    """An active profile of the user's own file must exist in the profiles of the project."""
    message = fault(load, "project: app\nprofiles: {x: }", own="active_profile: own")
    assert message.endswith('active_profile "own" is not defined in profiles')


def test_only_the_user_s_file_sets_trust(load, home):
    """`trust` and `trusted_paths` come from there, paths expanded."""
    loaded = load("project: app", own="trust: strict\ntrusted_paths: [~/src, /srv]\nfiles_directory: ~/private")
    assert (loaded.trust, loaded.trusted_paths) == ("strict", (f"{home}/src", "/srv"))
    assert loaded.files_directory == "~/private"


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ("trust: none", "~/.config/envref/config.yaml:1:8: trust must be default or strict"),
        ("trusted_paths: [src]", "trusted_paths[0] must be an absolute path"),
        ("files_directory: src", "~/.config/envref/config.yaml:1:18: files_directory must be an absolute path"),
    ],
)
def test_the_user_s_trust_settings_are_checked(load, own, message):
    """A misspelled mode is an error: as a warning it would leave the user with less than asked for."""
    assert fault(load, "project: app", own=own) == f"loading config: invalid config: {message}"


def test_the_user_s_file_is_named_when_it_is_not_yaml(load):
    """The message points into the user's own file, home shown as `~`."""
    message = fault(load, "project: app", own="a: [")
    assert message.startswith("loading config: ~/.config/envref/config.yaml:")


def test_a_warning_about_the_user_s_file_names_it(load):
    """An unknown key there is no fault of the project."""
    warning = '~/.config/envref/config.yaml:1:1: unknown key "trusty": did you mean "trust"?'
    assert load("project: app", own="trusty: 1").warnings == (warning,)


def test_a_passphrase_is_refused_in_project_files_only(load):
    """The user's own file may hold what a committed one must not."""
    own = "backends: [{name: x, type: plugin, config: {passphrase: p}}]"
    assert load("project: app", own=own).backends[0].options == {"passphrase": "p"}


def test_a_relative_home_is_no_home(load, monkeypatch, tmp_path):
    """A config below the current directory never becomes the user's own: it could grant trust."""
    hostile = tmp_path / ".config" / "envref"
    hostile.mkdir(parents=True)
    (hostile / "config.yaml").write_text("trust: wrong")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", ".")
    monkeypatch.setenv("XDG_CONFIG_HOME", ".config")
    assert load("project: app").trust == "default"


def test_nobody_changes_a_config(load):
    """Config and BackendConfig are set once."""
    loaded = load("project: app")
    for record, field in ((loaded, "project"), (loaded.backends[0], "name")):
        with pytest.raises(AttributeError):
            setattr(record, field, "other")


TOKEN = backend("config: {token: hvs.very-private}")


def test_loading_a_config_starts_nothing(load, monkeypatch):
    """git reads the repository's own config; commands that a person types ask whether it tracks a token."""
    monkeypatch.setattr("envref.backends.command.run_many", lambda *_arguments, **_options: pytest.fail("started"))
    loaded = load(TOKEN)
    assert loaded.warnings == ()
    assert loaded.tokens == (".envref.yaml:5:14: backends[0]: token is in a file that git tracks",)


def test_no_message_shows_the_value_of_an_option(load):
    """Faults and warnings name options and never quote them."""
    text = backend("config: {token: hvs.very-private, addr: http://very-private.example}", "passphrase: very-private")
    assert "very-private" not in fault(load, text)


@pytest.mark.parametrize(
    ("option", "masked"),
    [
        ("token", True),
        ("passphrase", True),
        ("client_secret", True),
        ("PASSWORD", True),
        ("api_key", True),
        ("key_id", False),
        ("region", False),
    ],
)
def test_which_options_are_credentials(option, masked):
    """The rule of commands.md 2.15."""
    assert model.is_credential(option) is masked


@pytest.mark.parametrize(
    ("name", "valid"),
    [("a", True), ("_a-1", True), ("9", True), ("", False), ("-a", False), ("a.b", False), ("é", False)],
)
def test_names_of_profiles(name, valid):
    """`[A-Za-z0-9_][A-Za-z0-9_-]*` (commands.md 1.5)."""
    assert model.is_profile_name(name) is valid


@pytest.mark.parametrize("name", ["local", "example", "sample", "template"])
def test_reserved_names_of_profiles(name):
    """`.env.NAME` means something else for these."""
    assert not model.is_profile_name(name)


@pytest.mark.parametrize(("name", "fits"), [("a" * 128, True), ("a" * 129, False), ("ü" * 64, True), ("ü" * 65, False)])
def test_the_longest_name_of_a_project(load, name, fits):
    """128 bytes, not characters."""
    if fits:
        assert load(f"project: {name}\n").project == name
    else:
        assert fault(load, f"project: {name}\n").endswith("project name must not be longer than 128 bytes")


def test_what_the_project_itself_says_is_known(load):
    """Trust covers its choices, and not those of the user's own config."""
    own = "backends: [{name: vault}]\nlocal_file: .env.mine\n"
    assert load("project: app\nenv_file: .env.team\n", own).from_project == ("env_file", "project")
    found = load("project: app\nbackends: [{name: pass}]\n", own)
    assert (found.from_project, [each.name for each in found.backends]) == (("backends", "project"), ["pass"])
    assert found.local_file == ".env.mine"


def test_only_a_project_extends_another(load):
    """The user's own config is below every project already."""
    assert "extends is allowed in a project file only" in fault(load, "project: app\n", "extends: ../x\n")


def test_a_copy_of_a_config_differs_in_what_is_said(load):
    """Everything else is the same, and the first one never changes."""
    loaded = load("project: app\nbackends: [{name: vault, timeout: 3}]")
    copy = loaded.replaced(project="other")
    assert (copy.project, loaded.project) == ("other", "app")
    assert (copy.path, copy.backends, copy.source) == (loaded.path, loaded.backends, loaded.source)
    (store,) = loaded.backends
    assert (store.replaced(home="/x").home, store.replaced(home="/x").timeout, store.home) == ("/x", 3.0, "")
    with pytest.raises(AttributeError, match="project of a Config is never changed"):
        loaded.project = "other"


def test_a_setting_of_a_backend_without_a_value_is_none(load):
    """As if its line were not there."""
    text = "project: app\nbackends:\n  - {name: vault, timeout: , optional: , agent: , names: , config: }\n"
    (store,) = load(text).backends
    (plain,) = load("project: app\nbackends: [{name: vault}]").backends
    for field in ("timeout", "optional", "agent", "names", "options"):
        assert getattr(store, field) == getattr(plain, field), field


@pytest.mark.parametrize(("written", "found"), [("", "files"), ("files", "files"), ("environment", "environment")])
def test_who_decides_about_a_name_that_both_set(load, written, found):
    """The files, where nothing else is said."""
    assert load(f"project: app\nprecedence: {written}\n").precedence == found


def test_a_profile_may_have_secrets_of_its_own_only(load):
    """One that says so; whoever says nothing, or true, falls back on the project's."""
    text = "project: app\nprofiles: {a: {fallback: false}, b: {fallback: true}, c: , d: {fallback: false}}\n"
    assert load(text).closed == ("a", "d")
    assert load("project: app\nprofiles: {b: }").closed == ()


def test_a_config_that_lists_no_stores_has_the_desktop_s(load):
    """It is known as such, also in a copy; one that lists it is another matter."""
    (only,) = load("project: app").backends
    assert load("project: app").has_implied_backend
    assert load("project: app").replaced(project="x").has_implied_backend
    assert not load(f"project: app\nbackends: [{{name: {only.name}, type: {only.type}}}]").has_implied_backend
    assert not load("project: app", own="backends: [{name: vault}]").has_implied_backend


@pytest.mark.parametrize(
    ("option", "value", "masked"),
    [
        ("token", "hvs.x", True),
        ("token", "ref://kc/t", False),
        ("token", None, True),
        ("addr", "x", False),
        ("addr", "ref://kc/t", False),
    ],
)
def test_which_options_are_not_shown(option, value, masked):
    """A credential itself; the name of one, and what is none, are."""
    assert model.is_masked(option, value) is masked


@pytest.mark.parametrize("key", sorted(check._FIELDS))
def test_whatever_is_written_is_taken_or_refused(load, key):
    """By an error of the config, with nothing of Python's; in either file."""
    head = "" if key == "project" else "project: app\n"
    for written in ("x", "1", "''", "true", "[a]", "[[a]]", "[{a: b}]", "{a: b}", "{a: {b: [c]}}"):
        for text, own in ((f"{head}{key}: {written}\n", ""), ("project: app\n", f"{key}: {written}\n")):
            try:
                assert load(text, own=own).project
            except EnvrefError as error:
                assert error.message.startswith("loading config: ")


@pytest.mark.parametrize(
    ("kind", "fact", "cure"),
    [
        ("nope", 'unknown backend type "nope"', "run: envref backend list --all"),
        (
            "oci-vault",
            'backend type "oci-vault" needs vault_id, compartment_id, key_id',
            "hint: write name, type and config: {vault_id: …} below backends: (envref edit --config)",
        ),
    ],
)
@pytest.mark.usefixtures("ocean")
def test_a_type_that_needs_more_than_its_name(kind, fact, cure):
    """Or is none at all."""
    with pytest.raises(UsageError) as refused:
        check_bare(kind)
    assert (refused.value.message, refused.value.cure()) == (fact, [cure])
    check_bare("vault")
