"""The stores' programs in `[install]`: which ones, where in the file, and when not."""

from __future__ import annotations

import json
import tomllib

import pytest

from envref.env.environment import Environment
from envref.errors import EnvrefError
from envref.flox.install import kinds_of, with_programs
from envref.project.project import load

# What `flox init` leaves behind has comments of this shape; made up here.
FRESH = """\
version = 1

## Packages ------------------------------
##  flox install NAME puts one here
## ---------------------------------------
[install]
# a.pkg-path = "a"
# a.version = "^1"


## Variables -----------------------------
## ---------------------------------------
[vars]
# X = "x"
"""


def added(text, *kinds):
    """The new text, its data, and the ids that were added."""
    new = with_programs(text, kinds)
    data = tomllib.loads(new)
    before = tomllib.loads(text).get("install", {})
    return new, data, [identity for identity in data.get("install", {}) if identity not in before]


def lines_added(old, new):
    """The lines of `new` that `old` lacks; all others are the same and in the same order."""
    rest = iter(new.splitlines(keepends=True))
    extra = []
    for line in old.splitlines(keepends=True):
        for candidate in rest:
            if candidate == line:
                break
            extra.append(candidate)
        else:
            pytest.fail(f"{line!r} is gone")
    return "".join([*extra, *rest])


class TestKinds:
    def test_the_types_that_references_ask(self, project):
        """A reference to the chain asks all of it; a named one its store. No reference, no store."""
        backends = ["keychain", {"name": "op", "type": "1password"}, {"name": "ssm", "type": "aws-ssm"}, "pass"]
        entries = [{"name": each} if isinstance(each, str) else each for each in backends]
        project.write(".envref.yaml", json.dumps({"project": "app", "backends": entries}))
        for env, kinds in {
            "A=a\n": [],
            "A=ref://ssm/k\nB=x${ref://op//i#f}\nC=${A:-${ref://ssm/l}}\n": ["1password", "aws-ssm"],
            "A=ref://secrets/k\n": ["keychain", "1password", "aws-ssm", "pass"],
            "A=ref://nowhere/k\nB=ref://\n": [],
        }.items():
            project.write(".env", env)
            loaded = load(str(project.path))
            assert kinds_of(loaded, Environment(loaded.files)) == kinds


class TestEntries:
    @pytest.mark.parametrize(
        ("kind", "entries"),
        [
            ("keychain", 'libsecret.pkg-path = "libsecret"\nlibsecret.systems = ["x86_64-linux", "aarch64-linux"]\n'),
            ("1password", '_1password-cli.pkg-path = "_1password-cli"\n_1password-cli.pkg-group = "1password"\n'),
            ("aws-ssm", 'awscli2.pkg-path = "awscli2"\n'),
            ("aws-secrets-manager", 'awscli2.pkg-path = "awscli2"\n'),
            ("hashicorp-vault", 'vault-bin.pkg-path = "vault-bin"\nvault-bin.pkg-group = "vault"\n'),
            ("oci-vault", 'oci-cli.pkg-path = "oci-cli"\n'),
            ("doppler", 'doppler.pkg-path = "doppler"\n'),
            ("pass", 'pass.pkg-path = "pass"\ngnupg.pkg-path = "gnupg"\npinentry-tty.pkg-path = "pinentry-tty"\n'),
            ("vault", ""),
            ("plugin", ""),
        ],
    )
    def test_the_table_of_flox_md(self, kind, entries):
        """Each type adds the entries of flox.md 7 as dotted keys, an unfree one in a group of its own."""
        text = 'version = 1\n\n[install]\na.pkg-path = "a"\n\n[hook]\non-activate = "x"\n'
        new, _, identities = added(text, kind)
        assert new == text.replace('"a"\n', f'"a"\n{entries}')
        assert identities == list(dict.fromkeys(line.partition(".")[0] for line in entries.splitlines()))

    def test_several_types_share_a_program(self):
        """A program is added once, and a second time changes nothing."""
        new, _, identities = added(FRESH, "aws-ssm", "aws-secrets-manager", "pass", "aws-ssm")
        assert identities == ["awscli2", "pass", "gnupg", "pinentry-tty"]
        assert added(new, "aws-ssm", "pass")[::2] == (new, [])

    @pytest.mark.parametrize(
        ("kind", "entry"),
        [
            ("1password", 'op.pkg-path = "_1password"'),
            ("1password", 'op.pkg-path = "_1password-cli"'),
            ("aws-ssm", 'aws = { pkg-path = "awscli2", version = "2" }'),
            ("hashicorp-vault", 'v.pkg-path = "vault"'),
            ("keychain", 'anything.pkg-path = "libsecret"'),
        ],
    )
    def test_a_program_that_is_there_under_any_id(self, kind, entry):
        """A package counts by its path, whatever its id; so do 1Password's older name, and a Vault from source."""
        text = f"version = 1\n[install]\n{entry}\n"
        assert added(text, kind)[::2] == (text, [])

    def test_an_id_that_is_taken(self):
        """Another package under the name leaves it alone: the program gets an id that says whose it is."""
        text = '[install]\nvault-bin.pkg-path = "something-else"\n'
        new, data, identities = added(text, "hashicorp-vault")
        assert identities == ["envref-vault-bin"]
        assert data["install"]["envref-vault-bin"] == {"pkg-path": "vault-bin", "pkg-group": "vault"}
        assert new.startswith(text)

    def test_both_ids_taken(self):
        """Where no id is left the entry is refused, with what to do."""
        text = '[install]\nvault-bin.flake = "github:x/y"\nenvref-vault-bin.pkg-path = "z"\n'
        with pytest.raises(EnvrefError) as caught:
            added(text, "hashicorp-vault")
        assert caught.value.message == (
            ".flox/env/manifest.toml: install.vault-bin and install.envref-vault-bin are both taken by other packages"
        )
        assert caught.value.hint == 'add pkg-path = "vault-bin" under an id of your own'

    @pytest.mark.parametrize(
        ("systems", "written"),
        [
            (["x86_64-linux", "aarch64-darwin"], ["x86_64-linux"]),
            (["aarch64-linux", "x86_64-linux"], ["x86_64-linux", "aarch64-linux"]),
            (["aarch64-darwin", "x86_64-darwin"], None),
        ],
    )
    def test_systems_are_among_those_of_the_environment(self, systems, written):
        """libsecret is for those Linux systems that the environment has; without one it is not added."""
        _, data, identities = added(f"version = 1\n[options]\nsystems = {json.dumps(systems)}\n", "keychain")
        if written is None:
            assert (identities, "install" in data) == ([], False)
        else:
            assert data["install"]["libsecret"] == {"pkg-path": "libsecret", "systems": written}


