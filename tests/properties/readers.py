"""Readers of formats whose own programs can't be run here, each written from its program's documentation."""

from __future__ import annotations


def github(text):
    """The variables of a GITHUB_ENV file: `NAME<<DELIMITER`, lines, `DELIMITER` (GitHub's "workflow commands")."""
    variables = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if line == "":
            continue
        name, heredoc, delimiter = line.partition("<<")
        assert heredoc, f"neither a variable nor a line of one: {line!r}"
        value = []
        while (line := next(lines)) != delimiter:
            value.append(line)
        variables[name] = "\n".join(value)
    return variables


def masks(text):
    """What `::add-mask::` lines hide (the same page: %25, %0D and %0A are `%`, CR and LF)."""
    found = []
    for line in text.split("\n")[:-1]:
        assert line.startswith("::add-mask::")
        escaped = line.removeprefix("::add-mask::")
        found.append(escaped.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%"))
    return found


def docker(text):
    """`docker run --env-file`: a line a variable, `#` starts a comment line, blanks before the name are cut."""
    variables = {}
    for line in text.split("\n"):
        stripped = line.lstrip()
        if stripped and not stripped.startswith("#"):
            name, _, value = stripped.partition("=")
            variables[name] = value
    return variables


def systemd(text):
    r"""`EnvironmentFile=` (systemd.exec): in double quotes `\` before `"`, `\`, `$` and a backtick is dropped."""
    variables = {}
    position = 0
    while position < len(text):
        name, _, _ = text[position:].partition("=")
        position += len(name) + 1
        assert text[position] == '"'
        position += 1
        value = ""
        while text[position] != '"':
            if text[position] == "\\" and text[position + 1] in '"\\$`':
                position += 1
            value += text[position]
            position += 1
        assert text[position + 1] == "\n"
        position += 2
        variables[name] = value
    return variables


def powershell(text):
    """`${env:NAME} = 'text'`: any single quote ends the text, two of them are one (about_Quoting_Rules)."""
    quotes = "'\u2018\u2019\u201a\u201b"
    variables = {}
    position = 0
    while position < len(text):
        assert text.startswith("${env:", position)
        end = text.index("} = '", position)
        name = text[position + len("${env:") : end]
        position = end + len("} = '")
        value = ""
        while True:
            if text[position] not in quotes:
                value += text[position]
                position += 1
            elif text[position + 1] in quotes:
                value += text[position + 1]
                position += 2
            else:
                break
        assert text[position : position + 2] == "'\n"
        position += 2
        variables[name] = value
    return variables
