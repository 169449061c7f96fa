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
  cut = name: "${machine.python} -I ${./cut.py} ${machine.site} ${name} $out/${sitePackages}";
  library = pname: build { inherit pname; version = "0"; } (cut pname);

  packages = lib.genAttrs machine.libraries library // {
    inherit python;
    callPackage = lib.callPackageWith (pkgs // packages);
    pytestCheckHook = library "pytest";

    # A wheel is not fetched: its library is cut out like the others, and must have the version that is named.
    fetchPypi = { pname, version, format, dist, python, abi, platform, hash }: hash;
    buildPythonPackage =
      { pname, version, meta, src, ... }:
      build { inherit pname version meta src; } ''
        ${cut pname}
        test -e $out/${sitePackages}/${pname}-${version}.dist-info
      '';
    buildPythonApplication =
      attributes:
      application attributes
      // {
        overridePythonAttrs = changes: packages.buildPythonApplication (attributes // changes);
      };
  };

  application =
    attributes:
    assert attributes.pyproject && attributes.dontWrapPythonPrograms;
    build {
      inherit (attributes) pname version src meta postFixup doCheck pythonImportsCheck;
      inherit interpreter sitePackages;
      nativeBuildInputs = attributes.nativeBuildInputs ++ attributes.nativeCheckInputs or [ ];
      pythonPath = attributes.dependencies;
      buildPath = attributes.build-system ++ [ (library "pip") ];
      checkPath = attributes.nativeCheckInputs or [ ];
      enabledTestPaths = attributes.enabledTestPaths or [ ];
      pytestFlags = attributes.pytestFlags or [ ];
    } ". ${./application.sh}";

  # Without what the machine's interpreter has in its own site-packages.
  environment = "${machine.python} -m venv --without-pip $out";
  python =
    build { inherit version; pname = "python3"; meta.mainProgram = "python3"; } environment
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
        '';
    };
in
python
