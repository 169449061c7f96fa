# The stores' own programs that a package may bundle: op, aws, vault, oci and bao.
{
  full = pkgs: [
    pkgs._1password-cli
    pkgs.awscli2
    pkgs.vault-bin
    pkgs.oci-cli
  ];

  free = pkgs: [
    pkgs.awscli2
    pkgs.oci-cli
    pkgs.openbao
  ];

  # Of `full`: 1Password's is unfree, Vault's licence is BUSL 1.1. envref-full, which brings them, has both licences. The
  # flake accepts these three and no other.
  unfree = [
    "envref-full"
    "1password-cli"
    "vault-bin"
  ];
}
