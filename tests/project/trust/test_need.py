"""What needs trust, and what never does: every condition of security.md 5.1, and every cell beside it."""

from __future__ import annotations

import json
import os
import re
import sys

import pytest

from envref.project.project import configured, load
from envref.project.trust.meaning import meaning
from envref.project.trust.message import changes, wanted
from envref.project.trust.need import dangerous, needs
from tests.conftest import ROOT
from tests.requirements import missing

SEED = ROOT.parent / "shared" / "seeds" / "secret-backends.md"
ADDRESS = "https://vault.internal:8200"


@pytest.fixture
def wants(project, tmp_path):
    """`wants(backend, …)` gives the conditions and subjects that a project with these backends needs trust for."""

    def wants(*backends, profile=None, **fields):
        listed = {"backends": list(backends)} if backends else {}
        project.write(".envref.yaml", json.dumps({"project": "app", **listed, **fields}))
        return [(need.condition, need.subject) for need in needs(configured(str(project.path), profile))]

    return wants


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A directory outside the project, first on PATH; `programs("op")` puts a program there, or elsewhere."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    def program(name, directory=tmp_path / "bin"):
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / name
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        return path

    return program


def store(kind, **options):
    return {"name": "s", "type": kind, "config": options}


def plugin(**options):
    return store("plugin", **options)


# a: programs


@pytest.mark.parametrize("command", ["./kv", "tools/kv", "../kv", "tools/../op"])
def test_a_relative_command_needs_trust(wants, command):
    """Whatever it is called, and whether it is there or not."""
    assert wants(plugin(command=command)) == [("a", command)]
    assert wants(store("1password", command=command)) == [("a", command)]


@pytest.mark.parametrize("name", ["envref-backend-kv", "op"])
def test_an_absolute_command_inside_the_project_needs_trust(wants, programs, project, name):
    """By its path, or by a link from elsewhere to it."""
    path = programs(name, project.path / "tools")
    kind = "1password" if name == "op" else "plugin"
    assert wants(store(kind, command=str(path))) == [("a", str(path))]
    link = project.path.parent / "bin" / name
    link.symlink_to(path)
    assert wants(store(kind, command=str(link))) == [("a", str(link))]


def test_a_link_in_the_project_to_a_program_elsewhere_needs_trust(wants, programs, project):
    """The project decides where the link leads."""
    (project.path / "op").symlink_to(programs("op"))
    assert wants(store("1password", command=f"{project.path}/op")) == [("a", f"{project.path}/op")]


@pytest.mark.parametrize("command", ["/opt/kv", "/bin/sh", "sh", "~/bin/kv", "/usr/local/bin/aws"])
def test_a_program_with_another_name_than_the_store_s_needs_trust(wants, command):
    """`aws` is not the program of 1Password, and `sh` of nobody."""
    (need,) = wants(store("1password", command=command))
    assert need[0] == "a"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("1password", "op"),
        ("aws-ssm", "aws"),
        ("aws-secrets-manager", "aws"),
        ("hashicorp-vault", "vault"),
        ("hashicorp-vault", "bao"),
        ("doppler", "doppler"),
        ("pass", "pass"),
        ("plugin", "envref-backend-kv"),
    ],
)
def test_a_store_s_own_program_never_needs_trust(wants, programs, kind, name):
    """By name on PATH, and by an absolute path outside the project; also one that is not there."""
    path = programs(name)
    assert wants(store(kind, command=name)) == []
    assert wants(store(kind, command=str(path))) == []
    assert wants(store(kind, command=f"/usr/nowhere/{name}")) == []
    assert wants(store(kind)) == []


@pytest.mark.parametrize(("kind", "name"), [("1password", "op"), ("plugin", "envref-backend-s"), ("pass", "pass")])
def test_a_name_that_path_finds_inside_the_project_needs_trust(wants, programs, project, monkeypatch, kind, name):
    """With `command:` and without; a relative or empty part of PATH is never chosen, so it is no condition."""
    programs(name, project.path / "bin")
    monkeypatch.setenv("PATH", f":bin:.:{os.environ['PATH']}")
    monkeypatch.chdir(project.path)
    assert wants(store(kind)) == []
    monkeypatch.setenv("PATH", f"{project.path}/bin:{os.environ['PATH']}")
    assert wants(store(kind)) == [("a", name)]
    assert wants(store(kind, command=name)) == [("a", name)]


