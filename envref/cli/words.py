"""The words of a hot door's command line: options of a closed grammar, each a word of its own, and the other words."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence


class Words:
    """`options` holds the values of each option by its name, none for a flag; `rest` the other words in their order."""

    __slots__ = ("options", "rest")

    def __init__(self, options: dict[str, list[str]], rest: list[str]) -> None:
        self.options = options
        self.rest = rest

    def last(self) -> dict[str, str]:
        """The value that counts of each option that has one."""
        return {name: values[-1] for name, values in self.options.items() if values}


def read(
    arguments: Sequence[str], flags: Container[str], values: Mapping[str, str], *, mixed: bool = False
) -> Words | None:
    """The words; None for an option that the grammar does not know, or whose value begins with a dash or is missing.

    `values` are options with a value, and their names. Options end at `--`; unless `mixed`, also at the first other
    word.
    """
    options: dict[str, list[str]] = {}
    rest: list[str] = []
    place = 0
    while place < len(arguments):
        word, place = arguments[place], place + 1
        if word == "--":
            break
        if word in flags:
            options[word] = []
        elif word in values and place < len(arguments) and not arguments[place].startswith("-"):
            options.setdefault(values[word], []).append(arguments[place])
            place += 1
        elif word.startswith("-"):
            return None
        else:
            rest.append(word)
            if not mixed:
                break
    return Words(options, [*rest, *arguments[place:]])
