# A stand-in for nixpkgs: what envref's flake uses of it, built from the tools and the virtual environment of the machine
# that runs the tests. It proves that the flake evaluates and builds, and nothing about the real nixpkgs.
{
  outputs = _: rec {
    lib = import ./lib.nix;
    legacyPackages = lib.genAttrs lib.platforms.unix (system: import ./. { inherit system; });
  };
}
