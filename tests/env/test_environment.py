"""Environment: interpolation in two steps, before and after the stores are asked (commands.md 5.2)."""

from __future__ import annotations

import pytest

from envref.env.environment import Environment
from envref.env.file import EnvFile
from envref.env.shown import shown as as_shown
from envref.env.template import BAD_SUBSTITUTION
from envref.env.unset import warnings
from envref.errors import EnvrefError, MalformedFile
from envref.refs.outcome import Failed, Found, Missing
from envref.refs.reference import InvalidReference
from envref.resolve.resolution import fill
from envref.secret import Secret
from envref.store_errors import BackendLocked
from tests.lateness import Stopwatch


def environment(text, ambient=None):
    return Environment([EnvFile.parse(text, ".env")], ambient)


def shown(text, ambient=None):
    """What `get` prints for each variable."""
    found = environment(text, ambient)
    return as_shown(found)


def filled(text, **secrets):
    """Name -> value after resolution; secrets by key, None for one that is not there, an error for a failing store."""
    found = environment(text)
    variables = found.closure(found.variables.values())
    outcomes = {
        reference: outcome(secrets.get(reference.key))
        for variable in variables
        for reference in variable.references()
        if not isinstance(reference, InvalidReference)
    }
    return fill(variables, outcomes)


def outcome(secret):
    if isinstance(secret, EnvrefError):
        return Failed(secret, "store")
    return Missing("not there") if secret is None else Found(Secret(secret), "store")


def values(text, **secrets):
    return {
        name: value.value.reveal() if isinstance(value.value, Secret) else value.value
        for name, value in filled(text, **secrets).items()
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB=$A-${A}", {"A": "1", "B": "1-1"}),
        ("B=$A\nA=1", {"B": "", "A": "1"}),
        ("A=1\nB='$A'", {"A": "1", "B": "$A"}),
        ("B=${A:-x}${A-y}", {"B": "xy"}),
        ("A=\nB=${A:-x}${A-y}", {"A": "", "B": "x"}),
        ("A=1\nB=${A:?no}", {"A": "1", "B": "1"}),
        ("A=a\nB=${A:-$$}$$", {"A": "a", "B": "a$"}),
        ("my-var=1\nB=${my-var}", {"my-var": "1", "B": "1"}),
        ("B=${C:-${D:-deep}}", {"B": "deep"}),
        ("A='$B'\nB=2\nC=$A", {"A": "$B", "B": "2", "C": "$B"}),
        ("S=ref://secrets/s\nD=${S}", {"S": "ref://secrets/s", "D": "ref://secrets/s"}),
        ("U=x${ref://secrets/a}y", {"U": "xref://secrets/ay"}),
        ("N=key\nR=ref://secrets/$N", {"N": "key", "R": "ref://secrets/key"}),
        ("R='ref://secrets/$N'", {"R": "ref://secrets/$N"}),
        ("X=1\nE=\nA=${X:+y}${X+z}${N:+y}${N+z}${E:+y}${E+z}", {"X": "1", "E": "", "A": "yzz"}),
        ("X=1\nA=${X?no}${X:?no}\nE=\nB=<${E?no}>", {"X": "1", "A": "11", "E": "", "B": "<>"}),
        ("A=\"pa\\$word\"\nB=pa\\$word\nC='pa\\$word'", {"A": "pa$word", "B": "pa$word", "C": "pa\\$word"}),
        (
            'A=1\nB="\\\\$A"\nC="\\\\\\$A"\nD="$\\$A"\nE=$\\$A',
            {"A": "1", "B": "\\1", "C": "\\$A", "D": "$$A", "E": "$$A"},
        ),
        ('A="\\${B}"\nR="ref://secrets/a\\$b"', {"A": "${B}", "R": "ref://secrets/a$b"}),
        ("P=1\nP=$P:2\nP=${P}:3", {"P": "1:2:3"}),
        ("P='$1'\nP=$P:2", {"P": "$1:2"}),
        ("A=1\nB=$$${A}", {"A": "1", "B": "$1"}),
        ("S=ref://secrets/s\nS=$S:x\nA=${S:+set}", {"S": "ref://secrets/s:x", "A": "set"}),
        ("P=${NONE:?no}\nP=1\nP=$P:2", {"P": "1:2"}),
        ('A="$$\\$x"\nB="$$$\\$x"', {"A": "$$x", "B": "$$$x"}),
        ("P=$P:2", {"P": ":2"}),
        ("P=0\nP=1\nP=${P:-x}:${P:+y}", {"P": "1:y"}),
        ("P=1\nP='$P'\nP=$P:3", {"P": "$P:3"}),
        ("my-var=1\nmy-var=${my-var}2", {"my-var": "12"}),
        ("A=1\nP=x\nA=2\nP=$P$A", {"A": "2", "P": "x2"}),
        ("2FA=x\nB=${2FA}", {"2FA": "x", "B": "x"}),
    ],
)
def test_plain_values_are_interpolated_once_in_merged_order(text, expected):
    """Only earlier names are seen, substituted text is not scanned again, references stay."""
    assert shown(text) == expected


