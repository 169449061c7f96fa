# What `nix flake check` builds.
{
  self,
  nixpkgs,
  pkgs,
  system,
  ...
}:
let
  inherit (nixpkgs) lib;
  inherit (self.packages.${system}) envref envref-full;
  source = pkgs.callPackage ./source.nix { };
  without = lib.fileset.difference;
  tests = without ../tests ../tests/nix;

  # The package once more, with these tests in its build in place of its own. They need no network, no session bus and no
  # store's program.
  tested =
    name: files: paths:
    envref.overridePythonAttrs {
      pname = "envref-${name}";
      src = source files;
      nativeCheckInputs = [
        pkgs.python3Packages.pytestCheckHook
        pkgs.python3Packages.hypothesis
        pkgs.python3Packages.python-dotenv
        pkgs.age
        pkgs.git
      ];
      enabledTestPaths = paths;
      pytestFlags = [ "--exitfirst" ];
    };
in
{
  # formats and refs are run by the package's own build, which `no-leak` waits for.
  tests = tested "tests" [ tests ] [
    "tests/cli/test_request.py"
    "tests/env"
    "tests/project/config/test_load.py"
    "tests/project/test_project.py"
    "tests/resolve"
    "tests/secrets/test_scoped.py"
    "tests/test_atomic.py"
    "tests/test_errors.py"
    "tests/test_secret.py"
    "tests/test_streams.py"
  ];

  # The console blocks of the README and of two pages, replayed: what a page shows does not depend on the package,
  # and `make test` replays them all.
  docs = tested "docs" [
    (without tests ../tests/cli)
    ../docs/tutorial.md
    ../docs/validation.md
    ../examples
  ] [ "tests/test_transcripts.py" ];

  lint = pkgs.runCommand "envref-lint" { nativeBuildInputs = [ (pkgs.python3Packages.callPackage ./ruff.nix { }) ]; } ''
    cd ${source [ tests ]}
    ruff check --no-cache
    ruff format --check --no-cache
    touch $out
  '';

  # Beside a project's own Python, envref brings none, and no library: not to a shell, and not to a build.
  no-leak =
    pkgs.runCommand "envref-no-leak"
      {
        nativeBuildInputs = [
          envref
          envref-full
        ];
      }
      ''
        type -P envref
        for name in PYTHONPATH PYTHONHASHSEED PYTHONNOUSERSITE DETERMINISTIC_BUILD; do
          if [ -n "''${!name-}" ]; then echo "$name=''${!name}"; exit 1; fi
        done
        for program in python python3 op aws vault oci; do
          case "$(type -P $program || true)" in
            ${builtins.storeDir}/*) echo "$program comes with envref"; exit 1 ;;
          esac
        done
        touch $out
      '';

  # A child sees the environment that it would see without envref, byte for byte: of the lean package, and of the one that
  # bundles programs. Nothing that the caller names is imported, nor run.
  clean-env = pkgs.runCommand "envref-clean-env" { } ''
    export HOME=$TMPDIR/home
    mkdir -p "$HOME" project poison
    echo 'raise SystemExit("a library of the caller was imported")' | tee poison/os.py poison/envref.py > poison/click.py
    echo 'import sys; sys.exit("a .pth file of the caller ran")' > poison/caller.pth
    cd project
    echo 'project: clean' > .envref.yaml
    echo 'ADDED=1' > .env

    seen() {
      env -i PATH="$PATH" HOME="$HOME" PYTHONPATH="$TMPDIR/poison" NIX_PYTHONPATH="$TMPDIR/poison" \
        NIX_PYTHONPREFIX="$TMPDIR/poison" NIX_PYTHONEXECUTABLE="$TMPDIR/poison/python" \
        ODD=$'a \'\n"$b' EMPTY= "$@" env -0 | sort -z
    }
    seen env ADDED=1 > ../expected
    for package in ${envref} ${envref-full}; do
      seen $package/bin/envref run -- > ../seen
      if ! cmp ../expected ../seen; then
        diff <(tr '\0' '\n' < ../expected) <(tr '\0' '\n' < ../seen)
        exit 1
      fi
    done
    touch $out
  '';

  # The programs are found by envref-full, without PATH, and by nobody else.
  bundled = pkgs.runCommand "envref-bundled" { } ''
    export HOME=$TMPDIR/home
    mkdir -p "$HOME" project
    cd project
    echo 'SECRET=ref://secrets/key' > .env
    absent() {
      printf 'project: bundled\nbackends: [%s]\n' "$2" > .envref.yaml
      PATH=/nowhere ENVREF_TRUST=all $1/bin/envref resolve --export < /dev/null > ../said 2>&1 || true
      grep --quiet 'executable file not found' ../said
    }
    while read -r store; do
      absent ${envref} "$store" || { cat ../said; exit 1; }
      if absent ${envref-full} "$store"; then cat ../said; exit 1; fi
    done <<END
    {name: 1password}
    {name: aws-ssm}
    {name: hashicorp-vault}
    {name: oci-vault, config: {vault_id: V, compartment_id: C, key_id: K}}
    END
    touch $out
  '';
}
