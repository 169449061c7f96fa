"""The function of a native block that reads a secret of OCI's vault without envref."""

from __future__ import annotations

# _envref_oci COMMAND...: the content of a bundle, decoded
DECODED = r"""
# shellcheck disable=SC2317  # called by name through _envref_get
_envref_oci() {
  local +x _envref_text=''
  if ! type -P "$1" >/dev/null; then
    printf 'envref: %s is not installed\n' "$1" >&2
    return 1
  fi
  _envref_text="$("$@" --query 'data."secret-bundle-content".content' --raw-output)" || return 1
  printf '%s' "$_envref_text" | base64 --decode
}
"""
