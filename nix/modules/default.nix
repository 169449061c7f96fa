# The flake's modules, for each of the systems that have some. A key makes a module that is imported twice count once, as in a
# shared configuration and a host's; a class makes the wrong system refuse it by name.
flake:
let
  module = name: file: class: {
    key = "envref#${name}.default";
    _file = "envref#${name}.default";
    imports = [ (import file flake) ];
  }
  // (if class == null then { } else { _class = class; });
  home.default = module "homeModules" ./home-manager.nix "homeManager";
in
{
  nixosModules.default = module "nixosModules" ./system.nix "nixos";
  darwinModules.default = module "darwinModules" ./system.nix "darwin";
  homeModules = home;
  homeManagerModules = home; # the older name
  flakeModules.default = module "flakeModules" ./flake-parts.nix "flake";
  devenvModules.default = module "devenvModules" ./devenv.nix null; # its class was not found out
}
