"""Every error says what to do next, and nothing takes an error's sentence apart: read in the source."""

from __future__ import annotations

import ast
import functools
import pathlib
import re

from tests.requirements import first_python

pytestmark = first_python

PACKAGE = pathlib.Path(__file__).parent.parent / "envref"

# Kinds of errors whose cure is said elsewhere, or by all of the kind.
KINDS = {
    "UsageError": "the line below it names the command's --help (commands.md 1.4)",
    "MalformedFile": "each problem points at its line",
    "TemplateError": "becomes a problem that points at its line",
    "InvalidReference": "says which part of the reference is wrong, or how it is written",
    "InvalidSchema": "says which member of which key is wrong",
    "SecretNotFound": "who asked composes the command that sets it",
    "Unencodable": "says what the format can't hold",
    "Unwritable": "ends in the form of block that can hold it",
    "Untrusted": "its lines are those of security.md 5.6",
}
# What makes a sentence its own cure.
SENTENCES = {
    "the words of the system, a store or another program": r"strerror|_reason\(|excerpt|\.lower\(\)|\{error|\{says",
    "the rule that it breaks": r"must|needs|only|expected|larger|longer|more than|not (a|the|own|one of) |which the",
    "what is allowed": r"valid|configured:|one of",
    "a cure after a semicolon or in brackets": r"; |\((use|add|found) |set ",
    "composed of another sentence": r"\{reason\}|\{fault|name_rule|\{what\}|\{first\.|\.message|problem\(",
}
# The others, each with the reason why nothing is added.
NOTHING_TO_ADD = {
    ("backends/keychain/keyring.py", "this keychain does not say when an entry was written"): "nobody can change that",
    ("backends/vault/age.py", "vault: wrong passphrase"): "commands.md 13, row 6",
    ("backends/vault/ancestor.py", "vault: wrong passphrase"): "commands.md 13, row 6",
    ("backends/vault/lifecycle.py", "vault is already locked"): "it is as it was wanted",
    ("checks/leaks.py", "…: no such file or directory"): "the path is what was typed",
    ("cli/variable.py", 'key "…" not found…'): "the near name follows (commands.md 2.3)",
    ("env/environment.py", 'key "…" not found…'): "the near name follows (commands.md 2.3)",
    ("secrets/adoption.py", 'key "…" not found in …'): "the name is what was typed",
}
CURES = {"run", "hint", "advice"}


@functools.cache  # every worker imports this file
def trees():
    """All of envref, parsed, by file."""
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}


def family():
    """The names of EnvrefError and of every class below it."""
    known = {"EnvrefError"}
    classes = [node for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for _ in classes:
        known |= {each.name for each in classes if {ast.unparse(base) for base in each.bases} & known}
    return known


def made():
    """Where an error is made: file and call."""
    classes = family()
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes and node.args:
                yield file, node


def test_every_error_has_a_cure():
    """A command, a hint, or a sentence that is its own cure; the rest is listed, exactly."""
    bare = set()
    for file, call in made():
        text = ast.unparse(call.args[0])
        if {keyword.arg for keyword in call.keywords} & CURES or call.func.id in KINDS:
            continue
        if not any(re.search(pattern, text) for pattern in SENTENCES.values()):
            bare.add((file, re.sub(r"\{.*?\}", "…", text).strip("f'\"")))
    assert bare == set(NOTHING_TO_ADD)


APART = re.compile("r?partition|split(lines)?|remove(prefix|suffix)|replace|(starts|ends)with|find")
SENTENCE = re.compile(r"(\.(message|fact|reason|hint|note|advice)|^str\(\w*error\)|^(message|sentence))$")


def test_nothing_takes_a_sentence_apart():
    """An error has a subject, a fact and cures; who wants one of them asks for it."""
    apart = []
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and APART.fullmatch(node.func.attr):
                searched = [node.func.value]
            elif isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
                searched = node.comparators
            else:
                continue
            apart += [(file, node.lineno) for each in searched if SENTENCE.search(ast.unparse(each))]
    assert apart == []


def test_prose_never_travels_in_a_command():
    """`run` is a tuple of words: no blank, and nothing of a shell, in one that envref wrote."""
    runs = [
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg in ("run", "then") and isinstance(node.value, ast.Tuple)
    ]
    words = [part.value for run in runs for part in ast.walk(run) if isinstance(part, ast.Constant)]
    assert len(words) > 50
    assert [word for word in words if re.search(r"[\s;&|]", str(word))] == []


def test_words_are_quoted_in_one_place():
    """Nothing but errors.py makes a line of words; four files read lines that a person wrote."""
    imports = [
        (file, node) for file, tree in trees().items() for node in ast.walk(tree) if isinstance(node, ast.Import)
    ]
    assert {file for file, node in imports if node.names[0].name == "shlex"} == {
        *("cli/shell_words.py", "cli/edit.py", "flox/services.py", "secrets/hook_commands.py"),
    }
