"""Django's backend for SQLite, with connections that know which files they have opened."""

from typing import Any

from django_prometheus.db.backends.sqlite3 import base

from triples.store.sqlite.file_guard import require_fit, require_in_place
from triples.store.sqlite.file_identity import Files, find_files


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # the library has no types
    opened: Files | None = None

    @property
    def database(self) -> str:
        return str(self.settings_dict["NAME"])

    def require_fit(self) -> None:
        """For connections that are opened beside this one."""
        require_fit(self.database)

    def require_in_place(self) -> None:
        """Raise UnfitDatabase unless what was just committed is in files that are still the database's."""
        require_in_place(self.database, None if self.connection is None else self.opened)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.require_fit()
        driver = super().get_new_connection(conn_params)
        self.opened = find_files(self.database)
        return driver

    def _commit(self) -> None:
        super()._commit()
        self.require_in_place()
