"""Which names of variables are dangerous, and which that resemble them are not."""

from __future__ import annotations

import pytest

from envref.project.trust.dangerous import is_dangerous, leads_every_program

# A `*` stands for any text, the empty one included.
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
PROXIES = "HTTP_PROXY HTTPS_PROXY ALL_PROXY FTP_PROXY http_proxy https_proxy all_proxy Http_Proxy"
# What leads interpreters, tools and the stores' programs: the findings of SEC-A1 and SEC-A2 each by name.
LEADING = """
    HOME SHELL TERMINFO* TERMCAP PS1 PS2 CDPATH GLOBIGNORE PROMPT PROMPT_EOL_MARK prompt RPROMPT RPS1 HISTFILE
    HISTFILESIZE MAILCHECK LOCPATH GLIBC_TUNABLES RESOLV_HOST_CONF NODE_REPL_* NODE_REDIRECT_WARNINGS
    OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES
    PYTHON* PERL5* PERLLIB RUBYOPT RUBYLIB NODE_PATH NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED
    JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH DOTNET_STARTUP_HOOKS
    GOFLAGS CARGO_* RUSTC_WRAPPER RUSTC npm_config_* NPM_CONFIG_REGISTRY PIP_* UV_*
    GIT_SSH_COMMAND GIT_CONFIG_COUNT GIT_EXEC_PATH SSH_ASKPASS SSH_AUTH_SOCK SUDO_ASKPASS EDITOR VISUAL PAGER MANPAGER
    BROWSER LESS LESSOPEN LESSCLOSE SSL_CERT_* CURL_CA_BUNDLE REQUESTS_CA_BUNDLE
    FLOX_* _FLOX_* DIRENV_* MISE_* NIX_CONFIG NIX_PATH ENVREF_*
    PSModulePath INPUTRC STARSHIP_CONFIG FZF_DEFAULT_OPTS RIPGREP_CONFIG_PATH MAKEFLAGS MAKEFILES TAR_OPTIONS RSYNC_RSH
    VIMINIT LUA_INIT KUBECONFIG DOCKER_CONFIG DOCKER_HOST TF_CLI_CONFIG_FILE ANSIBLE_CONFIG GEM_HOME SSLKEYLOGFILE
    NETRC CURL_HOME VAULT_CONFIG_PATH VAULT_HTTP_PROXY VAULT_CAPATH VAULT_CACERT_BYTES OCI_CLI_RC_FILE OCI_CLI_PROXY
    OCI_REGION_METADATA DOPPLER_VERIFY_TLS AWS_DATA_PATH path
    LIBMYSQL_PLUGINS SDL_DYNAMIC_API OMP_TOOL_LIBRARIES PYTEST_ADDOPTS PYTEST_PLUGINS MPLBACKEND VIRTUAL_ENV
    BUNDLE_APP_CONFIG BUNDLE_BUILD__* EMACSLOADPATH npm_execpath CFLAGS LDFLAGS CGO_LDFLAGS CONFIG_SITE rvm_path
    APT_CONFIG GROFF_COMMAND_PREFIX GROFF_BIN_PATH GH_PAGER GH_EDITOR GH_BROWSER GH_CONFIG_DIR HGMERGE CSCOPE_EDITOR
    KSSHASKPASS_ASKPASS SOPS_AGE_KEY_CMD RCLONE_PASSWORD_COMMAND ES_JAVA_OPTS IDEA_VM_OPTIONS KAFKA_JVM_OPTS
    CLAUDE_CONFIG_DIR CLAUDE_CODE_SHELL_PREFIX CODEX_HOME CHROME_BIN
"""
# Of env files of public projects (laravel, sentry, outline, trigger.dev, snipe-it, supabase, jitsi, plane …), those
# that come nearest to a dangerous name, and the most frequent ones.
ORDINARY = """
    A DATABASE_URL API_KEY AWS_REGION AWS_PROFILE AWS_ACCESS_KEY_ID VAULT_TOKEN VAULT_NAMESPACE NODE_ENV RAILS_ENV
    PATHS MY_PATH ENVIRONMENT APP_ENV LDAP_URL OLD_PWD ld_preload Env NO_PROXY no_proxy PORT GITHUB_TOKEN APP_NAME
    APP_KEY APP_DEBUG APP_URL LOG_LEVEL DB_HOST DB_PASSWORD REDIS_URL MAIL_HOST MAIL_PORT MAIL_USERNAME
    AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION AWS_BUCKET AWS_S3_ENDPOINT_URL AWS_S3_UPLOAD_BUCKET_URL TZ LANG
    LC_ALL HOST USER USERNAME HOSTNAME PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE GIT_COMMIT GIT_SHA GIT_BRANCH
    SSH_HOST SSH_PORT SSH_USER DOCKER_SOCKET_LOCATION DOCKER_HOST_ADDRESS DOCKERIZED DOCKER_IMAGE VAULT_ENC_KEY
    PROXY_DOMAIN PROXY_IP_HEADER POOLER_PROXY_PORT_TRANSACTION APP_TRUSTED_PROXIES PGUSER PGHOST PGPASSWORD
    PGDATABASE PGSSLMODE PGDATA COMPOSE_PROJECT_NAME COMPOSE_PROFILES CONFIG URL DEBUG SECRET_KEY SSL_KEY SSL_CERT
    HTTP_PORT HTTPS_PORT RESTART_POLICY NEXT_PUBLIC_URL VITE_APP_NAME N8N_HOST GOOGLE_CLIENT_ID
    GOOGLE_APPLICATION_CREDENTIALS DOTNET_ENVIRONMENT SENTRY_DSN JWT_SECRET DOMAIN GIN_MODE RUST_LOG FLASK_APP
    DJANGO_SETTINGS_MODULE WEB_CONCURRENCY UPLOAD_DIR REGION PUID PGID SHELLS TERM CGO_ENABLED MIX_ENV BUNDLE_WITHOUT
    BUNDLE_RUBYGEMS__PKG__GITHUB__COM HOMEBREW_NO_AUTO_UPDATE GH_TOKEN SOPS_AGE_KEY PACKER_LOG START_COMMAND EDITORS
    PAGERDUTY_TOKEN MAKER MAKE_WEBHOOK TARGET_LD FCM_KEY
"""


