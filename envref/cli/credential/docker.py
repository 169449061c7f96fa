"""What `envref credential docker` answers, and `docker-credential-envref`: a helper of docker, podman and buildah."""

from __future__ import annotations

import json

from envref import __version__, streams
from envref.cli.credential.values import agreed, values
from envref.errors import FAILED, OK, EnvrefError
from envref.project.place import ServerPlace, parse
from envref.project.project import NoProject
from envref.tools import credential, registries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.cli.credential.asked import Asked

_GET, _LIST, _ERASE, _STORE, _VERSION = "get", "list", "erase", "store", "version"


def answered(asked: Asked) -> int:
    if asked.operation == _LIST:
        streams.write(json.dumps(_listed(asked)) + "\n")
        return OK
    if asked.operation == _VERSION:
        streams.write(f"docker-credential-envref (envref) {__version__}\n")
        return OK
    server = streams.given().decode("utf-8", "surrogateescape").strip()
    if asked.operation == _ERASE:
        return OK  # docker logout
    try:
        answer = _answer(server, asked) if asked.operation == _GET else _refusal(asked.operation)
    except EnvrefError as error:
        streams.write(f"{error.message}\n")  # docker shows what a failing helper has on stdout
        raise
    streams.write(answer or f"{credential.ABSENT}\n")
    return OK if answer else FAILED


def _refusal(operation: str) -> str:
    """Docker login would say that it succeeded, and its password would be nowhere."""
    if operation != _STORE:
        raise EnvrefError(f'docker asks for "{operation}"', hint="envref answers get, list, store, erase and version")
    raise EnvrefError("envref keeps no password of docker login", hint="store it with envref secret set")


def _answer(server: str, asked: Asked) -> str:
    place = parse(server)
    if place is None:
        return ""
    chosen = asked.directory or registries.directory_of(place)
    try:
        project = agreed(chosen or asked.place)
    except NoProject:
        if chosen:
            raise
        return ""  # docker asks about any registry, from anywhere
    names = credential.find(project.config, "docker", place, ServerPlace.is_registry_of)
    return credential.for_docker(values(project, names), server) if names else ""


def _listed(asked: Asked) -> dict[str, str]:
    """The registries that were written down, and the users there; without what can't be told now."""
    found = {}
    for server, directory in registries.known().items():
        try:
            found[server] = json.loads(_answer(server, asked))["Username"]
        except (EnvrefError, ValueError) as error:
            streams.warn(f"{server} ({directory}): {error}")
    return found
