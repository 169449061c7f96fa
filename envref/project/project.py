"""Project: the directory of the nearest `.envref.yaml`, its config, the effective profile, and its env files."""

from __future__ import annotations

import os

from envref.env import file as envfile
from envref.env.file import EnvFile
from envref.errors import EnvrefError, UsageError
from envref.paths import shown
from envref.project.config.files import FILE, check_owner
from envref.project.config.load import load as load_config
from envref.project.config.model import Config, is_profile_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envref.env.file import Entry


class NoProject(EnvrefError):
    """There is no `.envref.yaml` from the start directory upwards."""


class Project:
    """A project as a command sees it.

    `root` is an absolute path without symlinks. `files` are the env files that were read, base first, named relative to
    the root; `unread` names those that lead out of the project and wait for trust; `profile` is the profile in effect
    (commands.md 1.5).
    """

    __slots__ = ("config", "files", "profile", "root", "unread", "warnings")

    def __init__(
        self,
        root: str,
        config: Config,
        profile: str | None,
        *,
        files: Sequence[EnvFile],
        warnings: Sequence[str],
        unread: Sequence[str] = (),
    ) -> None:
        self.root = root
        self.config = config
        self.profile = profile
        self.files = tuple(files)
        self.unread = tuple(unread)
        self.warnings = tuple(warnings)

    @property
    def entries(self) -> list[Entry]:
        """The assignments that count, in merged order (commands.md 5.1)."""
        return envfile.merge(self.files)

    @property
    def ambient(self) -> Mapping[str, str] | None:
        """The process environment, if the config lets `${NAME}` fall back to it (commands.md 5.2)."""
        return os.environ if self.config.interpolate_environment else None


def find(start: str, environment: Mapping[str, str] = os.environ) -> str:
    """The path of the nearest `.envref.yaml` from `start` upwards. Raises NoProject.

    Refuses, and never skips, a directory on the way that somebody else could change (commands.md 3.2): they could
    choose the config there, or hide it.
    """
    directory = os.path.realpath(start)
    passed = [directory]
    while not os.path.lexists(os.path.join(directory, FILE)):
        if directory == os.path.dirname(directory):
            raise NoProject(f"no {FILE} found", subject="loading config", run=("envref", "init"))
        directory = os.path.dirname(directory)
        passed.append(directory)
    for each in passed:
        _check_directory(each, environment)
    return os.path.join(directory, FILE)


def _check_directory(directory: str, environment: Mapping[str, str]) -> None:
    name = shown(directory, environment)
    try:
        check_owner(directory, os.stat(directory), environment)
    except OSError as error:
        raise EnvrefError(f"{name}: {(error.strerror or 'unreadable').lower()}", subject="loading config") from None


def _nothing(_project: Project) -> bool:
    return False


def load(
    start: str,
    profile: str | None = None,
    environment: Mapping[str, str] = os.environ,
    may_read_outside: Callable[[Project], bool] = _nothing,
) -> Project:
    """The project around `start` with its env files. `profile` is the option's value, None without one.

    A file that leads out of the project is read if `may_read_outside` allows it; else `unread` and a warning name it.
    Raises NoProject, EnvrefError for a config or file that can't be used, UsageError for a wrong profile name.
    """
    project = configured(start, profile, environment)
    paths = {name: readable(project, name, may_read_outside) for name in _present(project)}
    files = [EnvFile.read(path, name) for name, path in paths.items() if path]
    unread = [name for name, path in paths.items() if not path]
    warnings = [
        *project.warnings,
        *(str(warning) for file in files for warning in file.warnings),
        *(not_read(project.root, name) for name in unread),
    ]
    return Project(project.root, project.config, project.profile, files=files, warnings=warnings, unread=unread)


def configured(start: str, profile: str | None = None, environment: Mapping[str, str] = os.environ) -> Project:
    """As `load`, without reading env files: for commands that need only the config and the profile."""
    path = find(start, environment)
    root, config = os.path.dirname(path), load_config(path, environment)
    effective = profile or environment.get("ENVREF_PROFILE") or config.active_profile
    if effective is None or is_known(effective, root, config):
        return Project(root, config, effective, files=(), warnings=config.warnings)
    if not is_profile_name(effective):
        raise UsageError(
            f'invalid profile name "{effective}"',
            hint="a name has letters, digits, _ and -, and is not local, example, sample or template",
        )
    unknown = f'profile "{effective}" is not configured and .env.{effective} does not exist'
    return Project(root, config, effective, files=(), warnings=(*config.warnings, unknown))


def bare(directory: str, profile: str | None = None, environment: Mapping[str, str] = os.environ) -> Project:
    """A directory without a config, as a Project: the usual file names, no store."""
    effective = profile or environment.get("ENVREF_PROFILE") or None
    return Project(os.path.realpath(directory), Config(project="", backends=()), effective, files=(), warnings=())


def is_known(profile: str, root: str, config: Config) -> bool:
    """Whether the profile is configured or has its file (commands.md 1.5)."""
    on_disk = is_profile_name(profile) and os.path.lexists(os.path.join(root, f".env.{profile}"))
    return profile in config.profiles or on_disk


def profiles(root: str, config: Config) -> dict[str, str]:
    """The known profiles and the env file of each, sorted: those configured, and those that have their file."""
    files = [name.removeprefix(".env.") for name in os.listdir(root) if name.startswith(".env.")]
    return {name: config.profile_file(name) for name in sorted({*config.profiles, *filter(is_profile_name, files)})}


def file_names(config: Config, profile: str | None) -> list[str]:
    """The env files of a profile relative to the root: base, profile, local. Only the base has to exist."""
    middle = [] if profile is None else [config.profile_file(profile)]
    return [config.env_file, *middle, config.local_file]


def _present(project: Project) -> list[str]:
    """The names of the files to read: the base, and the others that exist."""
    base, *optional = file_names(project.config, project.profile)
    return [base, *(name for name in optional if os.path.lexists(os.path.join(project.root, name)))]


def env_files(project: Project, names: Iterable[str] | None = None) -> list[EnvFile]:
    """The env files of these names, by default the profile's, that are in the project and can be read.

    For judging what the files set: an unreadable file sets nothing.
    """
    files = []
    for name in file_names(project.config, project.profile) if names is None else names:
        try:
            files.append(EnvFile.read(env_path(project.root, name), name))
        except EnvrefError:
            continue
    return files


def readable(project: Project, name: str, may_read_outside: Callable[[Project], bool]) -> str:
    """The path of an env file; empty if a symlink leads it out of the project and it may not be read."""
    target = outside(project.root, name)
    if not target:
        return os.path.join(project.root, name)
    return target if may_read_outside(project) else ""


def not_read(root: str, name: str) -> str:
    """The warning about a file that was not read."""
    target = shown(outside(root, name))
    return f"{name} is not read: it is a symlink to {target}, outside the project; run: envref trust"


def outside(root: str, name: str) -> str:
    """Where a symlink leads an env file, if that is outside the project (security.md 5.1 d); else empty."""
    path = os.path.join(root, name)
    if "/" not in name and not os.path.islink(path):
        return ""
    target = os.path.realpath(path)
    return "" if target.startswith(os.path.join(root, "")) else target


def env_path(root: str, name: str) -> str:
    """The path of an env file that is to be written, or must not come from elsewhere. EnvrefError if it leads out."""
    target = outside(root, name)
    if target:
        raise EnvrefError(
            f"refusing to read {name}: it is a symlink to {shown(target)}, outside the project",
            hint="replace the link by the file",
        )
    return os.path.join(root, name)
