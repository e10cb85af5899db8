"""The service as its own processes: gunicorn with the configuration that production uses."""

import hashlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.support.environment import process_environment, service_variables
from tests.support.processes import PythonProcess, run_python

# A key of every scope that each of these services adopts by its SHA-256 when it starts.
KEY = "the-key-that-the-tests-hold"
KEY_HASH = "sha256:" + hashlib.sha256(KEY.encode()).hexdigest()

GUNICORN = ("-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "skg_site.asgi:application")
READY_SECONDS = 30
STOP_SECONDS = 30


class Service:
    """A running service; `folder` holds its database, its state and its log."""

    def __init__(self, folder: Path, *, log_file: Path | None = None, measured: bool = False, **settings: Any) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.headers = {"Authorization": f"Bearer {KEY}"}
        self.variables = service_variables(
            folder, **{"host": "127.0.0.1", "port": self.port, "api_key_hash": KEY_HASH} | settings
        )
        self.log_file = log_file or folder / "service.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._measured = measured

    def start(self) -> None:
        """Start and wait until it is ready."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start, and do not wait."""
        with self.log_file.open("ab") as log:
            self.process = PythonProcess(
                GUNICORN,
                env=process_environment(self.variables, measured=self._measured),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """End it as an operator does, and return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal_number)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End all of its processes at once, as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def end(self) -> None:
        """Leave nothing running, whatever the test did."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def workers(self) -> list[int]:
        """The workers' process ids."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(child) for child in children.split()]

    @property
    def log_text(self) -> str:
        # A device such as /dev/full has no end.
        return self.log_file.read_text(encoding="utf-8") if self.log_file.is_file() else ""

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        """The log so far, each line an object."""
        return [orjson.loads(line) for line in self.log_text.splitlines()]

    def client(self, *, timeout: float = 30) -> httpx.Client:
        """A client with the key."""
        return httpx.Client(base_url=self.url, headers=self.headers, timeout=timeout)

    def wait_until_ready(self) -> None:
        """Raise AssertionError with the end of the log when it does not become ready."""
        assert self.process is not None
        expected = int(self.variables["SKG_WORKERS"])
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                # The first worker answers before the last one is started.
                if httpx.get(f"{self.url}/ready", timeout=5).is_success and len(self.workers) >= expected:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        self.end()
        raise AssertionError(f"the service was not ready within {READY_SECONDS} s:\n{self.log_text[-4000:]}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def manage(
    *arguments: str, variables: dict[str, str], input_text: str = "", set_up: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` as a process of its own; `set_up` is for several in one environment, which are then measured."""
    environment = process_environment(variables, measured=set_up)
    done = run_python(["manage.py", *arguments], env=environment, given=input_text.encode(), set_up=set_up)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
