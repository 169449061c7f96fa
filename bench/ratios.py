"""What hot commands cost, in instructions over those of `python -c pass`: the ratios checked in, and those of now.

`python -m bench.ratios` prints both; with `--write` it checks in those of now, for this Python (docs/adr/0036).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
import sysconfig
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bench.callgrind import count
from bench.installed import PASS, installed
from bench.modules import Module, grown, modules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.callgrind import Count
    from bench.installed import Installed
    from bench.modules import Modules

HOT = ("plain", "run", "vault", "completion")  # those that may not grow
_OTHERS = ("get", "secret get", "--help")
_NUMBERS = re.compile(r"[\[{][^\[\]{}]*[\]}]")  # the innermost lists and objects
_RATIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ratios.json")
_MODULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "modules.json")
SERIES = f"{sys.version_info[0]}.{sys.version_info[1]}"
# Of the interpreter's own instructions on the build that was measured; elsewhere they differed by up to 1 %.
_MORE, _MORE_ELSEWHERE = 1.02, 1.05
_MORE_WHOLE = 1.10  # with the C library, the loader and other libraries, which are the machine's


@dataclass(frozen=True)
class Ratio:
    """`interpreter` counts Python's own code, `whole` everything."""

    interpreter: float
    whole: float


@dataclass(frozen=True)
class Measured:
    """What one build of Python costs, by command."""

    build: str
    ratios: Mapping[str, Ratio]


def build() -> str:
    """This Python: its version, its compiler, and the digest of how it was configured."""
    how = repr([sysconfig.get_config_var(name) for name in ("CONFIG_ARGS", "OPT", "PY_CORE_CFLAGS", "PY_CORE_LDFLAGS")])
    digest = hashlib.sha256(how.encode()).hexdigest()[:8]
    return f"{platform.python_version()} {platform.machine()} {platform.python_compiler()} {digest}"


def measure(place: Installed, names: Iterable[str], one: Count | None = None) -> Measured:
    """The ratios of these commands; `one` is what `python -c pass` costs, counted anew if it is not given."""
    one = one or count(place.command(PASS))
    return Measured(build(), {name: ratio(count(place.command(name)), one) for name in names})


def ratio(one: Count, other: Count) -> Ratio:
    return Ratio(round(one.interpreter / other.interpreter, 4), round(one.whole / other.whole, 4))


def faults(known: Measured, now: Measured) -> dict[str, str]:
    """What grew, by command: a sentence. Another build than the known one may differ by more."""
    most = _MORE if known.build == now.build else _MORE_ELSEWHERE
    found = {}
    for name, each in now.ratios.items():
        before = known.ratios[name]
        if each.interpreter > before.interpreter * most:
            found[name] = _sentence(name, each.interpreter, before.interpreter, "the interpreter's own")
        elif each.whole > before.whole * _MORE_WHOLE:
            found[name] = _sentence(name, each.whole, before.whole, "all")
    return found


def _sentence(name: str, now: float, before: float, which: str) -> str:
    percent = (now / before - 1) * 100
    return f"{name}: {now:.4f} times the instructions of `python -c pass` ({which}), was {before:.4f}: {percent:+.1f} %"


def read(series: str = SERIES) -> Measured | None:
    """What is checked in for a series of Python."""
    known = _read(_RATIOS).get(series)
    if known is None:
        return None
    return Measured(known["build"], {name: Ratio(**each) for name, each in known["ratios"].items()})


def known_series() -> list[str]:
    """The series of Python of which something is checked in."""
    return list(_read(_RATIOS))


def read_modules(name: str, series: str = SERIES) -> Modules:
    """What is checked in about the modules of a hot command; nothing where that was not measured."""
    known = _read(_MODULES).get(series, {}).get(name, {})
    return {module: Module(*numbers) for module, numbers in known.items()}


def explained(place: Installed, found: Mapping[str, str]) -> str:
    """The faults, each with the modules that grew."""
    lines = []
    for name, sentence in found.items():
        lines += [sentence, *(f"  {line}" for line in grown(read_modules(name), modules_of(place.command(name))))]
    return "\n".join(lines)


def write(measured: Measured, modules: Mapping[str, Modules]) -> None:
    """Checks in what this Python costs, in the place of what was known of its series."""
    ratios = {name: asdict(each) for name, each in measured.ratios.items()}
    _replace(_RATIOS, {"build": measured.build, "ratios": ratios})
    _replace(_MODULES, {name: {each: module[:2] for each, module in found.items()} for name, found in modules.items()})


def _replace(path: str, entry: object) -> None:
    text = json.dumps({**_read(path), SERIES: entry}, indent=1, sort_keys=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(_NUMBERS.sub(_on_one_line, text) + "\n")


def _on_one_line(match: re.Match[str]) -> str:
    return " ".join(match[0].split())


def _read(path: str) -> dict[str, dict[str, Any]]:
    with open(path, encoding="utf-8") as file:
        found: dict[str, dict[str, Any]] = json.load(file)
    return found


def main() -> None:
    """Prints every ratio; with `--write`, checks in those of the hot commands."""
    with installed() as place:
        now = measure(place, (*HOT, *_OTHERS))
        known = read()
        for name, each in now.ratios.items():
            before = f"{known.ratios[name].interpreter:8.4f}" if known and name in known.ratios else f"{'-':>8}"
            print(f"{SERIES} {name:12} {each.interpreter:8.4f} {before} {each.whole:8.4f}", flush=True)
        if sys.argv[1:] == ["--write"]:
            hot = {name: now.ratios[name] for name in HOT}
            write(Measured(now.build, hot), {name: modules_of(place.command(name)) for name in HOT})


if __name__ == "__main__":
    main()
