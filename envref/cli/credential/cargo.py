"""What `envref credential cargo` answers: a command for Cargo's `cargo:token-from-stdout`."""

from __future__ import annotations

import os

from envref import streams
from envref.cli.credential.values import agreed, values
from envref.errors import OK, EnvrefError
from envref.project.place import ServerPlace, parse
from envref.tools import credential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.cli.credential.asked import Asked

_ASKED = "CARGO_REGISTRY_INDEX_URL"


def answered(asked: Asked) -> int:
    url = os.environ.get(_ASKED, "")
    place = parse(url)
    if place is None:
        raise EnvrefError(f"{_ASKED} names no registry", hint="cargo sets it for cargo:token-from-stdout")
    project = agreed(asked.place)
    # The name of a registry is the repository's choice; its index is where the token goes.
    names = credential.find(project.config, "cargo", place, ServerPlace.is_index_of)
    if not names:
        raise EnvrefError(f"the project has no credential of {place.url}", hint="tools.cargo.credential names it")
    streams.write(f"{values(project, names)[-1]}\n")
    return OK
