"""`extends`: a parent's layers and stores lie below one's own; outside the repository that waits for trust."""

from __future__ import annotations

import os

import pytest

from envref.errors import EnvrefError
from envref.project import inherited
from envref.project import project as projects
from envref.project.trust.meaning import fingerprint, meaning
from envref.project.trust.need import FILE, PROGRAM, needs

PARENT = "project: mono\nbackends: [{name: p, type: plugin, config: {command: ./store.sh}}, {name: vault}]\n"


@pytest.fixture
def mono(project):
    """A repository with a project at its top, and one that extends it."""
    (project.path / ".git").mkdir()
    project.write(".envref.yaml", PARENT)
    project.write("store.sh", "#!/bin/sh\n").chmod(0o755)
    project.write(".env", "A=base\nB=base\nC=base\n")
    project.write(".env.local", "C=parents-own\n")
    project.write("apps/api/.envref.yaml", "extends: ../..\n")
    project.write("apps/api/.env", 'A="$A-api"\n')
    return project


def loaded(mono, profile=None, **options):
    return projects.load(str(mono.path / "apps/api"), profile, **options)


def last(project):
    return {entry.name: entry.text for entry in project.entries}


def test_layers_of_the_parent_lie_below_all_of_its_own(mono):
    """Its personal file too; a profile has its file in both places."""
    mono.write(".env.stage", "B=parents-stage\n")
    mono.write("apps/api/.env.stage.local", "C=own-stage\n")
    project = loaded(mono, "stage")
    names = ["../../.env", "../../.env.stage", "../../.env.local", ".env", ".env.stage.local"]
    assert [file.name for file in project.files] == names
    assert last(project) == {"A": "$A-api", "B": "parents-stage", "C": "own-stage"}
    assert not project.warnings
    assert mono.envref("get", "A", cwd=mono.path / "apps/api").stdout == "base-api\n"


def test_name_and_stores_come_from_the_parent_and_its_own_come_first(mono):
    """A store's paths start where its config is."""
    assert loaded(mono).config.project == "mono"
    assert loaded(mono).config.from_project == ("backends", "extends")  # the user's own file has no say in them
    mono.write("apps/api/.envref.yaml", "extends: ../..\nproject: api\nbackends: [{name: vault}, {name: doppler}]\n")
    config = loaded(mono).config
    assert config.project == "api"
    assert [(backend.name, backend.home) for backend in config.backends] == [
        ("vault", ""),
        ("doppler", ""),
        ("p", str(mono.path)),
    ]


def test_within_the_repository_nothing_is_outside(mono):
    """Only the parent's program is asked about, as for the parent; its bytes are part of what is agreed to."""
    project = loaded(mono)
    assert [need.condition for need in needs(project)] == [PROGRAM]
    before = fingerprint(meaning(project))
    mono.write("store.sh", "#!/bin/sh\n# other\n")
    assert fingerprint(meaning(loaded(mono))) != before


@pytest.mark.parametrize("name", [".env", ".env.local", ".env.stage", ".env.stage.local"])
def test_a_risky_name_in_any_file_of_the_parent_changes_the_meaning(mono, name):
    """Also one of a profile that is not in effect."""
    before = fingerprint(meaning(loaded(mono)))
    mono.write(name, "LD_PRELOAD=/tmp/x.so\n")
    assert fingerprint(meaning(loaded(mono))) != before


def test_a_parent_outside_the_repository_waits_for_trust(mono):
    """Its files are not read, and its stores are not used, before somebody agreed."""
    os.rename(mono.path / ".git", mono.path / "apps/api/.git")
    project = loaded(mono)
    assert project.unread == ("../../.env", "../../.env.local")
    assert [need.subject for need in needs(project) if need.condition == FILE] == [
        "../..",
        "../../.env",
        "../../.env.local",
    ]
    assert last(loaded(mono, may_read_outside=lambda _project: True))["C"] == "parents-own"