def spelt(text):
    """The names that the words of a text stand for."""
    words = text.split()
    beginnings = [word.removesuffix("*") for word in words if word.endswith("*")]
    return [word.removesuffix("*") for word in words] + [f"{beginning}X_1" for beginning in beginnings]


@pytest.mark.parametrize("name", spelt(IN_BOTH_MODES))
def test_a_name_that_runs_code_by_itself_is_dangerous_whatever_the_value(name):
    """The loader and shell groups; no block of a Flox manifest sets them either."""
    assert is_dangerous(name, "1")
    assert is_dangerous(name, "http://127.0.0.1")
    assert is_dangerous(name)
    assert leads_every_program(name, "1")


@pytest.mark.parametrize("name", spelt(ENDPOINTS))
def test_an_endpoint_is_dangerous_unless_it_is_this_machine(name):
    """Its own address is where the user's credential goes."""
    assert is_dangerous(name, "https://evil.example")
    assert is_dangerous(name)
    assert not is_dangerous(name, "http://127.0.0.1:8200")
    assert leads_every_program(name, "https://evil.example")


@pytest.mark.parametrize("name", spelt(PROXIES))
def test_a_proxy_is_dangerous_unless_it_is_this_machine(name):
    """Whatever the case of its letters is: a secret in it goes to its host."""
    assert is_dangerous(name, "http://u:p@attacker.example:8999")
    assert is_dangerous(name, "http://127.0.0.1@attacker.example")
    assert not is_dangerous(name, "http://127.0.0.1:3128")


