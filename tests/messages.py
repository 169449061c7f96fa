"""Every message that envref's code can tell a person, read from its source: what tests/reference.py makes a page of.

A message is followed from where it reaches a person (an error, a warning, a finding) back to the texts that it is made
of: through constants, variables, what functions return and what their callers pass. What only a run can tell is a
word in capitals, the name that the code has for it.
"""

from __future__ import annotations

import ast
import copy
import itertools
import pathlib
import re
from collections import defaultdict
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parent.parent / "envref"

# Where a text reaches a person: the callee, and which argument the text is. Errors are found by their class.
_SINKS = {"Problem": (3, "text"), "Missing": (0, "reason"), "warn": (0, "text")}
_FINDINGS = {"doctor": (1, "message"), "": (3, "reason")}  # by folder: doctor's Finding, and that of audit and leaks
_LISTS = ("warnings", "faults", "tokens", "unknown_types")  # .append or +=: they are told when all is checked
_SAID = ("error: ", "warning: ")  # a text that is written with its label
_TELLING = ("complaints",)  # functions whose lines are told
_NO_ERRORS = ("MalformedFile",)  # made of Problems

# Calls that tell what they are given, and which argument that is.
_SAME = {"printable": 0, "str": 0, "plain": 0, "list": 0, "tuple": 0, "map": 1, "sorted": 0, "shown": 0, "_pasted": 0}
_SAME |= {"_shown": 0, "basename": 0, "quote": 0, "next": 0, "excerpt": 0, "pasted": 0, "dict": 0}
_OF_ONE = ("len", "min", "max", "set", "dict", "dumps", "_typed", "S_IMODE", "hiding", "realpath", "expanduser", "_of")

# What the code's words are called on the page.
_SHOWN = {
    " (SERVER)": "SERVER",
    " …": "OF_PROFILE",
    "; did you mean …?": "SUGGESTION",
    "COLUMN": "COLNO",
    "COMMAND": "COMMAND_PATH",
    "EDITOR": "ARGV",
    "FILE": "CO_FILENAME ENV_FILE FILENAME GLOBAL_PATH SHOWN_GLOBAL_PATH USUAL",
    "FOLDER": "DIRNAME STATE_DIRECTORY",
    "FORMAT": "METADATA METADATA_OF",
    "KEY": "ADDRESS DIFFERENCE SCOPED_KEY UNKNOWN WRITTEN",
    "KEYS": "SPELT WRONG",
    "LINE": "LINENO LINE_OF_REFUSAL TB_LINENO",
    "MODE": "S_IMODE",
    "NAME": "ABOUT EFFECTIVE FOREIGN HIDE_RUNS LEFT_OUT REFUSED SELECTOR SHOWN STRIP",
    "NAMES": "CONFIGURED KNOWN NAMED OWN STORES UNFREE",
    "NUMBER": "ARGUMENTS BITS FAILED HELD RECEIVED",
    "OPTION": "LSTRIP OPTION_NAME",
    "OPTIONS": "GIVEN TOGETHER",
    "PATH": "ANCESTOR ENVIRON EXPANDUSER KEPT REMOVEPREFIX",
    "POSITION": "ENCODE START",
    "PREFIX": "RSTRIP",
    "PROFILE": "FIRST FORCED QUOTED",
    "REFERENCE": "PIECE",
    "RULE": "NAME_RULE",
    "TARGET": "REAL TARGET_OF",
    "TYPES": "BUILTIN",
    "VERSION": "DATA DOCUMENT",
    "WORD": "ARGS",
    "writing": "DOING",
    "…": "EACH ERROR GET_CLOSE_MATCHES MSG NEAR PROBLEM SAID TEXT WARNING WHAT WORDS",
}
_WORDS = {word: shown for shown, words in _SHOWN.items() for word in words.split()}

PLACEHOLDER = re.compile(r"\b(?!GITHUB_ENV|ENVREF_)[A-Z][A-Z_]{2,}…?|…+")
_DATA = ("label", "name", "key", "path", "file")  # parameters that are never prose
_SEVERAL = 16  # texts: more of them are named, not listed
_DEEPEST = 6


