# Without flakes: `nix-shell` is what `nix develop` is.
{
  system ? builtins.currentSystem,
  pkgs ? import (import ./nix/locked.nix) { inherit system; },
}:
(import ./nix/shell.nix { inherit pkgs; }).default
