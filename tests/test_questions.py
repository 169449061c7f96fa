"""What surrounds a question to a person at the terminal."""

from __future__ import annotations

import signal

import pytest

from envref import questions


def test_ctrl_c_ends_a_question_where_it_arrived_ignored():
    """Flox's prompt hook ignores it meanwhile; afterwards all is as before."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), questions.question:
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        with questions.Cancellable():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_question_is_open_while_it_is_asked():
    """Nothing else may be written there meanwhile."""
    assert not questions._OpenQuestion().is_open
    with questions.question:
        assert questions.question.is_open
    assert not questions.question.is_open
