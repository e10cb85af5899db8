"""PostgreSQL as the service's database."""

from triples.store.backend import Backend
from triples.store.postgresql.dialect import POSTGRESQL
from triples.store.postgresql.term_index import PostgreSQLTermIndex


class PostgreSQLBackend(Backend):
    name = "postgresql"
    dialect = POSTGRESQL
    term_index = PostgreSQLTermIndex()


BACKEND = PostgreSQLBackend()
