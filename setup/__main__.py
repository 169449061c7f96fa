"""The repository's doors, as `make` opens them: `python -m setup demo`, and so on for each of `DOORS`."""

from __future__ import annotations

import functools
import glob
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, NamedTuple

from setup import nix, node_packages, pins, stores
from setup.environment import ROOT, Environment
from setup.interpreters import interpreters
from setup.programs import install_missing
from setup.scope import scope_of
from setup.steps import at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from setup.interpreters import Interpreter

_MOST_WORKERS = 4  # the vault's tests take 128 MiB of memory each
# Every worker would rewrite the assertions of all tests anew: 7 s of processor time each.
_KEEPING = {"PYTHONDONTWRITEBYTECODE": ""}
# docs/adr/0031-a-second-try.md says why, and why not at night.
_SECOND_TRY = ("--reruns", "1", "--max-suite-reruns", "3", "--rerun-show-tracebacks", "-rR")


def demo() -> int:
    """An example project, resolved from the embedded vault."""
    environment = Environment("envref", interpreters()[0]).with_packages().with_envref()
    path = os.path.dirname(environment.program("envref")) + os.pathsep + os.environ["PATH"]
    return _status("sh", os.path.join(ROOT, "examples", "demo", "demo.sh"), PATH=path)


def lint() -> int:
    """Style, layout and types."""
    environment = _lint_environment(interpreters()[0])
    ruff, mypy = environment.program("ruff"), environment.program("mypy")
    return max(_status(ruff, "check", "--quiet"), _status(ruff, "format", "--check", "--quiet"), _status(mypy))


def test(*arguments: str) -> int:
    """Lint, and pytest with these arguments on every CPython.

    `OTHERS=none` keeps to the first; `STORES=all` runs everything with the others too.
    """
    found = interpreters()
    tested = found[:1] if os.environ.get("OTHERS") == "none" else found
    widest = "everything" if os.environ.get("STORES") == "all" else ""
    scopes = {each: widest or scope_of(each, found) for each in tested}
    ready = _test_environment if arguments else lambda each: _with_compiled_tests(each, scopes[each])
    linted: list[int] = []
    # What computes goes on beside what waits for the network.
    _install_programs(tested[0], lambda: linted.append(lint()), *[functools.partial(ready, each) for each in tested])
    words = (*_SECOND_TRY, *arguments)
    runs = [
        _run_of(each, words, scope=scopes[each], workers=_workers(1 if number else 2))
        for number, each in enumerate(tested)
    ]
    return max(*linted, *_side_by_side(*runs))


def nightly(*arguments: str) -> int:
    """All tests on the first CPython, each as often as at night (security.md 7); envref's processes on all others."""
    first, *others = interpreters()
    _install_programs(first, *_environments(first, *others))
    runs = [_run_of(first, arguments, scope="everything", workers=_workers(1), ENVREF_TESTS_NIGHTLY="1")]
    runs += [_run_of(each, arguments, scope="doubles", workers=_workers(1)) for each in others]
    return max([run() for run in runs])


def bench(*arguments: str) -> int:
    """What a start and a secret cost, as ratios. `PYTHONS=ends` measures with the oldest Python and with the newest."""
    found = interpreters()
    measured = _ends(found) if os.environ.get("PYTHONS") == "ends" else found[:1]
    _install_programs(measured[0], *_environments(*measured))
    return max([_bench(each, arguments) for each in measured])


def _ends(found: Sequence[Interpreter]) -> list[Interpreter]:
    """The oldest and the newest; one of them if there is one."""
    ordered = sorted(found, key=lambda interpreter: interpreter.version)
    return ordered[:1] if len(ordered) == 1 else [ordered[0], ordered[-1]]


def _bench(interpreter: Interpreter, arguments: Sequence[str]) -> int:
    print(interpreter, flush=True)
    python = _test_environment(interpreter).with_what_venv_brings().program("python")
    return _status(python, "-m", "bench", *arguments)


def counts() -> int:
    """Measures what hot commands cost on every CPython, in instructions, and checks it in (docs/adr/0036)."""
    found = interpreters()
    _install_programs(found[0], *_environments(*found))
    return max([_status(_test_environment(each).program("python"), "-m", "bench.ratios", "--write") for each in found])


def mutants(*arguments: str) -> int:
    """Which faults the tests of each room would not notice."""
    first = interpreters()[0]
    _install_programs(first, *_environments(first))
    return _status(_test_environment(first).program("python"), "-m", "setup.mutants", *arguments)


