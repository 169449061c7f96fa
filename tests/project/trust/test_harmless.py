"""Each value that makes a dangerous name harmless, beside what is next to it and is not."""

from __future__ import annotations

import pytest

from envref.project.trust.harmless import VALUES

SAYS = {
    "number": {"0": True, "1000": True, "": False, "-1": False, "1a": False, "\N{SUPERSCRIPT TWO}": False},
    "node": {
        "--max-old-space-size=4096": True,
        "--no-warnings  --trace-warnings": True,
        "--no-warnings --require=x": False,
        "--require=x --no-warnings": False,
        "--no-warnings=;id": False,
        "--no-warningsx": False,
        "x": False,
    },
    "java": {
        "-Xmx1g": True,
        "-Xmx1g -Dfile.encoding=UTF-8": True,
        "-Duser.timezone=Europe/Paris": True,
        "-jar": False,
        "-Xmx1g -jar": False,
        "-jar -Xmx1g": False,
        "-Xmx1g;id": False,
        "x-Xmx1g": False,
    },
    "browser": {"none": True, "false": True, "firefox": False, "": False},
    "hops": {
        "true": True,
        "Loopback": True,
        "1": True,
        "99": True,
        "100": False,
        "proxy": False,
        "1.2.3.4": False,
        "": False,
    },
    "folder": {"/tmp": True, "/var/tmp": True, "/tmp/": False, "/home": False, "": False},
}
OF = {
    **dict.fromkeys(("UID", "GID", "COLUMNS", "LINES"), "number"),
    "NODE_OPTIONS": "node",
    **dict.fromkeys(("JAVA_OPTS", "MAVEN_OPTS", "GRADLE_OPTS", "CATALINA_OPTS", "SBT_OPTS"), "java"),
    "BROWSER": "browser",
    "_PROXY": "hops",
    "TMPDIR": "folder",
}
PLACES = ("JAVA_HOME", "PUPPETEER_EXECUTABLE_PATH", "CHROME_BIN")


def test_the_table_has_no_other_names():
    """Each of them is judged here."""
    assert sorted(VALUES) == sorted([*OF, *PLACES])


@pytest.mark.parametrize("name", OF)
def test_a_value_is_judged_word_by_word(name):
    """One that is not known makes the whole dangerous."""
    assert {value: VALUES[name](value) for value in SAYS[OF[name]]} == SAYS[OF[name]]


@pytest.mark.parametrize("name", PLACES)
def test_a_place_is_harmless_unless_somebody_s_project_is_around_it(name, tmp_path):
    """By its path and by where that leads, at any depth; a project is one of git or of envref."""
    judge = VALUES[name]
    for place in ("a/b/c", "git/b/c", "own/b/c"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "git/.git").symlink_to("nowhere")
    (tmp_path / "own/.envref.yaml").write_text("")
    (tmp_path / "link").symlink_to("git/b")
    (tmp_path / "own/out").symlink_to("../a")
    said = {
        "a/b/c": True,
        "a/none": True,
        "git/b/c": False,
        "git": False,
        "own/b/c": False,
        "a/../own/b": False,
        "link/c": False,
        "own/out/b": False,
    }
    assert {place: judge(f"{tmp_path}/{place}") for place in said} == said
    assert [judge(place) for place in ("/", "/usr", "usr", "/proc/1/root", "//dev/fd/3", "/x/../proc/self/cwd")] == [
        *(True, True),
        *(False, False, False, False),
    ]
