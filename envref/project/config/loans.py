"""The rules of a credential that a store borrows from another: `token: ref://STORE/KEY` (docs/adr/0024)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envref.project.config.model import is_credential
from envref.refs.reference import CHAIN, SCHEME, InvalidReference, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envref.project.config.yaml import Node


class Loan(NamedTuple):
    """A credential of the backend `borrower`: `where` it stands, for messages, and the reference there."""

    borrower: str
    where: str
    uri: str
    node: Node

    @property
    def lender(self) -> str:
        """The backend that the reference names; empty for one that `reference_fault` refuses."""
        return self.uri.removeprefix(SCHEME).partition("/")[0]


def is_reference(option: str, value: str) -> bool:
    """Whether a credential is written as a reference, well or badly."""
    return is_credential(option) and SCHEME in value.lower()


def reference_fault(loan: Loan) -> str:
    """Why the text can't be such a reference; empty if it can."""
    if not loan.uri.startswith(SCHEME):
        return f"a reference is the whole value, and begins with {SCHEME}"
    try:
        reference = Reference.parse(loan.uri)
    except InvalidReference as error:
        return error.message
    if reference.store is None:
        return f'"{loan.uri}" names no backend (write {SCHEME}BACKEND/KEY: {CHAIN} would ask this one too)'
    if reference.optional or reference.default is not None:
        return "it can't be optional or have a default: without its credential a store can't be asked"
    if reference.store == loan.borrower:
        return f'"{loan.uri}" is in the backend that needs it; keep it in another one'
    return ""


def lender_faults(loans: Iterable[Loan], names: Sequence[str], *, is_whole: bool) -> Iterator[str]:
    """One fault for every loan from a backend that is not there, or in a circle.

    `is_whole` is false for a config that extends another, whose backends may lend: then only asking shows it.
    """
    loans = list(loans)
    lenders: dict[str, list[str]] = {}
    for loan in loans:
        lenders.setdefault(loan.borrower, []).append(loan.lender)
    for loan in loans:
        fault = _fault(loan, names, lenders, is_whole=is_whole)
        if fault:
            yield loan.node.problem(f"{loan.where}: {fault}")


def _fault(loan: Loan, names: Sequence[str], lenders: Mapping[str, list[str]], *, is_whole: bool) -> str:
    if is_whole and loan.lender not in names:
        return f'"{loan.uri}": backend "{loan.lender}" is not configured (configured: {", ".join(names)})'
    if loan.borrower in _behind(loan.lender, lenders):
        return f'"{loan.uri}": backend "{loan.lender}" needs "{loan.borrower}" itself, for its own credential'
    return ""


def _behind(lender: str, lenders: Mapping[str, list[str]]) -> set[str]:
    """Every backend that has to be asked before this one."""
    found: set[str] = set()
    waiting = [lender]
    while waiting:
        new = set(lenders.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found
