# Without flakes: `nix-build` builds envref, `-A envref-free` and `-A envref-full` those that bring programs. The nixpkgs is the one
# that flake.lock names, unless you give another (`--arg pkgs 'import <nixpkgs> { }'`), and decides about unfree licences.
{
  system ? builtins.currentSystem,
  pkgs ? import (import ./nix/locked.nix) { inherit system; },
}:
let
  over = pkgs.extend (import ./nix/overlay.nix);
in
over.envref
// {
  inherit (over) envref envref-free envref-full;
  mkShellHook = import ./nix/shell-hook.nix { inherit (pkgs) lib; };
}
