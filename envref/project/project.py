"""Project: the nearest `.envref.yaml`, its config, env files and profile in effect (a wrong name is refused)."""

from __future__ import annotations

import os

from envref.env import file as envfile
from envref.env.file import EnvFile
from envref.errors import EnvrefError, UsageError, pasted
from envref.paths import NO_DIRECTORY, nearest, open_ours, shown, state_path
from envref.project.config.files import FILE, check_directory
from envref.project.config.load import load as load_config
from envref.project.config.model import Config, is_profile_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envref.env.file import Entry


_LONGEST_NAME = 200  # bytes, of the 255 that a file name may have
PATIENCE = 10.0  # seconds to wait for what a pipe holds, if nobody says


class NoProject(EnvrefError):
    """There is no `.envref.yaml` from the start directory upwards."""


class Project:
    """A project as a command sees it.

    `root` is an absolute path without symlinks. `files` are the env files that were read, base first, named relative to
    the root; `named` are those of them that the command line named; `unread` names those that lead out of the project
    and wait for trust; `profile` is the profile in effect (commands.md 1.5).
    """

    __slots__ = ("config", "files", "named", "profile", "root", "unread", "warnings")

    def __init__(
        self,
        root: str,
        config: Config,
        profile: str | None,
        *,
        files: Sequence[EnvFile],
        warnings: Sequence[str],
        unread: Sequence[str] = (),
        named: Sequence[EnvFile] = (),
    ) -> None:
        self.root = root
        self.config = config
        self.profile = profile
        self.files = tuple(files)
        self.named = tuple(named)
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
    directory = real(start)
    passed = [directory]
    while not os.path.lexists(os.path.join(directory, FILE)):
        if directory == os.path.dirname(directory):
            raise NoProject(f"no {FILE} found", subject="loading config", run=("envref", "init"))
        directory = os.path.dirname(directory)
        passed.append(directory)
    for each in passed:
        check_directory(each, environment)
    return os.path.join(directory, FILE)


def real(start: str) -> str:
    """The directory to start in without symlinks. EnvrefError for a current directory that was removed."""
    try:
        return os.path.realpath(start)
    except FileNotFoundError:
        raise EnvrefError(NO_DIRECTORY, hint="cd to one that does") from None


def _nothing(_project: Project) -> bool:
    return False


def load(
    start: str,
    profile: str | None = None,
    environment: Mapping[str, str] = os.environ,
    may_read_outside: Callable[[Project], bool] = _nothing,
    *,
    patience: float | None = None,
    known: Iterable[EnvFile] = (),
) -> Project:
    """The project around `start` with its env files. `profile` is the option's value, None without one.

    A file that leads out of the project is read if `may_read_outside` allows it; else `unread` and a warning name it.
    `patience` is how many seconds to wait for a pipe. `known` are files that were read already: a pipe can't be again.
    Raises NoProject, EnvrefError for a config or file that can't be used, UsageError for a wrong profile name.
    """
    project = configured(start, profile, environment)
    read = {file.name: file for file in known}
    files, unread = [], []
    for name in present(project):
        path = readable(project, name, may_read_outside)
        if path:
            files.append(read.get(name) or EnvFile.read(path, name, patience or PATIENCE))
        else:
            unread.append(name)
    return with_files(project, files, unread)


def with_files(
    project: Project, files: Sequence[EnvFile], unread: Sequence[str], named: Sequence[EnvFile] = ()
) -> Project:
    """The project with these env files, and their warnings."""
    warnings = [
        *project.warnings,
        *(str(warning) for file in files for warning in file.warnings),
        *(not_read(project.root, name) for name in unread),
    ]
    return Project(
        project.root, project.config, project.profile, files=files, warnings=warnings, unread=unread, named=named
    )


def configured(start: str, profile: str | None = None, environment: Mapping[str, str] = os.environ) -> Project:
    """As `load`, without reading env files: for commands that need only the config and the profile."""
    path = find(start, environment)
    root, config = os.path.dirname(path), load_config(path, environment)
    if config.extends:
        from envref.project.inherited import inherit

        config = inherit(config, root, environment)
    effective = profile or environment.get("ENVREF_PROFILE") or active(root, config, environment)
    if effective is None or is_known(effective, root, config):
        return Project(root, config, effective, files=(), warnings=config.warnings)
    if not is_profile_name(effective):
        raise UsageError(
            f'invalid profile name "{effective}"',
            hint="a name has letters, digits, _ and -, and is not local, example, sample or template",
        )
    unknown = f'profile "{effective}" is not configured and .env.{effective} does not exist'
    return Project(root, config, effective, files=(), warnings=(*config.warnings, unknown))


def active(root: str, config: Config, environment: Mapping[str, str] = os.environ) -> str | None:
    """The profile in effect where nobody names one: what the user chose here, else what the config says."""
    try:
        with open_ours(choice_path(root, environment)) as file:
            kept_root, _, name = os.fsdecode(file.read()).partition("\0")
    except OSError:
        return config.active_profile
    return name or None if kept_root == root else config.active_profile


