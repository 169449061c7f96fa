# devenv: envref.enable = true;
flake:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.envref;
  shell = import ./shell.nix flake { inherit lib pkgs; };
in
{
  options.envref = shell.options;

  config = lib.mkIf cfg.enable {
    packages = shell.packages cfg;
    enterShell = shell.hook cfg;
  };
}
