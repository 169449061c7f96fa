"""The native block: its text, and what it does in a real bash, with the stores' real programs where they can be had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

import pytest

from envref.address import Address
from envref.backends import BUILTIN, backend_class
from envref.errors import EnvrefError, MalformedFile
from envref.flox import names, retrieval
from tests.backends.doubles.doppler_service import DopplerService
from tests.backends.doubles.onepassword.account import OP, Account, field
from tests.backends.stores import aws, doppler, oci, openbao
from tests.backends.stores.pass_store import GnuPg, Passwords
from tests.backends.stores.shim import recorded
from tests.flox.activation import activate, block_of
from tests.requirements import need

PEM = "-----BEGIN KEY-----\nMIIB+/=\n  two\n-----END KEY-----"
VALUES = {
    "QUOTES": "it's \"quoted\"",
    "THREE": "'''",
    "BANG": "wow!! !x",
    "BACKSLASH": "a\\b\\\\c\\",
    "PEM": PEM,
    "DOLLAR": "$x ${y} $(id) `id`",
    "UTF8": "grün ∑ 😀 \u2028",
    "TAB": "\ta\tb",
    "CONTROL": "a\x01\x1b[31m\x7fz",
    "CARRIAGE": "a\rb",
    "HYPHEN": "-n -e",
    "GLOB": "* ? [a] {a,b} ~",
    "BLANKS": "  a  b  ",
    "EQUALS": "a=b;c&d|e<f>g#h",
    "LONG": "x'" * 32_000,
}

# A stand-in for `doppler`: it takes the arguments of the real one only, and has the values in files.
STAND_IN = """\
#!/bin/bash
[ "$#" -gt 0 ] || exit 2
printf '%s\\0' "$#" "$@" >>"$STAND_IN/argv"
compgen -e >>"$STAND_IN/environment"
cat >>"$STAND_IN/stdin"
[ "$1 $2 $4 $5" = 'secrets get --plain --scope' ] && [ "$#" -eq 6 ] || { echo "unknown command" >&2; exit 1; }
[ ! -e "$STAND_IN/killed" ] || kill -9 $$
[ ! -e "$STAND_IN/locked" ] || { echo 'Doppler Error: you must provide a token' >&2; exit 1; }
[ -e "$STAND_IN/$3" ] || { echo "Doppler Error: Could not find requested secret: $3" >&2; exit 1; }
cat "$STAND_IN/$3"
echo
"""

OPTIONS = [
    "",
    "set -euaxo pipefail",
    "set -euo pipefail",
    "set -f -o noclobber",
    "set -o posix -eu",
    "set -v",
    "shopt -s failglob nocasematch nullglob extglob",
    "IFS=env_/=",
    "IFS=",
    "set -a; _envref_text=x _envref_val=x _envref_name=x _envref_loaded=x _envref_out=x _envref_need=x",
    "alias export=false local=false; shopt -s expand_aliases",
]


def write(project, env, *backends, **fields):
    """A project of these backends; a name alone is a backend of that type."""
    entries = [{"name": each} if isinstance(each, str) else each for each in backends]
    project.write(".envref.yaml", json.dumps({"project": "app", "backends": entries, **fields}))
    project.write(".env", env)


def faults(project, **options):
    """The errors of a block that can't be written: their texts without the cure, by variable."""
    with pytest.raises(MalformedFile) as caught:
        block_of(project.path, **options)
    return {problem.text.partition(": ")[0]: problem.text.partition(": ")[2] for problem in caught.value.problems}


def body(text):
    """The lines of a block's main function, without those that every block has."""
    inside = text.partition("_envref_native() {\n")[2].partition("\n}\n")[0]
    return [line.strip() for line in inside.splitlines()[3:-1]]


class StandIn:
    """The stand-in for `doppler`, first on PATH."""

    def __init__(self, directory, monkeypatch):
        self.path = directory
        (directory / "bin").mkdir(parents=True)
        (directory / "bin" / "doppler").write_text(STAND_IN)
        (directory / "bin" / "doppler").chmod(0o755)
        monkeypatch.setenv("STAND_IN", str(directory))
        monkeypatch.setenv("PATH", f"{directory / 'bin'}:{os.environ['PATH']}")

    def put(self, **values):
        for name, value in values.items():
            (self.path / name).write_bytes(value.encode())

    def switch(self, name):
        (self.path / name).touch()

    def read(self, name):
        file = self.path / name
        return file.read_text() if file.exists() else ""

    def asked(self):
        """The names of the secrets that it was asked for."""
        parts = iter(self.read("argv").split("\0")[:-1])
        return [[next(parts) for _ in range(int(count))][2] for count in parts]


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    return StandIn(tmp_path / "stand-in", monkeypatch)


@pytest.fixture
def run(tmp_path, project):
    """Runs a project's block."""
    directory = tmp_path / "activations"
    directory.mkdir()

    def call(text=None, *, strict=False, profile=None, **options):
        options.setdefault("environment", {}).setdefault("FLOX_ENV_PROJECT", str(project.path))
        return activate(text or block_of(project.path, strict=strict, profile=profile), directory, **options)

    return call


