# `import nixpkgs { system; config; overlays; }`.
{
  system,
  config ? { },
  overlays ? [ ],
}:
let
  lib = import ./lib.nix;
  machine = import ./machine.nix;
  isLinux = builtins.match ".*-linux" system != null;

  # Itself, unless its licence is unfree and the config does not allow it.
  checked =
    package:
    if (package.meta.license.free or true) || (config.allowUnfreePredicate or (_: false)) package then
      package
    else
      throw "${package.pname} has an unfree license (${package.meta.license.spdxId}), refusing to evaluate";

  # A derivation whose text runs in bash, with its inputs and the machine's own tools on PATH.
  build =
    attributes: text:
    let
      inputs = (attributes.nativeBuildInputs or [ ]) ++ (attributes.packages or [ ]);
      description = { inherit (attributes) pname version; meta = attributes.meta or { }; };
      variables = removeAttrs (checked description // attributes) [ "meta" "packages" ];
    in
    derivation (
      variables
      // {
        inherit system text;
        name = "${attributes.pname}-${attributes.version}";
        builder = machine.bash;
        args = [ "-euo" "pipefail" ./stdenv.sh ];
        outputs = [ "out" ]; # `nix develop` wants it in the environment
        PATH = lib.makeBinPath inputs + ":/usr/bin:/bin";
        SOURCE_DATE_EPOCH = "1";
        LC_ALL = "C.UTF-8";
      }
    )
    // description;

  # A package that is one program.
  program =
    pname: name: license: text:
    build { inherit pname; version = "0"; meta = { inherit license; mainProgram = name; }; } ''
      mkdir -p $out/bin
      ${text}
    '';
  # A tool of the machine, as if it were a package: `path` is where it is.
  tool = name: path: program name name lib.licenses.mit "ln -s ${path} $out/bin/${name}";

  base =
    self:
    {
      inherit lib;
      stdenv = {
        hostPlatform = { inherit system isLinux; isDarwin = !isLinux; };
        buildPlatform.canExecute = _: true;
        cc.cc = tool "gcc" "/bin/true";
      };
      callPackage = lib.callPackageWith self;
      python3 = import ./python.nix { inherit lib machine build; pkgs = self; };
      python3Packages = self.python3.pkgs;

      runCommand = pname: attributes: build ({ inherit pname; version = "0"; } // attributes);
      mkShell = attributes: build ({ pname = "shell"; version = "0"; } // attributes) "echo $PATH > $out";
      formats.yaml = _: {
        type = "yaml";
        generate = name: value: builtins.toFile name (builtins.toJSON value); # JSON is YAML
      };

      age = tool "age" "/usr/bin/age";
      autoPatchelfHook = tool "auto-patchelf-hook" "/bin/true";
      git = tool "git" "/usr/bin/git";
      installShellFiles = tool "install-shell-files" "/bin/true";
      mypy = tool "mypy" "${machine.lint}/bin/mypy";
      nixfmt-tree = tool "treefmt" "/bin/true";
      ruff = tool "ruff" "${machine.lint}/bin/ruff";
      shellcheck = tool "shellcheck" "/usr/bin/shellcheck";
    }
    // import ./stores.nix { inherit lib machine program; };

  self = builtins.foldl' (
    package: overlay: self:
    package self // overlay self (package self)
  ) base overlays self;
in
self
