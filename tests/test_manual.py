"""docs/man/: every command and option is in it, and man and groff have nothing to say against it."""

from __future__ import annotations

import re
import subprocess
import zipfile

import click
import pytest

from envref.cli.commands import COMMANDS, envref
from envref.cli.grammar import Group
from setup import manual, reference
from tests.requirements import first_python, need

PAGES = manual.manual()


def rendered(page):
    """The page as a terminal shows it, on one line of single blanks."""
    done = subprocess.run(
        [need("groff"), "-man", "-ww", "-Tascii", "-P-cbou"],
        input=page,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return " ".join(done.stdout.split())


def commands(group, context):
    """Every command below the group, with its words."""
    for name in group.list_commands(context):
        each = group.get_command(context, name)
        place = click.Context(each, parent=context, info_name=name)
        yield place.command_path, each
        if isinstance(each, Group):
            yield from commands(each, place)


EVERY = dict(commands(envref, click.Context(envref, info_name="envref")))


def test_a_command_that_went_leaves_no_page():
    """`make reference` writes pages and deletes none."""
    written = {f"docs/man/{page.name}" for page in (reference.ROOT / "docs/man").iterdir()}
    assert written == set(PAGES)
    assert len(written) == len(COMMANDS) + 1


def test_no_line_is_a_request_by_accident():
    """What begins with `.` or `'` is one of the macros that man(7) names; a long line of text is no matter."""
    known = r"\.(TH|SH|SS|PP|TP|RS|RE|nf|fi|br|nh|\\\")( |$)"
    lines = [line for page in PAGES.values() for line in page.splitlines()]
    assert [line for line in lines if line[:1] in ".'" and not re.match(known, line)] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [(".env", ".env"), ("'x' \\ `y` ~/^", "'x' \\ `y` ~/^"), ("--a-b", "--a-b"), ("a…", "a...")],
)
@first_python
def test_a_text_is_printed_to_the_letter(text, shown):
    """What a reader copies out of the manual can be pasted."""
    page = "".join(f"{line}\n" for line in [*manual._head("x", "y"), ".SH S", manual._words(text)])
    assert f" S {shown} " in rendered(page)


@first_python
def test_every_command_and_option_is_in_the_manual():
    """Rendered by groff with all its warnings: the words of each option, the example, the text."""
    texts = {name: rendered(page) for name, page in PAGES.items()}
    for path, command in EVERY.items():
        text = texts[f"docs/man/envref-{path.split()[1]}.1"]
        body, example = manual.described(command)
        for words in (
            path,
            body,
            example,
            *(", ".join(each.opts) for each in manual.options(command, manual.shared())),
        ):
            assert " ".join(words.replace("…", "...").split()) in text, (path, words)
    assert all(f"envref-{name}(1)" in texts["docs/man/envref.1"] for name in COMMANDS)


@first_python
def test_a_wheel_has_the_manual(tmp_path):
    """pip, pipx and uv put shared data below the prefix: share/man/man1, where man looks beside a bin on PATH."""
    wheel = pytest.importorskip("hatchling.builders.wheel")
    path = next(wheel.WheelBuilder(str(reference.ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    with zipfile.ZipFile(path) as archive:
        found = {name.partition("/data/share/man/man1/")[2] for name in archive.namelist()}
    assert {name.removeprefix("docs/man/") for name in PAGES} <= found
