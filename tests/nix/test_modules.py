"""The modules for NixOS, nix-darwin, home-manager, flake-parts and devenv, in a host that has the options they set.

The hosts are the tests' own: each option is typed as its owner types it. With ENVREF_TESTS_NIXPKGS_LIB the module
system is nixpkgs' own.
"""

from __future__ import annotations

import re

import pytest

from envref.project.config import model
from envref.project.config.model import is_credential
from tests.nix.machine import ROOT

SYSTEM_HOST = """
  { lib, ... }: {
    options.environment.systemPackages = lib.mkOption { type = lib.types.listOf lib.types.package; default = [ ]; };
  }
"""
# modules/home-environment.nix, misc/xdg.nix and misc/assertions.nix of home-manager; a file there is a submodule.
HOME_HOST = """
  { lib, ... }: {
    options.assertions = lib.mkOption { type = lib.types.listOf lib.types.raw; default = [ ]; };
    options.home.packages = lib.mkOption { type = lib.types.listOf lib.types.package; default = [ ]; };
    options.xdg.configFile = lib.mkOption {
      type = lib.types.attrsOf (lib.types.attrsOf lib.types.raw);
      default = { };
    };
  }
"""
# src/modules/top-level.nix of devenv.
DEVENV_HOST = """
  { lib, ... }: {
    options.packages = lib.mkOption { type = lib.types.listOf lib.types.package; default = [ ]; };
    options.enterShell = lib.mkOption { type = lib.types.lines; default = ""; };
  }
"""
# modules/devShells.nix of flake-parts, which moves it to the top of the flake.
PARTS_HOST = """
  { lib, ... }: {
    options.devShells = lib.mkOption { type = lib.types.lazyAttrsOf lib.types.package; default = { }; };
  }
"""
HOSTS = {
    "nixosModules": ("nixos", SYSTEM_HOST),
    "darwinModules": ("darwin", SYSTEM_HOST),
    "homeModules": ("homeManager", HOME_HOST),
    "homeManagerModules": ("homeManager", HOME_HOST),
    "devenvModules": ("devenv", DEVENV_HOST),
}


def evaluation(module, configuration, class_, host):
    """A Nix function: what the host holds with the module, imported twice, and a configuration."""
    return f"""
      {{ flake, nixpkgs }}:
      let
        pkgs = nixpkgs.legacyPackages.x86_64-linux;
        plain = value:
          if builtins.isAttrs value && value ? drvPath then value.name
          else if builtins.isAttrs value then builtins.mapAttrs (_: plain) value
          else if builtins.isList value then map plain value
          else value;
        system = nixpkgs.lib.evalModules {{
          class = "{class_}";
          specialArgs = {{ inherit pkgs; }};
          modules = [ {module} {{ imports = [ {module} ]; }} ({host}) ({configuration}) ];
        }};
      in plain (builtins.removeAttrs system.config [ "_module" ])
    """


def made(flake, name, configuration):
    """What the module of that name makes of a configuration."""
    class_, host = HOSTS[name]
    return flake.evaluate(evaluation(f"flake.{name}.default", configuration, class_, host))


@pytest.mark.parametrize("name", ["nixosModules", "darwinModules"])
def test_a_machine_has_the_package(flake, name):
    """For everybody, once, however often the module is imported; without `enable`, nothing."""
    assert made(flake, name, "{ programs.envref.enable = true; }")["environment"] == {
        "systemPackages": ["envref-0.1.0"]
    }
    assert made(flake, name, "{ }")["environment"] == {"systemPackages": []}


@pytest.mark.parametrize("name", ["homeModules", "homeManagerModules"])
def test_home_manager_has_package_config_and_direnv(flake, name):
    """The package, the user's config, and the function of direnv that asks this package."""
    config = made(flake, name, '{ programs.envref = { enable = true; settings.backends = [ { name = "vault"; } ]; }; }')
    assert config["home"]["packages"] == ["envref-0.1.0"]
    files = config["xdg"]["configFile"]
    assert files["envref/config.yaml"]["source"].endswith("-envref-config.yaml")
    assert "/bin/envref resolve --direnv" in files["direnv/lib/envref.sh"]["text"]
    assert [each["assertion"] for each in config["assertions"]] == [True]


def test_home_manager_leaves_out_what_is_not_wanted(flake):
    """No settings: no file. No direnv: no function. A package of null: envref of PATH."""
    config = made(flake, "homeModules", "{ programs.envref = { enable = true; package = null; }; }")
    assert config["home"]["packages"] == []
    assert list(config["xdg"]["configFile"]) == ["direnv/lib/envref.sh"]
    assert "$(envref resolve" in config["xdg"]["configFile"]["direnv/lib/envref.sh"]["text"]
    config = made(flake, "homeModules", "{ programs.envref = { enable = true; enableDirenvIntegration = false; }; }")
    assert config["xdg"]["configFile"] == {}
    assert made(flake, "homeModules", "{ }")["home"]["packages"] == []


