"""`envref credential docker`: what `docker-credential-envref` does, a helper of docker, podman and buildah."""

from __future__ import annotations

import json
import sys

import click

from envref import streams
from envref.cli.credential.values import agreed, values
from envref.cli.grammar import Command, directory, given_directory
from envref.errors import FAILED, OK, EnvrefError
from envref.project.place import ServerPlace, parse
from envref.project.project import NoProject
from envref.tools import credential, registries

_GET, _LIST, _ERASE = "get", "list", "erase"


@click.command(cls=Command)
@click.argument("operation")
def docker(operation: str) -> int:
    """Answer docker: the user and password of a registry that a project names.

    Without -C it is the project that --setup wrote down for the registry, else the one here.

    Example: printf ghcr.io | envref credential docker get
    """
    if operation == _LIST:
        streams.write(json.dumps(_listed()) + "\n")
        return OK
    server = sys.stdin.read().strip()
    if operation == _ERASE:
        return OK  # docker logout
    try:
        answer = _answer(server) if operation == _GET else _refusal()
    except EnvrefError as error:
        streams.write(f"{error.message}\n")  # docker shows what a failing helper has on stdout
        raise
    streams.write(answer or f"{credential.ABSENT}\n")
    return OK if answer else FAILED


def _refusal() -> str:
    """Docker login would say that it succeeded, and its password would be nowhere."""
    raise EnvrefError("envref keeps no password of docker login", hint="store it with envref secret set")


def _answer(server: str) -> str:
    asked = parse(server)
    if asked is None:
        return ""
    chosen = given_directory() or registries.directory_of(asked)
    try:
        project = agreed(chosen or directory())
    except NoProject:
        if chosen:
            raise
        return ""  # docker asks about any registry, from anywhere
    names = credential.find(project.config, "docker", asked, ServerPlace.is_registry_of)
    return credential.for_docker(values(project, names), server) if names else ""


def _listed() -> dict[str, str]:
    """The registries that were written down, and the users there; without what can't be told now."""
    found = {}
    for server, place in registries.known().items():
        try:
            found[server] = json.loads(_answer(server))["Username"]
        except (EnvrefError, ValueError) as error:
            streams.warn(f"{server} ({place}): {error}")
    return found
