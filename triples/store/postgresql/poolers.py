"""Poolers such as PgBouncer between the service and the server, found by what a connection shows of them.

In transaction pooling each transaction may be on another of the server's connections. So nothing of a session lasts:
no lock of it, and no setting but those that the pooler itself keeps. Prepared statements last only with a pooler that
knows them (PgBouncer from 1.21 on, with `max_prepared_statements`).
"""

from enum import Enum
from secrets import token_hex
from typing import Any

from django.conf import settings

from skg_site.host.unfit_database import UnfitDatabase

_NAMED = "SELECT count(*) FROM pg_prepared_statements WHERE name = %s"


class Way(Enum):
    """The way from this process to the server."""

    DIRECT = "direct"
    POOLED = "through a pooler that knows prepared statements"
    POOLED_UNPREPARED = "through a pooler that does not know prepared statements"


# By Django's name of the database: it is the same for all connections of a process.
_ways: dict[str, Way] = {}


def way_to_server(driver: Any, alias: str) -> Way:
    """The way that a connection takes. The first connection of a process is asked, which takes four short queries."""
    found = _ways.get(alias)
    if found is None:
        found = _ways[alias] = _look(driver)
        # Without autocommit, the first query has begun a transaction.
        driver.rollback()
    return found


def is_pooled(driver: Any) -> bool:
    """True if a pooler is between. A pooler makes up the number by which a client would cancel a query."""
    [backend] = driver.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    return bool(backend != driver.info.backend_pid)


def has_session(driver: Any) -> bool:
    """True if no pooler is between, or the operator has named another way for what needs a session."""
    return bool(settings.ENV.database_direct_url) or not is_pooled(driver)


def require_session(driver: Any) -> None:
    """Raise UnfitDatabase if nothing of a session would last."""
    if not has_session(driver):
        raise UnfitDatabase(
            "SKG_DATABASE_URL leads through a pooler such as PgBouncer, which cannot hold the locks of runs and "
            "migrations. Name the PostgreSQL server itself in SKG_DATABASE_DIRECT_URL."
        )


def _look(driver: Any) -> Way:
    if not is_pooled(driver):
        return Way.DIRECT
    name = f"skg_{token_hex(8)}"
    with driver.transaction():
        driver.pgconn.prepare(name.encode(), b"SELECT 1")
        [count] = driver.execute(_NAMED, (name,), prepare=False).fetchone()
        if not count:
            # A pooler that knows them gives them names of its own, so that clients do not get in each other's way.
            return Way.POOLED
        driver.execute(f"DEALLOCATE {name}", prepare=False)
    return Way.POOLED_UNPREPARED
