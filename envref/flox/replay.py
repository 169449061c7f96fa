r"""What Flox's own replay breaks: values that reach a fish, a tcsh or a zsh changed, or not at all (flox.md 3.5).

Flox keeps what a hook exports and writes it again into each later shell: bare, or between single quotes with `'` as
`'\''` and `!` as `'\!'`. bash reads that exactly, and zsh all but a bare `=`.
"""

from __future__ import annotations

from envref.formats.text import exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envref.secret import Secret

# What Flox writes without quotes: shell_gen/src/lib.rs and its crate shell-escape, release 1.15.
_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=/,.+")
_CURE = "run: envref flox-hook --write --placement profile"


def _breaks_in_fish(value: str) -> bool:
    # Between quotes fish reads `\'` and `\\` as escapes, and Flox writes a quote for "'", for "!" and at the end.
    return any(text in value for text in ("\\'", "\\!", "\\\\")) or value.endswith("\\")


def _breaks_in_tcsh(value: str) -> bool:
    # A bare `=2` or `=-` is a directory of the stack.
    return "\n" in value or (value.startswith("=") and (value[1:].isdecimal() or value == "=-"))


def _breaks_in_zsh(value: str) -> bool:
    # Bare, `=ls` is the path of ls, and `=abc` an error that ends the script.
    return len(value) > 1 and value.startswith("=") and _BARE.issuperset(value)


BREAKS = {"fish": _breaks_in_fish, "tcsh": _breaks_in_tcsh, "zsh": _breaks_in_zsh}


def warnings(variables: Iterable[tuple[str, str | Secret]], environment: Mapping[str, str]) -> list[str]:
    """A line for each value that does not survive the replay into a shell of this activation: its name and the cure."""
    texts = [(name, exact_text(name, value)) for name, value in variables]
    broken = {shell: [name for name, text in texts if breaks(text)] for shell, breaks in BREAKS.items()}
    if not any(broken.values()):
        return []
    from envref.flox import reached

    return [
        f"{name}: Flox cannot replay this value into {shell}; {_CURE}"
        for shell in reached.shells(environment)
        for name in broken.get(shell, ())
    ]
