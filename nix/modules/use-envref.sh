# shellcheck shell=bash
# direnv: `use envref [PROFILE]` in an .envrc loads the project's variables, and loads them again when a file of theirs changes.
use_envref() {
  watch_file .envref.yaml .env .env.local ${1:+".env.$1"} "${XDG_STATE_HOME:-$HOME/.local/state}/envref/stamp"
  eval "$(@envref@ resolve --direnv ${1:+--profile "$1"})"
}
