"""docs/reference/errors.toml, and the reading of the code that docs/reference/errors.md is made from."""

from __future__ import annotations

import ast
import itertools
import re

import click
import pytest

from envref.cli.commands import envref
from tests import messages, reference

KNOWN = reference.known()
ENTRIES = [entry for group in reference.told() for entry in group["entry"]]

# What tells something that is told elsewhere: it was made there, or is another program's.
PASSED_ON = {
    "streams.warn(warning)",
    "Complaint('(403)', BackendDenied)",
    "faults.append(error)",
    "faults += [] if passphrase.can_be_asked() else [passphrase.unattended()]",
    "self.warnings += getattr(self._backend, 'warnings', ())",
    "BackendError(self.backend.absent(address))",
    "f'error: {error.message}'",
    "UsageError(error.message)",
    "EnvrefError(f'{variable}: {str(error).lower()}')",
    "EnvrefError(store.signed(BackendError(store.backend.absent(address))).message, run=run)",
    "EnvrefError(missing.reason, run=run)",
    "BackendError(store.backend.absent(address))",
    "self._findings.warnings += self._findings.unknown_types",
    "findings.warnings += findings.tokens if git.tracks(*os.path.split(sources.path)) else []",
    "Problem(self.file, self.line, self.column, text)",
    "self.faults += map(from_problem, error.problems)",
    "self.faults.append(_outside(self.project, name))",
    "self.faults.append(from_error(name, told, _READABLE))",
    "_about(entry, reference.message, 'write ref://<backend>/<path>, \"secrets\" for any backend')",
    "Finding(warning.file, warning.text, hint=hint, line=warning.line, column=warning.column)",
    "Finding(problem.file, problem.text, hint=_CORRECT, line=problem.line, column=problem.column)",
    "Finding(subject, error.message, hint=error.hint or said)",
    "Finding(subject, error.message, run=error.run)",
    "Finding(FILE, warning, hint=f'correct {FILE}')",
    "self._source.problem(self._offset(offset), text, value=self.start, hide=hiding(self.name))",
    "self.warnings.append(Problem(self.source.file, *self.source.position(offset), text))",
    "entry.problem(error.offset, error.message)",
    "f'error: {self.message}'",
    "f'error: {fault}'",
    "f'warning: {heading}'",
    "f\"error: {error['key']}: {error['message']}\"",
    "faults += reading.faults",
    "f'error: {self.prefix}{problem}'",
    "variable.entry.problem(0, f'{named}{error.message}; {cure}' if cure else f'{named}{error.message}')",
    "EnvrefError(f'{variable.name}: {first.message}')",
    "SecretNotFound(self._store.backend.absent(self.address(key)))",
    "EnvrefError(f'{what}: {error.message}', run=error.run, hint=error.hint)",
    "self._store.warnings.append(warning)",
    "UsageError(f'{os.path.basename(path)}:{number}:1: {error.message}', hint=error.hint)",
    "Problem(self.file, *self.position(offset), text, source)",
    "f'warning: {text}'",
}


def test_every_message_has_its_cause_and_its_cure():
    """Whoever adds a message says in errors.toml where it comes from and what to do (issue 6)."""
    entered = {text for entry in ENTRIES for text in entry["messages"]}
    missing = [
        f"{message.text!r} ({', '.join(message.places)})" for text, message in KNOWN.items() if text not in entered
    ]
    assert not missing, "add to docs/reference/errors.toml:\n" + "\n".join(missing)
    assert all(entry["cause"] and reference.cure(entry) for entry in ENTRIES)


def test_no_entry_explains_a_message_that_nobody_gets():
    """A message that was reworded or taken away leaves errors.toml too."""
    stale = [text for entry in ENTRIES for text in entry["messages"] if text not in KNOWN]
    assert not stale, "not in the code any more; take it out of docs/reference/errors.toml:\n" + "\n".join(stale)


def test_a_message_is_explained_once():
    """Two explanations would come to differ."""
    entered = [text for entry in ENTRIES for text in entry["messages"]]
    assert len(entered) == len(set(entered))


def parsed(calls):
    """The calls as trees: Pythons don't agree on the quotes in which they write one."""
    return {ast.dump(ast.parse(call)) for call in calls}


def test_what_the_reader_of_the_code_can_not_read_is_known():
    """A message in a form that tests/messages.py can't follow fails here, and does not go missing on the page."""
    assert parsed(messages.collect().passed_on) == parsed(PASSED_ON)


def test_commands_in_cures_are_commands_of_envref():
    """`envref vault passwd` in a cure can be typed: the command exists, with each option."""
    cures = itertools.chain.from_iterable(re.findall("`(envref [^`]+)`", reference.cure(entry)) for entry in ENTRIES)
    commands = list(cures)
    assert len(commands) > 50
    for command in commands:
        _check_command(command)


