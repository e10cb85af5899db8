"""Waiting for what comes about by itself."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about within ten seconds")
