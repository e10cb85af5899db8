"""What several workers of one service agree on: limits to the request, revocations within a second."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.conftest import StartService
from tests.support.service import Service

pytestmark = pytest.mark.both


def spread_over(service: Service, clients: int) -> list[httpx.Client]:
    """Clients with a connection each; the kernel spreads connections over the workers."""
    return [service.client() for _ in range(clients)]


def test_four_workers_let_exactly_the_limit_through(service: StartService) -> None:
    one = service(workers=4, rate_limit="60/h")
    clients = spread_over(one, 16)
    with ThreadPoolExecutor(len(clients)) as threads:
        answers = threads.map(lambda client: [client.get("/stats").status_code for _ in range(20)], clients)
        seen = Counter(status for some in answers for status in some)
    assert seen == {200: 60, 429: 260}
    for client in clients:
        client.close()


def test_a_revocation_is_effective_in_every_worker_within_a_second(service: StartService) -> None:
    one = service(workers=2)
    clients = spread_over(one, 8)
    for client in clients:
        assert client.get("/keys/me").status_code == 200
    key_id = clients[0].get("/keys/me").json()["id"]
    assert clients[0].post(f"/keys/{key_id}/revoke").status_code == 200
    committed = time.monotonic()
    last_let_in = committed
    while time.monotonic() < committed + 2:
        for client in clients:
            asked = time.monotonic()
            if client.get("/keys/me").status_code == 200:
                last_let_in = asked
    assert last_let_in - committed < 1
    for client in clients:
        client.close()