def _check_command(text):
    words, command, context = text.split(", ")[0].split()[1:], envref, click.Context(envref, info_name="envref")
    while words and isinstance(command, click.Group) and not words[0].startswith("-") and words[0] != "COMMAND":
        command = command.get_command(context, words.pop(0))
        assert command, text
    options = {word for option in [*command.params, *envref.params] for word in getattr(option, "opts", ())} | {
        "--help"
    }
    if words[:1] != ["COMMAND"]:
        assert not {word for word in words if word.startswith("-") and word != "--"} - options, text


# Where messages stand in the documentation as envref prints them, tested by the transcripts.
PRINTED = [
    (path, line)
    for path in [*reference.ROOT.glob("docs/*.md"), *reference.ROOT.glob("tests/cli/**/*.md")]
    for line in path.read_text(encoding="utf-8").splitlines()
    if line.startswith(("error: ", "warning: ")) and not line.endswith("…")
    if path.stem not in ("validate", "validation")  # docs/validation.md explains what `validate` says of values
]


def test_what_a_transcript_shows_is_on_the_page():
    """The reading of the code finds what people really get: every error and warning of the transcripts."""
    shapes = [re.compile(_shape(text)) for text in KNOWN if len(messages.PLACEHOLDER.sub("", text)) > 8]
    assert len(PRINTED) > 40
    unknown = [
        f"{path.name}: {line}" for path, line in PRINTED if not any(shape.fullmatch(_bare(line)) for shape in shapes)
    ]
    assert not unknown, "\n".join(unknown)


def _shape(text):
    pieces = [re.escape(piece) for piece in messages.PLACEHOLDER.split(text)]
    return rf"(?:\S+:\d+:\d+: |\w+: )?{'.*'.join(pieces)}(?: \(backend \".*\"\))?(?:; run: .*)?"


def _bare(line):
    """Without what says only where, or what was tried; of several faults the first."""
    line = re.sub("^(error|warning): ", "", line)
    line = re.sub(r"^\S+: failed to resolve \S+: ", "", line)
    line = re.sub('^((retrieving|storing|deleting) secret: |backend "[^"]*": )+', "", line)
    head, _, faults = line.partition("loading config: invalid config: ")
    return line if head else faults.split("; ")[0]


CODE = {
    "a text": ('raise EnvrefError("no such thing")', {"no such thing"}),
    "a value in it": ('raise EnvrefError(f"no {thing.name}: {error.strerror}")', {"no NAME: REASON"}),
    "a constant in it": ('raise EnvrefError(f"at most {MOST} of them")', {"at most 5 of them"}),
    "one of two": ('raise EnvrefError("one of them" if x else "the other one")', {"one of them", "the other one"}),
    "a variable": ('said = "no such thing"\n    raise EnvrefError(said)', {"no such thing"}),
    "what a function returns": ("raise EnvrefError(fault())", {"the first fault", "the second fault"}),
    "what a caller passes": ("say('no such thing')", {"no such thing"}),
    "a child's own words": ("raise Special(thing, 'is not here')", {"THING: value is not here"}),
    "a warning": ('streams.warn(f"{path}: skipped")', {"PATH: skipped"}),
    "a list of faults": ('findings.faults.append("must be text")', {"must be text"}),
    "a fault in a file": ('Problem(file, 1, 1, "expected more")', {"expected more"}),
}


@pytest.mark.parametrize(("statement", "texts"), CODE.values(), ids=CODE)
def test_a_message_is_read_from(statement, texts, tmp_path, monkeypatch):
    """Each form in which the code gives a message."""
    (tmp_path / "module.py").write_text(
        "MOST = 5\n"
        "class EnvrefError(Exception): pass\n"
        "class Special(EnvrefError):\n"
        "    def __init__(self, name, reason):\n        super().__init__(f'{name}: value {reason}')\n"
        "def fault():\n    if x: return 'the first fault'\n    return 'the second fault'\n"
        "def say(text):\n    raise EnvrefError(text)\n"
        f"def told(thing, path, error):\n    {statement}\n"
    )
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    assert {message.text for message in messages.collect().messages} == texts


def test_a_cure_is_read_with_its_message(tmp_path, monkeypatch):
    """A command is shown as code, a hint as a sentence."""
    source = (
        "class EnvrefError(Exception): pass\ndef f(key):\n    raise EnvrefError('none', run=f'set {key}', hint='do')\n"
    )
    (tmp_path / "module.py").write_text(source)
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    [message] = messages.collect().messages
    assert message.cures == ("`set KEY`", "do")