def test_a_flox_environment_in_the_project_is_not_inside_it(wants, programs, project, tmp_path, monkeypatch):
    """`.flox/run/…` is a link into the Nix store: what is found there is nobody's but the store's."""
    programs("op", tmp_path / "nix" / "store" / "environment" / "bin")
    (project.path / ".flox").mkdir()
    (project.path / ".flox" / "run").symlink_to(tmp_path / "nix" / "store" / "environment")
    monkeypatch.setenv("PATH", f"{project.path}/.flox/run/bin:{os.environ['PATH']}")
    assert wants(store("1password")) == []


def test_a_relative_command_of_the_user_needs_trust_only_inside_the_project(wants, home, project, programs):
    """The user's own config is trusted, but what it finds in a cloned repository is not the user's."""
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(json.dumps({"backends": [plugin(command="tools/kv")]}))
    assert wants() == []
    programs("kv", project.path / "tools")
    assert wants() == [("a", "tools/kv")]


# b: addresses


@pytest.mark.parametrize(
    "credential",
    [
        *("VAULT_TOKEN", "BAO_TOKEN", "BAO_TOKEN_PATH", "VAULT_TOKEN_PATH"),
        *(".vault-token", ".vault", ".bao", "VAULT_CONFIG_PATH", "BAO_CONFIG_PATH"),
    ],
)
def test_an_address_needs_trust_when_the_user_s_token_would_go_there(wants, monkeypatch, home, credential):
    """From the environment, from ~/.vault-token, or from a program that gives it out."""
    assert wants(store("hashicorp-vault", addr=ADDRESS)) == []
    if credential.startswith("."):
        (home / credential).write_text('token_helper = "/usr/bin/helper"\n')
    elif credential.endswith("_CONFIG_PATH"):
        (home / "settings").write_text('token_helper = "/usr/bin/helper"\n')
        monkeypatch.setenv(credential, str(home / "settings"))
    else:
        monkeypatch.setenv(credential, "t")
    assert wants(store("hashicorp-vault", addr=ADDRESS)) == [("b", ADDRESS)]


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8200", "https://127.8.8.8", "http://[::1]:8200", "http://localhost:8200/"]
)
def test_an_address_of_this_machine_never_needs_trust(wants, monkeypatch, address):
    """127.0.0.0/8, ::1 and localhost."""
    monkeypatch.setenv("VAULT_TOKEN", "t")
    assert wants(store("hashicorp-vault", addr=address)) == []


def test_an_address_with_a_token_of_its_own_never_needs_trust(wants, monkeypatch):
    """What the config sends there, it holds itself."""
    monkeypatch.setenv("VAULT_TOKEN", "t")
    assert wants(store("hashicorp-vault", addr=ADDRESS, token="their-own")) == []


LENDER = {"name": "kc", "type": "keychain"}
LENT = "ref://kc/vault_token"


@pytest.mark.parametrize("address", [ADDRESS, "http://127.0.0.1:8200", ""])
@pytest.mark.parametrize("own", [False, True])
def test_a_token_of_another_store_always_needs_trust(wants, project, monkeypatch, address, own):
    """The project chooses which secret is sent, so it does not matter whose address it is: ADR 24."""
    if own:
        monkeypatch.setenv("VAULT_ADDR", address or ADDRESS)
    given = {"addr": address} if address else {}
    assert wants(store("hashicorp-vault", token=LENT, **given), LENDER) == [("b", address or "your VAULT_ADDR")]
    found = configured(str(project.path))
    (line,) = wanted(found, needs(found), meaning(found))
    assert line.endswith(f"-> {address or 'your VAULT_ADDR'} with your {LENT}")


def test_a_credential_that_a_plugin_borrows_needs_trust(wants):
    """Under any name that is a credential's, with the addresses that the plugin has, and without one."""
    assert wants(plugin(api_key=LENT), LENDER) == [("b", "your plugin")]
    assert wants(plugin(api_key=LENT, url=ADDRESS), LENDER) == [("b", ADDRESS)]


