"""Purse: keys that end by themselves, kept by the agent until shortly before that."""

from __future__ import annotations

import time

import pytest

from envref.backends.aws.direct.purse import Purse
from envref.backends.aws.direct.signature import Credentials
from envref.client import VALUE, Late, Visit
from envref.secret import Secret
from tests.backends.asking import soon

KEYS = Credentials("AKIA", Secret("s"), Secret("t"))


class Agent:
    """Gives what it was last told to keep; `kept` are the seconds."""

    place = "/nowhere"

    def __init__(self):
        self.given, self.kept, self.heads, self.ended = {}, [], [], 0
        self.is_late = False

    def turn(self, head, addresses, until):
        if self.is_late:
            raise Late
        self.heads.append(head)
        agent = self

        class Told(Visit):
            def keep(self, answers, seconds):
                agent.given = {name: text.removeprefix(VALUE) for name, text in answers.items()}
                agent.kept.append(seconds)

            def end(self):
                agent.ended += 1

        return Told(self.given, {}, None)


def words(keys):
    return keys.name, keys.secret.reveal(), keys.token and keys.token.reveal()


def keys(purse, end, given=KEYS):
    return words(purse.keys(["sts", "role"], "role", soon(), lambda: (given, end)))


@pytest.mark.parametrize(
    ("hours", "least", "most"), [(20, 43200, 43200), (1, 2700, 2700), (0.2, None, None), (0, None, None)]
)
def test_they_are_kept_until_a_quarter_of_an_hour_before_their_end(hours, least, most):
    """Never longer than AWS lets any last; what ends sooner is not kept."""
    agent = Agent()
    assert keys(Purse(agent), time.time() + hours * 3600) == words(KEYS)
    assert all(least - 60 <= seconds <= most for seconds in agent.kept)
    assert len(agent.kept) == (least is not None)
    assert agent.ended == 1


@pytest.mark.parametrize("token", [Secret("t"), None])
def test_what_is_kept_is_given_again(token):
    """And known as such: AWS may not accept it any more."""
    agent, given = Agent(), Credentials("AKIA", Secret("s"), token)
    keys(Purse(agent), time.time() + 3600, given)
    purse = Purse(agent)
    assert not purse.has_given
    assert words(purse.keys(["sts", "role"], "role", soon(), lambda: pytest.fail("asked"))) == words(given)
    assert purse.has_given
    purse.empty()
    assert not purse.has_given
    assert agent.ended == 2


def test_another_meaning_is_another_key():
    """Also one whose words are only split elsewhere."""
    agent = Agent()
    for meaning in (["a", "b"], ["ab"], ["a", "b", ""]):
        Purse(agent).keys(meaning, "x", soon(), lambda: (KEYS, 0.0))
    assert len({head[0] for head in agent.heads}) == 3


def test_without_an_agent_or_in_a_hurry_they_are_obtained():
    """Another process asks for the same, and takes too long."""
    late = Agent()
    late.is_late = True
    assert keys(Purse(), 0.0) == keys(Purse(late), 0.0) == words(KEYS)


@pytest.mark.parametrize(("left", "waits"), [(60, 5), (3, 3)])
def test_another_process_is_waited_for_five_seconds(monkeypatch, left, waits):
    """Or as long as there is; `agent status` shows the name, for as long as AWS lets such keys last."""
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    asked = []

    class Asked(Agent):
        def turn(self, head, addresses, until):
            asked.append((head[1:], addresses, until))
            return super().turn(head, addresses, until)

    Purse(Asked()).keys(["sts"], "ro\0le", 100.0 + left, lambda: (KEYS, 0.0))
    assert asked == [((b"aws keys", b"role", b"43200"), [b"keys"], 100.0 + waits)]
