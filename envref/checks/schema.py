"""Schema: what `.env.schema.json` asks of each variable's value, and which values break it (commands.md 2.10).

The language is envref's own; docs/validation.md has it. A schema comes with the repository and may be hostile: its size
is limited, and so is the processor time that its patterns take.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from envref.checks import pattern
from envref.checks.pattern import InvalidPattern, Patience, TooSlow
from envref.checks.rule import TYPES, Rule
from envref.env.file import ALLOWED, is_name
from envref.env.source import BOM, Source, hiding
from envref.errors import EnvrefError, MalformedFile, Problem, meant, printable
from envref.paths import open_file
from envref.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = ".env.schema.json"
LARGEST = 1024 * 1024  # bytes; a thousand rules take a tenth of it
LONGEST_SHOWN = 100  # characters of a value in a message

MASK = "***"
_ANOTHER = "--schema FILE names another"
_LOADING = "loading schema file: "
_USERINFO = re.compile(r"(?<=:)[^:@/\s]+(?=@)")  # the password in user:password@host


class Fault(NamedTuple):
    """A variable that breaks a member of its rule. The message holds no value that came from a store."""

    key: str
    rule: str
    message: str


class InvalidSchema(EnvrefError):
    """A schema with faults of its own, all of them."""

    def __init__(self, file: str, faults: list[str]) -> None:
        self.faults = [f"{file}: schema error: {fault}" for fault in faults]
        super().__init__("; ".join(self.faults))

    def lines(self) -> list[str]:
        return [f"error: {fault}" for fault in self.faults]


class Schema:
    """The rules by the names of their variables, in the file's order."""

    def __init__(self, file: str, rules: Mapping[str, Rule]) -> None:
        self.file = file
        self.rules = rules

    def faults(self, values: Mapping[str, str | Secret | None]) -> list[Fault]:
        """What breaks the rules, in their order. A value of None means: the variable is set, its value is unknown.

        Raises InvalidSchema if the patterns take longer than `pattern.LIMIT`.
        """
        patience = Patience()
        return [fault for name in self.rules if (fault := self._fault(name, values, patience))]

    def _fault(self, name: str, values: Mapping[str, str | Secret | None], patience: Patience) -> Fault | None:
        rule = self.rules[name]
        try:
            return _fault(name, rule, values, patience)
        except TooSlow:
            raise InvalidSchema(self.file, [_too_slow(name, rule.pattern)]) from None
        except InvalidPattern as error:
            raise InvalidSchema(self.file, [f'key "{name}" {_invalid(rule.pattern, error)}']) from None


def _fault(name: str, rule: Rule, values: Mapping[str, str | Secret | None], patience: Patience) -> Fault | None:
    if name not in values:
        is_missing = rule.required and rule.default is None
        return Fault(name, "required", "required key is missing") if is_missing else None
    value = values[name]
    if value is None:
        return None
    text = value.reveal() if isinstance(value, Secret) else value
    if not text:
        return Fault(name, "required", "required key has empty value") if rule.required else None
    broken = rule.broken(text, MASK if isinstance(value, Secret) else _shown(name, text), patience)
    return Fault(name, broken[0], printable(broken[1])) if broken else None


def _shown(name: str, text: str) -> str:
    """A plain value in quotes; what looks like a secret in it is hidden."""
    hidden = _USERINFO.sub(MASK, hiding(name)(text[: LONGEST_SHOWN + 1]))
    return f'"{hidden}"' if len(text) <= LONGEST_SHOWN else f'"{hidden[:LONGEST_SHOWN]}…"'


def _too_slow(name: str, pattern: str | None) -> str:
    return f'key "{name}" has a pattern that takes too long: "{pattern}"; avoid a repeat in a repeat, as in (a+)+'


def _invalid(written: str | None, error: InvalidPattern) -> str:
    return f'has invalid pattern "{(written or "")[: pattern.LONGEST]}": {error}'


# The file


def read(path: str, file: str) -> Schema:
    """The schema at `path`, called `file` in messages. EnvrefError if it can't be read or is not a schema."""
    try:
        with open_file(path) as opened:
            data = opened.read(LARGEST + 1)
    except OSError as error:
        raise EnvrefError(f"{_LOADING}{file}: {(error.strerror or 'unreadable').lower()}", hint=_ANOTHER) from None
    if len(data) > LARGEST:
        raise EnvrefError(f"{_LOADING}{file}: more than {LARGEST // 1024} KiB")
    return parse(data, file)


def parse(data: bytes, file: str = FILE) -> Schema:
    """The schema that the bytes hold. MalformedFile if they are not JSON, InvalidSchema if a rule is wrong."""
    members = _rules_of(_json(data, file), file)
    rules: dict[str, Rule] = {}
    faults = [f'key "{name}" is defined twice' for name in members.twice]
    patience = Patience()
    for name, written in members.items():
        reading = _Reading(name, written, patience)
        try:
            rules[name] = reading.rule()
        except TooSlow:
            reading.faults.append(_too_slow(name, str(reading.members.get("pattern"))))
            raise InvalidSchema(file, faults + reading.faults) from None
        faults += reading.faults
    if faults:
        raise InvalidSchema(file, faults)
    return Schema(file, rules)


