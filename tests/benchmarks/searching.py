"""Search of terms by name: in full, by how they begin, by a part, and with a typo; in a large generated graph.

`python -m tests.benchmarks.searching --graphs FOLDER` measures it alone and keeps the database for the next time.
"""

import argparse
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from tests.benchmarks.generator import Graph
from tests.benchmarks.report import Cell, Section, Settings, Table
from tests.benchmarks.scale_graphs import database_of, stored_graph
from tests.benchmarks.scale_timing import Request, latencies
from tests.support.service import Service

# Two fifths as many terms.
FACTS, QUICK_FACTS = 10_000_000, 50_000
SEARCHES, QUICK_SEARCHES = 500, 50
LIMIT = 10
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_INDEX = "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'triples_term_search%'"


def run(settings: Settings, graphs: Path | None = None, facts: int | None = None) -> Section:
    """`graphs` is a folder that keeps the database from one time to the next."""
    graph = Graph(facts or (QUICK_FACTS if settings.quick else FACTS))
    folder = stored_graph(graph, graphs or settings.folder / "graphs")
    count = QUICK_SEARCHES if settings.quick else SEARCHES
    with closing(sqlite3.connect(f"file:{database_of(folder)}?mode=ro", uri=True)) as driver:
        [(terms,)] = driver.execute("SELECT count(*) FROM triples_term")
        [(size,)] = driver.execute(_INDEX)
        names = list(_names(driver, count))
    service = Service(folder, rate_limit="1000000/s")
    service.start()
    try:
        rows = [_row(service, way, names, typed) for way, typed in WAYS.items()]
    finally:
        service.end()
    lead = (
        f"One worker searches {terms:,} generated names over HTTP, one search at a time, for the {LIMIT} best of each."
        f" The index takes {size / terms:.0f} bytes a term."
    )
    columns = ["typed", "searches", "p50 ms", "p99 ms", "a second", "found"]
    return Section(
        "Names", lead, [Table(columns, rows)], commands=["python -m tests.benchmarks.searching --graphs FOLDER"]
    )


def _row(service: Service, way: str, names: Sequence[str], typed: Callable[[Random, str], str]) -> list[Cell]:
    """The times of all searches, and the share of the names that were among those found."""
    random = Random(5)
    texts = [typed(random, name) for name in names]
    requests = [Request("GET", f"/terms?{urlencode({'search': text, 'limit': LIMIT})}") for text in texts]
    [latency] = latencies({service: requests})
    found = 0
    with service.client() as client:
        for name, request in zip(names, requests, strict=True):
            found += name in [one["term"] for one in client.get(request.path).json()["terms"]]
    return [way, len(names), latency.p50, latency.p99, 1000 / latency.p50, found / len(names)]


def _names(driver: sqlite3.Connection, count: int) -> Iterator[str]:
    """Names of subjects drawn at random."""
    random = Random(4)
    [(newest,)] = driver.execute("SELECT max(id) FROM triples_triple")
    statement = (
        "SELECT s.text FROM triples_triple AS t JOIN triples_term AS s ON s.id = t.subject_id WHERE t.id >= ? LIMIT 1"
    )
    for _ in range(count):
        yield driver.execute(statement, [random.randint(1, newest)]).fetchone()[0]


def _in_full(_random: Random, name: str) -> str:
    return name.lower()


def _beginning(_random: Random, name: str) -> str:
    return name[:5].lower()


def _part(_random: Random, name: str) -> str:
    return name[len(name) // 3 : len(name) // 3 + 8].lower()


def _with_typo(random: Random, name: str) -> str:
    """The name with a letter left out, doubled, replaced, or in the place of the next one."""
    place = random.randrange(1, len(name) - 1)
    before, letter, after = name[:place], name[place], name[place + 1 :]
    return random.choice(
        [
            before + after,
            before + letter + letter + after,
            before + random.choice(_LETTERS) + after,
            before + after[0] + letter + after[1:],
        ]
    )


WAYS: dict[str, Callable[[Random, str], str]] = {
    "the name": _in_full,
    "its first five letters": _beginning,
    "eight letters within": _part,
    "the name with a typo": _with_typo,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=Path, required=True, help="the folder that keeps the database")
    parser.add_argument("--facts", type=int, help="the size of the graph, which has two fifths as many terms")
    parser.add_argument("--quick", action="store_true", help="a small graph")
    asked = parser.parse_args()
    with TemporaryDirectory() as scratch:
        measured = run(Settings(Path(scratch), quick=asked.quick), asked.graphs, asked.facts)
    sys.stdout.write("\n\n".join([measured.lead, *(table.text for table in measured.tables)]) + "\n")
