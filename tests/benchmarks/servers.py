"""Servers to be measured: each alone on the first processor, while what drives it has the second one."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from skg_site.env import BASE_DIR, PREFIX
from tests.support.environment import process_environment, service_variables
from tests.support.service import KEY, KEY_HASH, free_port, manage

START_SECONDS = 60
STOP_SECONDS = 30
# What the service runs with in every comparison: everything on, limits counted and never reached.
EVERYTHING_ON = {"rate_limit": "1000000/s", "max_batch_size": 1000, "synchronous": "FULL", "log_format": "json"}
SHOWN_SETTINGS = [PREFIX + name.upper() for name in ("workers", *EVERYTHING_ON)]
SERVICE = "skg_site.asgi:application"

Fill = Callable[[str, int], None]


class Failed(Exception):
    """Something that is measured did not do its work, so that its time means nothing."""


@dataclass(frozen=True, slots=True)
class Server:
    """`fill` puts so many facts into it; `dialect` is how `requests.lua` asks it. What it keeps is in `folder`."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    folder: Path
    port: int
    fill: Fill
    dialect: str = "json"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def shown(self) -> str:
        """How it was started, for a shell; of the settings those that make a comparison what it is."""
        chosen = [f"{name}={self.environment[name]}" for name in SHOWN_SETTINGS if name in self.environment]
        return shlex.join([*chosen, *pinned(self.command, *processors()[:1])])

    @property
    def log(self) -> Path:
        return self.folder / "server.log"


def processors() -> Sequence[int]:
    """Those that this process may use, the first for servers and the last for what drives them."""
    return sorted(os.sched_getaffinity(0))


def pinned(command: Sequence[str], *numbers: int) -> list[str]:
    return ["taskset", "--cpu-list", ",".join(map(str, numbers)), *command]


def service(folder: Path, *, application: str = SERVICE, name: str = "SKG API", **settings: Any) -> Server:
    """The service as it is run in production, with a migrated database in `folder`, which may hold one already."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    chosen = EVERYTHING_ON | {"host": "127.0.0.1", "port": port, "api_key_hash": KEY_HASH} | settings
    variables = service_variables(folder, **chosen)
    migrated = manage("migrate", "--no-input", variables=variables)
    if migrated.returncode:
        raise Failed(migrated.stderr)
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", application]
    return Server(name, command, process_environment(variables), BASE_DIR, folder, port, fill_by_batches)


@contextmanager
def running(server: Server, *numbers: int) -> Iterator["subprocess.Popen[bytes]"]:
    """The server, on these processors or on the first one, until the block ends."""
    with server.log.open("ab") as log:
        process = subprocess.Popen(
            pinned(server.command, *(numbers or processors()[:1])),
            cwd=server.directory,
            env=server.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for_answers(server, process)
        yield process
    finally:
        _end(process)


def _wait_for_answers(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{server.url}/health", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise Failed(f"{server.name} did not start:\n{server.log.read_text(errors='replace')[-2000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def processor_seconds(process: int) -> float:
    """What the process and its children, which are its workers, have had of processors so far."""
    ticks = 0
    for one in (process, *children(process)):
        # The name before them, in brackets, may hold anything.
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def fill_by_batches(url: str, facts: int) -> None:
    """Twenty thousand entities, forty predicates, the same for everybody who takes the guide's batches."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client:
        for first in range(0, facts, 100):
            batch = [_fact(number) for number in range(first, first + 100)]
            client.post("/triples/batch", json={"triples": batch, "skip_duplicates": True}).raise_for_status()


def _fact(number: int) -> dict[str, Any]:
    subject, predicate, object_ = terms(number)
    weight = number % 1000 / 1000
    return {
        "subject": subject,
        "predicate": predicate,
        "object": object_,
        "weight": weight,
        "metadata": {"source": "bench"},
    }


def terms(number: int) -> tuple[str, str, str]:
    """Of the fact of this number; multipliers without common factors scatter them."""
    return f"S{number * 7919 % 20_000}", f"p{number * 31 % 40}", f"S{number * 104_729 % 19_997}"
