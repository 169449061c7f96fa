# The stores' programs: each says who it is and does nothing, but op, which is the tests' double of 1Password. Their names,
# programs and licences are those of nixpkgs.
{
  lib,
  machine,
  shellDerivation,
}:
let
  store =
    pname: program: license:
    shellDerivation {
      inherit pname;
      version = "0";
      meta = {
        inherit license;
        mainProgram = program;
      };
    } ''
      mkdir -p $out/bin
      printf '#!%s\necho "${program}: a stand-in that can do nothing" >&2\nexit 1\n' ${machine.bash} > $out/bin/${program}
      chmod +x $out/bin/${program}
    '';
in
{
  _1password-cli = shellDerivation {
    pname = "1password-cli";
    version = "0";
    meta = {
      license = lib.licenses.unfree;
      mainProgram = "op";
    };
  } ''install -D ${machine.op} $out/bin/op'';
  vault-bin = store "vault-bin" "vault" lib.licenses.bsl11;
  awscli2 = store "awscli2" "aws" lib.licenses.asl20;
  oci-cli = store "oci-cli" "oci" lib.licenses.upl;
  openbao = store "openbao" "bao" lib.licenses.mpl20;
}