class TestText:
    def test_the_block_of_flox_md(self, project):
        """One secret of each kind that flox.md 6.4 shows gives its lines, between its markers, with its functions."""
        write(
            project,
            "GH_TOKEN=ref://op/gh\nSENTRY_DSN=ref://sm//app/sentry?optional\nNPM_TOKEN=ref://secrets/npm\n",
            {"name": "keychain", "names": {"npm": "npm-token"}},
            {"name": "sm", "type": "aws-secrets-manager", "names": {"npm": "app/npm"}},
            {"name": "op", "type": "1password", "names": {"gh": "GitHub Work Token#credential"}},
        )
        assert block_of(project.path) == r"""# >>> envref native v1 >>> generated by "envref flox-hook --native"; edit .envref.yaml
_envref_get() {
  local +x _envref_need="$1" _envref_name="$2" _envref_val=''
  shift 2
  if [ -n "${CI:-}" ] && [ -n "${!_envref_name:-}" ]; then return 0; fi
  if type -t "$1" >/dev/null; then
    _envref_val="$("$@" </dev/null)" || _envref_val=''
    case "$1:$_envref_val" in aws:None) _envref_val='' ;; esac
  else
    printf 'envref: %s: %s is not installed\n' "$_envref_name" "$1" >&2
  fi
  if [ -n "$_envref_val" ]; then
    export "$_envref_name=$_envref_val"
    return 0
  fi
  printf 'envref: %s: not loaded (%s)\n' "$_envref_name" "$_envref_need" >&2
  [ "$_envref_need" = optional ] || _envref_failed=1
}
_envref_native() {
  local -
  set +aeux
  local +x _envref_failed=0
  _envref_get required GH_TOKEN op read --no-newline 'op://Personal/GitHub Work Token/credential'
  _envref_get optional SENTRY_DSN aws secretsmanager get-secret-value --secret-id 'app/sentry' --query SecretString --output text
  case "$OSTYPE" in
    darwin*) _envref_get required NPM_TOKEN /usr/bin/security find-generic-password -a "${USER:-}" -s 'npm-token' -w ;;
    *) _envref_get required NPM_TOKEN aws secretsmanager get-secret-value --secret-id 'app/npm' --query SecretString --output text ;;
  esac
  [ "$_envref_failed" -eq 0 ] || [ "${ENVREF_STRICT:-0}" != 1 ]
}
_envref_native || exit 1
unset -f _envref_native _envref_get
# <<< envref native v1 <<<
"""  # noqa: E501  # as flox.md has it

    def test_strict_changes_one_test(self, project):
        """`--strict` makes a failure stop the activation, and changes nothing else, the markers included."""
        write(project, "A=ref://doppler/a\n", "doppler")
        usual, strict = block_of(project.path), block_of(project.path, strict=True)
        assert strict == usual.replace('[ "${ENVREF_STRICT:-0}" != 1 ]', "false")
        assert strict != usual

    def test_only_the_functions_that_are_used(self, project):
        """A block defines what it calls and no more, and takes all of it away again."""
        write(project, "A=a\n", "doppler")
        assert body_functions(block_of(project.path)) == ["_envref_native"]
        write(project, "A=ref://pass/a\n", "pass")
        assert body_functions(block_of(project.path)) == ["_envref_get", "_envref_entry", "_envref_native"]
        write(project, "A=x${ref://pass//a}\n", "pass")
        assert "_envref_use" not in body_functions(block_of(project.path))

    def test_secrets_of_the_keychain_share_one_condition(self, project):
        """However many secrets differ by system, neighbours are under one `case`."""
        write(project, "A=ref://secrets/a\nB=ref://secrets/b\nC=c\n", "keychain")
        text = block_of(project.path)
        assert text.count('case "$OSTYPE"') == 1
        assert "lookup service 'envref' username 'app/b'" in text

    def test_nothing_in_it_that_a_manifest_can_not_hold(self, project, stand_in):
        """ASCII, spaces, no three quotes in a row: the block may be indented and put between `'''` in a manifest."""
        env = "".join(f"{name}={dotenv(value)}\n" for name, value in VALUES.items())
        write(project, f"{env}S=ref://doppler/s\nX='''${{ref://doppler/s}}\nY=\"'\"\"'\"${{S}}\n", "doppler")
        project.write(".env", f"{env}S=ref://doppler/s\nX=''' ${{ref://doppler/s}}\nY=a''b'''${{S}}\n")
        text = block_of(project.path)
        assert text.isascii()
        assert "'''" not in text
        assert "\t" not in text
        assert "<<" not in text.replace("<<<", "")
        assert text == block_of(project.path)

    @pytest.mark.parametrize("indent", ["", "    "])
    def test_shellcheck_has_nothing_to_say(self, project, indent):
        """ShellCheck is content with every function and every store's command."""
        write(project, EVERY_STORE, *STORES)
        text = "".join(f"{indent}{line}\n" for line in block_of(project.path).splitlines())
        done = subprocess.run(
            [need("shellcheck"), "-s", "bash", "-"], input=text, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, "")

    def test_every_writable_store_knows_its_names(self):
        """The types with a command are those whose backend says where a secret is."""
        located = {kind for kind in BUILTIN if hasattr(backend_class(kind), "location")}
        assert {kind for kind in BUILTIN if retrieval.is_writable(kind)} == located


