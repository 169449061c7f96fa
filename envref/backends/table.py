"""The stores envref knows: one line a kind, imported on first use."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    from envref.backends.base import Backend

    class Traits(TypedDict):
        """What a store's class says of it, by the names that it has there; and which `variables` make it another store.

        A star stands for any end, `* !` and names for all but these.
        """

        asks_person: str
        variables: str
        reads_fields: bool
        versions: str


_AWS = (
    "AWS_ENDPOINT_URL* AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CA_BUNDLE ! AWS_DATA_PATH AWS_PAGER "
    "AWS_CONTAINER_CREDENTIALS_* AWS_CONTAINER_AUTHORIZATION_* AWS_WEB_IDENTITY_TOKEN_FILE "
    "AWS_EC2_METADATA_SERVICE_ENDPOINT*"
)
_VAULT = (
    "VAULT_ADDR VAULT_AGENT_ADDR VAULT_PROXY_ADDR VAULT_CACERT VAULT_SKIP_VERIFY BAO_* ! VAULT_CACERT_* VAULT_CAPATH "
    "VAULT_CLIENT_CERT VAULT_CLIENT_KEY VAULT_CONFIG_PATH VAULT_HTTP_PROXY VAULT_SRV_LOOKUP VAULT_TLS_SERVER_NAME "
    "VAULT_TOKEN_PATH VAULT_REDIRECT_ADDR"
)
_OCI = (
    "OCI_CLI_ENDPOINT OCI_CLI_CONFIG_FILE ! OCI_CLI_RC_FILE OCI_CLI_PROXY OCI_CLI_CERT_BUNDLE OCI_CLI_KEY_FILE "
    "OCI_CLI_SECURITY_TOKEN_FILE OCI_CLI_AUTH OCI_REGION_METADATA OCI_CONFIG_*"
)
_DOPPLER = "DOPPLER_API_HOST DOPPLER_CONFIG_DIR ! DOPPLER_PROXY_* DOPPLER_VERIFY_TLS"

# Where the class is; then the variables that send its program to another address or place, which one on this machine
# may be; after `!` those that steer it whatever their value is (security.md 5.10). They are here because the gate
# judges them without loading a store. A star stands for any end.
BUILTIN = {
    "keychain": "envref.backends.keychain.store:Keychain DBUS_SESSION_BUS_ADDRESS XDG_* PYTHON_KEYRING_* ! DBUS_*",
    "vault": "envref.backends.vault.store:Vault",
    "1password": "envref.backends.onepassword.store:OnePassword OP_CONNECT_HOST OP_CONFIG_DIR ! OP_ACCOUNT_*",
    "aws-ssm": f"envref.backends.aws.ssm:AwsSsm {_AWS}",
    "aws-secrets-manager": f"envref.backends.aws.secrets_manager:AwsSecretsManager {_AWS}",
    "hashicorp-vault": f"envref.backends.hashicorp_vault.store:HashicorpVault {_VAULT}",
    "oci-vault": f"envref.backends.oci.store:OciVault {_OCI}",
    "doppler": f"envref.backends.doppler.store:Doppler {_DOPPLER}",
    "pass": "envref.backends.password_store.store:PassStore PASSWORD_STORE_* GNUPGHOME ! GPG_* PINENTRY_*",
    "plugin": "envref.backends.plugin:Plugin",
}

RENAMED = {"encrypted-vault": "vault"}  # as the Go envref's own template has it
# What every program reads in its environment, beyond the proxies'. A star stands for any end.
READ_BY_ALL = "HOME USER LOGNAME TMPDIR LANG LANGUAGE LC_* CI SSL_CERT_* CURL_CA_BUNDLE REQUESTS_CA_BUNDLE"
# What no program inherits: envref's own secrets and settings (security.md 5.8).
PRIVATE = ("ENVREF_TRUST", "ENVREF_STORE_PATH")
PRIVATE_PREFIX = "ENVREF_VAULT_PASSPHRASE"
# What differs from one terminal to the next and says where a person is, not which secrets he means.
SESSIONS = (
    *("PWD", "OLDPWD", "SHLVL", "_", "TERM", "TERM_*", "COLORTERM", "COLUMNS", "LINES", "WINDOWID", "WINDOW", "TMUX"),
    *("TMUX_*", "STY", "GPG_TTY", "SSH_TTY", "KITTY_*", "ITERM_*", "WEZTERM_*", "ALACRITTY_*", "KONSOLE_*", "VTE_*"),
    *("DIRENV_*", "_FLOX_*", "PS1", "PS2", "PROMPT", "PROMPT_COMMAND"),
)
DESKTOP, ANYWHERE = "keychain", "vault"  # the store to begin with on a desktop, and elsewhere


def backend_class(kind: str) -> type[Backend]:
    """The class of a backend type. KeyError for a type that is not in `BUILTIN`."""
    module_name, _, class_name = BUILTIN[kind].split()[0].partition(":")
    module = __import__(module_name, fromlist=[class_name])
    found: type[Backend] = getattr(module, class_name)
    return found


def traits_of(kind: str) -> Traits:
    """What an activation needs to know of a type. A compiled config has it, so that an answer which the agent remembers
    loads no class.
    """
    store = backend_class(kind)
    return {
        "asks_person": store.asks_person,
        "variables": _variables(store.read_variables),
        "reads_fields": store.reads_fields,
        "versions": store.versions,
    }


def _variables(read: str) -> str:
    """Of what its program reads, by `Traits`: of a whole environment, nothing that names the session, or is private."""
    if "*" in read.split():
        return " ".join(("* !", *SESSIONS, *PRIVATE, f"{PRIVATE_PREFIX}*"))
    return f"{READ_BY_ALL} {read}"


def place_variables() -> str:
    """The variables, of all types, that send a program to another address or place."""
    return " ".join(line.partition(" ")[2].partition("!")[0] for line in BUILTIN.values())


def steering_variables() -> str:
    """The variables, of all types, that steer a program whatever their value is."""
    return " ".join(line.partition("!")[2] for line in BUILTIN.values())
