"""What nixpkgs' Python does with three variables at its start, under -I as well: it takes them, and obeys them.

As pkgs/development/interpreters/python/sitecustomize.py does it, outside a virtual environment.
"""

import os
import site
import sys

if places := os.environ.pop("NIX_PYTHONPATH", None):
    known = {os.path.normcase(path) for path in sys.path}
    for place in places.split(":"):
        site.addsitedir(place, known)
executable = os.environ.pop("NIX_PYTHONEXECUTABLE", None)
prefix = os.environ.pop("NIX_PYTHONPREFIX", None)
if executable and "PYTHONEXECUTABLE" not in os.environ:
    sys.executable = executable
if prefix:
    sys.prefix = sys.exec_prefix = prefix
    site.PREFIXES.insert(0, prefix)
