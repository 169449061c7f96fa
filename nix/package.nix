# envref, for callPackage: used by the flake, the overlay and Flox.
#
# No wrapper: a wrapper's PATH, PYTHONNOUSERSITE or SHLVL would reach the children of `envref run`. The program is a script
# that knows where its libraries and bundled programs are. docs/adr/0007-flake.md, 0019-beside-a-python.md
{
  lib,
  stdenv,
  callPackage,
  python3Packages,
  installShellFiles,
  pname ? "envref",
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
  # What brings programs differs in the launcher only, so that the lean package's tests are its own.
  lean = programs == [ ];
in
python3Packages.buildPythonApplication {
  inherit pname;
  version = builtins.head version;
  pyproject = true;

  src = callPackage ./source.nix { } (lib.optional lean (lib.fileset.difference ../tests ../tests/nix));

  build-system = [ python3Packages.hatchling ];
  dependencies = callPackage ./dependencies.nix { } python3Packages;
  nativeBuildInputs = [ installShellFiles ];

  # How references are read and values quoted; nix/checks.nix runs more.
  doCheck = lean;
  nativeCheckInputs = [
    python3Packages.pytestCheckHook
    python3Packages.hypothesis
  ];
  enabledTestPaths = [
    "tests/formats"
    "tests/refs"
  ];
  pytestFlags = [ "--exitfirst" ];
  pythonImportsCheck = [ "envref" ];

  dontWrapPythonPrograms = true;
  # -S: nixpkgs' Python obeys and takes NIX_PYTHONPATH, NIX_PYTHONPREFIX and NIX_PYTHONEXECUTABLE at its start, which `-I`
  # does not stop. What is propagated would come into every shell that has envref: this Python onto PATH, these libraries
  # onto PYTHONPATH. The launcher names each path, so that nothing is missing from the closure.
  postFixup = ''
    buildPythonPath "$out ''${pythonPath[*]-}"
    cat > $out/bin/envref <<END
    #!${python.interpreter} -IS
    import os, sys
    sys.path += "$program_PYTHONPATH".split(":")
    ${bundled}from envref.__main__ import main
    main()
    END
    # Docker finds a helper by its name. As pip writes it, it would take the variables that the launcher does not.
    printf '#!/bin/sh\nexec %s credential docker "$@"\n' $out/bin/envref > $out/bin/docker-credential-envref
    rm -f $out/nix-support/propagated-build-inputs
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
    license = lib.unique (
      [ lib.licenses.mit ] ++ lib.concatMap (program: lib.toList program.meta.license) programs
    );
    mainProgram = "envref";
    platforms = lib.platforms.unix;
  };
}
