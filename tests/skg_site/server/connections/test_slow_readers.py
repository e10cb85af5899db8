"""Which readers are ended when a worker holds too much for them."""

import asyncio
from typing import Any

import pytest

from skg_site.server.connections import slow_readers as unsent
from skg_site.server.connections.slow_readers import Backlog, Reader

MOST = 1000


class Transport:
    """As much of a transport as a reader sees."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.is_ended = False

    def get_write_buffer_size(self) -> int:
        return self.size

    def get_extra_info(self, _name: str) -> None:
        return None

    def abort(self) -> None:
        self.is_ended = True
        self.size = 0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        return self.now

    def call_soon(self, *_: Any) -> None:
        pass


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backlog(monkeypatch: pytest.MonkeyPatch) -> Backlog:
    one = Backlog(MOST)
    monkeypatch.setattr(unsent, "backlog", one)
    return one


def behind(clock: Any, size: int) -> tuple[Reader, Transport]:
    transport = Transport(size)
    reader = Reader(transport, "127.0.0.1", clock)  # type: ignore[arg-type]  # as much of it as is used
    reader.falls_behind()
    return reader, transport


def test_the_slowest_are_ended_until_the_sum_is_kept(backlog: Backlog, clock: Clock) -> None:
    transports = [behind(clock, 500)[1] for _ in range(4)]
    clock.now += 2
    for transport, taken in zip(transports, (10, 200, 0, 100), strict=True):
        transport.size -= taken
    backlog.check(clock.now)
    assert [transport.is_ended for transport in transports] == [True, False, True, False]
    assert not backlog.is_full


def test_new_readers_are_not_judged_before_there_is_twice_as_much(backlog: Backlog, clock: Clock) -> None:
    transports = [behind(clock, 500)[1] for _ in range(4)]
    backlog.check(clock.now)
    assert not any(transport.is_ended for transport in transports)
    # Meanwhile no large answer is begun.
    assert backlog.is_full
    transports.append(behind(clock, 500)[1])
    backlog.check(clock.now)
    assert sum(transport.is_ended for transport in transports) == 1


def test_one_alone_may_have_an_answer_of_any_size(backlog: Backlog, clock: Clock) -> None:
    _, transport = behind(clock, 100 * MOST)
    clock.now += 2
    backlog.check(clock.now)
    assert not transport.is_ended


def test_those_that_have_caught_up_make_room(backlog: Backlog, clock: Clock) -> None:
    (quick, transport), _ = behind(clock, 800), behind(clock, 800)
    backlog.check(clock.now)
    assert backlog.is_full
    transport.size = 0
    quick.has_caught_up()
    assert not backlog.is_full


@pytest.mark.parametrize(("bytes_a_second", "stops"), [(0, True), (2048, True), (8000, True), (16_384, False)])
def test_a_reader_must_take_a_least_rate(
    backlog: Backlog,
    clock: Clock,
    bytes_a_second: int,
    stops: bool,  # a column of the table
) -> None:
    reader, transport = behind(clock, 10 << 20)
    stopped = False
    for _ in range(60):
        stopped = stopped or reader.has_stopped(clock.now)
        clock.now += 1
        transport.size -= bytes_a_second
    assert stopped == stops


async def test_a_sum_is_looked_at_before_the_next_answer_is_written(backlog: Backlog) -> None:
    loop = asyncio.get_running_loop()
    transports = [Transport(900) for _ in range(3)]
    for transport in transports:
        Reader(transport, "127.0.0.1", loop).falls_behind()  # type: ignore[arg-type]  # as above
    assert sum(transport.is_ended for transport in transports) == 1
