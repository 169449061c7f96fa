"""The meaning of a project's config: all that trust covers, as plain data, and its fingerprint (security.md 5.3).

Comments, layout, ordinary variables and references to the project's own secrets are not in it, so editing them never
asks again. Nor is the project's path: a pin that was made on one machine holds on another.
"""

from __future__ import annotations

import json
import os
import re

from envref.backends.programs import repository_around
from envref.digest import digest, sha256
from envref.env.file import merge
from envref.paths import open_file
from envref.project.config.model import is_masked, is_profile_name
from envref.project.project import Project, env_files, layers, outside
from envref.project.trust.need import PROGRAM, dangerous, is_strict, needs, outside_files
from envref.refs.reference import SCHEME, Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from envref.env.file import Entry, EnvFile
    from envref.project.config.model import BackendConfig, Config
    from envref.project.trust.need import Need

FORMAT = 2
_FOREIGN = re.compile(r"ref://[A-Za-z0-9_.-]+//[^\s\"'}]+")  # as far as an env file can say it without a blank
_INTERPOLATED = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_.-]*)")
_WORD = re.compile("[A-Za-z0-9_]+")
_CREDENTIAL = re.compile(r"(?i)(TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|ACCESS_KEY|SECRET_KEY|API_KEY)$")
_USERINFO = re.compile(r"//([^\s/:@]*):([^\s/$@]+)@")  # one that is interpolated is shown as it is written
_LARGEST = 256 << 20  # bytes of a program that can be pinned; reading more would hold up a shell


