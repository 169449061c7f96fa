"""adoption: which plain values become references, and what is left of them."""

from __future__ import annotations

import pytest

from envref.env.file import EnvFile
from envref.errors import EnvrefError
from envref.project.config.model import BackendConfig, Config
from envref.secret import Secret
from envref.secrets.adoption import compare, plan, remains, rewritten


def planned(text, *only, without=(), backends=()):
    return plan(EnvFile.parse(text), list(only), list(without), Config(backends=tuple(backends)))


def test_what_audit_reports_is_taken_in_the_order_of_the_file():
    """The key is the name in lower case; config is not touched."""
    found = planned("APP=myapp\nDB_PASSWORD=correcthorse\nAPI_TOKEN='s3cret-token'\n")
    assert [(each.name, each.key) for each in found.candidates] == [
        ("DB_PASSWORD", "db_password"),
        ("API_TOKEN", "api_token"),
    ]
    assert found.candidates[1].value == Secret("s3cret-token")
    assert found.left == {}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("X=ref://secrets/x", "it is a reference already"),
        ("X=", "it is empty"),
        ("X=pa$word", "its value has a live $; write it in single quotes if the $ is meant as it stands"),
        ('X="a$$b"', "its value has a live $; write it in single quotes if the $ is meant as it stands"),
    ],
)
def test_what_cannot_be_taken_is_left_with_the_reason(line, reason):
    """Nobody but the user knows what a live `$` was to another reader."""
    assert planned(line, "X") == ([], [], {"X": reason}, [])


@pytest.mark.parametrize("line", ["X='pa$word'", "X=costs$", "X=`a${b}`"])
def test_a_dollar_that_means_itself_is_taken(line):
    """In quotes that are literal, or before nothing that could be a name."""
    assert len(planned(line, "X").candidates) == 1


# 18 variables of a shop, 8 of them secrets, as a first user had them; the keys are made up.
SHOP = """\
NODE_ENV=development
PORT=3000
DB_HOST=localhost
DB_USER=shop
DB_PASSWORD=hunter2
DATABASE_URL=postgres://shop:hunter2@localhost:5432/shop
REDIS_URL=redis://localhost:6379/0
STRIPE_SECRET_KEY={stripe}
STRIPE_PUBLISHABLE_KEY=pk_test_TYooMQauvdEDq54NiTphI7jx
AWS_ACCESS_KEY_ID={aws}
AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
API_URL=https://api.example.com/v1
JWT_SECRET="s3cr3t with spaces #and hash"
SESSION_SECRET=changeme
MAIL_FROM="Shop <shop@example.com>"
PRIVATE_KEY="{pem}"
GREETING=Hello $USER
EMPTY=
"""


