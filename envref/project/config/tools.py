"""The rules of `tools:`, which gives variables to one program instead of every program in the shell (docs/tools.md)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envref.env.file import is_name
from envref.errors import printable
from envref.project.config.model import CREDENTIAL, PROCESS, VARIABLES, credential_way
from envref.project.config.yaml import Mapping, Scalar
from envref.project.place import parse

if TYPE_CHECKING:
    from envref.project.config.findings import Findings
    from envref.project.config.yaml import Node

# How a tool gets its variables: in its environment, by a shim; or from envref, by a protocol of its own.
_WAYS = (VARIABLES, PROCESS, CREDENTIAL)
_TOOL = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9_.+@-]{0,63}")  # a file's name that no shell reads as anything else
# Reserved words and special built-ins of POSIX shells (XCU 2.4, 2.14), bash, zsh and fish, and what runs a command by
# its name: a function of such a name would change the language. So would one of a utility that acts on the shell itself
# (XCU 2.9.1.4, intrinsic): no program can. `[` and the like are no `_TOOL`.
_SHELLS_OWN = frozenset(
    """
    alias and begin bg break builtin case cd command continue coproc declare do done elif else end endif esac
    eval exec exit export fc fg fi float for foreach function getopts hash if in integer jobs kill local
    nocorrect noglob not or read readonly repeat return select set shift source string switch then time times
    trap type typeset ulimit umask unalias unset until wait while
    """.split()  # noqa: SIM905  one word a line would be a page
)
_ENVREF_S_OWN = ("envref", "docker-credential-envref")
_HELPED = ("cargo", "docker", "git", "kubectl")  # tools that ask for the credential of a server
_FORM = "a list of variables, or a mapping with " + " or ".join(_WAYS)


def tools(node: Node, key: str, findings: Findings) -> dict[str, dict[str, tuple[str, ...]]]:
    """Tool -> way -> the variables that only this tool gets. A fault for each that could not be kept from the shell."""
    found = {}
    for tool, entry in findings.entries(node, key):
        fault = tool_fault(tool)
        place = node.keys[tool] if isinstance(node, Mapping) else node
        findings.faults += [place.problem(f'{key}: "{printable(tool)}" {fault}')] if fault else []
        found[tool] = _ways(entry, f"{key}.{tool}", findings)
        if isinstance(entry, Mapping) and CREDENTIAL in entry.entries:
            found[tool] |= _credentials(entry.entries[CREDENTIAL], tool, f"{key}.{tool}.{CREDENTIAL}", findings)
    return found


def tool_fault(tool: str) -> str:
    """Why there can't be a shim of this name; empty if there can."""
    if not tool:
        return "is not a program's name: it is empty"
    if "/" in tool:
        return "is a path; write the program's name alone, as it is typed"
    if tool.lower() in _ENVREF_S_OWN:  # some file systems don't tell the two cases apart
        return "can't have a shim: it is envref, which every shim calls"
    if tool in _SHELLS_OWN:
        return "is a word of the shells themselves; no shim is called by it"
    return "" if _TOOL.fullmatch(tool) else "is not a program's name: it may have letters, digits, _ . + @ -"


def _ways(node: Node, where: str, findings: Findings) -> dict[str, tuple[str, ...]]:
    if not isinstance(node, Mapping):
        return {VARIABLES: _variables(node, where, findings)}
    # A misspelt key is not just a warning here: its variables would go to every program.
    for key in node.keys.values():
        if key.text not in _WAYS:
            findings.faults.append(key.problem(f'{where}: unknown key "{printable(key.text)}"; it takes {_FORM}'))
    if not node.entries:
        findings.faults.append(node.problem(f"{where} names no variable; it takes {_FORM}"))
    ways = {way: entry for way, entry in node.entries.items() if way in (VARIABLES, PROCESS)}
    return {way: _variables(entry, f"{where}.{way}", findings) for way, entry in ways.items()}


def _credentials(node: Node, tool: str, where: str, findings: Findings) -> dict[str, tuple[str, ...]]:
    """The variables by the server that they are for: the password or token, or first the user's name."""
    if tool not in _HELPED:
        findings.faults.append(node.problem(f"{where}: envref can answer {', '.join(_HELPED)} only"))
    found: dict[str, tuple[str, ...]] = {}
    servers: dict[str, str] = {}
    for server, entry in findings.entries(node, where):
        at = node.keys[server] if isinstance(node, Mapping) else node
        fault = _server_fault(server, servers)
        findings.faults += [at.problem(f'{where}: "{printable(server)}" {fault}')] if fault else []
        names = _variables(entry, f"{where}.{server}", findings)
        if len(names) > 2:
            findings.faults.append(entry.problem(f"{where}.{server} takes a user's name and a password, or one alone"))
        found[credential_way(server)] = names
    if not found:
        findings.faults.append(node.problem(f"{where} names no server"))
    return found


def _server_fault(server: str, known: dict[str, str]) -> str:
    """Why there can't be a credential of it; empty if there can. Adds it to the known ones, each by its place."""
    place = parse(server)
    if place is None:
        return "is not a server, as in github.com/team"
    same = known.setdefault(f"{place.server}/{place.path}", server)
    return (
        "" if same == server else f'is "{printable(same)}" too; a path tells two accounts apart, as in github.com/team'
    )


def _variables(node: Node, where: str, findings: Findings) -> tuple[str, ...]:
    """The names of a list, or the one that stands alone."""
    alone = isinstance(node, Scalar) and not node.is_null
    listed = [node] if alone else findings.items(node, where)
    if not listed and not isinstance(node, Scalar):
        findings.faults.append(node.problem(f"{where} names no variable"))
    return tuple(dict.fromkeys(_variable(each, where, findings) for each in listed))


def _variable(node: Node, where: str, findings: Findings) -> str:
    name = findings.text(node, where)
    if name is not None and not is_name(name):
        findings.faults.append(node.problem(f'{where}: "{printable(name)}" is not a variable name'))
    elif name is None and isinstance(node, Scalar):
        findings.faults.append(node.problem(f"{where} has an item without a name"))
    return name or ""
