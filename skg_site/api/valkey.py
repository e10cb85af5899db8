"""Client of the Valkey or Redis server that hosts share, for the event loop of a worker.

No request waits for a server that is down. The first call without an answer in time marks it as down; then calls fail
at once until the server answers a probe, which runs beside the requests.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    # The client takes 25 MB of memory, so it is loaded only with a server.
    from redis.asyncio import Redis

log = structlog.get_logger("skg.valkey")

Result = TypeVar("Result")

DOWN = Gauge("skg_valkey_down", "1 while Valkey does not answer a worker in time", multiprocess_mode="livemax")
FAILURES = Counter("skg_valkey_failures_total", "Calls that Valkey did not answer in time, or with an error")

DEADLINE_SECONDS = 0.1
PROBE_SECONDS = 1.0
# For callers that can wait: commands, and the threads that change keys.
PATIENCE_SECONDS = 1.0
# A subscriber sends nothing, so the kernel has to detect a lost peer.
KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}


class ValkeyDown(Exception):
    """The server is down or did not answer in time."""


class Valkey:
    """A connection to the server of SKG_REDIS_URL. For use on one event loop, from `open` to `close`."""

    def __init__(self) -> None:
        # False while the server is down, or without a server.
        self.is_up = False
        self._client: Redis | None = None
        self._errors: tuple[type[Exception], ...] = ()
        self._probing: asyncio.Task[None] | None = None

    def open(self, url: str) -> None:
        """Prepare the connection; nothing is sent yet."""
        self._client = connect(url)
        self._errors = _errors()
        self.is_up = True
        DOWN.set(0)

    async def close(self) -> None:
        self.is_up = False
        if self._probing is not None:
            self._probing.cancel()
            self._probing = None
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def call(self, ask: Callable[["Redis"], Awaitable[Result]]) -> Result:
        """The answer of the server; raises `ValkeyDown`."""
        if not self.is_up or self._client is None:
            raise ValkeyDown
        try:
            return await _in_time(ask(self._client))
        except self._errors as error:
            self._note_failure(error)
            raise ValkeyDown from error

    async def follow(self, channel: str, heard: Callable[[str], None]) -> None:
        """Call `heard` with each message of the channel until it is cancelled; messages can be missed."""
        assert self._client is not None
        while True:
            try:
                async with self._client.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(channel)
                    async for message in subscription.listen():
                        heard(message["data"].decode())
            except self._errors as error:
                self._note_failure(error)
            if self._probing is not None:
                await asyncio.wait({self._probing})

    def _note_failure(self, error: Exception) -> None:
        FAILURES.inc()
        # Only the first of several calls at the same time logs it.
        if self.is_up:
            self.is_up = False
            DOWN.set(1)
            log.warning("valkey_down", error=f"{type(error).__name__}: {error}", advice="limits are counted by host")
            self._probing = asyncio.create_task(self._probe(monotonic()))

    async def _probe(self, down_since: float) -> None:
        assert self._client is not None
        # Dead connections would fail the next calls once the server is back.
        await self._client.connection_pool.disconnect()
        while not self.is_up:
            await asyncio.sleep(PROBE_SECONDS)
            with suppress(*self._errors):
                # A write, since a full server and a replica answer reads.
                self.is_up = bool(await _in_time(self._client.set("skg:probe", 1, px=1000)))
        DOWN.set(0)
        log.info("valkey_up", down_seconds=round(monotonic() - down_since, 1))


def publish(url: str, channel: str, message: str) -> bool:
    """Send a message to the channel over a connection of its own. True if the server took it."""
    from redis import Redis, RedisError  # noqa: PLC0415  # as above

    try:
        with Redis.from_url(
            url, retry=None, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
        ) as client:
            client.publish(channel, message)
    except (RedisError, OSError):
        return False
    return True


def connect(url: str) -> "Redis":
    """A client without retries: a call without an answer may have taken effect."""
    from redis.asyncio import Redis  # noqa: PLC0415  # as above
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415

    options: dict[str, Any] = {"socket_timeout": None, "socket_connect_timeout": PATIENCE_SECONDS}
    if not url.startswith("unix:"):
        options |= {"socket_keepalive": True, "socket_keepalive_options": KEEPALIVE}
    return Redis.from_url(url, retry=Retry(NoBackoff(), 0), **options)


def _errors() -> tuple[type[Exception], ...]:
    from redis.exceptions import RedisError  # noqa: PLC0415  # as above

    return (RedisError, OSError)


async def _in_time(asking: Awaitable[Result]) -> Result:
    """The answer, if it comes before the deadline; TimeoutError otherwise.

    Waits in two halves: a late event loop runs the timer before it reads an answer that has arrived, and reads that in
    the second half.
    """
    task = asyncio.ensure_future(asking)
    try:
        for _ in range(2):
            await asyncio.wait({task}, timeout=DEADLINE_SECONDS / 2)
            if task.done():
                return task.result()
    finally:
        task.cancel()
    raise TimeoutError("no answer in time")


valkey = Valkey()
