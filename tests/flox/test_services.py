"""Services behind `envref run --only`: what the manifest says then, and what such a service gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from envref.errors import EnvrefError
from envref.flox.services import unwrapped, wrapped
from tests.backends.vaults import PASSPHRASE, unlocked_vault
from tests.cli.conftest import VAULT_ENTRY, config
from tests.requirements import first_python

pytestmark = first_python

# Commands as a manifest may write them.
LITERALS = [
    '"npm start"',
    "'npm start'",
    "'a \"b\" \\n $x'",
    "'''it's'''",
    "'''plain'''",
    "'''\necho 'x'\n  echo \"y\"\n'''",
    "'''\nx'''",
    "'''\n\n\nx ''\n'''",
    '"""\necho \\\n   \'x\' \\"z\\"\n"""',
    '"a \\\\ \\" \'q\' \\t\\u00e9"',
    '"""x\'"""',
    '"envref run -- npm start"',
    '""',
    "''",
    '"grün"',
    "'''\r\na\r\nb'''",
]
# Ways to say it, with other services and values around it that look alike.
FORMS = [
    "version = 1\n\n[services]\nweb.command = {} # why\nauto-start = true\n\n[hook]\non-activate = {}\n",
    "[services.web]\ncommand   = {}\nis-daemon = false\nshutdown.command = {}\n\n[services.web2]\ncommand = {}\n",
    "[services]\nweb = {{ command = {}, vars = {{ A = {} }} }}\n",
    "services.web.command = {}\nversion = 1\n",
    "[services.other]\ncommand = {}\n[vars]\nX = {}\n[services.web]\nvars.A = {}\ncommand = {}\n",
]


def written(form="[services]\nweb.command = {}\n", literal='"npm start"'):
    return form.format(*[literal] * form.count("{}"))


def command_of(text, name="web"):
    return tomllib.loads(text)["services"][name]["command"]


class TestWrap:
    def test_the_command_of_commands_md(self):
        """A wrapped command is `envref run --only A,B -- sh -c 'OLD COMMAND'`."""
        text = wrapped(written(), {"web": ("A", "B")})
        assert text == "[services]\nweb.command = \"envref run --only A,B -- sh -c 'npm start'\"\n"

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("literal", LITERALS)
    def test_there_and_back_changes_no_byte(self, form, literal):
        """Wrapped, wrapped again and unwrapped, a manifest is what it was; nothing but the command ever changes."""
        text = written(form, literal)
        before = tomllib.loads(text)
        once = wrapped(text, {"web": ("A", "B")})
        after = tomllib.loads(once)
        assert after["services"]["web"].pop("command") != before["services"]["web"].pop("command")
        assert after == before
        assert wrapped(once, {"web": ("A", "B")}) == once
        other = wrapped(once, {"web": ("OTHER",)})
        assert other == once.replace("--only A,B", "--only OTHER")
        assert unwrapped(other) == text

    @settings(deadline=None, max_examples=50)  # each starts a shell
    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")))
    def test_sh_gets_the_very_command(self, command):
        """Whatever a command holds, sh is given exactly that, and it comes back."""
        text = wrapped(tomlkit.dumps({"services": {"web": {"command": command}}}), {"web": ("A",)})
        assert shell_words(command_of(text)) == ["envref", "run", "--only", "A", "--", "sh", "-c", command]
        assert command_of(unwrapped(text)) == command

    def test_a_quote_that_is_written_as_an_escape(self):
        """A command whose quote is `\\u0027` comes back as the same text, written plainly."""
        text = wrapped(written(literal='"a\\u0027b"'), {"web": ("A",)})
        assert shell_words(command_of(text))[-1] == "a'b"
        assert command_of(unwrapped(text)) == "a'b"

    def test_other_services_stay(self):
        """A service that is not named keeps its command; one that somebody wrapped by hand keeps its names."""
        text = '[services]\nweb.command = "a"\ndb.command = "envref run --only X -- sh -c \'b\'"\n'
        assert command_of(wrapped(text, {"web": ("A",)}), "db") == "envref run --only X -- sh -c 'b'"

    @pytest.mark.parametrize(
        ("literal", "made"),
        [
            ("'x y'", "'''RUN 'x y''''"),
            ("''", "'''RUN '''''"),
            ('"x"', "\"RUN 'x'\""),
            ('"a\'b"', "\"RUN 'a'\\\"'\\\"'b'\""),
            ("'''x'''", "'''RUN 'x'\n'''"),
            ("'''\nx\n'''", "'''\nRUN 'x\n'\n'''"),
            ("'''\r\nx'''", "'''\r\nRUN 'x'\r\n'''"),
            ('"""\nx\n"""', '"""\nRUN \'x\n\'\n"""'),
            ("'''it's'''", "'''RUN 'it'\"'\"'s'\n'''"),
        ],
    )
    def test_the_quotes_of_the_command_stay(self, literal, made):
        """A string of one line gets three where it has to hold one; the line end before the last three is envref's."""
        text = wrapped(written(literal=literal), {"web": ("A",)})
        assert text == written(literal=made.replace("RUN", "envref run --only A -- sh -c"))
        assert unwrapped(text) == written(literal=literal)

    @pytest.mark.parametrize(
        "command",
        [
            *("envref run --only A -- sh -c", "envref run --only A -- sh -c x y", "envref run --only A -- bash -c x"),
            *("envref run -- sh -c x", "envref run --only A sh -c x --", "envref run --only A -- sh -x y", "it's", ""),
        ],
    )
    def test_a_command_that_only_looks_so_is_its_owner_s(self, command):
        """It is not taken apart, and wrapped as a whole."""
        text = written(literal=json.dumps(command))
        assert unwrapped(text) == text
        assert unwrapped(wrapped(text, {"web": ("A",)})) == text

    def test_line_ends_of_the_file_are_kept(self):
        """A file with CRLF has them after wrapping too."""
        text = '[services]\r\nweb.command = "a"\r\n[hook]\r\non-activate = "x"\r\n'
        once = wrapped(text, {"web": ("A",)})
        assert once.count("\r\n") == once.count("\n") == 4
        assert unwrapped(once) == text


