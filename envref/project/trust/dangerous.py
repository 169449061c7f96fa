"""Names of variables that run code, load a file, move a credential or redirect a connection once they are set.

A project's env files may set any name; what these functions name takes effect only where the user agreed. The names are
their owners': each group says whose documentation it is, and families stand for what that may still get. What everyday
files set is taken out again by name (`HARMLESS`) or by value. `tests/faults/test_shell_names.py` asks the shells
themselves, and runs what is taken out in each of them.
"""

from __future__ import annotations

from envref.backends.table import place_variables, steering_variables

# ld.so(8), dyld(1), environ(7), resolver(3), the catalogs and locales of glibc
LOADER = (
    "LD_* DYLD_* _RLD* LIBPATH SHLIB_PATH GCONV_PATH NLSPATH HOSTALIASES RES_OPTIONS LOCALDOMAIN LOCPATH "
    "GLIBC_TUNABLES RESOLV_HOST_CONF MALLOC_* TERMINFO* TERMCAP TMPDIR TMPPREFIX "
    # and what libraries load by a name of their own: libmysqlclient, SDL, OpenMP, CUDA, ROCm, OpenCL, VA-API, Qt
    "LIBMYSQL_PLUGINS LIBMYSQL_PLUGIN_DIR SDL_DYNAMIC_API OMP_TOOL_LIBRARIES CUDA_INJECTION64_PATH "
    "NVTX_INJECTION64_PATH HSA_TOOLS_LIB OCL_ICD_VENDORS LIBVA_DRIVERS_PATH VDPAU_DRIVER_PATH "
    "QT_QPA_PLATFORM_PLUGIN_PATH GI_TYPELIB_PATH NAPI_RS_NATIVE_LIBRARY_PATH LIBCLANG_PATH WINEDLLPATH AWKLIBPATH"
)
# bash(1), zshparam(1), ksh(1), dash(1), tcsh(1), fish: all that a shell says it reads or sets itself
SHELL = (
    "PATH IFS ENV BASH_* BASH BASHOPTS BASHPID SHELLOPTS SHELL PS0 PS1 PS2 PS3 PS4 PROMPT* prompt* RPROMPT* RPS1 "
    "RPS2 SPROMPT ZDOTDIR FPATH MAIL MAILPATH MAILCHECK CDPATH HISTFILE HISTFILESIZE HISTSIZE HISTCMD HISTCONTROL "
    "HISTIGNORE HISTCHARS HISTTIMEFORMAT HISTORY_IGNORE HISTEDIT SAVEHIST READNULLCMD NULLCMD MODULE_PATH "
    "POSTEDIT STTY TIMEFORMAT TIMEFMT TMOUT GLOBIGNORE EXECIGNORE FIGNORE FUNCNEST FUNCNAME FCEDIT INPUTRC "
    "READLINE_* COMP_* COMPREPLY COPROC DIRSTACK DIRSTACKSIZE HOSTFILE IGNOREEOF INSIDE_EMACS EMACS CHILD_MAX "
    "EPOCHREALTIME EPOCHSECONDS RANDOM SRANDOM SECONDS REPLY MAPFILE PIPESTATUS GROUPS LINENO LINES COLUMNS "
    "MACHTYPE HOSTTYPE OSTYPE CPUTYPE VENDOR OLDPWD PWD PPID SHLVL UID EUID GID EGID OPTARG OPTIND OPTERR "
    "POSIXLY_CORRECT auto_resume histchars HOME TERM LOGNAME USER USERNAME HOST HOSTNAME LANG LC_* _ ARGC BAUD "
    "ERRNO KEYTIMEOUT KEYBOARD_HACK KSH_* KEYBD JOBMAX LISTMAX MANPATH MATCH MBEGIN MEND PSVAR REPORTMEMORY "
    "REPORTTIME TMPSUFFIX TRY_BLOCK_* TTY TTYIDLE WATCH WATCHFMT LOGCHECK WORDCHARS CORRECT_* ZBEEP ZLE_* ZSH_* "
    "zsh_* zle_* PLUGIN_LIB VISUAL EDITOR argv status path cdpath fpath fignore mailpath manpath module_path "
    "psvar watch commands functions* aliases galiases saliases dis_* builtins options parameters modules history* "
    "jobdirs jobstates jobtexts nameddirs userdirs usergroups dirstack termcap terminfo keymaps widgets reswords "
    "patchars signals pipestatus match mbegin mend func* errno langinfo sysparams mapfile reply fish_* __fish_* "
    "FISH_* CMD_DURATION hostname last_pid version umask cwd owd home shell user uid euid gid group tty tcsh term "
    "shlvl loginsh addsuffix anyerror cdtohome command csubstnonl dextract echo_style edit ellipsis euser "
    "killring nokanji precmd periodic cwdcmd beepcmd jobcmd postcmd helpcommand rmstar savehist shell_* "
    "status_generation symlinks "
    # of busybox, and of programs that a shell starts for its prompt and its lines
    "STARSHIP_* FZF_* ZSH ZSH_CUSTOM POWERLINE_* OSH BASH_IT"
)
# each interpreter's own manual: python --help-env, perlrun(1), ruby(1), node(1), java, dotnet, lua(1), php, R, erl
INTERPRETERS = (
    "PYTHON* PERL* RUBY* NODE_* OPENSSL_* JAVA_* _JAVA_OPTIONS JDK_* CLASSPATH MAVEN_* GRADLE_* ANT_* SBT_* "
    "CATALINA_* DOTNET_STARTUP_HOOKS DOTNET_ROOT* DOTNET_ADDITIONAL_DEPS DOTNET_SHARED_STORE CORECLR_* COR_* "
    "LUA_* LUA5* PHPRC PHP_INI_SCAN_DIR R_* JULIA_* ERL_* ELIXIR_ERL_OPTIONS DENO_* BUN_* ELECTRON_RUN_AS_NODE "
    "ELECTRON_EXTRA* GEM_* BUNDLE_GEMFILE BUNDLE_PATH GUILE_* TCLLIBPATH CABAL_* GHC_PACKAGE_PATH STACK_ROOT "
    "OCAMLRUNPARAM CAML_LD_* OCAMLPATH OPAMROOT "
    # pytest, coverage, matplotlib, a venv, Bundler, Mix, Tcl, Emacs, Mono, NuGet, GHC, Racket, Octave: their manuals
    "PYTEST_ADDOPTS PYTEST_PLUGINS COVERAGE_PROCESS_START COVERAGE_RCFILE MPLBACKEND MPLCONFIGDIR MYPYPATH VIRTUAL_ENV "
    "BUNDLE_APP_CONFIG BUNDLE_USER_* BUNDLE_BUILD__* MIX_EXS MIX_HOME MIX_ARCHIVES TCL_LIBRARY TK_LIBRARY "
    "EMACSLOADPATH EMACSPATH MONO_PATH MONO_CONFIG NUGET_PLUGIN_PATHS GHCRTS GHC_ENVIRONMENT PLTCOLLECTS PLTADDONDIR "
    "OCTAVE_* AWKPATH DART_VM_OPTIONS npm_execpath npm_node_execpath"
)
# make(1), cargo, go help environment, pip, uv, gcc(1), cmake(1), and what keeps versions of the others
BUILD_TOOLS = (
    "MAKEFLAGS MAKEFILES MFLAGS GNUMAKEFLAGS GOFLAGS GOENV GOROOT GOPATH GOPROXY GOSUMDB GONOSUMDB GONOSUMCHECK "
    "GOINSECURE GOPRIVATE GONOPROXY GOTOOLCHAIN GOTOOLDIR GOBIN CARGO_* RUSTC* RUSTDOC* RUSTFLAGS RUSTUP_* PIP_* "
    "UV_* PIPENV_* POETRY_* PDM_* CONDA_* VIRTUALENV_* PYENV_* RBENV_* NVM_* ASDF_* SDKMAN_* VOLTA_* COREPACK_* "
    "COMPOSER_HOME COMPOSER_VENDOR_DIR COMPOSER_BIN_DIR CC CXX CPP GCC_EXEC_PREFIX COMPILER_PATH LIBRARY_PATH "
    "CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH CMAKE_* PKG_CONFIG* CCACHE_* ACLOCAL_PATH "
    # make's implicit rules, configure and cgo run these, or a compiler that they tell where its parts are
    "CFLAGS CXXFLAGS CPPFLAGS FFLAGS LDFLAGS LDSHARED CGO_CFLAGS CGO_CXXFLAGS CGO_CPPFLAGS CGO_LDFLAGS LD AR AS NM FC "
    "RANLIB YACC LEX MAKE CARGO CONFIG_SITE CONFIG_SHELL SWIFT_EXEC DEVELOPER_DIR SDKROOT SCCACHE_* STACK_YAML "
    "GOENV_* NODENV_* JENV_* TFENV_* FNM_* rvm_* N_PREFIX PROTO_HOME COMPOSER"
)
# git(1), ssh(1), less(1), sudo(8), man(1), rsync(1), tar(1), vim, and others that start programs
RUNNING_TOOLS = (
    "GIT_* SSH_* SUDO_* EDITOR VISUAL PAGER MANPAGER MANOPT MANROFFOPT BROWSER LESS* BAT_* DELTA_* "
    "TAR_OPTIONS RSYNC_* VIMINIT EXINIT MYVIMRC VIM VIMRUNTIME NVIM_* GVIMINIT RIPGREP_CONFIG_PATH PSModulePath "
    "PSMODULEPATH SYSTEMD_PAGER SYSTEMD_EDITOR PSQLRC PSQL_EDITOR* PSQL_HISTORY PSQL_PAGER PSQL_WATCH_PAGER "
    "KUBECONFIG KUBE_EDITOR KUBECTL_* HELM_* TF_CLI_* "
    "TF_PLUGIN_CACHE_DIR TF_DATA_DIR ANSIBLE_* CLOUDSDK_* GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES "
    "AZURE_CONFIG_DIR QT_PLUGIN_PATH GTK_* GIO_* GST_PLUGIN* XAUTHORITY HGRCPATH HG SVN_* CVS_RSH TEXINPUTS "
    "LYNX_CFG W3M_* GREP_OPTIONS PARALLEL_* "
    # restic(1), borg(1), rclone(1), sops, jupyter, gunicorn, bazel, and others that a variable makes run, load or write
    "RESTIC_PASSWORD_COMMAND BORG_PASSCOMMAND BORG_RSH BORG_REMOTE_PATH BORG_BASE_DIR BORG_CONFIG_DIR "
    "RCLONE_PASSWORD_COMMAND RCLONE_CONFIG SOPS_GPG_EXEC SOPS_EDITOR IPYTHONDIR JUPYTER_CONFIG_DIR JUPYTER_CONFIG_PATH "
    "JUPYTER_PATH JUPYTER_DATA_DIR JUPYTER_RUNTIME_DIR GUNICORN_CMD_ARGS TS_NODE_* ESBUILD_BINARY_PATH "
    "PUPPETEER_EXECUTABLE_PATH PRISMA_QUERY_ENGINE_LIBRARY PRISMA_QUERY_ENGINE_BINARY PRISMA_SCHEMA_ENGINE_BINARY "
    "BAZEL_REAL BAZELISK_* LEIN_* JRUBY_OPTS MAGICK_* GDK_PIXBUF_* QML_* QML2_IMPORT_PATH CONTAINERS_* ACK_PAGER ACKRC "
    "MYSQL_HOME REDISCLI_RCFILE VK_ICD_FILENAMES VK_DRIVER_FILES VK_LAYER_PATH VK_ADD_LAYER_PATH LIBGL_DRIVERS_PATH "
    "GBM_BACKENDS_PATH ALSA_CONFIG_* LADSPA_PATH SCREENRC TMUX TMUX_TMPDIR PRE_COMMIT_HOME TASKRC MSBuildSDKsPath "
    "MSBUILDSDKSPATH SQLITE_HISTORY MYSQL_HISTFILE REDISCLI_HISTFILE GDBHISTFILE QEMU_LD_PREFIX QEMU_SET_ENV P4CONFIG "
    "P4EDITOR P4PORT CVSEDITOR CVSROOT DIFFPROG NU_LIB_DIRS NU_PLUGIN_DIRS TEXMFHOME TEXMFCNF LLVM_PROFILE_FILE "
    "GCOV_PREFIX ASAN_OPTIONS LSAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS "
    # apt.conf(5), groff(1), gh help environment, hg help environment, sk, nnn, and what assistants run or read first
    "APT_CONFIG GROFF_* GH_BROWSER GH_PATH GH_CONFIG_DIR GLAB_CONFIG_DIR HGEDITOR HGMERGE JJ_CONFIG MAILCAPS OPENER "
    "SKIM_DEFAULT_* NNN_OPENER NNN_PLUG SOPS_AGE_KEY_CMD SOPS_AGE_SSH_PRIVATE_KEY_CMD LEFTHOOK_BIN LEFTHOOK_CONFIG "
    "BIOME_BINARY TURBO_BINARY_PATH CYPRESS_RUN_BINARY CHROME_BIN PACKER_CONFIG* PACKER_PLUGIN_PATH VAGRANT_HOME "
    "VAGRANT_CWD VAGRANT_VAGRANTFILE VAGRANT_DOTFILE_PATH TF_REATTACH_PROVIDERS TG_TF_PATH TERRAGRUNT_TFPATH "
    "PULUMI_HOME PULUMI_BACKEND_URL TWINE_REPOSITORY_URL HOMEBREW_BREW_WRAPPER GTAGSCONF PROXYCHAINS_CONF_FILE "
    "TSOCKS_CONF_FILE ZELLIJ_CONFIG_* CLAUDE_CONFIG_DIR CLAUDE_CODE_SHELL_PREFIX CODEX_HOME ODBCINI ODBCSYSINI "
    "ODBCINSTINI"
)
# curl(1), wget(1), docker, openssl, krb5, libpq: where connections go, and what they are trusted by
NETWORK = (
    "SSL_CERT_* CURL_CA_BUNDLE CURL_HOME REQUESTS_CA_BUNDLE SSLKEYLOGFILE NETRC WGETRC DOCKER_HOST DOCKER_CONFIG "
    "DOCKER_CONTEXT DOCKER_CERT_PATH DOCKER_TLS* DOCKER_CUSTOM_HEADERS DOCKER_CONTENT_TRUST* DOCKER_CLI_PLUGIN* "
    "BUILDX_* BUILDKIT_HOST CONTAINER_HOST KRB5_* KRB5CCNAME LDAPCONF LDAPRC SASL_PATH SASL_CONF_PATH "
    "PGSERVICEFILE PGSYSCONFDIR PGPASSFILE P11_KIT_* PKCS11_*"
)
# their own manuals; what envref itself reads is set by no file
MANAGERS = "FLOX_* _FLOX_* DIRENV_* MISE_* NIX_* ENVREF_* DEVENV_* DEVBOX_* XDG_*"
# each store's program, as the table of stores has them
STORES = steering_variables()
# The programs that read these do so whatever the case of the letters is: npm, yarn, pnpm, and all that knows a proxy.
ANY_CASE = "NPM_CONFIG_* YARN_* PNPM_*"
PROXY = "_PROXY"
# Whatever begins such a name, some program runs the value, or hands it to a Java that does.
ENDINGS = (
    "_PAGER",
    "_EDITOR",
    "_ASKPASS",
    "_PASSWORD_COMMAND",
    "_JAVA_OPTS",
    "_JAVA_OPTIONS",
    "_JVM_OPTS",
    "_VM_OPTIONS",
)
NO_PROXY = "NO_PROXY"  # it only takes away
# An endpoint that is exported here is the next activation's "own" address, and would pass the trust of its user.
ENDPOINTS = place_variables()

