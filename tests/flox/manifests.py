"""Manifests as people write them: what a block has to find its place in."""

from __future__ import annotations

# What `flox init` leaves, in short: tables with comments below the header and none of their keys.
FRESH = """\
## A manifest
version = 1

[install]
# gum.pkg-path = "gum"

## Activation hook
[hook]
# on-activate = '''
#   echo "hi"
# '''

## Profile scripts
[profile]
# common = ""

[options]
systems = ["x86_64-linux"]
"""

# Name -> text. An edit, and its removal, give back every byte of these.
KEPT = {
    "fresh": FRESH,
    "no table": "version = 1\n",
    "no final line end": "version = 1",
    "blank lines at the end": "version = 1\n\n\n",
    "a comment at the end": "version = 1\n# the end",
    "an empty table at the end": "version = 1\n\n[hook]\n",
    "an empty table without line end": "version = 1\n\n[hook]",
    "an empty table before another": "version = 1\n[ 'hook' ]  # mine\n\n[profile]\ncommon = 'true'\n",
    "a hook": "version = 1\n[hook]\non-activate = '''\n  echo hi\n'''\n\n[vars]\nA = 'b'\n",
    "a hook that ends in blanks": "version = 1\n[hook]\n  on-activate = '''\n    echo hi\n  '''  # why\n",
    "a hook without line end": "version = 1\n[hook]\non-activate = '''\necho hi'''",
    "a hook on one line": "version = 1\n[hook]\non-activate = '''echo hi'''\n",
    "an empty hook": "version = 1\n[hook]\non-activate = '''\n'''\n",
    "dotted": "version = 1\nhook.on-activate = '''\necho hi\n''' # dotted\n[vars]\nA = '1'\n",
    "dotted neighbour": "schema-version = '1.15.0'\nhook.on-deactivate = '''\ntrue\n'''\n",
    "dotted neighbour first": "hook.on-deactivate = 'true'\nschema-version = '1.15.0'\n",
    "inline": "schema-version = '1.15.0'\nhook = { on-deactivate = 'true' }\n",
    "inline empty": "version = 1\nhook = {}\n",
    "inline empty and wide": "version = 1\nhook = { }\n",
    "inline with a hook": "version = 1\nhook = { on-activate = '''\ntrue\n''' }\n",
    "a script that looks like the table": "version = 1\n[vars]\nA = '''\n[hook]\n'''\nB = '''\n[profile]'''\n",
    "profile and deactivate in any order": (
        "schema-version = '1.13.0'\n[profile.deactivate]\nbash = 'true'\n[vars]\nA = ''\n[profile]\nzsh = '''\nx\n'''\n"
    ),
    "profile and deactivate apart": (
        "schema-version = '1.13.0'\n[profile]\ncommon = 'x'\n[vars]\nA = ''\n\n[profile.deactivate]\n# mine\n"
    ),
    "only deactivate": "schema-version = '1.13.0'\n[profile.deactivate]\ncommon = 'x'\n\n[options]\n",
    "a table of one line apart": "version = 1\nprofile = { common = 'x' }\n[vars]\n[hook]\n[options]\n",
    "indented": "version = 1\n  [hook]\n    on-activate = '''\n      a\n\n      b\n    '''\n",
    "mixed line ends": "version = 1\r\n[hook]\non-activate = '''\r\n  echo hi\n'''\r\n",
    "unicode": "version = 1\n[vars]\nNAME = 'Łódź \U0001f600'\n[hook]\non-activate = '''\necho é\n'''\n",
    "a newer schema": "schema-version = '1.25.0'\n[hook]\non-activate = '''\ntrue\n'''\n",
}

# No shell runs a block whose lines end so.
CRLF = {
    "a hook": "version = 1\r\n[hook]\r\non-activate = '''\r\n  echo hi\r\n'''\r\n[vars]\r\nA = 'b'\r\n",
    "without a hook": "version = 1\r\n",
}

# Strings that can't hold a block as they are: they become ''' and stay so.
REWRITTEN = {
    "basic": 'version = 1\n[hook]\non-activate = """\necho \\"hi\\"\n"""\n',
    "basic on one line": 'version = 1\n[hook]\non-activate = "echo hi\\nls\\t"  # two\n',
    "literal on one line": "version = 1\n[hook]\non-activate = 'echo hi'\n",
    "empty": "version = 1\n[hook]\non-activate = ''\n",
    "inline": "version = 1\nhook = { on-activate = 'echo' }\n",
}
