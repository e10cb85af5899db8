"""Token buckets shared by all hosts, in Valkey, by the clock of the server.

Requests that arrive during a call are counted together by the next call, so a worker needs one connection and one call
at a time.

A server that restarted or evicted keys does not refill buckets: each call has the tokens that the host knows to be
missing, and the larger number counts. The host has them in its own table of buckets, which also counts while the server
does not answer.
"""

import asyncio
from time import monotonic_ns
from typing import NamedTuple

from apikeys.bucket_table import BucketTable
from apikeys.token_bucket import CLOCK_SLACK, MICROSECOND, Bucket, Take
from skg_site.api.valkey import ValkeyDown, valkey

# More in one call would delay other clients of the server.
MAX_TOGETHER = 500

# `Bucket.take` in Lua. The arguments of each bucket: its capacity, its interval, the time until it is full again as the
# host knows it, and the interval times the tokens that are taken. The result has the time at which each bucket was
# full, and then the time of the server; the worker computes the rest.
TAKE = f"""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local found = {{}}
for i, name in ipairs(KEYS) do
    local interval = tonumber(ARGV[4 * i - 2])
    local period = ARGV[4 * i - 3] * interval
    local full_at = tonumber(redis.call('GET', name) or 0)
    if full_at < now or full_at > now + period + {CLOCK_SLACK // MICROSECOND} then
        full_at = now
    end
    full_at = math.max(full_at, now + ARGV[4 * i - 1])
    found[i] = full_at
    local moved = full_at + ARGV[4 * i]
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
        """Nanoseconds until the bucket is full again, as the host knows it."""
        return min(self.host.ahead(self.identity), self.bucket.capacity * self.bucket.interval)


class SharedBuckets:
    """For use on one event loop."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._calling: asyncio.Task[None] | None = None

    async def take(self, identity: int, bucket: Bucket, host: BucketTable) -> Take:
        """Take what it costs from the bucket of this identity, and record the result in `host`; raises `ValkeyDown`."""
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
                    # Done if its request was cancelled.
                    if not one.taken.done():
                        one.taken.set_exception(down)


async def _take_together(together: list[_Waiting]) -> None:
    names = [f"skg:limit:{one.identity:016x}" for one in together]
    # The time before the call stands for that of the server, so the host never records too much.
    asked = monotonic_ns()
    numbers = [
        number
        for one in together
        for number in (
            one.bucket.capacity,
            one.bucket.interval // MICROSECOND,
            one.ahead // MICROSECOND,
            one.bucket.cost * one.bucket.interval // MICROSECOND,
        )
    ]
    # The client sends the script again to a server that has restarted.
    *found, now = await valkey.call(lambda client: client.register_script(TAKE)(names, numbers))
    for one, full_at in zip(together, found, strict=True):
        taken = one.bucket.take(full_at * MICROSECOND, now * MICROSECOND)
        one.host.move_forward(one.identity, asked + taken.full_at - now * MICROSECOND)
        if not one.taken.done():
            one.taken.set_result(taken)


shared_buckets = SharedBuckets()
