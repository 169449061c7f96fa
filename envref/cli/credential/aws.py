"""`envref credential aws`: a `credential_process` of AWS's programs."""

from __future__ import annotations

import click

from envref import streams
from envref.cli.credential.values import agreed, values
from envref.cli.grammar import Command, directory
from envref.errors import EnvrefError
from envref.tools import credential


@click.command(cls=Command)
def aws() -> None:
    """Answer AWS's programs: the keys of tools.aws.credential-process, as JSON.

    Example: envref credential aws
    """
    project = agreed(directory())
    names = credential.names_for_aws(project.config)
    if not names:
        hint = "tools: {aws: {credential-process: [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]}}"
        raise EnvrefError("the project has no credential of AWS", hint=hint)
    optional = [name for member, name in names.items() if member in credential.OPTIONAL_FOR_AWS]
    given = values(project, list(names.values()), optional)
    streams.write(credential.for_aws(dict(zip(names, given, strict=True))))
