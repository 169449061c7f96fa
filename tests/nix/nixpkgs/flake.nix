# A stand-in for nixpkgs: what envref's flake uses of it, built from the tools and the virtual environment of the machine
# that runs the tests. It proves that the flake evaluates and builds, and nothing about the real nixpkgs.
{
  outputs =
    { self }:
    let
      lib = import ./lib.nix;
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ] (system: import ./. { inherit system; });
    };
}
