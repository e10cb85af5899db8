"""Prometheus metrics of the graph."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from django.db import connection
from prometheus_client import Counter, Gauge, Histogram

from skg_site.api.threads import in_thread
from triples.models import Source
from triples.services.graph import graph
from triples.store.operations import Operation, Pattern
from triples.store.signals import group_committed

ADDED = Counter("skg_triples_added_total", "Facts inserted", ["source"])
QUERIES = Counter("skg_queries_executed_total", "Pattern queries answered", ["pattern_type"])
TOOL_CALLS = Counter("skg_mcp_calls_total", "Calls of the tools for language models", ["tool", "outcome"])
RESULTS = Histogram(
    "skg_query_results", "Results of a query", buckets=(0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000)
)
GROUPS = Histogram("skg_commit_writes", "Writes committed together", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 2000))
COMMITS = Histogram(
    "skg_commit_duration_seconds",
    "Time from the begin of a group's transaction until it was safe on disk",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)
CONNECTIONS = Gauge("skg_active_connections", "Open database connections of the graph", multiprocess_mode="livesum")
POOL = Gauge("skg_pool_connections", "Connections in PostgreSQL's pools", ["state"], multiprocess_mode="livesum")
POOL_WAITING = Gauge("skg_pool_waiting", "Threads that wait for a connection of a pool", multiprocess_mode="livesum")
SIZE = Gauge("skg_db_size_bytes", "Size of the database", multiprocess_mode="livemostrecent")
FACTS = Gauge("skg_facts", "Facts in the graph", ["kind"], multiprocess_mode="livemostrecent")
WAITING = Gauge(
    "skg_waiting_operations", "Reads and writes waiting or under way", ["kind"], multiprocess_mode="livesum"
)
OLDEST_WRITE = Gauge(
    "skg_oldest_write_seconds", "How long the oldest write has been waiting for its commit", multiprocess_mode="livemax"
)


@cache
def added_by(source: Source) -> Counter:
    """The counter of one source, looked up once."""
    return ADDED.labels(source.label)


_FULL, _PARTIAL = QUERIES.labels("full"), QUERIES.labels("partial")


def count_query(pattern: Pattern, results: int) -> None:
    (_PARTIAL if None in pattern else _FULL).inc()
    RESULTS.observe(results)


def count_question(kind: str, results: int) -> None:
    QUERIES.labels(kind).inc()
    RESULTS.observe(results)


def count_tool_call(tool: str, outcome: Literal["answered", "refused"]) -> None:
    TOOL_CALLS.labels(tool, outcome).inc()


def count_group(operations: Sequence[Operation], seconds: float, **_: Any) -> None:
    GROUPS.observe(len(operations))
    COMMITS.observe(seconds)


group_committed.connect(count_group)


async def sample() -> None:
    running = graph.running
    CONNECTIONS.set(running.open_connections)
    WAITING.labels("write").set(running.writer.depth)
    WAITING.labels("read").set(running.short.depth + running.long.depth)
    OLDEST_WRITE.set(running.writer.longest_wait)
    pool = await in_thread(_pool_statistics)
    size, free = pool.get("pool_size", 0), pool.get("pool_available", 0)
    POOL.labels("used").set(size - free)
    POOL.labels("idle").set(free)
    POOL_WAITING.set(pool.get("requests_waiting", 0))
    found = await graph.statistics()
    SIZE.set(found.size_bytes)
    FACTS.labels("asserted").set(found.triples)
    FACTS.labels("inferred").set(found.recursion.facts if found.recursion else 0)


def _pool_statistics() -> dict[str, int]:
    """The numbers of this process's psycopg pool; none for SQLite, where each thread has a connection of its own."""
    pool = getattr(connection, "pool", None)
    return pool.get_stats() if pool is not None else {}
