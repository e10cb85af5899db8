"""A worker's first look at the server."""

from contextlib import suppress

import psycopg

from triples.store.postgresql.connections import connect

# The longest time to wait for PostgreSQL at the start.
CONNECT_SECONDS = 3


def begin() -> None:
    # A server that cannot be reached yet may be soon; /ready says so until then.
    with suppress(psycopg.Error):
        connect(connect_timeout=CONNECT_SECONDS).close()


async def watch() -> None:
    """Nothing to do: the server guards its files."""


def end() -> None:
    """Nothing to do, as above."""
