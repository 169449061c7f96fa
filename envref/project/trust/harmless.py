"""Values that make a dangerous name harmless: what everyday files set it to."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# node(1): limits, warnings and the like; nothing that names a file, a module or an address
_NODE_OPTIONS = (
    "--max-old-space-size",
    "--max-semi-space-size",
    "--max-http-header-size",
    "--stack-trace-limit",
    "--no-warnings",
    "--no-deprecation",
    "--trace-warnings",
    "--trace-deprecation",
    "--enable-source-maps",
    "--unhandled-rejections",
    "--dns-result-order",
)
# java(1): memory, collectors, and the properties that only tell a program its time, language and the like
_JAVA_OPTIONS = (
    "-Xmx",
    "-Xms",
    "-Xmn",
    "-Xss",
    "-XX:+Use",
    "-XX:-Use",
    "-XX:Max",
    "-XX:Min",
    "-XX:Initial",
    "-XX:Metaspace",
)
_JAVA_PROPERTIES = (
    "-Djava.awt.headless=",
    "-Dfile.encoding=",
    "-Duser.timezone=",
    "-Duser.language=",
    "-Duser.country=",
    "-Djava.net.preferIPv4Stack=",
    "-Dspring.profiles.active=",
)
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-+_=.:,%")
_JAVA_NAMES = ("_JAVA_OPTS", "_JAVA_OPTIONS", "_JVM_OPTS")
_WORDS = ("true", "false", "yes", "no", "on", "off", "loopback", "linklocal", "uniquelocal")  # the last three: Express
_DIGITS = 2  # hops, and 0 to 99 as an address of IPv4
_SHIFTING = ("/proc", "/dev")


def _is_number(value: str) -> bool:
    """A shell would evaluate anything else as arithmetic, and run what stands in a subscript."""
    return value.isascii() and value.isdigit()


def _of_node(value: str) -> bool:
    return all(word.partition("=")[0] in _NODE_OPTIONS and _WORD.issuperset(word) for word in value.split())


def _of_java(value: str) -> bool:
    words = value.split()
    return all(word.startswith((*_JAVA_OPTIONS, *_JAVA_PROPERTIES)) and _is_plain_java(word) for word in words)


def _is_plain_java(word: str) -> bool:
    """Launchers put JAVA_OPTS through a shell's eval, so that no character may mean anything there."""
    return _WORD.union("/").issuperset(word)


def _is_installed(value: str) -> bool:
    """An absolute folder that is in no project and no repository, and the same for whoever looks."""
    if not os.path.isabs(value):
        return False
    place = "/" + os.path.normpath(value).lstrip("/")
    if place.startswith(_SHIFTING):
        return False
    return not any(map(_is_somebodys, {*_upwards(place), *_upwards(os.path.realpath(place))}))


def _is_somebodys(folder: str) -> bool:
    return any(os.path.lexists(os.path.join(folder, name)) for name in (".git", ".envref.yaml"))


def _upwards(path: str) -> list[str]:
    folders = [path]
    while folders[-1] != os.path.dirname(folders[-1]):
        folders.append(os.path.dirname(folders[-1]))
    return folders


def _is_no_address(value: str) -> bool:
    """How an application trusts its proxy (`TRUST_PROXY=1`): a word, or an address of 0.0.0.0/8, where nobody is."""
    return value.lower() in _WORDS or (_is_number(value) and len(value) <= _DIGITS)


def judge_of(name: str) -> Callable[[str], bool] | None:
    """What tells whether a value of this name is harmless; None where none is. `_PROXY` stands for all proxies."""
    return VALUES.get(name) or (_of_java if name.endswith(_JAVA_NAMES) else None)


VALUES: Mapping[str, Callable[[str], bool]] = {
    **dict.fromkeys(("UID", "GID", "COLUMNS", "LINES"), _is_number),
    "NODE_OPTIONS": _of_node,
    **dict.fromkeys(("JAVA_OPTS", "MAVEN_OPTS", "GRADLE_OPTS", "CATALINA_OPTS", "SBT_OPTS"), _of_java),
    **dict.fromkeys(("JAVA_HOME", "PUPPETEER_EXECUTABLE_PATH", "CHROME_BIN"), _is_installed),
    "BROWSER": ("none", "false").__contains__,
    "_PROXY": _is_no_address,
    "TMPDIR": ("/tmp", "/var/tmp").__contains__,  # noqa: S108  the system's own
}