def test_a_first_user_s_file_is_taken_without_a_wrong_choice():
    """Neither a password left behind, nor a time zone in the store."""
    text = SHOP.format(
        stripe="sk_test_" + "a1" * 12,
        aws="AKIA" + "ABCDEFGHIJKLMNOP",
        pem="-----BEGIN PRIVATE" + " KEY-----\nabc\n-----END PRIVATE" + " KEY-----",
    )
    found = planned(text)
    taken = ["DB_PASSWORD", "DATABASE_URL", "STRIPE_SECRET_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    assert [each.name for each in found.candidates] == [*taken, "JWT_SECRET", "SESSION_SECRET", "PRIVATE_KEY"]
    assert found.left == {}
    assert {"DB_USER", "REDIS_URL", "STRIPE_PUBLISHABLE_KEY", "MAIL_FROM", "GREETING"} <= set(found.plain)
    assert "EMPTY" not in found.plain


def test_what_is_taken_can_be_told():
    """`--except` leaves a name where it is; `envref: not-a-secret` does too, and says that it is no secret."""
    found = planned("A_TOKEN=hunter2\nB_TOKEN=hunter2\nC_TOKEN=hunter2 # envref: not-a-secret\n", without=["B_TOKEN"])
    assert ([each.name for each in found.candidates], found.plain) == (["A_TOKEN"], ["C_TOKEN"])


def test_another_tool_s_reference_becomes_envref_s():
    """The text itself is no secret, whatever its name; it is not stored."""
    text = "A_TOKEN='op://Eng/shop db/password'\nB=ref+vault://secret/app#/key\nC=ref+sops://x\nD=encrypted:BAbc\n"
    stores = [BackendConfig(name="op", type="1password"), BackendConfig(name="v", type="hashicorp-vault")]
    found = planned(text, backends=stores)
    assert found.candidates == []
    assert {each.name: each.uri for each in found.adopted} == {
        "A_TOKEN": "ref://op//op://Eng/shop%20db/password",
        "B": "ref://v//secret/app#/key",
    }
    assert str(rewritten(EnvFile.parse(text), [], found.adopted)).startswith(
        "A_TOKEN='ref://op//op://Eng/shop%20db/password'\nB='ref://v//secret/app#/key'\nC=ref+sops"
    )
    assert "does not know" in found.left["C"]
    assert "run: dotenvx decrypt" in found.left["D"]
    assert "list 1password under backends:" in planned(text).left["A_TOKEN"]


def test_two_names_of_one_key_are_not_mixed_up():
    """`Token` and `TOKEN` would overwrite each other."""
    found = planned("Token=correcthorse\nTOKEN=batterystaple\n")
    assert [each.name for each in found.candidates] == ["Token"]
    assert found.left == {"TOKEN": "Token has the same key"}


def test_a_name_that_is_not_there_is_an_error():
    """A typing mistake must not look like success."""
    with pytest.raises(EnvrefError, match=r'key "Y" not found in \.env'):
        planned("X=1", "X", "Y")


def test_a_file_keeps_every_other_byte():
    """Comments, quotes, blanks, line ends and order stay."""
    text = "# top\r\nexport TOKEN =  'correcthorse'   # why\r\nA=1\r\n\r\nB=2"
    file = EnvFile.parse(text)
    after = rewritten(file, planned(text).candidates)
    assert str(after) == text.replace("correcthorse", "ref://secrets/token")


def test_a_value_that_was_edited_meanwhile_is_left():
    """What was not stored is not replaced."""
    candidates = planned("TOKEN=correcthorse\n").candidates
    assert str(rewritten(EnvFile.parse("TOKEN=batterystaple\n"), candidates)) == "TOKEN=batterystaple\n"
    assert str(rewritten(EnvFile.parse("OTHER=1\n"), candidates)) == "OTHER=1\n"


def test_lines_that_still_hold_a_value_are_named():
    """In comments, in other variables, and older values of the same name."""
    file = EnvFile.parse("TOKEN=olderhorse\nTOKEN=correcthorse\n# was correcthorse\nURL=x://correcthorse@h\n")
    candidates = planned(str(file), "TOKEN").candidates
    assert remains(rewritten(file, candidates), candidates) == {1: "TOKEN", 3: "TOKEN", 4: "TOKEN"}


def test_a_poor_password_is_not_found_in_every_word():
    """`secret` is in every reference, `root` in many a name: only a value or a comment that has the word counts."""
    file = EnvFile.parse(
        "export secret=secret\nROOT_PASSWORD=root # not root\nDB=root\nURL='x://u:${ref://secrets/secret}@h'\n"
        "ROOTS=rooted/unroot # a secretive one\n"
    )
    candidates = planned(str(file), "secret", "ROOT_PASSWORD").candidates
    assert remains(rewritten(file, candidates), candidates) == {2: "ROOT_PASSWORD", 3: "ROOT_PASSWORD"}


def test_the_store_decides_what_is_new():
    """Absent, the same, another: only the first is written, the last is left alone."""
    candidates = planned("A_TOKEN=correcthorse\nB_TOKEN=correcthorse\nC_TOKEN=correcthorse\n").candidates
    difference = compare(candidates, {"b_token": Secret("correcthorse"), "c_token": Secret("other")})
    assert [[each.key for each in part] for part in difference] == [["a_token"], ["b_token"], ["c_token"]]
