# shellcheck shell=bash
_envref_plugin() {
  local -
  set +ax
  local +x _envref_table='' _envref_out='' _envref_rc=0
  local +x _envref_bin="${FLOX_ENV:-}/bin/envref"
  [ "${_FLOX_ENV_ACTIVATION_MODE:-dev}" = dev ] || return 0
  [ -x "$_envref_bin" ] || return 0
  _envref_table="$(flox_plugin_data envref 2>/dev/null)" || return 0
  _envref_out="$(printf '%s\n' "$_envref_table" |
    "$_envref_bin" resolve --export --shell bash --from-flox-plugin -)" || _envref_rc=$?
  case "$_envref_rc" in
    0 | 3)
      eval "$_envref_out"
      return 0
      ;;
  esac
  printf 'envref: no secrets loaded (exit status %s)\n' "$_envref_rc" >&2
  [ "${ENVREF_STRICT:-0}" != 1 ]
}
_envref_plugin || exit 1
unset -f _envref_plugin
