# Python: the machine's interpreter, and each library that is asked for as a package of its own, cut out of the tests'
# virtual environment. What a package does not name, it does not get.
{
  lib,
  machine,
  pkgs,
  shellDerivation,
}:
let
  sitePackages = "lib/python${machine.version}/site-packages";
  interpreter = "${python}/bin/python${machine.version}";

  library =
    name:
    shellDerivation {
      pname = name;
      version = "0";
    } ''${machine.python} -I ${./cut.py} ${machine.site} ${name} $out/${sitePackages}'';

  # As in nixpkgs: a wheel by its address, which nobody asks for here.
  fetchPypi =
    {
      pname,
      version,
      format,
      dist,
      python,
      abi,
      platform,
      hash,
    }:
    "${pname}-${version}-${python}-${abi}-${platform}.whl";

  names = [
    "click"
    "cryptography"
    "hatchling"
    "hypothesis"
    "jeepney"
    "keyring"
    "pytest"
    "pytest-xdist"
    "python-dotenv"
    "pyyaml"
    "redis"
    "secretstorage"
    "tomlkit"
  ];

  packages =
    lib.genAttrs names library
    // rec {
      inherit python fetchPypi;
      callPackage = lib.callPackageWith (pkgs // packages);
      pytestCheckHook = library "pytest";

      # A wheel is not fetched; its library is cut out like the others, under the version that is named.
      buildPythonPackage =
        attributes:
        shellDerivation {
          inherit (attributes) pname version meta;
        } ''
          ${machine.python} -I ${./cut.py} ${machine.site} ${attributes.pname} $out/${sitePackages}
          test -e $out/${sitePackages}/${attributes.pname}-${attributes.version}.dist-info
        '';

      buildPythonApplication =
        attributes:
        application attributes
        // {
          overridePythonAttrs = changes: buildPythonApplication (attributes // changes);
        };
    };

  application =
    attributes:
    assert attributes.pyproject && attributes.dontWrapPythonPrograms or false;
    shellDerivation
      {
        inherit (attributes) pname version src meta;
        inherit interpreter sitePackages;
        inherit (attributes) postFixup;
        nativeBuildInputs = attributes.nativeBuildInputs ++ attributes.nativeCheckInputs or [ ];
        pythonPath = attributes.dependencies;
        buildPath = attributes.build-system ++ [ (library "pip") ];
        checkPath = attributes.nativeCheckInputs or [ ];
        doCheck = if attributes.doCheck then "1" else "";
        enabledTestPaths = attributes.enabledTestPaths or [ ];
        pytestFlags = attributes.pytestFlags or [ ];
        pythonImportsCheck = attributes.pythonImportsCheck or [ ];
      }
      ". ${./application.sh}";

  python =
    shellDerivation
      {
        pname = "python3";
        version = machine.version;
        meta.mainProgram = "python3";
      }
      ''
        mkdir -p $out/bin $out/${sitePackages}
        for name in python python3 python${machine.version}; do ln -s ${machine.python} $out/bin/$name; done
      ''
    // {
      inherit interpreter sitePackages;
      pkgs = packages;
      withPackages =
        choose:
        shellDerivation {
          pname = "python3-env";
          version = machine.version;
        } ''
          ${machine.python} -m venv --without-pip $out
          for library in ${toString (choose packages)}; do cp -r --no-clobber --no-preserve=mode $library/${sitePackages}/. $out/${sitePackages}; done
        '';
    };
in
python
