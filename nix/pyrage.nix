# age for Python, which nixpkgs does not have.
{ callPackage }:
callPackage ./wheel.nix { } {
  pname = "pyrage";
  version = "1.4.0";
  description = "age encryption for Python";
  python = "cp310";
  abi = "abi3";
  wheels = {
    x86_64-linux = {
      platform = "manylinux_2_17_x86_64.manylinux2014_x86_64";
      hash = "sha256-f06wy8K0ruXerJhixHs4lYZt9VVBU5Ua+CLpxYHmhVg=";
    };
    aarch64-linux = {
      platform = "manylinux_2_17_aarch64.manylinux2014_aarch64";
      hash = "sha256-+GizYMzT+DYybUK1Mvrj6OuDQKiMygo5wK4Q/OaPbMU=";
    };
    aarch64-darwin = {
      platform = "macosx_10_12_x86_64.macosx_11_0_arm64.macosx_10_12_universal2";
      hash = "sha256-vPQXeuqRqfSJUduAAcE4W6r7rmLMFdaR70Pv66q2uNs=";
    };
  };
}
