"""Names of variables that run code, or move a credential elsewhere, once they are set (security.md 5.10).

A project's env files may set any name; the names in these two functions take effect only in a project that the user
trusts. `ENVREF_*` is not here: no file can set it, trusted or not.
"""

from __future__ import annotations

from envref.backends.table import place_variables

LOADER = "LD_* DYLD_* _RLD* LIBPATH SHLIB_PATH GCONV_PATH NLSPATH HOSTALIASES RES_OPTIONS LOCALDOMAIN"
SHELL = (
    "PATH IFS ENV BASH_ENV BASH_FUNC_* BASHOPTS SHELLOPTS PS4 PROMPT_COMMAND ZDOTDIR FPATH "
    # run at the next prompt or line of an interactive shell: tests/faults/test_shell_names.py
    "PS0 MAILPATH READNULLCMD NULLCMD MODULE_PATH fish_function_path fish_user_paths"
)
# These influence a shell or a program; most run no code on their own, and everyday files set some.
SHELL_SETTINGS = (
    "CDPATH PS1 PS2 PROMPT* prompt RPROMPT RPS1 HISTFILE GLOBIGNORE HOME SHELL TMPDIR TERMINFO* TERMCAP "
    "LOCPATH GLIBC_TUNABLES RESOLV_HOST_CONF"
)
INTERPRETERS = (
    "PYTHON* PERL5* PERLLIB RUBYOPT RUBYLIB NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED "
    "NODE_REPL_* NODE_REDIRECT_WARNINGS OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES "
    "JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH DOTNET_STARTUP_HOOKS"
)
BUILD_TOOLS = "GOFLAGS CARGO_* RUSTC_WRAPPER PIP_* UV_*"
RUNNING_TOOLS = "GIT_* SSH_ASKPASS SUDO_ASKPASS EDITOR VISUAL PAGER MANPAGER BROWSER LESSOPEN LESSCLOSE"
NETWORK = "SSL_CERT_* CURL_CA_BUNDLE REQUESTS_CA_BUNDLE"
MANAGERS = "FLOX_* _FLOX_* DIRENV_* MISE_*"
# The programs that read these ignore the case of the letters.
ANY_CASE = "HTTP_PROXY HTTPS_PROXY ALL_PROXY NPM_CONFIG_*"
# An endpoint that is exported here would be the user's "own" address in the next activation, and so pass for trusted.
ENDPOINTS = place_variables()


class _Names:
    """Exact names, and beginnings of names."""

    __slots__ = ("_exact", "_prefixes")

    def __init__(self, *groups: str) -> None:
        words = " ".join(groups).split()
        self._exact = frozenset(word for word in words if not word.endswith("*"))
        self._prefixes = tuple(word[:-1] for word in words if word.endswith("*"))

    def __contains__(self, name: str) -> bool:
        return name in self._exact or name.startswith(self._prefixes)


_ALWAYS = _Names(LOADER, SHELL)
_ENDPOINTS = _Names(ENDPOINTS)
_STRICT = _Names(LOADER, SHELL, SHELL_SETTINGS, INTERPRETERS, BUILD_TOOLS, RUNNING_TOOLS, NETWORK, MANAGERS, ENDPOINTS)
_ANY_CASE = _Names(ANY_CASE)


def is_dangerous(name: str, value: str = "") -> bool:
    """Whether default mode asks for trust before an env file may set `name` to `value`.

    The value matters for a store's endpoint only: one on this machine is harmless. A value that is not known yet,
    because it contains a reference, counts as empty.
    """
    if name in _ENDPOINTS:
        from envref.project.loopback import is_loopback

        return not is_loopback(value)
    return name in _ALWAYS


def is_dangerous_in_strict_mode(name: str, _value: str = "") -> bool:
    """Whether strict mode asks for trust before an env file may set `name`, whatever the value."""
    return name in _STRICT or name.upper() in _ANY_CASE