def meaning(project: Project, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Everything that trust in the project covers."""
    config = project.config
    return {
        "format": FORMAT,
        "project": config.project,
        "backends": [_backend(backend) for backend in config.backends] if "backends" in config.from_project else None,
        "programs": [_program(need, project.root) for need in needs(project, environment) if need.condition == PROGRAM],
        "env_file": config.env_file,
        "local_file": config.local_file,
        "profiles": config.profiles,
        "outside": dict(outside_files(project)),
        "team": config.team,
        "variables": {},
        "foreign": [],
        **({"interpolate_environment": True} if config.interpolate_environment else {}),
        **({"tools": {tool: _ways(ways) for tool, ways in config.tools.items()}} if _keeps_for_tools(config) else {}),
        **({"closed": sorted(config.closed)} if config.closed else {}),
        **_of_env_files(project),
    }


def _keeps_for_tools(config: Config) -> bool:
    return bool(config.tools) and "tools" in config.from_project


def _ways(ways: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {way: list(names) for way, names in ways.items()}


def fingerprint(meant: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of the canonical JSON."""
    return digest(canonical(meant).encode())


def canonical(meant: Mapping[str, Any]) -> str:
    """One text for each meaning."""
    return json.dumps(meant, sort_keys=True, separators=(",", ":"))


def _backend(backend: BackendConfig) -> dict[str, Any]:
    options = {
        name: f"sha256 {digest(str(value).encode())}" if name == "token" and is_masked(name, value) else value
        for name, value in backend.options.items()
    }
    return {"name": backend.name, "type": backend.type, "config": options, "names": backend.names}


def _program(need: Need, root: str) -> dict[str, str]:
    """What identifies a program: inside the project its place and its bytes, elsewhere its path."""
    backend, path = need.backend.name if need.backend else "", need.detail or need.subject
    below = os.path.join(repository_around(root), "")  # a store of what it extends has its program above the root
    place = f"./{os.path.relpath(path, root)}" if path.startswith(below) else path
    if not os.path.isabs(path):
        return {"backend": backend, "program": path}
    target = os.path.realpath(path)
    if target.startswith(below):
        return {"backend": backend, "program": place, "sha256": content(target)}
    return {"backend": backend, "program": place, **({} if target == path else {"target": target})}


def content(path: str) -> str:
    """The SHA-256 of a program's bytes; empty if it can't be read; a random text each time if it is too large."""
    if not os.path.isfile(path):  # a look at a pipe would end its writer
        return ""
    try:
        with open_file(path) as file:
            if os.fstat(file.fileno()).st_size > _LARGEST:
                return f"of none: larger than {_LARGEST >> 20} MiB, {os.urandom(8).hex()}"
            found = sha256()
            while chunk := file.read(1 << 20):
                found.update(chunk)
            return str(found.hexdigest())
    except OSError:
        return ""


def _of_env_files(project: Project) -> dict[str, Any]:
    """What any profile's files say: the meaning does not depend on which one is in effect.

    Risky variables with their values as written, and the names of secrets that envref did not make. In strict mode the
    bytes of all files as well: there any change asks.
    """
    files = _files(project)
    foreign = {name for file in files for entry in file.entries for name in _FOREIGN.findall(entry.text)}
    foreign |= _composed(project, files)
    found: dict[str, Any] = {"variables": _variables(files), "foreign": sorted(foreign)}
    if is_strict(project.config):
        texts = "".join(f"{file.name}\0{file}\0" for file in files).encode("utf-8", "surrogateescape")
        found["content"] = digest(project.config.source + b"\0" + texts)
    return found


def _composed(project: Project, files: Sequence[EnvFile]) -> set[str]:
    """The foreign names that references have only once they are interpolated, in any profile: `ref://p/$A`."""
    if not any(_may_be_reference(entry) for file in files for entry in file.entries):
        return set()
    from envref.env.environment import Environment
    from envref.errors import EnvrefError

    found = set()
    for layered in _every_layers(project, files):
        try:
            variables = Environment(layered, project.ambient).variables.values()
        except EnvrefError:
            continue  # these files give no values
        references = [each for variable in variables if "$" in variable.entry.text for each in variable.references()]
        found |= {each.uri for each in references if isinstance(each, Reference) and each.foreign is not None}
    return found


def _may_be_reference(entry: Entry) -> bool:
    before, dollar, _ = entry.text.partition("$")
    return bool(dollar) and entry.interpolated and (before.startswith(SCHEME) or SCHEME.startswith(before))


def _every_layers(project: Project, files: Sequence[EnvFile]) -> Iterator[Sequence[EnvFile]]:
    """Of all these files those that are read together: for the profile in effect, for each other one, and for none."""
    read = {file.name: file for file in reversed(files)}  # what `-f` named comes last
    config = project.config
    names = dict.fromkeys([None, *config.profiles])
    for place, each in (("", config), *config.parents):
        on_disk = _profiles_on_disk(os.path.join(project.root, place))
        names |= dict.fromkeys([*each.profiles, *(name.removesuffix(".local") for name in on_disk)])
    yield project.files or [read[name] for name in layers(project) if name in read]
    for profile in names:
        if profile != project.profile:
            other = Project(project.root, config, profile, files=(), warnings=())
            yield [read[name] for name in layers(other) if name in read]


def _files(project: Project) -> list[EnvFile]:
    """Those of every profile, and what `-f` named. What was read already is not read again: the disk may differ."""
    read = {file.name: file for file in project.files if not outside(project.root, file.name)}
    names = _every_file(project)
    others = {file.name: file for file in env_files(project, [name for name in names if name not in read])}
    return [{**others, **read}[name] for name in names if name in read or name in others] + list(project.named)


def _variables(files: Iterable[EnvFile]) -> dict[str, list[str]]:
    """The values of every risky name, and of the names that risky values interpolate. A credential is its digest."""
    values: dict[str, list[Entry]] = {}
    for entry in (entry for file in files for entry in merge([file])):
        values.setdefault(entry.name, []).append(entry)
    names = {name for name, found in values.items() if dangerous((name, each.text) for each in found)}
    waiting = list(names)
    while waiting:
        inner = {each for entry in values[waiting.pop()] for each in _interpolated(entry.text)}
        new = {each for each in inner if each in values and each not in names}
        waiting += new
        names |= new
    return {name: sorted({masked(entry) for entry in values[name]}) for name in names}


def _interpolated(text: str) -> set[str]:
    """The names that the value may interpolate: `${my-var}` is one of two, and `$my.var` another."""
    found = _INTERPOLATED.findall(text)
    return {each for name in found for each in (name, name.partition("-")[0], *_WORD.findall(name)[:1])}


def masked(entry: Entry) -> str:
    """The value as written; a literal credential, or one within an address, only as its digest."""
    text = entry.text
    if SCHEME not in text and _CREDENTIAL.search(entry.name):
        return f"sha256 {digest(text.encode('utf-8', 'surrogateescape'))}"
    return _USERINFO.sub(lambda found: f"//{found[1]}:sha256 {digest(found[2].encode())}@", text)


def _every_file(project: Project) -> list[str]:
    """Those in effect, and every profile's; of what it extends as well."""
    names = layers(project)
    for place, config in (("", project.config), *project.config.parents):
        on_disk = [f".env.{name}" for name in _profiles_on_disk(os.path.join(project.root, place))]
        names += [os.path.normpath(os.path.join(place, name)) for name in (*config.profiles.values(), *on_disk)]
    return list(dict.fromkeys(names))


def digests(project: Project, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the meaning is read from: the real path and the SHA-256 of the config, the env files and the programs.

    An env file that is not there counts as well: one that comes is a change.
    """
    paths = [project.config.path, *(os.path.join(project.root, name) for name in _every_file(project))]
    paths += [need.detail for need in needs(project, environment) if need.condition == PROGRAM and need.detail]
    return {path: content(path) for path in map(os.path.realpath, paths)}


def _profiles_on_disk(root: str) -> list[str]:
    try:
        names = [name.removeprefix(".env.") for name in os.listdir(root) if name.startswith(".env.")]
    except OSError:
        return []
    return [name for name in names if is_profile_name(name.removesuffix(".local"))]
