"""What several hosts say of the Valkey that they share."""

import asyncio
import re

import httpx

from tests.support.service import Service


async def until_up(both: list[Service]) -> None:
    async with asyncio.timeout(30):
        while any(map(is_down, both)):
            await asyncio.sleep(0.1)


def is_down(one: Service) -> bool:
    """True if the host's metrics say that Valkey does not answer it."""
    return metric(one, "skg_valkey_down") == 1


def metric(one: Service, name: str) -> float:
    """A number in the host's metrics, 0 if it is not there yet; `name` with its labels."""
    page = httpx.get(f"{one.url}/metrics", timeout=30).raise_for_status().text
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    return 0.0 if found is None else float(found[1])
