# `nix develop`: Python with what envref and its tests need, and the programs that the tests run.
{ pkgs, ... }:
let
  inherit (pkgs.python3) sitePackages;
  python = pkgs.python3.withPackages (
    packages:
    pkgs.callPackage ./dependencies.nix { } packages
    ++ [
      packages.hatchling
      packages.hypothesis
      packages.jsonschema
      packages.pytest
      packages.pytest-rerunfailures
      packages.pytest-xdist
      packages.python-dotenv
      packages.redis
    ]
  );
  # The checkout's envref, with the isolation that a package's has.
  launcher = pkgs.runCommand "envref-checkout" { } ''
    mkdir -p $out/bin
    cat > $out/bin/envref <<END
    #!${pkgs.python3.interpreter} -IS
    import os, sys
    sys.path[:0] = [os.environ["ENVREF_CHECKOUT"]]
    sys.path += ["${python}/${sitePackages}"]
    from envref.__main__ import main
    main()
    END
    chmod +x $out/bin/envref
  '';
in
{
  default = pkgs.mkShell {
    packages = [
      python
      launcher
      pkgs.age
      pkgs.mypy
      (pkgs.python3Packages.callPackage ./ruff.nix { })
      pkgs.shellcheck
    ];
    # For `python -m pytest`, and for `envref`, from anywhere.
    shellHook = ''
      export ENVREF_CHECKOUT="$PWD"
      export PYTHONPATH="$PWD''${PYTHONPATH:+:$PYTHONPATH}"
    '';
  };
}
