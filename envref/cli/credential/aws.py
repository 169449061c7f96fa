"""What `envref credential aws` answers: a `credential_process` of AWS's programs."""

from __future__ import annotations

from envref import streams
from envref.cli.credential.values import agreed, values
from envref.errors import OK, EnvrefError
from envref.tools import credential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.cli.credential.asked import Asked


def answered(asked: Asked) -> int:
    project = agreed(asked.place)
    names = credential.names_for_aws(project.config)
    if not names:
        hint = "tools: {aws: {credential-process: [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]}}"
        raise EnvrefError("the project has no credential of AWS", hint=hint)
    optional = [name for member, name in names.items() if member in credential.OPTIONAL_FOR_AWS]
    given = values(project, list(names.values()), optional)
    streams.write(credential.for_aws(dict(zip(names, given, strict=True))))
    return OK
