"""The words of a line as a shell reads them: of one that scripts made by click send, and of one with quotes in it."""

from __future__ import annotations


def words(text: str, place: str, asked: str) -> list[str]:
    """Bash sends lines and a number, zsh a line and a number, fish a line and the text of the word to complete."""
    found = text.split("\n") if "\n" in text else split(text)
    if not asked.startswith("fish"):
        number = int(place) if place.isascii() and place.isdecimal() else 0
        return [*found, ""][: number + 1]
    if place and found[1:] and found[-1] == place:
        found.pop()
    return [*found, place]


def split(text: str) -> list[str]:
    """The words of a line, of which the last may be unfinished: an open quote, a backslash at its end."""
    if not {"'", '"', "\\"} & set(text):
        return text.split()
    import shlex  # which loads regular expressions

    reader = shlex.shlex(text, posix=True)
    reader.whitespace_split = True
    reader.commenters = ""
    found: list[str] = []
    try:
        found.extend(reader)
    except ValueError:
        found.append(reader.token)
    return found