def test_what_the_user_s_own_config_borrows_never_needs_trust(wants, home):
    """Both the address and the reference are the user's."""
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(json.dumps({"backends": [store("hashicorp-vault", token=LENT, addr=ADDRESS), LENDER]}))
    assert wants() == []


@pytest.mark.parametrize(
    "options", [{"token": "ref://kc/other", "addr": ADDRESS}, {"token": LENT, "addr": "https://evil.example"}]
)
def test_another_reference_or_address_asks_again(wants, project, options):
    """Both are told as they are written."""
    wants(store("hashicorp-vault", token=LENT, addr=ADDRESS), LENDER)
    before = meaning(configured(str(project.path)))
    wants(store("hashicorp-vault", **options), LENDER)
    after = meaning(configured(str(project.path)))
    old, new = (LENT, "ref://kc/other") if options["token"] != LENT else (ADDRESS, "https://evil.example")
    name = "token" if options["token"] != LENT else "addr"
    assert list(changes(before, after)) == [f'- {name}: {old} (backend "s")', f'+ {name}: {new} (backend "s")']


@pytest.mark.parametrize("own", [ADDRESS, "https://VAULT.internal:8200/", "HTTPS://vault.internal:8200"])
def test_the_user_s_own_address_never_needs_trust(wants, monkeypatch, own):
    """However it is spelled: case of the host, default port, a slash at the end."""
    monkeypatch.setenv("VAULT_TOKEN", "t")
    monkeypatch.setenv("VAULT_ADDR", own)
    assert wants(store("hashicorp-vault", addr=ADDRESS)) == []


@pytest.mark.parametrize(
    ("own", "address"),
    [("https://v.example", "https://v.example:443"), ("https://v.example:443/", "https://v.example")],
)
def test_the_default_port_may_be_written(wants, monkeypatch, own, address):
    """443 of https."""
    monkeypatch.setenv("VAULT_TOKEN", "t")
    monkeypatch.setenv("VAULT_ADDR", own)
    assert wants(store("hashicorp-vault", addr=address)) == []


@pytest.mark.parametrize(
    "own",
    [
        "https://vault.internal",
        "https://vault.internal:8201",
        "http://vault.internal:8200",
        "https://vault.internal:8200/v1",
        "https://vault.internal:8200@evil.example",
        "https://evil.example",
    ],
)
def test_any_other_address_than_the_user_s_own_needs_trust(wants, monkeypatch, own):
    """Another scheme, host, port or path."""
    monkeypatch.setenv("VAULT_TOKEN", "t")
    monkeypatch.setenv("VAULT_ADDR", own)
    assert wants(store("hashicorp-vault", addr=ADDRESS)) == [("b", ADDRESS)]


def test_with_bao_its_own_settings_win(wants, monkeypatch):
    """BAO_ADDR before VAULT_ADDR where `bao` runs; `vault` does not read it."""
    monkeypatch.setenv("VAULT_TOKEN", "t")
    monkeypatch.setenv("VAULT_ADDR", "https://other.example")
    monkeypatch.setenv("BAO_ADDR", ADDRESS)
    assert wants(store("hashicorp-vault", addr=ADDRESS, command="bao")) == []
    assert wants(store("hashicorp-vault", addr=ADDRESS, command="vault")) == [("b", ADDRESS)]
    monkeypatch.setenv("VAULT_ADDR", ADDRESS)
    monkeypatch.setenv("BAO_ADDR", "https://other.example")
    assert wants(store("hashicorp-vault", addr=ADDRESS, command="bao")) == [("b", ADDRESS)]


@pytest.mark.parametrize("option", ["addr", "url", "api_url", "base-url", "endpoint", "host", "Proxy", "vault_server"])
def test_an_address_among_a_plugin_s_options_needs_trust(wants, option):
    """The plugin runs with the user's environment, and whose credential it sends there nobody can know (SEC-C3)."""
    assert wants(plugin(**{option: "https://evil.example"})) == [("b", "https://evil.example")]
    bare = "https://evil.example" if option == "addr" else "evil.example"  # the config refuses an addr without https
    assert wants(plugin(**{option: bare})) == [("b", bare)]


def test_a_url_is_an_address_whatever_the_plugin_calls_its_option(wants):
    """Also beside a token: a plugin may prefer the user's."""
    assert wants(plugin(where=ADDRESS, token="t")) == [("b", ADDRESS)]


