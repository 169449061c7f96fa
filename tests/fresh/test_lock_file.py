"""envref.lock as text: sorted, read as it was written, and refused by line and column where it was not."""

from __future__ import annotations

import re
import subprocess

import pytest

from envref.errors import EnvrefError, MalformedFile
from envref.fresh import lock, pinning
from envref.fresh.lock import Pin
from envref.project.watch import Files
from envref.refs.address import Address

HEAD = "envref-lock 1\n"
SECTIONS = {
    "staging": [Pin("A", "ssm", "app/staging/a", "@2.1795725041000")],
    None: [
        Pin("T", "vault", "app/t", "unpinned"),
        Pin("A", "ssm", "app/a", "@7.1795725041000"),
        Pin("D", "ssm", "app/d", "absent"),
        Pin("A", "sm", "//team%20x/db#user", "@7d0f1c4e-0a1b"),
    ],
}


def words(sections):
    return {profile: sorted(pin.words() for pin in pins) for profile, pins in sections.items()}


def test_it_is_sorted_and_read_as_it_was_written():
    """No profile first; a line a secret, so that a change of one is a change of one line."""
    text = lock.text(SECTIONS)
    assert text.splitlines()[:1] == ["envref-lock 1"]
    assert text.splitlines()[3:] == [
        "A sm //team%20x/db#user @7d0f1c4e-0a1b",
        "A ssm app/a @7.1795725041000",
        "D ssm app/d absent",
        "T vault app/t unpinned",
        "",
        "[staging]",
        "A ssm app/staging/a @2.1795725041000",
    ]
    assert words(lock.parse(text.encode())) == words(SECTIONS)
    assert words(lock.parse(text.replace("\n", "\r\n").encode())) == words(SECTIONS)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", ["1:1"]),
        ("MARKER\n", ["1:1"]),
        ("envref-lock 2\nA B C D\n", ["1:13"]),
        ("<<<<<<< MARKER\nenvref-lock 1\n", ["1:1"]),
        (HEAD + "A ssm app/a @1\n<<<<<<< HEAD\nA ssm app/a @2\n=======\n", ["3:1", "4:13", "5:1"]),
        (HEAD + "||||||| MARKER\n>>>>>>> MARKER\n", ["2:1", "3:1"]),
        (HEAD + "A ssm app/a\n", ["2:12"]),
        (HEAD + "A ssm app/a @1 MARKER\n", ["2:16"]),
        (HEAD + "A  ssm app/a @1\n", ["2:3"]),
        (HEAD + "-MARKER ssm app/a @1\n", ["2:1"]),
        (HEAD + "A $(MARKER) app/a @1\n", ["2:3"]),
        (HEAD + "A ssm app/\x1b[31mMARKER @1\n", ["2:7"]),
        (HEAD + "A ssm app/a MARKER\n", ["2:13"]),
        (HEAD + "A ssm app/a @\n", ["2:13"]),
        (HEAD + "A ssm app/a @;7\n", ["2:13"]),
        (HEAD + "A ssm app/a @$(MARKER)\n", ["2:13"]),
        (HEAD + "A ssm app/a @1.MARKER\n", ["2:13"]),
        (HEAD + "A ssm app/a @1:zz\n", ["2:13"]),
        (HEAD + "A ssm app/a @1\nB ssm app/a @2\n", ["3:13"]),
        (HEAD + "[../MARKER]\n", ["2:2"]),
        (HEAD + "[local]\n[qa\n", ["2:2", "3:2"]),
        (HEAD + "[qa]\n[qa]\n", ["3:2"]),
        (HEAD + "MARKER\xff\xfe\n", ["2:1"]),
        (HEAD + "\0MARKER\n" * 100_000, [f"{number}:1" for number in range(2, 22)]),
    ],
)
def test_what_envref_did_not_write_is_refused_by_line_and_column(text, places):
    """Every fault at once, up to twenty, and nothing of the file in a message: it may be a link to anything."""
    with pytest.raises(MalformedFile) as caught:
        lock.parse(text.encode("latin-1"))
    assert re.findall(r"envref\.lock:(\d+:\d+): ", "\n".join(caught.value.lines())) == places
    assert "MARKER" not in "\n".join(caught.value.lines())


