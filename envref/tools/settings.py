"""Settings: what has each tool ask envref, and how it gets into the tool's own config. Nothing else there is changed.

git and kubectl write theirs themselves; of AWS, docker and Cargo (`cargo_config`) the file is edited. A second time
changes nothing.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from envref import atomic
from envref.backends.command import child_environment, find, run
from envref.errors import EnvrefError, pasted
from envref.paths import expanded, open_file, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from envref.project.place import ServerPlace

    Words = tuple[str, ...]

HELPER = "envref"  # as docker calls docker-credential-envref
_PATIENCE = 20.0  # seconds for git and kubectl to write a file


def asking(root: str, tool: str) -> Words:
    """The command that answers the tool for the project, wherever it is started."""
    return ("envref", "-C", root, "credential", tool)


# git


def helper_of_git(root: str) -> str:
    return f"!{pasted(asking(root, 'git'))}"


def commands_of_git(root: str, places: Iterable[ServerPlace]) -> list[Words]:
    """An empty helper comes first: git forgets those before it, which would be told the password to keep it."""
    helper = helper_of_git(root)
    commands: list[Words] = []
    for place in places:
        key = f"credential.{place.url}"
        replace = ("git", "config", "--global", "--replace-all", f"{key}.helper")
        commands += [(*replace, "", "^$"), (*replace, helper, "^!envref ")]
        commands += [("git", "config", "--global", f"{key}.useHttpPath", "true")] if place.path else []
    return commands


# kubectl


def command_of_kubectl(root: str, user: str) -> Words:
    _, *rest = asking(root, "kubectl")
    return (
        *("kubectl", "config", "set-credentials", user, "--exec-command=envref"),
        *("--exec-api-version=client.authentication.k8s.io/v1", "--exec-interactive-mode=Never"),
        "--exec-provide-cluster-info=true",
        *(f"--exec-arg={word}" for word in rest),
    )


def users_of_kubectl() -> list[dict[str, Any]]:
    listed = told(("kubectl", "config", "view", "--output", "json"))
    return json.loads(listed or "{}").get("users") or []


def check_kubectl(user: str) -> None:
    """Raises EnvrefError where the kubeconfig has a user of this name who is not envref's."""
    for each in users_of_kubectl():
        own = each.get("user") or {}
        if each.get("name") == user and own.get("exec", {}).get("command") != "envref" and own:
            raise taken(f'the user "{user}"', "the kubeconfig", f"kubectl config delete-user {user}")


def execute(commands: Iterable[Words]) -> None:
    """Runs them one after the other. EnvrefError with the program's own words."""
    for words in commands:
        told(words)


def told(words: Words, *fine: int) -> str:
    """What a tool's own program prints. EnvrefError with its words, unless its status is 0 or one of these."""
    program = find(words[0])
    if program is None:
        raise EnvrefError(f"{words[0]} is not on PATH", hint="without --write the setting is only shown")
    done = run(
        [program, *words[1:]],
        deadline=time.monotonic() + _PATIENCE,
        label=words[0],
        environment=child_environment(),
    )
    if done.status and done.status not in fine:
        says = done.stderr.strip()
        raise EnvrefError(f"{' '.join(words[:3])}: {says}")
    return done.stdout.decode("utf-8", "replace")


# AWS


def file_of_aws() -> str:
    return os.environ.get("AWS_CONFIG_FILE") or expanded("~/.aws/config")


def section_of_aws(root: str, name: str) -> tuple[str, str]:
    """The section's head, and the line in it."""
    quoted = name if name.replace("-", "").replace("_", "").replace(".", "").isalnum() else f'"{name}"'
    head = "[default]" if name == "default" else f"[profile {quoted}]"
    return head, f"credential_process = {pasted(asking(root, 'aws'))}"


def edit_aws(text: str, head: str, line: str) -> str:
    """The file with the line in its section, whose other lines stay, as the rest of the file does."""
    lines = text.splitlines(keepends=True)
    start = next((index for index, each in enumerate(lines) if each.strip() == head), None)
    if start is None:
        between = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        return f"{text}{between}{head}\n{line}\n"
    if not lines[start].endswith("\n"):
        lines[start] += "\n"
    for index in range(start + 1, len(lines)):
        if lines[index].lstrip().startswith("["):
            break
        name, equals, value = lines[index].partition("=")
        if equals and name.strip() == "credential_process":
            _check_ours(value.strip(), f"{head} has the credential_process", shown(file_of_aws()))
            lines[index] = f"{line}\n"
            return "".join(lines)
    lines.insert(start + 1, f"{line}\n")
    return "".join(lines)


# docker


def file_of_docker() -> str:
    return os.path.join(os.environ.get("DOCKER_CONFIG") or expanded("~/.docker"), "config.json")


def name_for_docker(place: ServerPlace) -> str:
    """The registry as docker's config has it."""
    if place.host in ("docker.io", "index.docker.io"):
        return "https://index.docker.io/v1/"
    return place.server.partition("://")[2]


def edit_docker(text: str, servers: Sequence[str]) -> str:
    """The file with envref as the helper of these registries; keys that docker does not know stay as well."""
    config = config_of_docker(text)
    helpers = config.setdefault("credHelpers", {})
    if all(helpers.get(server) == HELPER for server in servers):
        return text
    for server in servers:
        other = helpers.get(server, HELPER)
        if other != HELPER:
            raise taken(f'credHelpers.{server} "{other}"', shown(file_of_docker()), "take it out there")
        helpers[server] = HELPER
    return json.dumps(config, indent="\t", ensure_ascii=False) + "\n"


def config_of_docker(text: str) -> dict[str, Any]:
    try:
        config = json.loads(text or "{}")
    except ValueError as error:
        raise EnvrefError(f"{shown(file_of_docker())}: not JSON: {error}") from None
    if not isinstance(config, dict) or not isinstance(config.get("credHelpers", {}), dict):
        raise EnvrefError(f"{shown(file_of_docker())}: not a config of docker")
    return config


# All of them


def edit_file(path: str, edit: Callable[[str], str]) -> bool:
    """Whether the file, which may be missing, had to be changed. A new one is for its owner only."""
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    except OSError as error:
        raise EnvrefError(f"writing {shown(path)}: {error.strerror}") from None
    with atomic.lock(path):
        before = read(path)
        after = edit(before)
        if after != before:
            atomic.write(path, after.encode(), mode=0o600)
    return after != before


def read(path: str) -> str:
    """The file's text; empty if there is none."""
    try:
        with open_file(path) as file:
            return file.read().decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise EnvrefError(f"{shown(path)}: not UTF-8 text", hint="save it as UTF-8") from None
    except OSError as error:
        raise EnvrefError(f"reading {shown(path)}: {error.strerror}") from None


def _check_ours(value: str, what: str, place: str) -> None:
    if value and not value.startswith("envref "):
        raise taken(f"{what} {value}", place, "take it out there")


def taken(what: str, place: str, cure: str) -> EnvrefError:
    """Something of the user's stands where envref would be written."""
    return EnvrefError(f"{place}: {what} is not envref's", hint=cure)
