"""PostgreSQL as the service's database."""

from contextlib import AbstractContextManager
from typing import Any

from django.db import transaction

from triples.store.access import Reads, Writes
from triples.store.backend import Backend
from triples.store.postgresql import locks, upkeep
from triples.store.postgresql.dialect import POSTGRESQL
from triples.store.postgresql.session import PostgreSQLSession
from triples.store.reader import Reader
from triples.store.sessions import Session
from triples.store.writer import Writer


class PostgreSQLBackend(Backend):
    name = "postgresql"
    dialect = POSTGRESQL
    binary_collation = "C"
    pools_connections = True
    locks = locks
    upkeep = upkeep

    def session(self, driver: Any) -> Session:
        return PostgreSQLSession(driver)

    def transaction(self) -> AbstractContextManager[None]:
        return transaction.atomic()

    def writer(self, patience: float) -> Writes:
        return Writer(patience)

    def short_reader(self, threads: int, time_limit: float) -> Reads:
        return Reader("query", threads, time_limit)


BACKEND = PostgreSQLBackend()
