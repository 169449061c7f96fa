"""Manifest: a Flox manifest that is read whole, changed in a few places and otherwise kept to the byte (flox.md 7).

tomlkit says where a value stands; the text around it is never written anew. Every edit is checked against Python's own
reader: nothing but what was meant to change may have changed.
"""

from __future__ import annotations

import copy
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from envref import atomic
from envref.errors import EnvrefError, MalformedFile, Problem
from envref.flox import block
from envref.flox.block import SHELLS
from envref.paths import open_file, shown

Path = tuple[str, ...]  # the keys that lead to a value

PLACE = os.path.join(".flox", "env", "manifest.toml")

HOOK: Path = ("hook", "on-activate")
PROFILE: dict[str, Path] = {shell: ("profile", shell) for shell in SHELLS}
UNDO: dict[str, Path] = {shell: ("profile", "deactivate", shell) for shell in SHELLS}
SCRIPTS = (HOOK, *UNDO.values(), *PROFILE.values())  # a table is empty only after the one below it is gone
PLUGIN: Path = ("plugins", "envref")

# The schemas there are (flox.md 2). One that is newer is passed with a warning, any other is an error to Flox too.
_SCHEMAS = tuple((1, minor, 0) for minor in range(10, 20))
V1 = (1, 0, 0)  # stands for `version = 1`
UNDO_SINCE = (1, 13, 0)
PLUGINS_SINCE = (1, 14, 0)


