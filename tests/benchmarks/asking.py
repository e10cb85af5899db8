"""Questions of several patterns, paths and neighbours in a large graph; joins beside SQL that joins and sorts.

`python -m tests.benchmarks.asking --graphs FOLDER` measures it alone and keeps the database for the next time.
"""

import argparse
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import orjson

from tests.benchmarks.generator import Graph
from tests.benchmarks.report import Cell, Section, Settings, Table
from tests.benchmarks.scale_graphs import database_of, stored_graph
from tests.benchmarks.scale_queries import drawn_facts
from tests.benchmarks.scale_timing import Request, latencies
from tests.support.service import Service

FACTS, QUICK_FACTS = 10_000_000, 200_000
QUESTIONS, QUICK_QUESTIONS = 1_000, 100
K = 10
# Joins with more answers than this are where sorting all of them is slow.
LARGE = 100_000
SORTED = 5
_PATTERN = ("?a", "?b", "?c", "?d", "?e")


class Compared(NamedTuple):
    """A join beside SQL that sorts it: seconds of each."""

    answers: int
    seconds: float
    sorted: float


def run(settings: Settings, graphs: Path | None = None) -> Section:
    """`graphs` is a folder that keeps the database from one time to the next."""
    graph = Graph(QUICK_FACTS if settings.quick else FACTS)
    count = QUICK_QUESTIONS if settings.quick else QUESTIONS
    folder = stored_graph(graph, graphs or settings.folder / "graphs")
    service = Service(folder, rate_limit="1000000/s", query_timeout=60)
    service.start()
    try:
        work = dict(_work(database_of(folder), graph, count))
        rows: list[list[Cell]] = []
        for name, requests in work.items():
            [latency] = latencies({service: requests})
            rows.append([name, len(requests), latency.p50, latency.p99])
        compared = list(_compared(database_of(folder), graph, service))
    finally:
        service.end()
    return _section(graph, rows, compared)


def _section(graph: Graph, rows: list[list[Cell]], compared: Sequence[Compared]) -> Section:
    lead = (
        f"One worker answers questions about {graph.facts:,} generated facts over HTTP, one at a time, the {K} heaviest"
        " answers of each. A question is a walk through facts drawn at random: its predicates are those of the walk,"
        " and every second one is given its first term. Joins without constants but predicates have from thousands to"
        " many millions of answers; beside them stands SQL on the same database that joins and sorts."
    )
    tables = [Table(["request", "requests", "p50 ms", "p99 ms"], rows, "Time of an answer")]
    if compared:
        beside: list[list[Cell]] = [
            [one.answers, one.seconds * 1000, one.sorted * 1000, one.sorted / one.seconds] for one in compared
        ]
        columns = ["answers of the join", "ms", "ms of SQL that sorts", "times as fast"]
        tables.append(Table(columns, beside, f"Joins of two patterns with more than {LARGE:,} answers"))
    return Section("Questions", lead, tables, commands=["python -m tests.benchmarks.asking --graphs FOLDER"])


def _work(database: Path, graph: Graph, count: int) -> Iterator[tuple[str, list[Request]]]:
    random = Random(3)
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as driver:
        for patterns in (2, 3, 4):
            walks = [_walk(driver, random, patterns) for _ in range(count)]
            yield f"{patterns} patterns", [_question(walk, given=n % 2 == 0) for n, walk in enumerate(walks)]
    facts = drawn_facts(database, 2 * count, seed=4)
    pairs = list(zip(facts[:count], facts[count:], strict=True))
    yield (
        "best path, at most 6 facts",
        [
            Request("POST", "/query/paths", orjson.dumps({"from": one[0], "to": other[0]}))
            for one, other in pairs[: count // 5]
            if one[0] != other[0]
        ],
    )
    neighbours: list[tuple[str, list[str]]] = [
        ("neighbours of hubs", list(graph.hubs.subjects[1:]) * (count // 10)),
        ("neighbours", [fact[0] for fact in facts[:count]]),
    ]
    for name, terms in neighbours:
        yield name, [Request("POST", "/query/neighbours", orjson.dumps({"term": term})) for term in terms]


def _question(walk: tuple[str, list[str]], *, given: bool) -> Request:
    start, predicates = walk
    places = [start if given else _PATTERN[0], *_PATTERN[1:]]
    patterns = [[places[number], predicate, places[number + 1]] for number, predicate in enumerate(predicates)]
    return Request("POST", "/query/patterns", orjson.dumps({"patterns": patterns, "k": K}))


def _walk(driver: sqlite3.Connection, random: Random, length: int) -> tuple[str, list[str]]:
    """The first term and the predicates of facts that follow each other, from facts drawn at random."""
    [(newest,)] = driver.execute("SELECT max(id) FROM triples_triple")
    while True:
        predicates: list[int] = []
        found = driver.execute(_DRAWN, [random.randint(1, newest)]).fetchone()
        start = found[0]
        while found is not None:
            predicates.append(found[1])
            if len(predicates) == length:
                named = [driver.execute(_TEXT, [term]).fetchone()[0] for term in (start, *predicates)]
                return named[0], named[1:]
            found = driver.execute(_NEXT, [found[2]]).fetchone()


_FACT = "SELECT subject_id, predicate_id, object_id FROM triples_triple WHERE weight > 0 AND"
_DRAWN = f"{_FACT} id >= ? LIMIT 1"
_NEXT = f"{_FACT} subject_id = ? LIMIT 1"
_TEXT = "SELECT text FROM triples_term WHERE id = ?"
_ID = "(SELECT id FROM triples_term WHERE text = ?)"
_JOIN = (
    "FROM triples_triple AS f INDEXED BY triple_p CROSS JOIN triples_triple AS g INDEXED BY triple_ps"
    f" ON g.subject_id = f.object_id AND g.predicate_id = {_ID} WHERE f.predicate_id = {_ID}"
)
_COUNTED = f"SELECT count(*) {_JOIN}"
_SORTED = f"SELECT f.weight * g.weight AS w, f.subject_id, f.object_id, g.object_id {_JOIN} ORDER BY w DESC LIMIT {K}"


def _compared(database: Path, graph: Graph, service: Service) -> Iterator[Compared]:
    """Joins of two predicates, from those in most facts on."""
    found = 0
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as driver, service.client() as client:
        for first, second in zip(graph.predicates, graph.predicates[1:], strict=False):
            [(answers,)] = driver.execute(_COUNTED, [second, first])
            if answers <= LARGE:
                continue
            begin = time.perf_counter()
            heaviest = driver.execute(_SORTED, [second, first]).fetchall()
            sorted_in = time.perf_counter() - begin
            body = {"patterns": [["?a", first, "?b"], ["?b", second, "?c"]], "k": K}
            times: list[float] = []
            answer: dict[str, Any] = {}
            for _ in range(3):
                begin = time.perf_counter()
                answer = client.post("/query/patterns", json=body).json()
                times.append(time.perf_counter() - begin)
            assert [one["weight"] for one in answer["results"]] == [row[0] for row in heaviest]
            yield Compared(answers, median(times), sorted_in)
            found += 1
            if found == SORTED:
                return


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=Path, required=True, help="the folder that keeps the database")
    parser.add_argument("--quick", action="store_true", help="a small graph")
    asked = parser.parse_args()
    with TemporaryDirectory() as scratch:
        measured = run(Settings(Path(scratch), quick=asked.quick), asked.graphs)
    sys.stdout.write("\n\n".join(table.text for table in measured.tables) + "\n")
