"""Connections to workers that are known one from another."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from tests.support.service import Service

CONNECTIONS = 5

Clients = dict[str, list[httpx.AsyncClient]]


@asynccontextmanager
async def connected_to_every_worker(one: Service, key: str) -> AsyncIterator[Clients]:
    """For each worker some clients with this key, each with an open connection of its own."""
    clients: Clients = defaultdict(list)
    expected = len(one.workers)
    async with AsyncExitStack() as opened, asyncio.timeout(60):
        # The kernel says which worker takes a connection, and all have started only after a while.
        while sum(map(len, clients.values())) < expected * CONNECTIONS:
            headers = {"Authorization": f"Bearer {key}"}
            client = await opened.enter_async_context(httpx.AsyncClient(base_url=one.url, headers=headers, timeout=30))
            worker = worker_of(await client.get("/health"))
            if len(clients[worker]) < CONNECTIONS:
                clients[worker].append(client)
            else:
                await client.aclose()
                await asyncio.sleep(0.05)
        yield clients


def worker_of(answer: httpx.Response) -> str:
    """What tells the worker that answered from the others: its part of the request's id."""
    return answer.headers["X-Request-ID"][:20]


def memory(one: Service) -> int:
    """The bytes that the first worker holds."""
    status = Path(f"/proc/{one.workers[0]}/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))