@pytest.mark.parametrize("name", spelt(LEADING))
def test_what_leads_a_program_is_dangerous(name):
    """Interpreters, build tools, editors, prompts, and envref itself at the next activation."""
    assert is_dangerous(name, "https://evil.example")
    assert is_dangerous(name, "lib")


@pytest.mark.parametrize("name", spelt(ORDINARY))
def test_an_ordinary_name_is_never_dangerous(name):
    """Also one that merely resembles a dangerous one."""
    assert not is_dangerous(name, "https://evil.example")
    assert not is_dangerous(name)


HARMLESS_VALUES = {
    "NODE_OPTIONS": ["--max-old-space-size=4096", "--no-warnings --enable-source-maps"],
    "JAVA_OPTS": ["-Xmx1g -Xms512m", "-XX:MaxRAMPercentage=75.0 -Duser.timezone=UTC"],
    "UID": ["1000"],
    "COLUMNS": ["80"],
    "BROWSER": ["none"],
    "TMPDIR": ["/tmp"],
    "TRUST_PROXY": ["true", "False", "1", "0", "loopback"],
    "HTTP_PROXY": ["off"],
    "ES_JAVA_OPTS": ["-Xms512m -Xmx512m"],
    "CHROME_BIN": ["/usr/bin/chromium"],
}
DANGEROUS_VALUES = {
    "NODE_OPTIONS": [
        "--require ./x.js",
        "--max-old-space-size=4096 -r ./x",
        "--import=data:text/javascript,x",
        "--no-warnings $X",
        "",
    ],
    "JAVA_OPTS": [
        *("-javaagent:a.jar", "-Xmx1g -agentpath:./a.so", "-XX:OnError=./x", "-XX:Flags=./f", "-cp .", "@arguments"),
        *(
            "-Xmx1g;id",
            "-Xmx1g`id`",
            "-Xmx1g$(id)",
            "-Dlogback.configurationFile=http://evil.example/x",
            "-XX:+UseX -jar",
        ),
    ],
    "JAVA_TOOL_OPTIONS": ["-Xmx1g"],
    "UID": ["a[$(id)]", "x", "1 0", "\N{SUPERSCRIPT TWO}", ""],
    "LINES": ["a[1]"],
    "BROWSER": ["./x", "nonexistent"],
    "TMPDIR": ["tmp", "/tmp/../home"],
    "TRUST_PROXY": ["10.0.0.0/8", "loopback, evil.example", "2130706433", "256", "\N{SUPERSCRIPT TWO}", "true.", ""],
    "HTTPS_PROXY": ["truex", "1.2", "$X"],
    "ES_JAVA_OPTS": ["-Xms512m -javaagent:a.jar"],
    "CHROME_BIN": ["./chrome", "/proc/self/cwd/chrome"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in HARMLESS_VALUES for value in HARMLESS_VALUES[name]]
)
def test_a_value_of_everyday_is_harmless(name, value):
    """The name alone would ask in many projects for nothing."""
    assert not is_dangerous(name, value)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in DANGEROUS_VALUES for value in DANGEROUS_VALUES[name]]
)
def test_any_other_value_is_not(name, value):
    """What is not understood word by word is dangerous."""
    assert is_dangerous(name, value)


def test_java_s_home_is_harmless_where_it_is_installed(tmp_path):
    """Not in a project or repository, not through /proc, and not by a link into one."""
    (tmp_path / "repository/.git").mkdir(parents=True)
    (tmp_path / "repository/jdk").mkdir()
    (tmp_path / "jdk").mkdir()
    (tmp_path / "link").symlink_to("repository/jdk")
    assert not is_dangerous("JAVA_HOME", "/usr/lib/jvm/envref-none")
    assert not is_dangerous("JAVA_HOME", str(tmp_path / "jdk"))
    for place in (
        "jdk",
        "/proc/self/cwd/jdk",
        "//proc/self/cwd/jdk",
        str(tmp_path / "repository/jdk"),
        str(tmp_path / "link"),
    ):
        assert is_dangerous("JAVA_HOME", place), place
