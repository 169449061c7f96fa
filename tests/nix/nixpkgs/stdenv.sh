# $stdenv/setup, of every build and every `nix develop`: what the inputs bring, and the shell functions of nixpkgs that the
# flake's texts call. As pkgs/stdenv/generic/setup.sh does it (findInputs, activatePackage, addEnvHooks).

runHook() { eval "${!1-}"; } # `nix-shell` calls it for shellHook, if there is one

envHooks=()
addEnvHooks() { envHooks+=("$2"); } # OFFSET FUNCTION

addToSearchPathWithCustomDelimiter() { # DELIMITER VARIABLE DIRECTORY
  if [ -d "$3" ]; then
    export "$2=${!2-}${!2:+$1}$3"
  fi
}

# A package, and what it propagates, however far.
found=()
findInputs() {
  local package
  for package in "$@"; do
    case " ${found[*]-} " in *" $package "*) continue ;; esac
    found+=("$package")
    if [ -e "$package/nix-support/propagated-build-inputs" ]; then
      # shellcheck disable=SC2046  # a list of paths without spaces
      findInputs $(< "$package/nix-support/propagated-build-inputs")
    fi
  done
}

# FILE... , or --cmd NAME --SHELL FILE ...
installShellCompletion() {
  local name='' shell='' file
  while [ $# -gt 0 ]; do
    case $1 in
      --cmd) name=$2 && shift ;;
      --*) shell=${1#--} ;;
      *)
        file=$1
        completion "${shell:-${file##*.}}" "${name:-${file%.*}}" < "$file"
        ;;
    esac
    shift
  done
}
completion() { # SHELL NAME
  case $1 in
    bash) install -D --mode 444 /dev/stdin "$out/share/bash-completion/completions/$2.bash" ;;
    fish) install -D --mode 444 /dev/stdin "$out/share/fish/vendor_completions.d/$2.fish" ;;
    zsh) install -D --mode 444 /dev/stdin "$out/share/zsh/site-functions/_$2" ;;
    *) return 1 ;;
  esac
}

inputs() {
  local package hook
  PATH=
  hostOffset=0
  findInputs ${nativeBuildInputs-}
  for package in "${found[@]}"; do
    addToSearchPathWithCustomDelimiter : PATH "$package/bin"
    if [ -e "$package/nix-support/setup-hook" ]; then
      # shellcheck disable=SC1091
      . "$package/nix-support/setup-hook"
    fi
  done
  for hook in "${envHooks[@]}"; do
    for package in "${found[@]}"; do
      "$hook" "$package"
    done
  done
  export PATH=$PATH${PATH:+:}/usr/bin:/bin # the stdenv's own tools are this machine's
}

export HOME=/homeless-shelter TMPDIR=${TMPDIR:-/tmp}
inputs