def test_the_process_environment_is_seen_only_where_asked():
    """`interpolate_environment` makes it the fallback, not the master."""
    assert shown("A=$HOME_X")["A"] == ""
    assert shown("A=$HOME_X\nB=1\nC=$B", {"HOME_X": "h", "B": "no"}) == {"A": "h", "B": "1", "C": "1"}


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("A=ref://secrets/a", {"a": "v"}, {"A": "v"}),
        ("A=ref://secrets/a\nB=<${A}>", {"a": "v"}, {"A": "v", "B": "<v>"}),
        ("A=p${ref://secrets/a}q${ref://secrets/b}", {"a": "1", "b": "2"}, {"A": "p1q2"}),
        (
            "A=ref://secrets/a\nB=$A",
            {"a": "$C ref://secrets/x"},
            {"A": "$C ref://secrets/x", "B": "$C ref://secrets/x"},
        ),
        ("A=ref://secrets/a\nB=${A:-x}", {"a": ""}, {"A": "", "B": "x"}),
        ("A=ref://secrets/a\nB=${A-x}", {"a": ""}, {"A": "", "B": ""}),
        ("A=ref://secrets/a?optional\nB=<${A}>\nC=${A-x}", {}, {"A": None, "B": "<>", "C": "x"}),
        ("A=<${ref://secrets/a?optional}>", {}, {"A": "<>"}),
        ("A=ref://secrets/a\nB=${A:-${ref://secrets/b}}", {"a": "v"}, {"A": "v", "B": "v"}),
        ("A=ref://secrets/a\nA=$A:x\nA=<${A}>", {"a": "v"}, {"A": "<v:x>"}),
        ("A=ref://secrets/a\nA=${A:+set}\nB=${A+x}", {"a": "v"}, {"A": "set", "B": "x"}),
        ("A=ref://secrets/a?optional\nA=${A-none}", {}, {"A": "none"}),
        ("B=1\nA=ref://secrets/a\nA=${A:-$B}$B", {"a": ""}, {"A": "11", "B": "1"}),
        ("A=ref://secrets/a\nB=${A:-${ref://secrets/b}}", {"a": "", "b": "w"}, {"A": "", "B": "w"}),
        ("A='ref://secrets/a'\nA=$A:x", {"a": "v"}, {"A": "v:x"}),
    ],
)
def test_secrets_are_filled_in_after_the_stores_answered(text, secrets, expected):
    """A resolved value is not scanned again; an optional one that is not there is undefined."""
    assert values(text, **secrets) == expected


def test_what_interpolates_a_secret_is_a_secret():
    """Secrecy is inherited, so a table masks it."""
    found = filled("A=ref://secrets/a\nB=x$A\nC=plain", a="v")
    assert [isinstance(found[name].value, Secret) for name in "ABC"] == [True, True, False]


def test_a_failure_leaves_out_the_variable_and_all_that_wait_for_it():
    """Never empty, never the reference's text; a default is for absence only."""
    found = filled("A=ref://secrets/a\nB=x$A\nC=$B\nD=${A:-default}\nE=1", a=BackendLocked("vault: locked"))
    assert {name: item.value for name, item in found.items()} == {"A": None, "B": None, "C": None, "D": None, "E": "1"}
    assert [len(found[name].failures) for name in "ABCD"] == [1, 0, 0, 0]
    assert [found[name].waits_for for name in "BCD"] == [["A"], ["B"], ["A"]]


def test_an_alternative_that_is_not_needed_cannot_fail():
    """`${A:-${ref://…}}` asks for the reference ahead of time, and ignores it when A has a value."""
    found = filled("A=ref://secrets/a\nB=${A:-${ref://secrets/gone}}", a="v")
    assert not found["B"].failed


def test_an_unreadable_reference_fails_its_variable_only():
    """A malformed reference is no fatal error."""
    found = filled("A=ref://secrets\nB=1")
    [(reference, failure)] = found["A"].failures
    assert reference.uri == "ref://secrets"
    assert "ref:// URI missing path" in failure.reason
    assert found["B"].value == "1"


