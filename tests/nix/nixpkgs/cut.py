"""`cut.py SITE NAME PLACE`: copies one distribution of a site-packages directory, and what it requires, to PLACE."""

import importlib.metadata
import pathlib
import re
import shutil
import sys

site, wanted, place = sys.argv[1:]


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


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
        source = pathlib.Path(site, file)
        if ".." not in file.parts and source.suffix != ".pyc" and source.is_file():
            target = pathlib.Path(place, file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
