# The phases of a Python application, as nixpkgs runs them: build, check what is required, install, fix up, check.

# program_PYTHONPATH: where these packages, and what they propagate, have their libraries (pkgs/.../python/wrap.sh).
buildPythonPath() {
  local package
  program_PYTHONPATH=
  seen=
  for package in $1; do
    addToProgramPath "$package"
  done
}
addToProgramPath() {
  local each
  case " $seen " in *" $1 "*) return ;; esac
  seen="$seen $1"
  if [ -d "$1/$sitePackages" ]; then
    program_PYTHONPATH=$program_PYTHONPATH${program_PYTHONPATH:+:}$1/$sitePackages
  fi
  if [ -e "$1/nix-support/propagated-build-inputs" ]; then
    for each in $(cat "$1/nix-support/propagated-build-inputs"); do
      addToProgramPath "$each"
    done
  fi
}
python() { PYTHONPATH=$program_PYTHONPATH "$interpreter" "$@"; }

buildPythonPath "$buildPath"
cp --recursive --no-preserve=mode "$src" source
cd source
eval "$postPatch"
python -m hatchling build -t wheel
buildPythonPath "$pip $dependencies" # nixpkgs' hook sees what builds the wheel too, which may hide that something is missing
python "$requirements" dist/*.whl
python -m pip install --quiet --no-index --no-deps --no-compile --no-warn-script-location --prefix "$out" dist/*.whl
rm "$out/$sitePackages"/*.dist-info/direct_url.json
"$interpreter" -m compileall -q "$out"
buildPythonPath "$out $dependencies"
export PYTHONPATH=$program_PYTHONPATH # pypa-install-hook.sh
eval "$postInstall"
unset PYTHONPATH

if [ -z "$dontWrapPythonPrograms" ]; then
  # What nixpkgs' wrapper does to a child: its own Python comes first, and PYTHONNOUSERSITE is set.
  buildPythonPath "$out $dependencies"
  mv "$out/bin/$mainProgram" "$out/bin/.$mainProgram-wrapped"
  printf '#!%s\nexport PATH=%s:$PATH PYTHONNOUSERSITE=true PYTHONPATH=%s\nexec %s "$@"\n' "$bash" \
    "${interpreter%/*}" "$program_PYTHONPATH" "$out/bin/.$mainProgram-wrapped" > "$out/bin/$mainProgram"
  chmod +x "$out/bin/$mainProgram"
fi

# recordPropagatedDependencies runs before postFixup.
mkdir -p "$out/nix-support"
echo "$dependencies ${interpreter%/bin/*}" > "$out/nix-support/propagated-build-inputs"
eval "$postFixup"
rmdir --ignore-fail-on-non-empty "$out/nix-support"

buildPythonPath "$out $dependencies"
python - $pythonImportsCheck <<END
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
END

if [ -n "$doCheck" ]; then
  buildPythonPath "$out $dependencies $checkPath"
  export HOME=$TMPDIR
  eval "$preCheck"
  python -m pytest -q -p no:cacheprovider $pytestFlags $enabledTestPaths
fi
if [ -n "$versionCheck" ]; then
  # pkgs/by-name/ve/versionCheckHook/hook.sh: the program says its version, in an empty environment.
  env --ignore-environment --chdir=/ "$out/bin/$mainProgram" --version | grep --fixed-strings "${name##*-}"
fi