# What everyday files set, and nobody runs, loads or follows.
HARMLESS = (
    "NODE_ENV NODE_VERSION NODE_DEBUG NODE_NO_WARNINGS NODE_DISABLE_COLORS NODE_APP_INSTANCE NODE_CONFIG_ENV "
    "NODE_NAME NODE_HOST NODE_PORT NODE_URL NODE_ID NODE_IP PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE "
    "PYTHONIOENCODING PYTHONHASHSEED PYTHONUTF8 PYTHON_VERSION RUBY_VERSION PERL_VERSION JAVA_VERSION HOST USER "
    "USERNAME LOGNAME HOSTNAME TZ LANG LANGUAGE LC_* TERM COLORTERM GIT_COMMIT GIT_COMMIT_SHA GIT_SHA GIT_HASH "
    "GIT_REV GIT_REVISION GIT_REF GIT_BRANCH GIT_TAG GIT_VERSION GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL "
    "GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_TOKEN GIT_USER GIT_USERNAME GIT_PASSWORD GIT_REPO GIT_REPOSITORY "
    "GIT_URL SSH_HOST SSH_PORT SSH_USER SSH_USERNAME SSH_PASSWORD SSH_KEY SSH_PRIVATE_KEY SSH_PUBLIC_KEY "
    "SSH_KEY_PATH SSH_PASSPHRASE NODE_FUNCTION_ALLOW_BUILTIN NODE_FUNCTION_ALLOW_EXTERNAL PIP_NO_CACHE_DIR "
    "PIP_DISABLE_PIP_VERSION_CHECK PIP_DEFAULT_TIMEOUT PIP_NO_INPUT UV_LINK_MODE UV_COMPILE_BYTECODE UV_NO_CACHE "
    "UV_VERSION POETRY_VERSION POETRY_NO_INTERACTION CARGO_TERM_COLOR CARGO_INCREMENTAL GRADLE_VERSION MAVEN_VERSION "
    "NVM_VERSION CONDA_VERSION HELM_VERSION KUBECTL_VERSION DENO_VERSION DENO_DEPLOYMENT_ID DENO_DEPLOY_TOKEN "
    "BUN_VERSION YARN_VERSION PNPM_VERSION RUBY_YJIT_ENABLE RUBY_GC_* MALLOC_ARENA_MAX PYTHONFAULTHANDLER "
    "PYTHONASYNCIODEBUG NODE_AUTH_TOKEN"
)


