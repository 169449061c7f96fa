"""`envref credential kubectl`: an exec plugin of Kubernetes' clients."""

from __future__ import annotations

import os

import click

from envref import streams
from envref.cli.credential.values import agreed, values
from envref.cli.grammar import Command, directory
from envref.errors import EnvrefError
from envref.tools import credential


@click.command(cls=Command)
def kubectl() -> None:
    """Answer kubectl: the token of a cluster that the project names, as an ExecCredential.

    Example: envref credential kubectl  (with KUBERNETES_EXEC_INFO in the environment)
    """
    version, place = credential.asked_by_kubectl(os.environ.get("KUBERNETES_EXEC_INFO", ""))
    if place is None:
        raise EnvrefError(
            "kubectl does not say for which cluster", hint="set provideClusterInfo: true in the kubeconfig"
        )
    project = agreed(directory())
    names = credential.find(project.config, "kubectl", place)
    if not names:
        raise EnvrefError(f"the project has no credential of {place.server}", hint="tools.kubectl.credential names it")
    streams.write(credential.for_kubectl(values(project, names), version))
