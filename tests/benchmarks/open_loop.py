"""Requests at a rate of their own, whatever becomes of them: what many clients that know nothing of each other send."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

Payload = Callable[[], bytes]

# Once so many wait for an answer, what is due is not sent and is counted as unsent: a client's patience has an end too.
MOST_CONNECTIONS = 1000
STEP_SECONDS = 0.002
LAST_ANSWERS_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Sent:
    """A request: when it was due and when it was answered, in seconds from the beginning, and with which status."""

    due: float
    answered: float
    status: int

    @property
    def latency(self) -> float:
        return self.answered - self.due


@dataclass(slots=True)
class Outcome:
    answers: list[Sent] = field(default_factory=list)
    unsent: int = 0
    broken: int = 0
    # How late the latest request was sent: what the machine that sends them adds to their times.
    late: float = 0.0

    def with_status(self, *statuses: int) -> list[Sent]:
        return [one for one in self.answers if one.status in statuses]

    def between(self, begin: float, end: float) -> "Outcome":
        """What was due from `begin` to `end`, of the answers."""
        return Outcome([one for one in self.answers if begin <= one.due < end], self.unsent, self.broken)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed; nothing has no delay."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


async def offer(port: int, payload: Payload, phases: Sequence[tuple[float, float]]) -> Outcome:
    """Send at each phase's rate (requests a second) for its seconds, one phase after the other."""
    return await _Load(port, payload).run(phases)


class _Load:
    def __init__(self, port: int, payload: Payload) -> None:
        self.port = port
        self.payload = payload
        self.outcome = Outcome()
        self.idle: list[_Connection] = []
        self.open: set[_Connection] = set()
        self.opening: set[asyncio.Task[None]] = set()
        self.begin = 0.0

    @property
    def now(self) -> float:
        return perf_counter() - self.begin

    async def run(self, phases: Sequence[tuple[float, float]]) -> Outcome:
        self.begin = perf_counter()
        dues = _dues(phases)
        due = next(dues, None)
        while due is not None:
            while due is not None and due <= self.now:
                self._send(due)
                due = next(dues, None)
            await asyncio.sleep(STEP_SECONDS)
        await self._wait_for_the_last()
        return self.outcome

    def _send(self, due: float) -> None:
        self.outcome.late = max(self.outcome.late, self.now - due)
        while self.idle:
            connection = self.idle.pop()
            if not connection.transport.is_closing():
                connection.ask(due)
                return
        if len(self.open) + len(self.opening) >= MOST_CONNECTIONS:
            self.outcome.unsent += 1
            return
        task = asyncio.get_running_loop().create_task(self._open(due))
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)

    async def _open(self, due: float) -> None:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self), "127.0.0.1", self.port
            )
        except OSError:
            self.outcome.broken += 1
            return
        connection.ask(due)

    async def _wait_for_the_last(self) -> None:
        end = self.now + LAST_ANSWERS_SECONDS
        while self.now < end and (self.opening or any(one.due is not None for one in self.open)):
            await asyncio.sleep(0.01)
        for connection in self.open:
            self.outcome.broken += connection.due is not None
            connection.due = None
            connection.transport.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self.load = load
        self.due: float | None = None
        self.received = b""
        self.transport = cast("asyncio.Transport", None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.load.open.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self.load.open.discard(self)
        if self.due is not None:
            self.load.outcome.broken += 1
            self.due = None

    def ask(self, due: float) -> None:
        self.due = due
        self.transport.write(self.load.payload())

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found or self.due is None or len(body) < content_length(head):
            return
        self.load.outcome.answers.append(Sent(self.due, self.load.now, int(head[9:12])))
        self.due = None
        self.received = b""
        self.load.idle.append(self)


def content_length(head: bytes) -> int:
    lower = head.lower()
    start = lower.index(b"content-length:") + len(b"content-length:")
    return int(lower[start:].split(b"\r\n", 1)[0])


def _dues(phases: Sequence[tuple[float, float]]) -> Iterator[float]:
    begin = 0.0
    for rate, seconds in phases:
        yield from (begin + number / rate for number in range(int(rate * seconds)))
        begin += seconds
