"""The configuration files that vendors' programs keep in the home directory, as far as a cure depends on them."""

from __future__ import annotations

from configparser import ConfigParser
from configparser import Error as NotIni

from envref.paths import expanded


def sections(path: str) -> dict[str, dict[str, str]]:
    """The file's sections, with `DEFAULT`, which the others inherit; none of a file that its program can't read."""
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(expanded(path), "utf-8")
    except (NotIni, UnicodeDecodeError, OSError):
        return {}
    return {name: dict(parser[name]) for name in (parser.default_section, *parser.sections())}
