"""The team's files, as `onboard` and `sync pull` take them in, with the keys that they find."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from envref import questions, streams
from envref.cli import consent
from envref.cli.secret.target import target_in
from envref.errors import EnvrefError
from envref.paths import expanded
from envref.project import sealed
from envref.secrets import age_program, identities, intake, sharing, sync

if TYPE_CHECKING:
    from envref.project.project import Project

_QUESTION = "  Your private key file (or press Enter to go on without): "


def take_all(project: Project, backend: str | None, identity: str | None) -> bool:
    """Whether anything came into the stores from the files that are there. Says on stderr what could not be opened."""
    taken = [_take(project, backend, identity, name) for name in sealed.there(project)]
    return any(taken)


def _take(project: Project, backend: str | None, identity: str | None, name: str) -> bool:
    try:
        held = sealed.content(project.root, name)
        plain = _opened(held, identity, name)
        if plain is None:
            return False
        bundle = sync.read(plain, name)
        target = target_in(project, backend)
        if name == sealed.FILE and (bundle.scope is None or bundle.scope[1] is None):
            target = target.of_project()
        bundle.check(target.scope, name)
        written = intake.take(bundle, name, target).written
    except EnvrefError as error:
        streams.say(error.lines())
        return False
    remember(project.root, name, held)
    return bool(written)


def remember(root: str, name: str, held: bytes) -> None:
    """Keeps that the file was taken in, or written, here; where that can't be kept, doctor names it again."""
    try:
        sealed.take(root, name, held)
    except EnvrefError as error:
        streams.detail(f"{error.message}; doctor says again that the file waits")


def _opened(held: bytes, identity: str | None, name: str) -> bytes | None:
    """The plain text; None if nothing opens it and the person at the terminal names no key either."""
    keys = [identity] if identity else identities.fitting(held)
    try:
        return opened(held, keys, name)
    except EnvrefError as error:
        if identity or not consent.at_terminal():
            raise
        streams.say(error.lines())
    path = _asked()
    return opened(held, [path], name) if path else None


def opened(held: bytes, keys: list[str], name: str) -> bytes:
    """The plain text, by the first of the key files that opens it. EnvrefError, of the last one, if none does."""
    failed = EnvrefError(
        f"{name} waits, and no key of yours was found that opens it",
        hint="name it: envref onboard --identity FILE; or ask who pushed it to add your public key and push again",
    )
    for path in keys:
        try:
            return _opened_with(path, held, name)
        except EnvrefError as error:
            failed = error
    raise failed


def _opened_with(path: str, held: bytes, name: str) -> bytes:
    try:
        return sharing.decrypt(held, sharing.identities_of(path), name)
    except sharing.KeyHasPassphrase:
        opener = age_program.program() if consent.at_terminal() else None
        if opener is None:
            raise
    return age_program.decrypt(opener, held, path, name)


def _asked() -> str:
    """The path of the key that the person at the terminal names; empty if they don't."""
    with questions.question:
        streams.ask(_QUESTION)
        path = sys.stdin.readline().strip()
    return os.path.abspath(expanded(path)) if path else ""
