"""What is fuzzed, guided by the code it reaches (security.md 7).

`python -m tests.properties.fuzz TARGET SECONDS DIRECTORY` fuzzes one target, with its corpus in the directory.
A target takes bytes. It may raise EnvrefError, which is an answer; anything else is a bug, as is a text that does not
come back from what was written.
"""

from __future__ import annotations

import json
import resource
import sys

import atheris

with atheris.instrument_imports(include=["envref"]):
    from envref import secret
    from envref.backends.command import Finished
    from envref.backends.plugin import Plugin
    from envref.env import template
    from envref.env.edit import with_value
    from envref.env.file import EnvFile
    from envref.errors import EnvrefError, MalformedFile
    from envref.project.config import yaml
    from envref.refs.address import Address, check_key
    from envref.refs.reference import Reference, uri_of
    from envref.store_errors import BackendError


def text_of(data):
    return data.decode("utf-8", "ignore")


def env_file(data):
    """A file that is read is the text it was read from; a value that is set is read back, and nothing else changes."""
    text, _, value = text_of(data).partition("\x01")
    try:
        file = EnvFile.parse(text)
    except MalformedFile as error:
        error.lines()
        return
    assert str(file) == text
    try:
        edited = with_value(file, "FUZZED", value)
    except EnvrefError:
        assert "\0" in value or "\r" in value, "a value that can be written was refused"
        return
    again = EnvFile.parse(str(edited))
    entry = again.get("FUZZED")
    assert ("".join(template.parse(entry.text, ())) if entry.interpolated else entry.text) == value
    kept = [(each.name, each.text) for each in file.entries if each is not file.get("FUZZED")]
    assert [(each.name, each.text) for each in again.entries if each is not entry] == kept


def reference(data):
    """A reference prints as it was written; a key comes back from the reference that is written for it."""
    text = text_of(data)
    try:
        assert str(Reference.parse(f"ref://{text}")) == f"ref://{text}"
    except EnvrefError as error:
        error.lines()
    try:
        check_key(text)
    except EnvrefError:
        return
    found = Reference.parse(uri_of(text, "store"))
    assert (found.store, found.key) == ("store", text)


def config(data):
    """The YAML gate gives a mapping or an error with a place."""
    try:
        yaml.parse(data, "f")
    except EnvrefError as error:
        assert error.message.startswith("loading config: f:")
    value = text_of(data)
    written = json.dumps({"key": value}, ensure_ascii=False)  # YAML has no escapes for half characters
    document = yaml.parse(written.encode(), "f") if value.isprintable() else None
    assert document is None or [scalar.text for scalar in document.entries.values()] == [value]


def reply(data):
    """A plugin's reply is a value, an absence or an error; a value that it sends arrives."""
    store, address = Plugin("fuzzed"), Address("app", "key")
    for status in (0, 1):
        for read in (
            lambda ended: store._read(ended, address),
            lambda ended: store._by_key(store._response(ended, "absent")),
        ):
            try:
                read(Finished(status, data, "x"))
            except BackendError as error:
                assert all(line.isprintable() for line in error.lines())
    value = text_of(data).replace("\0", "")
    sent = json.dumps({"value": value, "capabilities": ["exact"]}).encode()
    assert store._read(Finished(0, sent, ""), address).reveal() == value
    secret._known.clear()


# Target -> beginnings from which the fuzzer goes on
TARGETS = {
    "env_file": (env_file, [b"A=1\nexport B='x' # c\n\x01v", b'A="a\\n${B:-c}"\r\n\x01$x']),
    "reference": (reference, [b"secrets/a?optional", b"store/k%20y?default=x#field", b"a//b"]),
    "config": (config, [b"project: app\nbackends:\n  - {name: v, type: vault}\n", b'a: "x"\nb: [1, {c: d}]\n']),
    "reply": (reply, [b'{"value": "v", "capabilities": ["exact"]}', b'{"values": {"a": null}, "errors": {"b": "x"}}']),
}


def main(name, seconds, directory):
    target, seeds = TARGETS[name]
    for number, seed in enumerate(seeds):
        with open(f"{directory}/seed{number}", "wb") as file:
            file.write(seed)
    # What counts is the peak of the process, and that begins with the size of the one that started it.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    limits = [f"-max_total_time={seconds}", "-max_len=2048", "-timeout=20", f"-rss_limit_mb={peak + 1024}"]
    atheris.Setup(["fuzz", *limits, f"-artifact_prefix={directory}/found-", directory], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
