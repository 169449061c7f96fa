# The option `package` of every module: the flake's own, null for who installs envref elsewhere.
flake:
{ lib, pkgs }:
lib.mkOption {
  type = lib.types.nullOr lib.types.package;
  default = flake.packages.${pkgs.stdenv.hostPlatform.system}.envref;
  defaultText = lib.literalMD "`packages.<system>.envref` of envref's flake";
  example = lib.literalExpression "inputs.envref.packages.\${pkgs.stdenv.hostPlatform.system}.envref-full";
  description = "The package that provides envref. With `null`, nothing is installed.";
}
