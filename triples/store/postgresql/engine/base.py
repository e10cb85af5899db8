"""Django's backend for PostgreSQL, which refuses a database that cannot hold every text."""

from typing import Any

from django_prometheus.db.backends.postgresql import base

from skg_site.host.unfit_database import UnfitDatabase
from triples.store.postgresql.encoding import require_utf8


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # the library has no types
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        driver = super().get_new_connection(conn_params)
        try:
            self.require_fit(driver)
        except UnfitDatabase:
            if self.pool:
                self.pool.putconn(driver)
            else:
                driver.close()
            raise
        return driver

    def require_fit(self, driver: Any) -> None:
        """For connections that are opened beside this one, too."""
        require_utf8(driver)
