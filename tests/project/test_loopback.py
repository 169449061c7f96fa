"""Which addresses stay on this machine."""

from __future__ import annotations

import pytest

from envref.project.loopback import is_loopback


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8200",
        "https://127.0.0.1",
        "http://127.8.9.255/",
        "HTTP://LOCALHOST:4566/path",
        "http://localhost",
        "http://[::1]:8200",
        "http://[0:0:0:0:0:0:0:1]",
        "localhost:8080",
        "127.0.0.1",
        "[::1]:1",
    ],
)
def test_an_address_of_this_machine_is_loopback(address):
    """127.0.0.0/8, ::1 and localhost, with scheme and port or without."""
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1\\@evil.example",
        "http://127.0.0.1#.evil.example",
        "http://127.0.0.1?.evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://evil.example/127.0.0.1",
        "http://127.1",
        "http://127.0.0.01",
        "http://127.0.0.256",
        "http://127.0.0.1.",
        "http://127.0.0.1:evil",
        "http://127.0.0.1:80:evil.example",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://[::1",
        "http://[::1]evil.example",
        "http://[127.0.0.1]",
        "http://[::2]",
        "http://[::ffff:127.0.0.1]",
        "http://[::1%lo]",
        "http://l\u00f6calhost",
        "http://127.0.0.\uff11",
        "http://127.0.0.1 ",
        "http://127.0.0.1\n",
        "unix:///run/vault.sock",
        "unix:path=/run/bus",
        "ftp://127.0.0.1",
        "/127.0.0.1",
    ],
)
def test_anything_else_is_not_loopback(address):
    """Whatever some program could read as another host."""
    assert not is_loopback(address)