@pytest.mark.parametrize(
    "name",
    ["token", "passphrase", "password", "api_key", "client_secret", "service_account_token", "secret_id", "API_KEY"],
)
@pytest.mark.parametrize("place", ["%s", "config.%s", "config.deep.%s"])
def test_a_credential_in_the_settings_is_refused(flake, name, place):
    """By envref's own rule, at any depth: everybody could read it in the Nix store."""
    assert is_credential(name)
    backend = f'{{ name = "p"; type = "plugin"; {place % name} = "x"; }}'
    [assertion] = made(
        flake, "homeModules", f"{{ programs.envref = {{ enable = true; settings.backends = [ {backend} ]; }}; }}"
    )["assertions"]
    assert assertion["assertion"] is False
    assert f"settings: {name}: everybody could read it in the Nix store" in assertion["message"]


def test_the_name_of_a_credential_is_not_refused(flake):
    """A reference says in which store it is."""
    settings = 'backends = [ { name = "hashicorp-vault"; config.token = "ref://keychain/vault_token"; } ];'
    config = made(flake, "homeModules", f"{{ programs.envref = {{ enable = true; settings = {{ {settings} }}; }}; }}")
    assert [each["assertion"] for each in config["assertions"]] == [True]


def test_the_words_are_envrefs_own():
    """What makes an option a credential is one list, in two languages."""
    text = (ROOT / "nix" / "modules" / "home-manager.nix").read_text(encoding="utf-8")
    listed = re.search(r"lib\.hasInfix word .*? \[(.*?)\]", text, re.DOTALL)[1]
    assert re.findall(r'"(.*?)"', listed) == list(model._CREDENTIALS)


def test_what_only_looks_like_a_credential_is_not_refused(flake):
    """The id of a key, the keys of `names`, people and profiles: none of them is an option's name."""
    assert not is_credential("key_id")
    settings = """
      backends = [ { name = "oci-vault"; config.key_id = "K"; names.api_key = "Prod API"; } { name = "keychain"; } ];
      team.mickey = "age1x"; profiles.secret = ".env.s"; services.keycloak = [ "A" ];
    """
    config = made(flake, "homeModules", f"{{ programs.envref = {{ enable = true; settings = {{ {settings} }}; }}; }}")
    assert [each["assertion"] for each in config["assertions"]] == [True]


def test_devenv_has_package_and_hook(flake):
    """`envref.enable = true`: envref on PATH, and the variables at each entry."""
    config = made(flake, "devenvModules", "{ envref.enable = true; }")
    assert config["packages"] == ["envref-0.1.0"]
    assert "/bin/envref resolve --export --shell bash)" in config["enterShell"]
    assert made(flake, "devenvModules", "{ envref.strict = true; }")["enterShell"] == ""


def parts(configuration):
    """A Nix function: what `perSystem` holds, of which flake-parts evaluates a module of its own."""
    module = """(nixpkgs.lib.evalModules {
      class = "flake";
      specialArgs.flake-parts-lib.mkPerSystemOption =
        module: nixpkgs.lib.mkOption { type = nixpkgs.lib.types.raw; default = module; };
      modules = [ flake.flakeModules.default { imports = [ flake.flakeModules.default ]; } ];
    }).config.perSystem"""
    return evaluation('{ key = "per-system"; imports = [ (' + module + ") ]; }", configuration, "perSystem", PARTS_HOST)


def test_flake_parts_has_a_shell(flake):
    """`perSystem.envref.enable = true` makes the default shell, which one's own replaces and may build on."""
    config = flake.evaluate(parts("{ envref.enable = true; }"))
    assert config["devShells"]["default"] == config["envref"]["devShell"]
    own = '{ pkgs, ... }: { envref.enable = true; devShells.default = pkgs.runCommand "own" { } ""; }'
    assert flake.evaluate(parts(own))["devShells"] == {"default": "own-0"}
    assert flake.evaluate(parts("{ }"))["devShells"] == {}


@pytest.mark.parametrize(
    ("name", "class_"), [("homeModules", "nixos"), ("nixosModules", "darwin"), ("nixosModules", "homeManager")]
)
def test_a_module_of_another_system_is_refused(flake, name, class_):
    """By its name, before an option is missed."""
    done = flake.evaluation(evaluation(f"flake.{name}.default", "{ }", class_, HOSTS[name][1]))
    assert done.returncode != 0
    assert f'The module `envref#{name}.default` (class: "{HOSTS[name][0]}") cannot be imported' in done.stderr


def test_a_value_of_the_wrong_type_is_refused(flake):
    """The option and its type are named."""
    done = flake.evaluation(
        evaluation("flake.nixosModules.default", '{ programs.envref.enable = "yes"; }', "nixos", SYSTEM_HOST)
    )
    assert "`programs.envref.enable' is not of type `boolean'" in done.stderr


def test_defaults_and_examples_are_documented_as_nix(flake):
    """What a page of options prints is code or markdown, and no package is evaluated for it."""
    told = flake.evaluate(f"""
      {{ flake, nixpkgs }}:
      let
        system = nixpkgs.lib.evalModules {{
          specialArgs.pkgs = nixpkgs.legacyPackages.x86_64-linux;
          modules = [ flake.homeModules.default ({HOME_HOST}) ];
        }};
        inherit (system.options.programs.envref) package settings;
      in [ package.defaultText._type package.example._type settings.example._type ]
    """)
    assert told == ["literalMD", "literalExpression", "literalExpression"]