def test_a_link_of_the_parent_out_of_the_repository_waits_too(mono, tmp_path):
    """What counts is where the file is."""
    (tmp_path / "elsewhere").write_text("B=elsewhere\n")
    (mono.path / ".env").unlink()
    (mono.path / ".env").symlink_to(tmp_path / "elsewhere")
    assert loaded(mono).unread == ("../../.env",)


def test_the_base_may_be_the_parents_alone(mono):
    """One of both has to be there."""
    (mono.path / "apps/api/.env").unlink()
    assert last(loaded(mono))["A"] == "base"


def test_a_directory_without_a_config_has_the_usual_files(mono):
    """It gives layers, and no store."""
    mono.write("shared/.env", "D=shared\n")
    mono.write("apps/api/.envref.yaml", "extends: ../../shared\nproject: api\n")
    assert last(loaded(mono)) == {"D": "shared", "A": "$A-api"}


def test_a_directory_with_nothing_in_it_is_said_to_be_one(mono):
    """A mistyped name that happens to exist lost the layers in silence; a profile's file alone is something."""
    mono.write("shared/.envrc", "use flox\n")
    mono.write("apps/api/.envref.yaml", "extends: ../../shared\nproject: api\n")
    assert loaded(mono).warnings == ("extends: ../../shared: nothing is there: no .envref.yaml and no .env",)
    mono.write("shared/.env.stage", "D=shared\n")
    assert loaded(mono).warnings == ()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("extends: ../none\n", "extends: ../none: no such directory"),
        ("extends: .\n", "extends: . leads in a circle, or to more than 16 others"),
        ("extends: /etc\n", "invalid config: extends must be a relative path, got absolute path"),
        ("extends: ''\n", "invalid config: extends must not be empty"),
        ("extends: ../../bare\n", "invalid config: project name is required"),
    ],
)
def test_what_can_not_be_extended_is_named(mono, config, message):
    """With what the config says."""
    (mono.path / "bare").mkdir()
    mono.write("apps/api/.envref.yaml", config)
    with pytest.raises(EnvrefError) as caught:
        loaded(mono)
    assert str(caught.value) == f"loading config: {message}"


def test_two_that_extend_each_other_are_refused(mono):
    """Each is one line of the other's."""
    mono.write(".envref.yaml", PARENT + "extends: apps/api\n")
    with pytest.raises(EnvrefError, match="leads in a circle"):
        loaded(mono)


@pytest.mark.parametrize("others", [16, 17])
def test_how_many_may_extend_each_other(project, others):
    """Sixteen others, none of them twice."""
    (project.path / ".git").mkdir()
    for number in range(others):
        project.write(f"{number}/.envref.yaml", f"extends: ../{number + 1}\n")
    project.write(f"{others}/.envref.yaml", "project: app\n")
    start = str(project.path / "0")
    if others > 16:
        with pytest.raises(EnvrefError, match="leads in a circle, or to more than 16 others"):
            projects.configured(start)
    else:
        assert projects.configured(start).config.project == "app"


def test_a_fault_of_a_parent_names_its_file(mono):
    """Not that of the project that extends it."""
    mono.write(".envref.yaml", "project: [\n")
    with pytest.raises(EnvrefError, match=rf"^loading config: {mono.path}/\.envref\.yaml: .*\.envref\.yaml:2:1: "):
        loaded(mono)


def test_a_parent_that_others_can_write_is_refused(mono):
    """They would choose this project's stores."""
    mono.path.chmod(0o777)
    with pytest.raises(EnvrefError, match="writable by others"):
        loaded(mono)


