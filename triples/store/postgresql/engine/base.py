"""Django's backend for PostgreSQL, which refuses a database that cannot hold every text, and minds poolers."""

from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

from django_prometheus.db.backends.postgresql import base

from skg_site.host.refused_writes import ErrorWrapper
from triples.store.postgresql import arrays  # noqa: F401  # its types must be known before a connection is made
from triples.store.postgresql.encoding import require_utf8
from triples.store.postgresql.poolers import Way, way_to_server


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # the library has no types
    @cached_property
    def wrap_database_errors(self) -> ErrorWrapper:
        return ErrorWrapper(self)

    def write_lock(self) -> AbstractContextManager[None]:
        """No lock: many writers can write at once."""
        return nullcontext()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        driver = super().get_new_connection(conn_params)
        try:
            require_utf8(driver)
            if way_to_server(driver, self.alias) is Way.POOLED_UNPREPARED:
                driver.prepare_threshold = None
        except Exception:
            if self.pool:
                self.pool.putconn(driver)
            else:
                driver.close()
            raise
        return driver
