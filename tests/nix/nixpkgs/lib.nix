# The functions of nixpkgs' lib that the flake calls; nixpkgs' own, where somebody put that beside this file.
let
  inherit (builtins) any concatMap concatStringsSep pathExists stringLength substring;

  upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  lower = "abcdefghijklmnopqrstuvwxyz";
  chars = text: builtins.genList (at: substring at 1 text) (stringLength text);

  below = parent: path: path == parent || substring 0 (stringLength parent + 1) path == parent + "/";
  free = spdxId: { inherit spdxId; };

  # A set of files: the paths that are in, and those of them that are out. Like the real one, it refuses what is not there.
  set =
    value:
    if builtins.isAttrs value then
      value
    else if pathExists value then
      { within = [ (toString value) ]; without = [ ]; }
    else
      throw "lib.fileset: ${toString value} does not exist";
  keeps =
    { within, without }:
    path: any (file: below file path || below path file) within && !any (file: below file path) without;

  lib = import ./modules.nix lib // rec {
    fileset = {
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
        builtins.path { path = root; name = "source"; filter = path: _: keeps (set fileset) path; };
    };

    genAttrs = names: make: builtins.listToAttrs (map (name: { inherit name; value = make name; }) names);
    toList = value: if builtins.isList value then value else [ value ];
    unique = builtins.foldl' (all: value: if builtins.elem value all then all else all ++ [ value ]) [ ];
    optional = condition: value: optionals condition [ value ];
    optionals = condition: values: if condition then values else [ ];
    optionalString = condition: text: if condition then text else "";
    inherit (builtins) concatStringsSep concatMap;
    # Of letters, digits and underscores, as names are.
    toLower = builtins.replaceStrings (chars upper) (chars lower);
    escapeShellArg = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";
    hasInfix = part: text: builtins.match ".*${part}.*" text != null;
    importTOML = path: builtins.fromTOML (builtins.readFile path);
    fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    getLib = package: package;
    getName = package: package.pname;
    getExe = package: "${package}/bin/${package.meta.mainProgram}";
    makeBinPath = packages: concatStringsSep ":" (map (package: "${package}/bin") packages);
    callPackageWith =
      scope: file: arguments:
      let
        function = if builtins.isFunction file then file else import file;
      in
      function (builtins.intersectAttrs (builtins.functionArgs function) scope // arguments);

    licenses = {
      asl20 = free "Apache-2.0";
      mit = free "MIT";
      mpl20 = free "MPL-2.0";
      upl = free "UPL-1.0";
      bsl11 = free "BUSL-1.1" // { free = false; };
      unfree = free "unfree" // { free = false; };
    };
    sourceTypes.binaryNativeCode.shortName = "binaryNativeCode";
    platforms.unix = [ "x86_64-linux" "aarch64-linux" "aarch64-darwin" ];
  };
in
if pathExists ./lib then import ./lib else lib
