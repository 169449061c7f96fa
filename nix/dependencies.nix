# The libraries that pyproject.toml names, out of a set of Python packages.
{ lib, stdenv }:
python:
[
  python.click
  python.cryptography
  python.keyring
  (python.pyrage or (python.callPackage ./pyrage.nix { }))
  python.pyyaml
  python.regex
  python.tomlkit
  python.watchfiles
]
++ lib.optionals stdenv.hostPlatform.isLinux [
  python.jeepney
  python.secretstorage
]