def test_other_options_of_a_plugin_never_need_trust(wants):
    """Nor does an address of this machine, nor what the user's own config says."""
    assert (
        wants(plugin(region="eu-1", team="curl", batch=True, url="", host="127.0.0.1:99", api="http://localhost")) == []
    )


def test_what_a_plugin_would_contact_is_shown(wants, project):
    """No credential is named, for none is known."""
    wants(plugin(url=ADDRESS))
    found = configured(str(project.path))
    assert wanted(found, needs(found), meaning(found)) == [f"  it wants: plugin envref-backend-s -> {ADDRESS}"]


def test_what_a_project_means_now_is_told_by_what_is_different():
    """Each text by what leads to it; of one backend alone not its name, of several always."""
    vault = {"name": "vault", "type": "vault", "config": {"path": "a"}}
    corp = {"name": "corp", "type": "hashicorp-vault", "config": {"addr": "https://a"}}
    before = {"profiles": {"staging": "x", "same": "y"}, "backends": [vault]}
    after = {"profiles": {"staging": "z", "same": "y"}, "backends": [{**vault, "config": {"path": "b"}}]}
    told = ["- profiles staging: x", "+ profiles staging: z", "- path: a", "+ path: b"]
    assert list(changes(before, after)) == told
    assert list(changes(before, before)) == []
    assert list(changes({"backends": [vault, corp]}, {"backends": [vault]})) == [
        "- backends: vault, corp",
        "+ backends: vault",
        '- name: corp (backend "corp")',
        '- type: hashicorp-vault (backend "corp")',
        '- addr: https://a (backend "corp")',
    ]


def test_a_program_is_shown_by_its_path_and_what_it_is(wants, project, programs, tmp_path):
    """One elsewhere by its path alone, a link with where it leads, one of the project's own with its checksum."""
    elsewhere = programs("kv", tmp_path / "tools")
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    programs("kv", project.path / "tools")
    for command, told in (
        (elsewhere, re.escape(f"plugin {elsewhere}")),
        (link, re.escape(f"plugin {link} (a link to {elsewhere})")),
        ("./tools/kv", r"plugin (\./)?tools/kv \(sha256 [0-9a-f]+\.\.\.\)"),
        ("./tools/none", r"plugin (\./)?tools/none \(not there\)"),
    ):
        wants(plugin(command=str(command)))
        found = configured(str(project.path))
        [line] = wanted(found, needs(found), meaning(found))
        assert re.fullmatch(f"  it wants: {told}", line), line


# c: places


@pytest.mark.parametrize("path", ["/srv/vault.db", "~/vault.db", "~/.ssh/vault.db"])
def test_a_vault_somewhere_else_needs_trust(wants, home, path):
    """Neither in the project nor among the user's configuration and data."""
    assert wants(store("vault", path=path)) == [("c", path.replace("~", str(home)))]


@pytest.mark.parametrize("path", ["~/.config/envref/vault.db", "$XDG_DATA_HOME/v.db", "~/.local/share/x.db", "v.db"])
def test_a_vault_among_the_user_s_data_or_in_the_project_never_needs_trust(wants, path):
    """The documented place, the user's directories, and the project itself."""
    assert wants(store("vault", path=path)) == []
    assert wants(store("vault")) == []


def test_a_link_does_not_make_a_place_the_project_s(wants, project, tmp_path):
    """Where the vault really is, counts."""
    (project.path / "vaults").symlink_to(tmp_path)
    assert wants(store("vault", path="vaults/v.db")) == [("c", f"{project.path}/vaults/v.db")]


def test_the_configuration_directory_may_be_elsewhere(wants, monkeypatch, tmp_path):
    """ENVREF_CONFIG_DIR is the user's word."""
    assert wants(store("vault", path=f"{tmp_path}/own/v.db")) != []
    monkeypatch.setenv("ENVREF_CONFIG_DIR", f"{tmp_path}/own")
    assert wants(store("vault", path=f"{tmp_path}/own/v.db")) == []


