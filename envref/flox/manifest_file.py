"""The manifest's file: where it is, and how it is read and replaced."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envref import atomic
from envref.errors import EnvrefError, MalformedFile, Problem
from envref.flox.manifest import Manifest
from envref.paths import open_file, shown

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = os.path.join(".flox", "env", "manifest.toml")


def locate(root: str) -> str:
    """The manifest of the Flox environment around a project, from its root upwards. Raises EnvrefError."""
    directory = os.path.abspath(root)
    while not os.path.lexists(os.path.join(directory, PLACE)):
        if directory == os.path.dirname(directory):
            raise EnvrefError(f"no {PLACE} in {shown(root)} or above", run=("flox", "init"))
        directory = os.path.dirname(directory)
    return os.path.join(directory, PLACE)


def folder(path: str, root: str) -> str:
    """The folder that no symlink may leave when the manifest at `path` is edited."""
    path = os.path.abspath(path)
    if path.startswith(os.path.join(root, "")):
        return root
    return path.removesuffix(os.sep + PLACE) if path.endswith(os.sep + PLACE) else os.path.dirname(path)


def around(root: str) -> Manifest:
    """The manifest of the Flox environment around a project. Raises EnvrefError, where there is none as well."""
    path = locate(root)
    inside = folder(path, root)
    return read(path, os.path.relpath(path, inside), inside=inside)


def read(path: str, name: str, *, inside: str) -> Manifest:
    """The manifest at `path`. Raises EnvrefError for a file that can't be read, or that envref must not touch."""
    real = os.path.realpath(path)
    if not real.startswith(os.path.join(os.path.realpath(inside), "")):
        raise EnvrefError(
            f"refusing to read {name}: it is a symlink to {shown(real)}, outside the project",
            hint="replace the link by the file",
        )
    if os.path.lexists(real) and not os.path.isfile(real):
        raise EnvrefError(f"refusing to read {name}: it is not a regular file")
    try:
        with open_file(real) as file:
            data = file.read()
    except OSError as error:
        raise EnvrefError(f"reading {name}: {error.strerror}") from None
    return Manifest(_decoded(data, name), name)


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
    raise MalformedFile([Problem(name, line, column, "not valid UTF-8")])


def change(path: str, name: str, edit: Callable[[Manifest], Manifest], *, inside: str) -> tuple[Manifest, Manifest]:
    """Replaces the file by what `edit` makes of it, if that differs; returns the old and the new manifest."""
    with atomic.lock(path, inside=inside):
        old = read(path, name, inside=inside)
        new = edit(old)
        if str(new) != str(old):
            atomic.write(path, str(new).encode(), inside=inside)
    return old, new
