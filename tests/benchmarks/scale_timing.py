"""How long two running services take to answer, asked in turn so that whatever else the machine does hits both."""

import http.client
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import NamedTuple

from tests.support.service import Service

# The time of a request is the least of so many, spread over the run: what is more was the machine's other work.
REPEATS = 3
# How many requests one service answers before it is the other's turn.
TURN = 25
WARM_UP = 50


class Request(NamedTuple):
    method: str
    path: str
    body: bytes | None = None


class Failed(Exception):
    """An answer that was no success."""


@dataclass(frozen=True, slots=True)
class Latency:
    """In milliseconds."""

    p50: float
    p99: float


def latencies(work: Mapping[Service, Sequence[Request]]) -> list[Latency]:
    """How long each service takes for its requests, of which there are equally many for each."""
    connections = {service: http.client.HTTPConnection("127.0.0.1", service.port) for service in work}
    best = {service: [inf] * len(requests) for service, requests in work.items()}
    for service, requests in work.items():
        for request in requests[:WARM_UP]:
            _seconds(connections[service], service, request)
    for _ in range(REPEATS):
        for turn in _turns(max(map(len, work.values()))):
            for service, requests in work.items():
                times = best[service]
                for place in turn:
                    if place < len(requests):
                        times[place] = min(times[place], _seconds(connections[service], service, requests[place]))
    for connection in connections.values():
        connection.close()
    return [_latency(times) for times in best.values()]


def _turns(count: int) -> Iterator[range]:
    for start in range(0, count, TURN):
        yield range(start, min(start + TURN, count))


def _seconds(connection: http.client.HTTPConnection, service: Service, request: Request) -> float:
    headers = service.headers | {"Content-Type": "application/json"} if request.body else service.headers
    start = perf_counter()
    connection.request(request.method, request.path, request.body, headers)
    with closing(connection.getresponse()) as answer:
        content = answer.read()
    seconds = perf_counter() - start
    if answer.status != 200:
        raise Failed(f"{request.method} {request.path} was answered {answer.status}: {content[:500]!r}")
    return seconds


def _latency(times: Sequence[float]) -> Latency:
    found = sorted(times)
    return Latency(*(found[min(int(len(found) * share), len(found) - 1)] * 1000 for share in (0.5, 0.99)))
