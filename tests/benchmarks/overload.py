"""What the service does when more is asked of it than it can: the curve, the recovery, and idle clients beside."""

import asyncio
import itertools
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import orjson
import uvloop

from tests.benchmarks import plots
from tests.benchmarks.open_loop import Outcome, offer, quantile
from tests.benchmarks.report import Plot, Section, Settings, Table
from tests.service.wire import post
from tests.support.service import Service, manage

FACTS = 50
LOADS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
QUICK_LOADS = (0.5, 1.0, 3.0)
PROBE_RATE = 40
HALVINGS = 3
IDLE = 2000
STEP_SECONDS = 0.25

HEADINGS = (
    "load",
    "offered / s",
    "accepted / s",
    "refused / s",
    "p50 ms",
    "p99 ms",
    "p99 ms of refusals",
    "unanswered",
)

LEAD = """Batches of {facts} facts, sent to one worker at a rate of their own: an open loop, in which nobody waits for
an answer before the next is sent, and each is timed from when it was due. The capacity, {capacity:,.0f} requests a
second, is the largest load that was answered whole. Beyond it the service refuses with
503 and goes on with what it accepts; `SKG_MAX_WAIT` is {wait} s. The second plot is a peak of three times the capacity
between seconds {peak[0]} and {peak[1]}. The client takes a part of the machine, too: the more, the higher the load."""


def run(settings: Settings) -> Section:
    one = Service(settings.folder, workers=1, log_level="INFO")
    migrated = manage("migrate", "--no-input", variables=one.variables)
    assert migrated.returncode == 0, migrated.stderr
    one.start()
    try:
        return _measure(one, settings)
    finally:
        one.end()


def _measure(one: Service, settings: Settings) -> Section:
    seconds = 2 if settings.quick else max(settings.seconds, 4)
    capacity = _capacity(one, seconds)
    loads = QUICK_LOADS if settings.quick else LOADS
    outcomes = {load: _offer(one, [(capacity * load, seconds)]) for load in loads}
    peak = (seconds, 2 * seconds)
    recovery = _offer(one, [(capacity / 2, seconds), (capacity * 3, seconds), (capacity / 2, 2 * seconds)])
    alone = _offer(one, [(capacity * 0.75, seconds)])
    with _idle_clients(one.port, IDLE // 10 if settings.quick else IDLE) as idle:
        beside = _offer(one, [(capacity * 0.75, seconds)])
    lead = LEAD.format(facts=FACTS, capacity=capacity, wait=one.variables["SKG_MAX_WAIT"], peak=peak)
    return Section(
        "Overload",
        lead.replace("\n", " "),
        tables=[
            Table(HEADINGS, [_row(f"{load:g} ×", outcome) for load, outcome in outcomes.items()], "Load and answers"),
            Table(
                HEADINGS,
                [_row("alone", alone), _row(f"beside {idle:,} idle or half-sent", beside)],
                "Three quarters of the capacity, with and without idle clients",
            ),
        ],
        plots=[_curve(capacity, outcomes), _recovery(recovery, seconds * 4)],
    )


def _row(name: str, outcome: Outcome) -> Sequence[str | float | int]:
    accepted = [one.latency * 1000 for one in outcome.with_status(202)]
    refused = [one.latency * 1000 for one in outcome.with_status(503)]
    spent = max((one.answered for one in outcome.answers), default=1.0)
    sent = len(outcome.answers) + outcome.broken + outcome.unsent
    return (
        name,
        sent / spent,
        len(accepted) / spent,
        len(refused) / spent,
        quantile(accepted, 0.5),
        quantile(accepted, 0.99),
        quantile(refused, 0.99),
        outcome.broken + outcome.unsent,
    )


def _curve(capacity: float, outcomes: dict[float, Outcome]) -> Plot:
    rows = {load: _row("", outcome) for load, outcome in outcomes.items()}
    series = {
        name: [(load, float(row[place]) / capacity) for load, row in rows.items()]
        for name, place in (("accepted", 2), ("refused", 3))
    }
    svg = plots.lines(
        "Offered load and answers", series, x="offered, times the capacity", y="answered, times the capacity"
    )
    return Plot(svg, "What is accepted stays near the capacity; the rest is refused.")


def _recovery(outcome: Outcome, seconds: float) -> Plot:
    steps = [number * STEP_SECONDS for number in range(int(seconds / STEP_SECONDS))]
    parts = {begin: outcome.between(begin, begin + STEP_SECONDS) for begin in steps}
    series = {
        "p99 of what is accepted, ms": [
            (begin, quantile([one.latency * 1000 for one in part.with_status(202)], 0.99))
            for begin, part in parts.items()
        ],
        "refused in the quarter of a second": [
            (begin, float(len(part.with_status(503)))) for begin, part in parts.items()
        ],
    }
    svg = plots.lines("A peak, and after it", series, x="seconds", y="ms; requests")
    return Plot(svg, "A peak of three times the capacity, and what comes after it.")


def _capacity(one: Service, seconds: float) -> float:
    """The largest load, in requests a second, that was answered whole: doubled until it is not, then narrowed down."""
    good, bad = 0.0, float(PROBE_RATE)
    while _bears(one, bad, seconds):
        good, bad = bad, 2 * bad
    for _ in range(HALVINGS):
        middle = (good + bad) / 2
        good, bad = (middle, bad) if _bears(one, middle, seconds) else (good, middle)
    return good


def _bears(one: Service, rate: float, seconds: float) -> bool:
    outcome = _offer(one, [(rate, seconds)])
    return len(outcome.with_status(202)) == len(outcome.answers) and not outcome.unsent and not outcome.broken


def _offer(one: Service, phases: Sequence[tuple[float, float]]) -> Outcome:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(offer(one.port, _payload, phases))


_numbers = itertools.count()


def _payload() -> bytes:
    number = next(_numbers)
    triples = [{"subject": f"s{number}", "predicate": "p", "object": f"o{place}"} for place in range(FACTS)]
    return post("/triples/batch", orjson.dumps({"triples": triples}))


@contextmanager
def _idle_clients(port: int, count: int) -> Iterator[int]:
    """Connections of which every second one has begun a request and says no more."""
    opened: list[socket.socket] = []
    try:
        for number in range(count):
            one = socket.create_connection(("127.0.0.1", port), timeout=30)
            opened.append(one)
            if number % 2:
                one.sendall(b"POST /query HTTP/1.1\r\nHost: loc")
        yield count
    finally:
        for one in opened:
            one.close()
