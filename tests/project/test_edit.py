"""Trust across an edit by envref itself: kept where there was some, never made, never renewed for another meaning."""

from __future__ import annotations

import pytest

from envref.project.edit import trust_kept
from envref.project.project import configured
from envref.project.trust import record
from envref.project.trust.gate import grant, is_granted
from envref.project.trust.meaning import meaning

ASKING = "project: app\nbackends: [{name: kv, type: plugin, config: {command: ./kv}}]\n"


@pytest.fixture
def environment(home):
    return {"HOME": str(home)}


@pytest.fixture
def shop(project):
    project.write(".envref.yaml", ASKING)
    return project


def agreed(shop, environment):
    project = configured(str(shop.path))
    grant(project, meaning(project, environment), environment)


def edited(shop, environment):
    """Whether the project is trusted after an edit by envref."""
    with trust_kept(str(shop.path), str(shop.path / ".envref.yaml"), environment):
        shop.write(".envref.yaml", f"{ASKING}profiles: {{staging: }}\n")
    return is_granted(configured(str(shop.path)), environment)


def test_a_trusted_project_stays_trusted(shop, environment):
    """As it is after the edit."""
    agreed(shop, environment)
    assert edited(shop, environment)


def test_an_edit_makes_no_trust(shop, environment):
    """Neither where nothing was decided nor where it was refused."""
    assert not edited(shop, environment)
    project = configured(str(shop.path))
    record.write(project.root, meaning(project, environment), environment, granted=False)
    assert not edited(shop, environment)


def test_a_change_by_somebody_else_is_not_taken_along(shop, environment):
    """What was trusted was another meaning."""
    agreed(shop, environment)
    shop.write(".envref.yaml", ASKING.replace("./kv", "./evil"))
    assert not edited(shop, environment)


MEANWHILE = {
    "the program": ("kv", "#!/bin/sh\nexit 1\n"),
    "an env file": (".env", "BASH_ENV=./evil\n"),
    "a profile's new file": (".env.staging", "BASH_ENV=./evil\n"),
}


@pytest.mark.parametrize("change", MEANWHILE)
def test_what_comes_while_an_editor_is_open_is_not_taken_along(shop, environment, change):
    """A pull in another window is nothing that the user of the editor agreed to."""
    shop.write("kv", "#!/bin/sh\n").chmod(0o755)
    shop.write(".env", "A=1\n")
    agreed(shop, environment)
    path = shop.path / ".envref.yaml"
    with trust_kept(str(shop.path), str(path), environment):
        path.write_text(f"{ASKING}env_file: .env\n")
        shop.write(*MEANWHILE[change])
    assert not is_granted(configured(str(shop.path)), environment)


def test_the_edited_file_may_say_anything(shop, environment):
    """Its user wrote it: a risky name in an env file, and the program's own text."""
    shop.write("kv", "#!/bin/sh\n").chmod(0o755)
    agreed(shop, environment)
    for name, text in ((".env", "BASH_ENV=x\n"), ("kv", "#!/bin/sh\nexit 1\n")):
        with trust_kept(str(shop.path), str(shop.path / name), environment):
            shop.write(name, text)
        assert is_granted(configured(str(shop.path)), environment)
