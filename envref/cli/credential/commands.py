"""The commands of `envref credential`, whatever stands around them."""

from __future__ import annotations

import click

from envref.cli.credential.answer import answer
from envref.cli.credential.asked import Asked
from envref.cli.grammar import Command, given_directory


@click.command(cls=Command)
def aws() -> int:
    """Answer AWS's programs: the keys of tools.aws.credential-process, as JSON.

    Example: envref credential aws
    """
    return answer(Asked("aws", given_directory()))


@click.command(cls=Command)
def cargo() -> int:
    """Answer Cargo: the token of a registry that the project names by its index.

    Example: envref credential cargo  (with CARGO_REGISTRY_INDEX_URL in the environment)
    """
    return answer(Asked("cargo", given_directory()))


@click.command(cls=Command)
@click.argument("operation")
def docker(operation: str) -> int:
    """Answer docker: the user and password of a registry that a project names.

    Without -C it is the project that --setup wrote down for the registry, else the one here.

    Example: printf ghcr.io | envref credential docker get
    """
    return answer(Asked("docker", given_directory(), operation))


@click.command(cls=Command)
@click.argument("operation")
def git(operation: str) -> int:
    """Answer git: the password of a server that the project names. store and erase change nothing.

    Example: envref credential git get < request
    """
    return answer(Asked("git", given_directory(), operation))


@click.command(cls=Command)
def kubectl() -> int:
    """Answer kubectl: the token of a cluster that the project names, as an ExecCredential.

    Example: envref credential kubectl  (with KUBERNETES_EXEC_INFO in the environment)
    """
    return answer(Asked("kubectl", given_directory()))
