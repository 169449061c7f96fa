"""What is kept, and who waits for whom: without a process and without a clock."""

from __future__ import annotations

import pytest

from envref.agent.kept import LARGEST, Kept
from envref.client import ALONE, HITS, LEAD, UNKEPT, WAIT, frame
from envref.client import LARGEST as LARGEST_FRAME

A, B = b"a", b"b"
NAMES = ("vault", "team")


class Client:
    """A caller that remembers what was said to it."""

    def __init__(self, owner=1, use=b""):
        self.owner = owner
        self.use = use
        self.heard = []

    def say(self, *fields):
        self.heard.append(fields)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept(clock):
    return Kept(clock)


def get(kept, *addresses, owner=1, use=b"", key=b"key", names=NAMES, seconds=600):
    """Asks; the client, who has heard the answer."""
    client = Client(owner, use)
    kept.get(client, key, names, seconds, addresses or (A,))
    return client


def filled(kept, answers, **more):
    get_and_put = get(kept, *answers, **more)
    kept.put(get_and_put, answers)
    kept.left(get_and_put)


def test_the_first_leads_and_what_it_tells_is_kept(kept):
    """A value, and that there is none."""
    leader = get(kept, A, B)
    assert leader.heard == [(LEAD, b"?", b"?")]
    kept.put(leader, {A: b"Vone", B: b"A"})
    assert get(kept, B, A).heard == [(HITS, b"A", b"Vone")]


def test_who_lacks_one_leads_for_that_one(kept):
    """What is kept is given with the lead."""
    filled(kept, {A: b"Vone"})
    assert get(kept, A, B).heard == [(LEAD, b"Vone", b"?")]


def test_others_wait_and_are_served_at_once(kept):
    """Of ten, one asks the store."""
    leader = get(kept)
    waiting = [get(kept) for _ in range(9)]
    assert [each.heard for each in waiting] == [[(WAIT,)]] * 9
    kept.put(leader, {A: b"Vone"})
    assert [each.heard[1:] for each in waiting] == [[(HITS, b"Vone")]] * 9


def test_who_waits_for_something_else_leads_next(kept):
    """The leader was not asked for it."""
    leader, other, third = get(kept, A), get(kept, B), get(kept, B)
    kept.put(leader, {A: b"Vone"})
    assert (other.heard, third.heard) == ([(WAIT,), (LEAD, b"?")], [(WAIT,), (WAIT,)])


def test_a_leader_that_dies_hands_on(kept):
    """To the first who waits."""
    leader, second, third = get(kept), get(kept), get(kept)
    kept.left(leader)
    assert (second.heard, third.heard) == ([(WAIT,), (LEAD, b"?")], [(WAIT,), (WAIT,)])


def test_who_waits_and_dies_is_not_made_leader(kept):
    leader, second, third = get(kept), get(kept), get(kept)
    kept.left(second)
    kept.left(leader)
    assert (second.heard, third.heard) == ([(WAIT,)], [(WAIT,), (LEAD, b"?")])


def test_a_refusal_is_everybody_s_once_and_is_not_kept(kept):
    """Also of those who wait for other addresses: it was the store that refused."""
    leader, same, other = get(kept, A), get(kept, A), get(kept, B)
    kept.refuse(leader, b"locked")
    assert (same.heard[1:], other.heard[1:]) == ([(HITS, b"Xlocked")], [(HITS, b"Xlocked")])
    assert get(kept).heard == [(LEAD, b"?")]


def test_the_error_of_one_address_is_for_those_who_wait_only(kept):
    leader, waiting = get(kept, A, B), get(kept, B)
    kept.put(leader, {A: b"Vone", B: b"Xdenied"})
    assert waiting.heard[1:] == [(HITS, b"Xdenied")]
    assert get(kept, A, B).heard == [(LEAD, b"Vone", b"?")]


def test_a_failure_that_is_the_leader_s_own_lets_all_ask(kept):
    """At once, as without an agent: not one after the other."""
    leader, second, third = get(kept), get(kept), get(kept)
    kept.release(leader)
    assert (second.heard[1:], third.heard[1:]) == ([(ALONE,)], [(ALONE,)])


def test_only_the_leader_fills_and_only_what_it_asks(kept):
    """Nobody puts a value where another store, or another shell, would look for it."""
    leader, stranger = get(kept, A), Client()
    kept.put(stranger, {A: b"Vfalse"})
    kept.put(leader, {A: b"Vone", B: b"Vfalse"})
    kept.put(leader, {A: b"Vlate"})
    assert get(kept, A, B).heard == [(LEAD, b"Vone", b"?")]