def test_what_a_parent_keeps_for_a_tool_stays_kept(mono):
    """Also where its own config gives that tool something else, and in another way."""
    mono.write(".envref.yaml", PARENT + "tools: {gh: [A], aws: {credential-process: [B]}}\n")
    before = fingerprint(meaning(loaded(mono)))
    assert loaded(mono).config.tools == {"gh": {"variables": ("A",)}, "aws": {"credential-process": ("B",)}}
    mono.write("apps/api/.envref.yaml", "extends: ../..\ntools: {gh: [C], aws: [D]}\n")
    kept = {"gh": {"variables": ("C", "A")}, "aws": {"variables": ("D",), "credential-process": ("B",)}}
    assert loaded(mono).config.tools == kept
    assert fingerprint(meaning(loaded(mono))) != before


def test_what_a_parent_says_of_reads_and_profiles_counts(mono):
    """A log of reads; a profile without the project's secrets. The child may add to it, and take nothing away."""
    plain = loaded(mono).config
    assert (plain.logs_reads, plain.closed) == (False, ())
    mono.write(".envref.yaml", PARENT + "audit_log: {reads: true}\nprofiles: {b: {fallback: false}, c: }\n")
    assert (loaded(mono).config.logs_reads, loaded(mono).config.closed) == (True, ("b",))
    own = "extends: ../..\nprofiles: {a: {fallback: false}, b: }\n"
    mono.write("apps/api/.envref.yaml", own)
    assert (loaded(mono).config.logs_reads, loaded(mono).config.closed) == (True, ("a", "b"))
    mono.write(".envref.yaml", PARENT)
    mono.write("apps/api/.envref.yaml", f"{own}audit_log: {{reads: true}}\n")
    assert (loaded(mono).config.logs_reads, loaded(mono).config.closed) == (True, ("a",))


def test_the_text_of_a_parent_is_part_of_its_own(mono):
    """Every byte of it, and where it is: so whatever keeps a decision by the text sees each change."""
    seen = [loaded(mono).config.source]
    mono.write(".envref.yaml", f"{PARENT}# a comment\n")
    seen.append(loaded(mono).config.source)
    mono.write("apps/.envref.yaml", f"{PARENT}# a comment\n")
    mono.write("apps/api/.envref.yaml", "extends:   ..\n")
    seen.append(loaded(mono).config.source.replace(b"extends:   ..\n", b"extends: ../..\n"))
    assert len(set(seen)) == 3


def test_it_is_known_that_the_project_keeps_variables_for_tools(mono):
    """Whichever of them says so."""
    assert "tools" not in loaded(mono).config.from_project
    mono.write(".envref.yaml", PARENT + "tools: {gh: [A]}\n")
    assert loaded(mono).config.from_project == ("backends", "extends", "tools")


@pytest.mark.parametrize(
    ("of_parent", "of_store", "seconds"),
    [("", "", 60), ("", ", agent: false", 0), ("agent: false\n", "", 0), ("agent: false\n", ", agent: false", 0)],
)
def test_a_parent_s_no_to_the_agent_is_about_its_stores(mono, home, of_parent, of_store, seconds):
    """Not about the child's own."""
    own = home / ".config/envref/config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("agent: {ttl: 60s}\n")
    mono.write(".envref.yaml", f"project: mono\n{of_parent}backends: [{{name: vault{of_store}}}]\n")
    mono.write("apps/api/.envref.yaml", "extends: ../..\nbackends: [{name: pass}]\n")
    config = loaded(mono).config
    found = {each.name: config.agent_seconds(each) for each in config.backends}
    assert found == {"pass": 60, "vault": seconds}


def test_each_directory_on_the_way_is_checked():
    """Whoever may write in one of them decides what is found below it."""
    assert inherited._way("/a/b/c", "/a/d/e") == ["/a/d/e", "/a/d", "/a"]
    assert inherited._way("/a/b", "/a") == ["/a"]
    assert inherited._way("/a", "/a/b/c") == ["/a/b/c", "/a/b", "/a"]


def test_a_directory_that_can_t_be_listed_is_not_called_empty(tmp_path):
    """Its files may still be read by their names."""
    assert inherited._is_empty(str(tmp_path), ".")
    assert not inherited._is_empty(str(tmp_path), "none")