STORES = (
    "keychain",
    {"name": "op", "type": "1password", "config": {"vault": "R and D", "account": "my.1password.com"}},
    {"name": "ssm", "type": "aws-ssm", "config": {"region": "eu-west-1", "profile": "work team"}},
    {"name": "sm", "type": "aws-secrets-manager", "config": {"command": "~/bin/aws"}},
    {
        "name": "hv",
        "type": "hashicorp-vault",
        "config": {"addr": "https://v.example", "namespace": "team", "token": "s.never", "mount": "kv/two"},
    },
    {"name": "oci", "type": "oci-vault", "config": {"vault_id": "v", "compartment_id": "c", "key_id": "k", "profile": "p"}},
    {"name": "doppler", "config": {"project": "shop", "config": "dev"}},
    {"name": "pass", "config": {"store": "~/team store", "command": "./tools/pass"}},
)
EVERY_STORE = """\
KEY=ref://keychain/k
FOREIGN=ref://keychain//service/account
OP=ref://op//item#field%20two
SSM=ref://ssm/k
SM=ref://sm/k?optional
HV=ref://hv/k#member
OCI=ref://oci/a/b
DOPPLER=ref://doppler/a/b
ENTRY=ref://pass/k
LINE=ref://pass//k
PLAIN=it's
COMPOSED=a ${LINE} b ${ref://sm/k} c ${ref://keychain/k}
"""


def body_functions(text):
    defined = [line.removesuffix("() {") for line in text.splitlines() if line.endswith("() {")]
    [unset] = [line for line in text.splitlines() if line.startswith("unset -f ")]
    assert sorted(unset.split()[2:]) == sorted(defined)
    return defined


def dotenv(value):
    """A value as a double-quoted one of an env file."""
    for character, escape in {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "$": "$$"}.items():
        value = value.replace(character, escape)
    return f'"{value}"'


class TestCommands:
    @pytest.fixture
    def lines(self, project):
        def of(env, *backends, profile=None, **fields):
            write(project, env, *backends, **fields)
            return body(block_of(project.path, profile=profile))

        return of

    def test_options_are_flags_and_a_token_is_not(self, project, lines):
        """Account, region, profile, address and the like are in the call; the token of the config is nowhere."""
        text = "\n".join(lines(EVERY_STORE, *STORES))
        for command in (
            "op read --no-newline --account 'my.1password.com' 'op://R and D/item/field two'",
            "aws ssm get-parameter --name '/envref/app/k' --with-decryption --query Parameter.Value --output text "
            "--region 'eu-west-1' --profile 'work team'",
            "\"$HOME\"/'bin/aws' secretsmanager get-secret-value --secret-id 'envref/app/k' --query SecretString "
            "--output text",
            "vault kv get -address='https://v.example' -namespace='team' -format=table -field=member "
            "'kv/two/envref/app/k'",
            "_envref_oci oci --no-retry --connection-timeout 3 --read-timeout 10 --profile 'p' secrets secret-bundle "
            "get-secret-bundle-by-name --vault-id 'v' --secret-name 'app.-a.-b'",
            "doppler secrets get 'A_B' --plain --project 'shop' --config 'dev' --scope \"${FLOX_ENV_PROJECT:-$PWD}\"",
            "_envref_entry 'envref/app/k' \"$HOME\"/'team store' \"${FLOX_ENV_PROJECT:-$PWD}\"/'./tools/pass'",
            "_envref_pass 'k' \"$HOME\"/'team store'",
            "secret-tool lookup service 'service' account 'account'",
            "/usr/bin/security find-generic-password -a 'app/k' -s 'envref' -w",
        ):
            assert command in text
        assert "s.never" not in block_of(project.path)

    def test_the_effective_profile_is_the_scope(self, lines):
        """With a profile every store is asked for the profile's secret, and for nothing else."""
        env = "A=ref://ssm/k\nB=ref://pass/k\nC=ref://doppler/k\nD=ref://hv/k\n"
        stores = ({"name": "ssm", "type": "aws-ssm"}, "pass", "doppler", {"name": "hv", "type": "hashicorp-vault"})
        staging = lines(env, *stores, profile="staging", profiles={"staging": None})
        assert "'/envref/app/staging/k'" in staging[0]
        assert "'envref/app/staging/k'" in staging[1]
        assert "'K' --plain --config 'staging'" in staging[2]
        assert "'secret/envref/app/staging/k'" in staging[3]

    def test_the_chain_is_its_first_store(self, lines):
        """A reference to the chain asks the first store; a keychain before another one is that of a Mac."""
        assert lines("A=ref://secrets/k\n", "doppler", "pass")[0].startswith("_envref_get required A doppler ")
        case = lines("A=ref://secrets/k\n", "keychain", "doppler", "pass")
        assert case[1].startswith("darwin*) _envref_get required A /usr/bin/security ")
        assert case[2].startswith("*) _envref_get required A doppler ")

    def test_a_named_keychain_is_two_programs(self, lines):
        """A keychain that is asked by its name is the Mac's or the desktop's, whatever follows it in the chain."""
        case = lines("A=ref://keychain/k\n", "keychain", "doppler")
        assert case[2] == "*) _envref_get required A secret-tool lookup service 'envref' username 'app/k' ;;"

    def test_names_of_the_config(self, lines):
        """`names:` decides at the effective scope; a prefix of one's own is the namespace."""
        pass_store = {"name": "pass", "names": {"k": "mine", "staging/k": "theirs"}, "config": {"prefix": "team"}}
        env = "A=ref://pass/k\nB=ref://pass/other\n"
        assert lines(env, pass_store)[0].endswith("_envref_pass 'mine'")
        assert lines(env, pass_store, profile="staging", profiles={"staging": None}) == [
            "_envref_get required A _envref_pass 'theirs'",
            "_envref_get required B _envref_entry 'team/staging/other'",
        ]

    def test_a_name_can_not_be_more_than_a_word(self, lines):
        """Quotes, blanks, line ends, `$` and other alphabets in a name stay in it."""
        hostile = {"name": "pass", "names": {"k": "a'b\n$(id) `id` \\ ü", "l": "-rf"}}
        found = lines("A=ref://pass/k\nB=ref://pass/l\n", hostile)
        assert found[0].endswith("_envref_pass $'a\\'b\\n$(id) `id` \\\\ \\xc3\\xbc'")
        assert found[1].endswith("_envref_pass '-rf'")