def test_a_key_is_a_store_of_its_own(kept):
    """Another environment, another user's options: another key."""
    filled(kept, {A: b"Vone"})
    assert get(kept, key=b"other").heard == [(LEAD, b"?")]


def test_the_last_owner_takes_it_along(kept):
    filled(kept, {A: b"Vone", B: b"Vtwo"}, owner=1)
    get(kept, A, owner=2)
    kept.end_owner(1)
    assert get(kept, A, B, owner=2).heard == [(LEAD, b"Vone", b"?")]
    kept.end_owner(2)
    assert not kept


def test_nobody_s_answer_is_not_kept_but_given_to_who_waits(kept):
    """The owner had ended already."""
    leader, waiting = get(kept, owner=0), get(kept, owner=0)
    assert leader.heard == [(UNKEPT, b"?")]
    kept.put(leader, {A: b"Vone"})
    assert waiting.heard[1:] == [(HITS, b"Vone")]
    assert not kept


@pytest.mark.parametrize(("kept_for", "wanted_for", "passed"), [(600, 600, 600), (600, 10, 11), (10, 600, 11)])
def test_what_is_too_old_is_asked_again(kept, clock, kept_for, wanted_for, passed):
    """By the time of who told it, and of who wants it."""
    filled(kept, {A: b"Vone"}, seconds=kept_for)
    clock.now += passed
    assert get(kept, seconds=wanted_for).heard == [(LEAD, b"?")]


def test_what_is_too_old_goes(kept, clock):
    filled(kept, {A: b"Vone"}, seconds=10)
    clock.now += 9
    kept.expire()
    assert kept
    clock.now += 1
    kept.expire()
    assert not kept


def test_while_a_store_is_written_nothing_of_its_type_is_kept(kept):
    """Neither what was there, nor what somebody asked for before, nor what he asks meanwhile."""
    filled(kept, {A: b"Vold"})
    leader = get(kept, B)
    waiting = get(kept, B)
    writer = Client()
    kept.writing(writer, "vault")
    kept.put(leader, {B: b"Vold"})
    assert waiting.heard[1:] == [(ALONE,)]
    assert get(kept, A, B).heard == [(ALONE,)]
    assert get(kept, names=("pass", "p"), key=b"other").heard == [(LEAD, b"?")]
    kept.left(writer)
    assert get(kept, A, B).heard == [(LEAD, b"?", b"?")]


def test_forgetting_is_by_type_or_all(kept):
    filled(kept, {A: b"Vone"})
    filled(kept, {A: b"Vtwo"}, key=b"other", names=("pass", "p"))
    kept.forget("vault")
    assert [row[:3] for row in kept.report() if row[2]] == [("pass", "p", 1)]
    kept.forget()
    assert not kept


def test_more_than_its_memory_is_not_kept(kept):
    """It is given to those who wait, and asked for again."""
    large = b"V" + bytes(3_000_000).replace(b"\0", b"x")
    for number in range(8):
        filled(kept, {b"%d" % number: large})
    values = sum(row[2] for row in kept.report())
    assert values == LARGEST // 3_000_000
    kept.forget()
    filled(kept, {A: large})
    assert kept  # the room is there again


