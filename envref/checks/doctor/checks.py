"""CHECKS: every check of `envref doctor` in one table, each with a cure for what it finds (commands.md 2.12).

A check is a generator of findings, named for what it looks for. Reports call it by its word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.checks.doctor import agent, env_files, flox_manifest, flox_state, project_files, shim_path, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from envref.checks.doctor.case import Case
    from envref.checks.doctor.finding import Finding

    Check = Callable[[Case], Iterable[Finding]]
    Checks = Mapping[str, Check]

FILES: Checks = {
    "unreadable": env_files.unreadable,
    "duplicate-key": env_files.duplicate_keys,
    "ignored-line": env_files.ignored_lines,
    "unquoted-spaces": env_files.unquoted_spaces,
    "empty-value": env_files.empty_values,
    "trailing-whitespace": env_files.trailing_whitespace,
    "unexportable-name": env_files.unexportable_names,
    "undefined-name": env_files.undefined_names,
    "bad-reference": env_files.bad_references,
    "foreign-reference": env_files.foreign_references,
    "plain-secret": env_files.plain_secrets,
}

# Only with a config.
PROJECT: Checks = {
    "config": project_files.config_warnings,
    "untrusted": project_files.untrusted_config,
    "committable": project_files.committable_local_files,
    "ignored": project_files.ignored_files,
    "lock": project_files.unusable_lock,
    "waiting": project_files.waiting_secrets,
    "readable": project_files.readable_local_files,
    "direnv": project_files.blocked_envrc,
    "agent": agent.unusable_agent,
    "shim": shim_path.hidden_shims,
}

# Only with a config whose stores may be asked.
STORES: Checks = {
    "store": stores.unready_stores,
    "misplaced-secret": stores.misplaced_secrets,
}

# Only with --flox.
FLOX: Checks = {
    "flox-manifest": flox_manifest.missing_or_drifted_block,
    "flox-replay": flox_manifest.broken_replays,
    "flox-runtime": flox_state.runtime_on_disk,
    "flox-left-over": flox_state.left_over_starts,
    "flox-log": flox_state.logged_services,
}


def examine(case: Case, checks: Checks) -> dict[str, list[Finding]]:
    """What each check finds, by its word, in the order of the table."""
    return {word: list(check(case)) for word, check in checks.items()}
