"""`requirements.py WHEEL`: fails unless what the wheel requires is installed here, at a version that will do.

As pkgs/development/interpreters/python/hooks/python-runtime-deps-check-hook.py does it, with its words.
"""

import importlib.metadata
import sys
import zipfile

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name


def fault(line):
    requirement = Requirement(line)
    if requirement.marker and not requirement.marker.evaluate():
        return ""
    name = canonicalize_name(requirement.name)
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{name} not installed"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{name}{requirement.specifier} not satisfied by version {version}"


[described] = [each for each in zipfile.Path(sys.argv[1]).iterdir() if each.name.endswith(".dist-info")]
metadata = importlib.metadata.PathDistribution(described)
faults = [text for text in map(fault, metadata.requires or []) if text]
for text in faults:
    print(f"  - {text}", file=sys.stderr)
sys.exit(bool(faults))
