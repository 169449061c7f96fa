"""What puts a project's shims first on PATH in a Flox environment, and takes them off again (docs/adr/0039-shims.md).

In the hook, for `flox activate -- CMD`; and in the profile, because Flox puts its own programs first after the hook.
There also a function for each tool, because an activation within this one puts its programs first once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envref.flox.block import TCSH_DIRECTORY
from envref.paths import SHIMS
from envref.project import shimmed

if TYPE_CHECKING:
    from envref.project.config.model import Config

_HOOK = """\
_envref_shims() {
  local -
  set +aeux
  local +x _envref_out=''
  local +x _envref_dir="${FLOX_ENV_PROJECT:-$PWD}"
  if [ ! -f "$_envref_dir/.envref.yaml" ] || ! type -P envref >/dev/null; then return 0; fi
  _envref_out="$(command envref shim --export --shell bash --project "$_envref_dir"@PROFILE@)" && eval "$_envref_out"
  return 0
}
_envref_shims
unset -f _envref_shims"""

_BASH = """\
_envref_shims() {
  local _envref_flags="$-"
  set +ax
  local _envref_out=''
  local _envref_dir="${FLOX_ENV_PROJECT:-$PWD}"
  if type -P envref >/dev/null; then
    _envref_out="$(command envref shim --export --functions --shell bash --project "$_envref_dir"@PROFILE@)" || _envref_out=''
    eval "$_envref_out"
  fi
  case "$_envref_flags" in *a*) set -a ;; esac
  case "$_envref_flags" in *x*) set -x ;; esac
  return 0
}
_envref_shims
unset -f _envref_shims"""  # noqa: E501  one command

_ZSH = """\
_envref_shims() {
  emulate -L zsh
  setopt local_options no_xtrace no_all_export no_err_exit no_err_return no_csh_junkie_quotes
  local _envref_out='' _envref_dir="${FLOX_ENV_PROJECT:-$PWD}"
  if whence -p envref >/dev/null; then
    _envref_out="$(command envref shim --export --functions --shell zsh --project "$_envref_dir"@PROFILE@)" || _envref_out=''
    eval "$_envref_out"
  fi
  return 0
}
_envref_shims
unfunction _envref_shims"""  # noqa: E501  one command

_FISH = """\
begin
    set -l _envref_dir $PWD
    if set -q FLOX_ENV_PROJECT; and test -n "$FLOX_ENV_PROJECT"
        set _envref_dir $FLOX_ENV_PROJECT
    end
    if command -sq envref
        command envref shim --export --functions --shell fish --project "$_envref_dir"@PROFILE@ | source
    end
end"""

_TCSH = """\
@DIRECTORY@
if ( $status == 0 ) then
    envref shim --export --functions --shell tcsh --project $_envref_dir:q@PROFILE@ | source /dev/stdin > /dev/null
endif
unset _envref_dir""".replace("@DIRECTORY@", TCSH_DIRECTORY)

_PROFILES = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH, "tcsh": _TCSH}

# Only functions that envref made. PATH is taken apart by the shell itself: no program may be on it by then.
_POSIX_UNDO = """\
_envref_old="$PATH:" _envref_new=''
while [ -n "$_envref_old" ]; do
  case "${_envref_old%%:*}" in
    *@STEM@*) ;;
    *) _envref_new="$_envref_new${_envref_new:+:}${_envref_old%%:*}" ;;
  esac
  _envref_old="${_envref_old#*:}"
done
PATH="$_envref_new"
unset _envref_old _envref_new"""
_FISH_UNDO = "set -gx PATH (string match -v '*@STEM@*' -- $PATH)"
_TCSH_UNDO = "setenv PATH \"`echo $PATH:q | tr : '\\n' | grep -v @STEM@ | paste -s -d : -`\""
_UNDO = {
    "bash": ('case "$(declare -f -- {0})" in *{1}*) unset -f {0} ;; esac', _POSIX_UNDO),
    "zsh": ('case "${{functions[{0}]-}}" in *{1}*) unfunction {0} ;; esac', _POSIX_UNDO),
    "fish": ("functions -q {0}; and string match -q '*{1}*' -- (functions {0}); and functions -e {0}", _FISH_UNDO),
    "tcsh": ("unalias {0}", _TCSH_UNDO),
}


def in_hook(profile: str | None) -> str:
    """Lines for `hook.on-activate`."""
    return _for(_HOOK, profile)


def in_profile(shell: str, profile: str | None) -> str:
    """Lines for `profile.SHELL`."""
    return _for(_PROFILES[shell], profile)


def undo(shell: str, config: Config) -> str:
    """Lines for `profile.deactivate.SHELL`."""
    function, path = _UNDO[shell]
    lines = [function.format(tool, SHIMS) for tool in shimmed.tools(config)]
    return "\n".join([*lines, path.replace("@STEM@", SHIMS + shimmed.stem(config))])


def _for(text: str, profile: str | None) -> str:
    return text.replace("@PROFILE@", f" --profile {profile}" if profile else "")
