"""Workers count a key's requests together."""

import asyncio
from collections import Counter

import httpx

from tests.conftest import StartService
from tests.service.workers import connected_to_every_worker

RATE = 50
REQUESTS = 200


async def test_a_burst_over_four_workers_gets_exactly_what_the_bucket_holds(service: StartService) -> None:
    one = service(workers=4)
    with one.client() as admin:
        # By the hour, so that nothing trickles into the bucket while the test runs.
        wanted = {"name": "hourly", "scopes": ["read"], "rate": f"{RATE}/h"}
        key = admin.post("/keys", json=wanted).raise_for_status().json()["key"]

    async def ask_often(client: httpx.AsyncClient, times: int) -> list[httpx.Response]:
        return [await client.get("/stats") for _ in range(times)]

    async with connected_to_every_worker(one, key) as workers:
        clients = [client for worker in workers.values() for client in worker]
        # How many connections it takes until every worker has some is a matter of chance.
        shares = [len(range(number, REQUESTS, len(clients))) for number in range(len(clients))]
        bursts = await asyncio.gather(*map(ask_often, clients, shares))
        # The limit is for each endpoint.
        elsewhere = await clients[0].get("/triples")

    answers = [answer for burst in bursts for answer in burst]
    assert Counter(answer.status_code for answer in answers) == {200: RATE, 429: REQUESTS - RATE}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers if answer.status_code == 429)
    remaining = [answer.headers["RateLimit"].split(";")[1] for answer in answers if answer.status_code == 200]
    assert sorted(remaining) == sorted(f"r={number}" for number in range(RATE))
    assert elsewhere.status_code == 200
