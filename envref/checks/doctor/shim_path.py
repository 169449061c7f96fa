"""What keeps a tool from getting its variables, or lets others give it a program: its shim's place on PATH."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from envref.checks.doctor.finding import Finding, from_error
from envref.errors import EnvrefError
from envref.paths import is_shims, shown
from envref.project import shimmed
from envref.project.config.files import FILE
from envref.tools import lookup, shims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envref.checks.doctor.case import Case

_FIRST = 'eval "$(envref shim --export)" puts the shims first in this shell'


def hidden_shims(case: Case) -> Iterator[Finding]:
    """A tool of this project that this shell finds before its shim, and folders of shims that others can write."""
    tools = shimmed.tools(case.project.config)
    folders = [part for part in os.environ.get("PATH", "").split(os.pathsep) if is_shims(part)]
    for folder in filter(os.path.lexists, folders):
        try:
            shims.check(folder)
        except EnvrefError as error:
            yield from_error("PATH", error)
    if tools and not folders:
        yield Finding(
            FILE, f"no shim is on PATH, so no variable reaches {', '.join(tools)} here", hint=_FIRST, is_note=True
        )
        return
    for tool in tools:
        found = shutil.which(tool)
        if found and not lookup.is_shim(found):
            yield Finding("PATH", f"{tool} is {shown(found)}, the shim stands behind it", hint=_FIRST)
