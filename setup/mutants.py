"""Mutants: faults that the tests would not notice: `python -m setup.mutants --count 20 --room trust` (`make mutants`).

A mutant is the code with one small fault in it: a comparison that is off by one, a line that is not there. The tests of
the changed module are run, then those of its room; when they stay green, hardly anybody would have seen that fault come
in. Each survivor wants a test, or a reason why it makes no difference. The work is done in a copy of the checkout.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from setup.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A module is of the room whose place is nearest to it; "" is all that no other room has.
ROOMS = {
    "core": ("refs", "env", "formats", "resolve"),
    "stores": ("backends",),
    "trust": ("project/trust",),
    "flox": ("flox",),
    "project": ("project",),
    "fresh": ("fresh",),
    "agent": ("agent", "client.py"),
    "tools": ("tools",),
    "checks": ("checks",),
    "secrets": ("secrets",),
    "cli": ("cli", "__main__.py"),
    "ground": ("",),
}
_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
# Left alone: no test could see a type, and positions in f-strings are wrong before Python 3.12.
_UNSEEN = (ast.JoinedStr, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)
_ANNOTATIONS = ("annotation", "returns")
_LONGEST = 1800  # seconds that the tests of one module may take, on a busy machine
_LONGEST_TEST = 120  # seconds; a fault may make a loop that never ends
_FEW = 16  # test files of a room that are run for a survivor of its own
_FEW_IMPORTERS = 4  # modules of the command line whose tests are run for a survivor of what they import
_MOST_RED = 10  # tests that may fail without a fault, before there is something else to mend
_QUIET = (
    *("-q", "-p", "no:cacheprovider", "-o", f"faulthandler_timeout={_LONGEST_TEST}"),
    *("-o", "faulthandler_exit_on_timeout=true"),
)
_LIBRARIES = ("pytest", "hypothesis", "jsonschema", "click", "yaml", "tomlkit", "cryptography", "pyrage", "keyring")


class Mutant(NamedTuple):
    """`module` with the bytes from `start` to `end` replaced; `line` is where that is, counted from 1."""

    module: str
    line: int
    start: int
    end: int
    text: str

    def of(self, source: bytes) -> bytes:
        """The changed module."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def told(self, source: bytes) -> str:
        """For a person: the place, what stood there, and what stands there now."""
        before = " ".join(source[self.start : self.end].decode().split())
        return f"{self.module}:{self.line}: {before}  ->  {self.text}"


def mutants(module: str, source: bytes) -> list[Mutant]:
    """Every mutant of a module, in the order of the text."""
    lines = [0, *(match.end() for match in re.finditer(b"\n", source))]
    found = []
    tree = ast.parse(source)
    needless = {id(each) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for each in _last(node.body)}
    for node, text in _changes(tree):
        if text == "pass" and id(node) in needless:
            continue
        start = lines[node.lineno - 1] + node.col_offset
        end = lines[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        found.append(Mutant(module, node.lineno, start, end, text))
    return found


def _changes(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Each node of a tree that can be replaced, with what replaces it."""
    if isinstance(node, ast.stmt):
        yield from ((node, text) for text in _other_statement(node))
    elif isinstance(node, ast.expr):
        yield from ((node, f"({ast.unparse(changed)})") for changed in _other_expressions(node))
    for name, value in ast.iter_fields(node):
        if name in _ANNOTATIONS:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, _UNSEEN) and not _is_for_readers(child):
                yield from _changes(child)


def _last(body: Sequence[ast.stmt]) -> Iterator[ast.Return]:
    """The statements that return None where the function ends anyway: without them it does the same."""
    match body[-1:]:
        case [ast.Return(value=ast.Constant(value=None) | None) as node]:
            yield node
        case [ast.If(body=body, orelse=other)]:
            yield from (*_last(body), *_last(other))
        case [ast.With(body=body)]:
            yield from _last(body)
        case [ast.Try(handlers=handlers, orelse=other)]:
            yield from (node for handler in handlers for node in _last(handler.body))
            yield from _last(other)
        case [ast.Match(cases=cases)]:
            yield from (node for case in cases for node in _last(case.body))


def _is_for_readers(node: ast.AST) -> bool:
    """A docstring, slots, and what only a type checker runs."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__slots__" | "__all__")]):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Assign(targets=[ast.Name(id="TYPE_CHECKING")]):
            return True
    return False


