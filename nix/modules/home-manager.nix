# home-manager: programs.envref.enable = true;
flake:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.programs.envref;
  yaml = pkgs.formats.yaml { };

  # Every name in a value, at any depth.
  names =
    value:
    if builtins.isAttrs value then
      builtins.attrNames value ++ builtins.concatMap names (builtins.attrValues value)
    else if builtins.isList value then
      builtins.concatMap names value
    else
      [ ];
  secret = builtins.filter (
    name:
    builtins.elem name [
      "passphrase"
      "token"
    ]
  ) (names cfg.settings);
in
{
  options.programs.envref = {
    enable = lib.mkEnableOption "envref, which resolves the references of a .env";

    package = lib.mkOption {
      type = lib.types.package;
      default = flake.packages.${pkgs.stdenv.hostPlatform.system}.envref;
      defaultText = "the flake's envref";
      example = "the flake's envref-full, which bundles op, aws, vault and oci";
      description = "The package that provides envref.";
    };

    settings = lib.mkOption {
      inherit (yaml) type;
      default = { };
      example = {
        backends = [
          {
            name = "keychain";
            optional = true;
          }
          { name = "vault"; }
        ];
      };
      description = ''
        ~/.config/envref/config.yaml, for all your projects. Everybody on the machine can read it in the Nix store: a token
        or a passphrase is refused.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = secret == [ ];
        message = "programs.envref.settings: ${builtins.toString secret}: everybody could read it in the Nix store; set it in the environment, or keep it in a store";
      }
    ];
    home.packages = [ cfg.package ];
    xdg.configFile."envref/config.yaml" = lib.mkIf (cfg.settings != { }) {
      source = yaml.generate "envref-config.yaml" cfg.settings;
    };
  };
}
