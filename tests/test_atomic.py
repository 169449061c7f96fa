"""Files are replaced whole, keep their mode, and are never written outside the project (commands.md 12)."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import threading
import time
import types

import pytest

from envref import atomic
from envref.errors import EnvrefError
from tests.processes import tidy_descriptors


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    """The usual umask, whatever the machine's."""
    old = os.umask(0o022)
    yield
    os.umask(old)


def test_a_new_file_gets_its_mode(tmp_path, umask):
    """0644 unless something else is asked for, and the umask still counts."""
    atomic.write(str(tmp_path / "a"), b"x")
    atomic.write(str(tmp_path / "b"), b"x", mode=0o600)
    atomic.write(str(tmp_path / "c"), b"x", mode=0o666)
    assert [mode(tmp_path / name) for name in "abc"] == [0o644, 0o600, 0o644]


def test_an_existing_file_keeps_its_mode(tmp_path):
    """Also one that the umask would not allow."""
    path = tmp_path / ".env"
    path.write_bytes(b"old")
    path.chmod(0o666)
    atomic.write(str(path), b"new", mode=0o600)
    assert (path.read_bytes(), mode(path)) == (b"new", 0o666)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_an_existing_file_keeps_its_owner(tmp_path):
    """`sudo envref set` must not take the file from its owner."""
    path = tmp_path / ".env"
    path.write_bytes(b"old")
    os.chown(path, 12345, 23456)
    path.chmod(0o640)
    atomic.write(str(path), b"new")
    assert (path.stat().st_uid, path.stat().st_gid, mode(path)) == (12345, 23456, 0o640)


def test_nothing_but_the_file_is_left(tmp_path):
    """Neither the new file under its first name nor the lock."""
    with atomic.lock(str(tmp_path / ".env")):
        atomic.write(str(tmp_path / ".env"), b"x" * 100_000)
    assert os.listdir(tmp_path) == [".env"]


def test_a_lock_is_for_nobody_else(tmp_path):
    """Whoever can open its file can hold it, for as long as he likes."""
    before = os.umask(0)
    try:
        with atomic.lock(str(tmp_path / ".env")):
            assert mode(tmp_path / ".envref-lock-.env") == 0o600
    finally:
        os.umask(before)


@pytest.fixture
def calls(monkeypatch):
    """The system calls that decide what a power cut leaves, as they come: each with what it is about."""
    made, fsync, rename = [], os.fsync, os.rename

    def synced(descriptor):
        made.append("fsync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "fsync file")
        fsync(descriptor)

    def renamed(old, new, **folders):
        made.append("rename")
        rename(old, new, **folders)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    return made


def test_a_power_cut_leaves_the_old_file_or_the_new_one(tmp_path, calls):
    """The bytes are on the disk before they have the name, and the name before anybody is told (security.md P7)."""
    atomic.write(str(tmp_path / ".env"), b"new")
    assert calls == ["fsync file", "rename", "fsync folder"]


def test_a_line_of_a_log_outlives_a_power_cut(tmp_path, calls):
    """It is on the disk when the command goes on."""
    atomic.append_line(str(tmp_path / "log"), "x")
    assert calls == ["fsync file"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EIO])