def shell_words(command):
    """The words that sh makes of a command, by sh itself."""
    script = f'set -f; printf "%s\\0" {command}'
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


class TestFaults:
    @pytest.mark.parametrize(
        ("services", "fault"),
        [
            ({"wbe": ("A",)}, 'services: the manifest has no service "wbe" (did you mean web?)'),
            ({"auto-start": ("A",)}, 'services: the manifest has no service "auto-start"'),
            ({"empty": ("A",)}, 'services: service "empty" of the manifest has no command'),
            ({"web": ("API_KYE",)}, 'services.web: no env file sets "API_KYE" (did you mean API_KEY?)'),
            ({"web": ()}, "services.web: no variable is named"),
            ({"web": ("A;id",)}, 'services.web: "A;id" is not a variable name'),
            (
                {"web": ("NOPE",), "nope": ("A",)},
                'services.web: no env file sets "NOPE"; services: the manifest has no service "nope"',
            ),
        ],
    )
    def test_what_is_not_there_is_named(self, services, fault):
        """An unknown service or variable is an error that names it, and the manifest is as it was."""
        text = '[services]\nauto-start = true\nweb.command = "a"\nempty.vars = {}\n'
        with pytest.raises(EnvrefError) as caught:
            wrapped(text, services, known={"A", "API_KEY"})
        assert caught.value.message == fault
        assert caught.value.hint == "correct services: in .envref.yaml, or the manifest's [services]"

    def test_a_manifest_without_services(self):
        """Nothing to unwrap is no error; a service to wrap is one."""
        text = "version = 1\n"
        assert unwrapped(text) == wrapped(text, {}) == text
        with pytest.raises(EnvrefError, match='no service "web"'):
            wrapped(text, {"web": ("A",)})

    @pytest.mark.parametrize("table", ["services = 'x'", "services.web = 'x'", "[[services]]\nweb.command = 'x'"])
    def test_services_that_are_not_tables(self, table):
        """There is nothing to unwrap in them, and no service to wrap."""
        assert unwrapped(table) == table
        with pytest.raises(EnvrefError, match='no service "web"'):
            wrapped(table, {"web": ("A",)})


class TestForReal:
    OLD = "'''\nprintf '%s|' \"$API_KEY\" \"it's $DB\" \"${OTHER-unset}\"\n  exec env\n'''"

    def test_a_service_gets_its_secrets_and_the_shell_none(self, project, monkeypatch):
        """What a process manager starts has the variables that it was given and no others; the caller has none."""
        unlocked_vault(project.path / "v.db", monkeypatch, {"api_key": "marker-1 'x'", "db": "d b", "other": "o"})
        monkeypatch.setenv("ENVREF_VAULT_PASSPHRASE", PASSPHRASE)
        project.write(".envref.yaml", config(VAULT_ENTRY))
        project.write(".env", "API_KEY=ref://vault/api_key\nDB=ref://vault/db\nOTHER=ref://vault/other\n")
        text = wrapped(written(literal=self.OLD), {"web": ("API_KEY", "DB")}, known={"API_KEY", "DB", "OTHER"})
        monkeypatch.setenv("PATH", f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")
        script = f"{command_of(text)}\nstatus=$?; env >&2; exit $status"
        done = subprocess.run(
            ["bash", "-c", script], cwd=project.path, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        said, _, environment = done.stdout.partition("unset|")
        assert said == "marker-1 'x'|it's d b|"
        assert "DB=d b" in environment.splitlines()
        assert "OTHER" not in environment
        assert "marker-1" not in done.stderr
        assert "marker-1" not in text + json.dumps(done.args)
