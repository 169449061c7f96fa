"""Which names of variables are dangerous: all of security.md 5.10, and nothing else."""

from __future__ import annotations

import pytest

from envref.project.trust.dangerous import is_dangerous, is_dangerous_in_strict_mode

# Every word of security.md 5.10; a `*` stands for any text, the empty one included.
IN_BOTH_MODES = """
    LD_* DYLD_* _RLD* LIBPATH SHLIB_PATH GCONV_PATH NLSPATH HOSTALIASES RES_OPTIONS LOCALDOMAIN
    PATH IFS ENV BASH_ENV BASH_FUNC_* BASHOPTS SHELLOPTS PS4 PROMPT_COMMAND ZDOTDIR FPATH
    PS0 MAILPATH READNULLCMD NULLCMD MODULE_PATH fish_function_path fish_user_paths
"""
ENDPOINTS = """
    VAULT_ADDR VAULT_AGENT_ADDR VAULT_PROXY_ADDR VAULT_CACERT VAULT_SKIP_VERIFY BAO_* AWS_ENDPOINT_URL* AWS_CONFIG_FILE
    AWS_SHARED_CREDENTIALS_FILE AWS_CA_BUNDLE OP_CONNECT_HOST OP_CONFIG_DIR OCI_CLI_ENDPOINT OCI_CLI_CONFIG_FILE
    DOPPLER_API_HOST DOPPLER_CONFIG_DIR PASSWORD_STORE_* GNUPGHOME DBUS_SESSION_BUS_ADDRESS XDG_* PYTHON_KEYRING_*
"""
IN_STRICT_MODE = """
    HOME SHELL TMPDIR TERMINFO* TERMCAP PS1 PS2 CDPATH GLOBIGNORE PROMPT PROMPT_EOL_MARK prompt RPROMPT RPS1 HISTFILE
    LOCPATH GLIBC_TUNABLES RESOLV_HOST_CONF NODE_REPL_* NODE_REDIRECT_WARNINGS
    OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES
    PYTHON* PERL5* PERLLIB RUBYOPT RUBYLIB NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED
    JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH DOTNET_STARTUP_HOOKS
    GOFLAGS CARGO_* RUSTC_WRAPPER npm_config_* PIP_* UV_*
    GIT_* SSH_ASKPASS SUDO_ASKPASS EDITOR VISUAL PAGER MANPAGER BROWSER LESSOPEN LESSCLOSE
    HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy SSL_CERT_* CURL_CA_BUNDLE REQUESTS_CA_BUNDLE
    FLOX_* _FLOX_* DIRENV_* MISE_*
"""
ORDINARY = """
    A DATABASE_URL API_KEY AWS_REGION AWS_PROFILE AWS_ACCESS_KEY_ID VAULT_TOKEN VAULT_NAMESPACE NODE_ENV RAILS_ENV
    PATHS MY_PATH ENVIRONMENT APP_ENV LDAP_URL OLD_PWD path ld_preload Env NO_PROXY MY_HTTP_PROXY PORT GITHUB_TOKEN
"""


def spelt(text):
    """The names that the words of a text stand for."""
    words = text.split()
    beginnings = [word.removesuffix("*") for word in words if word.endswith("*")]
    return [word.removesuffix("*") for word in words] + [f"{beginning}X_1" for beginning in beginnings]


@pytest.mark.parametrize("name", spelt(IN_BOTH_MODES))
def test_a_name_that_runs_code_by_itself_is_dangerous_in_both_modes(name):
    """The loader and shell groups, whatever the value is."""
    assert is_dangerous(name, "1")
    assert is_dangerous(name, "http://127.0.0.1")
    assert is_dangerous_in_strict_mode(name)


@pytest.mark.parametrize("name", spelt(ENDPOINTS))
def test_an_endpoint_is_dangerous_unless_it_is_this_machine(name):
    """In default mode; strict mode asks for it as well."""
    assert is_dangerous(name, "https://evil.example")
    assert is_dangerous(name)
    assert not is_dangerous(name, "http://127.0.0.1:8200")
    assert is_dangerous_in_strict_mode(name)


@pytest.mark.parametrize("name", spelt(IN_STRICT_MODE))
def test_an_everyday_name_is_dangerous_in_strict_mode_only(name):
    """Interpreters, build tools, editors, proxies, prompts."""
    assert is_dangerous_in_strict_mode(name)
    assert not is_dangerous(name, "https://evil.example")


@pytest.mark.parametrize("name", spelt(ORDINARY))
def test_an_ordinary_name_is_never_dangerous(name):
    """Also one that merely resembles a dangerous one."""
    assert not is_dangerous(name, "https://evil.example")
    assert not is_dangerous_in_strict_mode(name)


@pytest.mark.parametrize("name", ["Http_Proxy", "NPM_CONFIG_REGISTRY", "npm_config_registry"])
def test_names_that_are_read_in_any_case_are_dangerous_in_any_case(name):
    """Python reads proxies so, npm its settings."""
    assert is_dangerous_in_strict_mode(name)
