"""Servers that speak Spark Connect: Sail, and a cluster of Apache Spark with one master and two workers."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from socket import create_connection

import pytest

from skg_site.env import BASE_DIR
from tests.support.service import free_port
from tests.support.tools import require_tool

START_SECONDS = 180
_PLACE = ("--host", "127.0.0.1", "--webui-port", "0")
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"


class Process:
    """A server as a process group that can be killed."""

    def __init__(self, name: str, words: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self._log = folder / f"{name}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(words, env=environment, stdout=log, stderr=log, start_new_session=True)

    def listens(self, port: int) -> None:
        """Wait until it does."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), create_connection(("127.0.0.1", port), timeout=5):
                return
            time.sleep(0.05)
        raise AssertionError(self.log[-3000:])

    def says(self, text: str) -> None:
        """Wait until it does."""
        deadline = time.monotonic() + START_SECONDS
        while text not in self.log:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError(self.log[-3000:])
            time.sleep(0.05)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """End it and all that it has started at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def sail_process(
    folder: Path, variables: Mapping[str, str] | None = None, packages: Path | None = None
) -> Iterator[tuple[str, Process]]:
    """Its address, and the process. `packages` is where Sail is, if this process cannot import it."""
    if packages is None:
        found = find_spec("pysail")
        assert found is not None
        packages = Path(found.origin or "").parents[1]
    port = free_port()
    words = [sys.executable, "-m", "pysail", "spark", "server", "--ip", "127.0.0.1", "--port", str(port)]
    process = Process("sail", words, {"PYTHONPATH": str(packages), "RUST_LOG": "error", **(variables or {})}, folder)
    try:
        process.listens(port)
        yield f"sc://127.0.0.1:{port}", process
    finally:
        process.kill()


class SparkCluster:
    """A standalone cluster on loopback. Skips the test, or fails it in CI, where Java or Spark are not installed."""

    def __init__(self) -> None:
        java = require_tool("java")
        self._home = spark_home()
        self.folder = Path(tempfile.mkdtemp(prefix="skg-spark-"))
        self._environment = {
            "PATH": f"{Path(java).parent}:{os.environ['PATH']}",
            "SPARK_HOME": str(self._home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(self.folder / "local"),
            "SPARK_DAEMON_MEMORY": "768m",
            "PYSPARK_PYTHON": sys.executable,
        }
        self._master_port, self._port = free_port(), free_port()
        self.address = f"sc://127.0.0.1:{self._port}"
        self.killed = 0
        self._workers: list[Process] = []
        self._others: list[Process] = []

    def start(self) -> None:
        master_url = f"spark://127.0.0.1:{self._master_port}"
        words = ["org.apache.spark.deploy.master.Master", *_PLACE, "--port", str(self._master_port)]
        master = self._run("master", words)
        self._others.append(master)
        master.listens(self._master_port)
        for _ in range(2):
            self._add_worker()
        for worker in self._workers:
            worker.says("Successfully registered")
        settings = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": self._port,
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.executor.memory": "700m",
            "spark.sql.shuffle.partitions": 4,
            "spark.ui.enabled": "false",
        }
        words = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
        connect = Process(
            "connect",
            [str(self._home / "bin" / "spark-submit"), "--class", CONNECT, "--master", master_url, *words,
             "spark-internal"],
            self._environment,
            self.folder,
        )  # fmt: skip
        self._others.append(connect)
        connect.listens(self._port)

    def kill_worker(self) -> None:
        """End one of the workers, with what it has in memory and on disk."""
        self._workers[self.killed].kill()
        self.killed += 1

    def replace_worker(self) -> None:
        """Start another one in the place of the last that was killed."""
        self._add_worker()
        self._workers[-1].says("Successfully registered")

    def end(self) -> None:
        for process in (*self._others, *self._workers):
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _add_worker(self) -> None:
        name = f"worker-{len(self._workers) + 1}"
        size = ["--cores", "1", "--memory", "1g", "--work-dir", str(self.folder / name)]
        master_url = f"spark://127.0.0.1:{self._master_port}"
        self._workers.append(self._run(name, ["org.apache.spark.deploy.worker.Worker", *_PLACE, *size, master_url]))

    def _run(self, name: str, words: list[str]) -> Process:
        return Process(name, [str(self._home / "bin" / "spark-class"), *words], self._environment, self.folder)


def spark_home() -> Path:
    """Where Spark is: on the PATH, or where `make test-long` installs it."""
    found = shutil.which("spark-class")
    home = Path(found).resolve().parents[1] if found else BASE_DIR / ".venv" / "spark-server" / "pyspark"
    if not (home / "bin" / "spark-class").exists():
        sentence = f"Apache Spark is not in {home}, so this was not tested"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return home
