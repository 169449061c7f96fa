# age for Python, which nixpkgs does not have: the wheel of its authors, as constraints.txt pins it.
{
  lib,
  stdenv,
  buildPythonPackage,
  fetchPypi,
  autoPatchelfHook,
}:
let
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
  inherit (stdenv.hostPlatform) system;
in
buildPythonPackage rec {
  pname = "pyrage";
  version = "1.4.0";
  format = "wheel";

  src = fetchPypi {
    inherit pname version format;
    inherit (wheels.${system} or (throw "pyrage: no wheel for ${system}")) platform hash;
    dist = "cp310";
    python = "cp310";
    abi = "abi3";
  };

  nativeBuildInputs = lib.optional stdenv.hostPlatform.isLinux autoPatchelfHook;
  buildInputs = lib.optional stdenv.hostPlatform.isLinux (lib.getLib stdenv.cc.cc);

  pythonImportsCheck = [ "pyrage" ];

  meta = {
    description = "age encryption for Python";
    license = lib.licenses.mit;
    sourceProvenance = [ lib.sourceTypes.binaryNativeCode ];
    platforms = builtins.attrNames wheels;
  };
}
