{
  lib,
  stdenv,
  fetchFromGitHub,
  installShellFiles,
  nix-update-script,
  python3Packages,
  versionCheckHook,
}:

python3Packages.buildPythonApplication (finalAttrs: {
  pname = "envref";
  version = "0.1.0";
  pyproject = true;

  src = fetchFromGitHub {
    owner = "OWNER";
    repo = "envref";
    tag = "v${finalAttrs.version}";
    hash = lib.fakeHash;
  };

  build-system = with python3Packages; [ hatchling ];

  dependencies =
    with python3Packages;
    [
      click
      cryptography
      keyring
      pyrage
      pyyaml
      regex
      tomlkit
      watchfiles
    ]
    ++ lib.optionals stdenv.hostPlatform.isLinux [
      jeepney
      secretstorage
    ];

  nativeBuildInputs = [ installShellFiles ];

  nativeCheckInputs = with python3Packages; [
    hypothesis
    pytestCheckHook
  ];

  enabledTestPaths = [
    "tests/formats"
    "tests/refs"
  ];

  pythonImportsCheck = [ "envref" ];

  nativeInstallCheckInputs = [ versionCheckHook ];

  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    installShellCompletion --cmd envref \
      --bash <($out/bin/envref completion bash) \
      --fish <($out/bin/envref completion fish) \
      --zsh <($out/bin/envref completion zsh)
  '';

  # `envref run` starts programs, which have to see the environment of the caller: a wrapper would put another Python on
  # their PATH. Without site (-S), sitecustomize takes no NIX_PYTHON* away from them.
  dontWrapPythonPrograms = true;

  postFixup = ''
    buildPythonPath "$out ''${pythonPath[*]-}"
    cat > $out/bin/envref <<END
    #!${python3Packages.python.interpreter} -IS
    import sys
    sys.path += "$program_PYTHONPATH".split(":")
    from envref.__main__ import main
    main()
    END
    # Docker finds a helper by its name. As pip writes it, it would take the variables that the launcher does not.
    printf '#!/bin/sh\nexec %s credential docker "$@"\n' $out/bin/envref > $out/bin/docker-credential-envref

    # Leaks the libraries into the PYTHONPATH of development shells.
    rm -f $out/nix-support/propagated-build-inputs
  '';

  passthru.updateScript = nix-update-script { };

  meta = {
    description = "Commit your .env: references in the file, secrets out of your stores, just in time";
    homepage = "https://github.com/OWNER/envref";
    changelog = "https://github.com/OWNER/envref/blob/v${finalAttrs.version}/CHANGELOG.md";
    license = lib.licenses.mit;
    maintainers = [ ];
    mainProgram = "envref";
    platforms = lib.platforms.unix;
  };
})
