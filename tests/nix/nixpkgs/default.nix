# `import nixpkgs { system; config; overlays; }`.
{
  system,
  config ? { },
  overlays ? [ ],
}:
let
  lib = import ./lib.nix;
  machine = import ./machine.nix;
  linux = builtins.match ".*-linux" system != null;

  refused = meta: !(meta.license.free or true);
  allowed = package: (config.allowUnfreePredicate or (_: false)) package;
  checked =
    attributes:
    if refused (attributes.meta or { }) && !allowed attributes then
      throw "${attributes.pname} has an unfree license (${attributes.meta.license.fullName or attributes.meta.license.spdxId}), refusing to evaluate"
    else
      attributes;

  # A derivation whose text runs in bash, with the machine's own tools on PATH.
  shellDerivation =
    attributes: text:
    let
      plain = builtins.removeAttrs (checked attributes) [
        "meta"
        "passthru"
        "packages"
      ];
      inputs = (attributes.nativeBuildInputs or [ ]) ++ (attributes.packages or [ ]);
    in
    derivation (
      {
        inherit system;
        name = "${attributes.pname}-${attributes.version}";
        builder = machine.bash;
        args = [
          "-euo"
          "pipefail"
          ./stdenv.sh
        ];
        outputs = [ "out" ];
        inherit text;
        PATH = lib.makeBinPath inputs + ":" + machine.path;
        SOURCE_DATE_EPOCH = "1";
        LC_ALL = "C.UTF-8";
      }
      // plain
      // {
        inherit text;
      }
    )
    // {
      inherit (attributes) pname version;
      meta = {
        description = attributes.pname;
      }
      // (attributes.meta or { });
    }
    // (attributes.passthru or { });

  # A tool of the machine, as if it were a package.
  tool =
    name: license: program:
    shellDerivation {
      pname = name;
      version = "0";
      meta = {
        inherit license;
        mainProgram = name;
      };
    } ''mkdir -p $out/bin; ln -s ${program} $out/bin/${name}'';

  base = self: {
    inherit lib config;
    stdenv = {
      hostPlatform = {
        inherit system;
        isLinux = linux;
        isDarwin = !linux;
      };
      buildPlatform.canExecute = _: true;
      cc.cc = self.gcc;
    };
    callPackage = lib.callPackageWith self;
    python3 = import ./python.nix {
      inherit
        lib
        machine
        shellDerivation
        ;
      pkgs = self;
    };
    python3Packages = self.python3.pkgs;

    runCommand =
      name: attributes: text:
      shellDerivation (
        attributes
        // {
          pname = name;
          version = "0";
        }
      ) text;
    mkShell =
      attributes:
      shellDerivation (
        attributes
        // {
          pname = "shell";
          version = "0";
        }
      ) ''echo "$PATH" > $out'';
    formats.yaml = _: {
      type = "yaml";
      # JSON is YAML
      generate = name: value: builtins.toFile name (builtins.toJSON value);
    };

    installShellFiles = tool "install-shell-files" lib.licenses.mit "/bin/true";
    autoPatchelfHook = tool "auto-patchelf-hook" lib.licenses.mit "/bin/true";
    nixfmt-tree = tool "treefmt" lib.licenses.mit "/bin/true";
    gcc = tool "gcc" lib.licenses.gpl3Only "/bin/true";
    age = tool "age" lib.licenses.bsd3 "/usr/bin/age";
    git = tool "git" lib.licenses.gpl3Only "/usr/bin/git";
    mypy = tool "mypy" lib.licenses.mit "${machine.lint}/bin/mypy";
    ruff = tool "ruff" lib.licenses.mit "${machine.lint}/bin/ruff";
    shellcheck = tool "shellcheck" lib.licenses.gpl3Only "/usr/bin/shellcheck";
  }
  // import ./stores.nix { inherit lib machine shellDerivation; };

  extended = builtins.foldl' (
    package: overlay: self:
    let
      before = package self;
    in
    before // overlay self before
  ) base overlays;
  self = extended self;
in
self
