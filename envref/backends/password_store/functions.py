"""The functions of a native block that read an entry of pass without envref."""

from __future__ import annotations

# _envref_entry NAME [STORE [PROGRAM]]: an entry of pass. For a directory pass prints a tree, and calls that a success.
WHOLE_ENTRY = r"""
# shellcheck disable=SC2317  # called by name through _envref_get
_envref_entry() {
  local +x _envref_store="${2:-${PASSWORD_STORE_DIR:-$HOME/.password-store}}" _envref_program="${3:-pass}"
  if [ -z "${2:-}${PASSWORD_STORE_DIR:-}" ] && [ ! -d "$_envref_store" ]; then
    _envref_store="$HOME/.local/share/gopass/stores/root"
  fi
  if ! type -P "$_envref_program" >/dev/null; then
    printf 'envref: %s is not installed\n' "$_envref_program" >&2
    return 1
  fi
  if [ ! -f "$_envref_store/$1.gpg" ]; then
    printf 'envref: %s is not in the password store\n' "$1" >&2
    return 1
  fi
  PASSWORD_STORE_DIR="$_envref_store" "$_envref_program" show -- "$1"
}
"""

# _envref_pass NAME [STORE [PROGRAM]]: the first line of an entry; of a key in PEM, all of it
FIRST_LINE = r"""
# shellcheck disable=SC2317  # called by name through _envref_get
_envref_pass() {
  local +x _envref_text=''
  _envref_text="$(_envref_entry "$@")" || return 1
  case "$_envref_text" in
    "-----BEGIN "*) printf '%s\n' "$_envref_text" ;;
    *) printf '%s' "${_envref_text%%$'\n'*}" ;;
  esac
}
"""
