"""Workers are replaced and the service is stopped while clients ask: whoever has sent a request gets its answer."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tests.benchmarks.open_loop import content_length
from tests.conftest import StartService
from tests.service.wire import HEAD
from tests.support.service import Service

REQUEST = b"POST /triples/add HTTP/1.1\r\n" + HEAD
KEEPING, NEW = 6, 2


@dataclass
class Tally:
    """What became of the requests: how many had each status, and how many were sent and not answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    refused_connections: int = 0
    closed_politely: int = 0


class Client:
    """Adds facts over one connection, or over a new one each time, and judges what became of each.

    A request that was sent and not answered is lost, with one exception: a new connection that is reset before
    anything came over it was the kernel's and never the service's, and counts as refused. (A listener that closes for
    good takes such connections with it; where workers are only replaced, there must be none.)
    """

    def __init__(self, one: Service, name: str, tally: Tally, *, keeps: bool) -> None:
        self.port = one.port
        self.name = name
        self.tally = tally
        self.keeps = keeps
        self.number = 0

    async def ask_until(self, done: asyncio.Event) -> None:
        while not done.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                self.tally.refused_connections += 1
                await asyncio.sleep(0.02)
                continue
            try:
                is_new = True
                while not done.is_set() and await self.ask(reader, writer, is_new=is_new):
                    is_new = False
                    await asyncio.sleep(0.005)
            finally:
                writer.close()

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_new: bool) -> bool:
        """True if the connection can be used again."""
        self.number += 1
        body = b'{"subject":"%b","predicate":"asks","object":"%d"}' % (self.name.encode(), self.number)
        try:
            writer.write(b"%bContent-Length: %d\r\n\r\n%b" % (REQUEST, len(body), body))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(content_length(head))
        except (OSError, asyncio.IncompleteReadError) as error:
            if is_new and isinstance(error, ConnectionResetError):
                self.tally.refused_connections += 1
                return False
            self.tally.lost.append(f"{self.name} {self.number}: {type(error).__name__}")
            return False
        self.tally.statuses[int(head[9:12])] += 1
        if b"connection: close" in head.lower():
            self.tally.closed_politely += 1
            return False
        return self.keeps


@asynccontextmanager
async def asking(one: Service) -> AsyncIterator[Tally]:
    """Clients that keep their connections and clients that do not, until the block ends."""
    tally = Tally()
    done = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in range(KEEPING + NEW):
            client = Client(one, f"c{number}", tally, keeps=number < KEEPING)
            group.create_task(client.ask_until(done))
        try:
            yield tally
        finally:
            done.set()


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


def answered(tally: Tally, count: int) -> Callable[[], bool]:
    """True if so many more have been answered than now."""
    goal = tally.statuses.total() + count
    return lambda: tally.statuses.total() >= goal


def assert_nothing_was_lost(one: Service, tally: Tally) -> None:
    assert tally.lost == []
    assert tally.statuses.keys() == {201}
    with one.client() as client:
        assert client.get("/stats").json()["total_triples"] == tally.statuses[201]


async def test_a_reload_loses_no_request_and_no_connection(service: StartService) -> None:
    one = service(workers=2)
    assert one.process is not None
    before = set(one.workers)
    async with asking(one) as tally:
        await until(answered(tally, 100))
        one.process.send_signal(signal.SIGHUP)
        await until(lambda: len(one.workers) == 2 and before.isdisjoint(one.workers))
        await until(answered(tally, 100))
    assert tally.closed_politely > 0
    assert tally.refused_connections == 0
    assert_nothing_was_lost(one, tally)
    assert one.stop() == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_worker_that_has_had_its_share_of_requests_is_replaced_and_none_is_lost(
    service: StartService, workers: int
) -> None:
    one = service(workers=workers, max_requests=200)
    seen: set[int] = set()

    def three_more() -> bool:
        seen.update(one.workers)
        return len(seen) >= workers + 3

    async with asking(one) as tally:
        await until(three_more, 120)
        await until(answered(tally, 50))
    assert tally.refused_connections == 0
    assert_nothing_was_lost(one, tally)


async def test_sigterm_under_load_answers_all_that_was_sent(service: StartService) -> None:
    one = service(workers=2)
    assert one.process is not None
    async with asking(one) as tally:
        await until(answered(tally, 100))
        one.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(one.process.wait, 20) == 0
    assert tally.closed_politely > 0
    one.start()
    assert_nothing_was_lost(one, tally)


async def test_one_worker_stopped_under_load_loses_nothing(service: StartService) -> None:
    one = service(workers=2)
    stopped = one.workers[0]
    async with asking(one) as tally:
        await until(answered(tally, 100))
        os.kill(stopped, signal.SIGTERM)
        await until(lambda: stopped not in one.workers and len(one.workers) == 2)
        await until(answered(tally, 100))
    assert tally.refused_connections == 0
    assert_nothing_was_lost(one, tally)


async def test_a_connection_that_nobody_uses_does_not_hold_a_stop_up(service: StartService) -> None:
    one = service()
    assert one.process is not None
    _, writer = await asyncio.open_connection("127.0.0.1", one.port)
    one.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(one.process.wait, 20) == 0
    writer.close()