class Message(NamedTuple):
    """`text` as a person reads it, the cures that the code gives with it, and the file that says it."""

    text: str
    cures: tuple[str, ...]
    places: tuple[str, ...]

    def advice(self):
        """What the text itself says to do, after its semicolon."""
        said = self.text.rpartition("; ")[2] if "; " in self.text else ""
        return f"`{said.removeprefix('run: ')}`" if said.startswith("run: ") else said


class Messages(NamedTuple):
    """The messages, and the code of those places where no word of what they tell was found: what others say."""

    messages: list[Message]
    passed_on: set[str]


class _Module:
    """A file with what its names mean."""

    def __init__(self, path):
        self.path = path
        self.name = path.relative_to(ROOT).as_posix()
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.constants, self.functions, self.imports = {}, defaultdict(list), {}
        self.owner = {}
        self._walk(self.tree, None)

    def _walk(self, node, function):
        for child in ast.iter_child_nodes(node):
            self.owner[child] = function
            inner = function
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions[child.name].append(child)
                inner = child
            if isinstance(child, ast.Assign | ast.AnnAssign) and function is None and child.value:
                targets = child.targets if isinstance(child, ast.Assign) else [child.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        self.constants[target.id] = child.value
                    elif isinstance(target, ast.Tuple) and isinstance(child.value, ast.Tuple):
                        names = [each.id for each in target.elts]
                        self.constants.update(zip(names, child.value.elts, strict=True))
            if isinstance(child, ast.ImportFrom) and child.module and child.module.startswith("envref"):
                for alias in child.names:
                    self.imports[alias.asname or alias.name] = (child.module, alias.name)
            self._walk(child, inner)


class _Source:
    """All files, and the answers to "what may this expression be?"."""

    def __init__(self):
        self.modules = {module.name: module for module in map(_Module, sorted(ROOT.rglob("*.py")))}
        self.calls = defaultdict(list)
        self.classes = {}
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call):
                    self.calls[_name(node.func)].append((module, node))
                if isinstance(node, ast.ClassDef):
                    self.classes[node.name] = (module, node)

    def errors(self):
        """The classes of errors."""
        found = {"EnvrefError"}
        while True:
            more = {
                name
                for name, (_, node) in self.classes.items()
                if any(_name(base) in found for base in node.bases) and name not in found
            }
            if not more:
                return found - set(_NO_ERRORS)
            found |= more

    def module(self, dotted):
        path = dotted.removeprefix("envref").lstrip(".").replace(".", "/")
        return self.modules.get(f"{path}.py") or self.modules.get(f"{path}/__init__.py")

    def constant(self, module, name):
        """A constant's module and expression."""
        if name in module.constants:
            return module, module.constants[name]
        origin = self.module(module.imports[name][0]) if name in module.imports else None
        return (origin, origin.constants[name]) if origin and name in origin.constants else (None, None)

    def function(self, module, call):
        """The functions that a call may run: of this module, or the imported one."""
        name = _name(call.func)
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            owner = call.func.value.id
            if owner in module.imports:
                origin = self.module(".".join(module.imports[owner]))
                return [(origin, each) for each in origin.functions[name]] if origin else []
            if owner not in ("self", "cls"):
                return []
            if name not in module.functions:
                above = {self.module(origin) for origin, _ in module.imports.values()}
                return [
                    (other, each) for other in self.modules.values() if other in above for each in other.functions[name]
                ]
        elif not isinstance(call.func, ast.Name):
            return []
        if name in module.functions:
            return [(module, each) for each in module.functions[name]]
        origin = self.module(module.imports[name][0]) if name in module.imports else None
        return [(origin, each) for each in origin.functions[module.imports[name][1]]] if origin else []

    def texts(self, module, node, seen=()):
        """What an expression may be, as texts; a placeholder in capitals where only a run can tell."""
        if node is None or node in seen or len(seen) > _DEEPEST * 4:
            return []
        seen = (*seen, node)
        match node:
            case ast.Constant(value=value):
                return [] if value is None else [str(value)]
            case ast.JoinedStr(values=parts):
                return _product([self.part(module, part, seen) for part in parts])
            case ast.BinOp(op=ast.Add(), left=left, right=ast.Constant(value=int())):
                return self.texts(module, left, seen)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return _product([self.or_name(module, each, seen) for each in (left, right)])
            case ast.BinOp(op=ast.Mult(), left=ast.JoinedStr()):
                return [""]
            case ast.BinOp(op=ast.Mult() | ast.FloorDiv()):
                return self.number(module, node)
            case ast.IfExp(body=body, orelse=other):
                return _unique([*self.or_name(module, body, seen), *self.or_name(module, other, seen)])
            case ast.BoolOp(values=values):
                found = [text for each in values for text in self.texts(module, each, seen)]
                return _unique([text for text in found if text != '""'])
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                return _unique([text for each in items for text in self.texts(module, each, seen)])
            case (
                ast.ListComp(elt=ast.Name(id=name), generators=[each])
                | ast.GeneratorExp(elt=ast.Name(id=name), generators=[each])
            ):
                return [text for text in self.texts(module, each.iter, seen) if _is_prose(text)]
            case ast.ListComp(elt=item) | ast.GeneratorExp(elt=item):
                return self.texts(module, item, seen)
            case ast.Starred(value=value) | ast.NamedExpr(value=value):
                return self.texts(module, value, seen)
            case ast.Subscript(value=ast.Call() as call, slice=ast.Constant(value=int(index))):
                return _unique(
                    text
                    for origin, function in self.function(module, call)
                    for value in _returned(function)
                    if isinstance(value, ast.Tuple)
                    for text in self.texts(origin, value.elts[index], seen)
                )
            case ast.Subscript(value=value):
                return self.texts(module, value, seen)
            case ast.Dict(values=values):
                return _unique([text for each in values if each for text in self.texts(module, each, seen)])
            case ast.Name(id=name):
                return self.named(module, node, name, seen)
            case ast.Call():
                return self.called(module, node, seen)
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
                return self.attribute(module, attribute, seen)
        return []

    def number(self, module, node):
        try:
            names = {
                each.id: ast.literal_eval(self.constant(module, each.id)[1])
                for each in ast.walk(node)
                if isinstance(each, ast.Name)
            }
            return [str(eval(compile(ast.Expression(node), "", "eval"), {}, names))]
        except (ValueError, TypeError):
            return []

    def part(self, module, part, seen):
        if isinstance(part, ast.Constant):
            return [part.value]
        found = self.or_name(module, part.value, seen)
        if part.format_spec and ast.unparse(part.format_spec) == "f'g'":
            return [text.removesuffix(".0") for text in found]
        return found

    def or_name(self, module, node, seen):
        found = self.texts(module, node, seen)
        if not found or len(found) > _SEVERAL or (found == [""] and isinstance(node, ast.Name | ast.Call)):
            return [_placeholder(node)]
        return found

    def named(self, module, node, name, seen):
        function = module.owner.get(node)
        while function is not None:
            values = list(_assigned(function, name))
            values += [each for each in _looped(function, name) if isinstance(each, ast.Tuple)] if values else []
            if values:
                assigned = [self.lengthened(module, function, name, value, seen) for value in values]
                known = [text for texts in assigned for text in texts]
                return _unique(known if all(assigned) or not known else [*known, _placeholder(node)])
            parameters = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
            if name in parameters or name in [each.arg for each in function.args.kwonlyargs]:
                return self.passed(function, name, seen)
            looped = [text for value in _looped(function, name) for text in self.texts(module, value, seen)]
            if any(" " in text for text in looped):
                return _unique([text for text in looped if " " in text])
            if _is_bound(function, name):
                return []
            function = module.owner.get(function)
        origin, value = self.constant(module, name)
        return self.texts(origin, value, seen) if value is not None else []

    def lengthened(self, module, function, name, value, seen):
        """What is assigned, with what the lines below add to it."""
        found = self.texts(module, value, seen)
        if all(text.isdigit() for text in found):
            return []
        last = max(_line(each) for each in _assigned(function, name)) == _line(value)
        added = [self.or_name(module, each, seen) for each in _added(function, name)] if last else []
        return _product([found, *added])

    def passed(self, function, name, seen):
        """What callers pass for a parameter; only texts with a blank in them, others are data."""
        if name in _DATA:
            return []
        found = []
        home = next(module for module in self.modules.values() if function in module.functions[function.name])
        for module, call in self.calls[function.name] if function.name != "__init__" else ():
            if (home, function) not in self.function(module, call):
                continue
            value = _argument(call, function, name)
            if value is not None:
                found += [text for text in self.texts(module, value, seen) if _is_prose(text)]
        return _unique(found)

    def called(self, module, node, seen):
        name = _name(node.func)
        if name == "join" and node.args:
            return [text for text in self.texts(module, node.args[0], seen) if " " in text]
        if name == "problem":  # of a node: the text is first; of a file or an entry: after the offset
            return self.texts(module, node.args[min(len(node.args), 2) - 1], seen)
        if name in _SAME and len(node.args) > _SAME[name]:
            return self.texts(module, node.args[_SAME[name]], seen)
        if name in ("items", "values", "lower", "removesuffix", "removeprefix", "strip", "get", "format"):
            values = [node.func.value, *node.args[1:]] if name == "get" else [node.func.value]
            return _unique([text for value in values for text in self.texts(module, value, seen)])
        if name in self.classes and name in self.error_names:
            return []  # told where it is made
        several = [
            self.texts(origin, value, seen)
            for origin, function in self.function(module, node)
            for value in _returned(function)
        ]
        found = _unique([text for texts in several for text in texts])
        # One word among what only a run can tell is a default, and no message.
        return found if all(several) or any(" " in text for text in found) else []

    def attribute(self, module, attribute, seen):
        """`self.x`: what some method sets it to, as prose, or a constant of the class."""
        found = []
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if _name(target) == attribute and isinstance(node.value, ast.Constant | ast.Name | ast.JoinedStr):
                        found += self.texts(module, node.value, seen)
        return _unique([text for text in found if text])