class TestValues:
    def test_every_variable_has_its_exact_value(self, project, run, stand_in):
        """Secrets, plain values, and both of them together, come out as they are in store and file."""
        secrets = {f"S_{name}": value for name, value in VALUES.items()}
        plain = {f"P_{name}": value for name, value in VALUES.items()}
        composed = {f"C_{name}": f"<{value}>{value}" for name, value in VALUES.items() if name != "LONG"}
        stand_in.put(**secrets)
        env = [f"{name}=ref://doppler/{name.lower()}" for name in secrets]
        env += [f"{name}={dotenv(value)}" for name, value in plain.items()]
        env += [
            f'{name}="<${{S_{name[2:]}}}>{dotenv(VALUES[name[2:]])[1:-1]}"' for name in composed
        ]
        write(project, "\n".join(env) + "\n", "doppler")
        result = run()
        assert (result.status, result.stderr, result.stdout) == (0, "", "")
        assert result.exported == {**secrets, **plain, **composed}

    def test_an_empty_plain_value_is_exported(self, project, run):
        """What a file sets to nothing is set to nothing, as the hook form does."""
        write(project, "A=\nB=${A}\nC=${A:-c}\nD=$UNDEFINED\n", "doppler")
        assert run().exported == {"A": "", "B": "", "C": "c", "D": ""}

    @pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
    def test_bytes_are_the_same_in_every_locale(self, project, run, stand_in, locale):
        """Values of other alphabets don't depend on what bash takes its characters for."""
        stand_in.put(S="grün")
        write(project, "S=ref://doppler/s\nP='ü∑'\nC='ü'\nD=ü${S}ü\n", "doppler")
        exported = run(environment={"LC_ALL": locale}).exported
        assert exported == {"S": "grün", "P": "ü∑", "C": "ü", "D": "ügrünü"}

    def test_trailing_newlines_are_cut(self, project, run, stand_in):
        """A limit of the form, which its documentation states: what ends in newlines needs the hook form."""
        stand_in.put(S="value\n\n")
        write(project, "S=ref://doppler/s\n", "doppler")
        assert run().exported == {"S": "value"}

    def test_interpolation_of_names(self, project, run, stand_in):
        """A variable that interpolates a secret's gets its value; an alternative counts where a plain name is empty."""
        stand_in.put(PW="p w")
        write(
            project,
            "HOST=db\nPW=ref://doppler/pw\nURL=postgres://u:${PW}@${HOST:-x}:${PORT:-5432}/$PW\nAGAIN=${URL}!\n"
            "ALT=${PW:-none}${NONE-none}\n",
            "doppler",
        )
        assert run().exported == {
            "HOST": "db",
            "PW": "p w",
            "URL": "postgres://u:p w@db:5432/p w",
            "AGAIN": "postgres://u:p w@db:5432/p w!",
            "ALT": "p wnone",
        }
        assert stand_in.asked() == ["PW"]


