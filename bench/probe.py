"""Runs a launcher of envref, and writes what each module does: `python probe.py OUT LAUNCHER ARGUMENT...`.

A line a module: the bytecode instructions that it executes, the bytes of its compiled code, who imported it, its name.
Modules that Python itself loads at its start are left out, unless envref calls them. Imports nothing that an activation
might.
"""

import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, NoReturn

steps: dict[str, int] = {}
sizes: dict[str, int] = {}
importers: dict[str, str] = {}
started_with = set(sys.modules)


def traced(frame: "FrameType", event: str, _: object) -> "Any":
    """Counts by the module whose function it is."""
    name = frame.f_globals.get("__name__", "?")
    if event == "opcode":
        steps[name] = steps.get(name, 0) + 1
    elif event == "call":
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if frame.f_code.co_name == "<module>":
            sizes[name] = len(marshal.dumps(frame.f_code))
            importers[name] = importer(frame.f_back)
    return traced


def importer(frame: "FrameType | None") -> str:
    """The module whose code has the import, above the import system's frames; `-` without one."""
    while frame and frame.f_globals.get("__name__", "").startswith(("_frozen_importlib", "importlib")):
        frame = frame.f_back
    return frame.f_globals.get("__name__", "-") if frame else "-"


def stop(*_: object) -> "NoReturn":
    """In the place of the end of the process, or of its becoming another program."""
    sys.settrace(None)
    names = {*steps, *(set(sys.modules) - started_with)} - {"__main__"}
    lines = [f"{steps.get(name, 0)} {sizes.get(name, 0)} {importers.get(name, '-')} {name}\n" for name in sorted(names)]
    with open(out, "w", encoding="utf-8") as file:
        file.writelines(lines)
    end(0)
    raise SystemExit


end = os._exit
for replaced in ("_exit", "execve"):
    setattr(os, replaced, stop)
out, *sys.argv = sys.argv[1:]
with open(sys.argv[0], encoding="utf-8") as file:
    launcher = compile(file.read(), sys.argv[0], "exec")
sys.settrace(traced)
exec(launcher, {"__name__": "__main__"})
