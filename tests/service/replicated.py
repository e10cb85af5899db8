"""A service whose database has replicas, with what tests ask of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import psycopg

from tests.support.postgresql import TestServer
from tests.support.service import Service
from tests.support.standby import Standby

SECONDS = 20


@dataclass
class Replicated:
    """A service, the server of its database, and its replicas."""

    one: Service
    server: TestServer
    url: str
    standbys: list[Standby]

    def client(self) -> httpx.Client:
        """A client with a connection of its own."""
        return self.one.client()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        text = httpx.get(f"{self.one.url}/metrics").text
        wanted = [f'{label}="{value}' for label, value in labels.items()]
        lines = [line for line in text.splitlines() if line.startswith(name + "{")]
        return sum(float(line.rpartition(" ")[2]) for line in lines if all(part in line for part in wanted))

    def in_use(self) -> int:
        """The number of replicas that are read."""
        found: dict[str, Any] = httpx.get(f"{self.one.url}/ready", timeout=30).json()["replicas"]
        return int(found["in_use"])

    def caught_up(self) -> None:
        """Wait until the replicas have replayed everything."""
        with psycopg.connect(self.url, autocommit=True) as driver:
            [end] = driver.execute("SELECT pg_current_wal_flush_lsn()").fetchone() or (None,)
        for standby in self.standbys:
            statement = f"SELECT pg_last_wal_replay_lsn() >= '{end}'"
            until(partial(self._holds, standby, statement))

    def _holds(self, standby: Standby, statement: str) -> bool:
        return bool(standby.execute(self.url, statement) == (True,))


def until(holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