def _name(node):
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _name(value)
    return ""


def _placeholder(node):
    """`KEY` for `key`, `printable(key)`, `entry.key`; `…` for what another program or error says."""
    match node:
        case ast.Name(id=name):
            word = name
        case ast.Attribute(attr="strerror"):
            return "REASON"
        case ast.Attribute(attr="message" | "text" | "reason"):
            return "…"
        case ast.Attribute(attr=name):
            word = name
        case ast.Call(func=ast.Attribute(attr="join"), args=[inner, *_]):
            return _placeholder(inner) + "…"
        case ast.Call(func=function, args=[first, *rest]) if _name(function) in _SAME:
            return _placeholder([first, *rest][min(_SAME[_name(function)], len(rest))])
        case ast.Call(func=ast.Attribute(value=value, attr="lower" | "get" | "upper")):
            return _placeholder(value)
        case ast.Call(func=function, args=args):
            name = _name(function)
            word = name.strip("_").upper()
            return _placeholder(args[0]) if args and name in _OF_ONE else _WORDS.get(word, word or "…")
        case ast.Subscript(value=value) | ast.Starred(value=value) | ast.FormattedValue(value=value):
            return _placeholder(value)
        case ast.BoolOp(values=values):
            return _placeholder(values[0])
        case ast.GeneratorExp(elt=item) | ast.ListComp(elt=item):
            return _placeholder(item)
        case ast.JoinedStr() | ast.Constant():
            return "…"
        case _:
            return "…"
    word = word.strip("_").upper()
    return _WORDS.get(word, word)