def test_a_reference_is_not_built_from_a_secret():
    """That would send one secret to another store as a name."""
    with pytest.raises(EnvrefError, match=r"^DYN: a reference cannot be built from a secret value$"):
        environment("A=ref://secrets/a\nDYN=ref://secrets/$A")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=${B:?}", ".env:1:3: B: required variable is not set"),
        ("A=x\nC=ab${B:?set B in .env.local}", ".env:2:5: B: set B in .env.local"),
        (
            "A=${!x}",
            f".env:1:3: {BAD_SUBSTITUTION}",
        ),
    ],
)
def test_what_cannot_be_interpolated_is_fatal_at_its_place(text, message):
    """File, line and column of the dollar sign."""
    with pytest.raises(MalformedFile) as caught:
        environment(text)
    assert str(caught.value) == message


def test_a_required_secret_that_is_empty_is_fatal_too():
    """`:?` holds for resolved values as well."""
    with pytest.raises(MalformedFile, match=r"^\.env:2:3: A: needed$"):
        filled("A=ref://secrets/a\nB=${A:?needed}", a="")


def test_select_suggests_a_near_name():
    """An unknown name of --only is an error with a suggestion."""
    with pytest.raises(EnvrefError, match='key "HOSTS" not found; did you mean HOST'):
        environment("HOST=1").select(["HOSTS"])


def test_closure_adds_what_is_waited_for():
    """Only what the chosen variables need is asked."""
    found = environment("A=ref://secrets/a\nB=ref://secrets/b\nC=$B\nD=$C")
    assert [variable.name for variable in found.closure(found.select(["D"]))] == ["B", "C", "D"]


def laughs(levels, first, times=10):
    """Lines that each repeat the value of the one before."""
    return f"A0={first}\n" + "".join(f"A{n}={f'${{A{n - 1}}}' * times}\n" for n in range(1, levels))


TOO_LONG = "the interpolated value is longer than 1 MiB"


def test_a_value_grows_no_longer_than_a_mebibyte():
    """Forty lines would else take all memory; the message says which place it was."""
    with pytest.raises(MalformedFile) as caught:
        environment(laughs(40, "x"))
    [line, *_] = [line for line in caught.value.lines() if TOO_LONG in line]
    assert ".env:8:" in line


def test_a_value_of_a_mebibyte_is_one():
    """And not one character more."""
    half = "x" * (1 << 19)
    assert len(shown(f"A={half}\nB=$A$A")["B"]) == 1 << 20
    with pytest.raises(MalformedFile, match=TOO_LONG):
        environment(f"A={half}\nB=$A${{A}}y")


def test_all_values_together_grow_no_longer_than_16_mebibytes():
    """Each of a hundred is short enough by itself."""
    text = f"A={'x' * 500_000}\n" + "".join(f"B{number}=$A$A\n" for number in range(100))
    with pytest.raises(MalformedFile, match="together longer than 16 MiB"):
        environment(text)


def test_a_value_that_is_written_out_may_be_longer():
    """Only what interpolation makes grows faster than the file."""
    assert len(shown(f"A={'x' * 3_000_000}")["A"]) == 3_000_000


@pytest.mark.parametrize("first", ["x", "ref://secrets/a"])
def test_a_chain_is_no_longer_than_a_thousand(first):
    """With a reference at its end each link waits for the one before."""
    assert shown(laughs(1001, first, 1))["A1000"] == first
    with pytest.raises(MalformedFile, match="more than 1000 variables stand behind each other"):
        environment(laughs(1002, first, 1))


def test_references_that_multiply_are_bounded_when_shown():
    """`list` and `get` put the reference itself in their place."""
    found = environment(laughs(40, "ref://secrets/a", 2))
    with pytest.raises(MalformedFile, match=TOO_LONG):
        as_shown(found, [found.variables["A39"]])
    assert as_shown(found, [found.variables["A3"]])["A3"] == "ref://secrets/a" * 8


def test_secrets_that_multiply_are_bounded_when_filled():
    """The same with their values."""
    found = environment(laughs(40, "ref://secrets/a", 2))
    [reference] = found.variables["A0"].references()
    with pytest.raises(MalformedFile, match=TOO_LONG) as caught:
        fill(found.variables.values(), {reference: Found(Secret("very-private"))})
    assert "very-private" not in "".join(caught.value.lines())


def test_many_small_parts_take_linear_time():
    """A hundred thousand in one value: adding each to the last would copy it as often."""
    watch = Stopwatch()
    assert shown("A=1\nB=" + "$A" * 100_000)["B"] == "1" * 100_000
    assert watch.seconds() < 5


def test_a_line_fails_as_what_it_appends_to():
    """With the reason itself, once, and not by its own name."""
    found = filled("A=ref://secrets/a\nA=$A$A", a=BackendLocked("vault: locked"))
    assert (found["A"].value, len(found["A"].failures), found["A"].waits_for) == (None, 1, [])


