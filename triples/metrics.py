"""Prometheus metrics of the graph."""

import asyncio
from functools import cache

import structlog
from django.db import DatabaseError
from prometheus_client import Counter, Gauge, Histogram

from triples.models import Source
from triples.store.graph import graph
from triples.store.operations import Pattern, StoreError

log = structlog.get_logger("skg.metrics")

ADDED = Counter("skg_triples_added_total", "Facts inserted", ["source"])
QUERIES = Counter("skg_queries_executed_total", "Pattern queries answered", ["pattern_type"])
RESULTS = Histogram(
    "skg_query_results", "Results of a query", buckets=(0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000)
)
CONNECTIONS = Gauge("skg_active_connections", "Open database connections of the graph", multiprocess_mode="livesum")
SIZE = Gauge("skg_db_size_bytes", "Size of the database", multiprocess_mode="livemostrecent")
WAITING = Gauge(
    "skg_waiting_operations", "Reads and writes waiting or under way", ["kind"], multiprocess_mode="livesum"
)

SAMPLE_SECONDS = 5.0


@cache
def added_by(source: Source) -> Counter:
    """The counter of one source, looked up once."""
    return ADDED.labels(source.label)


_FULL, _PARTIAL = QUERIES.labels("full"), QUERIES.labels("partial")


def count_query(pattern: Pattern, results: int) -> None:
    (_PARTIAL if None in pattern else _FULL).inc()
    RESULTS.observe(results)


async def sample_forever() -> None:
    """Keep the gauges of this worker fresh."""
    while True:
        running = graph.running
        CONNECTIONS.set(running.open_connections)
        WAITING.labels("write").set(running.writer.depth)
        WAITING.labels("read").set(running.short.depth + running.long.depth)
        try:
            SIZE.set((await graph.statistics()).size_bytes)
        except (DatabaseError, StoreError) as error:
            log.warning("database_size_unknown", error=type(error).__name__)
        await asyncio.sleep(SAMPLE_SECONDS)
