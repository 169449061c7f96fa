# What every build runs: $stdenv/setup, then its own text.
. "$stdenv/setup"
eval "$text"
test -e "$out"
