"""Token buckets that all hosts share: in Valkey, by the server's clock.

Requests that come while others are being counted are counted together by the next call, so that one connection and
one call at a time are enough for a worker, however many requests it has.

A server that was started again, or that dropped what it had no room for, gives no bucket back full: each call says how
much the host knows to be missing from the bucket, and that holds if the server knows of less. What the host knows is in
its own table of buckets, which also counts while the server does not answer.
"""

import asyncio
from time import monotonic_ns
from typing import NamedTuple

from apikeys.bucket_table import BucketTable
from apikeys.token_bucket import CLOCK_SLACK, MICROSECOND, Bucket, Take
from skg_site.api.valkey import ValkeyDown, valkey

# More at once would keep others waiting in the server.
MAX_TOGETHER = 500

# What `Bucket.take` does, for one bucket after the other: its capacity, its interval, and how far from now it is full
# again as far as the host knows. Each is answered with the moment at which it was full, as it
# was found, and behind them stands the server's time: from these two the worker knows the rest.
TAKE = f"""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local found = {{}}
for i, name in ipairs(KEYS) do
    local interval = tonumber(ARGV[3 * i - 1])
    local period = ARGV[3 * i - 2] * interval
    local full_at = tonumber(redis.call('GET', name) or 0)
    if full_at < now or full_at > now + period + {CLOCK_SLACK // MICROSECOND} then
        full_at = now
    end
    full_at = math.max(full_at, now + ARGV[3 * i])
    found[i] = full_at
    local moved = full_at + interval
    if moved <= now + period then
        redis.call('SET', name, string.format('%.0f', moved), 'PX', math.ceil((moved - now) / 1000))
    end
end
found[#found + 1] = now
return found
"""


class _Waiting(NamedTuple):
    identity: int
    bucket: Bucket
    host: BucketTable
    taken: asyncio.Future[Take]

    @property
    def ahead(self) -> int:
        """How many nanoseconds from now the bucket is full again, as far as the host knows."""
        return min(self.host.ahead(self.identity), self.bucket.capacity * self.bucket.interval)


class SharedBuckets:
    """For use on one event loop."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._calling: asyncio.Task[None] | None = None

    async def take(self, identity: int, bucket: Bucket, host: BucketTable) -> Take:
        """Take a token from the bucket of this identity, or raise `ValkeyDown`; `host` is told what is left."""
        one = _Waiting(identity, bucket.in_microseconds, host, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if self._calling is None or self._calling.done():
            self._calling = asyncio.create_task(self._call())
        return await one.taken

    async def _call(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
            try:
                await _take_together(together)
            except ValkeyDown as down:
                for one in together:
                    # A client that has gone away waits no more.
                    if not one.taken.done():
                        one.taken.set_exception(down)


async def _take_together(together: list[_Waiting]) -> None:
    names = [f"skg:limit:{one.identity:016x}" for one in together]
    # What is known is never more than what is true, since the answer's time is taken for that of the question.
    asked = monotonic_ns()
    numbers = [
        number
        for one in together
        for number in (one.bucket.capacity, one.bucket.interval // MICROSECOND, one.ahead // MICROSECOND)
    ]
    # The client sends the script again to a server that has been started since.
    *found, now = await valkey.call(lambda client: client.register_script(TAKE)(names, numbers))
    for one, full_at in zip(together, found, strict=True):
        taken = one.bucket.take(full_at * MICROSECOND, now * MICROSECOND)
        one.host.move_forward(one.identity, asked + taken.full_at - now * MICROSECOND)
        if not one.taken.done():
            one.taken.set_result(taken)


shared_buckets = SharedBuckets()
