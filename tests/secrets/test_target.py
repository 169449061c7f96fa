"""Target: which secrets a command means, and which keys it may write."""

from __future__ import annotations

import pytest

from envref.errors import EnvrefError, UsageError
from envref.secrets import audit_log


def test_it_is_told_by_backend_and_profile(target):
    """For messages; the profile's is another than the project's."""
    assert (str(target()), target().of_profile) == ('backend "store"', "")
    staging = target("named")
    assert (str(staging), staging.of_profile) == ('backend "store" (profile "named")', ' (profile "named")')
    assert str(staging.of_project()) == 'backend "store"'
    assert staging.scope.profile == "named"


def test_what_a_profile_has_is_not_the_projects_own(target, project):
    """A profile is known by the config, by its file, and by the log of what was done; any other word is a key's."""
    project.write(".env.filed", "")
    audit_log.record(str(project.path), audit_log.Event("set", "k", "store", "app", "logged"))
    names = ["a", "named", "named/a", "filed/a", "logged/a/b", "folder/a", "a/named"]
    assert target().own(names) == ["a", "named", "folder/a", "a/named"]
    assert target("named").own(names) == names


@pytest.mark.parametrize(
    ("profile", "key", "fault"),
    [
        (None, "k.__history.1", 'key "k.__history.1" is reserved'),
        (None, "k.__history", 'key "k.__history" is reserved'),
        (None, "named/k", '"named" is a profile; use --profile named'),
        (None, "mapped", "is mapped to an existing secret"),
    ],
)
def test_keys_that_it_does_not_write(target, profile, key, fault):
    """With the reason."""
    with pytest.raises((UsageError, EnvrefError), match=fault):
        target(profile).check_writable(key)


@pytest.mark.parametrize(("profile", "key"), [(None, "k"), (None, "named"), (None, "folder/k"), ("named", "named/k")])
def test_keys_that_it_writes(target, profile, key):
    """Also one that is called as a profile is."""
    target(profile).check_writable(key)
