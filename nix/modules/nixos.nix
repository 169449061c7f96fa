# NixOS: programs.envref.enable = true;
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

    package = lib.mkOption {
      type = lib.types.package;
      default = flake.packages.${pkgs.stdenv.hostPlatform.system}.envref;
      defaultText = "the flake's envref";
      description = "The package that provides envref.";
    };
  };

  config = lib.mkIf cfg.enable { environment.systemPackages = [ cfg.package ]; };
}
