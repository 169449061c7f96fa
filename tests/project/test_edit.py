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


def edited(shop, environment):
    """Whether the project is trusted after an edit by envref."""
    with trust_kept(str(shop.path), environment):
        shop.write(".envref.yaml", f"{ASKING}profiles: {{staging: }}\n")
    return is_granted(configured(str(shop.path)), environment)


def test_a_trusted_project_stays_trusted(shop, environment):
    """As it is after the edit."""
    grant(configured(str(shop.path)), environment)
    assert edited(shop, environment)


def test_an_edit_makes_no_trust(shop, environment):
    """Neither where nothing was decided nor where it was refused."""
    assert not edited(shop, environment)
    project = configured(str(shop.path))
    record.write(project.root, meaning(project, environment), environment, granted=False)
    assert not edited(shop, environment)


def test_a_change_by_somebody_else_is_not_taken_along(shop, environment):
    """What was trusted was another meaning."""
    grant(configured(str(shop.path)), environment)
    shop.write(".envref.yaml", ASKING.replace("./kv", "./evil"))
    assert not edited(shop, environment)
