"""A real KeePassXC as the Secret Service, on a private session bus and without a screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time

from tests.backends.stores.secret_service import Bus
from tests.requirements import need

_PASSWORD = "database password of the tests"
_GROUP = "{00112233-4455-6677-8899-aabbccddeeff}"  # the group that is exposed: the root, in the other notation below
_PATIENCE = 30  # seconds; ready after 0.3 on a quiet machine

_DATABASE = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<KeePassFile>
 <Meta>
  <DatabaseName>tests</DatabaseName>
  <CustomData><Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{_GROUP}</Value></Item></CustomData>
 </Meta>
 <Root><Group><UUID>ABEiM0RVZneImaq7zN3u/w==</UUID><Name>Root</Name></Group></Root>
</KeePassFile>
"""

_SETTINGS = """[General]
ConfigVersion=2
UpdateCheckMessageShown=true
[GUI]
CheckForUpdates=false
[FdoSecrets]
Enabled=true
ShowNotification=false
ConfirmAccessItem={confirms}
UnlockBeforeSearch=false
"""


class KeePassXC:
    """An open database. `confirms` is KeePassXC's own default: it asks before a program gets an item.

    Without `exposed` it has no database open, and so serves no keyring.
    """

    def __init__(self, directory, *, confirms=False, exposed=True):
        self._directory = directory
        self._confirms = confirms
        self._exposed = exposed
        self._bus = Bus(directory)

    def __enter__(self):
        program, maker = need("keepassxc"), need("keepassxc-cli")
        self._bus.__enter__()
        # There its lock lies, which keeps a second one from starting, and its socket: so the path is short.
        self._place = tempfile.mkdtemp(prefix="kp")
        self.environment = {**self._bus.environment, "QT_QPA_PLATFORM": "offscreen", "TMPDIR": self._place}
        database = self._directory / "tests.kdbx"
        self._write("tests.xml", _DATABASE)
        self._write("settings.ini", _SETTINGS.format(confirms=str(self._confirms).lower()))
        self._write("local.ini", "")
        subprocess.run(
            [maker, "import", "-p", self._directory / "tests.xml", database],
            input=f"{_PASSWORD}\n{_PASSWORD}\n",
            text=True,
            check=True,
            capture_output=True,
            env={**os.environ, **self.environment},
        )
        settings = ["--config", self._directory / "settings.ini", "--localconfig", self._directory / "local.ini"]
        self._process = subprocess.Popen(
            [program, *settings, *(["--pw-stdin", database] if self._exposed else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **self.environment},
        )
        self._process.stdin.write(f"{_PASSWORD}\n")
        self._process.stdin.close()
        self._await_ready()
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._place, ignore_errors=True)
        self._bus.__exit__()

    def _write(self, name, text):
        (self._directory / name).write_text(text)

    def _await_ready(self):
        patience = time.monotonic() + _PATIENCE
        while not self._is_ready():
            if time.monotonic() > patience:
                raise RuntimeError("KeePassXC did not get ready")
            time.sleep(0.05)

    def _is_ready(self):
        import secretstorage

        try:
            with self._bus.connection() as connection:
                if not self._exposed:
                    return secretstorage.check_service_availability(connection)
                # The collection of a database that is not open yet is there, and locked.
                return not secretstorage.get_default_collection(connection).is_locked()
        except secretstorage.SecretStorageException:
            return False