class TestFailures:
    ENV = "GOOD=ref://doppler/good\nBAD=ref://doppler/bad\nPLAIN=plain\n"

    def test_what_is_not_there_is_left_as_it_was(self, project, run, stand_in):
        """A missing secret is named on stderr; its variable keeps its value, and the others are set."""
        stand_in.put(GOOD="g")
        write(project, self.ENV, "doppler")
        result = run(environment={"BAD": "before"})
        assert result.exported == {"GOOD": "g", "PLAIN": "plain"}
        assert result.stderr.splitlines() == [
            "Doppler Error: Could not find requested secret: BAD",
            "envref: BAD: not loaded (required)",
        ]

    @pytest.mark.parametrize("switch", ["killed", "locked"])
    def test_a_store_that_fails_exports_nothing(self, project, run, stand_in, switch):
        """A locked store, or a program that is killed, sets no variable, not even to an empty text."""
        stand_in.put(GOOD="g", BAD="b")
        stand_in.switch(switch)
        write(project, self.ENV, "doppler")
        result = run()
        assert (result.status, result.exported) == (0, {"PLAIN": "plain"})
        assert "envref: GOOD: not loaded (required)" in result.stderr

    def test_a_program_that_is_missing_is_named(self, project, run):
        """Where the store's program is not installed, that is said, and the variable is left as it was."""
        write(project, "A=ref://hv//a\nB=x${ref://hv//b}\n", {"name": "hv", "type": "hashicorp-vault"})
        result = run(environment={"PATH": "/usr/bin:/bin"})
        assert result.exported == {}
        assert result.stderr.splitlines() == [
            "envref: A: vault is not installed",
            "envref: A: not loaded (required)",
            "envref: B: vault is not installed",
            "envref: B: not loaded (required)",
        ]

    def test_an_empty_secret_is_not_loaded(self, project, run, stand_in):
        """A variable is never set to nothing because of a store."""
        stand_in.put(GOOD="", BAD="b")
        write(project, self.ENV, "doppler")
        assert run().exported == {"BAD": "b", "PLAIN": "plain"}

    @pytest.mark.parametrize("how", ["option", "environment"])
    def test_strict_stops_the_activation(self, project, run, stand_in, how):
        """With `--strict`, or ENVREF_STRICT=1, a required secret that is missing ends the hook with status 1."""
        stand_in.put(GOOD="g")
        write(project, self.ENV, "doppler")
        environment = {"ENVREF_STRICT": "1"} if how == "environment" else {}
        result = run(strict=how == "option", environment=environment)
        assert (result.status, result.exported) == (1, None)

    def test_strict_lets_an_optional_secret_be_missing(self, project, run, stand_in):
        """An optional secret that is not there is named and stops nothing."""
        write(project, "A=ref://doppler/a?optional\n", "doppler")
        result = run(strict=True)
        assert (result.status, result.exported) == (0, {})
        assert "envref: A: not loaded (optional)" in result.stderr

    def test_a_composed_value_is_whole_or_left_out(self, project, run, stand_in):
        """If a part fails, the variable and those that interpolate it keep their values; stale parts are never used."""
        stand_in.put(A="a")
        write(
            project,
            "A=ref://doppler/a\nB=ref://doppler/b\nAB=${A}-${B}\nEMBEDDED=x${ref://doppler/b}y${ref://doppler/a}\n"
            "LATER=${AB}!\nFINE=${A}!\n",
            "doppler",
        )
        result = run(environment={"B": "stale", "AB": "stale"})
        assert result.exported == {"A": "a", "FINE": "a!"}
        said = [line for line in result.stderr.splitlines() if line.startswith("envref")]
        assert said == [
            "envref: B: not loaded (required)",
            "envref: AB: not loaded (needs B)",
            "envref: EMBEDDED: not loaded (required)",
            "envref: LATER: not loaded (needs AB)",
        ]
        assert run(strict=True).status == 1

    def test_ci_gives_the_secrets_itself(self, project, run, stand_in):
        """Where CI is set and the variable too, no store is asked; others build on the given value."""
        stand_in.put(B="b")
        write(project, "A=ref://doppler/a\nB=ref://doppler/b\nAB=${A}${B}\nC=x${ref://doppler/c}\n", "doppler")
        result = run(environment={"CI": "true", "A": "given", "C": "given"})
        assert (result.exported, result.stderr) == ({"B": "b", "AB": "givenb"}, "")
        assert stand_in.asked() == ["B"]


class TestNeighbours:
    ENV = "A=ref://doppler/a\nB=x${A}y${ref://doppler/b}\nP=\"p l'a\"\n"
    EXPORTED = {"A": "marker-1 a", "B": "xmarker-1 aymarker-2 * b", "P": "p l'a"}

    @pytest.fixture
    def block(self, project, stand_in):
        stand_in.put(A="marker-1 a", B="marker-2 * b")
        write(project, self.ENV, "doppler")
        return block_of(project.path)

    @pytest.mark.parametrize("setup", OPTIONS)
    def test_any_option_may_be_set(self, run, block, setup):
        """Under each foreign option the values are exact, the options are as before, and nothing is left behind."""
        result = run(block, setup=setup)
        exported = {name: value for name, value in result.exported.items() if not name.startswith("_envref")}
        assert result.status == 0
        assert exported == self.EXPORTED
        assert not result.options_changed
        if "_envref" not in setup:
            assert result.left == []

    def test_nothing_is_left_of_a_failure(self, run, block, stand_in):
        """Functions and variables of the block's own are gone after a failure too."""
        stand_in.switch("locked")
        assert run(block).left == []

    def test_tracing_shows_no_value(self, run, block):
        """`flox activate -v` runs the hook under `set -x`: no value is on stderr, and tracing goes on afterwards."""
        result = run(block, setup="set -x")
        assert "marker" not in result.stderr
        assert "p l" not in result.stderr
        assert "_options_after" in result.stderr

    def test_nothing_is_on_stdout(self, run, block, stand_in):
        """Whatever happens, stdout stays empty, redirected or not."""
        assert run(block, redirection="").stdout == ""
        stand_in.switch("locked")
        assert run(block, redirection="").stdout == ""

    def test_stdin_belongs_to_the_caller(self, run, block, stand_in):
        """A store's program that reads its stdin gets nothing; the caller's data is still there afterwards."""
        with tempfile.TemporaryFile() as data:
            data.write(b"the caller's data")
            data.seek(0)
            run(block, stdin=data)
            assert data.tell() == 0
        assert stand_in.read("stdin") == ""

    def test_twice_is_once(self, run, block, project):
        """The text twice in one hook gives the same environment."""
        result = run(block + "echo between\n" + block)
        assert result.exported == self.EXPORTED
        assert result.stderr == "between\n"

    def test_the_text_may_be_indented(self, run, block):
        """A manifest's indentation changes nothing."""
        assert run("".join(f"    {line}\n" for line in block.splitlines())).exported == self.EXPORTED

    def test_the_working_directory_does_not_matter(self, run, block, tmp_path, project, stand_in):
        """The store's program is told the project's directory, wherever the activation is called."""
        elsewhere = tmp_path / "else where"
        elsewhere.mkdir()
        assert run(block, cwd=elsewhere).exported == self.EXPORTED
        assert f"--scope\0{project.path}\0" in stand_in.read("argv")

    def test_no_program_sees_more_than_the_variables(self, run, block, stand_in):
        """Not even with `set -a`, or with exported variables of the same names, is a value of ours in an environment."""
        homonyms = dict.fromkeys(("_envref_text", "_envref_val", "_envref_name", "_envref_loaded"), "exported")
        result = run(block, setup="set -a", environment=homonyms)
        assert result.exported.items() >= self.EXPORTED.items()
        assert "_envref" not in stand_in.read("environment")
        assert "A" in stand_in.read("environment").split()

    def test_no_value_is_an_argument(self, run, block, stand_in):
        """A store's program is asked by name only."""
        run(block)
        assert "marker" not in stand_in.read("argv")


