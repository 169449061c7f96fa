# The functions of nixpkgs' lib that the flake calls.
let
  inherit (builtins) any concatMap concatStringsSep isAttrs pathExists stringLength substring;

  below = parent: path: path == parent || substring 0 (stringLength parent + 1) path == parent + "/";

  # A set of files: the paths that are in, and those of them that are out. Like the real one, it refuses what is not there.
  fileset = rec {
    set =
      value:
      if isAttrs value then
        value
      else if pathExists value then
        {
          within = [ (toString value) ];
          without = [ ];
        }
      else
        throw "lib.fileset: ${toString value} does not exist";
    unions = values: {
      within = concatMap (value: (set value).within) values;
      without = concatMap (value: (set value).without) values;
    };
    difference = all: less: {
      inherit (set all) within;
      without = (set all).without ++ (set less).within;
    };
    toSource =
      { root, fileset }:
      let
        chosen = set fileset;
        keeps =
          path: any (file: below file path || below path file) chosen.within && !any (file: below file path) chosen.without;
      in
      builtins.path {
        path = root;
        name = "source";
        filter = path: _: keeps path;
      };
  };
in
rec {
  inherit fileset;
  genAttrs =
    names: value:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = value name;
      }) names
    );
  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: values: if condition then values else [ ];
  optionalString = condition: text: if condition then text else "";
  importTOML = path: builtins.fromTOML (builtins.readFile path);
  getLib = package: package;
  getName = package: package.pname;
  getExe = package: "${package}/bin/${package.meta.mainProgram}";
  makeBinPath = packages: concatStringsSep ":" (map (package: "${package}/bin") packages);
  callPackageWith =
    scope: file: arguments:
    let
      function = if builtins.isFunction file then file else import file;
      known = builtins.intersectAttrs (builtins.functionArgs function) scope;
    in
    function (known // arguments);

  licenses = {
    asl20.spdxId = "Apache-2.0";
    bsd3.spdxId = "BSD-3-Clause";
    gpl3Only.spdxId = "GPL-3.0-only";
    mit.spdxId = "MIT";
    mpl20.spdxId = "MPL-2.0";
    upl.spdxId = "UPL-1.0";
    bsl11 = {
      spdxId = "BUSL-1.1";
      free = false;
    };
    unfree = {
      fullName = "Unfree";
      free = false;
    };
  };
  sourceTypes.binaryNativeCode.shortName = "binaryNativeCode";
  platforms.unix = [
    "x86_64-linux"
    "aarch64-linux"
    "aarch64-darwin"
  ];

  # What a module is made of; a test looks at the result itself.
  types.package = "package";
  mkOption = option: option // { _type = "option"; };
  mkEnableOption = name: mkOption { description = "Whether to enable ${name}."; };
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
}