class TestPlaces:
    ENTRY = 'awscli2.pkg-path = "awscli2"\n'

    def test_a_fresh_manifest(self):
        """Among the examples below [install], and not below the comments about the next table."""
        new, _, _ = added(FRESH, "aws-ssm")
        assert new == FRESH.replace('# a.version = "^1"\n', f'# a.version = "^1"\n{self.ENTRY}')

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "version = 1",
            "version = 1\n",
            "version = 1\n[install]",
            '[install]\na.pkg-path = "a"',
            '[install]\na.pkg-path = "a" # why\n# tail\n\n# about the hook\n[hook]\n',
            '[install]\n  a.pkg-path = "a"\n\n  [hook]\n',
            "[install] # all of them\n\n\n[hook]\n",
            '[install]\na.pkg-path = "a"\na.systems = [\n  "x86_64-linux",\n]\n[hook]\n',
            '[install.a]\npkg-path = "a"\n[hook]\n',
            '[install]\na.pkg-path = "a"\n[hook]\n[install.b]\npkg-path = "b"\n',
            'install.a.pkg-path = "a"\nversion = 1\n[hook]\n',
            "[hook]\non-activate = '''\n[install]\nb.pkg-path = \"b\"\n'''\n[install]\na.pkg-path = \"a\"\n",
            "[hook]\non-activate = '''\n[install]\nb.pkg-path = \"b\"\n'''\n",
            '["install"]\n',
            "[ install ]\n",
            "[install]\n[[unknown]]\nx = 1\n",
        ],
    )
    def test_every_way_to_write_the_table(self, text):
        """The entry is added to the data and nothing else changes; every line is still there, in its order."""
        new, data, identities = added(text, "aws-ssm")
        before = tomllib.loads(text)
        before.setdefault("install", {})["awscli2"] = {"pkg-path": "awscli2"}
        assert (data, identities) == (before, ["awscli2"])
        ended = text if text.endswith("\n") or not text else f"{text}\n"
        extra = lines_added(ended, new).removeprefix("\n").removeprefix("[install]\n").lstrip(" ")
        assert extra in (self.ENTRY, f"install.{self.ENTRY}")
        assert added(new, "aws-ssm")[0] == new

    @pytest.mark.parametrize(
        ("text", "new"),
        [
            ('install = {a.pkg-path = "a"}\n', 'install = {a.pkg-path = "a", awscli2.pkg-path = "awscli2"}\n'),
            (
                'install = { a = { pkg-path = "a" } } # why\n',
                'install = { a = { pkg-path = "a" }, awscli2.pkg-path = "awscli2" } # why\n',
            ),
            ("install = {}\n", 'install = { awscli2.pkg-path = "awscli2" }\n'),
            ("install = {  }\n", 'install = { awscli2.pkg-path = "awscli2" }\n'),
            ("a = {}\ninstall={}\n[b]\n", 'a = {}\ninstall={ awscli2.pkg-path = "awscli2" }\n[b]\n'),
        ],
    )
    def test_an_inline_table(self, text, new):
        """A table on one line stays on one line."""
        assert added(text, "aws-ssm")[0] == new

    @pytest.mark.parametrize(
        ("text", "new"),
        [
            ("", "[install]\n{}"),
            ("version = 1", "version = 1\n\n[install]\n{}"),
            ("version = 1\n", "version = 1\n\n[install]\n{}"),
            ("version = 1\n\n", "version = 1\n\n[install]\n{}"),
            ("version = 1\n  ", "version = 1\n  \n[install]\n{}"),
            ("  version = 1\n", "  version = 1\n\n  [install]\n  {}"),
            ("  [install]\n", "  [install]\n  {}"),
            ("[install]\n\ta.pkg-path = 'a'\n\n", "[install]\n\ta.pkg-path = 'a'\n\t{}\n"),
            ("[install]\n  a.pkg-path = 'a'\n# tail\n[hook]\n", "[install]\n  a.pkg-path = 'a'\n  {}# tail\n[hook]\n"),
            ("[install]\n# one\n  # two\n\n# three\n", "[install]\n# one\n  # two\n  {}\n# three\n"),
            ("[install]\n\n# one\n[[x]]\n", "[install]\n{}\n# one\n[[x]]\n"),
            ("  install.a.pkg-path = 'a'\nb = 1\n", "  install.a.pkg-path = 'a'\n  install.{}b = 1\n"),
        ],
    )
    def test_the_place_and_the_indentation(self, text, new):
        """Those of the line before; a new table has a blank line before it."""
        assert added(text, "aws-ssm")[0] == new.format(self.ENTRY)

    def test_line_ends_of_the_file(self):
        """A file with CRLF gets CRLF."""
        new, _, _ = added('[install]\r\na.pkg-path = "a"\r\n\r\n[hook]\r\n', "pass")
        assert new.count("\r\n") == new.count("\n") == 7

    @pytest.mark.parametrize("text", ["install = 'x'\n", "[[install]]\n"])
    def test_where_no_entry_can_stand(self, text):
        """What is not a table is refused by name, with the line to write."""
        with pytest.raises(EnvrefError) as caught:
            with_programs(text, ["aws-ssm"], file="m.toml")
        assert caught.value.message == "m.toml: no place for an entry in [install]"
        assert caught.value.hint == 'add these lines: awscli2.pkg-path = "awscli2"'


