"""PostgreSQL: a worker's check of the server at its start."""

from contextlib import suppress

import psycopg
from django.conf import settings

from triples.store.postgresql import replica_watch, replication
from triples.store.postgresql.connections import connect
from triples.store.postgresql.poolers import require_session

# The longest time to wait for PostgreSQL at the start.
CONNECT_SECONDS = 3


def begin() -> None:
    # If the server cannot be reached, the worker starts all the same, and /ready reports it.
    with suppress(psycopg.Error), connect(connect_timeout=CONNECT_SECONDS) as driver:
        require_session(driver)


async def watch() -> None:
    """Watch the replicas. The server guards its own files."""
    if replication.REPLICAS is not None:
        await replica_watch.watch(replication.REPLICAS, settings.ENV.replica_max_lag)


def end() -> None:
    """Nothing to do."""
