"""PostgreSQL as the service's database."""

from triples.store.backend import Backend
from triples.store.postgresql.dialect import POSTGRESQL


class PostgreSQLBackend(Backend):
    name = "postgresql"
    dialect = POSTGRESQL


BACKEND = PostgreSQLBackend()
