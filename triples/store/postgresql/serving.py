"""PostgreSQL: a worker's check of the server at its start."""

from contextlib import suppress

import psycopg

from triples.store.postgresql.connections import connect

# The longest time to wait for PostgreSQL at the start.
CONNECT_SECONDS = 3


def begin() -> None:
    # If the server cannot be reached, the worker starts all the same, and /ready reports it.
    with suppress(psycopg.Error):
        connect(connect_timeout=CONNECT_SECONDS).close()


async def watch() -> None:
    """Nothing to do: the server guards its files."""


def end() -> None:
    """Nothing to do."""