class TestRefused:
    HOOK = "; use the hook form (without --native)"

    def test_everything_at_once_with_its_place(self, project):
        """Each variable that can't be expressed is named with file, line, reason and cure; none is left out."""
        write(project, "A=ref://vault/a\nOK=ok\nB=ref://doppler/b?default=x\n", "vault", "doppler")
        with pytest.raises(MalformedFile) as caught:
            block_of(project.path)
        assert caught.value.status == 1
        assert [str(problem) for problem in caught.value.problems] == [
            f'.env:1:3: A: backend "vault" of type vault is read by envref only{self.HOOK}',
            ".env:3:3: B: ref://doppler/b?default=x has a default: a store's program does not tell a secret that is "
            f"not there from a locked store{self.HOOK}",
        ]

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ("ref://plugin/k", 'backend "plugin" of type plugin is read by envref only'),
            ("ref://doppler/k?encoding=base64", "is to be decoded, which no store's program does"),
            ("ref://doppler/k#f", "no program of doppler prints the field f alone"),
            ("ref://keychain//service#f", "no program of keychain prints the field f alone"),
            ("ref://pass//k#user", "no program of pass prints the field user alone"),
            ("ref://hv/k#/a/0", "no program of hashicorp-vault reads the JSON pointer /a/0"),
            ("ref://op/k", """the title "app/k": it has a "/"; give the item's id in names:"""),
            ("ref://op//a%2Fb#f", 'the item "a/b"'),
            ("ref://op//item", "op must be told which field is meant; name it: #password"),
            ("ref://op//item#f%2Fg", 'the field "f/g"'),
            ("ref://keychain//envref/app/k", 'service "envref" is envref\'s own'),
            ("ref://nowhere/k", 'backend "nowhere" is not configured'),
            ("ref://doppler/", "invalid ref:// URI"),
            ("ref://doppler/0", 'key "0" can have no name there'),
            ("ref://ssm//a%20b", 'no name for key "a b"'),
            ("ref://hv//..%2Fk", "is not a path inside a mount"),
            ("ref://pass//..%2Fk", "leads out of the password store"),
            ("x${ref://doppler/k?optional}", "is optional inside a longer value"),
            ("x${OPTIONAL}", "interpolates OPTIONAL, which is optional"),
            ("${OPTIONAL:-x}", "interpolates OPTIONAL, which is optional"),
            ("x${ref://vault/k}", 'backend "vault" of type vault is read by envref only'),
        ],
    )
    def test_what_has_no_command(self, project, value, reason):
        """Each kind of reference that a store's program can't be asked for is refused with its reason."""
        backends = ("doppler", "keychain", "pass", "vault", "plugin")
        typed = ({"name": "hv", "type": "hashicorp-vault"}, {"name": "op", "type": "1password"}, {"name": "ssm", "type": "aws-ssm"})
        write(project, f"OPTIONAL=ref://doppler/o?optional\nBAD={value}\n", *backends, *typed)
        found = faults(project)
        assert list(found) == ["BAD"]
        assert reason in found["BAD"]
        assert ";" in found["BAD"] or "names no" in found["BAD"] or "invalid ref" in found["BAD"] or "configured" in found["BAD"] or ":" in found["BAD"]

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("LD_PRELOAD", "it would run code"),
            ("BASH_ENV", "it would run code"),
            ("PATH", "it would run code"),
            ("VAULT_ADDR", "it would run code or redirect credentials"),
            ("FLOX_ENV", "it is Flox's own"),
            ("_FLOX_X", "it is Flox's own"),
            ("_envref_val", "it is the block's own"),
            ("path", "it is special to a shell"),
            ("status", "it is special to a shell"),
            ("fish_pid", "it is fish's own"),
            ("UID", "it is special to a shell"),
            ("my-var", "no shell has variables of this name"),
            ("a.b", "no shell has variables of this name"),
            ("RANDOM", "shells would evaluate its value as arithmetic"),
        ],
    )
    @pytest.mark.parametrize("value", ["x", "ref://doppler/k"])
    def test_names_that_no_block_sets(self, project, name, reason, value):
        """A name that runs code, is special to a shell or belongs to Flox is refused, secret or not."""
        write(project, f"{name}={value}\n", "doppler")
        [(found, text)] = faults(project).items()
        assert found == name
        assert reason in text or "shells would evaluate it as arithmetic" in text

    def test_everyday_names_are_allowed(self):
        """What projects set every day is set."""
        for name in ("API_KEY", "PORT", "NODE_OPTIONS", "EDITOR", "AWS_REGION", "_private", "Path"):
            assert names.fault(name) == ""
        assert names.fault("VAULT_ADDR", "http://127.0.0.1:8200") == ""
        assert names.fault("COLUMNS", "80") == ""

    def test_the_process_environment_is_not_written_down(self, project, monkeypatch):
        """With interpolate_environment a value of whoever runs flox-hook would get into the manifest: refused."""
        monkeypatch.setenv("SECRET_OF_MINE", "marker-of-mine")
        env = "A=${SECRET_OF_MINE}\nB=ref://doppler/${SECRET_OF_MINE}\nC=${NONE:-alternative}\nD=${E:?gone}\nOK=${F:-x}\n"
        write(project, "F=f\n" + env, "doppler", interpolate_environment=True)
        found = faults(project)
        assert list(found) == ["A", "B", "C", "D"]
        assert "takes ${SECRET_OF_MINE} from the environment (interpolate_environment)" in found["A"]
        assert "marker-of-mine" not in str(found)

    def test_a_name_for_the_project_only(self, project):
        """A key that `names:` has without the profile is no answer for the profile: said, with the line to add."""
        write(
            project,
            "A=ref://secrets/k\n",
            {"name": "doppler", "names": {"k": "MINE"}},
            profiles={"staging": None},
        )
        assert faults(project, profile="staging") == {
            "A": 'names: of backend "doppler" has k for the project only, and a block asks for one scope; '
            "add staging/k to names:"
        }

    def test_no_store_at_all(self, project):
        """A reference without a backend is an error that says so."""
        write(project, "A=ref://secrets/k\n")
        assert faults(project) == {"A": "no backends configured in .envref.yaml"}

    def test_a_bad_option_of_a_backend(self, project):
        """What a backend says of its options is said for the variable that needs it."""
        write(project, "A=ref://pass/k\n", {"name": "pass", "config": {"namespace": "nope"}})
        assert 'namespace must be one of auto, project, none, not "nope"' in faults(project)["A"]


