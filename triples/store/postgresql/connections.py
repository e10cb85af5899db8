"""PostgreSQL connections outside of Django's pool, for runs, migrations, backups and vacuums.

They go to SKG_DATABASE_DIRECT_URL, if it is set: what needs a session cannot go through a pooler such as PgBouncer.
"""

from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from skg_site.host.unfit_database import UnfitDatabase
from triples.store.postgresql.encoding import require_utf8

# A server that cannot be reached is noticed within half a minute.
KEEPALIVES: dict[str, Any] = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4}
# Django's parameters for the place of the database; its other parameters are for its own connections.
_LOCATION = {"dbname", "user", "password", "host", "port", "service", "options"}


def location(database: str | None = None, alias: str | None = None) -> dict[str, Any]:
    """libpq's parameters for the service's database, or for another one of the same server.

    `alias` is Django's name of the database: that of a replica, for example.
    """
    alias = alias or ("direct" if "direct" in settings.DATABASES else DEFAULT_DB_ALIAS)
    parameters: dict[str, Any] = connections[alias].get_connection_params()
    found = {name: value for name, value in parameters.items() if name in _LOCATION or name.startswith("ssl")}
    return found if database is None else found | {"dbname": database}


def connect(
    database: str | None = None, *, alias: str | None = None, **options: Any
) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a connection in autocommit, to the service's database or to another one of the same server.

    `alias` is that of `location`, and `options` are further libpq parameters. Raises UnfitDatabase if the service's
    database is not in UTF8.
    """
    driver = psycopg.connect(**location(database, alias), **KEEPALIVES, **options, autocommit=True)
    if database is None:
        try:
            require_utf8(driver)
        except UnfitDatabase:
            driver.close()
            raise
    return driver
