"""The token by which a client reads its own writes from replicas."""

import asyncio

import pytest

from skg_site.client import AsyncClient, Client
from skg_site.client.snapshots import Snapshot
from tests.support.scripted_server import serving

ANSWER = b'{"results": []}'
# The tokens of the answers, and what the request after them sends.
ANSWERS = [
    ({"SKG-Snapshot": "0/F"}, "0/F"),
    ({}, "0/F"),
    ({"SKG-Snapshot": "0/10"}, "0/10"),
    ({"SKG-Snapshot": "0/9"}, "0/10"),
    ({"SKG-Snapshot": "1/0"}, "1/0"),
    ({"SKG-Snapshot": "nonsense"}, "1/0"),
]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_the_newest_token_is_sent_back(kind: type[Client] | type[AsyncClient]) -> None:
    with serving() as server:
        server.answers = [(200, headers, ANSWER) for headers in [*(each for each, _ in ANSWERS), {}]]
        if kind is Client:
            with Client(server.url, "key") as client:
                for _ in server.answers.copy():
                    client.query("a")
        else:
            asyncio.run(_ask(server.url, len(server.answers)))
        sent = [headers["SKG-Snapshot"] for headers in server.headers]
    assert sent == [None, *(token for _, token in ANSWERS)]


async def _ask(url: str, times: int) -> None:
    async with AsyncClient(url, "key") as client:
        for _ in range(times):
            await client.query("a")


def test_nothing_is_sent_before_the_first_token() -> None:
    assert Snapshot().headers == {}