class _Names:
    """Names, and families of names: `LD_*` stands for all that begin so.

    A family is looked up by each beginning that a name has. A tuple of beginnings would have to be made at each start,
    which was 1.5 % of `run`.
    """

    __slots__ = ("_words",)

    def __init__(self, *groups: str) -> None:
        self._words = frozenset(" ".join(groups).split())

    def __contains__(self, name: str) -> bool:
        words = self._words
        return name in words or any(f"{name[:end]}*" in words for end in range(1, len(name) + 1))


_ENDPOINTS = _Names(ENDPOINTS)
_RISKY = _Names(LOADER, SHELL, INTERPRETERS, BUILD_TOOLS, RUNNING_TOOLS, NETWORK, MANAGERS, STORES)
_ANY_CASE = _Names(ANY_CASE)
_HARMLESS = _Names(HARMLESS)
# Those that lead every program there is, whatever it is written in.
_EVERY = _Names(
    "LD_* DYLD_* _RLD* LIBPATH SHLIB_PATH GCONV_PATH NLSPATH HOSTALIASES RES_OPTIONS LOCALDOMAIN PATH IFS ENV BASH_ENV "
    "BASH_FUNC_* BASHOPTS SHELLOPTS PS4 PROMPT_COMMAND ZDOTDIR FPATH PS0 MAILPATH READNULLCMD NULLCMD MODULE_PATH "
    "fish_function_path fish_user_paths"
)


def is_dangerous(name: str, value: str = "") -> bool:
    """Whether an env file may set `name` to `value` only where the user agreed to it.

    A value that is not known yet, because a reference has a part in it, is an empty one.
    """
    if name in _ENDPOINTS:
        return not _is_here(value)
    upper = name.upper()
    if upper.endswith(PROXY):
        return upper != NO_PROXY and not (_is_here(value) or _is_harmless(PROXY, value))
    if name in _HARMLESS:
        return False
    if name in _RISKY or upper in _ANY_CASE or name.endswith(ENDINGS):
        return not _is_harmless(name, value)
    return False


def leads_every_program(name: str, value: str = "") -> bool:
    """Whether the name takes over every program, or every store, of a whole environment: what no Flox block sets."""
    return not _is_here(value) if name in _ENDPOINTS else name in _EVERY


def _is_here(address: str) -> bool:
    from envref.project.loopback import is_loopback

    return is_loopback(address)


def _is_harmless(name: str, value: str) -> bool:
    """Whether this value makes a dangerous name harmless. One that is not known yet, or has a `$` in it, never does."""
    if not value or "$" in value:
        return False
    from envref.project.trust.harmless import judge_of

    judge = judge_of(name)
    return judge is not None and judge(value)