class TestPass:
    @pytest.fixture
    def passwords(self, home, monkeypatch):
        with GnuPg() as gpg:
            for name, value in gpg.environment.items():
                monkeypatch.setenv(name, value)
            yield Passwords(home / ".password-store")

    def test_the_real_pass(self, project, run, passwords):
        """An entry of envref's own is read whole, another one's first line; a directory and no entry are not loaded."""
        passwords.put("envref/app/whole", b"one\ntwo 'x'\n")
        passwords.put("dev/token", b"first\nuser: me\n")
        write(
            project,
            "WHOLE=ref://pass/whole\nLINE=ref://pass//dev/token\nDIR=ref://pass//dev\nNONE=ref://pass/none\n"
            "URL=https://${LINE}@h\n",
            "pass",
        )
        result = run(setup="set -euxo pipefail")
        assert result.exported == {"WHOLE": "one\ntwo 'x'", "LINE": "first", "URL": "https://first@h"}
        assert "envref: dev is not in the password store\nenvref: DIR: not loaded (required)" in result.stderr

    def test_a_store_and_a_program_of_ones_own(self, project, run, passwords, home, tmp_path):
        """The options `store` and `command` are followed, from the home directory or the project's."""
        store = Passwords(home / "team store")
        store.put("team/k", b"value\n")
        shim = recorded(project.path / "tools", need("pass"), "pass")
        write(project, "A=ref://pass/k\n", {"name": "pass", "config": {"store": "~/team store", "command": "./tools/pass", "prefix": "team"}})
        assert run(cwd=tmp_path).exported == {"A": "value"}
        assert shim.argvs() == [["show", "--", "team/k"]]


class TestAws:
    def test_the_real_aws(self, project, run, tmp_path, monkeypatch):
        """Parameters and secrets are read; what is absent or binary is not loaded, nor the word None."""
        with aws.AwsService() as service:
            shim = aws.use(service, tmp_path / "shim", monkeypatch)
            service.call("AmazonSSM.PutParameter", Name="/envref/app/k", Type="SecureString", Value="a\tb\n'c' $x")
            service.call("secretsmanager.CreateSecret", Name="mine", SecretString='{"a": 1}', ClientRequestToken="x" * 32)
            service.call("secretsmanager.CreateSecret", Name="bytes", SecretBinary="AAEC", ClientRequestToken="y" * 32)
            write(
                project,
                "SSM=ref://ssm/k\nSM=ref://sm//mine\nBYTES=ref://sm//bytes\nNONE=ref://ssm/none\n",
                {"name": "ssm", "type": "aws-ssm", "config": {"region": "us-east-1"}},
                {"name": "sm", "type": "aws-secrets-manager", "config": {"command": shim.path + "/aws"}},
            )
            result = run()
        assert result.exported == {"SSM": "a\tb\n'c' $x", "SM": '{"a": 1}'}
        said = [line for line in result.stderr.splitlines() if line.startswith("envref")]
        assert said == ["envref: BYTES: not loaded (required)", "envref: NONE: not loaded (required)"]


class TestVault:
    def test_the_real_openbao(self, project, run, tmp_path, monkeypatch):
        """Entries of envref's own and members of others are read, whatever VAULT_FORMAT says."""
        with openbao.OpenBao(tmp_path / "server") as server:
            openbao.sign_in(monkeypatch, server, openbao.link(tmp_path / "bin", "vault"))
            monkeypatch.delenv("VAULT_ADDR")
            server.put("envref/app/k", {"value": "one\n\"two\" 'x'"})
            server.put("app db/x", {"url": "postgres://", "a b": "spaced", "empty": ""})
            write(
                project,
                "OWN=ref://hv/k\nURL=ref://hv//app%20db/x#url\nSPACED=ref://hv//app%20db/x#a%20b\n"
                "EMPTY=ref://hv//app%20db/x#empty\nNONE=ref://hv/none\n",
                {"name": "hv", "type": "hashicorp-vault", "config": {"addr": server.url}},
            )
            result = run(environment={"VAULT_FORMAT": "json"})
        assert result.exported == {"OWN": "one\n\"two\" 'x'", "URL": "postgres://", "SPACED": "spaced"}
        assert "No value found at secret/data/envref/app/none" in result.stderr


