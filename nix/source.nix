# What a build sees of the checkout: the package, and what else it asks for. A file outside changes no build.
{ lib }:
more:
let
  pyproject = lib.importTOML ../pyproject.toml;
  shipped = pyproject.tool.hatch.build.targets.wheel.shared-data or { };
in
lib.fileset.toSource {
  root = ../.;
  fileset = lib.fileset.unions (
    [
      ../LICENSE
      ../README.md
      ../pyproject.toml
      ../envref
    ]
    ++ map (name: ../. + "/${name}") (builtins.attrNames shipped)
    ++ more
  );
}
