# The three packages, made of the nixpkgs that this is laid over. Its own settings decide about envref-full.
final: _:
let
  stores = import ./stores.nix;
in
{
  envref = final.callPackage ./package.nix { };
  envref-free = final.callPackage ./package.nix {
    pname = "envref-free";
    programs = stores.free final;
  };
  envref-full = final.callPackage ./package.nix {
    pname = "envref-full";
    programs = stores.full final;
  };
}
