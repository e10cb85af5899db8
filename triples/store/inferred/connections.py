"""Connections beside Django's, for runs and for reads on the event loop."""

import sqlite3
from pathlib import Path
from typing import Any, cast

import psycopg
from django.db import OperationalError, connection

from triples.store.turns import require_fit

# A server that cannot be reached is noticed within half a minute.
_KEEPALIVES: dict[str, Any] = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4}
# Those of Django's parameters that say where the database is; the others shape Django's own connections.
_PLACE = {"dbname", "user", "password", "host", "port", "service", "options"}


def postgresql_place(database: str | None = None) -> dict[str, Any]:
    """libpq's parameters for the service's database, or for another one of the same server."""
    parameters: dict[str, Any] = connection.get_connection_params()
    place = {name: value for name, value in parameters.items() if name in _PLACE or name.startswith("ssl")}
    return place if database is None else place | {"dbname": database}


def connect_postgresql(database: str | None = None, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection outside of the pool, in autocommit; to another database of the same server, if one is named.

    `options` are more of libpq's parameters. Raises UnfitDatabase when the service's database is not in UTF8.
    """
    driver = psycopg.connect(**postgresql_place(database), **_KEEPALIVES, **options, autocommit=True)
    if database is None:
        # As the service's own backend does (`triples.store.postgresql.engine`).
        try:
            cast("Any", connection).require_fit(driver)
        except OperationalError:
            driver.close()
            raise
    return driver


def connect_sqlite(*, patience: float = 5) -> sqlite3.Connection:
    """A connection that only reads, in autocommit; inferred facts can be attached to it.

    Any thread may use it, one at a time; `patience` is how many seconds it waits for a lock.
    """
    require_fit()
    database = Path(connection.settings_dict["NAME"])
    driver = sqlite3.connect(
        f"{database.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=patience, check_same_thread=False
    )
    # As Django's connections do: pages come from the kernel's cache instead of being copied.
    driver.execute(f"PRAGMA mmap_size = {1 << 31}")
    return driver
