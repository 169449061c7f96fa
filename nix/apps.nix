# `nix run .#NAME` for every package.
{ self, nixpkgs, system, ... }:
builtins.mapAttrs (_: package: {
  type = "app";
  program = nixpkgs.lib.getExe package;
  meta = { inherit (package.meta) description; };
}) self.packages.${system}
