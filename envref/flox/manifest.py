"""Manifest: a Flox manifest that is read whole, changed in a few places and otherwise kept to the byte (flox.md 7).

`toml_text` finds the place of an edit and checks it: nothing may change but what was meant to.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from envref.errors import EnvrefError, MalformedFile, Problem
from envref.flox import block, schema_version, toml_text
from envref.flox.block import SHELLS
from envref.flox.schema_version import V1
from envref.flox.toml_text import Path, Wanted

HOOK: Path = ("hook", "on-activate")
GOODBYE: Path = ("hook", "on-deactivate")
PROFILE: dict[str, Path] = {shell: ("profile", shell) for shell in SHELLS}
UNDO: dict[str, Path] = {shell: ("profile", "deactivate", shell) for shell in SHELLS}
# A table becomes empty only after the table below it is gone.
SCRIPTS = (HOOK, GOODBYE, *UNDO.values(), *PROFILE.values())
PLUGIN: Path = ("plugins", "envref")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # all that toml.io bars from a literal
_BY_HAND = "change these lines by hand: envref flox-hook shows them"


class Manifest:
    """A manifest's text; `name` is what messages call the file. Raises EnvrefError for one that envref must not touch.

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
        """What its owner should know, although it is not a reason to stop."""
        found = []
        if self.schema > schema_version.NEWEST:
            newest = schema_version.written(schema_version.NEWEST)
            found.append(f"{self.name}: schema-version is newer than the newest that envref knows ({newest})")
        if "\r\n" in self.text:
            found.append(
                f"{self.name}: some line ends are CRLF, which Flox hands to the shells as they are; LF is safe"
            )
        return found

    def value(self, path: Path) -> Any:
        """The value at the path, or None."""
        return toml_text.at(self.data, path)

    def table(self, path: Path) -> dict[str, Any]:
        """The table at the path, empty if nothing is there. Raises MalformedFile for anything else."""
        value = self.value(path)
        if value is not None and not isinstance(value, dict):
            raise self.fault(self._about(path), f"{'.'.join(path)} is not a table")
        return value or {}

    def blocks(self) -> dict[Path, str]:
        """The scripts that hold a block of envref, and the word in its markers."""
        found = {path: self.value(path) for path in SCRIPTS}
        spans = {path: block.find(script) for path, script in found.items() if script is not None}
        return {path: span.kind for path, span in spans.items() if span}

    def with_block(self, path: Path, text: str) -> Manifest:
        """The manifest with the block in this script; adds the script if needed.

        Raises MalformedFile if the file's line ends are CRLF: Flox passes them on, bash finds a syntax error in the
        block, and the activation goes on without secrets, in strict mode too.
        """
        if self._crlf:
            place = self.text.index("\n")
            raise self.fault(place, "line ends are CRLF, with which no shell runs a block; convert the file to LF")
        if self.value(path) is not None:
            return self._with_script(path, lambda script: block.put(script, text))
        edited = self._with_bare_script(path, text) or self._edited(
            toml_text.with_key(self.text, path, f"'''\n{text}\n'''"), {path: f"{text}\n"}
        )
        if edited is None:
            raise self.fault(self._about(path[:-1]), f"no place for {'.'.join(path)}; add the key, with an empty value")
        return edited

    def _with_bare_script(self, path: Path, text: str) -> Manifest | None:
        """The manifest with a new script in the user's empty table; it has no final line end, to remember that."""
        bare = [each for each in toml_text.headers(self.text, path[:-1]) if toml_text.is_empty_below(self.text, each)]
        proposals = [toml_text.below(self.text, header, f"{path[-1]} = '''\n{text}'''") for header in bare]
        return self._edited(proposals, {path: text})

    def without_block(self, path: Path) -> Manifest:
        """The manifest without the block in this script, and without the script and its table if a block made them."""
        script = self.value(path)
        if script is None or block.find(script) is None:
            return self
        without_key = (
            self._edited(toml_text.without_key(self.text, path), {path: None}) if block.is_only(script) else None
        )
        if without_key is None:
            return self._with_script(path, block.take)
        # A script without a final line end was put into an empty table of the user's: see `_with_bare_script`.
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
        old = self._entry_lines(kind)
        if old == [begin, *lines, end]:
            return self
        text = "\n".join([begin, *lines, end])
        others = {name: value for name, value in self.table(PLUGIN).items() if name not in self.entries(kind)}
        edited = self._edited(self._with_entry_lines(kind, text), {PLUGIN: {**others, **entries}})
        if edited is None and not old:
            raise self.fault(self._about(PLUGIN), "envref writes to a table of its own; write it as [plugins.envref]")
        return self._made(edited)

    def without_entries(self, kind: str) -> Manifest:
        """The manifest without the text between the markers of this kind, and without the table if that is all."""
        span = self._entry_span(kind)
        if span is None:
            return self
        # The line end before the block belongs to the block.
        edited = self.with_text(self.text[: span[0] - 1] + self.text[span[1] :], below=[PLUGIN])
        return edited if edited.value(PLUGIN) else edited.without_empty_table(PLUGIN)

    def with_schema(self, schema: tuple[int, int, int]) -> Manifest:
        """The manifest under this schema or the one it has, whichever is newer."""
        if self.schema >= schema:
            return self
        key = "version" if self.schema == V1 else "schema-version"
        start, end = toml_text.span(self.text, (key,)) or (0, 0)
        before, number = self.text[:start], schema_version.written(schema)
        if self.schema == V1:
            before = re.sub(r"""(["']?)version\1(?=[ \t]*=[ \t]*$)""", "schema-version", before)
        edited = self._edited(
            [f'{before}"{number}"{self.text[end:]}'], {("version",): None, ("schema-version",): number}
        )
        return self._made(edited)

    def with_text(self, text: str, *, below: Iterable[Path]) -> Manifest:
        """The manifest with this text. Raises EnvrefError if anything differs that is not at or below these paths."""
        return self._made(self._edited([text], dict.fromkeys(below, toml_text.ANYTHING)))

    def fault(self, offset: int, text: str) -> MalformedFile:
        """The error about what stands at this offset."""
        line = self.text.count("\n", 0, offset) + 1
        column = offset - (self.text.rfind("\n", 0, offset) + 1) + 1
        return MalformedFile([Problem(self.name, line, column, text)])

    def _parsed(self) -> dict[str, Any]:
        try:
            data, is_kept = tomllib.loads(self.text), toml_text.is_kept(self.text)
        except (tomllib.TOMLDecodeError, TOMLKitError) as error:
            raise toml_text.fault(self.text, self.name, str(error)) from None
        if not is_kept:
            raise self._refusal()
        return data

    def _schema(self) -> tuple[int, ...]:
        try:
            return schema_version.version_of(self.data)
        except schema_version.UnusableVersion as unusable:
            raise self.fault(self._about((unusable.key,)) if unusable.key else 0, unusable.text) from None

    def _check_scripts(self) -> None:
        for table in ("hook", "profile", "plugins"):
            self.table((table,))
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
            except block.BrokenMarkers as broken:
                where = self._line_of_script(path, broken.line)
                raise self.fault(where, f"{broken.text}; delete what is left of it by hand") from None

    def _line_of_script(self, path: Path, number: int) -> int:
        """The offset of a line of the script, or of the whole value if its lines are not lines of the file."""
        start, end = toml_text.span(self.text, path) or (0, 0)
        opening, body = _literal(self.text[start:end])
        if not opening:
            return start
        before = "".join(body.splitlines(keepends=True)[:number])
        line = body[len(before) :]
        return start + len(opening) + len(before) + len(line) - len(line.lstrip(" \t"))

    def _with_script(self, path: Path, edit: Callable[[str], str]) -> Manifest:
        """The manifest with the script as `edit` makes it. One that can't be edited in place becomes a ''' string."""
        start, end = toml_text.span(self.text, path) or (0, 0)
        opening, body = _literal(self.text[start:end])
        if not opening:
            opening, body = "'''\n", self.value(path)
            if edit(body) != body:
                self._check_literal(body, path, start)
        script = edit(body)
        if script == body:
            return self
        text = toml_text.replaced(self.text, path, f"{opening}{script}'''")
        return self._made(None if text is None else self._again(text))

    def _check_literal(self, script: str, path: Path, start: int) -> None:
        text = f"{'.'.join(path)} would have to become a ''' string, which can't hold "
        if "'''" in script:
            raise self.fault(start, text + "'''; write it otherwise, e.g. with \"\"")
        if _CONTROL.search(script):
            raise self.fault(start, text + "control characters; write them as escapes of the shell")

    def _with_entry_lines(self, kind: str, text: str) -> Iterator[str]:
        """Proposals: these lines in the place of the old ones, after those of the other kind, or in the table."""
        old = self._entry_span(kind)
        if old:
            yield f"{self.text[: old[0]]}{text}{self.text[old[1] :]}"
            return
        other = self._entry_span("plugin") or self._entry_span("import")
        if other:
            yield f"{self.text[: other[1]]}\n{text}{self.text[other[1] :]}"
        for header in toml_text.headers(self.text, PLUGIN):
            yield toml_text.below(self.text, header, text)
        yield toml_text.with_table(self.text, PLUGIN, text)

    def without_empty_table(self, table: Path) -> Manifest:
        """The manifest without the header of this table, if nothing is left below it, not even a comment."""
        gone = {} if self.value(table) else {table: None}  # tables below it may have their own headers
        return self._edited(toml_text.without_header(self.text, table), gone) or self

    def _entry_span(self, kind: str) -> tuple[int, int] | None:
        """Where the block of this kind is among the tables, without its last line end."""
        begins = list(re.finditer(rf"^# >>> envref {kind} v\d+ >>>.*$", self.text, re.MULTILINE))
        ends = list(re.finditer(rf"^# <<< envref {kind} v\d+ <<<[ \t]*$", self.text, re.MULTILINE))
        if not begins and not ends:
            return None
        if len(begins) > 1 or len(ends) > 1:
            raise self.fault(
                (begins if len(begins) > 1 else ends)[1].start(), "envref's marker is here a second time; delete one"
            )
        if not begins or not ends or ends[0].start() < begins[0].start():
            raise self.fault((begins or ends)[0].start(), "this marker of envref has no partner; delete it by hand")
        return begins[0].start(), ends[0].end()

    def _entry_lines(self, kind: str) -> list[str]:
        span = self._entry_span(kind)
        return self.text[span[0] : span[1]].rstrip().split("\n") if span else []

    def _about(self, path: Path) -> int:
        """The offset of the value at the path, for a message."""
        span = toml_text.span(self.text, path) if self.value(path) is not None else None
        if span:
            return span[0]
        return next((header.start() for header in toml_text.headers(self.text, path)), 0)

    def _edited(self, proposals: Iterable[str], wanted: Wanted) -> Manifest | None:
        """The manifest with the first of the texts that reads as this one with the wanted values; None without any."""
        text = toml_text.chosen(self.text, proposals, wanted)
        return None if text is None else self._again(text)

    def _again(self, text: str) -> Manifest:
        return Manifest(text.replace("\n", "\r\n") if self._crlf else text, self.name)

    def _made(self, edited: Manifest | None) -> Manifest:
        """The edited manifest. Raises EnvrefError if no edit works."""
        if edited is None:
            raise self._refusal()
        return edited

    def _refusal(self) -> EnvrefError:
        return EnvrefError(
            f"{self.name}: envref would change more than its own lines here; nothing was changed", hint=_BY_HAND
        )


def _literal(written: str) -> tuple[str, str]:
    """Opening and body of a string that is written as it reads; empty for others. An empty string needs two lines."""
    opening = re.match(r"'''(?:\r?\n)?", written)
    if opening is None or written == "''''''":
        return "", ""
    return opening[0], written[opening.end() : -3]