def reference() -> int:
    """The pages of docs/reference/ and the schema of `.envref.yaml`, from the code as it is now."""
    return _status(_test_environment(interpreters()[0]).program("python"), "-m", "setup.reference")


def _install_programs(first: Interpreter, *others: Callable[[], object]) -> None:
    """What the tests need but envref itself and its packages, and these other steps beside it."""
    # apt goes ahead: it brings what the others may need, and a run that lacks a program ends before they begin.
    install_missing()
    at_once(functools.partial(stores.install, first), nix.install, node_packages.install, *others)


def _environments(*tested: Interpreter) -> list[Callable[[], object]]:
    """Steps that make what these Pythons are tested in."""
    return [functools.partial(_packages, each) for each in tested]


class _Run(NamedTuple):
    """pytest on one CPython. Calling it returns 0 if all tests pass, else 1; it writes to `output` if that is given."""

    title: str
    command: Sequence[str]
    variables: Mapping[str, str]

    def __call__(self, output: IO[bytes] | None = None) -> int:
        _write(f"{self.title}\n".encode(), output)
        return _status(*self.command, output=output, **self.variables)


def _workers(more: int) -> int:
    """So many more than there are processors: a third of the time a test waits, for a limit or a program to start.

    Of runs side by side the first has most: it goes on alone once the others have ended.
    """
    return min((os.cpu_count() or 1) + more, _MOST_WORKERS)


def _run_of(interpreter: Interpreter, arguments: Sequence[str], *, scope: str, workers: int, **variables: str) -> _Run:
    python = _test_environment(interpreter).program("python")
    command = [python, "-m", "pytest", "-n", str(workers), "--dist", "worksteal"]
    own = {**_KEEPING, "ENVREF_TESTS_SCOPE": scope, **variables}
    return _Run(f"{interpreter}: tests with scope {scope}", [*command, *arguments], own)


def _side_by_side(first: _Run, *others: _Run) -> list[int]:
    """The runs' statuses. The others go beside the first, one after the other, and are printed after it.

    A third of its time the first leaves a processor idle (docs/adr/0043-pythons-side-by-side.md).
    """
    with ThreadPoolExecutor(1) as beside, tempfile.TemporaryFile() as output:
        waiting = beside.submit(lambda: [run(output) for run in others])
        statuses = [first(), *waiting.result()]
        output.seek(0)
        _write(output.read())
    return statuses


def _write(text: bytes, output: IO[bytes] | None = None) -> None:
    file = output or sys.stdout.buffer
    file.write(text)
    file.flush()


def _test_environment(interpreter: Interpreter) -> Environment:
    return _packages(interpreter).with_envref()


def _with_compiled_tests(interpreter: Interpreter, scope: str) -> Environment:
    """Where all will be run for the first time, its workers would all compile all tests: they are, once, before."""
    environment = _test_environment(interpreter)
    compiled = f"conftest.cpython-{interpreter.minor.replace('.', '')}-pytest-*.pyc"
    if not glob.glob(os.path.join(ROOT, "tests", "__pycache__", compiled)):
        command = [environment.program("python"), "-m", "pytest", "--quiet", "--collect-only"]
        with open(os.devnull, "wb") as nowhere:
            # What fails here fails once more, in the run.
            _status(*command, output=nowhere, **_KEEPING, ENVREF_TESTS_SCOPE=scope)
    return environment


def _packages(interpreter: Interpreter) -> Environment:
    return Environment(interpreter.minor, interpreter).with_packages("test", "fuzz")


def _lint_environment(interpreter: Interpreter) -> Environment:
    return Environment("lint", interpreter).with_tools("lint")


def _status(*command: str, output: IO[bytes] | None = None, **variables: str) -> int:
    """0 if the command, run at the root of the checkout, ends well; else 1, also when a signal ended it."""
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, stdout=output, stderr=output)
    return int(done.returncode != 0)


DOORS: dict[str, Callable[..., int]] = {
    "demo": demo,
    "test": test,
    "nightly": nightly,
    "lint": lint,
    "bench": bench,
    "counts": counts,
    "mutants": mutants,
    "pins": pins.write,
    "reference": reference,
}

if __name__ == "__main__":
    sys.exit(DOORS[sys.argv[1]](*sys.argv[2:]))
