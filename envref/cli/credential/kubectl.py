"""What `envref credential kubectl` answers: an exec plugin of Kubernetes' clients."""

from __future__ import annotations

import os

from envref import streams
from envref.cli.credential.values import agreed, values
from envref.errors import OK, EnvrefError
from envref.tools import credential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.cli.credential.asked import Asked


def answered(asked: Asked) -> int:
    version, place = credential.asked_by_kubectl(os.environ.get("KUBERNETES_EXEC_INFO", ""))
    if place is None:
        raise EnvrefError(
            "kubectl does not say for which cluster", hint="set provideClusterInfo: true in the kubeconfig"
        )
    project = agreed(asked.place)
    names = credential.find(project.config, "kubectl", place)
    if not names:
        raise EnvrefError(f"the project has no credential of {place.server}", hint="tools.kubectl.credential names it")
    streams.write(credential.for_kubectl(values(project, names), version))
    return OK
