# The stores' programs, by the names and licences that nixpkgs has: each says who it is and does nothing, but op, which is
# the tests' double of 1Password.
{
  lib,
  machine,
  program,
}:
let
  idle =
    pname: name: license:
    program pname name license ''
      printf '#!%s\necho "${name}: a stand-in that can do nothing" >&2\nexit 1\n' ${machine.bash} > $out/bin/${name}
      chmod +x $out/bin/${name}
    '';
in
{
  _1password-cli = program "1password-cli" "op" lib.licenses.unfree "install ${machine.op} $out/bin/op";
  awscli2 = idle "awscli2" "aws" lib.licenses.asl20;
  oci-cli = idle "oci-cli" "oci" lib.licenses.upl;
  openbao = idle "openbao" "bao" lib.licenses.mpl20;
  vault-bin = idle "vault-bin" "vault" lib.licenses.bsl11;
}