class Manifest:
    """A manifest's text; `name` is what messages call the file. Raises EnvrefError for one that is not to be touched.

    Never changes: an edit makes a new one. Inside, lines end in LF alone; `str()` gives the file's own ends back.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._crlf = "\r\n" in text and "\n" not in text.replace("\r\n", "")
        self.text = text.replace("\r\n", "\n") if self._crlf else text
        self.data = self._parsed()
        self.schema = self._schema()
        self._check_scripts()

    def __str__(self) -> str:
        return self.text.replace("\n", "\r\n") if self._crlf else self.text

    @property
    def warnings(self) -> list[str]:
        """What its owner should know, although it is no reason to stop."""
        found = []
        if self.schema > _SCHEMAS[-1]:
            newest = ".".join(map(str, _SCHEMAS[-1]))
            found.append(f"{self.name}: schema-version is newer than the newest that envref knows ({newest})")
        if "\r\n" in str(self):
            found.append(f"{self.name}: line ends are CRLF; how Flox hands them to a shell is not known, LF is safe")
        return found

    def value(self, path: Path) -> Any:
        """What stands at the path, or None."""
        node: Any = self.data
        for key in path:
            node = node.get(key) if isinstance(node, dict) else None
        return node

    def blocks(self) -> dict[Path, str]:
        """The scripts that hold a block of envref, and the word in its markers."""
        found = {path: self.value(path) for path in SCRIPTS}
        spans = {path: block.find(script) for path, script in found.items() if script is not None}
        return {path: span.kind for path, span in spans.items() if span}

    def with_block(self, path: Path, text: str) -> Manifest:
        """The manifest with the block in this script, which is made if need be."""
        if self.value(path) is not None:
            return self._with_script(path, lambda script: block.put(script, text))
        for candidate in self._with_new_script(path, text):
            edited = self._if_only(candidate, [path])
            if edited and (edited.value(path) or "").removesuffix("\n") == text:
                return edited
        raise self.fault(self._about(path[:-1]), f"no place for {'.'.join(path)}; add the key, with an empty value")

    def without_block(self, path: Path) -> Manifest:
        """The manifest without the block in this script; without the script and its table where a block made them."""
        script = self.value(path)
        if script is None or block.find(script) is None:
            return self
        without_key = self._without_key(path) if block.is_only(script) else None
        if without_key is None:
            return self._with_script(path, block.take)
        # A script that was put into an empty table of the user's ends without a line end: see `_after_header`.
        return without_key.without_empty_table(path[:-1]) if script.endswith("\n") else without_key

    def entries(self, kind: str) -> dict[str, str]:
        """The entries of [plugins.envref] that stand between the markers of this kind."""
        lines = self._entry_lines(kind)
        return tomllib.loads("\n".join(lines)) if lines else {}

    def with_entries(self, kind: str, entries: Mapping[str, str], made_by: str) -> Manifest:
        """The manifest with these entries, and no others, between the markers of this kind in [plugins.envref]."""
        if not entries:
            return self.without_entries(kind)
        lines = [f"{name} = {tomlkit.string(value).as_string()}" for name, value in entries.items()]
        begin, end = f'# >>> envref {kind} v1 >>> generated by "{made_by}"', f"# <<< envref {kind} v1 <<<"
        if self._entry_lines(kind) == [begin, *lines, end]:
            return self
        text = "\n".join([begin, *lines, end])
        old = self._entry_span(kind)
        if old:
            return self._only(self.text[: old[0]] + text + self.text[old[1] :], [PLUGIN])
        for candidate in self._with_new_entries(text):
            edited = self._if_only(candidate, [PLUGIN])
            if edited and edited.entries(kind) == dict(entries):
                return edited
        raise self.fault(self._about(PLUGIN), "envref writes to a table of its own; write it as [plugins.envref]")

    def without_entries(self, kind: str) -> Manifest:
        """The manifest without what stands between the markers of this kind, and without the table if that is all."""
        span = self._entry_span(kind)
        if span is None:
            return self
        # The line end before the block is the block's.
        edited = self._only(self.text[: span[0] - 1] + self.text[span[1] :], [PLUGIN])
        return edited if edited.value(PLUGIN) else edited.without_empty_table(PLUGIN)

    def with_schema(self, schema: tuple[int, int, int]) -> Manifest:
        """The manifest under this schema or the one it has, whichever is newer."""
        if self.schema >= schema:
            return self
        key = "version" if self.schema == V1 else "schema-version"
        start, end = self._value_span((key,)) or (0, 0)
        before = self.text[:start]
        if self.schema == V1:
            before = re.sub(r"""(["']?)version\1(?=[ \t]*=[ \t]*$)""", "schema-version", before)
        return self._only(
            f'{before}"{".".join(map(str, schema))}"{self.text[end:]}', [("version",), ("schema-version",)]
        )

    def edited(self, change: Callable[[tomlkit.TOMLDocument], object], paths: Sequence[Path]) -> Manifest:
        """The manifest after a change of its document, which may touch what is below these paths only."""
        document = tomlkit.parse(self.text)
        change(document)
        return self._only(tomlkit.dumps(document), paths)

    def fault(self, offset: int, text: str) -> MalformedFile:
        """The error about what stands at this offset."""
        line = self.text.count("\n", 0, offset) + 1
        column = offset - (self.text.rfind("\n", 0, offset) + 1) + 1
        return MalformedFile([Problem(self.name, line, column, text)])

    def _parsed(self) -> dict[str, Any]:
        try:
            data = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise self._toml_fault(str(error)) from None
        try:
            same = tomlkit.dumps(tomlkit.parse(self.text)) == self.text
        except TOMLKitError as error:
            raise self._toml_fault(str(error)) from None
        if not same:
            raise EnvrefError(f"{self.name}: envref would change more than its own lines here; nothing was changed")
        return data

    def _toml_fault(self, said: str) -> MalformedFile:
        """The error that a reader of TOML has, its place taken out of its words."""
        place = re.search(r" \(?at (?:line (\d+),? col(?:umn)? (\d+)|end of document)\)?$", said)
        text = said[: place.start()] if place else said
        last = self.text.count("\n") + 1, len(self.text) - (self.text.rfind("\n") + 1) + 1
        line, column = (int(place[1]), int(place[2])) if place and place[1] else last if place else (1, 1)
        return MalformedFile([Problem(self.name, line, column, f"not valid TOML: {text[:1].lower()}{text[1:]}")])

    def _schema(self) -> tuple[int, ...]:
        version, schema = self.data.get("version"), self.data.get("schema-version")
        if version is not None and schema is not None:
            raise self.fault(
                self._about(("version",)), "both version and schema-version; delete one, version = 1 is the older"
            )
        if version is None and schema is None:
            raise self.fault(0, 'neither version nor schema-version; add version = 1 or schema-version = "1.12.0"')
        if version is not None:
            if version != 1 or isinstance(version, bool):
                raise self.fault(
                    self._about(("version",)), "version is always 1; newer manifests have schema-version instead"
                )
            return V1
        numbers = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", schema) if isinstance(schema, str) else None
        found = tuple(map(int, numbers.groups())) if numbers else ()
        if found not in _SCHEMAS and found <= _SCHEMAS[-1]:
            known = ", ".join(".".join(map(str, each)) for each in _SCHEMAS)
            raise self.fault(
                self._about(("schema-version",)), f"schema-version that Flox does not know (it knows {known})"
            )
        return found

    def _check_scripts(self) -> None:
        for table in ("hook", "profile", "plugins"):
            if not isinstance(self.data.get(table, {}), dict):
                raise self.fault(self._about((table,)), f"{table} is not a table")
        if self.value(("hook", "script")) is not None:
            raise self.fault(
                self._about(("hook", "script")), "Flox has no hook.script any more; rename it to hook.on-activate"
            )
        for path in SCRIPTS:
            script = self.value(path)
            if script is not None and not isinstance(script, str):
                raise self.fault(self._about(path), f"{'.'.join(path)} is not a string")
            try:
                block.find(script or "")
            except block.Fault as fault:
                where = self._line_of_script(path, fault.line)
                raise self.fault(where, f"{fault.text}; delete what is left of it by hand") from None

    def _line_of_script(self, path: Path, number: int) -> int:
        """The offset of a line of the script; of the whole value where lines of it are no lines of the file."""
        start, end = self._value_span(path) or (0, 0)
        opening, body = _literal(self.text[start:end])
        if not opening:
            return start
        before = "".join(body.splitlines(keepends=True)[:number])
        line = body[len(before) :]
        return start + len(opening) + len(before) + len(line) - len(line.lstrip(" \t"))

    def _with_script(self, path: Path, edit: Callable[[str], str]) -> Manifest:
        """The manifest with the script as `edit` makes it. One that can't be edited in place becomes a ''' string."""
        start, end = self._value_span(path) or (0, 0)
        opening, body = _literal(self.text[start:end])
        if not opening:
            opening, body = "'''\n", self.value(path)
            if edit(body) != body:
                self._check_literal(body, path, start)
        script = edit(body)
        if script == body:
            return self
        return self._only(f"{self.text[:start]}{opening}{script}'''{self.text[end:]}", [path])

    def _check_literal(self, script: str, path: Path, start: int) -> None:
        text = f"{'.'.join(path)} would have to become a ''' string, which can't hold "
        if "'''" in script:
            raise self.fault(start, text + "'''; write it otherwise, e.g. with \"\"")
        if any(
            not character.isprintable() and character in map(chr, (*range(9), *range(11, 32), 127))
            for character in script
        ):
            raise self.fault(start, text + "control characters; write them as escapes of the shell")

    def _with_new_script(self, path: Path, text: str) -> Iterator[str]:
        """Texts with the new key, each at a place that may be the right one; the reader decides."""
        table, key = path[:-1], path[-1]
        for header in self._headers(table):
            yield self._after_header(header, key, text)
        for skipped in range(len(table)):
            dotted = ".".join(path[skipped:])
            for line in re.finditer(rf"^[ \t]*{_dotted(table[skipped:])}[ \t]*\.", self.text, re.MULTILINE):
                yield f"{self.text[: line.start()]}{_assigned(dotted, text)}\n{self.text[line.start() :]}"
        yield from self._inside_braces(table, key, text)
        yield self._appended(f"\n\n[{'.'.join(table)}]\n{_assigned(key, text)}")

    def _after_header(self, header: re.Match[str], key: str, text: str) -> str:
        # The end of the script remembers that this empty table was there before: `without_block` leaves it.
        bare = re.match(r"\s*(?:\[|\Z)", self.text[header.end() :])
        assigned = f"{key} = '''\n{text}'''" if bare else _assigned(key, text)
        return f"{self.text[: header.end()]}\n{assigned}{self.text[header.end() :]}"

    def _inside_braces(self, table: Path, key: str, text: str) -> Iterator[str]:
        start, _ = (self.value(table) is not None and self._value_span(table)) or (-1, 0)
        if start >= 0 and self.text[start] == "{":
            assigned = f" {_assigned(key, text)}," if self.value(table) else _assigned(key, text)
            yield f"{self.text[: start + 1]}{assigned}{self.text[start + 1 :]}"

    def _with_new_entries(self, text: str) -> Iterator[str]:
        other = self._entry_span("plugin") or self._entry_span("import")
        if other:
            yield f"{self.text[: other[1]]}\n{text}{self.text[other[1] :]}"
        for header in self._headers(PLUGIN):
            yield f"{self.text[: header.end()]}\n{text}{self.text[header.end() :]}"
        yield self._appended(f"\n\n[{'.'.join(PLUGIN)}]\n{text}")

    def _appended(self, text: str) -> str:
        """The file's text with `text` after its last line; a missing final line end stays missing."""
        end = len(self.text) - self.text.endswith("\n")
        return self.text[:end] + text + self.text[end:]

    def _headers(self, table: Path) -> Iterator[re.Match[str]]:
        return re.finditer(rf"^[ \t]*\[[ \t]*{_dotted(table)}[ \t]*\][^\n]*$", self.text, re.MULTILINE)

    def _without_key(self, path: Path) -> Manifest | None:
        """The manifest without this key, if it stands as `_with_new_script` writes it."""
        start, end = self._value_span(path) or (0, 0)
        key = re.search(rf"(?:^|(?<=[{{\n ]))(?:[\w-]+\.)*{re.escape(path[-1])} = $", self.text[:start])
        if key is None:
            return None
        first, last = key.start(), end
        before, after = self.text[:first], self.text[last:]
        if before.endswith("\n") and after[:1] in ("", "\n"):
            first -= 1
        elif not before and after.startswith("\n"):
            last += 1
        elif before.endswith("{ ") and after.startswith(","):
            first, last = first - 1, last + 1
        elif not before.endswith("{") or not after.lstrip(" \t").startswith("}"):
            return None
        return self._if_only(self.text[:first] + self.text[last:], [path])

    def without_empty_table(self, table: Path) -> Manifest:
        """The manifest without the header of this table, if nothing is left below it, not even a comment."""
        below = [] if self.value(table) else [table]  # tables of its own may have headers of their own
        for header in self._headers(table):
            blank = 2 if self.text[: header.start()].endswith("\n\n") else 0
            if re.match(r"\s*(?:\[|\Z)", self.text[header.end() :]):
                rest = self.text[header.end() + (not blank) :]
                edited = self._if_only(self.text[: header.start() - blank] + rest, below)
                if edited:
                    return edited
        return self

    def _entry_span(self, kind: str) -> tuple[int, int] | None:
        """Where the block of this kind is among the tables, its last line end left out."""
        begins = list(re.finditer(rf"^# >>> envref {kind} v\d+ >>>.*$", self.text, re.MULTILINE))
        ends = list(re.finditer(rf"^# <<< envref {kind} v\d+ <<<[ \t]*$", self.text, re.MULTILINE))
        if not begins and not ends:
            return None
        if len(begins) > 1 or len(ends) > 1:
            raise self.fault(
                (begins if len(begins) > 1 else ends)[1].start(), "a marker of envref stands here again; delete one"
            )
        if not begins or not ends or ends[0].start() < begins[0].start():
            raise self.fault((begins or ends)[0].start(), "a marker of envref without its other one; delete it by hand")
        return begins[0].start(), ends[0].end()

    def _entry_lines(self, kind: str) -> list[str]:
        span = self._entry_span(kind)
        return self.text[span[0] : span[1]].rstrip().split("\n") if span else []

    def _about(self, path: Path) -> int:
        """The offset of what stands at the path, for a message."""
        span = self._value_span(path) if self.value(path) is not None else None
        if span:
            return span[0]
        return next((header.start() for header in self._headers(path)), 0)

    def _value_span(self, path: Path) -> tuple[int, int] | None:
        """Where the text of the value at the path begins and ends: there another value changes the file's text."""
        document = tomlkit.parse(self.text)
        container: Any = document
        for key in path[:-1]:
            container = container[key]
        text = "0" if isinstance(self.value(path), str | dict) else '"0"'
        container[path[-1]] = tomlkit.value(text)
        other = tomlkit.dumps(document)
        start = _alike(self.text, other)
        rest = _alike(self.text[:start:-1], other[:start:-1]) if start else 0
        return (start, len(self.text) - rest) if other[start : len(other) - rest] == text else None

    def _only(self, text: str, paths: Sequence[Path]) -> Manifest:
        """The manifest with this text. Raises EnvrefError if anything changed that is not below these paths."""
        edited = self._if_only(text, paths)
        if edited is None:
            raise EnvrefError(f"{self.name}: envref would change more than its own lines here; nothing was changed")
        return edited

    def _if_only(self, text: str, paths: Sequence[Path]) -> Manifest | None:
        try:
            edited = Manifest(text.replace("\n", "\r\n") if self._crlf else text, self.name)
        except EnvrefError:
            return None
        return edited if _without(edited.data, paths) == _without(self.data, paths) else None


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _literal(written: str) -> tuple[str, str]:
    """Opening and body of a string that is its own text; empty for any other. An empty one has to have two lines."""
    opening = re.match(r"'''(?:\r?\n)?", written)
    if opening is None or len(written) < 6 or written == "''''''":
        return "", ""
    return opening[0], written[opening.end() : -3]


def _assigned(key: str, text: str) -> str:
    return f"{key} = '''\n{text}\n'''"


def _dotted(path: Path) -> str:
    return r"[ \t]*\.[ \t]*".join(rf"""(?:{key}|"{key}"|'{key}')""" for key in map(re.escape, path))


def _without(data: Mapping[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    """The data without what is below the paths, and without tables that are empty then."""
    rest = copy.deepcopy(dict(data))
    for path in paths:
        _cut(rest, path)
    return rest


def _cut(table: dict[str, Any], path: Path) -> None:
    key, *rest = path
    if not rest:
        table.pop(key, None)
    elif isinstance(table.get(key), dict):
        _cut(table[key], tuple(rest))
        if not table[key]:
            del table[key]


def locate(root: str) -> str:
    """The manifest of the Flox environment around a project, from its root upwards. Raises EnvrefError."""
    directory = os.path.abspath(root)
    while not os.path.lexists(os.path.join(directory, PLACE)):
        if directory == os.path.dirname(directory):
            raise EnvrefError(f"no {PLACE} in {shown(root)} or above", run="flox init")
        directory = os.path.dirname(directory)
    return os.path.join(directory, PLACE)


def folder(path: str, root: str) -> str:
    """The folder that no symlink may lead out of when the manifest at `path` is edited."""
    path = os.path.abspath(path)
    if path.startswith(os.path.join(root, "")):
        return root
    return path.removesuffix(os.sep + PLACE) if path.endswith(os.sep + PLACE) else os.path.dirname(path)


def read(path: str, name: str, *, inside: str) -> Manifest:
    """The manifest at `path`. Raises EnvrefError for a file that can't be read, or that is not to be touched."""
    real = os.path.realpath(path)
    if not real.startswith(os.path.join(os.path.realpath(inside), "")):
        raise EnvrefError(f"refusing to read {name}: it is a symlink to {shown(real)}, outside the project")
    if os.path.lexists(real) and not os.path.isfile(real):
        raise EnvrefError(f"refusing to read {name}: it is not a regular file")
    try:
        with open_file(real) as file:
            data = file.read()
    except OSError as error:
        raise EnvrefError(f"reading {name}: {error.strerror}") from None
    return Manifest(_decoded(data, name), name)


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
    raise MalformedFile([Problem(name, line, column, "not valid UTF-8")])


def change(path: str, name: str, edit: Callable[[Manifest], Manifest], *, inside: str) -> tuple[Manifest, Manifest]:
    """Replaces the file by what `edit` makes of it, if that is another text; what was there and what is there now."""
    with atomic.lock(path, inside=inside):
        old = read(path, name, inside=inside)
        new = edit(old)
        if str(new) != str(old):
            atomic.write(path, str(new).encode(), inside=inside)
    return old, new
