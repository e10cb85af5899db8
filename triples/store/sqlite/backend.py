"""SQLite as the service's database."""

from triples.store.backend import Backend
from triples.store.sqlite.dialect import SQLITE


class SQLiteBackend(Backend):
    name = "sqlite"
    dialect = SQLITE


BACKEND = SQLiteBackend()
