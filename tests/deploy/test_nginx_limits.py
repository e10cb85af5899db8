"""What nginx refuses, what it leaves to the service, and whose address both of them see."""

import asyncio
import json
import signal
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.deploy.proxy import Proxy
from tests.support.service import KEY, Service

Proxied = Callable[..., tuple[Service, Proxy]]
QUERY = {"pattern": [None, None, None]}
PROBES = {"/health", "/ready"}
SECRET = "skg_prod_" + "s3cr3t78" * 5
PROBLEM = "application/problem+json"
# The address limit out of the way, for tests of something else.
UNLIMITED = {"limit_req zone=skg_address burst=20 nodelay;": "", "limit_req zone=skg_key burst=200 nodelay;": ""}


def requests_of(service: Service) -> list[dict[str, Any]]:
    return [line for line in service.log_lines if line["event"] == "request"]


def test_a_client_is_known_by_its_own_address_whatever_it_forwards(proxied: Proxied) -> None:
    service, front = proxied()
    forged = {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.7", "Forwarded": "for=203.0.113.7"}
    with front.client(KEY, address="127.0.0.9") as client:
        assert client.get("/stats", headers=forged).status_code == 200
    # Past the proxy, from an address that is not the proxy's: what it forwards is not believed.
    transport = httpx.HTTPTransport(local_address="127.0.0.8")
    with httpx.Client(base_url=service.url, headers=service.headers, transport=transport) as client:
        assert client.get("/stats", headers=forged).status_code == 200
    assert [line["ip"] for line in requests_of(service) if line["endpoint"] == "/stats"] == ["127.0.0.9", "127.0.0.8"]


def test_a_request_has_one_id_in_the_answer_and_in_both_logs(proxied: Proxied) -> None:
    service, front = proxied()
    with front.client(KEY) as client:
        own = client.get("/stats", headers={"X-Request-ID": "a-client-s-own_id.1"})
        hostile = client.get("/stats", headers={"X-Request-ID": 'a"b c'})
        misplaced = client.get(f"/{SECRET}?{SECRET}", headers={"X-Request-ID": SECRET, "Referer": SECRET})
    assert own.headers["X-Request-ID"] == "a-client-s-own_id.1"
    ids = [answer.headers["X-Request-ID"] for answer in (own, hostile, misplaced)]
    assert [line["request_id"] for line in requests_of(service) if line["endpoint"] not in PROBES] == ids
    # It writes a line after its answer is sent, but before it ends.
    front.end()
    assert [line["request_id"] for line in front.access_log_lines] == ids
    assert front.access_log_lines[-1]["path"] == f"/{SECRET[:17]}***"
    assert SECRET not in service.log_text


def test_a_flood_from_one_address_is_refused_by_nginx_with_a_problem(proxied: Proxied) -> None:
    service, front = proxied()
    with front.client(KEY, address="127.0.0.9") as client:
        answers = [client.get("/stats") for _ in range(80)]
    refused = [answer for answer in answers if answer.status_code == 429]
    served = [answer for answer in answers if answer.status_code == 200]
    assert len(refused) + len(served) == 80
    # The burst is served at once.
    assert len(served) > 20
    assert refused, "80 requests in a row were all within 10 a second"
    for answer in refused:
        assert answer.headers["Content-Type"] == PROBLEM
        assert answer.headers["Retry-After"] == "1"
        assert answer.json() == {
            "type": "about:blank",
            "title": "Too Many Requests",
            "status": 429,
            "detail": "Too many requests; ask again a little later.",
            "instance": "/stats",
            "request_id": answer.headers["X-Request-ID"],
        }
    assert len([line for line in requests_of(service) if line["endpoint"] == "/stats"]) == len(served)
    # The limit of one address is not another's.
    with front.client(KEY, address="127.0.0.10") as client:
        assert client.get("/stats").status_code == 200


def test_the_service_s_own_limit_comes_through_as_it_is(proxied: Proxied) -> None:
    _, front = proxied(rate_limit="2/h")
    with front.client(KEY) as client:
        answers = [client.get("/stats") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert refused.headers["Content-Type"] == PROBLEM
    assert refused.headers["RateLimit"]
    assert refused.headers.get_list("Retry-After") == [refused.headers["Retry-After"]]
    assert int(refused.headers["Retry-After"]) > 1
    assert refused.json()["request_id"] == refused.headers["X-Request-ID"]


def test_a_body_that_is_too_large_is_refused_by_whoever_sees_it_first(proxied: Proxied) -> None:
    service, front = proxied(max_body_bytes=2048)
    as_json = {"Content-Type": "application/json"}
    with front.client(KEY) as client:
        small = client.post("/query", json=QUERY)
        large = client.post("/query", content=b" " * 3000, headers=as_json)
        huge = client.post("/query", content=b" " * (5 << 20), headers=as_json)
    assert small.status_code == 200
    assert [(answer.status_code, answer.headers["Content-Type"]) for answer in (large, huge)] == [(413, PROBLEM)] * 2
    assert huge.json()["instance"] == "/query"
    # Of the huge one the service never heard.
    assert [line["status"] for line in requests_of(service) if line["endpoint"] == "/query"] == [200, 413]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /triples/%00 HTTP/1.1", 400),
        (b"GET /%zz HTTP/1.1", 400),
        (b"TRACE /stats HTTP/1.1", 405),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1", 414),
    ],
    ids=["zero byte", "no encoding", "trace", "long"],
)
def test_a_request_that_is_none_is_answered_with_a_problem(proxied: Proxied, line: bytes, status: int) -> None:
    _, front = proxied()
    with front.connect() as connection:
        connection.sendall(line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert f"content-type: {PROBLEM}".encode() in head.lower()
    assert json.loads(body)["status"] == status


def read_all(connection: socket.socket) -> bytes:
    received = bytearray()
    while piece := connection.recv(65_536):
        received += piece
    return bytes(received)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /stats HTTP/1.1\r\nHost: localhost\r\n",
        b"POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
    ],
    ids=["header", "body"],
)
def test_a_slow_client_is_cut_off_and_never_reaches_the_service(proxied: Proxied, sent: bytes) -> None:
    short = {
        "client_header_timeout 10s": "client_header_timeout 1s",
        "client_body_timeout 15s": "client_body_timeout 1s",
    }
    service, front = proxied(short)
    with front.connect() as connection:
        connection.sendall(sent)
        assert read_all(connection) == b""
    assert [line["endpoint"] for line in requests_of(service) if line["endpoint"] != "/ready"] == []


