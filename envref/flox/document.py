"""A manifest as a tomlkit document that is changed as text: where tomlkit itself would move comments or line ends."""

from __future__ import annotations

import tomlkit


def become(document: tomlkit.TOMLDocument, text: str) -> None:
    """Makes the document that of another text."""
    other = tomlkit.parse(text)
    dict.clear(document)
    dict.update(document, dict.items(other))
    vars(document).update(vars(other))
