# Python: the machine's interpreter, and each library that is asked for as a package of its own, cut out of the tests'
# virtual environment. What a package does not name, it does not get.
{
  lib,
  machine,
  build,
  pkgs,
}:
let
  inherit (machine) version;
  sitePackages = "lib/python${version}/site-packages";
  interpreter = "${python}/bin/python${version}";
  cut = site: name: "${machine.python} -I ${./cut.py} ${site} ${name} $out ${versions.${name} or ""}";
  versions = machine.versions or { };
  library = pname: build { inherit pname; version = "0"; } (cut machine.site pname);

  packages = lib.genAttrs machine.libraries library // {
    inherit python;
    callPackage = lib.callPackageWith (pkgs // packages);
    pytestCheckHook = library "pytest";

    # A wheel is not fetched: its library is cut out like the others, and must have the version that is named.
    fetchPypi = { pname, version, format, dist, python, abi, platform, hash }: hash;
    buildPythonPackage =
      { pname, version, meta, src, ... }:
      build { inherit pname version meta src; } ''
        ${cut (if pname == "ruff" then machine.lintSite else machine.site) pname}
        test -e $out/${sitePackages}/${pname}-${version}.dist-info
      '';
    # A set, or a function of the set itself, as nixpkgs takes either.
    buildPythonApplication =
      given:
      let
        attributes = if builtins.isFunction given then given attributes else given;
      in
      application attributes
      // {
        overridePythonAttrs = changes: packages.buildPythonApplication (attributes // changes);
      };
  };

  application =
    attributes:
    assert attributes.pyproject;
    let
      checks = attributes.doCheck or true; # in nixpkgs too, for Python
      checkInputs = if checks then attributes.nativeCheckInputs or [ ] else [ ];
      installChecks = attributes.doInstallCheck or true;
    in
    build {
      inherit (attributes) pname version src meta;
      inherit interpreter sitePackages;
      inherit (machine) bash;
      inherit (attributes.meta) mainProgram;
      doCheck = checks;
      requirements = ./requirements.py;
      nativeBuildInputs = attributes.nativeBuildInputs or [ ] ++ checkInputs;
      dependencies = attributes.dependencies;
      pip = library "pip";
      buildPath = attributes.build-system;
      checkPath = checkInputs;
      dontWrapPythonPrograms = attributes.dontWrapPythonPrograms or false;
      enabledTestPaths = attributes.enabledTestPaths or [ ];
      pytestFlags = attributes.pytestFlags or [ ];
      pythonImportsCheck = attributes.pythonImportsCheck or [ ];
      postPatch = attributes.postPatch or "";
      preCheck = attributes.preCheck or "";
      postInstall = attributes.postInstall or "";
      postFixup = attributes.postFixup or "";
      versionCheck = installChecks && builtins.elem pkgs.versionCheckHook (attributes.nativeInstallCheckInputs or [ ]);
    } ". ${./application.sh}";

  # Without what the machine's interpreter has in its own site-packages, and with what nixpkgs puts into its own.
  environment = ''
    ${machine.python} -m venv --without-pip $out
    install -m 644 ${./sitecustomize.py} $out/${sitePackages}/sitecustomize.py
  '';
  python =
    build { inherit version; pname = "python3"; meta.mainProgram = "python3"; } ''
      ${environment}
      $out/bin/python${version} -m compileall -q $out/${sitePackages}
      mkdir $out/nix-support
      sed "s|@sitePackages@|${sitePackages}|" ${./setup-hook.sh} > $out/nix-support/setup-hook
    ''
    // {
      inherit interpreter sitePackages;
      pkgs = packages;
      withPackages =
        choose:
        build { inherit version; pname = "python3-env"; } ''
          ${environment}
          for library in ${toString (choose packages)}; do
            cp -r --no-clobber --no-preserve=mode $library/${sitePackages}/. $out/${sitePackages}
          done
        ''
        // {
          inherit sitePackages;
          interpreter = throw "nixpkgs' python.withPackages has one; what stands here has not been needed yet";
        };
    };
in
python