def test_a_service_that_is_gone_is_a_problem_too(proxied: Proxied) -> None:
    service, front = proxied()
    service.stop()
    with front.client(KEY) as client:
        answer = client.get("/stats")
    assert (answer.status_code, answer.headers["Content-Type"], answer.headers["Retry-After"]) == (502, PROBLEM, "1")


def connections_to(port: int) -> Counter[str]:
    """The states of this host's connections to a port, as the kernel numbers them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return Counter(state for _, _, remote, state, *_ in rows if int(remote.split(":")[1], 16) == port)


def test_connections_to_the_service_are_kept(proxied: Proxied) -> None:
    service, front = proxied(UNLIMITED)
    before = connections_to(service.port).total()
    with front.client(KEY) as client:
        for _ in range(30):
            assert client.get("/stats").status_code == 200
    # One more, which stands or at least was the only one.
    assert connections_to(service.port).total() <= before + 1


async def test_a_reload_under_load_drops_nothing(proxied: Proxied) -> None:
    service, front = proxied(UNLIMITED, workers=2)
    assert service.process is not None
    old = set(service.workers)
    statuses: Counter[tuple[str, int]] = Counter()
    done = asyncio.Event()

    async def work(number: int) -> None:
        fact = {"subject": f"client {number}", "predicate": "counts"}
        async with front.async_client(KEY) as client:
            while not done.is_set():
                read = await client.post("/query", json=QUERY)
                written = await client.post("/triples/add", json=fact | {"object": f"{statuses.total()}"})
                statuses.update([("read", read.status_code), ("written", written.status_code // 100 * 100)])

    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(work(number))
        service.process.send_signal(signal.SIGHUP)
        while old & set(service.workers) or len(service.workers) < 2:
            await asyncio.sleep(0.1)
        seen = statuses.total()
        while statuses.total() < seen + 50:
            await asyncio.sleep(0.05)
        done.set()
    assert set(statuses) == {("read", 200), ("written", 200)}


def test_a_file_may_be_larger_than_other_bodies_and_is_read_as_it_arrives(proxied: Proxied) -> None:
    _, front = proxied()
    lines = b"".join(b"subject %d\tp\t%s\n" % (number, b"o" * 400) for number in range(12_000))
    assert len(lines) > 4 << 20
    with front.client(KEY) as client:
        assert client.post("/query", content=lines).status_code == 413
        done = client.post("/import?format=tsv", content=lines, timeout=90)
        assert (done.status_code, done.json()["inserted"]) == (200, 12_000)
        exported = client.get("/export?format=tsv", timeout=90)
        assert exported.content.count(b"\n") == 12_000
