"""agent: how long the agent keeps what stores gave; a project's file may only say no."""

from __future__ import annotations

import pytest

from envref.errors import EnvrefError
from envref.project.config.agent import of_user
from envref.project.config.load import load


@pytest.fixture
def own(home):
    """Writes the user's own config."""

    def own(text):
        path = home / ".config/envref/config.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return own


@pytest.fixture
def config(project, own):
    """The config of a project with this text, under the user's own."""

    def config(text="", mine=""):
        own(mine)
        return load(str(project.write(".envref.yaml", f"project: app\n{text}")))

    return config


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("true", 3600),
        ("false", 0),
        ("{ttl: 90s}", 90),
        ("{ttl: 1s}", 1),
        ("{ttl: 24h}", 86400),
        ("{ttl: 1440m}", 86400),
        ("null", 0),
    ],
)
def test_the_users_own_config_says_for_how_long(own, config, said, seconds):
    """An hour where it says none."""
    own(f"agent: {said}\n")
    assert of_user() == seconds
    assert (config(mine=f"agent: {said}\n").agent or 0) == seconds


def test_without_a_word_there_is_none(own):
    own("")
    assert of_user() == 0


@pytest.mark.parametrize(
    "said", ["{ttl: 25h}", "{ttl: 86401s}", "{ttl: 1d}", "{ttl: 0s}", "{ttl: [1h]}", "{}", "maybe"]
)
def test_what_is_no_time_is_refused(own, config, said):
    """By its place; where it is only looked at, it says nothing."""
    own(f"agent: {said}\n")
    assert of_user() == 0
    words = "(ttl must be a number with s, m or h|must be true, false or)"
    with pytest.raises(EnvrefError, match=rf"config\.yaml:1:\d+: agent:? {words}"):
        config(mine=f"agent: {said}\n")


@pytest.mark.parametrize("text", ["agent: true\n", "agent: {ttl: 1h}\n", "backends: [{name: vault, agent: true}]\n"])
def test_a_project_cannot_want_one(config, text):
    """A repository would keep a user's secrets in memory."""
    with pytest.raises(EnvrefError, match="a project's file may only say false; your own config says true"):
        config(text)


def test_a_project_may_say_no(config):
    """For all its stores, or for one."""
    assert config("agent: false\n", "agent: true\n").agent == 0
    found = config("backends: [{name: vault, agent: false}, {name: pass}]\n", "agent: true\n")
    assert [found.agent_seconds(each) for each in found.backends] == [0, 3600]
