"""The real `pass` with a throw-away GnuPG home and key (stores.md 13)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time

from tests.requirements import need, need_everything

AUTHOR = {f"GIT_{who}_{what}": "t@example.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
USER = "envref test <t@example.invalid>"


class GnuPg:
    """A GnuPG home with one secret key, which has a passphrase when one is given.

    Its path is short, wherever the tests keep their files: the agent's socket lies in it.
    """

    _CHEAP = "s2k-count 65536\n"

    def __init__(self, passphrase=""):
        self._passphrase = passphrase
        self.environment = {}

    def __enter__(self):
        need_everything("the stores' own programs are")
        need("pass")
        need("gpg")
        self.home = tempfile.mkdtemp(prefix="gpg")
        self.environment = {"GNUPGHOME": self.home}
        # Neither is what is tried: an agent spends 0.1 s on each passphrase, and seconds on finding out how much that
        # is; an RSA key, this gpg's default, takes one to be made. The curve is the default of the next gpg.
        self.configure("gpg-agent.conf", self._CHEAP)
        loopback = ("--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", self._passphrase)
        self._gpg(*loopback, "--quick-generate-key", USER, "future-default", "default", "never")
        return self

    def __exit__(self, *_):
        self.forget_passphrases()
        shutil.rmtree(self.home, ignore_errors=True)

    def forget_passphrases(self):
        """Ends the agent, which gpg starts again when it needs one."""
        subprocess.run([need("gpgconf"), "--kill", "all"], check=True, env=self._full())

    def configure(self, name, text):
        """Writes a file of the home, such as gpg.conf."""
        with open(os.path.join(self.home, name), "w", encoding="utf-8") as file:
            file.write(text)

    def expire(self, when):
        """Has the key end then, `seconds=N` or `1y`, and waits until seconds are over."""
        listed = subprocess.run(
            [need("gpg"), "--list-keys", "--with-colons"], check=True, capture_output=True, text=True, env=self._full()
        ).stdout
        fingerprint = next(line for line in listed.splitlines() if line.startswith("fpr:")).split(":")[9]
        self._gpg("--batch", "--quiet", "--quick-set-expire", fingerprint, when)
        if when.startswith("seconds="):
            time.sleep(int(when.removeprefix("seconds=")) + 1.1)

    def _gpg(self, *arguments):
        subprocess.run([need("gpg"), *arguments], check=True, stdin=subprocess.DEVNULL, env=self._full())

    def _full(self):
        return {**os.environ, **self.environment}


class Passwords:
    """A password store for that key, looked at and filled without envref."""

    def __init__(self, path):
        self.path = path
        self._run("init", "t@example.invalid")

    def put(self, name, content):
        """Makes an entry with exactly these bytes."""
        self._run("insert", "-m", "-f", name, content=content)

    def keep_versions(self):
        """Makes the store a git repository, in which every change is a commit."""
        self._run("git", "init", "-q")

    def git(self, *arguments):
        return self._run("git", *arguments).decode()

    def show(self, name):
        return self._run("show", name)

    def names(self):
        return sorted(str(path.relative_to(self.path)) for path in self.path.rglob("*.gpg"))

    def _run(self, *arguments, content=b""):
        environment = {**os.environ, **AUTHOR, "PASSWORD_STORE_DIR": str(self.path)}
        return subprocess.run(
            [need("pass"), *arguments], input=content, check=True, capture_output=True, env=environment
        ).stdout
