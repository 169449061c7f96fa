"""Which way a store is asked, and what is said of it."""

from __future__ import annotations

import pytest

from envref.backends.direct import COMMAND, Direct
from envref.backends.http.connection import Unusual
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python


class Client:
    """A client that was asked `asked`, and is closed or not."""

    def __init__(self):
        self.asked, self.closed = [], 0

    def close(self):
        self.closed += 1


def unusual(reason=""):
    def raises(*_):
        raise Unusual(reason) if reason else Unusual

    return raises


def test_one_client_serves_all_questions():
    """Made for the first one; nothing is said of a way that was not gone."""
    made = []
    direct = Direct("kv", lambda: made.append(Client()) or made[-1])
    assert direct.way == ""
    for number in (1, 2):
        assert direct.ask(lambda client, number=number: (client, number), pytest.fail) == (made[0], number)
    assert (len(made), direct.way) == (1, "without kv")


@pytest.mark.parametrize(("reason", "said"), [("a\x1b redirect", "a\\x1b redirect"), ("", "an unusual answer")])
def test_what_speaks_against_it_ends_it_for_good(reason, said):
    """The program is asked from then on, once the connections are closed."""
    client = Client()
    direct = Direct("kv", lambda: client)
    assert direct.ask(unusual(reason), lambda: client.closed) == 1
    assert direct.ask(pytest.fail, lambda: "through") == "through"
    assert (direct.way, client.closed) == (f"through kv ({said})", 1)


def test_a_client_that_can_t_be_made():
    """Is asked nothing."""
    direct = Direct("kv", unusual("a proxy"))
    assert direct.ask(pytest.fail, lambda: "through") == "through"
    assert direct.way == "through kv (a proxy)"


def test_a_program_that_is_named_is_asked_from_the_start():
    """No client is made."""
    direct = Direct("kv", pytest.fail, COMMAND)
    assert direct.way == "through kv (the option command)"
    assert direct.ask(pytest.fail, lambda: "through") == "through"


def test_any_other_error_is_raised():
    """The client stays."""
    client = Client()
    direct = Direct("kv", lambda: client)
    with pytest.raises(ZeroDivisionError):
        direct.ask(lambda _: 1 // 0, pytest.fail)
    assert (direct.way, client.closed) == ("without kv", 0)