def _unique(texts):
    return list(dict.fromkeys(texts))


def _product(parts):
    found = itertools.islice(itertools.product(*map(_sayable, parts)), _SEVERAL * _SEVERAL)
    return _unique(["".join(each) for each in found])


def _sayable(texts):
    """Without the empty one, where it stands for a word that is always there."""
    others = [text for text in texts if text]
    return texts if all(text[0] in " ;:,." for text in others) else others


def _is_prose(text):
    return bool(re.search("[a-z]{2,} ", text))


def _nodes(function):
    """What a function does itself: nothing of the functions in it."""
    pending = list(function.body)
    while pending:
        node = pending.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            pending[:0] = ast.iter_child_nodes(node)


def _assigned(function, name):
    for node in _nodes(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                yield value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                yield from (value for target, value in zip(names, values, strict=False) if _name(target) == name)
            case ast.Assign(
                targets=[ast.Tuple(elts=names)], value=ast.IfExp(body=ast.Tuple(elts=a), orelse=ast.Tuple(elts=b))
            ):
                for target, one, other in zip(names, a, b, strict=False):
                    if _name(target) == name:
                        yield from (one, other)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Call() as call):
                for index, target in enumerate(names):
                    if _name(target) == name:
                        yield ast.Subscript(call, ast.Constant(index))
            case ast.NamedExpr(target=ast.Name(id=found), value=value) if found == name:
                yield value


