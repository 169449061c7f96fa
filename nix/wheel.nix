# A Python package out of its authors' wheels: `wheels` has the platform's name and the hash for each system. The hashes are
# those of constraints.txt.
{
  lib,
  stdenv,
  buildPythonPackage,
  fetchPypi,
  autoPatchelfHook,
}:
{
  pname,
  version,
  wheels,
  python,
  abi,
  description,
}:
let
  inherit (stdenv.hostPlatform) system;
in
buildPythonPackage {
  inherit pname version;
  format = "wheel";

  src = fetchPypi {
    inherit
      pname
      version
      python
      abi
      ;
    inherit (wheels.${system} or (throw "${pname}: no wheel for ${system}")) platform hash;
    format = "wheel";
    dist = python;
  };

  nativeBuildInputs = lib.optional stdenv.hostPlatform.isLinux autoPatchelfHook;
  buildInputs = lib.optional stdenv.hostPlatform.isLinux (lib.getLib stdenv.cc.cc);

  pythonImportsCheck = [ pname ];

  meta = {
    inherit description;
    license = lib.licenses.mit;
    sourceProvenance = [ lib.sourceTypes.binaryNativeCode ];
    platforms = builtins.attrNames wheels;
  };
}
