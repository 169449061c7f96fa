# The ruff of `make lint`, whichever nixpkgs is locked: another one has other rules and another layout.
{ callPackage }:
callPackage ./wheel.nix { } {
  pname = "ruff";
  version = "0.17.6";
  description = "Linter and formatter for Python";
  python = "py3";
  abi = "none";
  wheels = {
    x86_64-linux = {
      platform = "manylinux_2_17_x86_64.manylinux2014_x86_64";
      hash = "sha256-qjsIJUpzKsuiRokQiaFSxHxXM9w2uOy3bOhgL4Mm5eQ=";
    };
    aarch64-linux = {
      platform = "manylinux_2_17_aarch64.manylinux2014_aarch64";
      hash = "sha256-Q1JBxhr1kJoCL3YhnT0b8kcw3BvwrKu13fS1aas8uzA=";
    };
    aarch64-darwin = {
      platform = "macosx_11_0_arm64";
      hash = "sha256-n73cCFd1kuKDwmXYZeAYLebjPbGFSU23sGKQ2YnYiOU=";
    };
  };
}
