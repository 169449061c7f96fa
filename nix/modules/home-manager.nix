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
  envref = if cfg.package == null then "envref" else lib.getExe cfg.package;

  # Every name in a value, at any depth, but for what only says in which store a credential is.
  isReference = value: builtins.isString value && builtins.substring 0 6 value == "ref://";
  names =
    value:
    if builtins.isAttrs value then
      builtins.filter (name: !isReference value.${name}) (builtins.attrNames value)
      ++ lib.concatMap names (builtins.attrValues value)
    else if builtins.isList value then
      lib.concatMap names value
    else
      [ ];
  # What may be called anything: the keys of these are people's own words, and no option's.
  options = removeAttrs cfg.settings [
    "profiles"
    "services"
    "team"
  ];
  backends = map (backend: if builtins.isAttrs backend then removeAttrs backend [ "names" ] else backend) (
    lib.toList (options.backends or [ ])
  );
  # The rule of envref/project/config/model.py: what `config show` masks.
  isCredential =
    name:
    name != "key_id"
    && builtins.any (word: lib.hasInfix word (lib.toLower name)) [
      "token"
      "passphrase"
      "secret"
      "password"
      "key"
    ];
  secrets = lib.unique (builtins.filter isCredential (names (options // { inherit backends; })));
in
{
  options.programs.envref = {
    enable = lib.mkEnableOption "envref, which resolves the references of a .env";
    package = import ./package.nix flake { inherit lib pkgs; };

    enableDirenvIntegration = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = ''
        Whether direnv knows `use envref` and `use envref PROFILE` in an `.envrc`. Nothing is loaded by that alone.
      '';
    };

    settings = lib.mkOption {
      inherit (yaml) type;
      default = { };
      example = lib.literalExpression ''
        {
          backends = [
            { name = "keychain"; optional = true; }
            { name = "vault"; }
          ];
        }
      '';
      description = ''
        `~/.config/envref/config.yaml`, for all your projects. Everybody on the machine can read it in the Nix store: an
        option that may hold a credential is refused.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = secrets == [ ];
        message = "programs.envref.settings: ${lib.concatStringsSep ", " secrets}: everybody could read it in the Nix store; set it in the environment, or keep it in a store";
      }
    ];
    home.packages = lib.optional (cfg.package != null) cfg.package;
    xdg.configFile."envref/config.yaml" = lib.mkIf (cfg.settings != { }) {
      source = yaml.generate "envref-config.yaml" cfg.settings;
    };
    xdg.configFile."direnv/lib/envref.sh" = lib.mkIf cfg.enableDirenvIntegration {
      text = builtins.replaceStrings [ "@envref@" ] [ "${envref}" ] (builtins.readFile ./use-envref.sh);
    };
  };
}
