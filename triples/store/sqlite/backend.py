"""SQLite as the service's database."""

from triples.store.backend import Backend
from triples.store.sqlite.dialect import SQLITE
from triples.store.sqlite.term_index import SQLiteTermIndex


class SQLiteBackend(Backend):
    name = "sqlite"
    dialect = SQLITE
    term_index = SQLiteTermIndex()


BACKEND = SQLiteBackend()
