"""A question to AWS, and what can come back for it, whichever way it is asked."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envref.backends.aws.complaints import Refusal
    from envref.secret import Secret
    from envref.store_errors import BackendError

    Document = dict[str, object]
    Answer = Secret | BackendError
    Answers = dict[str, Answer]
    Outcome = Document | Refusal | BackendError

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class Question(NamedTuple):
    """One operation that reads `names`, with its parameters as AWS calls them: text, lists of it or of objects, True.

    `read` takes the answers by name from what it answered; SecretNotFound is an answer. Names that it does not answer
    are asked again with the questions that `again` makes. Without `again`, `read` must answer every name. `most` items
    are wanted, of those that come in pages; 0 is all.
    """

    operation: str
    parameters: Mapping[str, object]
    names: Sequence[str]
    read: Callable[[Document], Mapping[str, Answer]]
    again: Callable[[Sequence[str]], Iterable[Question]] | None = None
    most: int = 0

    def arguments(self) -> list[str]:
        """The question as arguments of `aws`."""
        words = [_hyphenated(self.operation)]
        for name, value in self.parameters.items():
            listed = value if isinstance(value, list) else [value]
            words += [f"--{_hyphenated(name)}", *(_word(each) for each in listed if each is not True)]
        return [*words, "--max-items", str(self.most)] if self.most else words


def _word(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _hyphenated(name: str) -> str:
    """`GetParametersByPath` as `aws` has it: `get-parameters-by-path`."""
    return _WORD.sub("-", name).lower()
