# What flake-parts and devenv have in common: the options of a development shell, and its hook.
flake:
{ lib, pkgs }:
{
  options = {
    enable = lib.mkEnableOption "the variables of the project's .env, in its development shell";
    package = import ./package.nix flake { inherit lib pkgs; };
    strict = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether the shell ends if a secret can't be had.";
    };
  };
  hook = cfg: import ../shell-hook.nix { inherit lib; } { inherit (cfg) package strict; };
  packages = cfg: lib.optional (cfg.package != null) cfg.package;
}