def test_a_file_system_that_syncs_no_folder(tmp_path, monkeypatch, number):
    """Some have no such call (EINVAL, ENOTSUP: fsync(2)); a disk that fails at it is an error."""
    fsync = os.fsync

    def synced(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    expected = pytest.raises(EnvrefError) if number == errno.EIO else contextlib.nullcontext()
    with expected:
        atomic.write(str(tmp_path / ".env"), b"new")
    assert (tmp_path / ".env").read_bytes() == b"new"


def test_a_reader_of_the_old_file_keeps_it(tmp_path):
    """The file is replaced, not rewritten in place."""
    path = tmp_path / ".env"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        atomic.write(str(path), b"new")
        assert reader.read() == b"old"


@pytest.fixture
def project(tmp_path):
    path = tmp_path / "project"
    path.mkdir()
    return path


def test_a_link_inside_the_project_is_followed(project):
    """The link stays a link, its target gets the data."""
    (project / "env").write_bytes(b"old")
    (project / ".env").symlink_to("env")
    atomic.write(str(project / ".env"), b"new", inside=str(project))
    assert (project / ".env").is_symlink()
    assert (project / "env").read_bytes() == b"new"


def refused(project, name=".env"):
    """What both doors to a file say, which must be the same."""
    texts = set()
    for attempt in (atomic.write, lambda path, data, inside: atomic.lock(path, inside=inside).__enter__()):
        with pytest.raises(EnvrefError) as caught:
            attempt(str(project / name), b"new", inside=str(project))
        texts.add(caught.value.message)
    (text,) = texts
    return text


def test_a_link_out_of_the_project_is_refused(project, tmp_path):
    """The text is that of commands.md 12, and the target keeps its bytes."""
    target = tmp_path / "outside"
    target.write_bytes(b"old")
    (project / ".env").symlink_to(target)
    assert refused(project) == f"refusing to write .env: it is a symlink to {target}, outside the project"
    assert target.read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["outside", "project"]


def test_a_folder_that_leads_out_of_the_project_is_refused(project, tmp_path):
    """It is the same attack, one level up."""
    (tmp_path / "outside").mkdir()
    (project / "sub").symlink_to(tmp_path / "outside")
    assert refused(project, "sub/.env").endswith("/outside/.env, outside the project")
    assert os.listdir(tmp_path / "outside") == []


def test_a_link_into_the_home_is_named_without_its_path(project, home):
    """No message holds an absolute home path."""
    (project / ".env").symlink_to(home / ".bashrc")
    assert refused(project) == "refusing to write .env: it is a symlink to ~/.bashrc, outside the project"


def test_a_dangling_link_is_refused(project):
    """It could be made to point anywhere while envref writes."""
    (project / ".env").symlink_to("nothing")
    target = project / "nothing"
    assert refused(project) == f"refusing to write .env: it is a symlink to {target}, which does not exist"
    assert not target.exists()


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_regular_file_is_refused(project, make):
    """A folder or a pipe stays what it is."""
    make(project / ".env")
    assert refused(project) == "refusing to write .env: it is not a regular file"


def test_a_project_reached_through_a_link_is_still_the_project(project, tmp_path):
    """Both paths are compared as they really are."""
    (tmp_path / "link").symlink_to(project)
    atomic.write(str(tmp_path / "link" / ".env"), b"new", inside=str(tmp_path / "link"))
    assert (project / ".env").read_bytes() == b"new"


def test_a_system_error_names_the_file_and_the_reason(tmp_path):
    """No path, no errno."""
    with pytest.raises(EnvrefError, match=r"^writing \.env: No such file or directory$"):
        atomic.write(str(tmp_path / "missing" / ".env"), b"x")
    with pytest.raises(EnvrefError, match=r"^locking \.env: No such file or directory$"):
        atomic.lock(str(tmp_path / "missing" / ".env")).__enter__()
    with pytest.raises(EnvrefError, match=r"^writing log: No such file or directory$"):
        atomic.append_line(str(tmp_path / "missing" / "log"), "x")


def opened():
    """How many descriptors this process has open."""
    return len(os.listdir("/dev/fd"))


@pytest.mark.parametrize("trouble", ["others keep it", "no locks here", "its file was removed"])
def test_a_lock_leaves_nothing_open(tmp_path, monkeypatch, trouble):
    """A watch, or an agent, asks for it thousands of times."""
    path, flock, before = str(tmp_path / ".env"), fcntl.flock, tidy_descriptors()
    owner = atomic.lock(path)
    if trouble == "others keep it":
        with owner, pytest.raises(TimeoutError):
            atomic.lock(path, deadline=time.monotonic()).__enter__()
    elif trouble == "no locks here":
        monkeypatch.setattr(fcntl, "flock", lambda *_: os.close(-1))
        with pytest.raises(EnvrefError):
            owner.__enter__()
    else:
        removed = []

        def taken(descriptor, how):
            flock(descriptor, how)
            if not removed:
                removed.append(os.unlink(tmp_path / ".envref-lock-.env"))

        monkeypatch.setattr(fcntl, "flock", taken)
        with owner:
            pass
        assert removed
    assert opened() == before


def test_a_lock_may_be_the_lowest_descriptor(tmp_path, monkeypatch):
    """As in a service whose standard input is closed."""
    monkeypatch.setattr(fcntl, "flock", lambda *_: os.close(-1))
    before = os.dup(0)
    try:
        os.close(0)
        with pytest.raises(EnvrefError, match=r"^locking \.env: "):
            atomic.lock(str(tmp_path / ".env")).__enter__()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(0)
    finally:
        os.dup2(before, 0)
        os.close(before)
    assert os.listdir(tmp_path) == []


def test_a_lock_is_looked_at_until_the_deadline(tmp_path, monkeypatch):
    """Not once more, and not without a rest between two looks."""
    rests, now = [], [100.0]

    def sleep(seconds):
        rests.append(seconds)
        now[0] += 0.5

    path = str(tmp_path / ".env")
    monkeypatch.setattr(atomic, "time", types.SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    with atomic.lock(path):
        for deadline, most in ((99.0, 0), (100.0, 0), (101.0, 2)):
            with pytest.raises(TimeoutError):
                atomic.lock(path, deadline=deadline).__enter__()
            assert len(rests) == most
    assert set(rests) == {atomic._TICK}
    with atomic.lock(path, deadline=99.0):  # nobody has it: nobody is waited for
        assert len(rests) == 2


def test_a_lock_keeps_a_second_one_waiting(tmp_path):
    """The second context is entered when the first is left, not before."""
    path, order = str(tmp_path / ".env"), []

    def second():
        with atomic.lock(path):
            order.append("second")

    thread = threading.Thread(target=second)
    with atomic.lock(path):
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_locks_of_different_files_are_independent(tmp_path):
    """Otherwise this would wait for ever."""
    with atomic.lock(str(tmp_path / "a")), atomic.lock(str(tmp_path / "b")):
        assert sorted(os.listdir(tmp_path)) == [".envref-lock-a", ".envref-lock-b"]


def test_the_lock_file_is_no_profile(tmp_path):
    """`.env.NAME` would be one (commands.md 1.5)."""
    with atomic.lock(str(tmp_path / ".env")):
        assert not [name for name in os.listdir(tmp_path) if name.startswith(".env.")]


def test_a_lock_file_that_someone_removed_is_no_error(tmp_path):
    """The work under the lock is done by then."""
    with atomic.lock(str(tmp_path / ".env")):
        (tmp_path / ".envref-lock-.env").unlink()
    assert os.listdir(tmp_path) == []


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path):
    """A repository could hold one that points at a file of the user."""
    (tmp_path / ".envref-lock-.env").symlink_to(tmp_path / "victim")
    with pytest.raises(EnvrefError, match=r"^locking \.env: "):
        atomic.lock(str(tmp_path / ".env")).__enter__()
    assert not (tmp_path / "victim").exists()


def test_a_lock_removes_what_a_killed_writer_left(tmp_path):
    """But not the new file of a writer that lives, nor one of another file."""
    for name in (".envref-new-.env-dead", ".envref-new-.env-alive", ".envref-new-other-dead"):
        (tmp_path / name).write_bytes(b"half")
    with (tmp_path / ".envref-new-.env-alive").open("rb") as alive:
        atomic.fcntl.flock(alive, atomic.fcntl.LOCK_EX)
        with atomic.lock(str(tmp_path / ".env")):
            pass
    assert sorted(os.listdir(tmp_path)) == [".envref-new-.env-alive", ".envref-new-other-dead"]


def test_what_a_killed_writer_left_may_be_no_file(tmp_path):
    """A link stays, and is not followed; so does a folder. Nothing is left open."""
    before = tidy_descriptors()
    (tmp_path / "target").touch()
    (tmp_path / ".envref-new-.env-link").symlink_to("target")
    (tmp_path / ".envref-new-.env-folder").mkdir()
    (tmp_path / ".envref-new-.env-dead").touch()
    with atomic.lock(str(tmp_path / ".env")):
        assert opened() == before + 1
    assert sorted(os.listdir(tmp_path)) == [".envref-new-.env-folder", ".envref-new-.env-link", "target"]


def test_a_log_grows_by_whole_lines(tmp_path):
    """It is made with 0600, and an older, open one is closed to others."""
    path = tmp_path / "log"
    atomic.append_line(str(path), "a")
    assert mode(path) == 0o600
    path.chmod(0o644)
    atomic.append_line(str(path), "ä")
    assert (path.read_text(encoding="utf-8"), mode(path)) == ("a\nä\n", 0o600)


def test_a_log_is_waited_for(tmp_path):
    """A line that has to be taken back is taken back before another follows it."""
    log = tmp_path / "log"
    thread = threading.Thread(target=atomic.append_line, args=(str(log), "x"))
    with log.open("wb") as other:
        atomic.fcntl.flock(other, atomic.fcntl.LOCK_EX)
        thread.start()
        thread.join(0.2)
        assert log.read_bytes() == b""
    thread.join()
    assert log.read_bytes() == b"x\n"


def test_a_log_that_many_fill_at_once_keeps_the_latest_of_each(tmp_path):
    """It begins anew between two lines, whoever fills it: no line is cut, none of those that are kept has a gap."""
    path = str(tmp_path / "log")

    def fill(writer):
        for number in range(40):
            atomic.append_line(path, f"{writer} {number:02}", largest=100)

    threads = [threading.Thread(target=fill, args=(writer,)) for writer in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = [tmp_path / "log.1", tmp_path / "log"]
    lines = [line.split() for file in files for line in file.read_text().splitlines()]
    assert max(file.stat().st_size for file in files) <= 100
    assert len(lines) > 20
    for writer in "abc":
        numbers = [int(number) for name, number in lines if name == writer]
        assert numbers == list(range(40))[-len(numbers) :] or not numbers


def test_a_log_that_is_a_link_is_refused(tmp_path):
    """A repository could send the lines, and the mode, to another file."""
    (tmp_path / "victim").write_bytes(b"")
    (tmp_path / "log").symlink_to("victim")
    with pytest.raises(EnvrefError, match=r"^refusing to write log: it is a symlink$"):
        atomic.append_line(str(tmp_path / "log"), "x")
    assert (tmp_path / "victim").read_bytes() == b""


def test_a_log_that_is_a_pipe_is_refused(tmp_path):
    """Nothing waits for a reader, and no line gets into the pipe."""
    os.mkfifo(tmp_path / "log")
    reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(EnvrefError, match=r"^refusing to write log: it is not a regular file$"):
        atomic.append_line(str(tmp_path / "log"), "x")
    assert os.read(reader, 10) == b""
    os.close(reader)


def test_a_lock_whose_file_its_owner_removed_locks_nobody(tmp_path):
    """Who waited for it meanwhile begins anew: otherwise two would be inside, one with a file that is gone."""
    path = str(tmp_path / ".env")
    first, second = atomic.lock(path), atomic.lock(path)
    inside = []

    def enter():
        with second:
            inside.append(os.path.samestat(os.fstat(second._descriptor), os.lstat(second._file)))

    with first:
        waiting = threading.Thread(target=enter)
        waiting.start()
        while not _waits(waiting):
            pass
        assert inside == []
    waiting.join()
    assert inside == [True]


def _waits(thread):
    """Whether it waits for a lock of a file: the kernel lists whoever does so behind an arrow."""
    with open("/proc/locks", encoding="ascii") as locks:
        return any("->" in line and f" {os.getpid()} " in line for line in locks) or not thread.is_alive()


def mount_point(*names):
    """os.rename as rename(2) answers about a mount point: seen with a bind mount below `unshare -m`, Linux 6."""

    def rename(old, new, **folders):
        assert new in names
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    return rename


@pytest.mark.parametrize("new", [b"short", b"longer than it was before"])
def test_a_file_that_is_a_mount_point_is_written_in_place(tmp_path, monkeypatch, new):
    """`docker run -v $PWD/.env:/app/.env`: the file can't be replaced, and nothing is left beside it."""
    path = tmp_path / ".env"
    path.write_bytes(b"what it was before")
    number = path.stat().st_ino
    monkeypatch.setattr(os, "rename", mount_point(".env"))
    atomic.write(str(path), new)
    assert (path.read_bytes(), path.stat().st_ino, os.listdir(tmp_path)) == (new, number, [".env"])


def test_a_mount_point_has_its_old_bytes_when_writing_over_it_fails(tmp_path, monkeypatch):
    """A full disk in the middle of the new bytes."""
    path = tmp_path / ".env"
    path.write_bytes(b"old")
    real, full = atomic._write_all, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write_all(descriptor, data):
        if os.fstat(descriptor).st_ino == path.stat().st_ino and data != b"old":
            real(descriptor, data[:2])
            raise full
        real(descriptor, data)

    monkeypatch.setattr(os, "rename", mount_point(".env"))
    monkeypatch.setattr(atomic, "_write_all", write_all)
    with pytest.raises(EnvrefError, match="No space left"):
        atomic.write(str(path), b"new and longer")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", [".env"])


def test_a_file_system_without_locks_is_named_and_no_lock_is_left(tmp_path, monkeypatch):
    """ENOLCK, as NFS without a lock manager answers (injected into flock by strace, the same)."""

    def flock(_descriptor, _how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with (
        pytest.raises(EnvrefError, match=r"locking \.env: No locks") as caught,
        atomic.lock(str(tmp_path / ".env")),
    ):
        pass
    assert "local_lock=flock" in caught.value.hint
    assert os.listdir(tmp_path) == []


def test_a_mount_point_outlives_a_power_cut(tmp_path, monkeypatch):
    """Its bytes are on the disk when the command goes on, and nothing of it is left open."""
    path, synced, fsync, before = tmp_path / ".env", [], os.fsync, tidy_descriptors()
    path.write_bytes(b"old")

    def fsyncing(descriptor):
        synced.append(os.pread(descriptor, 9, 0) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b"")
        fsync(descriptor)

    monkeypatch.setattr(os, "rename", mount_point(".env"))
    monkeypatch.setattr(atomic, "_create", lambda *_: os.rename("", ".env"))
    monkeypatch.setattr(os, "fsync", fsyncing)
    atomic.write(str(path), b"new")
    assert synced == [b"new"]
    assert opened() == before


def test_a_full_disk_is_no_reason_to_write_over_the_file(tmp_path, monkeypatch):
    """Only a mount point, which can't be replaced, is."""
    path = tmp_path / "file"
    path.write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic, "_create", full)
    with pytest.raises(EnvrefError, match="No space left on device"):
        atomic.write(str(path), b"new")
    assert path.read_text() == "old"


def test_a_log_that_would_grow_too_large_begins_anew(tmp_path):
    """The full one is kept beside it, and the one before that is gone."""
    path = tmp_path / "log"
    for number in range(5):
        atomic.append_line(str(path), f"line {number}", largest=14)
    assert path.read_text() == "line 4\n"
    assert (tmp_path / "log.1").read_text() == "line 2\nline 3\n"


def test_a_lock_that_others_keep_is_given_up_at_the_deadline(tmp_path):
    """And entered by who comes when they have left it."""
    path = str(tmp_path / "file")
    with atomic.lock(path), pytest.raises(TimeoutError), atomic.lock(path, deadline=time.monotonic()):
        pass
    with atomic.lock(path, deadline=time.monotonic()):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("largest", [0, 100])
def test_half_a_line_is_taken_back_from_a_log(tmp_path, monkeypatch, largest):
    """A full disk in the middle of it: the lines before stay, and the command says so."""
    path = tmp_path / "log"
    atomic.append_line(str(path), "whole")
    write = atomic._write_all

    def write_half(descriptor, data):
        write(descriptor, data[:3])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic, "_write_all", write_half)
    with pytest.raises(EnvrefError, match=r"^writing log: No space left on device$"):
        atomic.append_line(str(path), "another", largest=largest)
    assert path.read_bytes() == b"whole\n"


def test_a_link_that_takes_the_file_s_place_meanwhile_gives_it_no_mode(tmp_path, monkeypatch, umask):
    """Put there between the check and the writing: neither its own mode, which lets everybody in, nor its target's."""
    target = tmp_path / "target"
    target.write_bytes(b"old")
    target.chmod(0o666)
    (tmp_path / ".env").symlink_to(target)
    monkeypatch.setattr(atomic, "_target", lambda path, _inside: path)
    atomic.write(str(tmp_path / ".env"), b"new", mode=0o600)
    assert (mode(tmp_path / ".env"), (tmp_path / ".env").is_symlink()) == (0o600, False)
    assert target.read_bytes() == b"old"


def test_writing_leaves_nothing_open(tmp_path):
    """A new file, one that is replaced, a log."""
    before = tidy_descriptors()
    for data in (b"old", b"new"):
        atomic.write(str(tmp_path / ".env"), data)
    atomic.append_line(str(tmp_path / "log"), "x", largest=100)
    with pytest.raises(EnvrefError):
        atomic.write(str(tmp_path / "none" / ".env"), b"x")
    assert opened() == before


def test_a_folder_that_becomes_a_link_meanwhile_is_not_followed(tmp_path, monkeypatch):
    """Put there between the check and the writing."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "project").symlink_to("outside")
    monkeypatch.setattr(atomic, "_target", lambda path, _inside: path)
    with pytest.raises(EnvrefError, match=r"^writing \.env: "):
        atomic.write(str(tmp_path / "project" / ".env"), b"new")
    assert os.listdir(tmp_path / "outside") == []


@pytest.mark.parametrize("before", ["", "a", "a" * 20])
def test_a_line_that_is_too_long_for_its_log_is_kept_all_the_same(tmp_path, before):
    """Alone in a new one; the one before it is put aside once, whatever it has."""
    path = tmp_path / "log"
    for text in (before, "b" * 20):
        atomic.append_line(str(path), text, largest=10)
    assert path.read_text() == "b" * 20 + "\n"
    assert (tmp_path / "log.1").read_text() == before + "\n"


def test_a_log_that_is_removed_meanwhile_is_made_again(tmp_path, monkeypatch):
    """As by a person who tidies up: the line is not written into what is gone."""
    path, flock, removed = tmp_path / "log", fcntl.flock, []

    def taken(descriptor, how):
        flock(descriptor, how)
        if not removed:
            removed.append(path.unlink())

    monkeypatch.setattr(fcntl, "flock", taken)
    atomic.append_line(str(path), "x", largest=100)
    assert (path.read_text(), len(removed)) == ("x\n", 1)


def test_a_folder_that_nobody_may_list_is_good_enough(tmp_path, monkeypatch):
    """What a killed writer left there stays."""

    def denied(_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patched:
        patched.setattr(os, "listdir", denied)
        with atomic.lock(str(tmp_path / ".env")):
            atomic.write(str(tmp_path / ".env"), b"new")
    assert (tmp_path / ".env").read_bytes() == b"new"
