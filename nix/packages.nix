# What the flake builds. A refused licence would stop all of `nix flake check`: envref-full has a nixpkgs of its own, which
# accepts what nix/stores.nix names.
{
  nixpkgs,
  system,
  ...
}:
let
  overlays = [ (import ./overlay.nix) ];
  free = import nixpkgs {
    inherit system overlays;
    config = { };
  };
  full = import nixpkgs {
    inherit system overlays;
    config.allowUnfreePredicate =
      package: builtins.elem (nixpkgs.lib.getName package) (import ./stores.nix).unfree;
  };
in
{
  default = free.envref;
  inherit (free) envref envref-free;
  inherit (full) envref-full;
}
