# flake-parts: perSystem.envref.enable = true;
flake:
{ flake-parts-lib, ... }:
{
  options.perSystem = flake-parts-lib.mkPerSystemOption (
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
      _file = "envref#flakeModules.default";

      options.envref = shell.options // {
        devShell = lib.mkOption {
          type = lib.types.package;
          readOnly = true;
          description = "A shell with envref and the variables, for `inputsFrom` of a shell of your own.";
        };
      };

      config = {
        envref.devShell = pkgs.mkShell {
          packages = shell.packages cfg;
          shellHook = shell.hook cfg;
        };
        devShells = lib.mkIf cfg.enable { default = lib.mkDefault cfg.devShell; };
      };
    }
  );
}
