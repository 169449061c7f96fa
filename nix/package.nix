# envref, for callPackage: used by the flake, the overlay and Flox.
#
# No wrapper: a wrapper's PATH, PYTHONNOUSERSITE or SHLVL would reach the children of `envref run`. The program is a script
# that knows where its libraries and bundled programs are. docs/adr/0007-flake.md
{
  lib,
  stdenv,
  callPackage,
  python3Packages,
  installShellFiles,
  # Programs of stores, found after PATH and seen by nobody else.
  programs ? [ ],
}:
let
  inherit (python3Packages) python;
  pyproject = lib.importTOML ../pyproject.toml;
  version = builtins.match ''.*__version__ = "([^"]+)".*'' (builtins.readFile ../envref/__init__.py);

  bundled = lib.optionalString (programs != [ ]) ''
    os.environ["ENVREF_STORE_PATH"] = os.environ.get("ENVREF_STORE_PATH", "") + ":${lib.makeBinPath programs}"
  '';
in
python3Packages.buildPythonApplication {
  pname = "envref";
  version = builtins.head version;
  pyproject = true;

  src = callPackage ./source.nix { } [ ];

  build-system = [ python3Packages.hatchling ];
  dependencies = callPackage ./dependencies.nix { } python3Packages;
  nativeBuildInputs = [ installShellFiles ];

  doCheck = false; # nix/checks.nix runs the tests
  pythonImportsCheck = [ "envref" ];

  dontWrapPythonPrograms = true;
  postFixup = ''
    buildPythonPath "$out ''${pythonPath[*]-}"
    cat > $out/bin/envref <<END
    #!${python.interpreter} -I
    import os, sys
    sys.path += "$program_PYTHONPATH".split(":")
    ${bundled}from envref.__main__ import main
    main()
    END
  ''
  + lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    # Nothing in the store ever changes: Python need not read a source to see whether its bytecode is still right.
    ${python.interpreter} -m compileall -q -f --invalidation-mode unchecked-hash $out/${python.sitePackages}
    for shell in bash fish zsh; do
      $out/bin/envref completion $shell > envref.$shell
    done
    installShellCompletion envref.bash envref.fish envref.zsh
  '';

  meta = {
    inherit (pyproject.project) description;
    license = lib.licenses.mit;
    mainProgram = "envref";
    platforms = lib.platforms.unix;
  };
}
