"""`cut.py SITE NAME PREFIX [VERSION]`: copies one distribution of a site-packages directory, and what it requires.

Programs go to the `bin` of PREFIX, libraries below its `lib`. With VERSION, the distribution says that it is of that
version.
"""

import importlib.metadata
import pathlib
import re
import shutil
import sys

site, wanted, prefix, *version = sys.argv[1:]
libraries = pathlib.Path(prefix, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def target(file):
    """Where a file of a distribution goes; None for what is neither library nor program."""
    if ".." not in file.parts:
        return libraries / file
    return pathlib.Path(prefix, "bin", file.name) if file.parent.name == "bin" else None


there = {plain(found.name): found for found in importlib.metadata.distributions(path=[site])}
if plain(wanted) not in there:
    sys.exit(f"{wanted} is not in {site}")
queue, done = [plain(wanted)], set()
while queue:
    name = queue.pop()
    if name in done or name not in there:
        continue
    done.add(name)
    requirements = [line for line in there[name].requires or [] if "extra ==" not in line]
    queue += [plain(re.match(r"[\w.-]+", line)[0]) for line in requirements]
    for file in there[name].files:
        source, place = pathlib.Path(site, file), target(file)
        if place and source.suffix != ".pyc" and source.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)
if version:
    [metadata] = libraries.glob(f"{re.sub('-', '_', plain(wanted))}-*.dist-info/METADATA")
    text = re.sub(r"(?m)^Version: .*", f"Version: {version[0]}", metadata.read_text(encoding="utf-8"), count=1)
    metadata.write_text(text, encoding="utf-8")
