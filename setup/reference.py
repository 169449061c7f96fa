"""What `make reference` writes: the pages under docs/reference/, the manual, pictures, the schema of `.envref.yaml`.

tests/test_reference_pages.py fails when one is not what the code makes of it.
"""

from __future__ import annotations

import inspect
import json
import pathlib
import re
from typing import TYPE_CHECKING, Any

import click

from envref.backends.table import BUILTIN, backend_class
from envref.cli.commands import COMMANDS, envref
from envref.cli.grammar import Group
from envref.project.config.backends import options_of
from envref.project.config.model import is_credential
from setup.command_texts import described, options, shared, usage
from setup.manual import manual
from setup.pictures import pictures
from setup.vocabulary import FILE as VOCABULARY
from setup.vocabulary import vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envref.project.config.backends import Options

ROOT = pathlib.Path(__file__).parent.parent
_MADE = "<!-- Made by `make reference` from the code; edit that. -->\n\n"
_PROFILE = "^[A-Za-z0-9_][A-Za-z0-9_-]*$"
_BACKEND = "^[A-Za-z0-9][A-Za-z0-9_.-]*$"
Rule = dict[str, Any]  # a JSON schema, or a part of one
_SCALAR: Rule = {"type": ["string", "number", "boolean", "null"]}
_AGENT: Rule = {
    "anyOf": [
        {"type": ["boolean", "null"]},
        {
            "type": "object",
            "properties": {"ttl": {"type": "string", "pattern": "^[1-9][0-9]{0,5}[smh]$"}},
            "required": ["ttl"],
            "additionalProperties": False,
        },
    ],
    "description": "Whether the agent keeps what stores gave, and how long. A project's file can only say false.",
}
_CREDENTIAL: Rule = {
    "description": "The credential itself, or a reference to where another backend has it: `ref://BACKEND/KEY`.",
    "not": {"pattern": "^ref://(secrets/|[^#]*[?&](optional|default)([=&#]|$))"},
}


def pages() -> dict[str, str]:
    """Path below the root -> text, for everything that is made."""
    return {
        "docs/reference/commands.md": commands(),
        "docs/reference/configuration.md": configuration(),
        "docs/reference/stores.md": stores(),
        VOCABULARY: vocabulary(),
        **manual(),
        **pictures(ROOT),
        "envref/schemas/config.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
    }


# Commands


def commands() -> str:
    """Each command with its usage, its text and its options."""
    top = click.Context(envref, info_name="envref")
    own = [_heading(f"envref {name}") for name in sorted(COMMANDS)]
    texts = [
        _MADE,
        "# Commands\n\n",
        inspect.cleandoc(envref.help or ""),
        "\n\n",
        *own,
        "\n## Options that every command takes\n\n",
    ]
    texts += [_options(envref, top), "\n"]
    texts += _sections(envref, top, sorted(COMMANDS))
    return "".join(texts)


def _heading(path: str) -> str:
    return f"* [`{path}`](#{path.replace(' ', '-')})\n"


def _sections(group: click.Group, context: click.Context, names: Sequence[str]) -> list[str]:
    found = [(name, group.get_command(context, name)) for name in names]
    return [_section(command, context, f"{context.command_path} {name}") for name, command in found if command]


def _section(command: click.Command, parent: click.Context, path: str) -> str:
    context = click.Context(command, parent=parent, info_name=path.rpartition(" ")[2])
    text = [f"\n## {path}\n\n", f"```\n{usage(command, context, path)}\n```\n\n", _described(command)]
    options = _options(command, context, without=shared())
    text += [f"\n{options}"] if options else []
    if isinstance(command, Group):
        text += _sections(command, context, command.list_commands(context))
    return "".join(text)


def _described(command: click.Command) -> str:
    """The help text, its example as code."""
    text, example = described(command)
    return text + (f"\n\nExample: `{example}`" if example else "") + "\n"


def _options(command: click.Command, context: click.Context, without: frozenset[str] = frozenset()) -> str:
    rows = [_option(option, context) for option in options(command, without)]
    return "".join(["| option | meaning |\n|---|---|\n", *rows]) if rows else ""


