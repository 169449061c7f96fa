{
  description = "envref: references in a committed .env, secrets out of your stores, just in time";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      # What a file of nix/ makes of each system.
      each =
        file:
        nixpkgs.lib.genAttrs systems (
          system:
          import file {
            inherit self nixpkgs system;
            pkgs = nixpkgs.legacyPackages.${system};
          }
        );
    in
    {
      packages = each ./nix/packages.nix;
      apps = each ./nix/apps.nix;
      checks = each ./nix/checks.nix;
      devShells = each ./nix/shell.nix;
      formatter = each ./nix/formatter.nix;
      overlays.default = import ./nix/overlay.nix;
      lib.mkShellHook = import ./nix/shell-hook.nix { inherit (nixpkgs) lib; };
    }
    // import ./nix/modules self;
}