def choice_path(root: str, environment: Mapping[str, str]) -> str:
    """Where `envref profile use` keeps the choice: in the user's state, outside of git (docs/adr/0040).

    Two long paths with one ending may share a file; each then finds the other's root in it. Empty without a home.
    """
    name = os.fsencode(root).replace(b"/", b"%")[-_LONGEST_NAME:]
    return state_path("profile", os.fsdecode(name), environment=environment)


def bare(directory: str, profile: str | None = None, environment: Mapping[str, str] = os.environ) -> Project:
    """A directory without a config, as a Project: the usual file names, no store."""
    effective = profile or environment.get("ENVREF_PROFILE") or None
    return Project(real(directory), Config(backends=()), effective, files=(), warnings=())


def is_known(profile: str, root: str, config: Config) -> bool:
    """Whether the profile is configured or has its file (commands.md 1.5)."""
    on_disk = is_profile_name(profile) and os.path.lexists(os.path.join(root, f".env.{profile}"))
    return (
        profile in config.profiles
        or on_disk
        or any(is_known(profile, os.path.join(root, place), parent) for place, parent in config.parents)
    )


def profiles(root: str, config: Config) -> dict[str, str]:
    """The known profiles and the env file of each, sorted: those configured, and those that have their file."""
    files = [name.removeprefix(".env.") for name in os.listdir(root) if name.startswith(".env.")]
    return {name: config.profile_file(name) for name in sorted({*config.profiles, *filter(is_profile_name, files)})}


def words_of(profile: str | None) -> tuple[str, ...]:
    """The words that make a command mean the profile."""
    return ("--profile", profile) if profile else ()


def shared_names(config: Config, profile: str | None) -> list[str]:
    """The env files for everybody: base and profile, relative to the root. Only the base has to exist."""
    return [config.env_file] if profile is None else [config.env_file, config.profile_file(profile)]


def file_names(config: Config, profile: str | None) -> list[str]:
    """The project's own env files for a profile, relative to the root, lowest first: the personal ones win."""
    personal = [config.local_file] if profile is None else [config.local_file, f".env.{profile}.local"]
    return [*shared_names(config, profile), *personal]


def layers(project: Project) -> list[str]:
    """The env files of the project in effect, relative to the root, lowest first; those that it extends are below.

    A linked work tree without a personal file of its own has that of the main one.
    """
    own = file_names(project.config, project.profile)
    local = project.config.local_file
    if not os.path.lexists(os.path.join(project.root, local)):
        own[own.index(local)] = _of_main_work_tree(project) or local
    return [*_inherited(project, file_names), *own] if project.config.parents else own


def committed_layers(project: Project) -> list[str]:
    """The same without the personal ones."""
    return [*_inherited(project, shared_names), *shared_names(project.config, project.profile)]


def _inherited(project: Project, names: Callable[[Config, str | None], list[str]]) -> list[str]:
    below = [(place, name) for place, each in project.config.parents[::-1] for name in names(each, project.profile)]
    return [os.path.normpath(os.path.join(place, name)) for place, name in below]


def _of_main_work_tree(project: Project) -> str:
    """The personal file of the main work tree, relative to the root, where the project is in a linked one."""
    tree = nearest(project.root, ".git")
    if not tree or os.path.isdir(os.path.join(tree, ".git")):
        return ""
    from envref.project.linked import personal_file

    return personal_file(project.root, tree, project.config.local_file)


def present(project: Project, replaced: Iterable[str] = ()) -> list[str]:
    """The names of the files to read: the base, the others that exist, and those that are `replaced`."""
    names = [name for name in layers(project) if name in replaced or os.path.lexists(os.path.join(project.root, name))]
    if project.config.env_file in names or (names and project.config.parents):
        return names
    raise without_base(project)


def without_base(project: Project) -> EnvrefError:
    """What to say where the base file is missing; its example may be there."""
    base = project.config.env_file
    example = f"{base}.example"
    typed = [os.path.relpath(os.path.join(project.root, name)) for name in (example, base)]
    run = ("cp", *typed) if os.path.lexists(os.path.join(project.root, example)) else ()
    return EnvrefError("no such file or directory", subject=base, run=run)


def env_files(project: Project, names: Iterable[str] | None = None) -> list[EnvFile]:
    """The env files of these names, by default the profile's, that are in the project and can be read.

    For judging what the files set: an unreadable file sets nothing.
    """
    files = []
    for name in layers(project) if names is None else names:
        try:
            files.append(EnvFile.read(env_path(project.root, name), name))
        except EnvrefError:
            pass
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
    return f"{name} is not read: it is a symlink to {target}, outside the project; run: {pasted(('envref', 'trust'))}"


def outside(root: str, name: str) -> str:
    """Where a symlink leads an env file, if that is outside the project (security.md 5.1 d); else empty."""
    path = os.path.join(root, name)
    if "/" not in name and not os.path.islink(path):
        return ""
    if name.startswith("../"):
        from envref.project.inherited import beyond

        return beyond(root, path)
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
