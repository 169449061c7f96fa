"""How a prefix and a project become the names in a shared store."""

from __future__ import annotations

import pytest

from envref.backends.layout import Layout
from envref.refs.address import Address
from envref.store_errors import BackendInvalid
from tests.requirements import first_python

pytestmark = first_python  # what answers mean does not depend on the Python


@pytest.mark.parametrize(
    ("prefix", "namespace", "name"),
    [
        ("", "auto", "/envref/app/p/k"),
        ("", "project", "/envref/app/p/k"),
        ("", "none", "/envref/p/k"),
        ("/own/", "auto", "/own/p/k"),
        ("/own", "project", "/own/app/p/k"),
        ("/own//", "none", "/own/p/k"),
    ],
)
def test_a_prefix_of_ones_own_is_one_project_s(prefix, namespace, name):
    """The default is shared, so the project is in it; `namespace` says it either way. Names lead back to their keys."""
    layout = Layout(prefix, default="/envref", namespace=namespace)
    assert layout.name(Address("app", "k", profile="p")) == name
    assert layout.carries_project == ("app" in name)
    assert layout.root("app") == name.removesuffix("/p/k")
    assert layout.key(name, "app") == "p/k"


@pytest.mark.parametrize("name", ["/envref/app/", "/envref/app", "/envref/apple/k", "/envref/k", "/x/envref/app/k", ""])
def test_another_name_is_no_key(name):
    """Nor is what the names begin with."""
    assert Layout("", default="/envref").key(name, "app") is None


@pytest.mark.parametrize("namespace", ["", "Auto", "all"])
def test_another_namespace_is_refused(namespace):
    """With those that there are."""
    with pytest.raises(BackendInvalid) as caught:
        Layout("", default="/envref", namespace=namespace)
    assert caught.value.message == f'namespace must be one of auto, project, none, not "{namespace}"'