@pytest.mark.parametrize("more", [0, 1])
def test_an_answer_fills_a_frame(kept, more):
    """With its word and its values, and a NUL between two of them."""
    values = [b"V".ljust(size, b"x") for size in (LARGEST_FRAME // 2, LARGEST_FRAME // 2 - 3 + more)]
    for address, value in zip((A, B), values, strict=True):
        filled(kept, {address: value})
    assert len(frame((HITS, *values))) - 4 == LARGEST_FRAME + more
    assert get(kept, A, B).heard == [(ALONE,) if more else (HITS, *values)]


def test_an_answer_that_would_be_too_long_is_not_given(kept):
    """Many values may be more than a frame; nor does one address many times make one."""
    large = b"V" + b"x" * 3_000_000
    filled(kept, {A: large})
    filled(kept, {B: large})
    assert get(kept, A, B).heard == [(ALONE,)]
    assert get(kept, *[A] * 4000).heard == [(HITS, large)]
    assert get(kept, A, B, b"c").heard == [(ALONE,)]
    assert get(kept, b"c").heard == [(LEAD, b"?")]  # who asks alone keeps nobody waiting
    assert get(kept, A, B).heard == [(ALONE,)]
    assert get(kept, b"c").heard == [(WAIT,)]  # nor does he take the lead from another


@pytest.mark.parametrize("wish", [{"seconds": 0}, {"seconds": -1}, {"seconds": 10**9}])
def test_an_odd_wish_is_not_served(kept, wish):
    assert get(kept, **wish).heard == [(ALONE,)]


def test_who_asks_again_whether_to_wait_waits_once(kept):
    """A client asks each second whether the agent lives."""
    leader, waiting = get(kept), get(kept)
    kept.get(waiting, b"key", NAMES, 600, (A,))
    kept.get(leader, b"key", NAMES, 600, (A,))
    kept.put(leader, {A: b"Vone"})
    assert waiting.heard == [(WAIT,), (WAIT,), (HITS, b"Vone")]
    assert leader.heard == [(LEAD, b"?")] * 2


def test_a_use_that_ends_drops_what_it_alone_wanted(kept):
    """In all sessions; what one of them also wanted for another use, or for itself, stays, and so does its owner."""
    filled(kept, {A: b"Vone", B: b"Vtwo"}, use=b"app")
    get(kept, A, owner=2, use=b"app")
    get(kept, B)
    kept.end_use(b"app")
    assert [row[2] for row in kept.report()] == [1]
    assert get(kept, B).heard == [(HITS, b"Vtwo")]
    assert kept.owners() == {1}
    kept.end_owner(1)
    assert not kept


def test_its_memory_has_an_end(kept):
    """16 MiB with what Python needs for each entry, and not a byte more."""
    longest = b"V" + b"x" * ((16 << 20) - 512 - len(A) - 1)
    filled(kept, {A: longest + b"x"})
    assert not kept
    filled(kept, {A: longest})
    assert kept
    filled(kept, {B: b""}, key=b"other")
    filled(kept, {B: b"A"}, key=b"other")
    assert sum(row[2] + row[3] for row in kept.report()) == 1


def test_what_is_told_again_takes_the_place_of_the_old(kept, clock, monkeypatch):
    """Nor does it need room for both."""
    most = 512 + len(A + b"Vold")
    monkeypatch.setattr("envref.agent.kept.LARGEST", most)
    filled(kept, {A: b"Vold"}, seconds=10)
    clock.now += 10
    filled(kept, {A: b"Vnew"}, seconds=10)
    assert get(kept, seconds=10).heard == [(HITS, b"Vnew")]
    kept.end_owner(1)
    filled(kept, {A: b"Vold"})
    assert kept


def test_a_wish_has_bounds(kept):
    """A month, as a vault's session may last; 4,096 addresses; a thousand stores."""
    assert get(kept, seconds=30 * 86400).heard == [(LEAD, b"?")]
    assert get(kept, seconds=1, key=b"short").heard == [(LEAD, b"?")]
    assert get(kept, seconds=30 * 86400 + 1, key=b"long").heard == [(ALONE,)]
    many = [b"%d" % number for number in range(4097)]
    assert get(kept, *many[:4096], key=b"many").heard[0][0] == LEAD
    assert get(kept, *many, key=b"more").heard == [(ALONE,)]
    for number in range(997):
        get(kept, key=b"%d" % number)
    assert get(kept, key=b"one too many").heard == [(ALONE,)]
    assert get(kept, key=b"5").heard == [(WAIT,)]


def test_what_is_here_is_reported(kept, clock):
    """Values, what is absent, owners, who waits, and the age of the oldest; never a name of a secret."""
    filled(kept, {A: b"Vone", B: b"A"})
    clock.now += 5
    get(kept, A, owner=2)
    get(kept, b"c", owner=2)
    get(kept, b"c", owner=3)
    assert list(kept.report()) == [("vault", "team", 1, 1, 2, 1, 5)]


def test_a_store_of_which_nothing_is_here_is_forgotten(kept, clock):
    """However that came."""
    kept.left(get(kept))
    assert list(kept.report()) == []
    filled(kept, {A: b"Vone"}, seconds=10)
    clock.now += 10
    kept.expire()
    assert list(kept.report()) == []
    filled(kept, {A: b"Vone"})
    kept.end_owner(1)
    assert list(kept.report()) == []
    filled(kept, {A: b"Vone"})
    kept.forget()
    assert list(kept.report()) == []