def _option(option: click.Option, context: click.Context) -> str:
    words = ", ".join(f"`{word}`" for word in option.opts)
    metavar = "" if option.is_flag else f" `{option.make_metavar(context)}`"
    default = f" Default: `{option.default}`." if isinstance(option.default, str) and option.default else ""
    return f"| {words}{metavar} | {(option.help or '').replace('|', chr(92) + '|')}{default} |\n"


# The schema of .envref.yaml


def schema() -> Rule:
    """What an editor checks and completes; the loader's own rules go further (file names, addresses)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": ".envref.yaml",
        "description": "What envref needs to know of a project.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "project": _text(
                "Whose secrets: stores keep them as PROJECT/KEY.", pattern=r"^(?!\s)[^/\\]{1,128}(?<!\s)$"
            ),
            "extends": _text(
                "A directory whose env files and stores lie below the project's own, e.g. ../.. of a monorepo."
            ),
            "env_file": _text("The base file, relative to the project's root.", default=".env"),
            "local_file": _text("Personal overrides, which stay out of version control.", default=".env.local"),
            "locked": {
                "type": "boolean",
                "default": False,
                "description": "Whether secrets are exactly the versions that envref.lock pins.",
            },
            "active_profile": {"type": ["string", "null"], "description": "The profile in effect by default."},
            "interpolate_environment": {
                "type": "boolean",
                "default": False,
                "description": "Whether ${NAME} falls back to the process environment.",
            },
            "precedence": {
                "enum": ["files", "environment"],
                "default": "files",
                "description": "Who decides about a name that the files set and the environment has.",
            },
            "agent": _AGENT,
            "audit_log": {
                "type": ["object", "null"],
                "required": ["reads"],
                "additionalProperties": False,
                "properties": {"reads": {"type": "boolean"}},
                "description": "Whether each read of a secret is logged too. A project's file can only say true.",
            },
            "profiles": {
                "type": ["object", "null"],
                "description": "Environments: each has secrets of its own, and overrides in .env.NAME.",
                "propertyNames": {"pattern": _PROFILE, "not": {"enum": ["local", "example", "sample", "template"]}},
                "additionalProperties": {
                    "type": ["object", "null"],
                    "additionalProperties": False,
                    "properties": {
                        "env_file": _text("The profile's file, where it is not .env.NAME."),
                        "fallback": {
                            "type": "boolean",
                            "default": True,
                            "description": "Whether a secret that the profile lacks is the project's.",
                        },
                    },
                },
            },
            "backends": {
                "type": ["array", "null"],
                "description": "The stores in the order they are asked. Without this key: the system's keychain.",
                "items": {"$ref": "#/$defs/backend"},
            },
            "team": {
                "type": ["array", "null"],
                "description": "Who `envref sync push --to-team` encrypts for.",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["name", "public_key"],
                    "properties": {
                        "name": _text("The member."),
                        "public_key": _text("age1… or an SSH public key.", pattern="^(age1|ssh-ed25519 |ssh-rsa )"),
                    },
                },
            },
            "services": {
                "type": ["object", "null"],
                "description": "Flox services and the variables each gets, for envref flox-hook --services.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
            "tools": {
                "type": ["object", "null"],
                "description": "Programs that alone get these variables; no shell and no other program does.",
                "propertyNames": {"pattern": "^[A-Za-z0-9_+][A-Za-z0-9_.+@-]*$"},
                "additionalProperties": {"anyOf": [_NAMES, {"type": "object", "additionalProperties": _NAMES}]},
            },
            "trust": {"enum": ["default", "strict"], "description": "Only in the user's own config: when to ask."},
            "files_directory": _text("Only in the user's own config: where ?as=file puts files, on any file system."),
            "trusted_paths": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Only in the user's own config: folders whose projects are trusted.",
            },
            "safe_directories": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Only in the user's own config: folders that count although somebody else owns them.",
            },
        },
        "$defs": {"backend": _backend()},
    }


_NAMES: Rule = {"type": ["array", "string"], "items": {"type": "string"}}  # of variables; one may stand alone


def _text(description: str, **more: object) -> Rule:
    return {"type": "string", "description": description, **more}


def _backend() -> Rule:
    kinds = list(BUILTIN)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": _text("How references address it.", pattern=_BACKEND, **{"not": {"const": "secrets"}}),
            "type": {"enum": kinds, "description": "The kind of store; the name, if it is left out."},
            "config": {"type": ["object", "null"], "description": "The options of its type."},
            "timeout": {
                "type": "number",
                "minimum": 0.1,
                "maximum": 600,
                "default": 10,
                "description": "Seconds it may take in total.",
            },
            "optional": {
                "enum": [False, True, "always"],
                "default": False,
                "description": "Skip it, with a warning, where it is not available. "
                "`always`: its secrets count as missing where it is locked or nobody is signed in.",
            },
            "agent": _AGENT,
            "names": {
                "type": ["object", "null"],
                "description": "Keys, or PROFILE/KEY, of secrets that exist under another name there.",
                "additionalProperties": {"type": "string"},
            },
        },
        "allOf": [_options_of(kind) for kind in kinds],
    }


def _options_of(kind: str) -> Rule:
    """If it is of this type, these are the options that it takes; the name stands in for a type that is left out."""
    options = options_of(kind)
    is_kind: Rule = {"const": kind}
    config: Rule = {
        "type": ["object", "null"],
        "properties": {name: _option_rule(name, options) for name in options.names},
        **({"required": list(options.required)} if options.required else {}),
    }
    if not options.open:
        config["properties"] |= {"timeout": {"type": "number"}, "optional": {"enum": [False, True, "always"]}}
        config["additionalProperties"] = False
    then: Rule = {"properties": {"config": config}}
    then |= {"required": ["config"]} if options.required else {}
    by_type = {"properties": {"type": is_kind}, "required": ["type"]}
    by_name = {"properties": {"name": is_kind}, "not": {"required": ["type"]}}
    return {"if": {"anyOf": [by_type, by_name]}, "then": then}


def _option_rule(name: str, options: Options) -> Rule:
    if name in options.booleans:
        return {"type": "boolean"}
    return {**_SCALAR, **_CREDENTIAL} if is_credential(name) else _SCALAR


def configuration() -> str:
    """The keys of the file as tables."""
    text = [_MADE, "# `.envref.yaml`\n\n", f"{_PAGE}\n", "| key | is | meaning |\n|---|---|---|\n"]
    text += [_key(name, rule) for name, rule in schema()["properties"].items()]
    text += ["\n## A backend\n\n", "| key | is | meaning |\n|---|---|---|\n"]
    text += [_key(name, rule) for name, rule in _backend()["properties"].items()]
    return "".join(text)


_PAGE = """\
[configuration.md](../configuration.md) explains the file; this is every key. `envref/schemas/config.json`, in the
package, is the same for editors: a line `# yaml-language-server: $schema=PATH` at the top of the file names it.
"""


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _key(name: str, rule: Rule) -> str:
    kinds = rule.get("type", "one of")
    kind = " or ".join(kinds) if isinstance(kinds, list) else kinds
    kind += " " + ", ".join(f"`{_written(value)}`" for value in rule["enum"]) if "enum" in rule else ""
    default = f" Default: `{json.dumps(rule['default'])}`." if "default" in rule else ""
    return f"| `{name}` | {kind} | {rule['description']}{default} |\n"


# Stores


def stores() -> str:
    """Each type with its options and their defaults, as its constructor has them."""
    return "".join(
        [_MADE, "# Store types\n\n[stores.md](../stores.md) says how each is used.\n", *map(_store, BUILTIN)]
    )


def _store(kind: str) -> str:
    text = inspect.cleandoc(backend_class(kind).__doc__ or "")
    first = re.split(r"\n\n", text)[0]
    options = options_of(kind)
    rows = [f"| `{name}` | {_default(kind, name, options)} |\n" for name in options.names]
    table = ["\n| option | default |\n|---|---|\n", *rows] if rows else ["\nIt has no options.\n"]
    more = ["\nAny other option is passed to the program.\n"] if options.open else []
    return "".join([f"\n## {kind}\n\n{' '.join(first.split())}\n", *table, *more])


def _default(kind: str, name: str, options: Options) -> str:
    if name in options.required:
        return "required"
    default = inspect.signature(backend_class(kind)).parameters[name].default
    return f"`{json.dumps(default)}`" if isinstance(default, (str, bool)) and default != "" else ""


def write() -> None:
    for name, text in pages().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
