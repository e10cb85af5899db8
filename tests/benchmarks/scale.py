"""What ten million facts cost beside a hundred thousand: time of an answer, bytes on disk, memory of a worker.

`python -m tests.benchmarks.scale --graphs FOLDER` measures it alone and keeps the databases for the next time.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.benchmarks.generator import Graph
from tests.benchmarks.report import Cell, Section, Settings, Table
from tests.benchmarks.scale_disk import Disk, disk
from tests.benchmarks.scale_graphs import database_of, stored_graph
from tests.benchmarks.scale_import import Imports, imports
from tests.benchmarks.scale_memory import Memory, memory
from tests.benchmarks.scale_queries import SHAPES, drawn_facts, hub_facts, query, shape_name
from tests.benchmarks.scale_timing import REPEATS, Latency, Request, latencies
from tests.support.service import Service

SIZES = (100_000, 10_000_000)
QUICK_SIZES = (10_000, 200_000)
# Queries of each shape, and requests of each of the other paths.
QUERIES, QUICK_QUERIES = 1_000, 200
# Limits are counted, and never reached.
RATE_LIMIT = "1000000/s"
HEAVY = 0.9
# What stands before the name of a thing in a graph whose terms are IRIs; some are longer.
IRI = "http://example.org/entity/"

MIB = 1 << 20
REST_TARGET = 110 * MIB


@dataclass(frozen=True, slots=True)
class Timing:
    """The same work on the small and on the large graph."""

    work: str
    small: Latency
    large: Latency

    @property
    def ratio(self) -> float:
        """How much longer the slowest hundredth takes on the large graph."""
        return self.large.p99 / self.small.p99


@dataclass(frozen=True, slots=True)
class Occupied:
    """A worker's memory: ready and unused, and when all of the work is done."""

    rest: Memory
    used: Memory


@dataclass(frozen=True, slots=True)
class Measured:
    graphs: Sequence[Graph]
    timings: Sequence[Timing]
    memory: Sequence[Occupied]
    # Of each graph, and of the small one with IRIs for its terms.
    disks: Sequence[Disk]
    iris: Disk
    imports: Imports


def run(settings: Settings, graphs: Path | None = None) -> Section:
    """`graphs` is a folder that keeps the databases from one time to the next."""
    return section(measure(settings, graphs or settings.folder / "graphs"))


def measure(settings: Settings, kept: Path) -> Measured:
    quick, scratch = settings.quick, settings.folder
    graphs = [Graph(facts) for facts in (QUICK_SIZES if quick else SIZES)]
    folders = [stored_graph(graph, kept) for graph in graphs]
    services = [Service(folder, rate_limit=RATE_LIMIT) for folder in folders]
    try:
        for service in services:
            service.start()
        rest = [memory(service.workers[0]) for service in services]
        timings = list(_timings(graphs, services, QUICK_QUERIES if quick else QUERIES))
        used = [memory(service.workers[0]) for service in services]
    finally:
        for service in services:
            service.end()
    disks = [disk(database_of(folder), scratch) for folder in folders]
    iris = disk(database_of(folders[0]), scratch, prefix=IRI)
    imported = imports(settings, database_of(folders[-1]))
    return Measured(graphs, timings, [Occupied(*both) for both in zip(rest, used, strict=True)], disks, iris, imported)


