"""Django's backend for SQLite, with the write lock, and connections that remember which files they opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from django_prometheus.db.backends.sqlite3 import base

from skg_site.host.refused_writes import ErrorWrapper
from triples.store.sqlite.file_guard import require_fit, require_in_place
from triples.store.sqlite.file_identity import Files, find_files
from triples.store.sqlite.write_lock import held_lock


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # the library has no types
    opened: Files | None = None

    @property
    def database(self) -> str:
        return str(self.settings_dict["NAME"])

    @cached_property
    def wrap_database_errors(self) -> ErrorWrapper:
        return ErrorWrapper(self)

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Wait for the write lock and hold it, unless this connection is in a transaction.

        What is committed in the block counts once the block has ended: that raises UnfitDatabase when the database's
        files are no longer in their place, as does its begin.
        """
        if self.in_atomic_block:
            yield
            return
        with held_lock():
            self.require_in_place()
            yield
            self.require_in_place()

    def require_in_place(self) -> None:
        """Raise UnfitDatabase unless the last commit went into files that are still the database's."""
        require_in_place(self.database, None if self.connection is None else self.opened)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        require_fit(self.database)
        driver = super().get_new_connection(conn_params)
        self.opened = find_files(self.database)
        return driver

    def _commit(self) -> None:
        super()._commit()
        self.require_in_place()