def test_a_password_store_needs_trust_unless_it_is_the_user_s_own(wants, project, monkeypatch, home):
    """In the project too: pass runs git there, and git runs what it is told to by what it finds."""
    assert wants(store("pass", store="secrets")) == [("c", f"{project.path}/secrets")]
    assert wants(store("pass", store="~/.password-store")) == []
    assert wants(store("pass", store="~/team")) == [("c", f"{home}/team")]
    monkeypatch.setenv("PASSWORD_STORE_DIR", f"{home}/team")
    assert wants(store("pass", store="~/team")) == []


# d: files outside


@pytest.mark.parametrize("name", [".env", ".env.local", ".env.staging", "deploy/production.env"])
def test_an_env_file_that_leads_outside_needs_trust(wants, project, tmp_path, name):
    """The base, the personal one, and those of every profile, in effect or not."""
    (tmp_path / "outside").write_text("A=1\n")
    (project.path / "deploy").mkdir()
    fields = {"profiles": {"staging": None, "production": {"env_file": "deploy/production.env"}}}
    assert wants(**fields) == []
    (project.path / name).symlink_to(tmp_path / "outside")
    assert wants(**fields) == [("d", name)]


def test_a_link_inside_the_project_never_needs_trust(wants, project):
    """A file of the project under another name."""
    project.write("shared/base", "A=1\n")
    (project.path / ".env").symlink_to("shared/base")
    assert wants() == []


# e: names


@pytest.mark.parametrize("file", [".env", ".env.local", ".env.staging"])
def test_a_dangerous_name_needs_trust(wants, project, file):
    """In each file of the effective profile; a file of another profile sets nothing."""
    project.write(file, "A=1\nBASH_ENV=./x\nexport LD_PRELOAD=y\n")
    assert wants(profile="staging") == [("e", "BASH_ENV"), ("e", "LD_PRELOAD")]
    assert (wants() == []) == (file == ".env.staging")


def test_ordinary_names_never_need_trust(wants, project):
    """And those that their value makes harmless."""
    project.write(".env", "A=1\nAPI_KEY=ref://secrets/k\nNODE_ENV=x\nHTTP_PROXY=http://localhost:3128\nTZ=UTC\n")
    assert wants() == []


def test_the_value_that_counts_is_the_interpolated_one(wants, project):
    """An endpoint of this machine needs none, however it is written; the last one that sets it wins."""
    project.write(".env", "HOST=127.0.0.1\nVAULT_ADDR=http://${HOST}:8200\n")
    assert wants() == []
    project.write(".env", "HOST=evil.example\nVAULT_ADDR=http://${HOST}:8200\n")
    assert wants() == [("e", "VAULT_ADDR")]
    project.write(".env.local", "HOST=localhost\n")
    assert wants() == []