class TestUnfree:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("version = 1\n[options]\n# unfree = false\nallow.unfree = false\n", 4),
            ("[options.allow]\nbroken = false\nunfree   =   false # we mean it\n", 3),
            ("[options]\nallow = { broken = false, unfree = false }\n", 2),
            ('version = 1\n[options]\nallow."unfr\\u0065e" = false\n', 1),  # no line says it in these letters
            ("options.allow.unfree = false\n[hook]\non-activate = '''\nunfree = false\n'''\n", 1),
        ],
    )
    def test_the_line_that_forbids_it(self, text, line):
        """Where unfree packages are not allowed, nothing is added, and the line to change is named."""
        with pytest.raises(EnvrefError) as caught:
            with_programs(text, ["pass", "1password", "hashicorp-vault"])
        assert caught.value.message == (
            f".flox/env/manifest.toml:{line}: options.allow.unfree = false, and _1password-cli, vault-bin are unfree"
        )
        assert "change that line to unfree = true" in caught.value.hint

    def test_one_alone_is_named_alone(self):
        """And counted."""
        with pytest.raises(EnvrefError, match=r"m\.toml:1: options\.allow\.unfree = false, and vault-bin is unfree$"):
            with_programs("options.allow.unfree = false\n", ["pass", "hashicorp-vault"], file="m.toml")

    def test_free_ones_are_added_nevertheless(self):
        """Only an unfree package that is missing is refused."""
        text = '[install]\nv.pkg-path = "vault"\n[options]\nallow.unfree = false\n'
        assert added(text, "pass", "hashicorp-vault")[2] == ["pass", "gnupg", "pinentry-tty"]

    @pytest.mark.parametrize("allowed", ["", "[options]\nallow.unfree = true\n", "[options]\nallow.broken = false\n"])
    def test_unfree_is_allowed_unless_it_is_forbidden(self, allowed):
        """Nothing is written about it where it is allowed (flox.md 7)."""
        new, data, _ = added(f"version = 1\n{allowed}", "1password")
        assert data["install"]["_1password-cli"]["pkg-group"] == "1password"
        assert new.count("unfree") == allowed.count("unfree")
