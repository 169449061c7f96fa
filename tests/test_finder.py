"""The finder finds what Python finds, and a compiled file counts for it as it does for Python."""

from __future__ import annotations

import compileall
import importlib.machinery
import importlib.util
import os
import py_compile
import subprocess
import sys

import pytest

from envref import finder
from tests.conftest import ROOT
from tests.processes import tidy_descriptors
from tests.requirements import first_python

ENDING = f".{sys.implementation.cache_tag}.pyc"
MODULES = [path.relative_to(ROOT).with_suffix("").parts for path in (ROOT / "envref").rglob("*.py")]
NAMES = sorted({".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in MODULES} - {"envref"})


def found(name, directory):
    return finder._Finder(ENDING).find_spec(name, [str(directory)])


def test_it_finds_what_python_finds():
    """Every module of envref, with the same places."""
    for name in NAMES:
        directory = ROOT.joinpath(*name.split(".")[:-1])
        ours, pythons = found(name, directory), importlib.machinery.PathFinder.find_spec(name, [str(directory)])
        for what in ("name", "origin", "cached", "has_location", "submodule_search_locations", "parent"):
            assert getattr(ours, what) == getattr(pythons, what)
        assert ours.loader.get_filename(name) == pythons.loader.get_filename(name)
        assert ours.loader.is_package(name) == pythons.loader.is_package(name)
    assert len(NAMES) > 200


def test_whatever_is_no_file_of_envref_is_left_to_python(tmp_path):
    """Another package, a module that is not there, the package itself."""
    (tmp_path / "probe.py").write_text("")
    assert found("envref.probe", tmp_path)
    assert found("other.probe", tmp_path) is None
    assert found("envref.nothing", tmp_path) is None
    assert finder._Finder(ENDING).find_spec("envref", None) is None


@pytest.fixture
def probe(tmp_path, monkeypatch):
    """A module that says 1, compiled."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    source = tmp_path / "probe.py"
    source.write_text("VALUE = 1\n")
    py_compile.compile(str(source), doraise=True)
    return source


def value(source):
    module = importlib.util.module_from_spec(found("envref.probe", source.parent))
    module.__spec__.loader.exec_module(module)
    assert module.__file__ == str(source)
    return module.VALUE


def compiled(source):
    return source.parent / "__pycache__" / f"probe{ENDING}"


def test_a_compiled_file_is_used(probe, monkeypatch):
    """Of a source of that time and size, whatever it holds by now; without Python's help."""
    status = probe.stat()
    probe.write_text("VALUE = 2\n")
    os.utime(probe, ns=(status.st_atime_ns, status.st_mtime_ns))
    monkeypatch.setattr(importlib.machinery.SourceFileLoader, "get_code", None)  # Python's own, which costs more
    assert value(probe) == 1


@pytest.mark.parametrize("ahead", [-10, 10])
def test_a_source_of_another_time_is_read(probe, ahead):
    """An older one too, as Python does."""
    probe.write_text("VALUE = 2\n")
    os.utime(probe, (probe.stat().st_atime, probe.stat().st_mtime + ahead))
    assert value(probe) == 2


def test_a_source_of_another_size_is_read(probe):
    """Although it is of the same time."""
    status = probe.stat()
    probe.write_text("VALUE = 22\n")
    os.utime(probe, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert value(probe) == 22


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 100], ids=["empty", "short", "strange"])
def test_a_damaged_compiled_file_is_made_again(probe, damage):
    """As Python does."""
    compiled(probe).write_bytes(damage)
    assert value(probe) == 1
    assert len(compiled(probe).read_bytes()) > 100


def test_without_a_compiled_file_python_makes_one(probe):
    """It is there the next time."""
    compiled(probe).unlink()
    assert value(probe) == 1
    assert compiled(probe).exists()


def test_a_file_that_nobody_need_check_is_used(probe):
    """In Nix' store and in Flox's, where no source ever changes."""
    py_compile.compile(str(probe), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    probe.write_text("VALUE = 22\n")
    assert value(probe) == 1


def test_a_file_that_counts_by_its_source_s_digest_is_judged_by_python(probe):
    """Debian and Bazel make such files: a changed source of the same time and size counts."""
    compiled(probe).unlink()
    py_compile.compile(str(probe), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    assert value(probe) == 1
    probe.write_text("VALUE = 2\n")
    assert value(probe) == 2


def test_code_that_was_compiled_elsewhere_names_its_own_place(probe, tmp_path):
    """In a trace, as with Python."""
    compileall.compile_dir(tmp_path, ddir="/elsewhere", force=True, quiet=1)
    code = found("envref.probe", tmp_path).loader.get_code("envref.probe")
    assert code.co_filename == str(probe)


@pytest.fixture
def finders(monkeypatch):
    """Those that Python asks, as they were."""
    monkeypatch.setattr(sys, "meta_path", [each for each in sys.meta_path if not isinstance(each, finder._Finder)])
    return sys.meta_path


def test_it_is_installed_once(finders):
    """Before Python's own; a second command in one process adds nothing."""
    before = len(finders)
    finder.install()
    finder.install()
    assert isinstance(finders[0], finder._Finder)
    assert len(finders) == before + 1


@pytest.mark.parametrize("cached", [None, "/elsewhere/envref/finder.cpython-311.pyc"])
def test_it_is_not_installed_where_compiled_files_are_elsewhere(finders, monkeypatch, cached):
    """With PYTHONPYCACHEPREFIX, in a zip file."""
    before = list(finders)
    monkeypatch.setattr(finder, "__spec__", importlib.machinery.ModuleSpec("envref.finder", None))
    finder.__spec__.cached = cached
    finder.install()
    assert finders == before


def test_it_is_not_installed_where_every_source_is_to_be_read(finders, monkeypatch):
    """With `python --check-hash-based-pycs always`."""
    before = list(finders)
    monkeypatch.setattr("_imp.check_hash_based_pycs", "always")
    finder.install()
    assert finders == before


@first_python
@pytest.mark.parametrize("options", [["-I"], ["-I", "-O"], ["-IS"], ["-I", "-X", "pycache_prefix=/nowhere"]])
def test_a_command_uses_it(options):
    """With each way to start Python, but for compiled files that are elsewhere."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import os; os._exit = sys.exit\n"
        "sys.argv[1:] = ['version']; from envref.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: print(type(sys.modules['envref.streams'].__loader__).__name__)\n"
    )
    started = [sys.executable, "-B", *options, "-c", code]
    done = subprocess.run(started, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split()[-1] == ("SourceFileLoader" if "-X" in options else "_Loader")


def test_a_compiled_file_is_closed_once_it_is_read(probe):
    """A command reads two hundred."""
    before = tidy_descriptors()
    assert value(probe) == 1
    assert len(os.listdir("/dev/fd")) == before
