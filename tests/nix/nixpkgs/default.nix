# `import nixpkgs { system; config; overlays; }`.
{
  system ? builtins.currentSystem,
  config ? { },
  overlays ? [ ],
}:
let
  machine = import ./machine.nix;
  lib = import ./lib.nix;
  isLinux = builtins.match ".*-linux" system != null;

  # Refuses an unfree licence that the config does not allow, when the package is built; what it says of itself can be read.
  # As pkgs/stdenv/generic/check-meta.nix does it.
  checked =
    { pname, meta, ... }:
    let
      refused = builtins.filter (license: !(license.free or true)) (lib.toList (meta.license or [ ]));
    in
    if refused == [ ] || (config.allowUnfreePredicate or (_: false)) { inherit pname meta; } then
      true
    else
      throw "${pname} has an unfree license (${(builtins.head refused).spdxId or "unfree"}), refusing to evaluate";

  stdenv = derivation {
    inherit system;
    name = "stdenv";
    builder = machine.bash;
    # `exit`: bash stays. A builder that had become cp was killed in the sandbox, every other time.
    args = [ "-ec" "mkdir $out; cp ${./stdenv.sh} $out/setup; exit" ];
    PATH = "/usr/bin:/bin";
  };

  # A derivation whose text runs in bash, with its inputs and the machine's own tools on PATH.
  build =
    attributes: text:
    let
      description = { inherit (attributes) pname version; meta = attributes.meta or { }; };
      variables = removeAttrs (description // attributes) [ "meta" "packages" "passthru" ];
    in
    derivation (
      variables
      // {
        inherit system text stdenv;
        name = builtins.seq (checked description) "${attributes.pname}-${attributes.version}";
        nativeBuildInputs = attributes.nativeBuildInputs or [ ] ++ attributes.packages or [ ];
        builder = machine.bash;
        args = [ "-euo" "pipefail" ./builder.sh ];
        outputs = [ "out" ]; # `nix develop` wants it in the environment
        SOURCE_DATE_EPOCH = "1";
        LC_ALL = "C.UTF-8";
      }
    )
    // description
    // attributes.passthru or { };

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
      extend = overlay: import ./. { inherit system config; overlays = overlays ++ [ overlay ]; };
      python3 = import ./python.nix { inherit lib machine build; pkgs = self; };
      python3Packages = self.python3.pkgs;

      runCommand = pname: attributes: build ({ inherit pname; version = "0"; } // attributes);
      writeShellScriptBin =
        name: text:
        program name name lib.licenses.mit ''
          cat > $out/bin/${name} <<'END OF STAND-IN'
          #!${machine.bash}
          ${text}
          END OF STAND-IN
          chmod 755 $out/bin/${name}
        '';
      mkShell =
        { packages ? [ ], inputsFrom ? [ ], shellHook ? "", ... }@attributes:
        build (
          { pname = "shell"; version = "0"; }
          // removeAttrs attributes [ "inputsFrom" ]
          // {
            packages = packages ++ builtins.concatMap (from: from.nativeBuildInputs) inputsFrom;
            shellHook = lib.concatStringsSep "\n" (map (from: from.shellHook or "") inputsFrom ++ [ shellHook ]);
          }
        ) "echo $PATH > $out";
      formats.yaml = _: {
        type = lib.types.attrs;
        generate = name: value: builtins.toFile name (builtins.toJSON value); # JSON is YAML
      };

      # The tarball of a tag, which machine.nix says where to find, unpacked; it must have the hash that is asked for.
      fetchFromGitHub =
        { owner, repo, tag, hash }:
        builtins.fetchTarball {
          url = "file://${machine.tarballs."${owner}/${repo}/${tag}"}";
          name = "source";
          sha256 = hash;
        };
      nix-update-script = _: [ "nix-update" ];
      versionCheckHook = tool "version-check-hook" "/bin/true";

      age = tool "age" "/usr/bin/age";
      autoPatchelfHook = tool "auto-patchelf-hook" "/bin/true";
      git = tool "git" "/usr/bin/git";
      installShellFiles = tool "install-shell-files" "/bin/true";
      mypy = tool "mypy" "${machine.lint}/bin/mypy";
      nixfmt-tree = tool "treefmt" "/bin/true";
      shellcheck = tool "shellcheck" "/usr/bin/shellcheck";
    }
    // import ./stores.nix { inherit lib machine program; };

  self = builtins.foldl' (
    package: overlay: self:
    package self // overlay self (package self)
  ) base overlays self;
in
self
