"""Finder: finds envref's own modules beside their package, and reads what Python compiled of them.

Python's own finder looks for a module under five names in each directory, and asks the system a dozen things about each
file that it reads: a quarter of what an activation cost beyond Python's start (docs/adr/0044-finder.md). A compiled
file counts here as it does for Python: made by this Python, of a source of just this time and size, or to be taken
unchecked (PEP 552). Whatever else is there, or missing, is left to Python's own finder and loader.
"""

from __future__ import annotations

import _imp
import marshal
import os
import sys

# Python has these two loaded by its start. importlib.machinery, which has them too, would be another file to load.
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType

_PACKAGE = "envref."
# The flags of a compiled file: it counts by its source's time and size; or always, as in Nix' store.
_BY_TIME, _ALWAYS = b"\0\0\0\0", b"\1\0\0\0"
_HEAD = 16  # bytes of a compiled file before its code: MAGIC_NUMBER, flags, time, size
_WORD = 0xFFFFFFFF


class _Loader(SourceFileLoader):
    """Of one module; `compiled` is its compiled file, `head` how that begins if it was made of the source as it is."""

    def __init__(self, name: str, source: str, compiled: str, head: bytes) -> None:
        super().__init__(name, source)
        self._compiled = compiled
        self._head = head

    def get_code(self, fullname: str) -> CodeType | None:
        try:
            data = _read(self._compiled)
        except OSError:
            return super().get_code(fullname)
        if not data.startswith((self._head, MAGIC_NUMBER + _ALWAYS)):
            return super().get_code(fullname)
        code: CodeType = marshal.loads(memoryview(data)[_HEAD:])  # noqa: S302  as Python does with the same file
        # It may have been compiled elsewhere. Python then puts its place into each function.
        return code if code.co_filename == self.path else super().get_code(fullname)


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


class _Finder:
    """`ending` is how the names of this Python's compiled files end."""

    def __init__(self, ending: str) -> None:
        self._ending = ending

    def find_spec(self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of a module of envref; without one, Python asks its own finder."""
        if not path or not name.startswith(_PACKAGE):
            return None
        place = f"{path[0]}/{name.rpartition('.')[2]}"
        return self._spec(name, place) or self._spec(name, f"{place}/__init__")

    def _spec(self, name: str, place: str) -> ModuleSpec | None:
        """For the source at `place` without its `.py`; None if there is no such file."""
        source = f"{place}.py"
        try:
            status = os.stat(source)
        except OSError:
            return None
        directory, _, module = place.rpartition("/")
        compiled = f"{directory}/__pycache__/{module}{self._ending}"
        counts = ((int(status.st_mtime) & _WORD).to_bytes(4, "little"), (status.st_size & _WORD).to_bytes(4, "little"))
        head = b"".join((MAGIC_NUMBER, _BY_TIME, *counts))
        is_room = module == "__init__"
        spec = ModuleSpec(name, _Loader(name, source, compiled, head), origin=source, is_package=is_room)
        spec.has_location, spec.cached = True, compiled
        if is_room:
            spec.submodule_search_locations = [directory]
        return spec


def install() -> None:
    """Has the finder asked first, if Python keeps compiled files beside their sources; once."""
    directory, _, file = __file__.rpartition("/")
    beside = f"{directory}/__pycache__/{file.removesuffix('.py')}"
    compiled = getattr(__spec__, "cached", None) or ""
    if _imp.check_hash_based_pycs == "always" or any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if compiled.startswith(beside):
        sys.meta_path.insert(0, _Finder(compiled.removeprefix(beside)))