def test_the_files_that_a_command_has_read_are_judged_as_read(project):
    """What is checked is what is used: a file that changes meanwhile changes nothing."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "BASH_ENV=x\n")
    loaded = load(str(project.path))
    project.write(".env", "A=1\n")
    assert [need.subject for need in needs(loaded)] == ["BASH_ENV"]


# strict mode


def test_strict_mode_asks_for_every_project(wants, home):
    """Whatever the config holds."""
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("trust: strict\n")
    assert wants() == [("strict", "app")]
    assert wants(store("vault")) == [("strict", "app")]


def test_strict_mode_asks_for_every_dangerous_name(wants, project, home):
    """The same as default mode does."""
    own = home / ".config" / "envref" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("trust: strict\n")
    project.write(".env", "A=1\nPYTHONPATH=.\nVAULT_ADDR=http://127.0.0.1\n")
    assert wants() == [("e", "PYTHONPATH"), ("strict", "app")]


# what each carries for the question, and what is not even loaded where nothing is asked for


@pytest.fixture
def needed(project):
    """The condition, subject, detail and backend of each need of a project with these backends."""

    def needed(*backends, environment=None, **fields):
        project.write(".envref.yaml", json.dumps({"project": "app", "backends": list(backends), **fields}))
        found = needs(configured(str(project.path)), *([] if environment is None else [environment]))
        return [(need.condition, need.subject, need.detail, need.backend and need.backend.name) for need in found]

    return needed


def named_store(name, kind, **options):
    return {"name": name, "type": kind, "config": options}


def placed(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_a_need_carries_what_the_question_shows(needed, project, tmp_path, monkeypatch):
    """The program that was found, the credential that would go, the option that is a place, where a link leads."""
    own, target = placed(project.path / "tools/kv"), tmp_path / "outside"
    target.write_text("BASH_ENV=x\n")
    (project.path / ".env.local").symlink_to(target)
    project.write(".env", "PATH=x\n")
    monkeypatch.setenv("VAULT_TOKEN", "t")
    found = needed(
        named_store("a", "plugin", command="./tools/kv"),
        named_store("b", "plugin", command="./none", url=ADDRESS),
        named_store("c", "hashicorp-vault", addr=ADDRESS),
        named_store("d", "vault", path="/srv/v.db"),
    )
    assert found == [
        ("a", "./tools/kv", own, "a"),
        ("a", "./none", "", "b"),
        ("b", ADDRESS, "", "b"),
        ("b", ADDRESS, "VAULT_TOKEN", "c"),
        ("c", "/srv/v.db", "path", "d"),
        ("d", ".env.local", str(target), None),
        ("e", "PATH", "", None),
    ]


def test_a_program_that_path_finds_in_the_repository_is_named_as_found(needed, project, monkeypatch, tmp_path):
    """By its name; beside the project too, and from any directory."""
    (tmp_path / ".git").mkdir()
    path = placed(tmp_path / "bin/op")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    monkeypatch.chdir("/")
    assert needed(named_store("s", "1password")) == [("a", "op", path, "s")]
    (tmp_path / ".git").rmdir()
    assert needed(named_store("s", "1password")) == []


def test_without_an_address_no_credential_goes_anywhere(needed, monkeypatch):
    """An empty one is none, whatever token the user has."""
    monkeypatch.setenv("VAULT_TOKEN", "t")
    assert needed(named_store("s", "hashicorp-vault")) == []
    assert needed(named_store("s", "hashicorp-vault", addr=ADDRESS, token="own")) == []
    assert needed(named_store("s", "hashicorp-vault", addr=ADDRESS)) == [("b", ADDRESS, "VAULT_TOKEN", "s")]


def test_a_plugin_without_options_of_its_own_loads_nothing_for_addresses(needed, monkeypatch):
    """Every activation passes here."""
    monkeypatch.setitem(sys.modules, "envref.project.trust.endpoint", None)
    for options in (
        {},
        {"batch": True},
        {"command": "envref-backend-s"},
        {"command": "envref-backend-s", "batch": True},
    ):
        assert needed(named_store("s", "plugin", **options)) == []
    with pytest.raises(ImportError):
        needed(named_store("s", "plugin", region="eu"))


def test_what_a_project_extends_counts(needed, project, tmp_path):
    """Outside of its repository the directory itself; a store of it by where that config is."""
    parent = tmp_path / "shared"
    placed(parent / "kv")
    listed = [named_store("p", "plugin", command="./kv"), named_store("v", "vault", path="v.db")]
    (parent / ".envref.yaml").write_text(json.dumps({"project": "mono", "backends": listed}))
    (stores, *files) = needed(extends="../shared")
    assert stores == ("a", "./kv", f"{parent}/kv", "p")
    assert files == [("d", f"../shared{name}", f"{parent}{name}", None) for name in ("", "/.env", "/.env.local")]
    (tmp_path / ".git").mkdir()
    assert needed(extends="../shared") == [("a", "./kv", f"{parent}/kv", "p")]


def test_a_place_is_the_user_s_own_by_the_given_environment(needed, tmp_path, home):
    """Not by this process's; a relative or empty one is no place."""
    listed = named_store("s", "pass", store=f"{tmp_path}/team")
    place = ("c", f"{tmp_path}/team", "store", "s")
    for own, found in ((str(tmp_path / "team"), []), (str(tmp_path), []), ("team", [place]), ("", [place])):
        assert needed(listed, environment={"HOME": str(home), "PASSWORD_STORE_DIR": own}) == found, own


def test_the_user_s_own_stores_need_nothing(needed, home, project, monkeypatch):
    """Wherever they are; what the project lists in their place does."""
    monkeypatch.setenv("VAULT_TOKEN", "t")
    listed = [named_store("a", "vault", path="/srv/v.db"), named_store("b", "hashicorp-vault", addr=ADDRESS)]
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(json.dumps({"backends": listed}))
    project.write(".envref.yaml", "project: app\n")
    assert needs(configured(str(project.path))) == []
    assert [need[0] for need in needed(*listed)] == ["c", "b"]