class TestDoppler:
    def test_the_real_doppler(self, project, run, tmp_path, monkeypatch):
        """Its secrets are read in the config of the profile; what is absent is not loaded."""
        with DopplerService() as service:
            for name, value in doppler.environment(service).items():
                monkeypatch.setenv(name, value)
            monkeypatch.delenv("DOPPLER_CONFIG")
            monkeypatch.setenv("PATH", recorded(tmp_path / "shim", doppler.program(), "doppler").path, prepend=":")
            service.configs["staging"] = {"A_B": "one\n'two'"}
            write(project, "A=ref://doppler/a/b\nNONE=ref://doppler/none\n", "doppler", profiles={"staging": None})
            result = run(profile="staging")
        assert result.exported == {"A": "one\n'two'"}
        assert "envref: NONE: not loaded (required)" in result.stderr


class TestOci:
    def test_the_real_oci(self, project, run, tmp_path, monkeypatch):
        """A bundle's content is decoded; what is absent is not loaded, nor is anything of it exported."""
        with oci.Account(tmp_path) as account, oci.LoadedOci(tmp_path) as loaded:
            for name, value in account.environment.items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("PATH", loaded.path, prepend=":")
            chosen = oci.options()
            stored = backend_class("oci-vault")("oci", **chosen)
            from envref.secret import Secret

            stored.set(Address("app", "a/b"), Secret("grün\n'x'"), 1e12)
            write(project, "A=ref://oci/a/b\nNONE=ref://oci/none\n", {"name": "oci", "type": "oci-vault", "config": chosen})
            result = run()
        assert result.exported == {"A": "grün\n'x'"}
        assert "envref: NONE: not loaded (required)" in result.stderr


class TestOnePassword:
    def test_the_double_of_op(self, project, run, tmp_path, monkeypatch):
        """Items are read by title or id and field; signed out, nothing is."""
        directory = tmp_path / "account"
        directory.mkdir()
        monkeypatch.setenv("OP_DOUBLE", str(directory))
        monkeypatch.setenv("PATH", str(OP.parent), prepend=":")
        account = Account(directory)
        account.add("GitHub Work Token", field("credential", "it's\n\"it\""))
        identity = account.note("app/k", "note")
        write(
            project,
            f"GH=ref://op/gh\nNOTE=ref://op//{identity}#notesPlain\nNONE=ref://op//none#password\n",
            {"name": "op", "type": "1password", "names": {"gh": "GitHub Work Token#credential"}},
        )
        result = run()
        assert result.exported == {"GH": "it's\n\"it\"", "NOTE": "note"}
        assert "envref: NONE: not loaded (required)" in result.stderr
        account.change(signed_in=False)
        assert run().exported == {}


# A stand-in for macOS's `security`: it has one entry, and refuses what is not asked as the real one is (stores.md 14).
SECURITY = """\
#!/bin/sh
[ "$#" -eq 6 ] && [ "$1 $2 $4 $6" = 'find-generic-password -a -s -w' ] || { echo "usage" >&2; exit 2; }
case "$5/$3" in
  envref/app/k) echo 'own secret' ;;
  npm-token/me) echo 'foreign secret' ;;
  *)
    echo 'security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain.' >&2
    exit 44
    ;;
esac
"""


class TestKeychain:
    ENV = "OWN=ref://keychain/k\nNPM=ref://keychain//npm-token\nNONE=ref://keychain/none\nURL=x${OWN}\n"

    def test_the_real_keyring_of_linux(self, project, run, secret_service):
        """secret-tool reads envref's own entries and foreign ones; a locked keyring sets nothing."""
        need("secret-tool")
        for words, value in (
            (["service", "envref", "username", "app/k"], "own\n'secret'"),
            (["service", "npm-token", "account", "me"], "foreign secret"),
        ):
            subprocess.run(["secret-tool", "store", "--label=x", *words], input=value, text=True, check=True)
        write(project, self.ENV, "keychain")
        environment = {"USER": "me", "OSTYPE": "linux-gnu"}
        result = run(environment=environment)
        expected = {"OWN": "own\n'secret'", "NPM": "foreign secret", "URL": "xown\n'secret'"}
        assert result.exported == expected
        secret_service.lock()
        assert run(environment=environment).exported == {}

    def test_a_service_that_looks_like_an_option(self, project, run, secret_service):
        """A name of the user's own is never an option of the program."""
        need("secret-tool")
        words = ["service", "--help", "account", "me"]
        subprocess.run(["secret-tool", "store", "--label=x", "--", *words], input="v", text=True, check=True)
        write(project, "A=ref://keychain//--help/me\n", "keychain")
        assert run().exported == {"A": "v"}

    def test_the_stand_in_for_the_keychain_of_macos(self, project, run, tmp_path):
        """On macOS `security` is asked by its path, with the login name for a service alone."""
        program = tmp_path / "security"
        program.write_text(SECURITY)
        program.chmod(0o755)
        write(project, self.ENV, "keychain")
        text = block_of(project.path).replace("/usr/bin/security", str(program))
        result = run(text, setup="OSTYPE=darwin23", environment={"USER": "me"})
        assert result.exported == {"OWN": "own secret", "NPM": "foreign secret", "URL": "xown secret"}
        assert "envref: NONE: not loaded (required)" in result.stderr
