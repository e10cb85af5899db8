"""Token buckets that all hosts share: in Valkey, by the server's clock.

Requests that come while others are being counted are counted together by the next call, so that one connection and
one call at a time are enough for a worker, however many requests it has.
"""

import asyncio
from typing import NamedTuple

from apikeys.buckets import CLOCK_SLACK, Bucket, Take
from skg_site.api.valkey import ValkeyDown, valkey

# Lua's numbers hold whole microseconds since 1970 exactly, and nanoseconds not.
MICROSECOND = 1000
# More at once would keep others waiting in the server.
MAX_TOGETHER = 500

# What `Bucket.take` does, for one bucket after the other. Each is answered with the moment at which it was full, as it
# was found, and behind them stands the server's time: from these two the worker knows the rest.
TAKE = f"""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local found = {{}}
for i, name in ipairs(KEYS) do
    local interval = tonumber(ARGV[2 * i])
    local period = ARGV[2 * i - 1] * interval
    local full_at = tonumber(redis.call('GET', name) or 0)
    if full_at < now or full_at > now + period + {CLOCK_SLACK // MICROSECOND} then
        full_at = now
    end
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
    taken: asyncio.Future[Take]


class SharedBuckets:
    """For use on one event loop."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._calling: asyncio.Task[None] | None = None

    async def take(self, identity: int, bucket: Bucket) -> Take:
        """Take a token from the bucket of this identity, or raise `ValkeyDown`."""
        one = _Waiting(identity, in_microseconds(bucket), asyncio.get_running_loop().create_future())
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
    numbers = [number for one in together for number in (one.bucket.capacity, one.bucket.interval // MICROSECOND)]
    # The client sends the script again to a server that has been started since.
    *found, now = await valkey.call(lambda client: client.register_script(TAKE)(names, numbers))
    for one, full_at in zip(together, found, strict=True):
        if not one.taken.done():
            one.taken.set_result(one.bucket.take(full_at * MICROSECOND, now * MICROSECOND))


def in_microseconds(bucket: Bucket) -> Bucket:
    """The bucket with its interval rounded up, so that no period gives more than the rate."""
    return Bucket(bucket.capacity, -(-bucket.interval // MICROSECOND) * MICROSECOND)


shared_buckets = SharedBuckets()
