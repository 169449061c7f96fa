# The phases of a Python application, as nixpkgs runs them: build, install, fix up, check.

# program_PYTHONPATH: where these packages, and what they propagate, have their libraries.
buildPythonPath() {
  local package
  program_PYTHONPATH=
  for package in $1; do
    program_PYTHONPATH=$program_PYTHONPATH${program_PYTHONPATH:+:}$package/$sitePackages
  done
}

buildPythonPath "$buildPath"
cp --recursive --no-preserve=mode "$src" source
cd source
PYTHONPATH=$program_PYTHONPATH "$interpreter" -m hatchling build -t wheel
PYTHONPATH=$program_PYTHONPATH "$interpreter" -m pip install --quiet --no-index --no-deps --no-compile \
  --no-warn-script-location --prefix "$out" dist/*.whl
rm "$out/$sitePackages"/*.dist-info/direct_url.json
"$interpreter" -m compileall -q "$out"

eval "$postFixup"

buildPythonPath "$out $pythonPath"
PYTHONPATH=$program_PYTHONPATH "$interpreter" - "${name%-*}" $pythonImportsCheck <<END
import importlib, importlib.metadata, re, sys
name, *modules = sys.argv[1:]
for module in modules:
    importlib.import_module(module)
for line in importlib.metadata.requires("envref"):
    importlib.metadata.distribution(re.match(r"[\w.-]+", line)[0])  # declared here too, not only in pyproject.toml
END

if [ -n "$doCheck" ]; then
  buildPythonPath "$out $pythonPath $checkPath"
  export HOME=$TMPDIR
  PYTHONPATH=$program_PYTHONPATH "$interpreter" -m pytest -q -p no:cacheprovider $pytestFlags $enabledTestPaths
fi
