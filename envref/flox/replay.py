r"""What Flox's own replay breaks: values that reach a fish, a tcsh or a zsh changed, or not at all (flox.md 3.5).

Flox keeps what a hook exports and writes it again into each later shell: bare, or between single quotes with `'` as
`'\''` and `!` as `'\!'`. bash reads that exactly, and zsh all but a bare `=`.
"""

from __future__ import annotations

from envref.formats import shells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

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


def warnings(shell: str, variables: Iterable[tuple[str, str | Secret]]) -> list[str]:
    """A line for each variable whose value does not survive the replay into this shell: its name and the cure."""
    breaks = BREAKS[shell]
    broken = [name for name, value in variables if breaks(shells.exact_text(name, value))]
    return [f"{name}: Flox cannot replay this value into {shell}; {_CURE}" for name in broken]
