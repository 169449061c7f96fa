"""Credentials: which variables a tool of the project gets for a server, and how each protocol writes their values.

The protocols: gitcredentials(7) and git-credential(1); AWS's "Sourcing credentials with an external process";
docker-credential-helpers, `credentials/credentials.go`; Kubernetes' client.authentication.k8s.io; Cargo's
`cargo:token-from-stdout`. Each was run with the real program (tests/tools).
JSON is loaded for those that speak it: git does not.
"""

from __future__ import annotations

from envref.errors import EnvrefError
from envref.project.config.model import PROCESS, credential_way
from envref.project.place import ServerPlace, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from envref.project.config.model import Config

    Names = Sequence[str]
    Covers = Callable[[ServerPlace, ServerPlace], bool]

# For GitHub and GitLab the user's name beside a token may be anything but empty; an app's token of GitHub wants this.
ANYBODY = "x-access-token"
_AWS = {"AccessKeyId": "ACCESS_KEY_ID", "SecretAccessKey": "SECRET_ACCESS_KEY"}
OPTIONAL_FOR_AWS = {"SessionToken": "SESSION_TOKEN", "Expiration": "EXPIRATION"}
_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


def servers(config: Config, tool: str) -> Iterator[tuple[ServerPlace, Names]]:
    """The servers that the project has a credential of, for this tool."""
    for way, names in config.tools.get(tool, {}).items():
        text = way.removeprefix(credential_way(""))
        place = None if text == way else parse(text)
        if place:
            yield place, names


def find(config: Config, tool: str, asked: ServerPlace | None, covers: Covers = ServerPlace.covers) -> Names:
    """The variables of the credential for what the tool asks about; that of the longest path. None: empty."""
    fitting = [(place, names) for place, names in servers(config, tool) if asked and covers(place, asked)]
    return max(fitting, key=lambda each: len(each[0].path))[1] if fitting else ()


# git


def asked_by_git(text: str) -> dict[str, str]:
    """The attributes of a request, which an empty line ends; of one that is repeated, the last."""
    lines = (line.partition("=") for line in text.partition("\n\n")[0].split("\n"))
    return {name: value for name, equals, value in lines if equals}


def place_of_git(asked: Mapping[str, str]) -> ServerPlace | None:
    """The server that git is about to talk to; it tells the path only with credential.useHttpPath."""
    if asked.get("protocol") not in ("https", "http"):
        return None
    return parse(f"{asked['protocol']}://{asked.get('host', '')}/{asked.get('path', '')}")


def for_git(values: Sequence[str], asked: Mapping[str, str]) -> str:
    """Empty where git asks for another user's password. EnvrefError for a value that the protocol can't carry."""
    wanted = asked.get("username")  # empty for https://@host
    user = values[0] if len(values) > 1 else wanted or ANYBODY
    if wanted and wanted != user:
        return ""
    if any(character in text for text in (user, values[-1]) for character in "\r\n\0"):
        raise EnvrefError("git takes a password of one line only", hint="store the token alone, without a line end")
    return f"username={user}\npassword={values[-1]}\n"


# AWS


def names_for_aws(config: Config) -> dict[str, str]:
    """The variable of each member of AWS's answer, by the end of its name. EnvrefError where a key is missing."""
    names = config.tools.get("aws", {}).get(PROCESS, ())
    ends = {**_AWS, **OPTIONAL_FOR_AWS}
    found = {member: name for member, end in ends.items() for name in names if name.endswith(end)}
    if len(found) < len([name for name in names if name.endswith(tuple(ends.values()))]):
        fact = f"tools.aws.{PROCESS} has two variables for one key of AWS"
        raise EnvrefError(fact, hint=f"it has {', '.join(names)}; AWS asks for one pair of keys")
    if names and not _AWS.keys() <= found.keys():
        fact = f"tools.aws.{PROCESS} needs a variable that ends in {' and one that ends in '.join(_AWS.values())}"
        raise EnvrefError(fact, hint=f"it has {', '.join(names)}")
    return found


def for_aws(values: Mapping[str, str]) -> str:
    """Without `Version` it is an error to AWS; an empty session token too."""
    import json

    return json.dumps({"Version": 1, **{member: value for member, value in values.items() if value}}) + "\n"


# docker

ABSENT = "credentials not found in native keychain"  # docker compares this text, on stdout


def for_docker(values: Sequence[str], server: str) -> str:
    import json

    user = values[0] if len(values) > 1 else ANYBODY
    return json.dumps({"ServerURL": server, "Username": user, "Secret": values[-1]}) + "\n"


# kubectl


def asked_by_kubectl(text: str) -> tuple[str, ServerPlace | None]:
    """The version of the answer, and the cluster if the kubeconfig has it told. EnvrefError for another question."""
    import json

    try:
        asked = json.loads(text or "{}")
        version = asked.get("apiVersion", _VERSIONS[0])
        server = (asked.get("spec", {}).get("cluster") or {}).get("server", "")
    except (ValueError, AttributeError):
        raise EnvrefError("KUBERNETES_EXEC_INFO is not the JSON of an ExecCredential", hint="kubectl sets it") from None
    if version not in _VERSIONS:
        raise EnvrefError(f"kubectl asks in {version}", hint=f"write apiVersion: {_VERSIONS[0]} in the kubeconfig")
    return version, parse(str(server))


def for_kubectl(values: Sequence[str], version: str) -> str:
    """A token; two values are a client's certificate and its key."""
    import json

    pair = {"clientCertificateData": values[0], "clientKeyData": values[-1]}
    status = pair if len(values) > 1 else {"token": values[0].strip()}
    return json.dumps({"kind": "ExecCredential", "apiVersion": version, "status": status}) + "\n"
