"""`~/.oci/oci_cli_rc`, as far as it changes no read.

It may set any option of any command, and give options other names (`oci` 3.95.1: cli_root.eager_load_cli_rc_file and
load_default_values). What is honoured here is what most people have in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.backends.http.connection import Unusual

if TYPE_CHECKING:
    from collections.abc import Mapping

    Sections = Mapping[str, Mapping[str, str]]

RC = "~/.oci/oci_cli_rc"
_DEFAULT = "DEFAULT"
_SETTINGS, _OTHER_NAMES = "OCI_CLI_SETTINGS", "OCI_CLI_PARAM_ALIASES"
_OF_SETTINGS = {"default_profile", "use_click_help"}
# What envref's own command line gives, so that no default counts.
_GIVEN = {"output", "query", "no_retry", "compartment-id"}
_OURS = ("secrets", "vault")  # the commands of `oci` whose options count


def usual_profile(rc: Sections) -> str:
    """The profile that counts where nobody names one."""
    settings = rc.get(_SETTINGS, {})
    if settings.keys() - _OF_SETTINGS:
        raise Unusual(f"{_SETTINGS} in {RC}")
    return settings.get("default_profile", _DEFAULT)


def check(rc: Sections, profile: str) -> None:
    """Raises Unusual where a default that counts with this profile may change a read."""
    if profile not in rc and profile != _DEFAULT:
        return
    defaults = {*rc.get(_DEFAULT, {}), *rc.get(profile, {})}
    # An option is looked up by all of its names.
    other_names = {name.removeprefix("-").removeprefix("-") for name in rc.get(_OTHER_NAMES, {})}
    if other_names & defaults or not all(map(_is_harmless, defaults)):
        raise Unusual(f"a default in {RC}")


def _is_harmless(default: str) -> bool:
    command, dot, _ = default.partition(".")
    return default in _GIVEN or (bool(dot) and command not in _OURS)
