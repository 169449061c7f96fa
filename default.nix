# Without flakes: `nix-build` builds envref, `nix-build -A envref-full` the one that brings programs. The nixpkgs is the one that
# flake.lock names, unless you give another: `--arg pkgs 'import <nixpkgs> { }'`.
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