def test_a_name_is_dangerous_by_the_value_that_it_gets(project):
    """One with a reference in it has none yet."""
    project.write(".envref.yaml", "project: app\n")
    project.write(".env", "P=3128\nHTTPS_PROXY=http://localhost:$P\nALL_PROXY=http://ref://k/a\nHTTP_PROXY=ref://k/b\n")
    for read in (load, configured):
        assert [need.subject for need in needs(read(str(project.path)))] == ["ALL_PROXY", "HTTP_PROXY"]
    assert dangerous([("PATH", "x"), ("A", "x"), ("UID", "1"), ("UID", "a")]) == ["PATH", "UID"]


# everyday use

# What the documentation of every store shows: full configs, programs by their usual paths, several stores.
DOCUMENTED = [
    [],
    [{"name": "keychain", "type": "keychain"}],
    [store("vault", path="~/.config/envref/vault.db")],
    [{"name": "op", "type": "1password", "config": {"vault": "Engineering", "account": "my-team.1password.com"}}],
    [store("1password", vault="Development", account="myteam", command="/usr/local/bin/op")],
    [store("aws-ssm", prefix="/myapp/prod", region="us-east-1", profile="production", command="/usr/local/bin/aws")],
    [store("aws-secrets-manager", prefix="myapp", region="eu-west-1")],
    [store("hashicorp-vault", mount="kv", prefix="team/app", addr=ADDRESS, namespace="team", command="/usr/bin/vault")],
    [store("hashicorp-vault", addr="http://127.0.0.1:8200", token="dev-only")],
    [store("oci-vault", vault_id="v", compartment_id="c", key_id="k", profile="DEFAULT", command="/usr/local/bin/oci")],
    [store("doppler", project="shop", config="dev")],
    [store("pass", prefix="work")],
    [store("plugin", command="/usr/local/bin/envref-backend-my-store")],
    [{"name": "mystore", "type": "plugin"}],
    [{"name": "keychain"}, {"name": "vault"}, store("aws-ssm", prefix="/shared/secrets", region="us-east-1")],
]
EVERYDAY = "APP_NAME=myapp\nAPI_KEY=ref://secrets/api_key\nURL=http://${HOST:-localhost}\nNODE_ENV=development\n"


@pytest.mark.parametrize("backends", DOCUMENTED, ids=lambda backends: backends[-1]["type"] if backends else "none")
def test_no_documented_config_needs_trust(wants, project, monkeypatch, backends):
    """Also where the user is signed in: the documented address is the user's own VAULT_ADDR."""
    monkeypatch.setenv("VAULT_TOKEN", "t")
    monkeypatch.setenv("VAULT_ADDR", ADDRESS)
    project.write(".env", EVERYDAY)
    listed = [backend | {"type": backend.get("type", backend["name"])} for backend in backends]
    assert wants(*listed, profiles={"staging": None}, profile="staging") == []


def seed_configs():
    """Every `.envref.yaml` of the user documentation that has backends, if that is beside the checkout."""
    text = SEED.read_text(encoding="utf-8") if SEED.exists() else ""
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "backends:" in block]
    return [block if "project:" in block else f"project: my-app\n{block}" for block in blocks]


@pytest.mark.parametrize("config", seed_configs() or [""])  # without the documentation one test that says so
def test_no_config_of_the_user_documentation_needs_trust(project, monkeypatch, config):
    """Word for word."""
    if not config:
        missing(f"the user documentation is not at {SEED}")
    monkeypatch.setenv("VAULT_TOKEN", "t")
    monkeypatch.setenv("VAULT_ADDR", "".join(re.findall(r"addr: (https:\S+)", config)))
    project.write(".envref.yaml", config)
    project.write(".env", EVERYDAY)
    assert [(need.condition, need.subject) for need in needs(load(str(project.path)))] == []


def test_files_that_give_no_value_are_judged_by_their_names(wants, project):
    """What can't be interpolated is no way around the question."""
    project.write(".env", "A=${B C}\nBASH_ENV=x\n")
    assert wants() == [("e", "BASH_ENV")]
