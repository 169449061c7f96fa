"""The stores envref knows: one line a kind, imported on first use."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.backends.base import Backend

BUILTIN = {
    "keychain": "envref.backends.keychain.store:Keychain",
    "vault": "envref.backends.vault.store:Vault",
    "1password": "envref.backends.onepassword:OnePassword",
    "aws-ssm": "envref.backends.aws_ssm:AwsSsm",
    "aws-secrets-manager": "envref.backends.aws_secrets_manager:AwsSecretsManager",
    "hashicorp-vault": "envref.backends.hashicorp_vault.store:HashicorpVault",
    "oci-vault": "envref.backends.oci_vault:OciVault",
    "doppler": "envref.backends.doppler:Doppler",
    "pass": "envref.backends.pass_store:PassStore",
    "plugin": "envref.backends.plugin:Plugin",
}


def backend_class(kind: str) -> type[Backend]:
    """The class of a backend type. KeyError for a type that is not in `BUILTIN`."""
    module_name, _, class_name = BUILTIN[kind].partition(":")
    module = __import__(module_name, fromlist=[class_name])
    found: type[Backend] = getattr(module, class_name)
    return found