def _timings(graphs: Sequence[Graph], services: Sequence[Service], count: int) -> Iterator[Timing]:
    databases = [database_of(service.folder) for service in services]

    def timing(work: str, requests: Sequence[Sequence[Request]]) -> Timing:
        small, large = latencies(dict(zip(services, requests, strict=True)))
        return Timing(work, small, large)

    drawn = [drawn_facts(database, count) for database in databases]
    for shape in SHAPES:
        yield timing(shape_name(shape), [[query(shape, terms) for terms in facts] for facts in drawn])
    for shape in SHAPES:
        heavy = [[query(shape, terms, min_weight=HEAVY) for terms in facts[: count // 4]] for facts in drawn]
        yield timing(f"{shape_name(shape)}, from weight {HEAVY}", heavy)
    hubs = [hub_facts(*of) for of in zip(databases, graphs, strict=True)]
    for shape in SHAPES[1:]:
        asked = [[query(shape, terms) for terms in facts[shape]] for facts in hubs]
        yield timing(
            f"{shape_name(shape)} of hubs", [requests * (count // 4 // len(requests) or 1) for requests in asked]
        )
    for path in ("/stats", "/metrics", "/ready"):
        yield timing(path, [[Request("GET", path)] * (count // 4)] * len(services))


def section(measured: Measured) -> Section:
    small, large = (f"{graph.facts:,}" for graph in measured.graphs)
    lead = (
        f"Two services of one worker, one over {small} generated facts and one over {large}, answer the same kinds of"
        " requests over HTTP in turn, one at a time. The constants of a query are those of facts drawn at random, so"
        " that hubs are asked for as often as they occur; hubs alone stand in rows of their own. Each request is sent"
        f" {REPEATS} times and the least of its times counts. The targets are a p99 of at most twice as long, a third"
        f" of the bytes of text columns, {REST_TARGET // MIB} MiB for a worker at rest, and an import at least half as"
        " fast as into an empty database. Text columns are measured in a database with the same columns and the same"
        " indexes that has a text wherever the service keeps the number of a term; so it matters how long the terms"
        " are."
    )
    return Section(
        "A hundred times as many facts",
        lead,
        [
            _timing_table(measured, small, large),
            _memory_table(measured),
            _disk_table(measured),
            _parts(measured),
            _import_table(measured.imports, large),
        ],
        commands=["python -m tests.benchmarks.scale --graphs FOLDER"],
    )


def _timing_table(measured: Measured, small: str, large: str) -> Table:
    columns = ["request", f"p50 ms, {small}", f"p50 ms, {large}", f"p99 ms, {small}", f"p99 ms, {large}", "p99, times"]
    rows: list[list[Cell]] = [
        [timing.work, timing.small.p50, timing.large.p50, timing.small.p99, timing.large.p99, timing.ratio]
        for timing in measured.timings
    ]
    return Table(columns, rows, "Time of an answer")


def _memory_table(measured: Measured) -> Table:
    columns = ["facts", "state", "resident MiB", "proportional MiB", "not of files MiB"]
    rows: list[list[Cell]] = [
        [graph.facts, state, found.resident / MIB, found.proportional / MIB, found.own / MIB]
        for graph, occupied in zip(measured.graphs, measured.memory, strict=True)
        for state, found in (("ready, unused", occupied.rest), ("after all of these requests", occupied.used))
    ]
    return Table(columns, rows, "Memory of the worker")


def _disk_table(measured: Measured) -> Table:
    columns = ["facts", "terms", "as imported", "with full pages", "text columns, with full pages", "ratio"]
    kinds = [*((found, "names") for found in measured.disks), (measured.iris, "IRIs")]
    rows: list[list[Cell]] = [
        [
            found.facts,
            terms,
            None if found is measured.iris else found.stored / found.facts,
            found.packed / found.facts,
            found.with_texts / found.facts,
            found.ratio,
        ]
        for found, terms in kinds
    ]
    return Table(columns, rows, "Bytes on disk for each fact, all indexes included")


def _parts(measured: Measured) -> Table:
    large = measured.disks[-1]
    rows: list[list[Cell]] = [[part.name, part.bytes / large.facts] for part in large.parts]
    return Table(["table or index", "bytes for each fact"], rows, f"Where the bytes of {large.facts:,} facts are")


def _import_table(found: Imports, large: str) -> Table:
    columns = ["graph", "into an empty database, s", f"into {large} facts, s", "times the speed of the first"]
    row: list[Cell] = [found.graph, median(found.into_empty), median(found.into_large), found.ratio]
    return Table(columns, [row], "Bulk import")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a hundred times as many facts cost.")
    parser.add_argument("--graphs", type=Path, metavar="FOLDER", help="keep the databases there, for the next time")
    parser.add_argument("--graph", type=Path, metavar="FILE", help="the facts to import, as TSV (default: generated)")
    parser.add_argument("--quick", action="store_true", help="two small graphs, to see that it works")
    arguments = parser.parse_args()
    with TemporaryDirectory() as scratch:
        result = run(Settings(Path(scratch), graph=arguments.graph, quick=arguments.quick), arguments.graphs)
    print(result.lead, *(table.text for table in result.tables), sep="\n\n")  # noqa: T201  # what the command is for


if __name__ == "__main__":
    main()