def _line(node):
    return node.value.lineno if isinstance(node, ast.Subscript) else node.lineno


def _looped(function, name):
    """What a loop's variable goes through; what was put into a list."""
    for node in _nodes(function):
        match node:
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                if any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(target)):
                    yield value
            case ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr="append"), args=[value]) if found == name:
                yield value


def _added(function, name):
    for node in _nodes(function):
        if isinstance(node, ast.AugAssign) and _name(node.target) == name:
            yield node.value


def _is_bound(function, name):
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store) for node in _nodes(function)
    )


def _returned(function):
    for node in _nodes(function):
        if isinstance(node, ast.Return | ast.Yield) and node.value is not None:
            yield node.value


def _argument(call, function, name):
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    if names[:1] == ["self"] or names[:1] == ["cls"]:
        names = names[1:]
    if name in names and names.index(name) < len(call.args):
        value = call.args[names.index(name)]
        return None if isinstance(value, ast.Starred) else value
    return None


def _given(call, place):
    index, keyword = place
    for each in call.keywords:
        if each.arg == keyword:
            return each.value
    if any(isinstance(each, ast.Starred) for each in call.args):
        return call.args[2]  # a place of a file in one: Problem(FILE, *position, text)
    return call.args[index] if len(call.args) > index else None


def collect():
    """All that envref's code tells."""
    source = _Source()
    source.error_names = source.errors()
    messages, passed_on = [], set()
    for module in source.modules.values():
        inner = set()  # pieces of what was told already
        for node in ast.walk(module.tree):
            for text_node, frame, cures in () if node in inner else _told(source, module, node):
                inner |= {each for each in ast.walk(node) if _name(getattr(each, "func", None)) == "problem"} - {node}
                inner |= set(getattr(node, "values", ()))
                texts = source.texts(module, text_node)
                cured = [
                    f"`{text}`" if kind == "run" else text
                    for kind, cure in cures
                    for text in source.texts(module, cure)
                    if text
                ]
                texts = [frame.format(text) if frame else text for text in texts]
                if len(texts) > 1 and len(cured) > len(cures):  # which belongs to which is not known
                    cured = []
                texts = [_unlabelled(text) for text in texts if not text.startswith("  ")]
                texts = [text for text in texts if re.search("[a-z]{2}|: REASON", text)]
                place = f"{module.name}:{text_node.lineno}"
                if not texts and not isinstance(node, ast.FunctionDef):
                    passed_on.add(ast.unparse(node))
                messages += [Message(text, tuple(cured), (place,)) for text in texts]
    return Messages(_merged(messages), passed_on)


def _merged(messages):
    """One for each text, whatever its placeholders are called, with all its cures and places."""
    found = {}
    for message in sorted(messages):
        found.setdefault(PLACEHOLDER.sub("…", message.text), []).append(message)
    return [
        Message(
            several[0].text,
            tuple(_unique(cure for each in several for cure in each.cures)),
            tuple(_unique(place for each in several for place in each.places)),
        )
        for several in found.values()
    ]


def _unlabelled(text):
    for label in _SAID:
        text = text.removeprefix(label)
    text = re.sub("^(LABEL|TYPE):", "STORE:", text)
    text = re.sub(r"([A-Z]{3,})\1", r"\1", text).strip()
    text = re.sub("…{2,}", "…", text)
    return f"{text} …" if text.endswith(":") else text


