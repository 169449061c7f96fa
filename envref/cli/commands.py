"""The click door: every command but the activation. One line a command, imported when it is named."""

from __future__ import annotations

import click

from envref import __version__, streams
from envref.cli.grammar import Group
from envref.cli.summaries import SECTIONS
from envref.errors import OK, USAGE, UsageError

COMMANDS = {
    "agent": "envref.cli.agent:agent",
    "audit": "envref.cli.audit:audit",
    "audit-log": "envref.cli.audit_log:audit_log",
    "backend": "envref.cli.backend:backend",
    "bare": "envref.cli.bare:bare",
    "completion": "envref.cli.completion:completion",
    "config": "envref.cli.config:config",
    "credential": "envref.cli.credential.group:credential",
    "doctor": "envref.cli.doctor:doctor",
    "edit": "envref.cli.edit:edit",
    "flox-hook": "envref.cli.flox_hook:flox_hook",
    "get": "envref.cli.get:get",
    "import": "envref.cli.import_:import_",
    "init": "envref.cli.init:init",
    "list": "envref.cli.listing:listing",
    "lock": "envref.cli.lock:command",
    "onboard": "envref.cli.onboard:onboard",
    "profile": "envref.cli.profile.group:profile",
    "refresh": "envref.cli.refresh:refresh",
    "resolve": "envref.cli.resolve:resolve",
    "run": "envref.cli.run:run",
    "secret": "envref.cli.secret.group:secret",
    "set": "envref.cli.assign:assign",
    "shim": "envref.cli.shim:shim",
    "stale": "envref.cli.stale:command",
    "status": "envref.cli.status:command",
    "sync": "envref.cli.sync:group",
    "team": "envref.cli.team:team",
    "trust": "envref.cli.trust:command",
    "unset": "envref.cli.unset:unset",
    "validate": "envref.cli.validate:validate",
    "vault": "envref.cli.vault.group:vault",
    "version": "envref.cli.version:version",
}

_EVALUATED = {"--export", "--direnv"}


@click.group(cls=Group, lazy=COMMANDS, sections=SECTIONS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="envref", message="%(prog)s %(version)s")
def envref() -> None:
    """Commit your .env: references in the file, secrets out of your stores, just in time."""


def run(arguments: list[str]) -> int:
    """Runs the command line; returns its exit status. The caller reports an EnvrefError."""
    try:
        status = envref.main(arguments, prog_name="envref", standalone_mode=False)
    except click.UsageError as error:
        _fail_evaluation(arguments)
        path = error.ctx.command_path if error.ctx else "envref"
        streams.say([f"error: {error.message}", f"Run '{path} --help' for usage."])
        return USAGE
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except UsageError:
        _fail_evaluation(arguments)
        raise
    except click.Abort:
        raise KeyboardInterrupt from None
    return status if isinstance(status, int) else OK


def _fail_evaluation(arguments: list[str]) -> None:
    """If a shell was to evaluate the output, writes code that fails: a mistyped option must not pass silently."""
    command = _command(arguments)
    may_be = command in ("resolve", "shim")
    if command == "refresh" or (may_be and not _EVALUATED.isdisjoint(arguments)):
        streams.write("false\n")


def _command(arguments: list[str]) -> str:
    """The first word that is neither an option of the group nor the value of one; empty without."""
    words = iter(arguments)
    for word in words:
        if word in ("-C", "--project"):
            next(words, "")
        elif not word.startswith("-"):
            return word
    return ""
