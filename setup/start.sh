#!/bin/sh
# `start.sh DOOR` opens a door of setup/ with the first CPython from 3.11 on that PATH has; PYTHON names another.
set -eu
cd "$(dirname "$0")/.."
for python in "${PYTHON:-python3}" python3.15 python3.14 python3.13 python3.12 python3.11; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    exec "$python" -m setup "$@"
  fi
done
echo "envref needs Python 3.11 or newer: apt-get install python3 python3-venv, or brew install python" >&2
exit 1
