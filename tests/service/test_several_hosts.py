"""Two hosts with nothing in common but a PostgreSQL and a Valkey: what is counted, refused and made, is so on both."""

import asyncio
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from math import inf
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from tests.service.conftest import NewDatabase, StartHosts
from tests.service.hosts import is_down, until_up
from tests.support.environment import service_variables
from tests.support.service import Service, manage
from tests.support.valkey import ValkeyServer

RATE = 50
CLIENTS = 8


def issue(one: Service, **wanted: Any) -> dict[str, Any]:
    with one.client() as admin:
        answer = admin.post("/keys", json={"name": "test", "scopes": ["read"]} | wanted).raise_for_status()
        issued: dict[str, Any] = answer.json()
        return issued


async def ask_both(both: list[Service], key: str, times: int) -> list[httpx.Response]:
    """So many requests in all, half of them to each host, some at the same time."""
    async with AsyncExitStack() as opened:
        clients = [
            await opened.enter_async_context(
                httpx.AsyncClient(base_url=one.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
            )
            for one in both
            for _ in range(CLIENTS // 2)
        ]

        async def ask(client: httpx.AsyncClient) -> list[httpx.Response]:
            return [await client.get("/stats") for _ in range(times // CLIENTS)]

        return [answer for answers in await asyncio.gather(*map(ask, clients)) for answer in answers]


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def test_a_burst_over_two_hosts_gets_exactly_what_the_bucket_holds(hosts: StartHosts) -> None:
    both = hosts()
    await until_up(both)
    key = issue(both[0], rate=f"{RATE}/h")["key"]
    answers = await ask_both(both, key, 200)
    assert statuses(answers) == {200: RATE, 429: 200 - RATE}
    remaining = sorted(int(answer.headers["RateLimit"].split(";")[1][2:]) for answer in answers if answer.is_success)
    assert remaining == list(range(RATE))
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers if answer.status_code == 429)


async def test_without_valkey_each_host_counts_and_afterwards_both_together(
    hosts: StartHosts, valkey_server: ValkeyServer
) -> None:
    both = hosts()
    await until_up(both)
    first, second, third = (issue(both[0], rate=f"{RATE}/h")["key"] for _ in range(3))
    assert statuses(await ask_both(both, first, 200)) == {200: RATE, 429: 200 - RATE}

    valkey_server.kill()
    assert statuses(await ask_both(both, second, 200)) == {200: 2 * RATE, 429: 200 - 2 * RATE}
    for one in both:
        assert [line["event"] for line in one.log_lines].count("valkey_down") == 1
        assert is_down(one)

    valkey_server.start()
    await until_up(both)
    assert statuses(await ask_both(both, third, 200)) == {200: RATE, 429: 200 - RATE}


@pytest.mark.parametrize("fault", ["killed", "stopped"])
async def test_no_request_fails_or_waits_while_valkey_comes_and_goes(
    hosts: StartHosts, valkey_server: ValkeyServer, fault: str
) -> None:
    both = hosts()
    key = issue(both[0], rate="1000000/s")["key"]
    stop, start = {
        "killed": (valkey_server.kill, valkey_server.start),
        "stopped": (valkey_server.pause, valkey_server.resume),
    }[fault]
    over = asyncio.Event()
    gone_at = inf
    # The clients of which a request that they began while the server was gone has been answered.
    served: set[int] = set()
    answered: Counter[int] = Counter()

    async def ask(number: int) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=both[number % 2].url, headers=headers, timeout=30) as client:
            while not over.is_set():
                began = monotonic()
                answer = await client.get("/stats")
                answered[answer.status_code] += 1
                if began > gone_at:
                    served.add(number)

    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(ask(number))
        for _ in range(2):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(stop)
            gone_at = monotonic()
            async with asyncio.timeout(60):
                # Were they to wait for it, this would not end: it comes back when all are served.
                while len(served) < 6:
                    await asyncio.sleep(0.05)
            gone_at = inf
            served.clear()
            await asyncio.to_thread(start)
            await until_up(both)
        over.set()
    assert set(answered) == {200}
    for one in both:
        events = [line["event"] for line in one.log_lines]
        assert 1 <= events.count("valkey_down") == events.count("valkey_up") <= 4


def test_a_key_that_is_revoked_on_one_host_is_refused_by_the_other_before_its_row_is_read_again(
    hosts: StartHosts, valkey_server: ValkeyServer
) -> None:
    both = hosts()
    issued = issue(both[0])
    headers = {"Authorization": f"Bearer {issued['key']}"}
    deadline = monotonic() + 20
    while followers(valkey_server) < 2 and monotonic() < deadline:
        sleep(0.05)
    with httpx.Client(base_url=both[1].url, headers=headers) as user, both[0].client() as admin:
        # What the other host has just read would hold for 0.75 s more.
        assert user.get("/stats").status_code == 200
        began = monotonic()
        admin.post(f"/keys/{issued['id']}/revoke").raise_for_status()
        while user.get("/stats").status_code == 200:
            pass
        assert monotonic() - began < 0.5


def followers(server: ValkeyServer) -> int:
    """How many workers follow the channel of the keys."""
    with server.client() as client:
        return int(dict(client.pubsub_numsub("skg:keys"))[b"skg:keys"])


def test_failed_logins_are_counted_over_both_hosts(hosts: StartHosts) -> None:
    one, other = hosts()
    # A minute that ends in between begins the count again.
    for _ in range(3):
        tried_here = 0
        while log_in_wrongly(one) == 200:
            tried_here += 1
        assert tried_here < 20
        if log_in_wrongly(other) == 429:
            return
    raise AssertionError("each host counts alone")


def log_in_wrongly(one: Service) -> int:
    with httpx.Client(base_url=one.url) as browser:
        browser.get("/admin/login/")
        form = {"username": "a", "password": "b", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        return browser.post("/admin/login/", data=form, headers={"Referer": one.url}).status_code


def test_migrations_that_all_hosts_begin_are_made_once(new_database: NewDatabase, tmp_path: Path) -> None:
    url = new_database()

    def migrate(number: int) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / str(number)
        folder.mkdir()
        return manage("migrate", "--no-input", variables=service_variables(folder, database_url=url))

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(migrate, range(3)))
    assert [one.returncode for one in done] == [0] * 3, [one.stderr[-500:] for one in done]
    assert sum("No migrations to apply" in one.stdout for one in done) == 2


def test_a_run_that_is_under_way_on_one_host_is_not_begun_on_the_other(hosts: StartHosts) -> None:
    both = hosts()
    with both[0].client() as here:
        rule = {"name": "path", "head": ["?x", "over", "?z"], "body": [["?x", "over", "?y"], ["?y", "over", "?z"]]}
        here.post("/rules", json=rule).raise_for_status()
        for start in range(0, 600, 100):
            triples = [
                {"subject": f"n{n}", "predicate": "over", "object": f"n{n + 1}"} for n in range(start, start + 100)
            ]
            here.post("/triples/batch", json={"triples": triples}).raise_for_status()
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda one: manage("recurse", variables=one.variables), both))
    # The second waits for no one: it is told that there is a run, and ends.
    assert sorted(one.returncode for one in done) in ([0, 0], [0, 75]), [one.stderr for one in done]
    with both[1].client() as there:
        body = {"pattern": ["n0", "over", None], "k": 1000}
        assert len(there.post("/query", json=body).raise_for_status().json()["results"]) == 600
