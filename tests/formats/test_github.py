"""github: masks to the log's reader, variables to the later steps, nothing by halves."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envref.errors import EnvrefError
from envref.formats.github import EnvironmentFile
from envref.secret import Secret
from tests.arguments import PYTHONPATH
from tests.properties import readers

render = EnvironmentFile("").render
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "github_env"
    path.write_text("BEFORE=1\n")
    return path


@given(st.lists(TEXT, max_size=5))
def test_every_value_is_read_back(values):
    """CR, LF, `%`, `<<` and lines that look like delimiters come back exactly."""
    variables = [(f"V{index}", Secret(value)) for index, value in enumerate(values)]
    assert readers.github(render(variables).entries) == {f"V{index}": value for index, value in enumerate(values)}


@given(st.lists(TEXT, max_size=5))
def test_every_secret_is_masked_whole_and_line_by_line(values):
    """The runner hides lines, so each line of a secret has a mask; no mask is blank, none is there twice."""
    found = readers.masks(render([(f"V{index}", Secret(value)) for index, value in enumerate(values)]).text)
    lines = [line for value in values for line in value.replace("\r", "\n").split("\n")]
    assert set(found) == {part for part in [*values, *lines] if part.strip()}
    assert len(found) == len(set(found))


def test_a_value_without_a_secret_is_not_masked():
    """A mask on `development` would make the log unreadable."""
    assert render([("APP_ENV", "development")]).text == ""


def test_two_variables_never_share_a_delimiter():
    """A value that holds another's delimiter can't end it: each is new."""
    first, second = (render([("A", "x")]).entries.split("\n")[0] for _ in range(2))
    assert first != second


def test_a_short_secret_is_warned_of(capfd):
    """A mask of three characters hides little; the warning names the variable and not the value."""
    render([("PIN", Secret("123"))])
    warning = capfd.readouterr().err
    assert warning == "warning: PIN: a value or line of fewer than 4 characters is a poor mask for a log\n"


@pytest.mark.parametrize("name", ["NODE_OPTIONS", "GITHUB_TOKEN", "RUNNER_TEMP"])
def test_a_variable_that_the_runner_keeps_is_refused(name):
    """GitHub ignores or refuses these; envref says so instead of leaving them out."""
    with pytest.raises(EnvrefError, match=f"{name}: GitHub Actions lets no step set this variable"):
        render([("A", "1"), (name, "x")])


def test_the_file_is_appended_to(file, capfd):
    """What an earlier step wrote stays; the masks are on stdout, and no value is."""
    EnvironmentFile.of({"GITHUB_ENV": str(file)}).render([("A", Secret("s3cret")), ("B", "plain")]).write()
    text = file.read_text()
    assert text.startswith("BEFORE=1\n")
    assert readers.github(text.removeprefix("BEFORE=1\n")) == {"A": "s3cret", "B": "plain"}
    assert capfd.readouterr().out == "::add-mask::s3cret\n"


@pytest.mark.parametrize("environment", [{}, {"GITHUB_ENV": ""}])
def test_outside_a_runner_it_says_what_is_missing(environment):
    """The message names the variable and the place where it is set."""
    with pytest.raises(EnvrefError) as caught:
        EnvironmentFile.of(environment)
    assert caught.value.lines() == [
        "error: GITHUB_ENV is not set",
        "  hint: --format github is for a step of a GitHub Actions job",
    ]


def test_a_symlink_is_not_followed(file, tmp_path):
    """A step that could plant a link must not make envref write elsewhere."""
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(EnvrefError, match="writing GITHUB_ENV"):
        EnvironmentFile(str(tmp_path / "link")).render([("A", "1")]).write()
    assert file.read_text() == "BEFORE=1\n"


def test_a_pipe_is_not_written(tmp_path):
    """Only a regular file is the runner's; a pipe with a reader gets nothing."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(EnvrefError, match="not a regular file"):
        EnvironmentFile(str(tmp_path / "pipe")).render([("A", "1")]).write()
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_full_disk_leaves_the_file_as_it_was(file):
    """Half a variable would swallow what the next step appends."""
    script = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    script += "resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50)); "
    script += "from envref.formats.github import EnvironmentFile; "
    script += "EnvironmentFile(sys.argv[1]).render([('A', 'x' * 100)]).write()"
    result = subprocess.run(
        [sys.executable, "-c", script, str(file)],
        capture_output=True,
        text=True,
        # Without the last one it would leave half a compiled module, which the next process could not load.
        env={**os.environ, "PYTHONPATH": PYTHONPATH, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert "writing GITHUB_ENV: File too large" in result.stderr
    assert file.read_text() == "BEFORE=1\n"
