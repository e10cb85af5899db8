"""SQLite as the service's database."""

from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings

from triples.store.access import Reads, Writes
from triples.store.backend import Backend
from triples.store.sessions import Session
from triples.store.sqlite import locks, upkeep
from triples.store.sqlite.connections import write_transaction
from triples.store.sqlite.dialect import SQLITE
from triples.store.sqlite.inline_reader import InlineReader
from triples.store.sqlite.prepared_writer import PreparingWriter
from triples.store.sqlite.session import SQLiteSession
from triples.store.writer import Writer


class SQLiteBackend(Backend):
    name = "sqlite"
    dialect = SQLITE
    binary_collation = "BINARY"
    pools_connections = False
    locks = locks
    upkeep = upkeep

    def session(self, driver: Any) -> Session:
        return SQLiteSession(driver)

    def transaction(self) -> AbstractContextManager[None]:
        return write_transaction()

    def writer(self, patience: float) -> Writes:
        return (PreparingWriter if settings.ENV.enable_wal else Writer)(patience)

    def short_reader(self, threads: int, time_limit: float) -> Reads:
        return InlineReader("query", threads, time_limit)


BACKEND = SQLiteBackend()
