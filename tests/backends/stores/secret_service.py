"""A real GNOME keyring on a private session bus (stores.md 3)."""

from __future__ import annotations

import os
import subprocess
import time

from tests.requirements import need

PASSWORD = "keyring password of the tests"
_PATIENCE = 20  # seconds; ready after 0.1 on a quiet machine


class Bus:
    """A private session bus. `directory` becomes HOME and the run directory of everything on it."""

    def __init__(self, directory):
        self._run = directory / "run"
        self._run.mkdir(parents=True)
        self._run.chmod(0o700)
        self.environment = {
            "HOME": str(directory),
            "XDG_RUNTIME_DIR": str(self._run),
            "XDG_DATA_HOME": str(directory / "data"),
        }
        # without a path to service files, or the bus would start the machine's own daemon when asked for the name
        self._config = directory / "bus.conf"
        self._config.write_text(CONFIG.format(socket=directory / "bus"))

    def __enter__(self):
        self._process = subprocess.Popen(
            [need("dbus-daemon"), f"--config-file={self._config}", "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **self.environment},
        )
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()

    def connection(self):
        """A connection to the bus, for the tests' own look at it."""
        from jeepney.io.blocking import DBusConnection, prep_socket

        path = self.environment["DBUS_SESSION_BUS_ADDRESS"].removeprefix("unix:path=").partition(",")[0]
        return DBusConnection(prep_socket(path))


CONFIG = """
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class SecretService:
    """The keyring daemon, unlocked, with the collection "login" as the default one.

    With `unlocked=False` it is started as the bus would start it: nobody logged in, no collection yet.
    """

    def __init__(self, directory, *, unlocked=True):
        self._bus = Bus(directory)
        self._unlocked = unlocked
        self._daemon = None

    @property
    def environment(self):
        return self._bus.environment

    def __enter__(self):
        program = need("gnome-keyring-daemon")
        self._bus.__enter__()
        self._daemon = subprocess.Popen(
            [program, "--foreground", *(["--unlock"] if self._unlocked else []), "--components=secrets"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **self.environment},
        )
        self._daemon.stdin.write(f"{PASSWORD}\n")
        self._daemon.stdin.close()
        self._await_ready()
        return self

    def __exit__(self, *_):
        self.stop_daemon()
        self._bus.__exit__()

    def _await_ready(self):
        patience = time.monotonic() + _PATIENCE
        while not self._is_ready():
            if time.monotonic() > patience:
                raise RuntimeError("the keyring daemon did not get ready")
            time.sleep(0.02)

    def _is_ready(self):
        import secretstorage

        try:
            with self.connection() as connection:
                if not self._unlocked:
                    return secretstorage.check_service_availability(connection)
                return not secretstorage.Collection(connection).is_locked()
        except secretstorage.SecretStorageException:
            return False

    def connection(self):
        return self._bus.connection()

    def lock(self):
        import secretstorage

        with self.connection() as connection:
            secretstorage.Collection(connection).lock()

    def pause(self):
        """The daemon answers no more, as one that waits for a person does."""
        self._daemon.send_signal(19)

    def resume(self):
        self._daemon.send_signal(18)

    def stop_daemon(self):
        self._daemon.kill()
        self._daemon.wait()