class _Object(dict[str, object]):
    """A JSON object that remembers which of its names occur more than once."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.twice = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]


def _json(data: bytes, file: str) -> object:
    """The data of the JSON; a number is its written text."""
    try:
        source = Source(data.decode("utf-8").removeprefix(BOM), file)
    except UnicodeDecodeError as error:
        before = Source(data[: error.start].decode("utf-8").removeprefix(BOM), file)
        raise _malformed(before, len(before.text), "invalid UTF-8") from None
    try:
        return json.loads(
            source.text, object_pairs_hook=_Object, parse_int=str, parse_float=str, parse_constant=lambda _word: None
        )
    except json.JSONDecodeError as error:
        raise _malformed(source, error.pos, f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except RecursionError:
        raise _malformed(source, 0, "nested too deeply") from None


def _malformed(source: Source, at: int, text: str) -> MalformedFile:
    return MalformedFile([Problem(source.file, *source.position(at), text)], prefix=_LOADING)


def _rules_of(root: object, file: str) -> _Object:
    """The object of the rules: the root, or its member `keys`. Members with a $, e.g. `$schema`, don't count."""
    if not isinstance(root, _Object):
        raise InvalidSchema(file, ['expected a JSON object of "NAME": {"type": …}'])
    own = [name for name in root if not name.startswith("$")]
    keys = root.get("keys")
    if not isinstance(keys, _Object) or _is_rule(keys):
        rules = _Object([(name, root[name]) for name in own])
        rules.twice = root.twice
        return rules
    faults = [f'unknown member "{name}" beside "keys"' for name in own if name != "keys"]
    faults += [f'"{name}" is defined twice' for name in root.twice]
    if faults:
        raise InvalidSchema(file, faults)
    return keys


def _is_rule(written: _Object) -> bool:
    """Whether it is the rule of a variable named `keys`, and not an object of rules."""
    plain = not any(isinstance(value, _Object) for value in written.values())
    return bool(written) and plain and set(written) <= set(Rule._fields)


class _Reading:
    """One rule being read: it notes every fault, and none ends the reading."""

    def __init__(self, name: str, written: object, patience: Patience) -> None:
        self.name = name
        self.patience = patience
        self.faults: list[str] = []
        self.members: _Object = written if isinstance(written, _Object) else _Object([])
        if not is_name(name):
            self.note(f"is not a variable name ({ALLOWED})")
        if not isinstance(written, _Object):
            self.note('has no object as its rule; write {"type": "string"}')

    def note(self, text: str) -> None:
        self.faults.append(f'key "{self.name}" {text}')

    def rule(self) -> Rule:
        for member in self.members.twice:
            self.note(f'has "{member}" twice')
        for member in self.members:
            if member not in Rule._fields:
                near = meant(member, Rule._fields)
                self.note(f'has unknown member "{member}"' + (f'; did you mean "{near}"?' if near else ""))
        rule = Rule(
            self.type(), self.required(), self.scalar("default"), self.values(), self.pattern(), self.description()
        )
        if rule.type == "enum" and not rule.values:
            self.note('has type "enum" but no values defined')
        if rule.default and not self.faults:
            self.judge(rule, rule.default)
        return rule

    def judge(self, rule: Rule, default: str) -> None:
        try:
            broken = rule.broken(default, f'"{default}"', self.patience)
        except InvalidPattern as error:
            self.note(_invalid(rule.pattern, error))
            return
        if broken:
            self.note(f"has a default that breaks its rule: {broken[1]}")

    def type(self) -> str:
        written = self.scalar("type")
        if written is not None and written not in TYPES:
            near = meant(written, TYPES)
            self.note(f'has unknown type "{written}"' + (f'; did you mean "{near}"?' if near else ""))
        return written if written in TYPES else "string"

    def required(self) -> bool:
        written = self.members.get("required", False)
        if not isinstance(written, bool):
            self.note('has "required" that is not true or false')
        return written is True

    def values(self) -> tuple[str, ...]:
        written = self.members.get("values", [])
        texts = [_text(value) for value in written] if isinstance(written, list) else [None]
        is_empty = not texts and "values" in self.members and self.members.get("type") != "enum"
        if None in texts or is_empty:
            self.note('has "values" that is not a list of texts')
        return tuple(text for text in texts if text is not None)

    def pattern(self) -> str | None:
        written = self.scalar("pattern")
        if written is None:
            return None
        try:
            pattern.check(written, self.patience)
        except InvalidPattern as error:
            self.note(_invalid(written, error))
        return written

    def description(self) -> str:
        return self.scalar("description") or ""

    def scalar(self, member: str) -> str | None:
        """The member's text; None without one."""
        if member not in self.members:
            return None
        text = _text(self.members[member])
        if text is None:
            self.note(f'has "{member}" that is not a text')
        return text


def _text(value: object) -> str | None:
    """A string, number or boolean as an env file has it; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else None
