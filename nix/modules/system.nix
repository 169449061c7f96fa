# NixOS and nix-darwin: programs.envref.enable = true;
flake:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.programs.envref;
in
{
  options.programs.envref = {
    enable = lib.mkEnableOption "envref, for every user of the machine";
    package = import ./package.nix flake { inherit lib pkgs; };
  };

  config = lib.mkIf (cfg.enable && cfg.package != null) {
    environment.systemPackages = [ cfg.package ];
  };
}
