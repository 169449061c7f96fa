"""The variables that refer to a secret, and what to say of a secret that none refers to."""

from __future__ import annotations

from collections.abc import Iterator

from envref import streams
from envref.env.environment import Environment, Variable
from envref.env.file import is_shell_name
from envref.errors import EnvrefError, pasted
from envref.project.project import words_of
from envref.refs.reference import Reference, uri_of
from envref.resolve.resolution import load
from envref.secrets.target import Target


def users(target: Target, key: str) -> list[str]:
    """The variables that refer to the key, where the env files can be read."""
    return [variable.name for variable in _variables(target) if any(_keys(variable, target, key))]


def tell_unused(target: Target, key: str) -> None:
    """Says so where the key is written as a variable is, and no line refers to it: its value would reach nobody."""
    if not (is_shell_name(key) and key.isupper()) or users(target, key):
        return
    others = [each for variable in _variables(target) if variable.name == key for each in _keys(variable, target)]
    there = f'; {key} refers to "{others[0]}"' if others else ""
    set_it = ["envref", "set", f"{key}={uri_of(key)}", *words_of(target.scope.profile)]
    streams.inform(
        f'note: no line of the env files refers to "{key}"{there}; add --env {key}, or run: {pasted(set_it)}'
    )


def _variables(target: Target) -> list[Variable]:
    try:
        project = load(target.project.root, target.scope.profile)
        return list(Environment(project.files).variables.values())
    except EnvrefError:
        return []  # a broken or missing env file is for other commands to report


def _keys(variable: Variable, target: Target, only: str | None = None) -> Iterator[str]:
    """The keys of the target's store or of the chain that the variable refers to; with `only`, those that are it."""
    for each in variable.references():
        if isinstance(each, Reference) and each.store in (None, target.backend) and only in (None, each.key):
            yield each.key