def _told(source, module, node):
    """(text, frame, cures) of what the node tells."""
    if isinstance(node, ast.Call):
        name = _name(node.func)
        cures = [(each.arg, each.value) for each in node.keywords if each.arg in ("run", "hint")]
        if name in source.error_names and name != "Untrusted":
            yield from _error(source, node, name, cures)
        elif name == "Untrusted":
            yield node.args[0].elts[0] if isinstance(node.args[0], ast.List) else node.args[0], "", cures
        elif name == "Complaint":
            says = _given(node, (2, "says"))
            frame = f"{_label(source, module)}: {{}}"
            cures += zip(("run", "hint"), node.args[3:], strict=False)
            yield (says, frame, cures) if says else (node.args[0], frame.format("…{}…"), cures)
        elif name == "Finding":
            yield _given(node, _FINDINGS["doctor" if module.name.startswith("doctor") else ""]), "", cures
        elif name == "problem":
            yield node.args[min(len(node.args), 2) - 1], "", cures
        elif name == "_about" and len(node.args) == 3:
            yield node.args[1], "", [("hint", node.args[2])]
        elif name in _SINKS:
            more = [("run", node.args[1])] if name == "Missing" and len(node.args) > 1 else []
            yield _given(node, _SINKS[name]), "", cures + more
        elif name in ("append", "extend") and _name(node.func.value) in _LISTS:
            yield node.args[0], "", cures
    if isinstance(node, ast.FunctionDef) and node.name in _TELLING:
        yield from ((value, "", []) for value in _returned(node))
    if isinstance(node, ast.AugAssign) and _name(node.target) in _LISTS:
        yield node.value, "", []
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        is_variable = _name(node.exc.func).islower() and not source.function(module, node.exc)
        told = [each for each in node.exc.args if isinstance(each, ast.JoinedStr)]
        yield from ((each, "", []) for each in told if is_variable)  # a class that a table chose
    if isinstance(node, ast.keyword | ast.Assign) and _name_given(node) in _LISTS:
        yield from ((each, "", []) for each in getattr(node.value, "elts", ()) if source.texts(module, each))
    if _is_labelled(node):
        yield node, "", []


def _name_given(node):
    return node.arg if isinstance(node, ast.keyword) else _name(node.targets[0])


def _is_labelled(node):
    """Whether this text begins with "error: " or "warning: ", and goes on."""
    start = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
    text = start.value if isinstance(start, ast.Constant) and isinstance(start.value, str) else ""
    return text.startswith(_SAID) and (text not in _SAID or isinstance(node, ast.JoinedStr))


def _error(source, node, name, cures):
    home, definition = source.classes[name]
    own = next(
        (each for each in definition.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None
    )
    if own is None or name == "EnvrefError":
        if node.args:
            yield node.args[0], "", cures
        return
    # its own constructor puts the arguments into a text
    inner = next(each for each in ast.walk(own) if isinstance(each, ast.Call) and _name(each.func) == "__init__")
    given = dict(zip([each.arg for each in own.args.args][1:], node.args, strict=False))
    defaults = zip(reversed(own.args.args), reversed(own.args.defaults), strict=False)
    given |= {each.arg: _literal(source, home, value) for each, value in defaults if each.arg not in given}
    if set(given) >= {each.id for each in ast.walk(inner.args[0]) if isinstance(each, ast.Name)}:
        yield _Given(given).visit(copy.deepcopy(inner.args[0])), "", cures


def _literal(source, module, value):
    return ast.Constant("; ".join(source.texts(module, value)))


class _Given(ast.NodeTransformer):
    """Puts the arguments of a call in place of the parameters."""

    def __init__(self, given):
        self._given = given

    def visit_Name(self, node):
        return self._given.get(node.id, node)


def _label(source, module):
    for name in ("LABEL", "_LABEL"):
        _, value = source.constant(module, name)
        if isinstance(value, ast.Constant):
            return value.value
    return "STORE"
