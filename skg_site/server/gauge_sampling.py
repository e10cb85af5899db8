"""Gauges that are sampled every few seconds: sizes, queues, states."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from django.db import Error as AnyDatabaseError

import apikeys.metrics
import triples.metrics
import triples.replica_metrics
import triples.runs.metrics
from skg_site.observe import requests_by_minute
from skg_site.server import worker_metrics
from triples.store.operations import StoreError

log = structlog.get_logger("skg.metrics")

SAMPLE_SECONDS = 5.0
# From the start to the first sample of what is read from the database: the first requests do not wait for that.
FIRST_SECONDS = 0.5

SAMPLERS: dict[str, Callable[[], Awaitable[None]]] = {
    "worker": worker_metrics.sample,
    "graph": triples.metrics.sample,
    "replicas": triples.replica_metrics.sample,
    "recursion": triples.runs.metrics.sample,
    "keys": apikeys.metrics.sample,
    "activity": requests_by_minute.sample,
}


async def sample_forever() -> None:
    """Keep the gauges of this worker up to date."""
    await _sample("worker")
    await asyncio.sleep(min(FIRST_SECONDS, SAMPLE_SECONDS))
    while True:
        for name in SAMPLERS:
            await _sample(name)
        await asyncio.sleep(SAMPLE_SECONDS)


async def _sample(name: str) -> None:
    try:
        await SAMPLERS[name]()
    except (AnyDatabaseError, StoreError, OSError) as error:
        # The gauge keeps its value; /ready and the answers to requests say what is wrong.
        log.warning("sample_failed", sample=name, error=type(error).__name__)