def test_a_secret_that_is_only_asked_about_is_not_in_the_value():
    """`${SECRET:+text}` is the text: a table does not mask it."""
    assert filled("A=ref://secrets/a\nB=${A:+set}", a="v")["B"].value == "set"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A=$HOME/x", '.env:1:3: "HOME" in the value of "A" is not set, and becomes empty text; for a literal $, '),
        ("A=${HOME}/x$B", '.env:1:3: "HOME" in the value of "A" is not set, and becomes empty text (and 1 more); '),
        ("A=\\${B", None),
        ("A=$P\nP=1", '.env:1:3: "P" in the value of "A" is set only later (.env:2); move that line above this one'),
        ("HASH=$2a$08$qFFehmq.eA8", '.env:1:12: "$..." in the value of "HASH" is not set'),
        ("DB_PASSWORD=a$WORD", '.env:1:14: "****" in the value of "DB_PASSWORD" is not set'),
        ("A=${my_var}", '.env:1:3: "my_var" in the value of "A" is not set'),
        ("A=$my_var", '.env:1:3: "$..." in the value of "A" is not set'),
        ("P=$P:1", '.env:1:3: "P" in its own value overrides no line, and becomes empty text; a default is '),
        ("A=${B:-x}${B-x}${B:+x}${B+x}", None),
        ("A=1\nA=$A:${B}", '.env:2:6: "B" in the value of "A" is not set'),
    ],
)
def test_what_stands_for_nothing_is_said_once_a_variable(text, said):
    """With its place and the cure; what follows a bare $ may be a part of a password."""
    found = warnings(environment(text))
    assert len(found) == (said is not None)
    assert "".join(found).startswith(said or "")


def test_a_long_stack_of_one_name_is_refused_and_takes_no_quadratic_time():
    """A file may append to one name as often as others may stand behind each other."""
    assert shown("P=x\n" + "P=$P\n" * 1000)["P"] == "x"
    with pytest.raises(MalformedFile, match="more than 1000 variables stand behind each other"):
        environment("P=x\n" + "P=$P\n" * 1001)


def test_doubling_a_secret_by_its_own_name_is_bounded():
    """Forty lines would else ask for all memory there is."""
    with pytest.raises(MalformedFile, match="longer than 1 MiB"):
        filled("P=ref://secrets/a\n" + "P=$P$P\n" * 40, a="v")
    assert values("P=ref://secrets/a\n" + "P=${P:-$P}\n" * 900, a="") == {"P": ""}


def test_what_stands_for_nothing_is_plain_text():
    """Empty, and no reason to ask a store."""
    assert environment("A=$NONE").variables["A"].plain == ""


def test_a_reference_that_is_used_twice_is_one_source():
    """`stale` compares what a value was made of: each part once, in its order."""
    found = filled("A=${ref://secrets/b}${ref://secrets/a}${ref://secrets/b}", a="1", b="2")["A"]
    assert found.value.reveal() == "212"
    assert [reference.key for reference, _ in found.sources] == ["b", "a"]


def test_a_composed_value_has_the_sources_of_all_that_it_is_made_of():
    """Each once; its answers are its own, but for those of the line that it appends to."""
    found = filled("A=ref://secrets/a\nB=${A}-${ref://secrets/b}-$A\nA=$A:x\n", a="1", b="2")
    assert [reference.key for reference, _ in found["B"].sources] == ["a", "b"]
    assert [reference.key for reference, _ in found["B"].answers] == ["b"]
    assert [[reference.key for reference, _ in pairs] for pairs in (found["A"].sources, found["A"].answers)] == [
        ["a"]
    ] * 2


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("A=ref://secrets/a", True),
        ("A=ref://secrets", True),
        ("A=x", False),
        ("A=x${ref://secrets/a}", False),
        ("A=${ref://secrets/a}${ref://secrets/b}", False),
        ("A=ref://secrets/a\nA=$A", False),
        ("A=ref://secrets/a\nA=$A${ref://secrets/b}", False),
    ],
)
def test_a_variable_may_be_one_reference_and_nothing_else(text, is_one):
    """Most are: what became of the reference is what became of the variable."""
    assert environment(text).variables["A"].is_reference is is_one


def test_all_values_together_are_16_mebibytes_long_at_most():
    """Just that, and not one character more."""
    text = f"A={'x' * (1 << 10)}\nB={'$A' * (1 << 10)}\n" + "".join(f"C{number}=$B\n" for number in range(15))
    assert len(shown(text)["C14"]) == 1 << 20
    with pytest.raises(MalformedFile, match="together longer than 16 MiB"):
        shown(text + "D=${C0:+x}\n")
