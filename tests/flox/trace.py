"""The record of an activation, as Flox 1.15 keeps it: what each export did to a variable, not what came of it.

The format, and which operation a change is, are those of `pkgs/flox-interpreter/bash-5.3-envtrace.patch` (its header);
what is ignored and how it is done again are those of `cli/flox-activations/src/env_trace.rs`. No Flox is here: the
patched bash is imitated by functions that stand before `export` and `unset`, so that a shell in POSIX mode, which finds
the builtins first, is recorded by its environment before and after only.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# env_trace.rs: IGNORED_VARS and BASH_EXPORTED_FUNC_PREFIX. SHLVL: the simulator itself starts one shell more.
_IGNORED = ("_", "SHELLOPTS", "PWD", "OLDPWD", "SHLVL")
_ESCAPED = re.compile(r"[\\\x00-\x1f]")
_WHOLE = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}

# Each change as five texts ended by NUL: name, "=" if a value was assigned, the value before and after behind a colon
# or `@` for none, and whatever asks for a `reset`.
RECORDING = """\
_flox_sim_now() {{
  _flox_sim_value=@
  if [[ $1 == [A-Za-z_]* && -v $1 && ${{!1@a}} == *x* ]]; then _flox_sim_value=":${{!1}}"; fi
}}
_flox_sim_change() {{
  local _flox_sim_word _flox_sim_old _flox_sim_value _flox_sim_how _flox_sim_status=0
  local -a _flox_sim_options=()
  while [[ ${{2-}} == -* ]]; do _flox_sim_options+=("$2"); set -- "$1" "${{@:3}}"; done
  if [[ $# == 1 || ${{_flox_sim_options[*]-}} == *f* ]]; then
    builtin "$1" "${{_flox_sim_options[@]}}" "${{@:2}}"
    return
  fi
  for _flox_sim_word in "${{@:2}}"; do
    _flox_sim_how=
    if [[ $_flox_sim_word == *=* ]]; then _flox_sim_how==; fi
    _flox_sim_now "${{_flox_sim_word%%=*}}"
    _flox_sim_old="$_flox_sim_value"
    builtin "$1" "${{_flox_sim_options[@]}}" "$_flox_sim_word" || _flox_sim_status=$?
    _flox_sim_now "${{_flox_sim_word%%=*}}"
    printf '%s\\0' "${{_flox_sim_word%%=*}}" "$_flox_sim_how" "$_flox_sim_old" "$_flox_sim_value" \\
      "${{BASH_ENVTRACE_RESET-}}" >>{log}
  done
  return "$_flox_sim_status"
}}
export() {{ _flox_sim_change export "$@"; }}
unset() {{ _flox_sim_change unset "$@"; }}
"""
NO_RECORDING = "builtin unset -f export unset _flox_sim_change _flox_sim_now\n"


class Record(NamedTuple):
    """One operation. `old` is the start's own value and never replayed; `operand` is None for `unset`."""

    op: str
    name: str
    old: str | None
    operand: str | None


def recorded(raw, before, after):
    """The records of a start: what `RECORDING` wrote, and any other change between the two environments."""
    texts = raw.decode("utf-8", "surrogateescape").split("\0")[:-1]
    records = []
    for name, assigned, old, new, again in zip(*[iter(texts)] * 5, strict=True):
        records += _records(name, _value(old), _value(new), assigned=assigned.startswith("="), again=bool(again))
    additions, deletions = replayed(records, before)
    known = {**before, **additions}
    for name in {**known, **after}:
        old = None if name in deletions else known.get(name)
        records += _records(name, old, after.get(name), assigned=False, again=False)
    return [record for record in records if not is_ignored(record.name)]


def is_ignored(name):
    return name in _IGNORED or name.startswith(("BASH_FUNC_", "BASH_ENVTRACE_"))


def _value(field):
    return field[1:] if field.startswith(":") else None


def _records(name, old, new, *, assigned, again):
    """The patch's header: an empty old value is a beginning of any; a beginning comes before an end."""
    if new is None:
        return [] if old is None else [Record("unset", name, old, None)]
    if old is None:
        return [Record("set", name, None, new)]
    if old == new:
        return [Record("reset" if again else "set-if-absent", name, old, new)] if assigned else []
    if new.startswith(old):
        return [Record("append", name, old, new[len(old) :])]
    if new.endswith(old):
        return [Record("prepend", name, old, new[: len(new) - len(old)])]
    return [Record("updated", name, old, new)]


def replayed(records, environment):
    """What the records set and unset in a shell of this environment (env_trace.rs, generate_diff_from_trace)."""
    effects = {}
    for op, name, _, operand in records:
        current = effects[name] if name in effects else environment.get(name)
        if op == "unset":
            effects[name] = None
        elif op == "append":
            effects[name] = (current or "") + operand
        elif op == "prepend":
            effects[name] = operand + (current or "")
        elif op != "set-if-absent" or current is None:
            effects[name] = operand
    additions = {name: value for name, value in effects.items() if value is not None}
    return additions, [name for name, value in effects.items() if value is None]


def written(records):
    """The text of `envtrace.log`: a line for each record, its six fields with 0x1f between them."""
    return "".join("\x1f".join(_fields(record)) + "\n" for record in records)


def _fields(record):
    exported = {"set": "01", "unset": "10"}.get(record.op, "11")
    values = ["@" if value is None else f":{_escaped(value)}" for value in (record.old, record.operand)]
    return ["1786544639.262486", record.op, exported, _escaped(record.name), *values]


def _escaped(text):
    return _ESCAPED.sub(lambda found: _WHOLE.get(found[0], f"\\x{ord(found[0]):02x}"), text)
