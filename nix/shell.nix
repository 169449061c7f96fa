# `nix develop`: Python with what envref and its tests need, and the programs that the tests run.
{ pkgs, ... }:
let
  python = pkgs.python3.withPackages (
    packages:
    pkgs.callPackage ./dependencies.nix { } packages
    ++ [
      packages.hatchling
      packages.hypothesis
      packages.jsonschema
      packages.pytest
      packages.pytest-xdist
      packages.python-dotenv
      packages.redis
    ]
  );
in
{
  default = pkgs.mkShell {
    packages = [
      python
      pkgs.age
      pkgs.mypy
      pkgs.ruff
      pkgs.shellcheck
    ];
    # The checkout's envref, from anywhere below it: `python -m envref`.
    shellHook = ''
      export PYTHONPATH="$PWD''${PYTHONPATH:+:$PYTHONPATH}"
    '';
  };
}