def test_what_leads_elsewhere_or_is_no_file_is_not_read(tmp_path):
    """A clone may have anything in its place."""
    root = tmp_path / "project"
    root.mkdir()
    assert lock.read(str(root)) == {}
    (tmp_path / "outside").write_text(HEAD)
    (root / "envref.lock").symlink_to(tmp_path / "outside")
    with pytest.raises(EnvrefError, match=r"refusing to read envref\.lock: it is a symlink"):
        lock.read(str(root))
    (root / "envref.lock").unlink()
    (root / "envref.lock").mkdir()
    with pytest.raises(EnvrefError, match=r"reading envref\.lock"):
        lock.read(str(root))
    (root / "envref.lock").rmdir()
    (root / "envref.lock").write_bytes(b"#" * (4 << 20) + b"\n")
    with pytest.raises(EnvrefError, match="larger than 4 MiB"):
        lock.read(str(root))


def test_watching_looks_at_it(project):
    """A commit that moves a pin resolves again, where `--locked` is watched."""
    project.write(".envref.yaml", "project: app\n")
    assert Files(str(project.path), None, [lock.FILE]).paths()[-1] == str(project.path / lock.FILE)
    assert str(project.path / lock.FILE) not in Files(str(project.path), None).paths()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (Address("app", "a/b"), "app/a/b"),
        (Address("app", "a", profile="qa"), "app/qa/a"),
        (Address("", "", foreign="/team/db:x y"), "///team/db:x%20y"),
        (Address("", "", foreign="arn:aws:x?#", field="a b", version="AWS PREVIOUS"), None),
    ],
)
def test_an_address_is_one_word(address, shown):
    """Whatever a key or a name of the store's own has in it."""
    text = lock.shown_place(address)
    assert text == (shown or "//arn:aws:x%3F%23?version=AWS%20PREVIOUS#a%20b")
    assert lock.parse(f"{HEAD}A ssm {text} @1\n".encode())


def test_git_merges_what_two_people_pinned(tmp_path):
    """Each changed a secret of their own."""

    def git(*arguments):
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    pins = {name: Pin(name, "ssm", f"app/{name}", "@1") for name in "ABCDEFGH"}

    def commit(**changed):
        lock.write(str(tmp_path), {None: [pins[name].at(changed.get(name, "@1")) for name in pins]})
        git("add", ".")
        git("commit", "-qm", "x")

    git("init", "-q", "-b", "main")
    commit()
    git("checkout", "-qb", "other")
    commit(B="@2")
    git("checkout", "-q", "main")
    commit(G="@3")
    git("merge", "-q", "other")
    states = {pin.name: pin.state for pin in lock.read(str(tmp_path))[None]}
    assert states == {**dict.fromkeys("ACDEFH", "@1"), "B": "@2", "G": "@3"}


def test_lines_that_stay_keep_their_pin():
    """Unless they are renewed; one secret has one pin, whichever of its names is renewed."""
    before = [Pin("A", "s", "app/a", "@1"), Pin("B", "s", "app/a", "@1"), Pin("C", "s", "app/c", "@1")]
    now = [Pin("A", "s", "app/a", "@2"), Pin("B", "s", "app/a", "@2"), Pin("C", "s", "app/c", "@2")]
    now += [Pin("N", "s", "app/n", "@9"), Pin("U", "v", "app/u", "unpinned")]

    def states(pins):
        return {pin.name: pin.state for pin in pins}

    assert states(pinning.merged(before, now)) == {"A": "@1", "B": "@1", "C": "@1", "N": "@9", "U": "unpinned"}
    assert states(pinning.renewed(before, now[:1], "ABC")) == {"A": "@2", "B": "@2", "C": "@1"}
    assert states(pinning.renewed(before, now[:1], "AB")) == {"A": "@2", "B": "@2"}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (("s", "app/a", "@1.1000"), ("s", "app/a", "@1.1000"), "A  fresh"),
        (("s", "app/a", "@1"), ("s", "app/a", "@1.1000"), "A  fresh"),
        (("s", "app/a", "@1.1000"), ("s", "app/a", "@1.2000"), "A  s 1 -> 1 ({age})"),
        (("s", "app/a", "unpinned"), ("s", "app/a", "@8"), "A  s unpinned -> 8"),
        (("s", "app/a", "absent"), ("s", "app/a", "@8"), "A  s absent -> 8"),
        (("s", "app/a", "@1"), ("s", "app/b", "@1"), "A  s app/a 1 -> s app/b 1"),
        (("s", "app/a", "@1"), ("t", "app/a", "@1"), "A  s app/a 1 -> t app/a 1"),
        (("s", "app/a", "@1"), None, "A  s 1 -> nothing"),
        (None, ("s", "app/a", "@1"), "A  nothing -> s 1"),
    ],
)
def test_a_difference_is_a_line(old, new, line):
    """In the words of `stale`."""
    pins = [[Pin("A", *each)] if each else [] for each in (old, new)]
    (found,) = pinning.differences(*pins)
    assert re.sub(r"\(\d.*ago\)", "({age})", found.line()) == line