def _other_statement(node: ast.stmt) -> list[str]:
    match node:
        case ast.Return(value=ast.Constant(value=None)) | ast.Return(value=None):
            return ["pass"]
        case ast.Return(value=ast.Constant(value=bool())):
            return []  # the other truth is tried; None makes no difference where only truth is looked at
        case ast.Return(value=ast.Constant(value="")):
            return ["return 'mutant'"]  # the same with an empty text
        case ast.Return():
            return ["return None"]
        case ast.Raise() | ast.Expr() | ast.AugAssign() | ast.Break() | ast.Continue() | ast.Delete():
            return ["pass"]
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            return ["pass"]
    return []


def _other_expressions(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _SWAPPED:
            return [ast.Compare(node.left, [_swapped(operator)], node.comparators)]
        case ast.BoolOp():
            return [ast.BoolOp(_swapped(node.op), node.values)]
        case ast.BinOp() if type(node.op) in _SWAPPED:
            return [ast.BinOp(node.left, _swapped(node.op), node.right)]
        case ast.UnaryOp(op=ast.Not()):
            return [node.operand]
        case ast.IfExp():
            return [ast.IfExp(node.test, node.orelse, node.body)]
        case ast.Constant(value=bool(flag)):
            return [ast.Constant(not flag)]
        case ast.Constant(value=int(number)):
            return [ast.Constant(number + 1)]
    return []


def _swapped(operator: ast.AST) -> Any:
    """An instance of the opposite operator; only the caller knows what kind of operator it is."""
    return _SWAPPED[type(operator)]()


def mirrored(module: str, root: str) -> list[str]:
    """The test files of a module: its own and its room's; without any, those of the room around that speak of it.

    Where none does, a command's are those named for it in the room that it serves. Then come those of the modules
    beside it that import it, and else all of the room.
    """
    chosen = _near(module, root) or _of_importers(module, root) or _of_rooms(module, root)
    return [f"tests/{path}" for path in chosen]


def beside(module: str, root: str, own: Sequence[str]) -> list[str]:
    """The other test files of the module's room, if they are few, and those of its name in other rooms.

    Of the command line also those that call the command, and those named for commands that import it, if they are few.
    """
    files, parts = _test_files(root), _parts(module)
    room = _of_rooms(module, root)
    others = [path for paths in _named(parts, files) for path in paths]
    if parts[0] == "cli":
        others += _of_command_line(parts, files, root)
    found = [f"tests/{path}" for path in dict.fromkeys([*(room if len(room) <= _FEW else []), *others])]
    return [path for path in found if path not in own]


def _of_command_line(parts: Sequence[str], files: Sequence[str], root: str) -> list[str]:
    """The tests anywhere that type the module's command, those named for the few modules that import it, the pages that
    show each option, and then all others of the command line: what survives those, hardly any test would notice.
    """
    typed = [f"envref({', '.join(words)}" for words in _commands_of(parts, root)]
    calling = [path for path in files if any(call in _text(os.path.join(root, "tests", path)) for call in typed)]
    importers = [path for path in _command_line(root) if _speaks(path, parts)]
    near = [_named(_parts(os.path.relpath(path, root)), files) for path in importers[: _FEW_IMPORTERS + 1]]
    named = [path for named in near for paths in named for path in paths]
    rest = ["test_reference_pages.py", *(path for path in files if path.startswith("cli/")), "test_transcripts.py"]
    return [*calling, *(named if len(importers) <= _FEW_IMPORTERS else []), *rest]


def _command_line(root: str) -> list[str]:
    """The paths of the modules of the command line."""
    places = [os.path.join(top, name) for top, _, names in os.walk(os.path.join(root, "envref/cli")) for name in names]
    return sorted(path for path in places if path.endswith(".py"))


def _commands_of(parts: Sequence[str], root: str) -> list[list[str]]:
    """The words, quoted, of the commands whose module this is, by the tables of the command line and its groups."""
    module = re.escape(".".join(["envref", *parts]))
    found = []
    for path in _command_line(root):
        group = os.path.relpath(os.path.dirname(path), os.path.join(root, "envref/cli")).removeprefix(".")
        names = re.findall(rf'("[\w-]+"): "{module}:', _text(path))
        found += [[*([f'"{group}"'] if group else []), name] for name in names]
    return found


def _near(module: str, root: str) -> list[str]:
    parts = _parts(module)
    names = [(name, depth) for name in (parts, parts[:-1], [*parts[:-1], *parts[-2:-1]]) for depth in range(len(name))]
    own = [os.path.join(*name[:depth], f"test_{'_'.join(name[depth:])}.py") for name, depth in names]
    files = _test_files(root)
    found = sorted({path for path in own if path in files})
    rooms = [[path for path in files if _is_in(path, place)] for place in _places(parts)] or [files]
    speaking = [[path for path in room if _speaks(os.path.join(root, "tests", path), parts)] for room in rooms]
    return next(filter(None, [found, *speaking, *(_named(parts, files) if parts[0] == "cli" else ())]), [])


def _named(parts: Sequence[str], files: Sequence[str]) -> list[list[str]]:
    """Test files of other rooms that have its name; for a command also its group's, and the room that has its name."""
    if parts[0] != "cli":
        return [[path for path in files if path.endswith(f"/test_{parts[-1]}.py") and path.split("/")[0] != parts[0]]]
    names = [name.strip("_") for name in reversed(parts[1:])]
    rooms = names[:1]
    return [
        [path for path in files if re.search(rf"/test_{name}[._]", path) or path.split("/")[0] in rooms]
        for name in names
    ]


def _of_importers(module: str, root: str) -> list[str]:
    place = os.path.join(root, os.path.dirname(module))
    beside = [os.path.join(place, name) for name in os.listdir(place) if name.endswith(".py")]
    importers = [path for path in sorted(beside) if _speaks(path, _parts(module))]
    return sorted({test for path in importers for test in _near(os.path.relpath(path, root), root)})


def _of_rooms(module: str, root: str) -> list[str]:
    rooms = [[path for path in _test_files(root) if _is_in(path, place)] for place in _places(_parts(module))]
    return next(filter(None, rooms), [])


def _parts(module: str) -> list[str]:
    return module.removeprefix("envref/").removesuffix(".py").split("/")


def _places(parts: Sequence[str]) -> list[Sequence[str]]:
    """The rooms that a module is in, the innermost first."""
    return [parts[:depth] for depth in range(len(parts) - 1, 0, -1)]


def _is_in(path: str, place: Sequence[str]) -> bool:
    """Whether a test file is of this room: in its folder, or named after it beside other rooms' files."""
    beginning = f"{'/'.join(place[:-1])}/test_{place[-1]}"
    return path.startswith((f"{'/'.join(place)}/", f"{beginning}.", f"{beginning}_"))


def _speaks(path: str, parts: Sequence[str]) -> bool:
    """Whether a test file imports the module."""
    room, name = ".".join(["envref", *parts[:-1]]), parts[-1]
    return re.search(rf"{re.escape(room)}(?:\.{name}\b| import (?:.*, )?{name}\b)", _text(path)) is not None


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _test_files(root: str) -> list[str]:
    tests = os.path.join(root, "tests")
    names = [os.path.join(top, name) for top, _, found in os.walk(tests) for name in found]
    return sorted(os.path.relpath(name, tests) for name in names if re.search(r"/test_\w+\.py$", name))


def modules(room: str) -> list[str]:
    """The modules of a room, as paths below the root of the checkout."""
    top = os.path.join(ROOT, "envref")
    names = [os.path.relpath(os.path.join(at, name), top) for at, _, found in os.walk(top) for name in found]
    wanted = [name for name in names if name.endswith(".py") and "__init__" not in name and _room(name) == room]
    return sorted(f"envref/{name}" for name in wanted)


def _room(name: str) -> str:
    """The room of a module, given below envref/."""
    places = [(place, room) for room, places in ROOMS.items() for place in places]
    return max((len(place), room) for place, room in places if place in ("", name) or name.startswith(f"{place}/"))[1]


class Copy:
    """A copy of the checkout in which modules are changed and tests are run."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._written = int(time.time()) - 1_000_000
        self._green: set[str] = set()
        self._red: list[str] = []
        self._failures = os.path.join(root, "pytest.failures")
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        for name in filter(None, names):
            target = os.path.join(root, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, name), target, follow_symlinks=False)
        os.symlink(os.path.join(ROOT, ".venvs"), os.path.join(root, ".venvs"))

    def survives(self, mutant: Mutant) -> bool:
        """Whether the tests pass with the fault; a test that fails without it too doesn't count."""
        own = mirrored(mutant.module, self.root)
        return self._passes(mutant, own) and self._passes(mutant, beside(mutant.module, self.root, own))

    def _passes(self, mutant: Mutant, files: Sequence[str]) -> bool:
        if not files:
            return True
        while failed := self._failed(mutant, files):
            new = [name for name in failed if name not in self._green and not self._is_green(name)]
            if not new:
                return False
            print(f"  red without a fault, left out: {' '.join(new)}", flush=True)
            self._red += new
            if len(self._red) > _MOST_RED:
                raise SystemExit("too many tests fail without a fault: make test first")
        return True

    def _failed(self, mutant: Mutant, files: Sequence[str]) -> list[str]:
        """The first test that fails with the fault; all files if they can't even be collected, or don't end."""
        source = self.read(mutant.module)
        self._write(mutant.module, mutant.of(source))
        try:
            status, _ = self._pytest([*files, "-x", *(f"--deselect={name}" for name in self._red)])
        finally:
            self._write(mutant.module, source)
        if status == 0:
            return []
        return self._told_failed(status) or [self._ended(files)]

    def _ended(self, files: Sequence[str]) -> str:
        """The tests that stand for those that a fault kept from ending; ends if they don't end without it either."""
        if (key := " ".join(files)) not in self._green:
            status, said = self._pytest(files)
            if status != 0 and not self._told_failed(status):
                raise SystemExit(
                    f"without any fault pytest can't collect these, or one of them hangs: {key}\n{said[-4000:]}"
                )
            self._green.add(key)
        return key

    def _told_failed(self, status: int | None) -> list[str]:
        """The tests that failed; none where pytest did not come to its end."""
        with open(self._failures, encoding="utf-8") as file:
            return list(dict.fromkeys(file.read().splitlines())) if status == 1 else []

    def _is_green(self, name: str) -> bool:
        """Whether a test passes without a fault."""
        if self._pytest([name])[0] == 0:
            self._green.add(name)
        return name in self._green

    def read(self, module: str) -> bytes:
        """The text of a module."""
        with open(os.path.join(self.root, module), "rb") as file:
            return file.read()

    def _write(self, module: str, source: bytes) -> None:
        """A compiled module is known by second and size, which a mutant may share with the one before it."""
        path = os.path.join(self.root, module)
        with open(path, "wb") as file:
            file.write(source)
        self._written += 2
        os.utime(path, (self._written, self._written))

    def _pytest(self, arguments: Sequence[str]) -> tuple[int | None, str]:
        """The status of these tests, None when they don't end, and what they said. In a fork: libraries are there."""
        log = os.path.join(self.root, "pytest.log")
        open(self._failures, "w").close()
        child = os.fork()
        if child == 0:
            _be_pytest(self.root, log, [*_QUIET, *arguments], [_Failures(self._failures)])
        status = _wait(child, time.monotonic() + _LONGEST)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what tests left behind
        with open(log, encoding="utf-8", errors="replace") as file:
            return status, file.read()


class _Failures:
    """What pytest tells of tests that fail: each has a line in a file. What it prints can't be taken apart."""

    def __init__(self, path: str) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Called after each step of a test."""
        if report.failed:
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(f"{report.nodeid}\n")


def _be_pytest(root: str, log: str, arguments: Sequence[str], plugins: Sequence[object]) -> None:
    """Never returns."""
    status = 99
    try:
        os.setsid()
        os.chdir(root)
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for target, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, file), (2, file)):
            os.dup2(source, target)
        for name in [name for name in sys.modules if name.partition(".")[0] == "setup"]:
            del sys.modules[name]
        sys.path[0] = root
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = os.path.join(root, ".hypothesis")
        status = int(importlib.import_module("pytest").main([*arguments], plugins=[*plugins]))
        sys.stdout.flush()
    finally:
        os._exit(status)


def _wait(child: int, deadline: float) -> int | None:
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def measure(room: str, count: int, seed: str) -> tuple[int, int]:
    """Tries `count` mutants of a room, chosen by the seed; prints the survivors. How many were killed, of how many."""
    with tempfile.TemporaryDirectory(prefix="mutants") as root:
        os.chmod(root, 0o755)
        copy = Copy(os.path.join(root, "envref"))
        every = [mutant for module in modules(room) for mutant in mutants(module, copy.read(module))]
        chosen = random.Random(f"{seed} {room}").sample(every, min(count, len(every)))
        killed = 0
        for mutant in sorted(chosen):
            if copy.survives(mutant):
                print(f"  survived {mutant.told(copy.read(mutant.module))}", flush=True)
            else:
                killed += 1
        print(f"{room}: {killed} of {len(chosen)} killed ({100 * killed / len(chosen):.0f} %)", flush=True)
        return killed, len(chosen)


def main() -> None:
    """Prints survivors and the score of each room; ends well whatever they are."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--room", choices=[*ROOMS, "all"], default="all")
    parser.add_argument("--count", type=int, default=20, help="mutants of each room")
    parser.add_argument("--seed", default="1", help="another one tries others")
    options = parser.parse_args()
    for library in _LIBRARIES:
        importlib.import_module(library)
    rooms = [*ROOMS] if options.room == "all" else [options.room]
    scores = [measure(room, options.count, options.seed) for room in rooms]
    killed, tried = (sum(numbers) for numbers in zip(*scores, strict=True))
    print(f"all: {killed} of {tried} killed ({100 * killed / tried:.0f} %)")


if __name__ == "__main__":
    main()
