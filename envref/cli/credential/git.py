"""What `envref credential git` answers: a helper of git-credential."""

from __future__ import annotations

from envref import streams
from envref.cli.credential.values import agreed, values
from envref.errors import OK
from envref.tools import credential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.cli.credential.asked import Asked

_GET, _ERASE = "get", "erase"


def answered(asked: Asked) -> int:
    request = credential.asked_by_git(streams.given().decode("utf-8", "surrogateescape"))
    place = credential.place_of_git(request)
    if place is None or asked.operation not in (_GET, _ERASE):
        return OK  # gitcredentials(7): what a helper does not know, it ignores
    project = agreed(asked.place)
    names = credential.find(project.config, "git", place)
    if names and asked.operation == _ERASE:
        streams.inform(f"envref: {place.server} refused the value of {names[-1]}; nothing was erased")
    elif names:
        streams.write(credential.for_git(values(project, names), request))
    return OK
