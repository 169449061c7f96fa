"""The stores envref knows: one line a kind, imported on first use."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.backends.base import Backend

_AWS = "AWS_ENDPOINT_URL* AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CA_BUNDLE"
_VAULT = "VAULT_ADDR VAULT_AGENT_ADDR VAULT_PROXY_ADDR VAULT_CACERT VAULT_SKIP_VERIFY BAO_*"

# Where the class is; then the variables that send its program to another address or place (security.md 5.10). They are
# here because every activation judges them, also one that loads no store. A star stands for any end.
BUILTIN = {
    "keychain": "envref.backends.keychain.store:Keychain DBUS_SESSION_BUS_ADDRESS XDG_* PYTHON_KEYRING_*",
    "vault": "envref.backends.vault.store:Vault",
    "1password": "envref.backends.onepassword:OnePassword OP_CONNECT_HOST OP_CONFIG_DIR",
    "aws-ssm": f"envref.backends.aws_ssm:AwsSsm {_AWS}",
    "aws-secrets-manager": f"envref.backends.aws_secrets_manager:AwsSecretsManager {_AWS}",
    "hashicorp-vault": f"envref.backends.hashicorp_vault.store:HashicorpVault {_VAULT}",
    "oci-vault": "envref.backends.oci_vault:OciVault OCI_CLI_ENDPOINT OCI_CLI_CONFIG_FILE",
    "doppler": "envref.backends.doppler:Doppler DOPPLER_API_HOST DOPPLER_CONFIG_DIR",
    "pass": "envref.backends.pass_store:PassStore PASSWORD_STORE_* GNUPGHOME",
    "plugin": "envref.backends.plugin:Plugin",
}
DESKTOP, ANYWHERE = "keychain", "vault"  # the store to begin with on a desktop, and elsewhere


def backend_class(kind: str) -> type[Backend]:
    """The class of a backend type. KeyError for a type that is not in `BUILTIN`."""
    module_name, _, class_name = BUILTIN[kind].split()[0].partition(":")
    module = __import__(module_name, fromlist=[class_name])
    found: type[Backend] = getattr(module, class_name)
    return found


def place_variables() -> str:
    """The variables, of all types, that send a program to another address or place."""
    return " ".join(line.partition(" ")[2] for line in BUILTIN.values())
