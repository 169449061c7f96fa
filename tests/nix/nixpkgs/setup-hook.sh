# Of the package of Python: what a shell or a build has that Python as an input.
# As pkgs/development/interpreters/python/setup-hook.sh does it; PYTHONNOUSERSITE was seen in a real `nix develop`.
addPythonPath() {
  addToSearchPathWithCustomDelimiter : PYTHONPATH "$1/@sitePackages@"
}
addEnvHooks "$hostOffset" addPythonPath
export DETERMINISTIC_BUILD=1 PYTHONHASHSEED=0 PYTHONNOUSERSITE=1
