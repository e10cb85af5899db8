"""More is asked than the service can answer: it says so at once, goes on with what it can, and tells its probes."""

from collections import Counter
from collections.abc import Iterator

import httpx
import orjson
import pytest

from tests.conftest import StartService
from tests.service.wire import Wire, post
from tests.support.service import Service

CLIENTS = 100
FACTS = 50
ROUNDS = 20

Answer = tuple[int, bytes, bytes]


@pytest.fixture
def hurried(service: StartService) -> Service:
    """A service that nobody may wait for, so that more than a few requests at once are too many."""
    return service(max_wait=0.001)


@pytest.fixture
def wires(hurried: Service) -> Iterator[list[Wire]]:
    opened = [Wire(hurried) for _ in range(CLIENTS)]
    yield opened
    for wire in opened:
        wire.close()


def batch(number: int) -> bytes:
    triples = [{"subject": f"s{number}", "predicate": "p", "object": f"o{place}"} for place in range(FACTS)]
    return orjson.dumps({"triples": triples})


def ask_all_at_once(wires: list[Wire], first: int) -> list[Answer]:
    for number, wire in enumerate(wires, start=first):
        wire.send(post("/triples/batch", batch(number), headers=b"X-Request-ID: r%d\r\n" % number))
    return [wire.answer() for wire in wires]


def ask_until_some_are_refused(wires: list[Wire]) -> list[Answer]:
    """Every answer, of rounds in which each client asks once; the connections stay open."""
    answers: list[Answer] = []
    for _ in range(ROUNDS):
        answers += ask_all_at_once(wires, len(answers))
        if any(status == 503 for status, _, _ in answers):
            return answers
    raise AssertionError(f"{len(answers)} requests were not too many")


def test_what_is_too_much_is_refused_as_a_problem_and_what_is_accepted_is_done(
    hurried: Service, wires: list[Wire]
) -> None:
    answers = ask_until_some_are_refused(wires)
    counted = Counter(status for status, _, _ in answers)
    assert counted.keys() == {202, 503}
    for number, (status, head, body) in enumerate(answers):
        assert b"\r\nx-request-id: r%d\r\n" % number in head + b"\r\n"
        if status == 503:
            assert b"\r\nretry-after: 1" in head
            assert b"\r\ncontent-type: application/problem+json" in head
            assert b"\r\nx-content-type-options: nosniff" in head
            problem = orjson.loads(body)
            assert (problem["status"], problem["instance"]) == (503, "/triples/batch")
            assert problem["request_id"] == f"r{number}"
    with hurried.client() as client:
        assert client.get("/stats").json()["total_triples"] == FACTS * counted[202]
    assert_it_was_counted_and_logged(hurried, counted)


def assert_it_was_counted_and_logged(one: Service, counted: Counter[int]) -> None:
    page = httpx.get(f"{one.url}/metrics").text
    refused = float(counted[503])
    assert f"skg_requests_shed_total {refused}" in page
    assert f'skg_requests_total{{endpoint="/triples/batch",http_status="503",method="POST"}} {refused}' in page
    logged = [line for line in one.log_lines if line.get("endpoint") == "/triples/batch"]
    assert Counter(line["status"] for line in logged) == counted


def test_a_page_of_a_named_origin_may_read_that_it_was_refused(service: StartService) -> None:
    hurried = service(max_wait=0.001, cors_origins=["https://app.example"])
    origins = [b"https://app.example", b"https://evil.example"]
    wires = [Wire(hurried) for _ in range(CLIENTS)]
    told: dict[bytes, set[bool]] = {origin: set() for origin in origins}
    for first in range(0, ROUNDS * CLIENTS, CLIENTS):
        for number, wire in enumerate(wires, start=first):
            wire.send(post("/triples/batch", batch(number), headers=b"Origin: %b\r\n" % origins[number % 2]))
        for number, (status, head, _) in enumerate([wire.answer() for wire in wires], start=first):
            if status == 503:
                allowed = b"access-control-allow-origin: https://app.example" in head.lower()
                assert allowed == (b"access-control-expose-headers" in head.lower())
                told[origins[number % 2]].add(allowed)
        if all(told.values()):
            break
    for wire in wires:
        wire.close()
    assert told == {origins[0]: {True}, origins[1]: {False}}


def test_probes_are_answered_whatever_waits_and_all_is_well_as_soon_as_nothing_does(
    hurried: Service, wires: list[Wire]
) -> None:
    ask_until_some_are_refused(wires)
    for number, wire in enumerate(wires, start=1_000_000):
        wire.send(post("/triples/batch", batch(number)))
    for path in ("/health", "/ready", "/metrics"):
        assert httpx.get(hurried.url + path, timeout=60).status_code == 200
    assert {wire.answer()[0] for wire in wires} <= {202, 503}
    with hurried.client() as client:
        assert client.post("/query", json={"pattern": ["s0", None, None]}).status_code == 200


def test_half_sent_requests_keep_nobody_out(hurried: Service, wires: list[Wire]) -> None:
    ask_until_some_are_refused(wires)
    for wire in wires:
        wire.send(post("/triples/batch", batch(0))[:-10])
    with hurried.client() as client:
        for _ in range(10):
            assert client.get("/triples/not-an-id").status_code == 404


def test_a_refused_request_that_waits_to_send_its_body_ends_its_connection(hurried: Service, wires: list[Wire]) -> None:
    ask_until_some_are_refused(wires)
    body = batch(0)
    for wire in wires[:-1]:
        wire.send(post("/triples/batch", body))
    last = wires[-1]
    last.send(post("/triples/batch", body, headers=b"Expect: 100-continue\r\n").removesuffix(body))
    if last.rest().startswith(b"HTTP/1.1 503 "):
        assert b"connection: close\r\n" in last.rest()
