#!/bin/sh
# `make demo`: resolves the example project beside this script from a new embedded vault.
# It works on a copy with its own HOME, and leaves nothing behind.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
mkdir "$scratch/home" "$scratch/demo"
cp "$(dirname "$0")/.env" "$(dirname "$0")/.envref.yaml" "$scratch/demo"
cd "$scratch/demo"

for name in $(env | sed -n 's/^\(ENVREF_[A-Z_]*\)=.*/\1/p') XDG_CONFIG_HOME XDG_STATE_HOME XDG_CACHE_HOME; do
  unset "$name"
done
HOME=$scratch/home
ENVREF_VAULT_PASSPHRASE=$(od -An -tx1 -N16 /dev/urandom | tr -d ' \n')
export HOME ENVREF_VAULT_PASSPHRASE

# Prints a command and runs it. The demo ends at the first command that fails.
show() {
  printf '$ %s\n' "$1"
  eval "$1" 2>&1 || exit
}

show 'cat .env'
show 'envref vault init'
show 'echo "correct horse" | envref secret set db_password'
show 'echo "tr0ub4dor&3" | envref secret set api_token'
show 'envref run -- sh -c '\''echo "$APP_NAME logs $LOG_LEVEL, connects to $DATABASE_URL"'\'
show 'envref trust'
show 'envref resolve --export'

# A secret that nobody has stored yet.
show 'echo '\''MAIL_KEY=ref://secrets/mail_key'\'' >> .env'
show 'envref resolve --export; echo "exit status $?"'
show 'echo "battery staple" | envref secret set mail_key'
show 'envref run -- sh -c '\''echo "mail key: $MAIL_KEY"'\'
