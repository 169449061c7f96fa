# Text for a shellHook, which bash runs: loads the variables of the project that the shell is opened in, and does nothing where
# there is none. A secret that can't be had is named, and its variable left as it was. With `strict` the shell ends instead.
{ lib }:
{
  # Of whom envref is taken; null takes the one on PATH.
  package ? null,
  strict ? false,
}:
let
  envref = if package == null then "envref" else lib.getExe package;
in
''
  _envref_hook() {
    local -
    set +aeux
    local +x _envref_dir="$PWD" _envref_out="" _envref_rc=0
    until [ -e "$_envref_dir/.envref.yaml" ]; do
      [ -n "$_envref_dir" ] || return 0
      _envref_dir="''${_envref_dir%/*}"
    done
    _envref_out="$(command ${envref} resolve --export --shell bash${lib.optionalString strict " --strict"})" || _envref_rc=$?
    case "$_envref_rc" in
      0 | 3) eval "$_envref_out" ;;
      *)
        printf 'envref: no secrets loaded (exit status %s)\n' "$_envref_rc" >&2
        return 1
        ;;
    esac
  }
  _envref_hook || ${if strict then "exit 1" else ":"}
  unset -f _envref_hook
''
